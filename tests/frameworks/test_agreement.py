"""The same network in every framework: outputs, gradients, one step, from made-up weights.

Our own library, in 64 bits, is the judge; PyTorch and closed forms judge it elsewhere.
"""

import sys

import numpy as np
import pytest

from course_lib import extras
from course_lib.frameworks import (
    in_caffe,
    in_jax,
    in_keras,
    in_onnx,
    in_scratch,
    in_tensorflow,
    in_torch,
    network,
)
from course_lib.frameworks.comparing import difference, differences, must_agree

RNG = np.random.default_rng(1)
WEIGHTS = {
    name: RNG.normal(size=shape).astype(np.float32) / 3 for name, shape in network.SHAPES.items()
}
WEIGHTS["norm.running_var"] = np.abs(WEIGHTS["norm.running_var"]) + 0.05
IMAGES = RNG.random((12, 8, 8)).astype(np.float32)
LABELS = np.arange(12) % 10
OUTPUTS = in_scratch.outputs(WEIGHTS, IMAGES)
GRADIENTS = in_scratch.gradients(WEIGHTS, IMAGES, LABELS)
AFTER = in_scratch.step(WEIGHTS, IMAGES, LABELS, rate=0.1)

MODULES = {"torch": in_torch, "jax": in_jax, "tensorflow": in_tensorflow}


def needs(*modules):
    absent = extras.missing(*modules)
    return pytest.mark.skipif(bool(absent), reason=f"the extra has not been installed: {absent}")


@pytest.mark.parametrize(
    "module",
    [pytest.param(module, id=name, marks=needs(name)) for name, module in MODULES.items()],
)
def test_outputs_gradients_and_a_step(module):
    assert difference(module.outputs(WEIGHTS, IMAGES), OUTPUTS) < 1e-5
    must_agree(module.gradients(WEIGHTS, IMAGES, LABELS), GRADIENTS, tolerance=1e-4)
    must_agree(module.step(WEIGHTS, IMAGES, LABELS, rate=0.1), AFTER, tolerance=1e-5)


def test_the_judge_agrees_with_differences_of_the_loss():
    def loss(weights):
        # In training mode, as torch computes it in 64 bits.
        torch = pytest.importorskip("torch")
        net = in_torch.build(weights).double()
        for name, parameter in net.named_parameters():
            parameter.data = torch.tensor(np.asarray(weights[name], dtype=float))
        z = net(torch.tensor(IMAGES[:, None], dtype=torch.float64))
        return torch.nn.functional.cross_entropy(z, torch.tensor(LABELS)).item()

    for name, place in (
        ("conv.weight", (3, 0, 0, 2)),
        ("dense.weight", (4, 77)),
        ("norm.bias", (5,)),
    ):
        sides = []
        for h in (1e-5, -1e-5):
            moved = {key: np.asarray(array, dtype=float) for key, array in WEIGHTS.items()}
            moved[name] = moved[name].copy()
            moved[name][place] += h
            sides.append(loss(moved))
        slope = (sides[0] - sides[1]) / 2e-5
        assert abs(slope - GRADIENTS[name][place]) < 1e-6


def test_a_step_moves_everything():
    assert min(differences(WEIGHTS, AFTER).values()) > 1e-4


@needs("tensorflow", "keras")
def test_keras_beside_tensorflow():
    # Importing TensorFlow has chosen the backend of this process.
    found = in_keras.answers("tensorflow", WEIGHTS, IMAGES, LABELS, 0.1)
    _must_be_keras(found)


@needs("keras")
def test_keras_in_a_process_of_its_own():
    found = in_keras._in_a_process("torch", WEIGHTS, IMAGES, LABELS, 0.1)
    _must_be_keras(found)


def _must_be_keras(found):
    z, slopes, after = found
    assert difference(z, OUTPUTS) < 1e-5
    must_agree(slopes, GRADIENTS, tolerance=1e-4)
    n = 64 * len(IMAGES)
    old, new = WEIGHTS["norm.running_var"], AFTER["norm.running_var"]
    by_n = 0.9 * old + (new - 0.9 * old) * (n - 1) / n
    must_agree(after, AFTER | {"norm.running_var": by_n}, tolerance=1e-5)


def test_unknown_backends_are_refused():
    with pytest.raises(ValueError, match="theano"):
        in_keras.answers("theano", WEIGHTS, IMAGES, LABELS, 0.1)


@needs("keras")
def test_a_process_that_fails_says_why():
    with pytest.raises(RuntimeError, match="names"):
        in_keras._in_a_process("torch", {"dense.bias": [1.0]}, IMAGES, LABELS, 0.1)


@needs("onnx", "onnxscript", "onnxruntime")
def test_onnx_for_any_number_of_images():
    file = in_onnx.export(WEIGHTS)
    for n in (1, 12):
        assert difference(in_onnx.run(file, IMAGES[:n]), OUTPUTS[:n]) < 1e-5
    kinds = [kind for kind, _, _ in in_onnx.nodes(file)]
    assert kinds[0] == "Conv" and kinds[-1] == "Gemm"


@needs("cv2")
def test_caffe():
    assert difference(in_caffe.outputs(WEIGHTS, IMAGES), OUTPUTS) < 1e-5
    flipped = WEIGHTS | {"dense.weight": WEIGHTS["dense.weight"][:, ::-1]}
    assert difference(in_caffe.outputs(flipped, IMAGES), OUTPUTS) > 0.01


def test_the_caffemodel_is_a_message_in_protocol_buffers():
    file = in_caffe.caffemodel(WEIGHTS)
    assert file.startswith(b"\x0a\x06digits")  # field 1, six bytes
    assert b"\xa2\x06" in file  # field 100, a layer
    assert WEIGHTS["dense.bias"].tobytes() in file  # packed floats, little-endian


@pytest.mark.parametrize(
    ("ask", "package"),
    [
        (lambda: in_jax.outputs(WEIGHTS, IMAGES), "jax"),
        (lambda: in_tensorflow.outputs(WEIGHTS, IMAGES), "tensorflow-cpu"),
        (lambda: in_keras.outputs(WEIGHTS, IMAGES), "keras"),
        (lambda: in_onnx.run(b"", IMAGES), "onnxruntime"),
        (lambda: in_caffe.run("", b"", IMAGES), "opencv-python-headless"),
    ],
)
def test_what_is_missing_is_named(monkeypatch, ask, package):
    monkeypatch.setattr(extras, "missing", lambda *modules: list(modules))
    with pytest.raises(ModuleNotFoundError, match=f"{package}.*pip install"):
        ask()


def test_nothing_is_imported_before_it_is_used():
    import subprocess

    names = ", ".join(f"in_{name}" for name in ("caffe", "jax", "keras", "onnx", "tensorflow"))
    code = f"import sys; from course_lib.frameworks import {names}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"jax", "keras", "tensorflow", "cv2", "onnx"} & set(loaded.stdout.split())
