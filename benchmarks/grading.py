"""The grading engine beside stock nbgrader and Otter, on the same submissions in one run.

    python benchmarks/grading.py [--students 24] [--workers 2] [--stock-students 4]
                                 [--otter PYTHON [--otter-students 2]]

A class solves a small PyTorch assignment: six solution cells, eight test cells, about 40 ms of
work. Stock nbgrader (`nbgrader autograde` and `nbgrader generate_feedback`, in a course folder with
an empty configuration) grades a few of them, one after another as it does; `course_lib.grading`
grades all of them in the sandbox, with its workers warm, and writes their feedback. Scores are
compared cell by cell first. Then the same class is graded by the commands `course grade` and
`course feedback`, start-up included, beside what nbgrader's commands take for as many: what they
took for a few, of which their start-up counts once. Printed are wall and processor time per
submission and of whole commands, their ratios, how long it takes until the first score and where
nothing is left to grade, how long running a notebook takes over its own work, the memory of a
submission in flight, and what `course check` takes from a standing start. The exit status is 1 if
a limit that the project has set itself is broken.

Otter wants an environment of its own, of which `--otter` names the Python:

    python -m venv otter && otter/bin/pip install otter-grader ipykernel torch==2.13.0

Its `otter run` grades a few of the same notebooks on the same tests, each as a case of Otter's.
"""

# ruff: noqa: E402
import os

# Before NumPy and PyTorch are imported, which read it once.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
import logging
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

SLUG = "tensors"
AT_LEAST_TIMES_FASTER = 25.0
AT_LEAST_TIMES_OTTER = 45.0
AT_LEAST_TIMES_FASTER_WHOLE = 12.0
AT_MOST_UNTIL_FIRST_SCORE = 4.5
AT_MOST_WITH_NOTHING_TO_DO = 1.75
AT_MOST_CPU_OVER_WORK = 0.250
AT_MOST_EXECUTE_OVER_WORK = 0.150
AT_MOST_MIB_IN_FLIGHT = 60.0
AT_MOST_CHECK = 3.0

# The exercise of this course that `course check` is tried on.
CHECKED = "neurons"

IMPORTS = "import torch\nfrom torch import nn"

# Name, right answer, wrong answer.
STEPS = [
    (
        "standardize",
        "def standardize(x):\n    return (x - x.mean(0)) / x.std(0)",
        "def standardize(x):\n    return (x - x.mean()) / x.std()",
    ),
    (
        "one_hot",
        "def one_hot(labels, classes):\n    return torch.eye(classes)[labels]",
        "def one_hot(labels, classes):\n    return torch.eye(classes)[labels - 1]",
    ),
    (
        "Network",
        "class Network(nn.Module):\n    def __init__(self, inputs, hidden, outputs):\n"
        "        super().__init__()\n        self.layers = nn.Sequential(\n"
        "            nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs)\n"
        "        )\n\n"
        "    def forward(self, x):\n        return self.layers(x)",
        "class Network(nn.Module):\n    def __init__(self, inputs, hidden, outputs):\n"
        "        super().__init__()\n        self.layers = nn.Linear(inputs, outputs)\n\n"
        "    def forward(self, x):\n        return self.layers(x).relu()",
    ),
    (
        "loss_of",
        "def loss_of(model, x, y):\n    return nn.functional.cross_entropy(model(x), y)",
        "def loss_of(model, x, y):\n    return nn.functional.cross_entropy(model(x).softmax(1), y)",
    ),
    (
        "train",
        "def train(model, x, y, steps, rate=0.1):\n    losses = []\n"
        "    optimizer = torch.optim.SGD(model.parameters(), lr=rate)\n"
        "    for _ in range(steps):\n        optimizer.zero_grad()\n"
        "        loss = nn.functional.cross_entropy(model(x), y)\n"
        "        loss.backward()\n        optimizer.step()\n        losses.append(loss.item())\n"
        "    return losses",
        "def train(model, x, y, steps, rate=0.1):\n    return [1.0] * steps",
    ),
    (
        "accuracy",
        "def accuracy(model, x, y):\n    return (model(x).argmax(1) == y).float().mean().item()",
        "def accuracy(model, x, y):\n    raise NotImplementedError",
    ),
]

