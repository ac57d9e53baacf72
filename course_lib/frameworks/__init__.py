"""One small network in many frameworks, from the same weights.

Each module builds the network of `network` in one framework, from a plain dictionary of NumPy
arrays, and offers up to three functions with the same arguments and results:

- ``outputs(weights, images)``: the logits, in evaluation mode;
- ``gradients(weights, images, labels)``: of the mean cross-entropy, in training mode;
- ``step(weights, images, labels, rate)``: all weights after one step of plain gradient descent.

`in_torch`, `in_tensorflow`, `in_keras`, `in_jax` and `in_scratch` have all three. `in_onnx` and
`in_caffe`, which are formats for finished networks, have only ``outputs``. A module imports its
framework when it is first used, and says how to install it if it is missing.
"""
