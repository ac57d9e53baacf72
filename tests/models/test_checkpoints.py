"""Checkpoints: what is written comes back, what does not fit is named, no file can run code."""

import collections
import doctest
import os
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.models import checkpoints
from course_lib.models.checkpoints import load, save


def network(seed, k=5, width=8):
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Linear(6, width), nn.BatchNorm1d(width), nn.ReLU())
    return nn.Sequential(collections.OrderedDict(body=body, head=nn.Linear(width, k)))


def entries(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "models" / "digits.pt"


def test_weights_statistics_and_what_was_said_come_back(path):
    model = network(0)
    model(torch.randn(20, 6))  # moves the running statistics
    about = {"classes": [0, 1, 2], "pixels": {"from": 0.0, "to": 1.0}, "license": None}
    save(model, path, **about)
    other = network(1)
    found = load(other, path)
    assert same(entries(model), entries(other))
    assert found == (about, [], [])
    assert other.body[1].num_batches_tracked.item() == 1


def test_a_file_stands_on_its_own(path):
    model = network(0)
    before = entries(model)
    save(model, path)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    other = network(1)
    load(other, path)
    assert same(before, entries(other))


def test_a_view_is_written_without_what_it_is_a_view_of(path):
    model = nn.Linear(2, 2)
    large = torch.randn(1000, 1000)
    model.weight = nn.Parameter(large[:2, :2])
    save(model, path)
    assert path.stat().st_size < 10_000


def test_a_file_is_replaced_whole_or_not_at_all(path, monkeypatch):
    save(network(0), path)
    before = path.read_bytes()

    def fails(state, where):
        where.write_bytes(b"half of it")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", fails)
    with pytest.raises(OSError, match="No space"):
        save(network(1), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (np.float64(0.5), r"about\['score'\] is a float64"),
        ([1, {"a": np.zeros(2)}], r"about\['score'\]\[1\]\['a'\] is a ndarray"),
        ({torch.float32: 1}, "a key of"),
    ],
)
def test_only_plain_values_are_said(path, value, named):
    with pytest.raises(TypeError, match=named):
        save(network(0), path, score=value)
    assert not path.exists()


def test_another_head_keeps_what_it_has(path):
    source, target = network(0), network(1, k=3)
    save(source, path)
    before = entries(target)
    found = load(target, path, head="head")
    after = entries(target)
    assert found.unexpected == ["head.weight", "head.bias"]
    assert found.missing == []
    for name in after:
        wanted = before if name.startswith("head") else entries(source)
        assert torch.equal(after[name], wanted[name]), name


def test_a_head_of_the_same_shape_is_left_out_as_well(path):
    source, target = network(0), network(1)
    save(source, path)
    load(target, path, head=["head"])
    assert not torch.equal(source.head.weight, target.head.weight)
    assert torch.equal(source.body[0].weight, target.body[0].weight)


def test_the_name_of_a_head_is_the_name_of_a_module(path):
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(12)))
    save(model, path)
    other = nn.Sequential(*(nn.Linear(2, 2) for _ in range(12)))
    load(other, path, head="1")
    assert not torch.equal(model[1].weight, other[1].weight)
    assert torch.equal(model[11].weight, other[11].weight)
    with pytest.raises(ValueError, match=r"no entry under 'fc'; it has 0\.weight.*and 20 more"):
        load(other, path, head="fc")


def refused(model, path, message, **options):
    before = entries(model)
    with pytest.raises(ValueError, match=message) as raised:
        load(model, path, **options)
    assert same(before, entries(model)), "the model must stay as it was"
    return str(raised.value)


