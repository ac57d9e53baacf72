"""The table of operations: what a test may ask of a student's object, and whose word counts.

A function of the student's may return anything. Numbers, texts, arrays, tensors and containers of
them arrive in the judge as data, and what a test does with them is the judge's own computation.
Every other object stays on the student's side, and the test holds a stand-in (`proxies.Remote`).
Whatever a test does with a stand-in is one of the operations below; for each *kind* of object the
table says who answers. The rule behind it: **a student's code may say what something is, and never
whether it is right.**

Kinds of objects (`Kind`), the first that fits:

=========  ========================================================================================
written    of a class that the exercise asks for, and the teacher's class writes this operation
           itself (`__eq__` in its body): the operation is part of what is tested
fields     of a class that the exercise asks for, where the teacher's is a dataclass, whose
           comparisons nobody wrote: the object is the values of its fields
data       a kind of Python's data (a subclass of float, of list; a named tuple, a Counter): the
           object is that data
library    of a class that the teacher's notebook imports, and the class has this method
other      of any other class: nobody asked for it
=========  ========================================================================================

Who answers (`Answer`):

=========  ========================================================================================
student    the student's code is asked; what it says is data or another stand-in
judge      the judge, from data that is fetched: by the data's own type, not by its methods
identity   the judge: it is the same object, or it is another one
refused    nobody: the test is told that it got an object where it wants data
=========  ========================================================================================

That a class of the exercise's name may bring operators does not make it an answer to everything:
they count in those test cells that the class can reach in the teacher's notebook (see `asked`).
Special methods that stand nowhere in the table do not exist on a stand-in: the protocols by which
objects take over NumPy's and PyTorch's functions, for one, are not looked for (`NOT_ASKED`).
"""

from __future__ import annotations

from enum import Enum

__all__ = [
    "DATA_METHODS",
    "GROUPS",
    "METHODS",
    "NOT_ASKED",
    "ORDER",
    "READING",
    "REFLECTED",
    "TABLE",
    "Answer",
    "Group",
    "Kind",
    "answer",
    "same_question",
]


class Kind(Enum):
    """What an object of the student's is, for one operation (see the module's text)."""

    WRITTEN = "written"
    FIELDS = "fields"
    DATA = "data"
    LIBRARY = "library"
    OTHER = "other"


class Answer(Enum):
    """Who answers an operation (see the module's text)."""

    STUDENT = "student"
    JUDGE = "judge"
    IDENTITY = "identity"
    REFUSED = "refused"


class Group(Enum):
    """Operations that are answered alike."""

    EQUALITY = "== and !="
    ORDER = "<, <=, > and >="
    ARITHMETIC = "operators that compute"
    NUMBER = "what an object is as a number or an array"
    TEXT = "how an object is shown"
    CONTAINER = "what an object holds, and how much"
    MEMBERSHIP = "whether an object holds something"
    DATA_METHOD = "methods that arrays and tensors have, and what gives a score"
    READING = "methods that texts, numbers and containers have, and that change nothing"
    USE = "attributes, calls, contexts, waiting: what an object is for"
    HASH = "where an object is found in a set or a dictionary"
    CLASS = "what an object is an instance of"
    PICKLE = "what is left of an object in a file"


def _words(text: str) -> tuple[str, ...]:
    return tuple(f"__{word}__" for word in text.split())


#: The orders: a class may define one of them, and Python answers the others by it.
ORDER = _words("lt le gt ge")

#: The operators that have a reflected form and one in place: `__add__`, `__radd__`, `__iadd__`.
REFLECTED = _words("add sub mul truediv floordiv mod divmod pow matmul and or xor lshift rshift")

#: Every special method that a stand-in answers, by its group.
GROUPS: dict[Group, tuple[str, ...]] = {
    Group.EQUALITY: _words("eq ne"),
    Group.ORDER: ORDER,
    Group.ARITHMETIC: (
        *REFLECTED,
        *(name.replace("__", "__r", 1) for name in REFLECTED),
        *(name.replace("__", "__i", 1) for name in REFLECTED if name != "__divmod__"),
        *_words("neg pos abs invert round trunc floor ceil"),
    ),
    Group.NUMBER: _words("bool int float complex index array"),
    Group.TEXT: _words("str repr format"),
    Group.CONTAINER: _words("len iter next reversed getitem setitem delitem"),
    Group.MEMBERSHIP: _words("contains"),
    Group.DATA_METHOD: (),
    Group.READING: (),
    Group.USE: _words(
        "getattr setattr delattr dir call enter exit copy deepcopy await aiter anext aenter aexit"
    ),
    Group.HASH: _words("hash"),
    Group.CLASS: _words("class bases mro_entries instancecheck subclasscheck"),
    Group.PICKLE: _words("reduce_ex"),
}

