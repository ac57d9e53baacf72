"""The training loop: what it computes, in which order, and how it ends."""

import doctest

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits

from course_lib.scratch import training
from course_lib.scratch.layers import Linear, Module, ReLU, Sequential
from course_lib.scratch.losses import cross_entropy, mse_loss
from course_lib.scratch.optimizers import SGD, Adam
from course_lib.scratch.schedules import ExponentialLR
from course_lib.scratch.tensor import Tensor
from course_lib.scratch.training import accuracy, batches, fit, predict

pytestmark = pytest.mark.filterwarnings(
    "error",
    # Of what other tests left behind: chance decides when it is collected.
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::pytest.PytestUnhandledThreadExceptionWarning",
)


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(22, 3))
    return x, x @ [[1.0], [-2.0], [0.5]] + 0.1 * rng.normal(size=(22, 1))


def line(seed=0):
    return Linear(3, 1, rng=np.random.default_rng(seed))


def trained(data, epochs=3, **settings):
    model = settings.pop("model", None) or line()
    optimizer = SGD(model.parameters(), lr=settings.pop("lr", 0.1))
    history = fit(model, mse_loss, optimizer, *data, epochs=epochs, batch_size=5, rng=7, **settings)
    return model, history


def test_does_what_the_same_loop_does_in_pytorch(data):
    x, y = data
    ours, history = trained(data)
    theirs = torch.nn.Linear(3, 1, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(line().weight.data.T))
        theirs.bias.copy_(torch.tensor(line().bias.data))
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.1)
    rng, losses = np.random.default_rng(7), []
    for _ in range(3):
        for rows in torch.tensor(rng.permutation(len(x))).split(5):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(
                theirs(torch.tensor(x)[rows]), torch.tensor(y)[rows]
            )
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert_allclose(history["step_loss"], losses, rtol=1e-9)
    assert_allclose(ours.weight.data, theirs.weight.detach().numpy().T, rtol=1e-9)


def test_the_loss_of_an_epoch_is_a_mean_over_samples_not_over_batches(data):
    _, history = trained(data)
    sizes = [5, 5, 5, 5, 2]
    assert len(history["step_loss"]) == 3 * len(sizes)
    expected = np.reshape(history["step_loss"], (3, len(sizes))) @ sizes / 22
    assert_allclose(history["loss"], expected)


def test_batches_use_every_sample_once_in_a_new_random_order():
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(list(batches(100, 7, rng))) for _ in range(2))
    assert_array_equal(np.sort(first), np.arange(100))
    assert_array_equal(np.sort(second), np.arange(100))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, np.arange(100))
    assert list(batches(0, 7)) == []
    assert [len(rows) for rows in batches(3, 100)] == [3]


def test_the_same_seed_gives_the_same_training(data):
    assert trained(data)[1] == trained(data)[1]


def test_validation_is_measured_after_each_epoch_and_not_learned_from(data):
    x, y = data
    held_out = (x[:4] + 1, y[:4])
    model, history = trained(data, validation=held_out)
    without, _ = trained(data)
    assert_array_equal(model.weight.data, without.weight.data)
    assert len(history["validation_loss"]) == 3
    assert_allclose(
        history["validation_loss"][-1], np.mean((held_out[0] @ model.weight.data
                                                 + model.bias.data - held_out[1]) ** 2)
    )  # fmt: skip


def test_callbacks_see_every_epoch_and_may_end_the_training(data):
    seen = []

    def stop(model, history):
        return len(history["loss"]) == 4

    def measure(model, history):
        history.setdefault("length", []).append(float(np.linalg.norm(model.weight.data)))
        seen.append(len(history["loss"]))

    _, history = trained(data, epochs=10, callbacks=(c for c in (stop, measure)))
    assert seen == [1, 2, 3, 4]
    assert len(history["length"]) == len(history["loss"]) == 4


