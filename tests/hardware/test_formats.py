"""Number formats by their bits, against PyTorch's."""

import doctest
import math

import numpy as np
import pytest
import torch

from course_lib.hardware import formats
from course_lib.hardware.formats import BFLOAT16, FLOAT16, FLOAT32

RNG = np.random.default_rng(0)
PAIRS = [(FLOAT32, torch.float32), (BFLOAT16, torch.bfloat16), (FLOAT16, torch.float16)]


def test_examples():
    result = doctest.testmod(formats)
    assert result.attempted and not result.failed


@pytest.mark.parametrize(("kind", "dtype"), PAIRS, ids=lambda p: str(getattr(p, "name", p)))
def test_a_format_is_pytorchs(kind, dtype):
    info = torch.finfo(dtype)
    assert (kind.bits, kind.largest, kind.smallest_normal, kind.step) == (
        info.bits,
        info.max,
        info.smallest_normal,
        info.eps,
    )


@pytest.mark.parametrize(("kind", "dtype"), PAIRS[1:], ids=lambda p: str(getattr(p, "name", p)))
def test_every_pattern_of_16_bits_has_its_value(kind, dtype):
    patterns = torch.arange(2**16, dtype=torch.int32).to(torch.uint16)
    theirs = patterns.view(dtype).double().tolist()
    ours = [kind.value(pattern) for pattern in range(2**16)]
    assert all(
        a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(ours, theirs, strict=True)
    )
    assert math.copysign(1, kind.value(1 << 15)) == -1  # minus zero


def test_rounding_is_pytorchs_for_every_upper_half():
    upper = np.arange(2**16, dtype=np.uint32) << 16
    lower = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], dtype=np.uint32)
    patterns = np.concatenate(
        [(upper[:, None] | lower).ravel(), RNG.integers(2**32, size=2**18, dtype=np.uint32)]
    )
    x = patterns.view(np.float32)
    theirs = torch.from_numpy(x.copy()).bfloat16().view(torch.uint16).numpy()
    ours = formats.to_bfloat16(x)
    nan = np.isnan(x)
    assert np.array_equal(ours[~nan], theirs[~nan])
    assert np.isnan(formats.from_bfloat16(ours[nan])).all()
    assert np.array_equal(ours[nan] >> 15, patterns[nan] >> 31)


def test_truncation_goes_toward_zero():
    x = RNG.normal(size=1000).astype(np.float32)
    cut = formats.from_bfloat16(formats.truncate(x))
    assert (np.abs(cut) <= np.abs(x)).all() and (np.abs(cut - x) < np.abs(x) / 128).all()


def test_shapes_stay():
    x = RNG.normal(size=(3, 4)).astype(np.float32).T
    for rule in (formats.to_bfloat16, formats.truncate):
        assert formats.from_bfloat16(rule(x)).shape == (4, 3)
        assert rule(np.float32(1)).item() == 0x3F80