_S, _J, _I, _R = Answer.STUDENT, Answer.JUDGE, Answer.IDENTITY, Answer.REFUSED

#: Who answers. Two objects of the student's that are compared by `==`: the student, for which of
#: them is right is then no question; but an object of a class that is asked for is compared with
#: such objects alone.
TABLE: dict[Group, dict[Kind, Answer]] = {
    group: dict(zip(Kind, answers, strict=True))
    for group, answers in {
        #                  written fields data library other
        Group.EQUALITY:    (_S, _J, _J, _I, _I),
        Group.ORDER:       (_S, _J, _J, _R, _R),
        Group.ARITHMETIC:  (_S, _R, _J, _R, _R),
        Group.NUMBER:      (_S, _S, _J, _S, _S),
        Group.TEXT:        (_S, _S, _S, _S, _S),
        Group.CONTAINER:   (_S, _S, _J, _S, _S),
        Group.MEMBERSHIP:  (_S, _J, _J, _J, _J),
        Group.DATA_METHOD: (_S, _J, _J, _S, _J),
        Group.READING:     (_S, _S, _J, _S, _S),
        Group.USE:         (_S, _S, _S, _S, _S),
        Group.HASH:        (_I, _I, _J, _I, _I),
        Group.CLASS:       (_S, _S, _S, _S, _S),
        Group.PICKLE:      (_R, _R, _J, _R, _R),
    }.items()
}  # fmt: skip

#: Special methods that are never asked for. Python's own: how a class is made, what describes an
#: attribute, how an object is copied by `pickle`, what runs without being called. NumPy's and
#: PyTorch's: by them an object computes in the place of the library.
NOT_ASKED = frozenset(
    _words(
        """
        new init del init_subclass set_name class_getitem prepare get set delete
        getattribute slots match_args post_init subclasshook missing buffer release_buffer sizeof
        reduce getstate setstate getnewargs getnewargs_ex
        bytes fspath length_hint
        array_ufunc array_function array_interface array_struct array_priority array_finalize
        array_wrap array_prepare array_namespace dlpack dlpack_device
        torch_function torch_dispatch tensor_flatten tensor_unflatten cuda_array_interface
        """
    )
)

_GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}

#: Methods by which a test asks data for a verdict, or for a number that is one. Those that NumPy's
#: arrays have are computed of an object's numbers, the others of nobody's.
DATA_METHODS = frozenset(
    """
    all allclose any argmax argmin clip compare corr cov cumsum dot eq equal equals ge gt isclose
    isfinite isinf isnan item le lt max mean median min mode ne nonzero norm prod ptp quantile
    round score std sum tolist trace var
    endswith is_integer isalnum isalpha isascii isdecimal isdigit isdisjoint isidentifier islower
    isnumeric isprintable isspace issubset issuperset istitle isupper startswith
    """.split()  # noqa: SIM905
)

#: Methods of texts, numbers and containers that change nothing. An object that is a kind of one of
#: these has no others, if nobody asked for its class: they are called of the data that it is.
READING = frozenset(
    name
    for kind in (str, bytes, int, float, complex, list, tuple, dict, set, frozenset)
    for name in dir(kind)
    if not name.startswith("_")
) - frozenset(
    """
    add append clear difference_update discard extend insert intersection_update pop popitem remove
    reverse setdefault sort symmetric_difference_update update
    """.split()  # noqa: SIM905
)

#: All methods about which there is more to say than that the student is asked.
METHODS = DATA_METHODS | READING


def same_question(operation: str) -> tuple[str, ...]:
    """Return the special methods by which Python may answer an operator."""
    if operation in ORDER:
        return ORDER
    if operation == "__ne__":
        return ("__eq__", "__ne__")
    for name in REFLECTED:
        forms = (name, name.replace("__", "__r", 1), name.replace("__", "__i", 1))
        if operation in forms:
            return forms
    return (operation,)


def answer(operation: str, kind: Kind) -> Answer:
    """Return who answers an operation on an object of a kind.

    Parameters
    ----------
    operation : str
        A special method such as ``"__lt__"``, or a method of `METHODS`.
    kind : Kind

    Examples
    --------
    >>> answer("__eq__", Kind.OTHER), answer("mean", Kind.OTHER)
    (<Answer.IDENTITY: 'identity'>, <Answer.JUDGE: 'judge'>)
    """
    if operation in DATA_METHODS:
        return TABLE[Group.DATA_METHOD][kind]
    group = Group.READING if operation in READING else _GROUP_OF[operation]
    return TABLE[group][kind]