def test_the_schedule_takes_a_step_after_each_step(data):
    x, y = data
    model = line()
    optimizer = SGD(model.parameters(), lr=0.1)
    schedule = ExponentialLR(optimizer, gamma=0.9)
    fit(model, mse_loss, optimizer, x, y, epochs=2, batch_size=5, rng=0, scheduler=schedule)
    assert schedule.last_epoch == 10
    assert optimizer.lr == pytest.approx(0.1 * 0.9**10)


def test_training_ends_where_the_loss_is_not_finite(data):
    model, history = trained(data, epochs=1000, lr=50.0, validation=data)
    assert not np.isfinite(history["step_loss"][-1])
    assert np.isfinite(history["step_loss"][:-1]).all()
    assert not np.isfinite(history["loss"][-1])
    assert len(history["loss"]) == len(history["validation_loss"]) < 1000
    assert np.isfinite(model.weight.data).all()


class Modes(Module):
    """Notes in which mode it is called."""

    def __init__(self):
        self.inner = line()
        self.notes = []

    def forward(self, x):
        self.notes.append((self.training, len(x)))
        return self.inner(x)


def test_steps_are_in_training_mode_and_measurements_in_evaluation_mode(data):
    model = Modes()
    trained(data, epochs=2, model=model, validation=(data[0][:3], data[1][:3]))
    epoch = [(True, 5)] * 4 + [(True, 2), (False, 3)]
    assert model.notes == epoch + epoch
    assert model.training
    model.eval()
    assert_array_equal(predict(model, data[0]), model(data[0]).data)
    assert not model.training


def test_a_plain_function_can_be_trained(data):
    x, y = data
    w = Tensor(np.zeros((3, 1)), requires_grad=True)
    history = fit(lambda x: Tensor(x) @ w, mse_loss, SGD([w], lr=0.1), x, y,
                  epochs=30, batch_size=22, rng=0)  # fmt: skip
    assert history["loss"][-1] < 0.02 < history["loss"][0]
    assert predict(lambda x: Tensor(x) @ w, x).shape == (22, 1)


def test_accuracy_is_the_share_of_right_classes():
    scores = np.array([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0], [1.0, 0.0]])
    assert accuracy(Tensor, scores, [0, 1, 1, 0]) == 0.75
    assert accuracy(lambda x: x, scores, [0, 1, 1, 0]) == 0.75  # a function of arrays is a model
    scores[0, 0] = np.nan
    assert accuracy(Tensor, scores, [0, 1, 1, 0]) == 0.5


@settings(deadline=None, max_examples=100)
@given(
    n=st.integers(1, 6),
    k=st.integers(1, 5),
    t=st.none() | st.integers(1, 3),
    seed=st.integers(0, 2**16),
    form=st.sampled_from(["classes", "column", "one-hot", "floats", "beyond", "negative", "one"]),
)
def test_accuracy_counts_classes_or_refuses_them(n, k, t, seed, form):
    """Whatever the shapes: the right share, or an error, and never another number."""
    rng = np.random.default_rng(seed)
    shape = (n,) if t is None else (n, t)
    scores = rng.normal(size=(*shape, k))
    classes = rng.integers(k, size=shape)
    y = {
        "classes": classes,
        "column": classes[..., np.newaxis],
        "one-hot": np.eye(k)[classes],
        "floats": classes.astype(float),
        "beyond": classes + k,
        "negative": classes - k,
        "one": classes[:1].repeat(n, axis=0) if k > 1 else classes,
    }[form]
    if k > 1 and form in ("classes", "one"):
        expected = (torch.tensor(scores).argmax(-1) == torch.tensor(y)).double().mean().item()
        assert accuracy(Tensor, scores, y) == pytest.approx(expected)
    else:
        with pytest.raises((TypeError, ValueError), match=r"\. .+"):
            accuracy(Tensor, scores, y)


@pytest.mark.parametrize("seed", range(3))
def test_a_network_learns_digits(seed):
    pixels, labels = load_digits(return_X_y=True)
    x, rng = pixels / 16, np.random.default_rng(seed)
    network = Sequential(Linear(64, 32, rng=rng), ReLU(), Linear(32, 10, rng=rng))
    fit(network, cross_entropy, Adam(network.parameters(), lr=0.01), x[:1400], labels[:1400],
        epochs=8, batch_size=64, rng=rng)  # fmt: skip
    assert accuracy(network, x[1400:], labels[1400:]) > 0.88


