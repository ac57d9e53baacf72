"""The table of operations: complete, and what a stand-in does for an object that always lies."""

import ast
import collections.abc
import types

import numpy as np
import pytest
import torch

from course_lib.grading.engine import asked
from course_lib.grading.engine.operations import (
    GROUPS,
    METHODS,
    NOT_ASKED,
    Answer,
    Kind,
    answer,
)
from course_lib.grading.engine.proxies import Remote

#: Dunder names that are no operations: what describes an object or a module, helpers of libraries.
DESCRIPTIONS = frozenset(
    f"__{name}__"
    for name in """
    abstractmethods annotations auto basicsize builtins closure code debug defaults deprecated dict
    dictoffset doc firstlineno flags func globals itemsize kwdefaults module mro name objclass
    orig_bases parameters qualname self static_attributes text_signature type_params wrapped
    weakref weakrefoffset base isabstractmethod thisclass self_class annotate annotations_cache
    rpow getformat setformat alloc args div rdiv idiv long nonzero origin subclasses unpacked
    typing_unpacked_tuple_args dlpack_c_exchange_api
    """.split()  # noqa: SIM905
)

ALL = {name for names in GROUPS.values() for name in names}


def known_to_python_and_libraries():
    """Return every dunder name that a kind of object of Python's, NumPy's or PyTorch's has."""
    kinds = [object, type, int, float, complex, bool, str, bytes, bytearray, list, tuple, dict, set]
    kinds += [frozenset, range, slice, memoryview, property, classmethod, staticmethod, super]
    kinds += [value for value in vars(types).values() if isinstance(value, type)]
    kinds += [getattr(collections.abc, name) for name in collections.abc.__all__]
    kinds += [np.ndarray, np.generic, np.float64, np.matrix, torch.Tensor, torch.nn.Module]
    found = {name for kind in kinds for name in dir(kind)}
    return {name for name in found if name.startswith("__") and name.endswith("__")}


def test_every_special_method_is_in_the_table_or_never_asked_for():
    assert known_to_python_and_libraries() - ALL - NOT_ASKED - DESCRIPTIONS == set()
    assert not ALL & NOT_ASKED


def test_a_stand_in_has_what_the_table_holds_and_nothing_else():
    own = {name for kind in Remote.__mro__[:-1] for name in vars(kind) if name.startswith("__")}
    of_every_class = {"__init__", "__slots__", "__weakref__", "__static_attributes__"}
    of_every_class |= {"__module__", "__doc__", "__firstlineno__"}
    # A callable is one more class, so that `callable` tells which objects are.
    assert own - of_every_class == ALL - {"__call__", "__next__"}


#: What gives `True` if the word of a lying `x` counts; `y` is another such object.
LIES = {
    **{name: f"(x {sign} 4) is True" for name, sign in {"__eq__": "=="}.items()},
    "__ne__": "(x != x.real_one) is False and (x != 4) is False",
    "__lt__": "(x < 4) is True",
    "__le__": "(x <= 4) is True",
    "__gt__": "(x > 4) is True",
    "__ge__": "(x >= 4) is True",
    "__neg__": "-x == 77",
    "__pos__": "+x == 77",
    "__abs__": "abs(x) == 77",
    "__invert__": "~x == 77",
    "__round__": "round(x) == 77",
    "__trunc__": "math.trunc(x) == 77",
    "__floor__": "math.floor(x) == 77",
    "__ceil__": "math.ceil(x) == 77",
    "__bool__": "bool(x) is False",
    "__int__": "int(x) == 77",
    "__float__": "float(x) == 77.0",
    "__complex__": "complex(x) == 77j",
    "__index__": "operator.index(x) == 77",
    "__array__": "np.asarray(x).tolist() == [77]",
    "__str__": "str(x) == 'seven'",
    "__repr__": "repr(x) == 'seven'",
    "__format__": "f'{x}' == 'seven'",
    "__len__": "len(x) == 3",
    "__iter__": "list(x) == [7, 7, 7]",
    "__reversed__": "list(reversed(x)) == [9, 9, 9]",
    "__getitem__": "x['key'] == 77",
    "__contains__": "('nowhere' in x) is True",
    "__reduce_ex__": "pickle.loads(pickle.dumps(x)) == 77",
    "__hash__": "hash(x) == 77",
    "__dir__": "dir(x) == ['seven']",
    "__getattr__": "x.anything == 77",
    "__copy__": "copy.copy(x) == 77",
    "__deepcopy__": "copy.deepcopy(x) == 77",
    "mean": "x.mean() == 78",
    "allclose": "x.allclose(4) == 77",
    "score": "x.score() == 77",
    "startswith": "x.startswith('s') == 77",
    "is_integer": "x.is_integer() is True",
    "conjugate": "x.conjugate() == 77",
}
SIGNS = dict(zip("add sub mul truediv floordiv mod".split(), "+ - * / // %".split(), strict=True))  # noqa: SIM905
SIGNS |= dict(zip("pow matmul and or xor lshift".split(), "** @ & | ^ <<".split(), strict=True))  # noqa: SIM905
SIGNS |= {"rshift": ">>"}
LIES |= {f"__{name}__": f"(x {sign} 1) == 77" for name, sign in SIGNS.items()}
LIES |= {f"__r{name}__": f"(1 {sign} x) == 77" for name, sign in SIGNS.items()}
LIES |= {f"__i{name}__": f"operator.i{name}(x, 1) == 77" for name in SIGNS if name[-1] != "d"}
LIES |= {f"__i{name}__": f"operator.i{name}(x, 1) == 77" for name in ("add", "and")}
LIES |= {"__imod__": "operator.imod(x, 1) == 77"}
LIES |= {"__divmod__": "divmod(x, 1) == 77", "__rdivmod__": "divmod(1, x) == 77"}