DATA = (
    "torch.manual_seed(0)\nx = torch.randn(300, 20)\n"
    "y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()"
)

TESTS = {
    "standardize": [
        "z = standardize(torch.randn(50, 3) * 4 + 2)\n"
        "assert torch.allclose(z.mean(0), torch.zeros(3), atol=1e-5)",
        "z = standardize(torch.tensor([[1.0, 10.0], [3.0, 30.0]]))\n"
        "### BEGIN HIDDEN TESTS\n"
        "assert torch.allclose(z[0], z[0, 0].expand(2)), 'each column by itself'\n"
        "### END HIDDEN TESTS",
    ],
    "one_hot": ["assert one_hot(torch.tensor([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]"],
    "Network": [
        "net = Network(20, 16, 3)\n"
        "assert sum(p.numel() for p in net.parameters()) == 20 * 16 + 16 + 16 * 3 + 3"
    ],
    "loss_of": [
        DATA + "\nnet = nn.Linear(20, 3)\n"
        "assert abs(loss_of(net, x, y) - nn.functional.cross_entropy(net(x), y)) < 1e-5"
    ],
    "train": [
        DATA + "\nlosses = train(nn.Linear(20, 3), x, y, 30)\n"
        "assert len(losses) == 30 and losses[-1] < losses[0]",
        DATA + "\n### BEGIN HIDDEN TESTS\nnet = nn.Linear(20, 3)\ntrain(net, x, y, 60)\n"
        "assert (net(x).argmax(1) == y).float().mean() > 0.5, 'it should learn something'\n"
        "### END HIDDEN TESTS",
    ],
    "accuracy": [
        DATA + "\nnet = nn.Linear(20, 3)\n"
        "expected = (net(x).argmax(1) == y).float().mean().item()\n"
        "assert abs(accuracy(net, x, y) - expected) < 1e-6"
    ],
}


def cell(name: str, source: str, **flags: Any) -> NotebookNode:
    """Return a code cell with nbgrader's metadata."""
    own = {"grade": False, "solution": False, "locked": False, "task": False}
    own |= {"schema_version": 3, "grade_id": name} | flags
    made = new_code_cell(source, metadata={"nbgrader": own})
    made.id = name.replace("_", "-")
    return made


def source_notebook() -> NotebookNode:
    """Return the teacher's notebook."""
    cells = [cell("imports", IMPORTS, locked=True)]
    for name, right, _ in STEPS:
        text = f"### BEGIN SOLUTION\n{right}\n### END SOLUTION"
        cells.append(cell(name, text, solution=True))
        for number, test in enumerate(TESTS[name]):
            cells.append(cell(f"test-{name}-{number}", test, grade=True, locked=True, points=1))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def build(folder: Path, students: list[str], answers: dict[str, NotebookNode]) -> None:
    """Write a course with a configuration that says nothing."""
    path = folder / "source" / SLUG / f"{SLUG}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(source_notebook(), path)
    (folder / "nbgrader_config.py").write_text("c = get_config()\n", encoding="utf-8")
    for student in students:
        path = folder / "submitted" / student / SLUG / f"{SLUG}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(answers[student], path)


def answered(released: NotebookNode, wrong: int, note: int) -> NotebookNode:
    """Return a release with its steps solved, one of them wrong (or none)."""
    notebook = nbformat.from_dict(json.loads(json.dumps(released)))
    for number, (name, right, mistaken) in enumerate(STEPS):
        for part in notebook.cells:
            if part.metadata.get("nbgrader", {}).get("grade_id") == name:
                text = mistaken if number == wrong else right
                part.source = f"# answer {note}\n{text}"
    return notebook


def work_seconds(places: int = 1) -> float:
    """Return how long the notebook's own code takes in a process that has imported PyTorch.

    With more places than one, so many processes do it at a time: processors that share a core or
    its memory are slower together, for the work as for what is around it.
    """
    if places == 1:
        return min(_work(5))
    with ProcessPoolExecutor(places, mp_context=get_context("spawn")) as pool:
        for _ in range(2):  # the first time they import
            rows = list(pool.map(_work, [40] * places))
    return statistics.mean(statistics.median(row) for row in rows)


