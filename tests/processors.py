"""Run the book's pages as other processors would, and say which claims fail there.

Sums come out differently in their last digits from one processor to another, because NumPy,
OpenBLAS and MKL choose their kernels by what the processor can do. A long training amplifies such
differences, so a claim that was asserted on one machine may be false on the next. The libraries
can be told to use the kernels of other processors; the pages run here with those.

    python tests/processors.py                       every page, every kind of processor
    python tests/processors.py --page layers --kind plain

Every statement of a cell that holds claims runs by itself: one that fails does not hide the next.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]

#: What makes the libraries choose the kernels of another processor, by a name for it.
KINDS = {
    "this": {},
    # 2013 and later, without the 512-bit instructions: most laptops, AMD before Zen 4.
    "avx2": {
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_CBWR": "AVX2",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4",
    },
    # No vector instructions beyond the least that NumPy wants, and MKL's way for foreign makes.
    "plain": {
        "OPENBLAS_CORETYPE": "Nehalem",
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_CBWR": "COMPATIBLE",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4",
    },
    # AMD's kernels in OpenBLAS, with what MKL does on them.
    "zen": {
        "OPENBLAS_CORETYPE": "Zen",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_CBWR": "COMPATIBLE",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4",
    },
    # This processor, with sums that two threads share, as in a notebook that was not told of one.
    "threads": {"OMP_NUM_THREADS": "2"},
}

#: What nearly every page imports: once, in the process that the pages are forked from.
COMMON = (
    "IPython.core.interactiveshell",
    "jupytext",
    "matplotlib.pyplot",
    "numpy",
    "scipy.stats",
    "sklearn.datasets",
    "sklearn.linear_model",
    "torch",
    # Whoever makes an optimizer imports it, which takes a second.
    "torch._dynamo",
)


def run_page(page: Path) -> list[str]:
    """Run a page's cells in this process; return a line for each statement that failed."""
    import jupytext
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    failures = []
    for cell in jupytext.read(page).cells:
        if cell.cell_type != "code":
            continue
        steps = [cell.source]
        if "remove-cell" in cell.metadata.get("tags", []):
            steps = [ast.unparse(statement) for statement in ast.parse(cell.source).body]
        for step in steps:
            with capture_output():
                result = shell.run_cell(step)
            if not result.success:
                error = result.error_in_exec or result.error_before_exec
                failures.append(f"{type(error).__name__}: {error}\n      " + step[:600])
                if step is cell.source:
                    return failures  # what comes after needs it
    return failures


def failures_on(kind: str, pages: list[Path]) -> Iterator[tuple[Path, str]]:
    """Run pages as on a kind of processor; yield each as it ends, with what failed."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", **KINDS[kind]}
    command = [sys.executable, "-W", "ignore", __file__, "--inside", *map(str, pages)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        for line in running.stdout:
            page, said = json.loads(line)
            yield Path(page), said
    if running.returncode:
        raise SystemExit(f"the process that runs the pages ended with {running.returncode}")


def run_all(pages: list[Path]) -> None:
    """Run each page in a process forked from this one, which has imported what all of them need.

    The libraries look at the processor when they are imported, so this process is of one kind.
    """
    for name in COMMON:
        importlib.import_module(name)
    running: dict[int, tuple[Path, IO[str]]] = {}

    def wait_for_one() -> None:
        pid, status = os.wait()
        page, said = running.pop(pid)
        said.seek(0)
        what = said.read()
        said.close()
        if os.waitstatus_to_exitcode(status):
            what = what[:6000] or f"    it ended with {os.waitstatus_to_exitcode(status)}\n"
            print(json.dumps([str(page), what]), flush=True)
        else:
            print(json.dumps([str(page), ""]), flush=True)

    for page in pages:
        while len(running) >= (os.cpu_count() or 1):
            wait_for_one()
        said = tempfile.TemporaryFile("w+")  # noqa: SIM115 (open until the page ends)
        pid = os.fork()
        if pid == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            status = 1
            try:
                os.chdir(page.parent)
                failures = run_page(page)
                print("\n".join(f"    {failure}" for failure in failures), flush=True)
                status = int(bool(failures))
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        running[pid] = (page, said)
    while running:
        wait_for_one()


def main() -> int:
    from course_lib.book import kept
    from course_lib.book.chapters import chapter_pages, read_chapter

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", action="append", help="a page's slug; all by default")
    parser.add_argument("--kind", action="append", choices=KINDS, help="all by default")
    parser.add_argument("--inside", type=Path, nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        run_all(arguments.inside)
        return 0

    pages = [ROOT / f"{page}.md" for page in chapter_pages(ROOT)]
    if arguments.page:
        known = {page.stem for page in pages}
        if unknown := set(arguments.page) - known:
            parser.error(
                f"no page {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
            )
        pages = [page for page in pages if page.stem in arguments.page]
    # Pages that cannot run here are left out, and named.
    for page in list(pages):
        name = str(page.relative_to(ROOT).with_suffix(""))
        if missing := kept.absent(ROOT, kept.extra_of(read_chapter(ROOT, name), name)):
            print(f"{page.stem} is left out: {', '.join(missing)} missing")
            pages.remove(page)
    passed = failed = 0
    for kind in arguments.kind or KINDS:
        for page, what in failures_on(kind, pages):
            passed, failed = passed + (not what), failed + bool(what)
            print(f"{kind:8} {page.stem:20} {'fails' if what else 'holds'}")
            print(what, end="", flush=True)
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0 or passed == 0)


if __name__ == "__main__":
    sys.exit(main())