def with_the_optimizer_of_another():
    optimizer = SGD(line(1).parameters(), lr=0.1)
    fit(line(2), mse_loss, optimizer, X, Y, epochs=1, batch_size=2)


X, Y = np.ones((4, 3)), np.ones((4, 1))
MISUSE = {
    "another's": (with_the_optimizer_of_another, "holds none of the model's parameters"),
    "lengths": (lambda: trained((X, Y[:3])), "4 samples and 3 targets"),
    "nothing": (lambda: trained((X[:0], Y[:0])), r"no sample: x has shape \(0, 3\)"),
    "validation": (lambda: trained((X, Y), validation=(X[:2], Y)), "2 samples and 4 targets"),
    "epochs": (lambda: trained((X, Y), epochs=-1), "epochs must be 0 or more, but is -1"),
    "batch": (lambda: list(batches(3, 0)), "batch_size must be 1 or more, but is 0"),
    "accuracy": (lambda: accuracy(Tensor, X, [0]), "4 samples and 1 targets"),
    "no pair": (lambda: trained((X, Y), validation=X), r"a pair \(x, y\).*but is ndarray"),
    "validation of nothing": (lambda: trained((X, Y), validation=(X[:0], Y[:0])), "no sample"),
    "one sample": (lambda: accuracy(Tensor, 1.0, 1), r"an axis of samples, but have shapes \(\)"),
    "negative n": (lambda: list(batches(-1, 2)), "n must be 0 or more, but is -1"),
    "a column": (lambda: accuracy(Tensor, X, Y.astype(int)), r"\(4, 1\).*y.reshape\(len\(y\)\)"),
    "one-hot": (lambda: accuracy(Tensor, X, np.eye(4, 3)), r"one-hot, write y.argmax\(axis=-1\)"),
    "one logit": (lambda: accuracy(Tensor, Y, [0, 1, 0, 1]), r"\(4, 1\).*logit of yes.*> 0\)"),
    "one number each": (lambda: accuracy(Tensor, Y[:, 0], [0, 1, 0, 1]), r"returns shape \(4,\)"),
    "other rows": (
        lambda: accuracy(lambda x: Tensor(x[:2]), X, [0, 1, 0, 1]),
        r"one row for each of the 4 samples, but the model returns shape \(2, 3\)",
    ),
    "from one": (lambda: accuracy(Tensor, X, [1, 2, 3, 1]), "from 0 to 2.*but holds 1 to 3"),
    "negative class": (lambda: accuracy(Tensor, X, [0, -1, 0, 0]), "but holds -1 to 0"),
}


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda: trained((X, Y), epochs=2.5), "epochs must be an integer, but is 2.5"),
        (lambda: list(batches(3, "2")), "batch_size must be an integer, but is '2'"),
        (lambda: accuracy(Tensor, X, [0.0, 1.0, 0.0, 0.0]), "as integers, but holds float64"),
        (lambda: accuracy(Tensor, X, [True, False] * 2), "as integers, but holds bool"),
    ],
)
def test_what_is_of_the_wrong_type_raises_an_error_that_teaches(misuse, message):
    with pytest.raises(TypeError, match=message):
        misuse()


def test_a_refused_validation_is_refused_before_the_training(data):
    model = line()
    with pytest.raises(ValueError, match="2 samples and 4 targets"):
        trained((X, Y), model=model, validation=(X[:2], Y))
    assert_array_equal(model.weight.data, line().weight.data)


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_raises_an_error_that_teaches(name):
    misuse, message = MISUSE[name]
    with pytest.raises(ValueError, match=message):
        misuse()


def test_no_epoch_changes_nothing(data):
    model, history = trained(data, epochs=0)
    assert_array_equal(model.weight.data, line().weight.data)
    assert history == {"loss": [], "step_loss": []}


def test_examples_in_docstrings():
    assert doctest.testmod(training).failed == 0
