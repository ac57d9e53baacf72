"""Attacks on the tests from a student's cell: none earns a point that was not solved.

`test_sandbox.py` attacks the sandbox; here the student's code behaves within them, and lies.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from course_lib.grading.engine.objects import set_parts
from course_lib.grading.engine.student import MAX_OUTPUT

from .attackers import at_rest

# Real processes.
pytestmark = pytest.mark.slow

ASKED = """
from dataclasses import dataclass

@dataclass
class Point:
    x: float

def f(x):
    return 2 * x
"""
REFERENCE = [("locked", "import numpy as np"), ("solution", ASKED)]

#: How a test may look at what came back. `f(2)` is 4.
LOOKS = [
    "assert f(2) == 4",
    "assert not f(2) != 4",
    "assert abs(f(2) - 4) < 1e-6",
    "assert f(2) > 3",
    "assert 3 < f(2)",
    "assert round(f(2)) == 4",
    "assert np.allclose(f(2), 4)",
    "assert np.isclose(f(2), 4)",
    "assert (f(2) == np.array([1, 2, 3])).all()",
    "assert f(2).shape == (3,)",
    "assert list(f(2)) == [1, 2, 3]",
    "assert 4 in f(2)",
    "assert f(2)[0] == 1",
    "assert f(2).sum() == 6",
    "assert {4: True}[f(2)]",
    "assert f(2) in (4, 5)",
    "np.testing.assert_allclose(f(2), 4)",
    "np.testing.assert_array_equal(f(2), [4])",
    "import torch\nassert torch.allclose(torch.as_tensor(f(2)), torch.tensor(4))",
    "import torch\nassert torch.equal(f(2), torch.tensor(4.0))",
    "import math\nassert math.isclose(f(2), 4)",
    "from course_lib.exercises import assert_close\nassert_close(f(2), 4)",
    "from course_lib.exercises import assert_equal\nassert_equal(f(2), 4)",
    "from course_lib.exercises import assert_shape\nassert_shape(f(2), (3,))",
    "assert isinstance(f(2), (int, float)) and f(2) == 4",
    "assert str(f(2)) == '4' and f(2) == 4",
    "assert f(2) == 4 == f(2)",
    "assert max([f(2), 3]) == 4",
    "assert sum([f(2), f(2)]) == 8",
    "assert len(f(2)) == 3 and not any(a != b for a, b in zip(f(2), [1, 2, 3]))",
    "assert f(2).allclose(4)",
    "assert f(2).score() > 0.9",
    "assert f(2).mean() == 4",
    "assert np.mean(f(2)) == 4",
]

#: Ways to lie that leave `f` unsolved.
LIES = {
    "an object that equals everything": """
        class Yes:
            def __getattr__(self, name):
                return Yes()
            def yes(self, *args, **kwargs):
                return True
            def zero(self, *args, **kwargs):
                return 0.0
            def me(self, *args, **kwargs):
                return Yes()
            __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = yes
            __ne__ = lambda self, other: False
            __sub__ = __rsub__ = __abs__ = __round__ = zero
            __add__ = __radd__ = __mul__ = __getitem__ = __call__ = me
            __array_function__ = __array_ufunc__ = __torch_function__ = yes
            __hash__ = lambda self: hash(4)
            __iter__ = lambda self: iter([Yes(), Yes(), Yes()])
            __len__ = lambda self: 3

        def f(x):
            return Yes()
        """,
    "a class of the name that is asked for": """
        class Point:
            yes = lambda *args, **kwargs: True
            zero = lambda *args, **kwargs: 0.0
            __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = yes
            __ne__ = lambda self, other: False
            __sub__ = __rsub__ = __abs__ = __round__ = __neg__ = zero
            __array_function__ = __array_ufunc__ = __torch_function__ = yes
            allclose = score = mean = std = sum = item = all = any = yes
            __hash__ = lambda self: hash(4)
            __len__ = lambda self: 3
            __iter__ = lambda self: iter([])
            __getitem__ = lambda self, key: Point()
            x = 4.0

        def f(x):
            return Point()
        """,
    "lists and tensors of one's own kind": """
        import torch

        yes = lambda *args, **kwargs: True

        class Tensor(torch.Tensor):
            __torch_function__ = classmethod(yes)
            allclose = score = mean = std = all = any = sum = __eq__ = yes

        class List(list):
            __len__ = lambda self: 3
            __iter__ = lambda self: iter([])
            allclose = score = mean = std = all = any = sum = __eq__ = __contains__ = yes
            __ne__ = lambda self, other: False
            __getitem__ = lambda self, key: 1
            __hash__ = lambda self: hash(4)

        both = [torch.zeros(2).as_subclass(Tensor), List([5])]

        def f(x):
            both.reverse()
            return both[0]
        """,
    "nothing at all": """
        def f(x):
            return np.zeros((0, 2))
        """,
    "a subclass of the right type": """
        class Four(float):
            def __eq__(self, other):
                return True
            __ne__ = lambda self, other: False
            __sub__ = __rsub__ = lambda self, other: 0.0
            __lt__ = __gt__ = lambda self, other: True
            __hash__ = lambda self: hash(4)

        class Text(str):
            __eq__ = lambda self, other: True
            __hash__ = lambda self: 0

        class Array(np.ndarray):
            __eq__ = lambda self, other: np.array(True)
            __array_function__ = lambda self, *args, **kwargs: True

        def f(x):
            return Four(0)
        """,
    "an array that answers for itself": """
        class Array(np.ndarray):
            def __array_function__(self, *args, **kwargs):
                return True
            def __array_ufunc__(self, *args, **kwargs):
                return np.array(True)
            def __eq__(self, other):
                return np.array(True)

        def f(x):
            return np.zeros(2).view(Array)
        """,
    "patched libraries": """
        import builtins, math, operator, sys, torch, unittest
        import course_lib.exercises, course_lib.exercises.asserts
        libraries = (np, np.testing, math, operator, torch, torch.testing)
        for module in (*libraries, course_lib.exercises.asserts):
            for name in dir(module):
                if not name.startswith("_") and callable(getattr(module, name)):
                    try:
                        setattr(module, name, lambda *args, **kwargs: True)
                    except (AttributeError, TypeError):
                        pass
        builtins.AssertionError = ValueError
        builtins.abs = builtins.round = lambda *args: 0
        sys.settrace(None)

        def f(x):
            return 0
        """,
    "a transformer of the shell": """
        import ast

        class Away(ast.NodeTransformer):
            def visit_Assert(self, node):
                return ast.Pass()

        get_ipython().ast_transformers.append(Away())
        get_ipython().input_transformers_cleanup.append(lambda lines: ["pass\\n"])
        get_ipython().events.register("pre_run_cell", lambda *args: None)

        def f(x):
            return 0
        """,
    "what shows and what is shown": """
        import sys

        shell = get_ipython()
        shell.display_formatter.format = lambda *args, **kwargs: ({"text/plain": "1000"}, {})
        shell.showtraceback = shell._showtraceback = lambda *args, **kwargs: None
        sys.displayhook = sys.excepthook = lambda *args: None
        type(shell).run_code = type(shell).run_ast_nodes = lambda *args, **kwargs: False

        def f(x):
            return 0
        """,
    "names of the tests": """
        def assert_close(*args, **kwargs):
            pass
        assert_equal = assert_shape = assert_close
        class np:
            allclose = isclose = staticmethod(lambda *args: True)
            array = staticmethod(lambda *args: 0)
            class testing:
                assert_allclose = assert_array_equal = staticmethod(lambda *args: None)
        def isinstance(*args):
            return True
        abs = round = lambda x: 0
        list = lambda x: [1, 2, 3]
        max = sum = lambda x: 4

        def f(x):
            return 0
        """,
    "the collector of garbage": """
        import gc, inspect
        for thing in gc.get_objects():
            try:
                if inspect.isfunction(thing) and "assert" in thing.__name__:
                    thing.__code__ = (lambda *args, **kwargs: None).__code__
            except Exception:
                pass

        def f(x):
            import sys
            frame = sys._getframe()
            while frame:
                for name in ("np", "expected", "wanted", "passed"):
                    frame.f_globals[name] = True
                frame = frame.f_back
            return 0
        """,
    "leaving early": """
        def f(x):
            import os, sys
            sys.exit(0)
        """,
    "leaving at once": """
        def f(x):
            import os
            os._exit(0)
        """,
    "an error that looks like success": """
        def f(x):
            raise SystemExit(0)
        """,
    "stopping the tests": """
        def f(x):
            raise KeyboardInterrupt
        """,
    "a shadow module": """
        open("numpy.py", "w").write("allclose = lambda *args: True")
        open("course_lib.py", "w").write("")
        import sys
        sys.path.insert(0, ".")
        sys.modules.pop("numpy", None)

        def f(x):
            return 0
        """,
}

#: Lies about the wire between the student's process and the judge, told from inside `f`.
WIRE = {
    "garbage": "b'garbage' * 100",
    "a long announcement": "(2**60).to_bytes(8, 'little')",
    "a short message": "(100).to_bytes(8, 'little') + b'x'",
    "nothing": "(0).to_bytes(8, 'little')",
    "a verdict": "frame(['ok', True, [], [], None])",
    "an unknown tag": "frame(['ok', ['code', 'import os'], [], [], None])",
    "a lie about a shape": "frame(['ok', ['array', '<f8', [1000000], b'12345678'], [], [], None])",
    "a negative shape": "frame(['ok', ['array', '<f8', [-1], b''], [], [], None])",
    "an array of objects": "frame(['ok', ['array', '|O', [1], b'12345678'], [], [], None])",
    "deep nesting": "frame(['ok', nested(400), [], [], None])",
    "deeper nesting": "(200_000).to_bytes(8, 'little') + bytes([0x91]) * 200_000",
    "changes to what was not lent": "frame(['ok', 4.5, [[7, ['value', 3]]], [], None])",
    "random numbers that are none": "frame(['ok', 4.5, [], [], b'abc'])",
    "an error that is none": "frame(['error', 'abc', [], [], None])",
    "an error of a strange type": (
        "frame(['error', [['list', ['builtins:print']], 'x', ['list', []]], [], [], None])"
    ),
    "a strange handle": "frame(['ok', ['handle', [9999, 'object', 'x', 1, 2, 3]], [], [], None])",
}

SPOOF = """
import msgpack, os, socket, stat

