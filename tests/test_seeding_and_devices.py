"""Seeding gives the same numbers; devices are chosen and refused in words."""

import random

import numpy as np
import pytest
import torch

import course_lib


def draws(seed):
    rng = course_lib.seed_everything(seed)
    return random.random(), np.random.rand(), torch.rand(1).item(), rng.random()


def test_the_same_seed_gives_the_same_numbers_in_every_library():
    assert draws(3) == draws(3)
    assert all(a != b for a, b in zip(draws(3), draws(4), strict=True))


def test_the_generator_is_numpys_own_for_the_seed():
    assert course_lib.seed_everything(5).random() == np.random.default_rng(5).random()


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (2**32, ValueError)])
def test_seeds_out_of_range(seed, error):
    with pytest.raises(error, match=str(seed)):
        course_lib.seed_everything(seed)


@pytest.mark.parametrize("seed", [1.0, "1", None, True])
def test_seeds_that_are_no_integers(seed):
    with pytest.raises(TypeError, match="must be an integer"):
        course_lib.seed_everything(seed)


def test_the_device_is_one_that_computes(monkeypatch):
    monkeypatch.delenv("COURSE_DEVICE", raising=False)
    device = course_lib.get_device()
    assert torch.ones(2, device=device).sum().item() == 2
    assert course_lib.get_device("cpu") == torch.device("cpu")


def test_the_first_of_cuda_mps_cpu_is_taken(monkeypatch):
    monkeypatch.delenv("COURSE_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert course_lib.get_device().type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert course_lib.get_device().type == "mps"


def test_a_wanted_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="'cuda' is not in this machine, which has: .*cpu"):
        course_lib.get_device("cuda")
    monkeypatch.setenv("COURSE_DEVICE", "abacus")
    with pytest.raises(ValueError, match="no device is called 'abacus'"):
        course_lib.get_device()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match="counted from 0"):
        course_lib.get_device("cuda:1")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'seed_nothing'"):
        course_lib.seed_nothing  # noqa: B018