def _work(rounds: int) -> list[float]:
    """Return the processor seconds of the notebook's own code, round by round."""
    code = [compile(part.source, "cell", "exec") for part in source_notebook().cells]
    times = []
    for _ in range(rounds):
        names: dict[str, Any] = {}
        begin = time.process_time()
        for part in code:
            exec(part, names)
        times.append(time.process_time() - begin)
    return times


# The rivals


def command(folder: Path, *arguments: str) -> tuple[float, float]:
    """Run nbgrader; return wall and processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"nbgrader {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return wall, used


# Where the kernel adds up what all processes of a group use, in version 1 and 2 of its groups.
GROUPS = (
    ("/sys/fs/cgroup/cpuacct", "cpuacct.usage", lambda text: int(text) / 1e9),
    ("/sys/fs/cgroup", "cpu.stat", lambda text: int(text.split()[1]) / 1e6),
)

_seconds_of_group: Callable[[], float] | None = None


@contextmanager
def counted() -> Iterator[None]:
    """Let the kernel count this process and all that it starts, where that is allowed.

    The first process of a room is waited for by nobody, so that what it and those that it collects
    have used is in no sum of a parent's: a third of a submission.
    """
    global _seconds_of_group
    for root, name, read in GROUPS:
        above = Path(root)
        if not (above / "cgroup.procs").is_file():
            continue
        group = above / f"benchmark-{os.getpid()}"
        try:
            group.mkdir()
            (group / "cgroup.procs").write_text(str(os.getpid()))
            read((group / name).read_text())
        except (OSError, ValueError):
            # Not allowed.
            with suppress(OSError):
                group.rmdir()
            continue
        _seconds_of_group = lambda path=group / name, read=read: read(path.read_text())  # noqa: E731
        try:
            yield
        finally:
            _seconds_of_group = None
            (above / "cgroup.procs").write_text(str(os.getpid()))
            time.sleep(0.5)
            with suppress(OSError):
                group.rmdir()
        return
    print("The kernel may not count here (not root): about 90 ms of CPU a submission are missing.")
    yield


def tree_seconds() -> float:
    """Return the processor seconds of this process, its descendants, and those that have ended."""
    if _seconds_of_group is not None:
        return _seconds_of_group()
    import psutil

    me = psutil.Process()
    total = 0.0
    for process in [me, *me.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def ours(folder: Path, workers: int) -> dict[str, Any]:
    """Grade a course with this engine, warm; return seconds and points."""
    from course_lib import grading
    from course_lib.grading.engine import jobs

    begin = time.perf_counter()
    jobs.warm_up()
    warming = time.perf_counter() - begin
    cpu, begin = tree_seconds(), time.perf_counter()
    report = grading.grade(SLUG, folder, workers=workers)
    graded_cpu, graded = tree_seconds(), time.perf_counter()
    grading.feedback(SLUG, folder)
    end_cpu, end = tree_seconds(), time.perf_counter()
    failed = [f"{row.student}: {row.reason}" for row in report.failed]
    if failed:
        sys.exit("not graded: " + "; ".join(failed))
    jobs.close()
    return {
        "warming": warming,
        "grade": (graded - begin, graded_cpu - cpu),
        "feedback": (end - graded, end_cpu - graded_cpu),
        "all": (end - begin, end_cpu - cpu),
        "points": {row.student: row.points() for row in report.students},
    }


def stock(folder: Path) -> dict[str, Any]:
    """Grade a course with nbgrader's own commands; return seconds and points."""
    from course_lib import grading

    grade = command(folder, "autograde", SLUG)
    feedback = command(folder, "generate_feedback", SLUG)
    report = grading.read_report(SLUG, folder)
    # What both take to start: the rest grows with the class.
    start = [command(folder, step, "--help") for step in ("autograde", "generate_feedback")]
    return {
        "start": (sum(wall for wall, _ in start), sum(cpu for _, cpu in start)),
        "grade": grade,
        "feedback": feedback,
        "all": (grade[0] + feedback[0], grade[1] + feedback[1]),
        "points": {row.student: row.points() for row in report.students},
    }