def nested(depth):
    value = 1
    for _ in range(depth):
        value = ['list', [value]]
    return value

def frame(message):
    def whole(value):
        return ['list', [whole(v) for v in value]] if isinstance(value, list) else value
    status, value, changed, news, state = message
    packed = msgpack.packb(['list', [status, value, whole(changed), whole(news), state]])
    return len(packed).to_bytes(8, 'little') + packed

def f(x):
    message = MESSAGE
    for descriptor in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.write(descriptor, message)
        except OSError:
            pass
    return 0
"""


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_earns_a_point(lie, run):
    tests = [("test", look) for look in LOOKS]
    cells = [("locked", "import numpy as np"), ("solution", LIES[lie]), *tests]
    passed = [
        look
        for look, ran in zip(LOOKS, run(*cells, source=REFERENCE)[2:], strict=True)
        if ran.status == "ok"
    ]
    assert passed == []


OF_DATA = """
class Text(str):
    yes = lambda self, *args: True
    startswith = endswith = isalpha = yes
    find = index = count = lambda self, part: 1
    lower = lambda self: "cat"

class Names(set):
    issuperset = isdisjoint = lambda self, other: True
    difference = symmetric_difference = lambda self, other: set()

class Number(float):
    is_integer = lambda self: True

class Thing:
    startswith = endswith = isalpha = issuperset = isdisjoint = is_integer = lambda *args: True
