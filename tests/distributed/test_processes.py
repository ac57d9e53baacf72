"""What takes more than one process: DDP with torchrun, and a training that is killed."""

import shutil

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from course_lib.distributed import ddp, resuming
from course_lib.distributed.launch import torchrun

RNG = np.random.default_rng(0)
X, y = RNG.normal(size=(30, 64)).astype(np.float32), RNG.integers(0, 10, 30)


@pytest.fixture(scope="module")
def three():
    """Return what three processes find, with 17, 10 and 3 rows among other ways."""
    cases = {
        "equal": ([10, 10, 10], [1, 1, 1]),
        "unequal": ([17, 10, 3], [1, 1, 1]),
        "weighted": ([17, 10, 3], [3 * 17 / 30, 3 * 10 / 30, 3 * 3 / 30]),
        "halved": ([10, 10, 10], [0.5, 0.5, 0.5]),
    }
    return ddp.run(X, y, cases, workers=3, micro=4)


@pytest.fixture(scope="module")
def whole():
    model = ddp.network(seed=0)
    cross_entropy(model(torch.tensor(X)), torch.tensor(y)).backward()
    return ddp.gradient(model).numpy()


@pytest.mark.slow
def test_three_processes_compute_the_gradient_of_one(three, whole):
    for name in ("equal", "weighted"):
        assert np.abs(three["gradients"][name] - whole).max() < 1e-6
    assert np.abs(three["accumulated"] - whole).max() < 1e-6


@pytest.mark.slow
def test_means_of_unequal_shards_and_halved_losses_are_wrong(three, whole):
    size = np.linalg.norm(whole)
    assert np.linalg.norm(three["gradients"]["unequal"][0] - whole) > 0.1 * size
    assert np.allclose(three["gradients"]["halved"], whole / 2, atol=1e-6)


@pytest.mark.slow
def test_all_processes_agree_from_the_start(three):
    for found in (three["start"], *three["gradients"].values(), three["ring"]):
        assert len(found) == 3 and all(np.array_equal(one, found[0]) for one in found)


@pytest.mark.slow
def test_the_ring_over_gloo_sums_as_the_library_does(three):
    expected = sum(np.random.default_rng(rank).normal(size=1003) for rank in range(3))
    assert np.allclose(three["ring"][0], expected) and np.allclose(three["library"], three["ring"])
    # 1003 numbers in parts of 335, 334 and 334: two of each phase's three are sent by each.
    assert sum(three["sent"]) == 8 * 4 * 1003 and max(three["sent"]) <= 8 * 4 * 335


def test_rows_that_do_not_add_up_are_refused():
    with pytest.raises(ValueError, match="add up to the 30 rows"):
        ddp.run(X, y, {"short": ([10, 10], [1, 1])})


@pytest.mark.slow
def test_a_program_that_fails_is_told_with_its_error(tmp_path):
    # However long the paths are in the report that the launcher writes below the error.
    folder = tmp_path / ("a" * 200) / ("b" * 200)
    folder.mkdir(parents=True)
    with pytest.raises(RuntimeError, match="No such file or directory") as failed:
        torchrun("course_lib.distributed.ddp", [str(folder)], workers=1)
    assert "ChildFailedError" not in str(failed.value)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    path = tmp_path_factory.mktemp("killed") / "state.pt"
    return path, resuming.kill_while_training(path, after=2)


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bits(killed, tmp_path):
    path, ended = killed
    assert ended in (-9, 1)
    copy = shutil.copy(path, tmp_path / "copy.pt")
    assert len(torch.load(copy, weights_only=False)["history"]["loss"]) == 1  # one epoch is lost
    assert torch.equal(resuming.train(copy, 4), resuming.train(None, 4))


@pytest.mark.slow
@pytest.mark.parametrize("part", resuming.PARTS)
def test_without_a_part_it_becomes_another_run(killed, tmp_path, part):
    less = resuming.without(killed[0], part, tmp_path / "less.pt")
    assert (resuming.train(less, 4) - resuming.train(None, 4)).abs().max() > 1e-3


def test_a_part_that_there_is_not_is_named(tmp_path):
    with pytest.raises(ValueError, match="optimizer, order, dropout"):
        resuming.without(tmp_path, "weights", tmp_path)
