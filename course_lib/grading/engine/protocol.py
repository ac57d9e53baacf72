"""The protocol: what travels between a student's process and the judge.

From the student only this closed encoding is read: numbers, texts, containers, raw arrays and
tensors, and numbered handles for everything else. It is msgpack with a tag on whatever is not a
plain number or text. Nothing in it names code to run, and every length, depth and shape is checked
before memory is taken for it. (In the other direction the judge may send anything: see `link`.)
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgpack
import numpy as np

from course_lib.grading.engine.limits import (
    MAX_COLLISIONS,
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_MESSAGE,
    MAX_PLAIN_ITEMS,
)

_HEADER = struct.Struct("<Q")
# A message of up to so many bytes is copied behind its header.
_IN_ONE_PIECE = 2**16

_DTYPE_KINDS = frozenset("biufcmMS")
_TORCH_DTYPES = frozenset(
    [
        *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
        *("uint8", "int8", "int16", "int32", "int64", "bool"),
    ]
)


class WireError(Exception):
    """What came from the other side is malformed, too large, or out of order."""


class Closed(Exception):
    """The other side is gone."""


def send(connection: socket.socket, message: bytes) -> None:
    """Send one message.

    Raises
    ------
    Closed
        When the other side is gone.
    """
    send_all(connection, message)


def send_all(
    connection: socket.socket,
    message: bytes,
    prefix: bytes = b"",
    descriptors: Sequence[int] = (),
) -> None:
    """Send one message after some bytes of one's own, and open files with the first of these.

    Raises
    ------
    Closed
        When the other side is gone.
    """
    head = prefix + _HEADER.pack(len(message))
    try:
        if len(message) <= _IN_ONE_PIECE:
            # The other side is woken once, and finds all of it.
            head, message = head + message, b""
        if descriptors:
            head = head[socket.send_fds(connection, [head], descriptors) :]
        for part in (head, message):
            if part:
                connection.sendall(part)
    except OSError as error:
        raise Closed(str(error)) from error


def receive(
    connection: socket.socket, limit: int = MAX_MESSAGE, within: float | None = None
) -> bytes:
    """Receive one message, all of it `within` so many seconds if that is given.

    Raises
    ------
    WireError
        When a longer message than `limit` is announced; nothing of it is read.
    Closed
        When the other side is gone, also in the middle of a message.
    TimeoutError
        When the time is over, or the socket's own limit for a part of it.
    """
    end = None if within is None else time.monotonic() + within
    try:
        (length,) = _HEADER.unpack(_exactly(connection, _HEADER.size, end))
        if length > limit:
            raise WireError(f"a message of {length:,} bytes was announced; {limit:,} are allowed")
        return _exactly(connection, length, end)
    finally:
        if within is not None:
            connection.settimeout(within)


def _exactly(connection: socket.socket, length: int, end: float | None) -> bytes:
    # Grown as it comes: a long announcement alone takes no memory.
    chunks, left = [], length
    while left:
        try:
            if end is not None:
                # A socket's limit is one for each part: who sends a byte now and then has no end.
                connection.settimeout(max(0.001, end - time.monotonic()))
            chunk = connection.recv(min(left, 2**20))
        except TimeoutError:
            raise
        except OSError as error:
            raise Closed(str(error)) from error
        if not chunk:
            raise Closed("the connection was closed")
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


def pack(value: Any, handle: Callable[[Any], list[Any]]) -> bytes:
    """Encode a value.

    Parameters
    ----------
    value : object
    handle : callable
        Gives the description of an object that stays where it is, as plain data, or what travels
        `Instead` of it.
    """
    return _PACKER.pack(_encode(value, handle, 0))


# Kept: each is made with a buffer that the system has to clear.
_PACKER = msgpack.Packer(use_bin_type=True)


def unpack(message: bytes, resolve: Callable[[list[Any]], Any]) -> Any:
    """Decode a value.

    Parameters
    ----------
    message : bytes
    resolve : callable
        Makes what stands in for a handle, of its description.

    Raises
    ------
    WireError
        When the message is not what `pack` makes.
    """
    return _read(message, MAX_ITEMS, lambda raw: _decode(raw, resolve, 0))


def unpack_plain(message: bytes) -> Any:
    """Decode texts, bytes, numbers, lists, and dictionaries with texts for keys: nothing else.

    Whoever reads what a hostile process says of itself needs no more, and some kinds of values
    take long to make: a set of numbers with one hash, for example.

    Raises
    ------
    WireError
        When the message is not what `pack` makes of such a value.
    """
    return _read(message, MAX_PLAIN_ITEMS, lambda raw: _decode_plain(raw, 0))


def _read(message: bytes, most: int, decode: Callable[[Any], Any]) -> Any:
    try:
        raw = msgpack.unpackb(
            message,
            raw=False,
            strict_map_key=True,
            max_str_len=MAX_MESSAGE,
            max_bin_len=MAX_MESSAGE,
            max_array_len=most,
            max_map_len=0,
            max_ext_len=0,
        )
        return decode(raw)
    except WireError:
        raise
    except RecursionError:
        raise WireError("a value is nested too deeply") from None
    except Exception as error:
        raise WireError(f"a message cannot be read: {type(error).__name__}: {error}") from error


def _encode(value: Any, handle: Callable[[Any], list[Any]], depth: int) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return value
    if kind is str:
        # Half a surrogate pair is no UTF-8.
        return value if value.isascii() else _text(value)
    if kind is int:
        return value if -(2**63) <= value < 2**63 else ["int", hex(value)]
    if kind is bytes:
        return value
    if depth >= MAX_DEPTH:
        return _handle(value, handle, depth)
    encoder = _ENCODERS.get(kind)
    if encoder is not None:
        return encoder(value, handle, depth + 1)
    if isinstance(value, np.ndarray) and kind is np.ndarray and value.dtype.kind in _DTYPE_KINDS:
        return _array("array", value)
    if isinstance(value, np.generic) and value.dtype.kind in _DTYPE_KINDS:
        return _array("scalar", np.asarray(value))
    if kind is np.str_:
        return ["numpy text", _text(str(value))]
    if kind is np.ndarray and value.dtype.kind == "U":
        return ["strings", list(value.shape), [_text(str(v)) for v in value.ravel().tolist()]]
    if isinstance(value, np.dtype) and value.kind in _DTYPE_KINDS:
        return ["array dtype", value.str]
    torch = sys.modules.get("torch")
    if kind is Numbers and _is_plain(value.tensor):
        return ["numbers", *raw_tensor(value.tensor)]
    if torch is not None and kind in (torch.Tensor, torch.nn.Parameter) and _is_plain(value):
        return _tensor(value, handle)
    if torch is not None and kind in (torch.Size, torch.dtype, torch.device):
        return [f"torch {kind.__name__}", list(value) if kind is torch.Size else str(value)]
    return _handle(value, handle, depth)


@dataclass(frozen=True)
class Instead:
    """What travels in the place of an object: the array that a subclass of arrays is, say."""

    value: Any


def _handle(value: Any, handle: Callable[[Any], list[Any]], depth: int) -> Any:
    described = handle(value)
    if type(described) is Instead:
        return _encode(described.value, handle, depth)
    return ["handle", described]


def _text(value: str) -> Any:
    try:
        value.encode()
    except UnicodeEncodeError:
        return ["text", value.encode("utf-8", "surrogatepass")]
    return value


def _array(tag: str, value: np.ndarray) -> list[Any]:
    return [tag, value.dtype.str, list(value.shape), np.ascontiguousarray(value).tobytes()]


def _is_plain(value: Any) -> bool:
    name = str(value.dtype).removeprefix("torch.")
    return name in _TORCH_DTYPES and not value.is_sparse and value.layout == _strided()


def _strided() -> Any:
    return sys.modules["torch"].strided


@dataclass(frozen=True)
class Numbers:
    """The numbers of a tensor, which arrive as a tensor of their own: nobody keeps a handle."""

    tensor: Any


def raw_tensor(value: Any) -> tuple[str, list[int], bytes]:
    """Return the dtype, the shape and the bytes of a tensor."""
    torch = sys.modules["torch"]
    # Some are only marked as conjugated or negated.
    data = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    # A single number counts as contiguous whatever its stride is.
    flat = data.as_strided((data.numel(),), (1,))
    raw = flat.view(torch.uint8).numpy().tobytes() if data.numel() else b""
    return str(value.dtype).removeprefix("torch."), list(value.shape), raw


def tensor_of_raw(name: str, shape: list[int], data: bytes) -> Any:
    """Make a tensor of what `raw_tensor` gives.

    Raises
    ------
    WireError
        When they do not fit together.
    """
    import torch

    if name not in _TORCH_DTYPES:
        raise WireError(f"tensors of dtype {str(name)[:40]!r} do not travel")
    dtype = getattr(torch, name)
    size = _size(shape)
    if size * dtype.itemsize != len(_checked(data, bytes)):
        raise WireError(f"a tensor of shape {shape} and {name} came with {len(data)} bytes")
    value = torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)
    return value.reshape(shape)


def _tensor(value: Any, handle: Callable[[Any], list[Any]]) -> list[Any]:
    torch = sys.modules["torch"]
    parameter = type(value) is torch.nn.Parameter
    # A tensor stays tied to the student's graph by its handle, so that backward() can go there.
    tied = handle(value)
    gradient = value.grad if value.is_leaf and value.grad is not None else None
    gradient = None if gradient is None else ["numbers", *raw_tensor(gradient)]
    return ["tensor", *raw_tensor(value), value.requires_grad, parameter, tied, gradient]


_ENCODERS: dict[type, Callable[[Any, Any, int], list[Any]]] = {
    complex: lambda v, h, d: ["complex", v.real, v.imag],
    list: lambda v, h, d: ["list", [_encode(x, h, d) for x in v]],
    tuple: lambda v, h, d: ["tuple", [_encode(x, h, d) for x in v]],
    set: lambda v, h, d: ["set", [_encode(x, h, d) for x in v]],
    frozenset: lambda v, h, d: ["frozenset", [_encode(x, h, d) for x in v]],
    dict: lambda v, h, d: ["dict", [[_encode(k, h, d), _encode(x, h, d)] for k, x in v.items()]],
    range: lambda v, h, d: ["range", v.start, v.stop, v.step],
    slice: lambda v, h, d: ["slice", *(_encode(x, h, d) for x in (v.start, v.stop, v.step))],
    type(Ellipsis): lambda v, h, d: ["ellipsis"],
    bytearray: lambda v, h, d: ["bytearray", bytes(v)],
    Fraction: lambda v, h, d: ["fraction", hex(v.numerator), hex(v.denominator)],
    Decimal: lambda v, h, d: ["decimal", str(v)],
    deque: lambda v, h, d: ["deque", [_encode(x, h, d) for x in v], v.maxlen],
}


def _decode(raw: Any, resolve: Callable[[list[Any]], Any], depth: int) -> Any:
    if raw is None or type(raw) in (bool, int, float, str, bytes):
        return raw
    if depth > MAX_DEPTH + 2:
        raise WireError("a value is nested too deeply")
    if type(raw) is not list or not raw or type(raw[0]) is not str:
        raise WireError(f"a value has no tag: {str(raw)[:60]}")
    tag, *rest = raw
    decoder = _DECODERS.get(tag)
    if decoder is None:
        raise WireError(f"a value has the unknown tag {tag[:40]!r}")
    return decoder(rest, resolve, depth + 1)


def _decode_plain(raw: Any, depth: int) -> Any:
    if raw is None or type(raw) in (bool, int, float, str, bytes):
        return raw
    if depth > MAX_DEPTH:
        raise WireError("a value is nested too deeply")
    if type(raw) is not list or len(raw) != 2 or type(raw[0]) is not str:
        raise WireError(f"a value that is not plain: {str(raw)[:60]}")
    tag, content = raw
    if tag == "text":
        return _checked(content, bytes).decode("utf-8", "surrogatepass")
    if tag == "list":
        return [_decode_plain(item, depth + 1) for item in _checked(content, list)]
    if tag == "dict":
        pairs = [_checked(pair, list) for pair in _checked(content, list)]
        return {_checked(_decode_plain(k, 0), str): _decode_plain(v, depth + 1) for k, v in pairs}
    raise WireError(f"a value with the tag {tag[:40]!r}, which is not plain")


def _items(rest: list[Any], resolve: Any, depth: int) -> list[Any]:
    (items,) = rest
    if type(items) is not list:
        raise WireError("a container without its list of items")
    return [_decode(item, resolve, depth) for item in items]


def _decode_dict(rest: list[Any], resolve: Any, depth: int) -> dict[Any, Any]:
    (pairs,) = rest
    decoded = [(_decode(k, resolve, depth), _decode(v, resolve, depth)) for k, v in pairs]
    _check_hashes([key for key, _ in decoded])
    return dict(decoded)


def _decode_set(rest: list[Any], resolve: Any, depth: int) -> set[Any]:
    items = _items(rest, resolve, depth)
    _check_hashes(items)
    return set(items)


def _check_hashes(items: list[Any]) -> None:
    """Refuse values that were made to have one hash: a set of them takes hours to make."""
    if len(items) > MAX_COLLISIONS:
        _, most = Counter(map(hash, items)).most_common(1)[0]
        # The same value many times is quickly found again.
        if most > MAX_COLLISIONS and len({str(item) for item in items}) > MAX_COLLISIONS:
            raise WireError(f"{most:,} values with one hash")


def _decode_range(rest: list[Any], *_: Any) -> range:
    if len(rest) != 3 or any(type(part) is not int for part in rest):
        raise WireError("a range wants three whole numbers")
    return range(*rest)


def _decode_array(rest: list[Any], *_: Any) -> np.ndarray:
    name, shape, data = rest
    dtype = np.dtype(_checked(name, str))
    if dtype.kind not in _DTYPE_KINDS or dtype.hasobject or dtype.shape or dtype.fields:
        raise WireError(f"arrays of dtype {name!r} do not travel")
    size = _size(shape)
    if size * dtype.itemsize != len(_checked(data, bytes)):
        raise WireError(f"an array of shape {shape} and dtype {name} came with {len(data)} bytes")
    return np.frombuffer(bytearray(data), dtype=dtype).reshape(shape)


def _decode_scalar(rest: list[Any], *_: Any) -> Any:
    array = _decode_array(rest)
    if array.shape != ():
        raise WireError("a scalar has no shape")
    return array[()]


def _decode_strings(rest: list[Any], resolve: Any, depth: int) -> np.ndarray:
    shape, values = rest
    texts = [_checked(_decode(value, resolve, depth), str) for value in _checked(values, list)]
    if _size(shape) != len(texts):
        raise WireError(f"an array of shape {shape} came with {len(texts)} texts")
    return np.array(texts, dtype=str).reshape(shape)


def _decode_tensor(rest: list[Any], resolve: Any, depth: int) -> Any:
    name, shape, data, requires_grad, parameter, tied, gradient = rest
    value = tensor_of_raw(name, shape, data)
    gradient = None if gradient is None else _decode(gradient, resolve, depth)
    return resolve(["tensor", value, bool(requires_grad), bool(parameter), tied, gradient])


def _size(shape: Any) -> int:
    if type(shape) is not list or len(shape) > 32:
        raise WireError("a shape is a list of at most 32 numbers")
    size = 1
    for length in shape:
        if type(length) is not int or not 0 <= length <= MAX_MESSAGE:
            raise WireError(f"a shape has the length {str(length)[:40]}")
        size *= length
    if size > MAX_MESSAGE:
        raise WireError(f"an array of shape {shape} is too large")
    return size


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise WireError(f"{kind.__name__} wanted; came {type(value).__name__}")
    return value


def _decode_int(rest: list[Any], *_: Any) -> int:
    text = _checked(rest[0], str)
    if len(text) > 20_000:
        raise WireError("a whole number is too long")
    return int(text, 16)


def _decode_fraction(rest: list[Any], *_: Any) -> Fraction:
    numerator, denominator = (_decode_int([part]) for part in rest)
    return Fraction(numerator, denominator)


def _decode_decimal(rest: list[Any], *_: Any) -> Decimal:
    text = _checked(rest[0], str)
    if len(text) > 1000:
        raise WireError("a decimal number is too long")
    return Decimal(text)


def _decode_deque(rest: list[Any], resolve: Any, depth: int) -> deque[Any]:
    items, limit = rest
    return deque(_items([items], resolve, depth), limit if type(limit) is int else None)


def _decode_dtype(rest: list[Any], *_: Any) -> np.dtype:
    return _decode_array([_checked(rest[0], str), [0], b""]).dtype


def _decode_torch_dtype(rest: list[Any], *_: Any) -> Any:
    import torch

    name = _checked(rest[0], str).removeprefix("torch.")
    if name not in _TORCH_DTYPES:
        raise WireError(f"there is no dtype {name[:40]!r}")
    return getattr(torch, name)


def _decode_device(rest: list[Any], *_: Any) -> Any:
    import torch

    return torch.device(_checked(rest[0], str))


def _decode_shape(rest: list[Any], *_: Any) -> Any:
    import torch

    _size(rest[0])
    return torch.Size(rest[0])


_DECODERS: dict[str, Callable[[list[Any], Any, int], Any]] = {
    "numpy text": lambda rest, r, d: np.str_(_checked(_decode(rest[0], r, d), str)),
    "int": _decode_int,
    "text": lambda rest, r, d: _checked(rest[0], bytes).decode("utf-8", "surrogatepass"),
    "complex": lambda rest, r, d: complex(float(rest[0]), float(rest[1])),
    "list": _items,
    "tuple": lambda rest, r, d: tuple(_items(rest, r, d)),
    "set": _decode_set,
    "frozenset": lambda rest, r, d: frozenset(_decode_set(rest, r, d)),
    "dict": _decode_dict,
    "range": _decode_range,
    "slice": lambda rest, r, d: slice(*(_decode(part, r, d) for part in rest)),
    "ellipsis": lambda rest, r, d: ...,
    "bytearray": lambda rest, r, d: bytearray(_checked(rest[0], bytes)),
    "fraction": _decode_fraction,
    "decimal": _decode_decimal,
    "deque": _decode_deque,
    "array": _decode_array,
    "scalar": _decode_scalar,
    "strings": _decode_strings,
    "tensor": _decode_tensor,
    "numbers": lambda rest, r, d: tensor_of_raw(*rest),
    "array dtype": _decode_dtype,
    "torch Size": _decode_shape,
    "torch dtype": _decode_torch_dtype,
    "torch device": _decode_device,
    "handle": lambda rest, r, d: r(["object", *_checked(rest[0], list)]),
}