"""


@pytest.mark.parametrize(
    ("label", "names", "number"),
    [("Text('dog')", "Names()", "Number(0.5)"), ("Thing()", "Thing()", "Thing()")],
)
def test_methods_of_texts_and_numbers_answer_for_the_data_alone(label, names, number, run):
    looks = [
        "assert label().startswith('ca')",
        "assert label().endswith('at') and label().isalpha()",
        "assert label().find('at') == 1",
        "assert label().count('a') == 1",
        "assert label().lower() == 'cat'",
        "assert names().issuperset({'a'}) and names().isdisjoint({'b'})",
        "assert not {'a'} - names() and not names().symmetric_difference({'a'})",
        "assert number().is_integer()",
    ]
    honest = "def label(): return 'cat'\ndef names(): return {'a'}\ndef number(): return 2.0"
    lie = f"def label(): return {label}\ndef names(): return {names}\ndef number(): return {number}"
    source, tests = [("solution", honest)], [("test", look) for look in looks]
    lied = run(("solution", OF_DATA + lie), *tests, source=source)[1:]
    assert [look for look, one in zip(looks, lied, strict=True) if one.status == "ok"] == []
    right = run(("solution", honest), *tests, source=source)[1:]
    assert [one.error for one in right if one.status != "ok"] == []


def test_an_end_of_items_that_nobody_has_made_ends_no_judge(run):
    """`yield from` reads the value of what ended it: one without a value crashed the judge."""
    ran = run(
        ("solution", "def items():\n    yield 1\n\ndef stop():\n    raise StopIteration"),
        ("test", "def same():\n    yield from items()\n\nassert list(same()) == [1]"),
        ("test", "def same():\n    yield from iter(stop, 1)\n\nassert list(same()) == []"),
        ("test", "stop()"),
    )
    assert [one.status for one in ran] == ["ok", "ok", "ok", "error"], [one.error for one in ran]


def test_what_a_test_s_object_does_stays_the_test_s(run):
    """A student's code may change the data of an object that it is handed, and no method of it."""
    lie = """
    def visit(thing, measure):
        thing.n = 5
        thing.passed, thing.wanted = lambda: True, 5
        thing.__class__.passed = lambda self: True
        measure.reduction, measure.forward = "none", lambda *args: 0.0
    """
    look = """
    class Seven:
        def __get__(self, thing, kind=None):
            return 7

    class Thing:
        n, wanted = 0, Seven()

        def passed(self):
            return self.n > 9

    thing, measure = Thing(), nn.MSELoss()
    visit(thing, measure)
    assert thing.n == 5 and not thing.passed() and thing.wanted == 7
    assert measure.reduction == "mean"
    assert measure(torch.ones(2), torch.zeros(2)) == 1
    """
    ran = run(("locked", "import torch\nfrom torch import nn"), ("solution", lie), ("test", look))
    assert ran[2].status == "ok", ran[2].error


