"""The encoding between student and judge: what it carries, and what it refuses."""

import contextlib
import socket
import threading
from collections import deque
from decimal import Decimal
from fractions import Fraction

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from course_lib.grading.engine import errors, protocol, proxy_errors

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters())
    | st.binary()
    | st.just(...),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.frozensets(st.integers() | st.text())
    ),
    max_leaves=20,
)


def tell(description):
    return description


def there_and_back(value):
    return protocol.unpack(protocol.pack(value, lambda thing: [1, type(thing).__name__]), tell)


@given(PLAIN)
def test_plain_values_come_back_as_they_were(value):
    got = there_and_back(value)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    "value",
    [2**100, -(2**64), "half a pair \ud800", range(3, 9, 2), slice(1, None, 2), {1, 2}]
    + [bytearray(b"x"), {(1, 2): [3]}, np.float32(1.5), np.int64(3), np.bool_(True)]
    + [np.datetime64("2026-11-22"), np.dtype("float32"), Fraction(1, 3), Decimal("0.10")]
    + [deque([1, 2], maxlen=3), torch.Size([2, 3]), torch.float16, torch.device("cpu")],
)
def test_other_values_that_travel(value):
    got = there_and_back(value)
    assert got == value
    assert type(got) is type(value)


@given(
    arrays(
        st.sampled_from(
            [np.float64, np.float32, np.int8, np.uint16, np.bool_, np.complex64, ">i4"]
        ),
        array_shapes(min_dims=0, min_side=0, max_side=4),
    )
)
def test_arrays_keep_dtype_shape_and_bytes(value):
    got = there_and_back(value)
    assert got.dtype == value.dtype
    assert got.shape == value.shape
    assert got.tobytes() == value.tobytes()
    if got.size:
        got[...] = 0  # one's own copy, which may be written


def test_an_array_of_texts_travels_and_one_of_objects_does_not():
    assert there_and_back(np.array([["a", "bc"]])).tolist() == [["a", "bc"]]
    assert there_and_back(np.array([object()], dtype=object))[0] == "object"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int64", "bool", "complex64"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_tensors_keep_dtype_shape_and_values(dtype, shape):
    value = torch.ones(shape).to(getattr(torch, dtype))
    kind, got, requires_grad, parameter, _, gradient = there_and_back(value)
    assert (kind, requires_grad, parameter, gradient) == ("tensor", False, False, None)
    assert got.dtype == value.dtype
    assert got.shape == value.shape
    assert torch.equal(got, value)


def test_a_subclass_does_not_pass_for_its_base():
    class Four(float):
        pass

    class Names(dict):
        pass

    for value in (Four(4), Names(), type("Text", (str,), {})("x")):
        assert there_and_back(value)[0] == "object"


def test_a_list_that_holds_itself_ends_in_a_handle():
    loop = []
    loop.append(loop)
    got = there_and_back(loop)
    for _ in range(protocol.MAX_DEPTH):
        (got,) = got
    assert got[0] == "object"


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused_or_are_data(message):
    with contextlib.suppress(protocol.WireError):
        protocol.unpack(message, tell)


JUNK = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.binary(max_size=5) | st.floats(),
    lambda inner: st.lists(st.sampled_from([*protocol._DECODERS]) | inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=500)
@given(JUNK)
def test_well_packed_nonsense_is_refused_or_is_data(value):
    try:
        message = msgpack.packb(value)
    except OverflowError:
        return
    with contextlib.suppress(protocol.WireError):
        protocol.unpack(message, tell)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (["array", "<f8", [10**6], b"12345678"], "came with 8 bytes"),
        (["array", "<f8", [-1], b""], "has the length"),
        (["array", "<f8", [2**40, 2**40], b""], "length|too large"),
        (["array", "<f8", [1] * 40, b"12345678"], "at most 32"),
        (["array", "|O", [1], b"12345678"], "do not travel"),
        (["array", "V8", [1], b"12345678"], "do not travel"),
        (["array", "<f8", [1.0], b"12345678"], "has the length"),
        (["tensor", "object", [], b"", False, False, [1], None], "do not travel"),
        (["tensor", "float32", [3], b"1234", False, False, [1], None], "came with 4 bytes"),
        (["pickle", b"x"], "unknown tag"),
        ([1, 2], "no tag"),
        (["list", 3], "without its list"),
        (["int", "f" * 30_000], "too long"),
        (["range", 1.5, 2, 3], "whole numbers"),
        (["text", 3], "bytes wanted"),
        (["fraction", "0x1", "0x0"], "ZeroDivisionError"),
        (["decimal", "9" * 2000], "too long"),
        (["array dtype", "|O"], "do not travel"),
        (["torch dtype", "torch.load"], "no dtype"),
        (["torch Size", [-1]], "has the length"),
        (["torch device", "nowhere"], "cannot be read"),
        (["dict", [[["list", []], 1]]], "unhashable"),
    ],
)
def test_lies_are_named(value, words):
    with pytest.raises(protocol.WireError, match=words):
        protocol.unpack(msgpack.packb(value), tell)


