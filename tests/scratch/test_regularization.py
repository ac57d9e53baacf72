"""Penalties, early stopping, shifts and ensembles, against PyTorch and against closed forms."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage, optimize

from course_lib.scratch.layers import BatchNorm1d, Linear, Module, ReLU, Sequential
from course_lib.scratch.losses import mse_loss
from course_lib.scratch.optimizers import SGD
from course_lib.scratch.regularization import (
    EarlyStopping,
    RandomShift,
    SoftThreshold,
    average_probabilities,
    l1_penalty,
    l2_penalty,
    shifted,
    soft_threshold,
    weights_of,
)
from course_lib.scratch.tensor import Tensor
from course_lib.scratch.training import fit

numbers = st.floats(-10, 10).filter(lambda w: abs(w) > 1e-3 or w == 0)
arrays = hnp.arrays(
    np.float64, hnp.array_shapes(max_dims=2, min_side=0, max_side=4), elements=numbers
)


@given(arrays, arrays)
def test_penalties_and_their_slopes_are_pytorchs(a, b) -> None:
    for ours, theirs in (
        (l2_penalty, lambda w: 0.5 * w.square().sum()),
        (l1_penalty, lambda w: w.abs().sum()),
    ):
        mine = [Tensor(w, requires_grad=True) for w in (a, b)]
        yours = [torch.tensor(w, requires_grad=True) for w in (a, b)]
        penalty, expected = ours(mine), sum(theirs(w) for w in yours)
        penalty.backward()
        expected.backward()
        assert penalty.item() == pytest.approx(expected.item())
        for w, v in zip(mine, yours, strict=True):
            np.testing.assert_allclose(w.grad, v.grad.numpy())


def test_penalties_are_for_matrices_and_not_for_biases() -> None:
    model = Sequential(Linear(3, 4), BatchNorm1d(4), ReLU(), Linear(4, 2))
    assert [w.shape for w in weights_of(model)] == [(3, 4), (4, 2)]


@pytest.mark.parametrize("penalty", [l1_penalty, l2_penalty])
def test_nothing_to_penalize_is_an_error(penalty) -> None:
    with pytest.raises(ValueError, match="no weights"):
        penalty(weights_of(ReLU()))


@given(st.floats(-5, 5), st.floats(0, 3))
def test_the_soft_threshold_minimizes_its_cost(w, amount) -> None:
    def cost(v: float) -> float:
        return 0.5 * (v - w) ** 2 + amount * abs(v)

    best = optimize.minimize_scalar(cost, bounds=(-6, 6), method="bounded").x
    assert soft_threshold(w, amount) == pytest.approx(best, abs=1e-4)
    assert cost(float(soft_threshold(w, amount))) <= cost(best) + 1e-12


@given(arrays, st.floats(0, 5))
def test_the_soft_threshold_is_pytorchs(w, amount) -> None:
    expected = torch.nn.functional.softshrink(torch.tensor(w), amount).numpy()
    np.testing.assert_allclose(soft_threshold(w, amount), expected, atol=1e-12)


def test_soft_thresholds_lead_to_the_lasso() -> None:
    # 0.5 (w - c)^2 + s |w| is least at the soft threshold of c.
    target = np.array([[2.0, -0.3, 0.5, -4.0]])
    w = Tensor(np.zeros((1, 4)), requires_grad=True)
    optimizer = SoftThreshold(SGD([w], lr=0.2), [w], strength=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        ((w - target) ** 2).sum().backward(0.5)
        optimizer.step()
    np.testing.assert_allclose(w.data, soft_threshold(target, 0.5), atol=1e-9)
    assert (w.data == 0).sum() == 2


def test_the_subgradient_of_l1_does_not_reach_zero() -> None:
    w = Tensor([0.305], requires_grad=True)
    optimizer = SGD([w], lr=0.1)
    seen = []
    for _ in range(50):
        optimizer.zero_grad()
        l1_penalty([w]).backward()
        optimizer.step()
        seen.append(w.item())
    assert 0 not in seen
    assert {round(value, 3) for value in seen[-4:]} == {0.005, -0.095}


@pytest.mark.parametrize(
    "make", [lambda: soft_threshold([1.0], -1), lambda: soft_threshold(1, np.nan)]
)
def test_a_negative_amount_is_an_error(make) -> None:
    with pytest.raises(ValueError, match="amount must be 0 or more"):
        make()
    with pytest.raises(ValueError, match="strength must be 0 or more"):
        SoftThreshold(SGD([Tensor(1.0, requires_grad=True)]), [], -0.1)


class Counter(Module):
    """A model whose only weight says how often it was changed."""

    def __init__(self) -> None:
        self.weight = Tensor(np.zeros((1, 1)), requires_grad=True)


def stops(losses, **settings) -> tuple[int, EarlyStopping, Counter]:
    """Feed losses one by one; return the number of epochs, the callback and the model."""
    stopping, model = EarlyStopping(**settings), Counter()
    history: dict[str, list[float]] = {"validation_loss": []}
    for epoch, loss in enumerate(losses):
        model.weight.data[...] = epoch
        history["validation_loss"].append(loss)
        if stopping(model, history):
            return epoch + 1, stopping, model
    return len(losses), stopping, model


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "best"),
    [
        ([3, 2, 1], 1, 3, 2),
        ([3, 2, 2.5, 1], 1, 3, 1),
        ([3, 2, 2.5, 1], 2, 4, 3),
        ([1, 2, 2, 2, 2], 3, 4, 0),
        ([1, 1, 1], 2, 3, 0),  # no better is no better
        ([3, 4, 2, 5, 1, 6], 2, 6, 4),  # the count begins anew
        ([np.nan, np.nan], 2, 2, None),
    ],
)
def test_patience_counts_epochs_without_a_new_lowest_loss(losses, patience, epochs, best) -> None:
    ended, stopping, model = stops(losses, patience=patience)
    assert (ended, stopping.best_epoch) == (epochs, best)
    if best is not None:
        stopping.restore(model)
        assert model.weight.item() == best
        assert stopping.best_loss == losses[best]


@given(st.lists(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=1), min_size=2), st.data())
def test_each_training_starts_afresh(courses, data) -> None:
    """One object for several trainings acts as a new one for each of them."""
    patience = data.draw(st.integers(1, 3))
    reused, model = EarlyStopping(patience), Counter()
    for losses in courses:
        fresh = EarlyStopping(patience)
        for epoch in range(len(losses)):
            history = {"validation_loss": losses[: epoch + 1]}
            stop = fresh(model, history)
            assert reused(model, history) == stop
            assert (reused.best_epoch, reused.best_loss) == (fresh.best_epoch, fresh.best_loss)
            if stop:
                break


def test_a_second_fit_trains_as_long_as_with_a_new_object() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 10)), rng.normal(size=(12, 1))
    new = rng.normal(size=(50, 10)), rng.normal(size=(50, 1))
    stopping = EarlyStopping(patience=3)

    def epochs(stopping: EarlyStopping, seed: int) -> int:
        model = Linear(10, 1, rng=seed)
        optimizer = SGD(model.parameters(), lr=0.05)
        history = fit(
            model, mse_loss, optimizer, x, y, epochs=500, batch_size=12, rng=seed,
            validation=new, callbacks=[stopping],
        )  # fmt: skip
        stopping.restore(model)
        losses = history["validation_loss"]
        assert mse_loss(model(new[0]), new[1]).item() == pytest.approx(min(losses))
        return len(losses)

    for seed in (1, 2, 3):
        assert epochs(stopping, seed) == epochs(EarlyStopping(patience=3), seed) >= 4


def test_a_loss_must_be_lower_by_min_delta() -> None:
    assert stops([1.0, 0.95, 0.9, 0.89], patience=2, min_delta=0.1)[0] == 3
    assert stops([1.0, 0.95, 0.85, 0.84], patience=2, min_delta=0.1)[1].best_epoch == 2


def test_early_stopping_ends_fit_and_restores_the_best_weights() -> None:
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(12, 10)), rng.normal(size=(12, 1))
    new_x, new_noise = rng.normal(size=(50, 10)), rng.normal(size=(50, 1))
    model = Linear(10, 1, rng=rng)
    stopping = EarlyStopping(patience=3)
    optimizer = SGD(model.parameters(), lr=0.05)
    history = fit(
        model, mse_loss, optimizer, x, noise, epochs=500, batch_size=12, rng=0,
        validation=(new_x, new_noise), callbacks=[stopping],
    )  # fmt: skip
    losses = history["validation_loss"]
    assert len(losses) == stopping.best_epoch + 4 < 500
    assert stopping.best_loss == min(losses) < losses[-1]
    stopping.restore(model)
    assert mse_loss(model(new_x), new_noise).item() == pytest.approx(min(losses))


def test_early_stopping_without_validation_or_patience_is_an_error() -> None:
    with pytest.raises(ValueError, match="patience must be 1 or more"):
        EarlyStopping(0)
    with pytest.raises(ValueError, match="Give fit the argument validation"):
        EarlyStopping(1)(Counter(), {"loss": [1.0]})
    with pytest.raises(ValueError, match="nothing to restore"):
        EarlyStopping(1).restore(Counter())


@given(
    hnp.arrays(np.float64, (3, 20), elements=st.floats(-5, 5)),
    st.integers(-6, 6),
    st.integers(-6, 6),
)
def test_shifts_are_those_of_scipy(images, down, right) -> None:
    expected = ndimage.shift(images.reshape(3, 4, 5), (0, down, right), order=0)
    np.testing.assert_array_equal(shifted(images, down, right, width=5), expected.reshape(3, 20))


def test_an_empty_batch_of_images_stays_empty() -> None:
    assert shifted(np.zeros((0, 64)), 1, 0).shape == (0, 64)


def test_a_shift_changes_a_copy() -> None:
    images = np.arange(16.0).reshape(1, 16)
    shifted(images, 1, 0, width=4)
    np.testing.assert_array_equal(images, np.arange(16.0).reshape(1, 16))


@pytest.mark.parametrize("shape", [(64,), (2, 63), (2, 8, 8)])
def test_a_shift_of_no_images_is_an_error(shape) -> None:
    with pytest.raises(ValueError, match="one image per row"):
        shifted(np.zeros(shape), 1, 0)


MISUSE = {
    "half a pixel": (lambda: shifted(np.zeros((1, 64)), 0.5, 0), TypeError, "down must be an int"),
    "no width": (lambda: shifted(np.zeros((1, 64)), 1, 0, width=0), ValueError, "the width"),
    "negative pixels": (lambda: RandomShift(-1), ValueError, "pixels must be 0 or more, but is -1"),
    "behind a layer": (
        lambda: Sequential(Linear(64, 64), RandomShift(1))(np.zeros((2, 64))),
        RuntimeError,
        "Put it first",
    ),
    "negative delta": (lambda: EarlyStopping(1, min_delta=-1), ValueError, "min_delta must be 0"),
    "no patience": (lambda: EarlyStopping(np.nan), ValueError, "patience must be 1 or more"),
    "single logits": (
        lambda: average_probabilities([lambda x: Tensor(np.zeros((2, 1)))], [[0.0], [1.0]]),
        ValueError,
        r"Model 0 returns shape \(2, 1\).*the two logits 0 and z",
    ),
    "other classes": (
        lambda: average_probabilities(
            [lambda x: Tensor(np.zeros((2, 3))), lambda x: Tensor(np.zeros((2, 4)))], [[0.0]]
        ),
        ValueError,
        r"Model 1 returns shape \(2, 4\).*the first returns \(2, 3\)",
    ),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_raises_an_error_that_teaches(name) -> None:
    misuse, kind, message = MISUSE[name]
    with pytest.raises(kind, match=message):
        misuse()


def test_random_shifts_take_every_direction_and_only_in_training() -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(400, 9)))
    layer = RandomShift(1, width=3, rng=np.random.default_rng(1))
    moved = layer(x).data
    moves = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    candidates = np.stack([shifted(x.data, *move, width=3) for move in moves])
    hits = (candidates == moved).all(axis=2)
    assert (hits.sum(axis=0) == 1).all()
    # Nine moves, 400 images: each about 44 times.
    assert hits.sum(axis=1).min() > 20
    assert layer.eval()(x) is x
    assert list(layer.parameters()) == []


def test_an_ensemble_averages_probabilities_and_not_scores() -> None:
    logits = [np.array([[0.0, 4.0]]), np.array([[1.0, 0.0]])]
    models = [lambda x, z=z: Tensor(z) for z in logits]
    expected = np.mean([torch.tensor(z).softmax(1).numpy() for z in logits], axis=0)
    np.testing.assert_allclose(average_probabilities(models, [[0.0]]), expected)
    with pytest.raises(ValueError, match="no models"):
        average_probabilities([], [[0.0]])


@given(hnp.arrays(np.float64, (4, 3, 5), elements=st.floats(-8, 8)), st.integers(0, 4))
def test_an_ensembles_surprise_is_at_most_the_mean_of_its_members(logits, right) -> None:
    models = [lambda x, z=z: Tensor(z) for z in logits]
    together = -np.log(average_probabilities(models, np.zeros((3, 1)))[:, right])
    alone = -torch.tensor(logits).log_softmax(2).numpy()[:, :, right].mean(axis=0)
    assert (together <= alone + 1e-9).all()