def test_a_callback_lends_only_the_names_that_it_changes():
    names: dict = {"total": 0, "expected": 3}
    exec("def add(x):\n    global total\n    total += x + expected", names)
    set_parts(names["add"], {"total": 4, "expected": 4, "sum": len}, [])
    assert (names["total"], names["expected"]) == (4, 3) and "sum" not in names


def test_a_student_names_no_object_that_was_not_lent(run):
    """The numbers of what a test lends mean nothing else of its objects."""
    lie = SPOOF.replace(
        "MESSAGE", "frame(['ok', ['handle', ['list', ['lent', 140000]]], [], [], None])"
    )
    look = ("test", "class Mine:\n    pass\n\nassert f(Mine()) is not None")
    ran = run(("solution", lie), look)
    assert ran[1].status != "ok", ran[1].error


def test_the_honest_answer_earns_the_points_of_a_number(run):
    """The tests above could fail for every answer; those for a number do not."""
    cells = [("locked", "import numpy as np"), ("solution", "def f(x):\n    return 2 * x")]
    tests = [("test", look) for look in LOOKS]
    ran = run(*cells, *tests, source=REFERENCE)[2:]
    passed = {look for look, one in zip(LOOKS, ran, strict=True) if one.status == "ok"}
    of_other_kinds = ("shape", "list(", "in f(2)", "[0]", ".sum()", "np.array(", "torch.equal")
    of_other_kinds += ("len(", ".allclose(4)", ".score(", "f(2).mean(")
    assert passed == {look for look in LOOKS if not any(kind in look for kind in of_other_kinds)}


@pytest.mark.parametrize("lie", WIRE)
def test_no_message_earns_a_point(lie, run):
    source = SPOOF.replace("MESSAGE", WIRE[lie])
    solved = "def g(x):\n    return 3 * x"
    ran = run(
        ("solution", source),
        ("test", "assert f(2) == 4"),
        ("solution", solved),
        ("test", "assert g(2) == 6"),
        source=[*REFERENCE, ("solution", solved)],
        seconds=10,
    )
    assert ran[1].status != "ok"
    assert ran[1].outputs, "the cell must say why"
    # What is solved in the same notebook keeps its points.
    assert ran[3].status == "ok", ran[3].error


def test_what_the_student_s_process_says_of_random_numbers_hurts_no_test(run):
    """It is told on the line to the supervisor, in an answer that nobody asked for."""
    forged = (
        SPOOF[: SPOOF.index("def f(x)")]
        + """
def told(state):
    packed = msgpack.packb(['list', ['ok', '', ['list', []], state, False]])
    message = len(packed).to_bytes(8, 'little') + packed
    for descriptor in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.write(descriptor, message)
        except OSError:
            pass

told(STATE)

def f(x):
    return 2 * x
"""
    )
    for state in ("b'garbage'", "7", "['list', [1]]"):
        ran = run(
            ("solution", forged.replace("STATE", state)),
            ("test", "assert f(2) == 4"),
            ("solution", "x = 1"),
            ("test", "assert x == 1 and f(3) == 6"),
        )
        assert [ran[1].status, ran[3].status] == ["ok", "ok"], [ran[1].error, ran[3].error]