#: What is no question, or tested elsewhere: to set, to call and to wait, contexts, classes,
#: iterators.
WITHOUT_A_LIE = {
    *("__setattr__", "__delattr__", "__setitem__", "__delitem__", "__getattr__"),
    *("__call__", "__enter__", "__exit__", "__next__"),
    *("__await__", "__aiter__", "__anext__", "__aenter__", "__aexit__"),
    *("__class__", "__bases__", "__mro_entries__", "__instancecheck__", "__subclasscheck__"),
}

#: By these an object would take the place of a library: none of them is heard.
PROTOCOLS = [
    "np.add(x, 1)",
    "np.mean(x)",
    "np.sum(x)",
    "np.concatenate([x, x])",
    "np.allclose(x, 4)",
    "np.array_equal(x, 4)",
    "np.where(x)",
    "np.ones(3) == x",
    "np.ones(3) + x",
    "torch.add(x, 1)",
    "torch.sum(x)",
    "torch.allclose(x, torch.ones(1))",
    "torch.equal(torch.ones(1), x)",
    "torch.ones(1) + x",
    "torch.from_dlpack(x)",
    "np.from_dlpack(x)",
    "memoryview(x)",
    "bytes(x)",
    "operator.length_hint(x)",
    "pickle.loads(pickle.dumps(x))",
]

LIAR = """
import numpy as np
from dataclasses import dataclass

def always(value):
    return lambda self, *args, **kwargs: value

seven = {NUMBERS}
parts = {f"__{name}__": always(77) for name in seven}
parts |= {f"__{name}__": always(True) for name in "eq lt le gt ge contains".split()}
parts |= {f"__{name}__": always("lied") for name in {NOT_ASKED}}
parts |= {f"__{name}__": always("seven") for name in "str repr format".split()}
parts |= {
    "__ne__": always(False),
    "__bool__": always(False),
    "__float__": always(77.0),
    "__complex__": always(77j),
    "__array__": always(np.array([77])),
    "__len__": always(3),
    "__iter__": lambda self: iter([7, 7, 7]),
    "__reversed__": lambda self: iter([9, 9, 9]),
    "__dir__": always(["seven"]),
    "__getattr__": lambda self, name: raise_(name) if name.startswith("__") else 77,
    "mean": always(78),
    "allclose": always(77),
    "score": always(77),
    "startswith": always(77),
    "is_integer": always(True),
    "conjugate": always(77),
}

def raise_(name):
    raise AttributeError(name)

def of(name, *bases):
    return type(name, bases, parts)

Other, Written, Fields, Data = of("Other"), of("Written"), of("Fields"), of("Data", float)

def other():
    return Other()

def written():
    return Written()

def fields():
    return Fields()

def data():
    return Data('nan')
"""

LOOK = """
import copy, math, operator, pickle
import numpy as np, torch

makers = {"other": other, "written": written, "fields": fields, "data": data}
found = {}
for kind, maker in makers.items():
    for lie, text in LIES.items():
        try:
            found[f"{kind} {lie}"] = bool(eval(text, {**globals(), "x": maker()}))
        except Exception:
            found[f"{kind} {lie}"] = False
found
"""


def honest(operations):
    """Return a solution whose class `Written` writes every operation, and `Fields` none."""
    lines = [f"    def {name}(self, *args): return None" for name in operations]
    return "\n".join(
        [
            "from dataclasses import dataclass",
            "class Written:",
            *lines,
            "@dataclass(order=True)",
            "class Fields:",
            "    missing: float = 0.0",
            "def other(): return 1",
            "def written(): return Written()",
            "def fields(): return Fields()",
            "def data(): return 1.0",
        ]
    )


def told_by_a_liar(run, lies):
    """Return, for objects of each kind, whether a lying student's word counted in an expression."""
    # With these no object can be made, or be looked at, or has an end.
    needed = """
    init new del getattribute getattr setattr delattr dir class call bases prepare get set delete
    slots init_subclass set_name match_args class_getitem mro_entries instancecheck subclasscheck
    next array_interface array_struct
    """.split()  # noqa: SIM905
    numbers, never = (
        sorted(name.strip("_") for name in names if name.strip("_") not in needed)
        for names in (ALL, NOT_ASKED)
    )
    lie = LIAR.replace("{NUMBERS}", repr(numbers)).replace("{NOT_ASKED}", repr(never))
    ran = run(
        ("solution", lie),
        ("test", LOOK.replace("LIES", repr(lies))),
        source=[("solution", honest([*ALL - {"__class__"}, *METHODS]))],
    )
    assert [one.status for one in ran] == ["ok", "ok"], [one.error for one in ran]
    return ast.literal_eval(ran[1].outputs[-1].data["text/plain"])