def whole(folder: Path, workers: int) -> dict[str, tuple[float, float]]:
    """Grade a course with this engine's commands, from a standing start; return seconds of each.

    Besides wall and processor seconds of each command, ``first`` has those until the first score.
    """
    tool = [str(Path(sys.executable).with_name("course"))]
    place = ["--course-dir", str(folder)]
    grade = [*tool, "grade", SLUG, *place, "--workers", str(workers)]
    rows: dict[str, tuple[float, float]] = {}
    for step, line in (
        ("grade", grade),
        ("feedback", [*tool, "feedback", SLUG, *place]),
        ("nothing", grade),
    ):
        before, cpu = resource.getrusage(resource.RUSAGE_CHILDREN), tree_seconds()
        begin = time.perf_counter()
        quiet = subprocess.DEVNULL
        with subprocess.Popen(line, stdout=quiet, stderr=subprocess.PIPE, text=True) as running:
            while running.poll() is None:
                if "first" not in rows and any(folder.glob(f"autograded/*/{SLUG}/*.ipynb")):
                    rows["first"] = (time.perf_counter() - begin, tree_seconds() - cpu)
                time.sleep(0.01)
            assert running.stderr is not None
            if running.returncode:
                sys.exit(f"course {step} failed:\n{running.stderr.read()[-3000:]}")
        wall = time.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        rows[step] = (wall, tree_seconds() - cpu if _seconds_of_group else used)
    return rows