def test_random_numbers_have_a_place_in_their_table(run):
    """NumPy would read what lies behind it in the judge's memory, and give that away."""
    beyond = """
    import numpy as np

    def f(x):
        state = list(np.random.get_state())
        state[2] = 10**7
        np.random.set_state(tuple(state))
        return 2 * x
    """
    _, test = run(("solution", beyond), ("test", "import numpy as np\nf(2)\nnp.random.rand()"))
    assert test.status == "error"
    assert "no place 10000000" in test.error


#: What a name of the student's may mean, so that the judge itself would do the student's work.
BORROWED = {
    "a class whose objects hide what they hold": (
        "import numpy as np\nadd = np.ma.MaskedArray",
        "import numpy as np\nnp.testing.assert_allclose(add(np.ones(3), np.ones(3)), [2, 2, 2])",
    ),
    "a class that starts processes": (
        "import subprocess\ndecode = subprocess.Popen\n"
        "def encode(text):\n    return ['sh', '-c', 'kill -9 $PPID']",
        "import time\nassert decode(encode('a')) == 'a' or time.sleep(0.5)",
    ),
    "a module that opens a browser": (
        "import types\ndef f(x):\n    return types.ModuleType('antigravity')",
        "import sys\nf(2)",
    ),
    "a module that ends the process": (
        "import types\ndef f(x):\n    return types.ModuleType('unittest.__main__')",
        "f(2)",
    ),
}


@pytest.mark.parametrize("loan", BORROWED)
def test_the_judge_does_nothing_by_a_name_that_the_student_chose(loan, run):
    source, test = BORROWED[loan]
    honest = [("locked", "import numpy as np"), ("solution", "def f(x):\n    return 2 * x")]
    ran = run(
        ("solution", source),
        ("test", test),
        ("test", "import sys\nassert not {'antigravity', 'unittest.__main__'} & set(sys.modules)"),
        source=[*honest, ("test", test)],
    )
    # The student's process may end, and never the judge.
    assert ran[1].status in ("error", "died"), ran[1].error
    assert ran[2].status == "ok", ran[2].error


def test_objects_of_a_class_that_is_asked_for_answer_only_what_is_asked(run):
    lie = """
    class Net:
        yes = lambda *args: True
        __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = yes
        __sub__ = __rsub__ = __abs__ = lambda *args: 0.0
        __ne__ = lambda *args: False
        __hash__ = lambda self: hash(4)

    class Vector(Net):
        __add__ = lambda self, other: 4

    def f(x):
        return Net()
    """
    source = [
        ("locked", "import numpy as np"),
        (
            "solution",
            "class Net:\n    def forward(self, x):\n        return x\n\n"
            "class Vector:\n    def __add__(self, other):\n        return 4\n\n"
            "def f(x):\n    return 2 * x",
        ),
    ]
    tests = [("test", look) for look in LOOKS]
    asked = ("test", "assert Vector() + Vector() == 4")
    ran = run(("solution", lie), asked, *tests, source=source)
    passed = [one.index for one in ran if one.status == "ok"]
    assert passed == [0, 1], [LOOKS[index - 2] for index in passed[2:]]


def test_a_reference_in_a_hidden_test_is_not_handed_over(run):
    hidden = """
    given_to_all = 7
    ### BEGIN HIDDEN TESTS
    def reference(x):
        return 2 * x
    assert f(2) == reference(2)
    ### END HIDDEN TESTS
    """
    ran = run(
        ("solution", "def f(x):\n    return 0"),
        ("test", hidden),
        ("free", "try:\n    f = reference\nexcept NameError:\n    pass"),
        ("test", "assert f(3) == 6"),
        ("solution", "assert given_to_all == 7"),
        source=REFERENCE,
    )
    assert [one.status for one in ran] == ["ok", "error", "ok", "error", "ok"]


FULL = """
a = []
try:
    while True:
        a.append(bytearray(10**7))
except MemoryError:
    a.clear()
    raise
"""