def test_nesting_is_bounded():
    value = 1
    for _ in range(400):
        value = ["list", [value]]
    with pytest.raises(protocol.WireError, match="nested|recursion|too deep|cannot be read"):
        protocol.unpack(msgpack.packb(value), tell)


def test_a_long_announcement_takes_no_memory():
    mine, theirs = socket.socketpair()
    with mine, theirs:
        theirs.sendall((2**60).to_bytes(8, "little"))
        with pytest.raises(protocol.WireError, match="were|was announced"):
            protocol.receive(mine)


def test_a_message_that_is_cut_off():
    mine, theirs = socket.socketpair()
    with mine:
        theirs.sendall((100).to_bytes(8, "little") + b"half")
        theirs.close()
        with pytest.raises(protocol.Closed):
            protocol.receive(mine)


def test_messages_of_any_size_arrive_whole():
    mine, theirs = socket.socketpair()
    with mine, theirs:
        for size in (0, 1, 2**20 + 3):
            sender = threading.Thread(target=protocol.send, args=(theirs, b"x" * size))
            sender.start()
            assert protocol.receive(mine) == b"x" * size
            sender.join()


@pytest.mark.parametrize(
    "work", [lambda: np.zeros(2, int).__isub__(0.5), lambda: np.zeros(2).sum(axis=3)]
)
def test_errors_of_numpy_keep_their_text(work):
    """They make it of what they were given, which does not travel."""
    with pytest.raises(Exception) as caught:
        work()
    rebuilt = proxy_errors.rebuild_error(errors.describe(caught.value), {})
    assert isinstance(rebuilt, type(caught.value))
    assert str(rebuilt) == str(caught.value)


def test_who_sends_a_byte_now_and_then_has_an_end():
    ours, theirs = socket.socketpair()
    over = threading.Event()

    def drip():
        theirs.sendall(protocol._HEADER.pack(1000))
        while not over.wait(0.05):
            theirs.send(b"x")

    thread = threading.Thread(target=drip)
    with ours, theirs:
        thread.start()
        with pytest.raises(TimeoutError):
            protocol.receive(ours, within=0.5)
        over.set()
        thread.join()


@pytest.mark.parametrize(
    "value",
    [None, "x", "\ud800", 1, 0.5, True, b"x", [], ["a", [1]], {}, {"a": ["b", {"\ud800": None}]}],
)
def test_plain_values_are_read_as_they_are(value):
    assert protocol.unpack_plain(protocol.pack(value, tell)) == value


@pytest.mark.parametrize(
    "value",
    [
        {1},
        (1, 2),
        {1: "x"},
        2**64,
        np.zeros(3),
        ["list of", {"x": frozenset("y")}],
        [0] * (protocol.MAX_PLAIN_ITEMS + 1),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(protocol.WireError):
        protocol.unpack_plain(protocol.pack(value, tell))


def test_numbers_with_one_hash_are_refused_at_once():
    # In a set, each would be compared with all before it: an hour for half a million.
    same = [["int", hex(k * (2**61 - 1) + 5)] for k in range(50_000)]
    for made in (["set", same], ["frozenset", same], ["dict", [[key, 1] for key in same]]):
        with pytest.raises(protocol.WireError, match="50,000 values with one hash"):
            protocol.unpack(msgpack.packb(made), tell)
    assert protocol.unpack(msgpack.packb(["set", [1] * 5000]), tell) == {1}
    assert there_and_back({*range(5000)}) == {*range(5000)}
    with pytest.raises(protocol.WireError, match="'set', which is not plain"):
        protocol.unpack_plain(msgpack.packb(["set", same]))