def otter(folder: Path, python: str, answers: dict[str, NotebookNode]) -> dict[str, Any]:
    """Grade notebooks with `otter run`; return seconds and points."""
    tests = folder / "tests"
    tests.mkdir(parents=True)
    for part in source_notebook().cells:
        name = part.metadata["nbgrader"]["grade_id"]
        if part.metadata["nbgrader"]["grade"]:
            case = OTTER_CASE.format(name=name, source=part.source)
            (tests / f"{name}.py").write_text(case, encoding="utf-8")
    (folder / "requirements.txt").write_text("torch\n")
    (folder / "otter_config.json").write_text(json.dumps({"show_hidden": True}))
    tool = str(Path(python).with_name("otter"))
    quiet: dict[str, Any] = {"cwd": folder, "capture_output": True, "text": True, "timeout": 600}
    make = [tool, "generate", "-t", "tests", "-o", "autograder.zip", "-c", "otter_config.json"]
    done = subprocess.run([*make, "-r", "requirements.txt"], **quiet)
    if done.returncode:
        sys.exit(f"otter generate failed:\n{done.stdout}{done.stderr}")
    points, seconds = {}, []
    for name, notebook in answers.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.perf_counter()
        run = [tool, "run", "-a", "autograder.zip", "-o", name, f"{name}.ipynb"]
        (folder / name).mkdir()
        done = subprocess.run(run, **quiet)
        wall = time.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        results = folder / name / "results.json"
        if done.returncode or not results.is_file():
            sys.exit(f"otter run failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        seconds.append((wall, used))
        tests_run = json.loads(results.read_text())["tests"]
        points[name] = sum(float(test["score"]) for test in tests_run if "score" in test)
    return {"all": tuple(sum(part) for part in zip(*seconds, strict=True)), "points": points}


OTTER_CASE = """
from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = 1

@test_case(points=1, hidden=False)
def test_0(env):
    exec({source!r}, dict(env))
"""


def execution(job: Any, rounds: int = 15) -> tuple[float, float]:
    """Return wall and processor seconds of running one notebook, the fastest round of several."""
    from course_lib.grading.engine import jobs

    jobs.run_job(job)
    rows = []
    for _ in range(rounds):
        cpu, begin = tree_seconds(), time.perf_counter()
        jobs.run_job(job)
        rows.append((time.perf_counter() - begin, tree_seconds() - cpu))
    # The kernel counts processor time in ticks of 10 ms: only their sum is exact.
    return min(wall for wall, _ in rows), sum(cpu for _, cpu in rows) / rounds


def memory_in_flight(job: Any, places: int = 4) -> float:
    """Return the MiB that a submission in flight takes over a worker's own, at its peak."""
    from concurrent.futures import ThreadPoolExecutor

    from course_lib.grading.engine import jobs

    idle = tree_bytes()
    peak = 0.0
    with ThreadPoolExecutor(places) as pool:
        runs = [pool.submit(jobs.run_job, job) for _ in range(3 * places)]
        while not all(run.done() for run in runs):
            peak = max(peak, tree_bytes() - idle)
    return peak / places / 2**20


def tree_bytes() -> int:
    """Return the memory of this process's descendants; what several share counts once."""
    import psutil

    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except OSError:
            continue
        rows = (line.split() for line in rollup.splitlines())
        total += sum(int(row[1]) * 1024 for row in rows if row[0] in ("Pss_Anon:", "Pss_Shmem:"))
    return total


def one_notebook() -> dict[str, Any]:
    """Measure running a right submission by itself."""
    from course_lib.grading.engine import jobs

    text = nbformat.writes(source_notebook()).encode()
    job = jobs.Job(text, text)
    jobs.warm_up()
    try:
        return {"execute": execution(job), "memory": memory_in_flight(job)}
    finally:
        jobs.close()


def check_cold(rounds: int = 3) -> tuple[float, float]:
    """Return the seconds of `course check` on a release of this course, the fastest of several."""
    root = Path(__file__).resolve().parents[1]
    notebook = root / "exercises" / CHECKED / f"{CHECKED}.ipynb"
    line = [str(Path(sys.executable).with_name("course")), "check", CHECKED, "--notebook", notebook]
    rows = []
    for _ in range(rounds):
        cpu, begin = tree_seconds(), time.perf_counter()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(line, cwd=root, capture_output=True, text=True, timeout=600)
        if "points" not in done.stdout:
            sys.exit(f"course check failed:\n{done.stdout}{done.stderr}")
        wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        rows.append((wall, tree_seconds() - cpu if _seconds_of_group else used))
    return min(wall for wall, _ in rows), min(cpu for _, cpu in rows)


def main() -> int:
    """Build the class, grade it twice, print the comparison."""
    with counted():
        return measured()


def measured() -> int:
    """Do so, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--students", type=int, default=24)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stock-students", type=int, default=4)
    parser.add_argument("--otter", metavar="PYTHON", help="of an environment that has Otter")
    parser.add_argument("--otter-students", type=int, default=2)
    options = parser.parse_args()
    logging.disable(logging.WARNING)

    from course_lib import grading

    work, together = work_seconds(), work_seconds(options.workers)
    with tempfile.TemporaryDirectory(prefix="grading-") as place:
        first = Path(place, "ours")
        build(first, [], {})
        released = grading.release([SLUG], first)[SLUG] / f"{SLUG}.ipynb"
        release = nbformat.read(released, as_version=4)
        names = [f"s{number:05}" for number in range(options.students)]
        rng = random.Random(1)
        answers = {name: answered(release, rng.randrange(9), n) for n, name in enumerate(names)}
        shutil.rmtree(first)
        build(first, names, answers)
        grading.release([SLUG], first)
        few = names[: options.stock_students]
        second = Path(place, "stock")
        build(second, few, answers)
        command(second, "generate_assignment", SLUG)

        # What a process imports and compiles with its first class is no part of the steady state.
        warm = Path(place, "warm")
        build(warm, names[:2], answers)
        grading.release([SLUG], warm)
        ours(warm, options.workers)
        mine = ours(first, options.workers)
        cold_class = Path(place, "commands")
        build(cold_class, names, answers)
        grading.release([SLUG], cold_class)
        commands = whole(cold_class, options.workers)
        theirs = stock(second) if few else None
        ran_by_otter = names[: options.otter_students] if options.otter else []
        others = None
        if ran_by_otter:
            some = {name: answers[name] for name in ran_by_otter}
            others = otter(Path(place, "otter"), options.otter, some)
    alone = one_notebook()
    cold = check_cold()

    count = len(names)
    print(f"{count} submissions, {options.workers} workers; the work itself {work * 1000:.0f} ms,")
    print(f"{together * 1000:.0f} ms where so many do it at a time")
    print(f"warming up (once): {mine['warming']:.1f} s\n")
    print(f"{'seconds per submission':<26}{'wall':>8}{'CPU':>8}")
    for step in ("grade", "feedback", "all"):
        wall, cpu = (value / count for value in mine[step])
        print(f"{'course ' + step:<26}{wall:8.3f}{cpu:8.3f}")
    over = mine["all"][1] / count - together
    print(f"{'  CPU over the work':<26}{'':8}{over:8.3f}   at most {AT_MOST_CPU_OVER_WORK:.3f}")
    kept = over <= AT_MOST_CPU_OVER_WORK
    wall, cpu = alone["execute"]
    print(f"{'running one notebook':<26}{wall:8.3f}{cpu:8.3f}")
    over = wall - work
    print(f"{'  over the work':<26}{over:8.3f}{'':8}   at most {AT_MOST_EXECUTE_OVER_WORK:.3f}")
    print(f"a submission in flight: {alone['memory']:.1f} MiB, at most {AT_MOST_MIB_IN_FLIGHT:g}\n")
    print(f"{'course check, cold':<26}{cold[0]:8.3f}{cold[1]:8.3f}   at most {AT_MOST_CHECK:g}")
    kept = kept and cold[0] <= AT_MOST_CHECK
    print(f"\n{'whole commands, seconds':<26}{'wall':>8}{'CPU':>8}")
    both = tuple(sum(commands[step][k] for step in ("grade", "feedback")) for k in range(2))
    for what, (wall, cpu), most in (
        ("until the first score", commands["first"], AT_MOST_UNTIL_FIRST_SCORE),
        ("course grade", commands["grade"], None),
        ("course feedback", commands["feedback"], None),
        ("course, both", both, None),
        ("course grade, nothing new", commands["nothing"], AT_MOST_WITH_NOTHING_TO_DO),
    ):
        print(f"{what:<26}{wall:8.2f}{cpu:8.2f}" + (f"   at most {most:g}" if most else ""))
        kept = kept and (most is None or wall <= most)
    kept = kept and over <= AT_MOST_EXECUTE_OVER_WORK and alone["memory"] <= AT_MOST_MIB_IN_FLIGHT
    if theirs is not None:
        for step in ("grade", "feedback", "all"):
            wall, cpu = (value / len(few) for value in theirs[step])
            print(f"{'nbgrader ' + step:<26}{wall:8.3f}{cpu:8.3f}")
        different = [name for name in few if mine["points"][name] != theirs["points"][name]]
        if different:
            print(f"\nThe points of {', '.join(different)} differ:")
            for name in different:
                print(name, mine["points"][name], theirs["points"][name], sep="\n  ")
            return 1
        print(f"\nthe same points, cell by cell, in {len(few)} submissions")
        ratios = [(theirs["all"][k] / len(few)) / (mine["all"][k] / count) for k in range(2)]
        print(f"faster by wall {ratios[0]:.1f} times (at least {AT_LEAST_TIMES_FASTER:g})")
        print(f"       by CPU  {ratios[1]:.1f} times")
        kept = kept and ratios[0] >= AT_LEAST_TIMES_FASTER
        grown = [
            begin + (whole_of_few - begin) * count / len(few)
            for begin, whole_of_few in zip(theirs["start"], theirs["all"], strict=True)
        ]
        how = "measured" if len(few) == count else f"from {len(few)}, start-up counted once"
        print(f"\nnbgrader's two commands for {count}: {grown[0]:.0f} s ({how})")
        times = grown[0] / both[0]
        print(f"whole commands: {times:.1f} times (at least {AT_LEAST_TIMES_FASTER_WHOLE:g})")
        kept = kept and times >= AT_LEAST_TIMES_FASTER_WHOLE
    if others is not None:
        wall, cpu = (value / len(ran_by_otter) for value in others["all"])
        print(f"\n{'otter run':<26}{wall:8.3f}{cpu:8.3f}")
        different = [
            f"{name}: {others['points'][name]:g} instead of {sum(mine['points'][name].values()):g}"
            for name in ran_by_otter
            if others["points"][name] != sum(mine["points"][name].values())
        ]
        if different:
            print(f"Otter's points differ: {'; '.join(different)}")
            return 1
        ratio = wall / (mine["all"][0] / count)
        print(f"faster by wall {ratio:.1f} times (at least {AT_LEAST_TIMES_OTTER:g})")
        kept = kept and ratio >= AT_LEAST_TIMES_OTTER
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