def test_a_fatal_cell_or_call_costs_itself_alone(run):
    fatal = [
        ("solution", "import os\nos._exit(0)"),
        ("solution", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)"),
        (
            "solution",
            "while True:\n    try:\n        while True: len([])\n    except BaseException: pass",
        ),
        ("solution", "import sys\nsys.exit(3)"),
        ("solution", "import os\nfor _ in range(10_000):\n    os.fork()"),
        (
            "solution",
            "import os, time\nwhile True:\n    if os.fork() == 0:\n        time.sleep(1000)",
        ),
        ("solution", "print('x' * 10**8)"),
        ("solution", "for _ in range(10**6):\n    print()"),
        ("solution", "a = bytearray(10**11)"),
        ("solution", FULL),
    ]
    cells = [("solution", "def ok():\n    return 5\ndef die():\n    import os\n    os._exit(0)")]
    for cell in fatal:
        cells += [cell, ("test", "assert ok() == 5")]
    cells += [("test", "die()"), ("test", "assert ok() == 5")]
    ran = run(*cells, seconds=10)
    solved = [
        one.status
        for one, (kind, source) in zip(ran, cells, strict=True)
        if kind == "test" and "ok()" in source
    ]
    told = [f"{one.index} {one.status} {one.error[:80]}" for one in ran]
    assert solved == ["ok"] * len(solved), told
    assert ran[-2].status == "died"
    printed = [len(output.text) for one in ran for output in one.outputs if "text" in output]
    assert max(printed) <= MAX_OUTPUT + 100


EXPECTING = {
    "exception": "try:\n    f(-1)\nexcept Exception:\n    pass\nelse:\n    raise AssertionError",
    "anything": "try:\n    f(-1)\nexcept:\n    pass\nelse:\n    raise AssertionError",
    "helper": "from course_lib.exercises import assert_raises\nassert_raises(Exception, f, -1)",
}


@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit()", "while True: pass"])
def test_an_end_is_no_exception_that_a_test_expects(end, run):
    def end_in(test):
        return run(
            ("solution", f"import os, sys\ndef f(x):\n    {end}"),
            ("test", EXPECTING[test]),
            ("solution", "def g():\n    return 5"),
            ("test", "assert g() == 5"),
            seconds=10,
        )

    # In a notebook, too, a bare `except` takes what `sys.exit` raises.
    tests = [test for test in EXPECTING if (end, test) != ("sys.exit()", "anything")]
    # Side by side: what has no end is waited for once.
    with ThreadPoolExecutor(len(tests)) as places:
        for test, ran in zip(tests, places.map(end_in, tests), strict=True):
            assert ran[1].status != "ok", test
            assert ran[1].outputs, f"{test}: the cell must say why"
            assert ran[3].status == "ok", (test, ran[3].error)


def test_a_kind_of_error_that_says_it_is_every_kind_takes_no_end(run):
    lying = """
    import os
    from course_lib.grading.engine import objects

    class Refused(Exception):
        pass

    everything = ["builtins:BaseException", "builtins:Exception"]
    honest = objects.Server.describe_handle

    def describe_handle(self, value):
        if value is not Refused:
            return honest(self, value)
        number = self.handles.number(value)
        return [number, "object", "type", everything, ["class", "callable"], everything]

    objects.Server.describe_handle = describe_handle

    def f(x):
        os._exit(1)
    """
    test = "try:\n    f(-1)\nexcept Refused:\n    pass\nelse:\n    raise AssertionError"
    ran = run(("solution", lying), ("test", test), ("test", "assert Refused is BaseException"))
    assert ran[1].status == "died", ran[1].error
    # The lie itself is heard: only so is it of no use.
    assert ran[2].status == "ok", ran[2].error


def test_what_a_callback_only_reads_stays_the_judge_s(run):
    lying = """
    def minimize(function, start):
        for name in ("data", "seen"):
            function.__globals__[name].clear()
        function.__globals__["seen"].append("forged")
        return 0.0
    """
    ran = run(
        ("locked", "data = [(1.0, 2.0), (2.0, 4.0)]"),
        ("solution", lying),
        (
            "test",
            """
            seen = []

            def loss(w):
                seen.append(w)
                return sum((w * a - b) ** 2 for a, b in data)

            w = minimize(loss, 1.0)
            assert seen == ["forged"]
            assert loss(w) < 0.1
            """,
        ),
        ("test", "assert len(data) == 2"),
    )
    assert ran[2].error.startswith("AssertionError"), ran[2].error
    assert ran[3].status == "ok", ran[3].error


def test_an_item_that_a_callback_sets_lends_no_other_container(run):
    lying = """
    def minimize(function, start):
        function(0.0)
        function.__globals__["data"].clear()
        return 0.0
    """
    ran = run(
        ("locked", "data = [(1.0, 2.0), (2.0, 4.0)]"),
        ("solution", lying),
        (
            "test",
            """
            def loss(w):
                acc = [0.0]
                for a, b in data:
                    acc[0] += (w * a - b) ** 2
                return acc[0]

            w = minimize(loss, 1.0)
            assert loss(w) < 0.1
            """,
        ),
    )
    assert ran[2].error.startswith("AssertionError"), ran[2].error


