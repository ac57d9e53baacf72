"""The network as a file: exported by PyTorch to ONNX, and run by ONNX Runtime.

An ONNX file is a list of nodes, each an operation with the names of what it reads and writes, and
the weights. It has no gradients to give, and nothing of the framework that wrote it.
"""

import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from course_lib import extras
from course_lib.frameworks import in_torch
from course_lib.frameworks.network import Array, Weights

__all__ = ["export", "nodes", "outputs", "run"]


def export(weights: Weights) -> bytes:
    """Return the network as an ONNX file, written by PyTorch's exporter.

    Its input is called ``images``, shape (n, 1, 8, 8) for any n, its output ``logits``.
    """
    extras.require("onnx", "onnxscript")
    network = in_torch.build(weights).eval()
    example = torch.zeros(2, 1, 8, 8)
    log = logging.getLogger("torch.onnx")
    level = log.level
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own parts
        log.setLevel(logging.ERROR)
        path = Path(folder) / "network.onnx"
        try:
            torch.onnx.export(
                network,
                (example,),
                path,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("n")},),
                external_data=False,
                dynamo=True,
                verbose=False,
            )
        finally:
            log.setLevel(level)
        return path.read_bytes()


def nodes(file: bytes) -> list[tuple[str, list[str], list[str]]]:
    """Return the operations of an ONNX file: kind, names of the inputs, names of the outputs."""
    extras.require("onnx")
    import onnx

    graph = onnx.load_from_string(file).graph
    return [(node.op_type, list(node.input), list(node.output)) for node in graph.node]


def run(file: bytes, images: ArrayLike) -> Array:
    """Return what ONNX Runtime computes from an exported network, for images (n, 8, 8)."""
    extras.require("onnxruntime")
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    fed = np.asarray(images, dtype=np.float32)[:, None]
    return session.run(["logits"], {"images": fed})[0]


def outputs(weights: Weights, images: ArrayLike) -> Array:
    """Return the logits (n, 10) of images (n, 8, 8): exported, then run."""
    return run(export(weights), images)
