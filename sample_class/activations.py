"""A class of five for the exercise `activations`, with the scores that grading must give them."""

import numpy as np

from course_lib.assignments.sample import submission

SHORT_ANSWER = """\
1.386 is log 4, so the network is at chance: it gives each of the four classes 1/4.

The learning rate was too large. I would lower it and train again from the start, and look at the
loss."""

FULL_ANSWER = """\
1.386 is log 4: each of the four classes gets 1/4, whatever the input.

One step was too large and pushed z below 0 on every sample. There the slope of ReLU is 0, so the
gradient of those units is 0 and no later step moves them: the network must start afresh.

1. `dead_units` before training, because it costs one forward pass. Many dead units there speak
   for the initialization or the inputs, few for the learning rate.
2. The same start with a rate of 0.1. If the dead share and the loss both fall, the rate was the
   cause; if units live and the loss stays, I would look at the labels.
3. Leaky ReLU at the old rate, because it changes the model. If the loss falls, flat units held
   it; if not, the step is too large for any activation.

Forty living units should beat chance, so something else may be wrong too."""


@submission(
    student="ada-lovelace", score=36, writes={"why-dead": FULL_ANSWER}, marks={"why-dead": 4}
)
def full_marks():
    """Everything right, and the written answer marked."""


@submission(
    student="emmy-noether",
    score=14.5,
    starts_from="release",
    loses=[
        "test-leaky_relu",
        "test-leaky_relu-hidden",
        "test-leaky_relu_derivative",
        "test-leaky_relu_derivative-hidden",
        "test-gelu",
        "test-gelu-hidden",
        "test-gelu_derivative",
        "test-gelu_derivative-hidden",
        "test-softmax-large-hidden",
        "test-softmax-temperature-hidden",
        "test-log_softmax",
        "test-log_softmax-hidden",
        "test-log_softmax-large-hidden",
        "test-dead_units",
        "test-dead_units-hidden",
        "test-activation_backward",
        "test-activation_backward-hidden",
    ],
    writes={"why-dead": SHORT_ANSWER},
    marks={"why-dead": 1.5},
)
def partial():
    """The first steps done, softmax without the shift, and a written answer that stops early."""

    def sigmoid(z):
        e = np.exp(-np.abs(z))
        return np.where(np.asarray(z) >= 0, 1, e) / (1 + e)

    def sigmoid_derivative(z):
        return sigmoid(z) * (1 - sigmoid(z))

    def tanh_derivative(z):
        return 1 - np.tanh(z) ** 2

    def relu(z):
        return np.maximum(z, 0)

    def relu_derivative(z):
        return np.where(np.asarray(z) > 0, 1.0, 0.0)

    def softmax(z, axis=-1, temperature=1.0):
        e = np.exp(np.asarray(z) / temperature)
        return e / e.sum(axis=axis, keepdims=True)


@submission(student="blaise-pascal", score=0, starts_from="release", loses=["*"])
def untouched():
    """Handed in as it was released."""


@submission(
    student="charles-babbage",
    score=31,
    loses=["test-tanh_derivative-hidden"],
    writes={"why-dead": FULL_ANSWER},
)
def crash():
    """Leaves Python when numbers get large, and the kernel with it. The answer waits for marks."""
    import os

    def tanh_derivative(z):
        if np.max(np.abs(z)) > 40:
            print("numbers too large, giving up")
            os._exit(1)
        return 1 - np.tanh(z) ** 2


@submission(student="alan-turing", score=31, loses=["test-log_softmax-large-hidden"])
def infinite_loop():
    """Lowers the logits by a billionth until exp no longer overflows: for ages, where it does."""

    def log_softmax(z, axis=-1):
        z = np.array(z, dtype=float)
        with np.errstate(over="ignore"):
            while not np.all(np.isfinite(np.exp(z))):
                z = z - 1e-9
        return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))