def test_what_measures_stays_the_judge_s(run):
    ran = run(
        ("locked", "import torch\nfrom torch import nn"),
        (
            "solution",
            """
            def train(net, criterion):
                globals()["criterion"] = lambda *a: torch.tensor(0.0)

            def build():
                return nn.Linear(1, 1)
            """,
        ),
        ("locked", "criterion = nn.MSELoss()\nnet = build()\ntrain(net, criterion)"),
        (
            "test",
            "x = torch.linspace(0, 1, 10)[:, None]\n"
            "assert criterion(net(x), 5 * x + 100).item() < 0.1",
        ),
    )
    assert ran[3].error.startswith("AssertionError"), ran[3].error


def test_what_is_drawn_after_a_new_seed_stays_the_judge_s(run):
    ran = run(
        (
            "solution",
            """
            import torch

            def predict(x):
                global y
                y = x[:, 0] * 0
                return y
            """,
        ),
        (
            "locked",
            """
            import torch

            print(predict(torch.ones(1, 2)))
            torch.manual_seed(1)
            x = torch.randn(100, 2)
            y = (x[:, 0] > 0).float()
            """,
        ),
        ("test", "assert (predict(x) == y).float().mean() > 0.9"),
    )
    assert ran[2].error.startswith("AssertionError"), ran[2].error


def test_a_student_cannot_say_that_a_test_is_at_fault(run):
    lying = """
    from course_lib.grading.engine.judge import NotForJudges

    def f(x):
        raise NotForJudges("x")
    """
    ran = run(("solution", lying), ("test", "f(1)"))
    assert ran[1].status == "error"


def test_data_that_a_locked_cell_hands_to_the_student_stays_the_judge_s(run):
    ran = run(
        (
            "solution",
            "def fit(x, y):\n    y[:] = 0\n    return 0\n\ndef predict(x):\n    return 0 * x",
        ),
        (
            "locked",
            "import numpy as np\nx = np.arange(3.0)\ny = 2 * x + 1\nlosses = []\n"
            "losses.append(fit(x, y))\nbest = min(losses)",
        ),
        ("solution", "y = 0 * y\nx = y"),
        ("test", "assert np.allclose(predict(x), y)"),
        ("test", "assert losses == [0] and best == 0"),
    )
    assert ran[3].error.startswith("AssertionError"), ran[3].error
    assert ran[4].status == "ok", ran[4].error


def test_a_name_of_the_tests_is_the_student_s_only_where_the_solution_takes_it(run):
    source = [("locked", "limit = 3"), ("solution", "def pow(a, b):\n    return 8")]
    tests = [
        ("test", "assert limit == 3"),
        ("test", "assert pow(2, 3) == 8"),
        ("test", "assert sum([1, 2]) == 3"),
    ]
    ran = run(
        source[0],
        ("solution", "limit = 4\n\ndef pow(a, b):\n    return 9\n\ndef sum(x):\n    return 0"),
        *tests,
        source=[*source, *tests],
    )
    assert [one.status for one in ran] == ["ok", "ok", "ok", "error", "ok"]


def test_a_cell_magic_that_leaves_no_test_is_said(run):
    ran = run(("solution", "x = 1"), ("test", "%%bash\nexit 1"))
    assert ran[1].status == "judge"
    assert "%%bash means nothing to the judge" in ran[1].error


def test_nothing_is_left_behind(run, zygote):
    assert at_rest(zygote)
    run(
        (
            "solution",
            """
            import os, subprocess, time
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    while True:
                        time.sleep(1)
                os._exit(0)
            subprocess.Popen(["sleep", "1000"])
            """,
        ),
        ("test", "assert True"),
    )
    assert at_rest(zygote)


def test_what_a_test_passes_in_runs_with_the_student_and_sees_no_judge(run):
    ran = run(
        (
            "solution",
            """
            def f(function):
                import gc
                names = function.__globals__
                return sorted(name for name in names if "secret" in name)
            """,
        ),
        ("test", "secret_answer = 42\nassert f(lambda: 1) == []"),
    )
    assert ran[1].status == "ok", ran[1].error


SIGMOID = [
    ("locked", "import numpy as np"),
    ("solution", "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))"),
    ("solution", "def slope(z):\n    return sigmoid(z) * (1 - sigmoid(z))"),
]