def test_missing_unexpected_and_mismatched_entries_are_named_together(path):
    save(nn.Sequential(nn.Linear(6, 9), nn.Linear(9, 5)), path)
    model = nn.Sequential(nn.Linear(6, 9), nn.Linear(9, 4), nn.BatchNorm1d(4, affine=False))
    del model[0].bias
    model[0].bias = None
    said = refused(model, path, "does not fit")
    assert "shapes differ: 1.weight is (5, 9) there and (4, 9) here, 1.bias is (5,)" in said
    assert "missing in the file: 2.running_mean, 2.running_var, 2.num_batches_tracked" in said
    assert "unexpected in the file: 0.bias" in said


def test_not_strict_takes_what_both_have_and_says_what_it_did_not(path):
    save(nn.Sequential(nn.Linear(6, 9), nn.Linear(9, 5)), path)
    model = nn.Sequential(nn.Linear(6, 9), nn.Identity(), nn.Linear(9, 5))
    before = entries(model)
    found = load(model, path, strict=False)
    assert found.missing == ["2.weight", "2.bias"]
    assert found.unexpected == ["1.weight", "1.bias"]
    assert not torch.equal(before["0.weight"], model[0].weight)
    assert torch.equal(before["2.weight"], model[2].weight)


def test_not_strict_still_refuses_other_shapes(path):
    save(network(0, width=9), path)
    refused(network(1, width=8), path, r"body\.0\.weight is \(9, 6\) there", strict=False)


def test_not_strict_refuses_to_load_nothing(path):
    # As a network that was wrapped for several graphics cards is saved: PyTorch loads none of it.
    save(nn.Sequential(collections.OrderedDict(module=network(0))), path)
    silent = network(1)
    silent.load_state_dict(torch.load(path, weights_only=True)["state"], strict=False)
    assert same(entries(silent), entries(network(1)))
    refused(network(1), path, r"module\.body.*nothing would be loaded", strict=False)


def test_a_plain_state_dict_is_a_checkpoint(path):
    path.parent.mkdir()
    source, target = network(0), network(1, k=2)
    torch.save(source.state_dict(), path)
    assert load(target, path, head="head").about == {}
    assert torch.equal(source.body[0].weight, target.body[0].weight)


def test_numbers_take_the_type_of_the_model(path):
    path.parent.mkdir()
    source = network(0)
    half = {n: v.half() if v.is_floating_point() else v for n, v in source.state_dict().items()}
    torch.save(half, path)
    target = network(1)
    load(target, path)
    assert target.body[0].weight.dtype == torch.float32
    assert torch.allclose(target.body[0].weight, source.body[0].weight, atol=1e-3)


def test_what_is_loaded_can_be_trained(path):
    save(network(0), path)
    model = network(1)
    load(model, path)
    model(torch.randn(4, 6)).sum().backward()
    assert all(weight.is_leaf and weight.grad is not None for weight in model.parameters())


class Mischief:
    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def test_a_file_cannot_run_code(path):
    path.parent.mkdir()
    trace = path.parent / "ran"
    torch.save({"weight": Mischief(trace)}, path)
    refused(network(0), path, "could run code")
    assert not trace.exists()
    path.write_bytes(pickle.dumps(Mischief(trace), protocol=2))
    refused(network(0), path, "could run code")
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"<html>Not found</html>", b"PK\x03\x04 half a file"])
def test_a_damaged_file_is_told(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    refused(network(0), path, "damaged")


def test_a_file_that_is_not_there_is_not_there(path):
    with pytest.raises(FileNotFoundError):
        load(network(0), path)


def test_other_things_in_a_file_are_named(path):
    path.parent.mkdir()
    torch.save({"epoch": 3, "model": network(0).state_dict()}, path)
    refused(network(0), path, "a dictionary with epoch, model, and not a state dict")
    torch.save(torch.zeros(3), path)
    refused(network(0), path, "holds a Tensor")
    torch.save({"format": 2, "about": {}, "state": {}}, path)
    refused(network(0), path, "format 2, and this course reads 1")


def test_the_examples_are_right():
    results = doctest.testmod(checkpoints)
    assert results.attempted >= 8
    assert results.failed == 0
