"""Honest work gets in the engine what it gets in a notebook, cell for cell.

Each case runs twice: all cells in one process, as a kernel does, and student and judge apart.
"""

import pytest

from course_lib.assignments.running import run_notebook
from course_lib.grading.engine import notebooks, runner

#: A student's network, for the cases that need one.
NET = (
    "solution",
    """
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 1)

        def forward(self, x):
            return self.fc(x)
    """,
)

CASES = {
    "what is awaited": [
        (
            "solution",
            """
            import asyncio

            async def double(x):
                await asyncio.sleep(0)
                return 2 * x

            async def count(n):
                for i in range(n):
                    yield i

            class Room:
                async def __aenter__(self):
                    self.entered = True
                    return self

                async def __aexit__(self, *error):
                    self.entered = False

            async def refuse():
                raise ValueError("no")
            """,
        ),
        ("solution", "task = asyncio.create_task(double(4))\nroom = Room()"),
        ("solution", "assert await task == 8 and await double(1) == 2"),
        (
            "test",
            """
            import asyncio

            assert await double(1) == 2
            assert await asyncio.gather(double(1), double(2)) == [2, 4]
            assert [i async for i in count(3)] == [0, 1, 2]
            async with room:
                assert room.entered
            assert not room.entered
            try:
                await refuse()
            except ValueError as error:
                assert str(error) == "no"
            else:
                raise AssertionError
            """,
        ),
        ("test", "assert await double(2) == 5"),
        ("test", "await double(0.25)"),
    ],
    "what is remembered of the environment": [
        (
            "solution",
            """
            import multiprocessing
            import tempfile

            import torch
            from torch.utils.data import DataLoader, TensorDataset

            def kept():
                with tempfile.TemporaryDirectory() as folder, open(f"{folder}/x", "w") as file:
                    return file.write("kept")

            def loaded():
                rows = TensorDataset(torch.arange(4.0))
                return [row.tolist() for (row,) in DataLoader(rows, batch_size=2, num_workers=2)]

            def shared():
                with multiprocessing.Manager() as manager:
                    return dict(manager.dict(a=1))
            """,
        ),
        (
            "test",
            """
            import platform, tempfile

            assert kept() == 4 and loaded() == [[0, 1], [2, 3]] and shared() == {"a": 1}
            with tempfile.NamedTemporaryFile() as file:
                assert file.write(b"kept") == 4
            assert platform.node()
            """,
        ),
    ],
    "an object of an earlier test": [
        ("solution", "class Counter:\n    n = 0\n\n    def up(self):\n        self.n += 1"),
        ("test", "counter = Counter()\nkept = [counter]\ncounter.up()\nassert counter.n == 1"),
        ("test", "counter.up()\nassert counter.n == 2"),
        ("solution", "def read(counter):\n    return counter.n"),
        ("test", "assert read(counter) == 2 and kept[0].n == 2"),
        ("test", "assert counter.n == 3"),
    ],
    "a module with a train of its own": [
        ("locked", "import torch\nfrom torch import nn"),
        (
            "solution",
            """
            class Net(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.fc = nn.Linear(1, 1)

                def train(self, x, y):
                    with torch.no_grad():
                        self.fc.weight.fill_(2.0)
                    return self

            def fit(net):
                net.train(1, 2)
            """,
        ),
        ("test", "net = Net()\nfit(net)\nassert net.fc.weight.item() == 2.0"),
        (
            "test",
            "with torch.no_grad():\n    net.fc.weight.fill_(3.0)\nassert net.fc.weight.item() == 3",
        ),
    ],
    "an item in the place of another": [
        ("solution", "def change(x):\n    x.pop()\n    x.append(abs(-2.25 * len(x) - 6.75))"),
        (
            "test",
            "for _ in range(20):\n    x = [float('1.5')]\n    change(x)\n    assert x == [6.75]",
        ),
    ],
    "texts and bytes of NumPy": [
        (
            "solution",
            "import numpy as np\nkinds = np.array(['cat', 'dog'])\n\n"
            "def predict(i):\n    return kinds[i]\n\n"
            "def raw():\n    return np.array([b'a', b'bc'])",
        ),
        ("test", "assert predict(0) in {'cat', 'bird'} and {predict(1): 1}['dog'] == 1"),
        ("test", "assert ', '.join([predict(1), predict(0)]) == 'dog, cat'"),
        ("test", "assert raw().tolist() == [b'a', b'bc'] and raw()[1] == b'bc'"),
        ("test", "assert predict(0) == 'dog'"),
    ],
    "locked cells that use the student's names": [
        NET,
        (
            "solution",
            """
            def step(net, x, y):
                loss = ((net(x) - y) ** 2).mean()
                loss.backward()
                with torch.no_grad():
                    for p in net.parameters():
                        p -= 0.1 * p.grad
                        p.grad = None
                return loss.item()
            """,
        ),
        (
            "locked",
            """
            import torch
            from torch import nn

            torch.manual_seed(0)
            x = torch.randn(20, 2)
            plain = nn.Linear(2, 1)
            losses, table, best = [], {}, None
            net = Net()
            y = x @ torch.tensor([[1.0], [2.0]])
            more = torch.randn(3, 2)
            even_more = more + 1
            for epoch in range(10):
                losses.append(step(net, x, y))
                step(plain, x, y)
                if best is None or losses[-1] < best:
                    best = losses[-1]
            table[len(losses)] = step(net, x, y)
            half = len(losses) / 2
            """,
        ),
        ("test", "assert len(losses) == 10 and losses[-1] < losses[0] and best == losses[-1]"),
        ("test", "assert set(table) == {10} and half == 5 and epoch == 9"),
        (
            "test",
            """
            torch.manual_seed(0)
            again, own = torch.randn(20, 2), nn.Linear(2, 1)
            assert torch.equal(x, again) and not torch.equal(own.weight, plain.weight)
            assert abs(step(plain, x, y) - step(net, x, y)) < 10
            """,
        ),
        (
            "test",
            """
            torch.manual_seed(0)
            torch.randn(20, 2), nn.Linear(2, 1), Net()
            assert torch.equal(torch.randn(3, 2), more) and torch.equal(more + 1, even_more)
            """,
        ),
    ],
    "a locked cell that uses a test's object": [
        ("solution", "class Net:\n    def run(self, x):\n        return x + 1"),
        ("test", "net = Net()\nassert net.run(1) == 2"),
        ("locked", "z = 3\nout = net.run(z)\nthree = z"),
        ("test", "assert out == 4 and three == 3 and net.run(0) == 1"),
    ],
    "names with two meanings": [
        ("locked", "import numpy as np\nx = 3\nscale = 2"),
        ("test", "x = x + 1\nassert x == 4"),
        ("solution", "def pow(a, b):\n    return a * b\n\nx = np.arange(3)\nmax = 7"),
        ("test", "assert pow(2, 5) == 10 and max == 7\nassert list(x) == [0, 1, 2] and scale == 2"),
        ("test", "assert [pow(i, 2) for i in range(3)] == [0, 2, 4]"),
        ("locked", "x = 5"),
        ("test", "assert x == 5\ny = x + 1"),
        ("solution", "y = y + 1"),
        ("test", "assert y == 7"),
    ],
    "callbacks": [
        (
            "solution",
            """
            def f(x):
                return x + 1

            def minimize(function, x):
                for _ in range(3):
                    x = function(x)
                return x
            """,
        ),
        ("test", "assert minimize(lambda x: f(x), 0) == 3"),
        (
            "test",
            """
            calls = []

            def helper(x):
                return f(x) + 1

            def spy(x):
                calls.append(x)
                return helper(x)

            assert minimize(spy, 0) == 6 and calls == [0, 2, 4]
            """,
        ),
        (
            "test",
            """
            def recorder():
                seen = {}

                def inner(x):
                    seen[x] = True
                    return 2 * f(x)

                return inner, seen

            inner, seen = recorder()
            assert minimize(inner, 0) == 14 and set(seen) == {0, 2, 6}
            assert sorted([3, 1], key=lambda x: -f(x)) == [3, 1]
            """,
        ),
    ],
    "kinds of tensors": [
        ("locked", "import torch\nfrom torch import nn"),
        (
            "solution",
            """
            def half(x):
                return x.to(torch.bfloat16)

            def same(x):
                return x

            def mirrored(z):
                return z.conj()

            def negated(z):
                return z.conj().imag

            def double_(x):
                x.mul_(2)

            layer = nn.Linear(2, 1, bias=False).to(torch.bfloat16)
            with torch.no_grad():
                layer.weight.fill_(1.5)
            """,
        ),
        ("test", "assert half(torch.ones(2)).dtype == torch.bfloat16"),
        (
            "test",
            """
            x, w = torch.ones(2, requires_grad=True), nn.Parameter(torch.ones(2))
            (same(x) * 2 + same(same(w) * 3)).sum().backward()
            assert x.grad.tolist() == [2, 2] and w.grad.tolist() == [3, 3]
            assert same(w[::2]).tolist() == [1]
            """,
        ),
        ("test", "h = half(torch.ones(2))\ndouble_(h)\nassert h.tolist() == [2, 2]"),
        ("test", "assert mirrored(torch.tensor([1 + 2j])).tolist() == [1 - 2j]"),
        ("test", "assert negated(torch.tensor([1 + 2j])).tolist() == [-2]"),
        (
            "test",
            """
            out = layer(torch.ones(1, 2, dtype=torch.bfloat16))
            out.sum().backward()
            assert out.item() == 3 and layer.weight.grad.tolist() == [[1, 1]]
            """,
        ),
        (
            "test",
            """
            x = torch.ones(2, dtype=torch.bfloat16, requires_grad=True)
            half(x * 1).sum().backward()
            assert x.grad.tolist() == [1, 1]
            mine = nn.Linear(2, 1).to(torch.bfloat16)
            double_(mine.weight.data)
            """,
        ),
    ],
    "classes and errors of the student's": [
        (
            "solution",
            """
            import copy

            class CourseProblem(Exception):
                pass

            class TooSmall(CourseProblem):
                pass

            class Animal:
                def __init__(self):
                    self.legs = [4]

            class Dog(Animal):
                pass

            def refuse(x):
                if x < 0:
                    raise TooSmall(f"{x} is too small")
                if x > 9:
                    raise CourseProblem("too large")
                return {"a": 1}[x]
            """,
        ),
        (
            "test",
            """
            try:
                refuse(-1)
            except TooSmall as error:
                assert str(error) == "-1 is too small"
            else:
                raise AssertionError("nothing was raised")
            """,
        ),
        (
            "test",
            """
            for value in (-1, 10):
                try:
                    refuse(value)
                except CourseProblem as error:
                    assert isinstance(error, TooSmall) == (value < 0)
            try:
                refuse(10)
            except (TooSmall, KeyError):
                raise AssertionError("taken for another error")
            except Exception as error:
                assert type(error).__name__ == "CourseProblem"
            """,
        ),
        ("test", "refuse(10)"),
        (
            "test",
            """
            from course_lib.exercises import assert_raises

            assert_raises(TooSmall, refuse, -1, match="small")
            assert issubclass(TooSmall, CourseProblem) and issubclass(TooSmall, Exception)
            assert not issubclass(CourseProblem, TooSmall) and TooSmall.__name__ == "TooSmall"
            """,
        ),
        (
            "test",
            """
            try:
                refuse(3)
            except KeyError as error:
                assert str(error) == "3"
            """,
        ),
        (
            "test",
            """
            import copy

            assert issubclass(Dog, Animal) and not issubclass(Animal, Dog)
            assert issubclass(Dog, object) and not issubclass(Dog, Exception)
            dog = Dog()
            deep, shallow = copy.deepcopy(dog), copy.copy(dog)
            dog.legs.append(3)
            dog.legs = [1]
            assert deep.legs == [4] and isinstance(deep, Dog) and shallow.legs != [1]
            """,
        ),
    ],
    "what two names share": [
        (
            "test",
            """
            import torch
            from torch import nn

            model = nn.Linear(2, 1)
            opt = torch.optim.SGD(model.parameters(), lr=0.1)
            before = model.weight.detach().clone()
            lines = (line for line in "ab")
            """,
        ),
        (
            "solution",
            """
            model(torch.ones(1, 2)).sum().backward()
            opt.step()
            moved = not torch.equal(model.weight, before)
            """,
        ),
        ("test", "assert moved"),
    ],
    "functions and containers as arguments": [
        (
            "solution",
            """
            history = []

            def f(x):
                history.append(x)
                return x + 1

            def fill(function, out):
                out.append(function(1))

            def compose(functions, x):
                for function in functions:
                    x = function(x)
                return x

            def apply(obj, function, out):
                out.append(function(obj))
            """,
        ),
        ("test", "out = []\nfill(f, out)\nassert out == [2]"),
        (
            "test",
            """
            import functools

            log = []

            def area(x):
                log.append(x)
                return x

            class Shape:
                def area(self):
                    return 3

                def more(self, x):
                    return f(x)

            out = []
            apply(Shape(), lambda s: s.area(), out)
            assert out == [3] and log == []
            plus = functools.partial(lambda a, b: f(a) + b, b=1)
            assert compose([lambda x: f(x), f, plus], 0) == 4
            assert compose([Shape().more], 1) == 2
            """,
        ),
    ],
    "kinds of errors with parts": [
        (
            "solution",
            """
            class Bad(ValueError):
                code = 7

                def __init__(self, want, got):
                    super().__init__(f"want {want}, got {got}")
                    self.want = want

            def fail():
                raise Bad(1, 2)

            def make():
                return Bad(1, 2)

            def retry(function, error):
                try:
                    function()
                except error as e:
                    return e.want
            """,
        ),
        ("test", "assert Bad(1, 2).want == 1 and Bad.code == 7"),
        ("test", "assert str(Bad(1, 2)) == 'want 1, got 2'"),
        ("test", "assert retry(fail, Bad) == 1"),
        ("test", "assert isinstance(make(), Bad) and isinstance(make(), ValueError)"),
        (
            "test",
            """
            from course_lib.exercises import assert_raises, probe

            def caught(E):
                try:
                    fail()
                except E as e:
                    return e.want

            assert probe(caught, Bad) == 1
            assert_raises(Bad, fail, match="want 1")
            try:
                raise Bad(3, 4)
            except ValueError as error:
                assert isinstance(error, Bad) and "want 3" in str(error)
            """,
        ),
    ],
    "the teacher's own classes": [
        (
            "locked",
            """
            from collections import namedtuple
            from dataclasses import dataclass

            P = namedtuple("P", "x y")

            class Vector:
                def __init__(self, x, y):
                    self.x, self.y = x, y

                def __add__(self, o):
                    return Vector(self.x + o.x, self.y + o.y)

            class InvalidInput(ValueError):
                pass

            class Shape:
                pass

            @dataclass
            class Q:
                x: int
            """,
        ),
        (
            "solution",
            """
            def norm(v):
                return (v.x**2 + v.y**2) ** 0.5

            def f(x):
                if x < 0:
                    raise InvalidInput("no")
                return Q(x)

            class Square(Shape):
                pass

            class Stack(list):
                pass
            """,
        ),
        (
            "locked",
            "a, b, p = Vector(3, 0), Vector(0, 4), P(1, 2)\nlength = norm(a) + norm(b) + norm(p)",
        ),
        ("test", "assert norm(a + b) == 5 and length > 7 and p + (3,) == (1, 2, 3)"),
        (
            "test",
            """
            try:
                f(-1)
            except InvalidInput:
                pass
            """,
        ),
        ("test", "assert isinstance(Square(), Shape) and issubclass(Square, Shape)"),
        ("test", "assert issubclass(Stack, list) and not issubclass(Square, list)"),
        ("test", "assert f(1) == Q(1) and f(1) != Q(2)"),
    ],
    "what a test hands over is changed by the student's code": [
        (
            "locked",
            "class Particle:\n    def __init__(self, x):\n        self.x, self.path = x, []",
        ),
        (
            "solution",
            """
            def move(particle, by):
                particle.x += by
                particle.path.append(particle.x)
                particle.moved = True
                return particle

            def call(function, *args):
                return function(*args)

            def take(items, n):
                return [next(items) for _ in range(n)]
            """,
        ),
        (
            "test",
            """
            one = Particle(1)
            assert move(one, 2) is one and one.x == 3 and one.path == [3] and one.moved
            assert move(one, 2).path == [3, 5] and type(one) is Particle
            """,
        ),
        (
            "test",
            """
            class Counter:
                def __init__(self):
                    self.n, self.log = 0, []

                def __call__(self, x):
                    self.n += 1

                def write(self, x):
                    self.log.append(x)

            counter = Counter()
            call(counter, 1), call(counter.write, 7)
            assert counter.n == 1 and counter.log == [7]
            """,
        ),
        (
            "test",
            """
            total = 0

            def add(x):
                global total
                total += x

            def count():
                seen = 0

                def inner(x):
                    nonlocal seen
                    seen += x

                call(inner, 2), call(inner, 3)
                return seen

            call(add, 4)
            assert total == 4 and count() == 5
            """,
        ),
        (
            "test",
            """
            def squares():
                for i in range(10):
                    yield i * i

            class Steps:
                at = 0

                def __next__(self):
                    self.at += 1
                    return self.at

            items, place, rest, steps = squares(), iter(range(9)), iter([1, 2, 3]), Steps()
            assert take(items, 2) == [0, 1] and next(items) == 4
            assert take(place, 2) == [0, 1] and next(place) == 2
            assert take(rest, 2) == [1, 2] and list(rest) == [3]
            assert take(steps, 2) == [1, 2] and next(steps) == 3
            """,
        ),
    ],
    "what an object is": [
        ("locked", "import inspect\nimport io\n\nimport torch\nfrom torch import nn"),
        NET,
        (
            "solution",
            """
            class Node:
                def __init__(self, value, next=None):
                    self.value, self.next = value, next

                def run(self, x):
                    return self.step(x) + 1

                def step(self, x):
                    raise NotImplementedError

            kept = {}

            def cached(key):
                return kept.setdefault(key, Node(key))

            def call(function, *args, times=1):
                return function(*args)
            """,
        ),
        (
            "test",
            """
            first = Node(1)
            assert Node(2, first).next is first and cached(1) is cached(1) is not cached(2)
            assert type(first) is Node and type(first).__name__ == "Node"
            assert first.__class__.__name__ == "Node" and type(Node) is type and type(1) is int
            """,
        ),
        (
            "test",
            """
            net = Net()
            assert [type(part) for part in net.children()] == [nn.Linear] and net.fc is net.fc
            assert type(net) is Net and type(net.fc) in (nn.Linear, nn.Conv2d)
            assert len(list(nn.Sequential(net, nn.ReLU()).parameters())) == 2
            """,
        ),
        (
            "test",
            """
            parameters = inspect.signature(call).parameters
            assert list(parameters) == ["function", "args", "times"]
            assert parameters["times"].default is not inspect.Parameter.empty
            """,
        ),
        (
            "test",
            """
            class Twice(Node):
                def step(self, x):
                    return 2 * x

            class Wide(Net):
                def __init__(self):
                    super().__init__()
                    self.factor = 3

                def forward(self, x):
                    return self.factor * super().forward(x)

            wide, x = Wide(), torch.ones(1, 2)
            assert Twice(0).run(3) == 7 and isinstance(wide, Net) and issubclass(Twice, Node)
            assert torch.allclose(wide(x), 3 * wide.fc(x))
            """,
        ),
        (
            "test",
            """
            file, one, other = io.BytesIO(), Net(), Net()
            torch.save(one.state_dict(), file)
            file.seek(0)
            other.load_state_dict(torch.load(file))
            assert torch.equal(one.fc.weight, other.fc.weight)
            """,
        ),
    ],
    "an optimizer of the test's for a network of the student's": [
        ("locked", "import torch\nfrom torch import nn"),
        NET,
        (
            "solution",
            """
            def train(net, rows, measure, optimizer, epochs):
                losses = []
                for _ in range(epochs):
                    for x, y in rows:
                        optimizer.zero_grad()
                        loss = measure(net(x), y)
                        loss.backward()
                        optimizer.step()
                        losses.append(loss.item())
                return losses

            def halve(parameters):
                with torch.no_grad():
                    for p in parameters:
                        p.mul_(0.5)
            """,
        ),
        (
            "test",
            """
            torch.manual_seed(0)
            net, rows = Net(), [(torch.ones(4, 2), torch.ones(4, 1))]
            before = net.fc.weight.detach().clone()
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
            losses = train(net, rows, nn.MSELoss(), optimizer, 5)
            assert losses[-1] < losses[0] and not torch.equal(net.fc.weight, before)
            assert train(net, rows, nn.MSELoss(), optimizer, 1)[0] < losses[-1]
            """,
        ),
        (
            "test",
            """
            net = Net()
            before = net.fc.weight.detach().clone()
            halve(net.parameters())
            assert torch.equal(net.fc.weight, before / 2)
            halve([net.fc.weight])
            assert torch.equal(net.fc.weight, before / 4)
            """,
        ),
    ],
    "gradients of the tests": [
        ("locked", "import torch\nfrom torch import nn"),
        (
            "solution",
            """
            def f(x):
                return 2 * x

            def sgd(params, lr):
                with torch.no_grad():
                    for p in params:
                        p -= lr * p.grad
                        p.grad.zero_()

            class SGD:
                def __init__(self, params, lr):
                    self.params, self.lr = list(params), lr

                def step(self):
                    sgd(self.params, self.lr)
            """,
        ),
        (
            "test",
            """
            w = torch.ones(2, requires_grad=True)
            (w**2).sum().backward()
            sgd([w], 0.1)
            assert torch.allclose(w, torch.full((2,), 0.8)) and w.grad.tolist() == [0, 0]
            """,
        ),
        (
            "test",
            """
            w = torch.ones(2, requires_grad=True)
            opt = SGD([w], 0.1)
            for _ in range(2):
                (w**2).sum().backward()
                opt.step()
            assert torch.allclose(w, torch.full((2,), 0.64)) and opt.params[0] is w
            """,
        ),
        (
            "test",
            """
            net = nn.Linear(2, 1, bias=False)
            opt = SGD(net.parameters(), 1.0)
            before = net.weight.detach().clone()
            net(torch.ones(1, 2)).sum().backward()
            opt.step()
            assert torch.allclose(net.weight, before - 1)
            """,
        ),
        (
            "test",
            """
            x = torch.ones(2, requires_grad=True)
            (f(x) + f(x)).sum().backward()
            assert x.grad.tolist() == [4, 4]
            x.grad = None
            a, b = f(x), f(x)
            a.sum().backward()
            assert x.grad.tolist() == [2, 2]
            b.sum().backward()
            assert x.grad.tolist() == [4, 4]
            """,
        ),
    ],
    "wrapped functions and taken names": [
        ("locked", "import numpy as np\nfrom scipy.special import softmax\ncounter = 0"),
        (
            "solution",
            """
            def softmax(x):
                return "mine"

            def pow(a, b):
                return "mine"

            def tick():
                global counter
                counter += 1
            """,
        ),
        (
            "test",
            """
            import functools
            from course_lib.exercises import probe

            @functools.wraps(softmax)
            def noisy(x):
                return softmax(x)

            assert noisy(1) == "mine" and probe(lambda: pow(1, 2)) == "mine"
            """,
        ),
        ("test", "tick()\ntick()\nassert counter == 2"),
    ],
    "random numbers after the student's": [
        (
            "solution",
            """
            import torch
            from torch import nn

            def build():
                return nn.Linear(2, 1)
            """,
        ),
        (
            "locked",
            """
            import torch

            torch.manual_seed(0)
            w = torch.zeros(3)
            net = build()
            w.normal_()
            torch.manual_seed(1)
            x = torch.randn(4)
            """,
        ),
        (
            "test",
            """
            torch.manual_seed(0)
            build()
            assert torch.equal(torch.zeros(3).normal_(), w)
            torch.manual_seed(1)
            assert torch.equal(torch.randn(4), x)
            """,
        ),
    ],
    "figures": [
        ("solution", "import matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nx = 1"),
        (
            "solution",
            """
            def draw(x):
                figure, axes = plt.subplots()
                axes.plot(x)
                return axes
            """,
        ),
        ("test", "assert len(draw([1, 2]).lines) == 1"),
        ("free", "x = 2"),
        ("free", "for k in range(3):\n    draw(k)"),
        ("free", "figure = draw([2, 1]).figure\nplt.show()\nfigure"),
        # One more than matplotlib keeps open without a warning, which would cost the points.
        ("test", "for _ in range(11):\n    draw([1, 2])"),
        ("test", "for _ in range(11):\n    draw([1, 2])"),
        ("test", "import matplotlib.pyplot as plt\nfor _ in range(11):\n    plt.figure()"),
        ("test", "for _ in range(11):\n    plt.figure()\nplt.show()"),
        ("free", "%matplotlib inline\nplt.plot([1, 2])"),
        ("free", "plt.switch_backend('agg')\nplt.plot([1, 2])"),
        ("free", "figure"),
    ],
    "figures of a locked cell": [
        ("locked", "import matplotlib.pyplot as plt\nfor _ in range(20):\n    plt.figure()"),
        ("test", "plt.figure()\nassert len(plt.plot([1, 2])) == 1"),
    ],
    "magics around tests": [
        ("solution", "def f(x):\n    return x + 1"),
        ("test", "%%time\nassert f(1) == 3"),
        ("test", "%%capture\nassert f(1) == 2"),
        ("test", "%time y = f(1)\nassert y == 2"),
        ("test", "for x in range(2):\n    %matplotlib inline\n    assert f(x) == x + 1"),
        ("test", "%time assert f(1) == 3"),
    ],
    "module": [
        ("locked", "import torch\nfrom torch import nn"),
        (
            "solution",
            """
            class Net(nn.Module):
                def __init__(self, k=3):
                    super().__init__()
                    self.fc = nn.Linear(4, k)
                    self.k = k

                def forward(self, x):
                    return self.fc(x)
            """,
        ),
        (
            "test",
            """
            net = Net(k=2)
            assert isinstance(net, nn.Module) and isinstance(net, Net)
            assert net.k == 2
            x = torch.randn(5, 4)
            assert net(x).shape == (5, 2)
            assert torch.allclose(net(x), x @ net.fc.weight.T + net.fc.bias)
            assert sum(p.numel() for p in net.parameters()) == 10
            """,
        ),
        (
            "test",
            """
            net = Net()
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
            x, t = torch.randn(8, 4), torch.randint(0, 3, (8,))
            losses = []
            for _ in range(20):
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(net(x), t)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            assert losses[-1] < losses[0]
            assert net.fc.weight.grad.shape == (3, 4)
            """,
        ),
        (
            "test",
            """
            net = Net()
            with torch.no_grad():
                net.fc.weight.fill_(0.5)
                net.fc.bias.zero_()
            assert torch.allclose(net(torch.ones(1, 4)), torch.full((1, 3), 2.0))
            net.fc.weight.data = torch.zeros(3, 4)
            assert torch.allclose(net(torch.ones(1, 4)), torch.zeros(1, 3))
            net.eval()
            assert not net.training
            assert set(net.state_dict()) == {"fc.weight", "fc.bias"}
            """,
        ),
        (
            "test",
            """
            net = Net()
            weight = net.fc.weight
            with torch.no_grad():
                weight.fill_(0.5)
            try:
                net(i for i in range(3))
            except TypeError:
                pass
            assert torch.allclose(net(torch.ones(1, 4)) - net.fc.bias, torch.full((1, 3), 2.0))
            """,
        ),
        ("test", "assert Net().k == 4"),
    ],
    "training loops and generators": [
        ("locked", "import torch\nfrom torch import nn\ntorch.manual_seed(0)"),
        (
            "solution",
            """
            def train(model, X, y, steps=30):
                optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
                for _ in range(steps):
                    optimizer.zero_grad()
                    loss = ((model(X) - y) ** 2).mean()
                    loss.backward()
                    optimizer.step()
                    yield loss.item()

            def step(model, optimizer, X, y):
                optimizer.zero_grad()
                loss = ((model(X) - y) ** 2).mean()
                loss.backward()
                optimizer.step()
                return loss.item()
            """,
        ),
        (
            "test",
            """
            model, X = nn.Linear(2, 1), torch.randn(50, 2)
            y = X @ torch.tensor([[1.0], [2.0]])
            before = model.weight.detach().clone()
            losses = train(model, X, y)
            first = next(losses)
            assert list(losses)[-1] < first
            assert not torch.allclose(model.weight, before)
            """,
        ),
        (
            "test",
            """
            model, X = nn.Linear(2, 1), torch.randn(50, 2)
            y = X @ torch.tensor([[1.0], [2.0]])
            optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
            losses = [step(model, optimizer, X, y) for _ in range(30)]
            assert losses[-1] < losses[0] / 2
            """,
        ),
    ],
    "gradients": [
        ("locked", "import torch"),
        (
            "solution",
            """
            def square_sum(x):
                return (x**2).sum()

            def triple(x):
                return 3 * x

            w = torch.tensor(2.0, requires_grad=True)

            def scale(x):
                return w * x
            """,
        ),
        (
            "test",
            """
            x = torch.tensor([1.0, 2.0], requires_grad=True)
            square_sum(x).backward()
            assert torch.allclose(x.grad, torch.tensor([2.0, 4.0]))
            """,
        ),
        (
            "test",
            """
            x = torch.tensor([1.0, 2.0], requires_grad=True)
            triple(triple(x) * 2).sum().backward()
            assert torch.allclose(x.grad, torch.tensor([18.0, 18.0]))
            """,
        ),
        ("test", "scale(torch.tensor(5.0)).backward()\nassert w.grad.item() == 5.0"),
        (
            "test",
            """
            x = torch.tensor([1.0, 2.0], requires_grad=True)
            (gradient,) = torch.autograd.grad(square_sum(x), x)
            assert torch.allclose(gradient, 2 * x.detach())
            """,
        ),
    ],
    "plain Python": [
        ("locked", "import numpy as np\nnp.random.seed(0)\nX = np.random.randn(6, 2)"),
        (
            "solution",
            """
            import dataclasses
            from collections import namedtuple

            def center(A):
                A -= A.mean(axis=0)

            def noisy(n):
                return np.random.randn(n)

            def fib(n):
                a, b = 0, 1
                for _ in range(n):
                    yield a
                    a, b = b, a + b

            class Stack:
                def __init__(self):
                    self.items = []

                def push(self, x):
                    self.items.append(x)

                def pop(self):
                    if not self.items:
                        raise Empty("empty stack")
                    return self.items.pop()

                def __len__(self):
                    return len(self.items)

                def __eq__(self, other):
                    return isinstance(other, Stack) and self.items == other.items

                @property
                def top(self):
                    return self.items[-1]

            class Empty(IndexError):
                pass

            class Vector:
                def __init__(self, x):
                    self.x = x

                def __add__(self, other):
                    return Vector(self.x + other.x)

                def __mul__(self, k):
                    return Vector(self.x * k)

                def __repr__(self):
                    return f"Vector({self.x})"

            @dataclasses.dataclass
            class Point:
                x: float
                y: float = 0.0

            def apply(function, xs):
                return [function(x) for x in xs]

            def adder(n):
                return lambda x: x + n

            def grow(items, table):
                items.append(1)
                table["k"] = 2

            def deep():
                return {"a": [1, (2, 3)], "b": {"c": np.arange(3)}, 4: {5, 6}}
            """,
        ),
        (
            "test",
            """
            A = X.copy()
            assert center(A) is None
            assert np.allclose(A.mean(axis=0), 0) and not np.allclose(X, A)
            """,
        ),
        (
            "test",
            """
            np.random.seed(3)
            a = noisy(3)
            np.random.seed(3)
            assert np.array_equal(a, np.random.randn(3))
            """,
        ),
        (
            "test",
            "assert list(fib(6)) == [0, 1, 1, 2, 3, 5]\ng = fib(3)\nnext(g)\nassert next(g) == 1",
        ),
        (
            "test",
            """
            s, t = Stack(), Stack()
            s.push(1)
            s.push("a")
            assert len(s) == 2 and s.top == "a" and s.pop() == "a" and s.items == [1]
            t.push(1)
            assert s == t
            s.pop()
            try:
                s.pop()
            except IndexError as error:
                assert "empty" in str(error)
            else:
                raise AssertionError("no error")
            """,
        ),
        ("test", "v = Vector(1) + Vector(2) * 3\nassert v.x == 7 and repr(v) == 'Vector(7)'"),
        (
            "test",
            "p = Point(3)\np.y = 4\nassert (p.x, p.y) == (3, 4) and str(p) == 'Point(x=3, y=4)'",
        ),
        ("test", "assert apply(lambda v: v**2, [1, 2, 3]) == [1, 4, 9]"),
        ("test", "assert adder(2)(3) == 5 and sorted([3, -1], key=adder(1)) == [-1, 3]"),
        ("test", "l, d = [], {}\ngrow(l, d)\nassert l == [1] and d == {'k': 2}"),
        (
            "test",
            """
            r = deep()
            assert r["a"] == [1, (2, 3)] and r["b"]["c"].sum() == 3 and r[4] == {5, 6}
            """,
        ),
        ("test", "assert center.__name__ == 'center' and callable(center) and not callable(X)"),
        ("test", "score = 0\nif list(fib(2)) == [0, 1]:\n    score += 0.5\nscore"),
        ("test", "assert apply(fib, [1]) == 5"),
        ("test", "center('not an array')"),
        ("test", "undefined_name"),
        ("solution", "value = 42\nwords = ['a']\ntable = {'x': np.arange(3)}"),
        ("test", "assert value == 42 and words == ['a'] and np.array_equal(table['x'], [0, 1, 2])"),
        ("test", "helper_result = value * 2\nprint('shown')"),
        ("solution", "later = helper_result + 1"),
        ("test", "assert later == 85"),
        ("test", "endless = iter(int, 1)\nlines = (line for line in words)\nstep = 2"),
        ("solution", "stepped = step + 1\n\ndef use():\n    return lines, endless"),
        ("test", "assert stepped == 3"),
        ("free", "import math\n\ndef root(x):\n    return math.sqrt(x)"),
        ("test", "assert math.isclose(root(value), 42**0.5)"),
    ],
    "errors in cells": [
        ("solution", "def fine():\n    return 1\n\nraise ValueError('after the definition')"),
        ("test", "assert fine() == 1"),
        ("solution", "def broken(:"),
        ("test", "broken()"),
        ("solution", "def not_yet():\n    raise NotImplementedError()"),
        ("test", "assert not_yet() == 3"),
        ("test", "import warnings\nwarnings.warn('careful')"),
        ("test", "import warnings\nwarnings.warn('left open', ResourceWarning)"),
        ("test", "import sys\nprint('to stderr', file=sys.stderr)"),
        ("solution", "import numpy as np\n\ndef half(x):\n    return np.float64(x) / 0"),
        ("test", "assert half(1) > 1"),
        ("solution", "def progress(x):\n    print('50 %', file=sys.stderr)\n    return x"),
        ("test", "import sys\nassert progress(1) == 1"),
        ("test", "assert progress(1) == 2"),
        ("test", "print('to stdout')\nassert fine() == 1"),
        ("test", "%matplotlib inline\nassert fine() == 1"),
    ],
    "data of a library's kinds": [
        ("locked", "import numpy as np\nimport torch\nfrom torch import nn"),
        (
            "solution",
            """
            from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
            from decimal import Decimal
            from fractions import Fraction
            import os.path as p

            Point = namedtuple("Point", "x y")
            Layer = nn.Linear

            def kinds():
                table = defaultdict(int)
                table["a"] += 2
                return [Counter("aab"), OrderedDict(b=1), table, deque([1, 2]), Point(1, 2)]

            def numbers():
                return [Fraction(1, 2), Decimal("0.5"), np.str_("half")]

            def describe(x):
                return x.shape, x.dtype, x.device, x.numpy().dtype, type(x.tolist())
            """,
        ),
        ("test", "assert kinds()[0] == {'a': 2, 'b': 1} and kinds()[0] == Counter('aab')"),
        ("test", "assert kinds()[1] == {'b': 1} and kinds()[2] == {'a': 2}"),
        (
            "test",
            "assert kinds()[3] == deque([1, 2]) and kinds()[4] == (1, 2) and Point(1, 2).y == 2",
        ),
        ("test", "assert kinds()[4] == (1, 3)"),
        ("test", "assert numbers() == [0.5, 0.5, 'half'] and numbers()[0] + 1 == 1.5"),
        (
            "test",
            """
            shape, kind, device, other, listed = describe(torch.zeros(2, 3))
            assert shape == (2, 3) and kind == torch.float32 and device == torch.device("cpu")
            assert other == np.float32 and listed is list and shape.numel() == 6
            """,
        ),
        ("test", "assert Layer is nn.Linear and isinstance(Layer(2, 3), nn.Linear)"),
        ("test", "assert p.join('a', 'b') == 'a/b'"),
    ],
    "operators of classes": [
        (
            "solution",
            """
            import functools

            class Value:
                def __init__(self, x):
                    self.x = x

                def __mul__(self, other):
                    return Value(self.x * getattr(other, "x", other))

                def __lt__(self, other):
                    return self.x < other.x

            Value.__rmul__ = Value.__mul__

            @functools.total_ordering
            class Size(Value):
                def __eq__(self, other):
                    return self.x == other

            class Box(Value):
                pass
            """,
        ),
        ("test", "assert (Value(2) * 3).x == 6 == (3 * Value(2)).x"),
        ("test", "assert Value(1) < Value(2) and Value(2) > Value(1) and not Value(1) == 1"),
        ("test", "assert Size(3) == 3 and Size(3) >= Size(2) and Box(2) < Box(3)"),
    ],
    "the course's own helpers": [
        ("locked", "import numpy as np"),
        (
            "solution",
            """
            def sigmoid(z):
                return 1 / (1 + np.exp(-z))

            def slope(z):
                return sigmoid(z) * (1 - sigmoid(z))

            def refuse(t):
                if t <= 0:
                    raise ValueError("temperature must be positive")
            """,
        ),
        (
            "test",
            """
            from course_lib.exercises import assert_close, assert_raises, given, probe

            with given(sigmoid=lambda z: z):
                assert_close(slope(3.0), -6.0)
            assert_close(slope(0.0), 0.25)
            assert_raises(ValueError, refuse, 0, match="positive")
            """,
        ),
        (
            "test",
            """
            def strictly(function, z):
                with np.errstate(all="raise"):
                    return function(z)

            assert probe(strictly, sigmoid, np.array([0.0]))[0] == 0.5
            """,
        ),
        (
            "test",
            """
            def strictly(function, z):
                with np.errstate(all="raise"):
                    return function(z)

            probe(strictly, sigmoid, np.array([-1000.0]))
            """,
        ),
    ],
}