def test_what_a_test_lends_cannot_be_kept_or_read(run):
    keeping = """
    import types

    kept = []

    def sigmoid(z):
        return kept[0](z) if kept else 0 * z

    def slope(z):
        kept.append(sigmoid)
        # What it is made of would tell how it is written.
        assert not isinstance(sigmoid, types.FunctionType) and not hasattr(sigmoid, "__code__")
        return sigmoid(z) * (1 - sigmoid(z))
    """
    lending = """
    from course_lib.exercises import check, given

    ### BEGIN HIDDEN TESTS
    def right(z):
        return 1 / (1 + np.exp(-z))

    with given(sigmoid=right):
        check(slope, {"z": np.array([0.0])}, np.array([0.25]))
    ### END HIDDEN TESTS
    """
    ran = run(
        SIGMOID[0],
        ("solution", keeping),
        ("test", lending),
        ("test", "assert sigmoid(0.0) == 0.5"),
        ("solution", "sigmoid(0.0)"),
        source=SIGMOID,
    )
    assert [one.status for one in ran] == ["ok", "ok", "ok", "error", "error"]
    assert "has taken it back" in ran[3].error
    assert "is over" in ran[4].error


def test_a_lent_function_changes_and_asks_what_it_is_given(run):
    tests = """
    from course_lib.exercises import given

    def right_order(node):
        node.seen = node.seen + 1
        return [node, *(one for parent in node.parents for one in right_order(parent))]

    def right_step(weights, slopes, rng):
        for one, slope in zip(weights, slopes):
            one -= slope
        weights.append(rng.integers(1, 2))

    def refuse(x):
        raise ValueError(f"no {x}")

    with given(order=right_order, step=right_step, refuse=refuse, twice=lambda f, x: f(f(x))):
        last = Node(1, (Node(2), Node(3)))
        assert values(last) == [1, 2, 3] and last.seen == 1
        weights = [np.zeros(2), np.ones(2)]
        assert train(weights, np.random.default_rng(0)) == [1, 1]
        assert [list(one) for one in weights[:2]] == [[-2, -2], [-1, -1]]
        assert told(3) == "no 3" and by_two(lambda x: x + 1) == 9
    """
    solution = """
    class Node:
        def __init__(self, value, parents=()):
            self.value, self.parents, self.seen = value, parents, 0

    def values(node):
        return [one.value for one in order(node)]

    def train(weights, rng):
        for _ in range(2):
            step(weights, [np.ones(2), np.ones(2)], rng)
        return weights[2:]

    def told(x):
        try:
            refuse(x)
        except ValueError as error:
            return str(error)

    def by_two(function):
        return twice(lambda x: function(x) + 2, 3)
    """
    cells = [("locked", "import numpy as np"), ("solution", solution), ("test", tests)]
    ran = run(*cells, source=cells)
    assert ran[2].status == "ok", ran[2].error


def test_a_name_that_a_hidden_test_takes_is_the_student_s_as_it_was(run):
    hidden = """
    z = 3
    ### BEGIN HIDDEN TESTS
    z = 4
    def sigmoid(z):
        return 1 / (1 + np.exp(-z))
    made_for_all = 7
    ### END HIDDEN TESTS
    """
    ran = run(
        SIGMOID[0],
        ("solution", "def sigmoid(z):\n    return 0"),
        ("test", hidden),
        ("solution", "assert (sigmoid(0.0), z, made_for_all) == (0, 3, 7)"),
        source=[*SIGMOID, ("locked", "print(sigmoid(made_for_all))")],
    )
    assert [one.status for one in ran] == ["ok"] * 4, ran[3].error


def test_an_error_that_is_asked_for_is_no_other_name_for_python_s(run):
    refusing = """
    class TooShort({base}):
        pass

    def f(text):
        if len(text) < 3:
            raise TooShort(text)
    """
    test = """
    try:
        f("ab")
        raise AssertionError("f has refused nothing")
    except TooShort:
        pass
    """
    source = [("solution", refusing.format(base="ValueError"))]
    alias = "TooShort = AssertionError\n\ndef f(text):\n    return text"
    for solution, status in (
        (alias, "error"),
        (alias.replace("AssertionError", "Exception"), "error"),
        (refusing.format(base="ValueError"), "ok"),
        (refusing.format(base="AssertionError"), "ok"),
    ):
        ran = run(("solution", solution), ("test", test), source=source)
        assert ran[1].status == status, ran[1].error