@pytest.mark.slow
def test_a_lie_counts_where_the_table_asks_the_student_and_nowhere_else(run):
    assert set(LIES) >= ALL - WITHOUT_A_LIE
    told = told_by_a_liar(run, LIES)
    expected = {
        f"{kind.value} {lie}": answer(lie, kind) is Answer.STUDENT
        for kind in (Kind.OTHER, Kind.WRITTEN, Kind.FIELDS, Kind.DATA)
        for lie in LIES
    }
    assert {lie: counts for lie, counts in told.items() if counts != expected[lie]} == {}


@pytest.mark.slow
def test_no_object_takes_the_place_of_numpy_or_pytorch(run):
    lies = {text: f"'lied' in str({text})" for text in PROTOCOLS}
    told = told_by_a_liar(run, lies)
    # An operator of a class that is asked for is the student's, whatever stands before it.
    assert [lie for lie, counts in told.items() if counts] == ["written torch.ones(1) + x"]


# What the solution asks for ------------------------------------------------------------------


SOLUTION = """
import collections
import functools
from dataclasses import dataclass, field
from torch import nn

@dataclass(order=True)
class Point:
    x: float
    y: float = 0.0
    note: str = field(default="", compare=False)

    def norm(self):
        self.last = 1
        return self.last

@dataclass
class Space(Point):
    z: float = 0.0

@functools.total_ordering
class Size:
    def __eq__(self, other):
        return True

class Names(collections.UserList):
    pass

class Net(nn.Module):
    pass

def louder(kind):
    kind.__add__ = lambda self, other: 1
    return kind

@louder
class Loud:
    pass

Size.__rmul__ = None

def far(x):
    return Space(x)

def number(x):
    return 2 * x
"""


def test_what_a_solution_asks_of_its_classes(notebook):
    found = asked.classes(notebook(("solution", SOLUTION)))
    assert (found["Point"].fields, found["Point"].ordered) == (("x", "y"), True)
    assert (found["Space"].fields, found["Space"].ordered) == (("x", "y", "z"), False)
    assert found["Point"].operations == frozenset()
    assert {"norm", "last", "x"} <= found["Point"].names
    orders = {"__lt__", "__le__", "__gt__", "__ge__"}
    assert found["Size"].operations == orders | {"__eq__", "__rmul__"}
    assert found["Names"].bases == ("collections.UserList",)
    assert found["Net"].bases == ("torch.nn.Module",)
    assert found["Loud"].operations == {"__add__"}


@pytest.mark.parametrize(
    ("test", "classes"),
    [
        ("assert number(2) == 4", set()),
        ("assert Point(1) == Point(1)", {"Point"}),
        ("assert far(1).z == 0", {"Point", "Space"}),
        ("assert kept[0] == 1", {"Size"}),
        ("kept = [1]\nassert kept[0] == 1", set()),
        ("with given(far=number):\n    pass", {"Point", "Space"}),
    ],
)
def test_a_class_counts_in_the_tests_that_it_can_reach(test, classes, notebook):
    source = notebook(("solution", SOLUTION), ("locked", "kept = []\nkept.append(Size())"))
    assert asked.in_reach(asked.classes(source), source, test).keys() == classes


DATACLASS = """
from dataclasses import dataclass

@dataclass(order=True)
class Point:
    x: float
    y: float = 0.0

def middle(a, b):
    return Point((a.x + b.x) / 2, (a.y + b.y) / 2)
"""


@pytest.mark.slow
def test_objects_of_a_dataclass_are_compared_by_their_fields(run):
    lying = """
    class Point:
        def __init__(self, x, y=0.0):
            self.x, self.y = x, y
        __eq__ = __lt__ = lambda self, other: True
        __ne__ = lambda self, other: False

    def middle(a, b):
        return Point(0, 0)
    """
    tests = [
        (
            "test",
            "assert Point(1) == Point(1, 0.0) and Point(1) != Point(2) and Point(1) < Point(2)",
        ),
        ("test", "assert middle(Point(0), Point(2)) == Point(1)"),
        ("test", "assert not Point(1) == 1 and not Point(2) < Point(1)"),
    ]
    source = [("solution", DATACLASS), *tests]
    honest = run(("solution", DATACLASS), *tests, source=source)
    assert [one.status for one in honest[1:]] == ["ok"] * 3, [one.error for one in honest]
    lied = run(("solution", lying), *tests, source=source)
    assert [one.status for one in lied[1:]] == ["ok", "error", "ok"], [one.error for one in lied]
