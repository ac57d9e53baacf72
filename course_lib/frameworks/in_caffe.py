"""The network as two files of Caffe, read by OpenCV.

Caffe (2014) describes a network in a text, the *prototxt*, and keeps the weights in a binary file,
the *caffemodel*. Both are one message of Google's protocol buffers, in its two spellings. Caffe
itself is no longer installed by anyone who can avoid it, and its formats outlived it: OpenCV 4
reads them. Of Caffe's message the few fields that this network needs are described here, by the
numbers that they have in Caffe's own ``caffe.proto``.

References
----------
Y. Jia et al., "Caffe: convolutional architecture for fast feature embedding", 2014,
arXiv:1408.5093.
"""

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from course_lib import extras
from course_lib.frameworks.network import EPS, Array, Weights, checked

__all__ = ["caffemodel", "outputs", "prototxt", "run"]

# Message -> its fields: name, number in caffe.proto, type, whether it may come many times.
_MESSAGES: Final[dict[str, list[tuple[str, int, str, bool]]]] = {
    "BlobShape": [("dim", 1, "int64", True)],
    "BlobProto": [("data", 5, "float", True), ("shape", 7, "BlobShape", False)],
    "LayerParameter": [
        ("name", 1, "string", False),
        ("type", 2, "string", False),
        ("bottom", 3, "string", True),
        ("top", 4, "string", True),
        ("blobs", 7, "BlobProto", True),
    ],
    "NetParameter": [("name", 1, "string", False), ("layer", 100, "LayerParameter", True)],
}

# Layer -> type, and what else the prototxt says of it.
_LAYERS: Final = {
    "conv": (
        "Convolution",
        "convolution_param { num_output: 8 kernel_size: 3 pad: 1 bias_term: false }",
    ),
    "norm": ("BatchNorm", f"batch_norm_param {{ use_global_stats: true eps: {EPS:g} }}"),
    "scale": ("Scale", "scale_param { bias_term: true }"),
    "relu": ("ReLU", ""),
    "pool": ("Pooling", "pooling_param { pool: MAX kernel_size: 2 stride: 2 }"),
    "dense": ("InnerProduct", "inner_product_param { num_output: 10 }"),
}


def prototxt(batch: int = 1) -> str:
    """Return the description of the network: a layer a paragraph, with what it reads and writes.

    Parameters
    ----------
    batch : int
        Number of images; Caffe fixes it in the description.
    """
    lines = [
        'name: "digits"',
        'input: "images"',
        f"input_shape {{ dim: {batch} dim: 1 dim: 8 dim: 8 }}",
    ]
    bottom = "images"
    for name, (kind, options) in _LAYERS.items():
        tied = f'name: "{name}" type: "{kind}" bottom: "{bottom}" top: "{name}"'
        lines.append(f"layer {{ {tied} {options}".rstrip() + " }")
        bottom = name
    return "\n".join(lines) + "\n"


def caffemodel(weights: Weights) -> bytes:
    """Return the weights as Caffe keeps them: a list of arrays for each layer that has some.

    Batch normalization is two layers in Caffe. The first has the running mean and variance, and a
    third array with one number, by which both are to be divided; the second scales and shifts.
    """
    w = checked(weights)
    blobs = {
        "conv": [w["conv.weight"]],
        "norm": [w["norm.running_mean"], w["norm.running_var"], np.ones(1)],
        "scale": [w["norm.weight"], w["norm.bias"]],
        "dense": [w["dense.weight"], w["dense.bias"]],
    }
    net = _net_parameter()(name="digits")
    for name, (kind, _) in _LAYERS.items():
        layer = net.layer.add(name=name, type=kind)
        for array in blobs.get(name, []):
            blob = layer.blobs.add()
            blob.shape.dim.extend(array.shape)
            blob.data.extend(array.ravel().tolist())
    return net.SerializeToString()


def run(description: str, model: bytes, images: ArrayLike) -> Array:
    """Return what OpenCV computes from the two files, for images (n, 8, 8)."""
    extras.require("cv2")
    import cv2

    # As arrays of bytes: texts would be taken for the names of files.
    files = (np.frombuffer(file, dtype=np.uint8) for file in (description.encode(), model))
    net = cv2.dnn.readNetFromCaffe(*files)
    net.setInput(np.ascontiguousarray(np.asarray(images, dtype=np.float32)[:, None]))
    return net.forward().reshape(len(np.asarray(images)), -1)


def outputs(weights: Weights, images: ArrayLike) -> Array:
    """Return the logits (n, 10) of images (n, 8, 8): written, then read."""
    return run(prototxt(len(np.asarray(images))), caffemodel(weights), images)


@lru_cache
def _net_parameter() -> Any:
    """Build the message types from their description, without a compiler."""
    extras.require("google.protobuf")
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    plain = {"int64": field.TYPE_INT64, "float": field.TYPE_FLOAT, "string": field.TYPE_STRING}
    file = descriptor_pb2.FileDescriptorProto(
        name="course_lib/caffe.proto", package="caffe", syntax="proto2"
    )
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, number, kind, many in fields:
            added = described.field.add(
                name=name,
                number=number,
                label=field.LABEL_REPEATED if many else field.LABEL_OPTIONAL,
                type=plain.get(kind, field.TYPE_MESSAGE),
            )
            if kind not in plain:
                added.type_name = f".caffe.{kind}"
            elif many and kind != "string":
                added.options.packed = True
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe.NetParameter"))