def kind_of(error):
    """Return an error's type, under the name that both ways of running give it."""
    return error.split(":")[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_honest_work_gets_what_it_gets_in_a_notebook(name, notebook, zygote):
    page = notebook(*CASES[name])
    together = run_notebook(page)
    apart = runner.run(page, zygote, source=page)
    for one, two in zip(together, apart, strict=True):
        told = f"cell {one.index}: {one.error!r} together, {two.error!r} apart"
        assert (one.status, kind_of(one.error)) == (two.status, kind_of(two.error)), told
        if notebooks.role(page.cells[one.index]) != "test":
            assert figures(one) == figures(two), told
        elif one.status == "ok":
            assert shown(one) == shown(two)


def figures(run):
    """Return how many figures a cell shows."""
    return sum("image/png" in output.get("data", {}) for output in run.outputs)


def shown(run):
    """Return what decides about points: values, and whether there was anything on stderr."""
    values = [o.data["text/plain"] for o in run.outputs if o.output_type == "execute_result"]
    return values, any(o.get("name") == "stderr" for o in run.outputs)


@pytest.mark.slow
def test_figures_are_shown_below_the_cell_that_draws_them(notebook, zygote):
    page = notebook(*CASES["figures"])
    for way in (run_notebook(page), runner.run(page, zygote, source=page)):
        shown_in = [figures(run) for run in way if notebooks.role(page.cells[run.index]) != "test"]
        assert shown_in == [1, 0, 0, 3, 2, 1, 0, 1]


@pytest.mark.slow
def test_compiled_functions_and_networks_are_the_student_s(run):
    """The compiler "eager" translates nothing, so that nothing here waits for one of C++."""
    ran = run(
        ("locked", "import torch\nfrom torch import nn"),
        (
            "solution",
            """
            def double(x):
                return 2 * x

            compiled = torch.compile(double, backend="eager")
            net = torch.compile(nn.Linear(2, 1), backend="eager")
            """,
        ),
        (
            "test",
            """
            x = torch.ones(2, requires_grad=True)
            compiled(x).sum().backward()
            assert x.grad.tolist() == [2, 2] and compiled.__name__ == "double"
            """,
        ),
        ("test", "assert isinstance(net, nn.Module) and net(torch.ones(3, 2)).shape == (3, 1)"),
        ("test", "assert compiled(torch.ones(1)) == 3"),
        seconds=120.0,
    )
    assert [one.status for one in ran] == ["ok"] * 4 + ["error"], [one.error for one in ran]
    assert ran[-1].error.startswith("AssertionError")


CANNOT = {
    "a file": ("call(len, open('numbers.txt', 'w'))", "probe(function, ...)"),
    "a transform": ("torch.func.grad(square)(torch.tensor(3.0))", "torch.func's transforms"),
    "twice": (
        "x = torch.tensor(3.0, requires_grad=True)\n"
        "(slope,) = torch.autograd.grad(square(x), x, create_graph=True)\n"
        "assert slope == 6\ntorch.autograd.grad(slope, x)",
        "differentiates twice",
    ),
}


@pytest.mark.slow
def test_what_a_test_cannot_do_here_is_said_with_what_to_write(run):
    solution = (
        "def call(function, value):\n    return function(value)\n\ndef square(x):\n    return x**2"
    )
    tests = [("test", source) for source, _ in CANNOT.values()]
    ran = run(("locked", "import torch"), ("solution", solution), *tests)[2:]
    assert [one.status for one in ran] == ["error"] * len(CANNOT)
    for one, (_, says) in zip(ran, CANNOT.values(), strict=True):
        assert says in one.error and "probe(" in one.error, one.error
