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
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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


def failures_on(kind: str, page: Path) -> str:
    """Run one page in a process of its own as on a kind of processor; return what failed."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", **KINDS[kind]}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--inside", str(page)],
        cwd=page.parent,
        env=environment,
        capture_output=True,
        text=True,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr[-2000:]


def main() -> int:
    from course_lib.book import kept
    from course_lib.book.chapters import chapter_pages, read_chapter

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", action="append", help="a page's slug; all by default")
    parser.add_argument("--kind", action="append", choices=KINDS, help="all by default")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        failures = run_page(arguments.inside)
        print("\n".join(f"    {failure}" for failure in failures))
        return bool(failures)

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
    runs = [(kind, page) for kind in arguments.kind or KINDS for page in pages]
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (kind, page), what in zip(
            runs, pool.map(lambda run: failures_on(*run), runs), strict=True
        ):
            failed += bool(what)
            print(
                f"{kind:8} {page.stem:20} {'fails' if what else 'holds'}\n{what}",
                end="",
                flush=True,
            )
    print(f"{len(runs) - failed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
