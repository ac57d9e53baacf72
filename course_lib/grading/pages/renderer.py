"""Making markup of what others wrote in a process of its own, with a limit of time.

A text that keeps a parser busy, or makes it crash, costs itself: it is shown as it was written.
"""

from __future__ import annotations

import atexit
import functools
import html
import json
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

__all__ = ["close", "latex_output", "markdown", "safe_html"]

# jsonschema, which comes with nbconvert, takes a second to read a grammar of web addresses with a
# library that it can do without.
START = (
    "import sys; sys.modules['rfc3987_syntax'] = None; "
    "from course_lib.grading.pages.markup import serve; serve()"
)

# Seconds for one text; it takes milliseconds.
LIMIT = 5.0

# Characters. Nothing that is meant to be read is longer.
LONGEST = 200_000

# How often the process may be lost before it is asked for short texts only: each costs the limit.
MOST_LOST = 6
SHORT = 1000


@functools.lru_cache(maxsize=1024)
def safe_html(text: str) -> str:
    """Return HTML with everything taken out that could act; as text, if it takes too long."""
    made = _maker.ask("safe_html", text)
    return _as_it_is(text) if made is None else made


@functools.lru_cache(maxsize=1024)
def latex_output(text: str) -> str | None:
    """Return an output that is a formula and nothing else as MathML; None if it is not."""
    return _maker.ask("latex_output", text)


def markdown(source: str, attachments: dict[str, Any] | None = None) -> str:
    """Return Markdown as safe HTML with formulas, or without them, or as text, as it can be had."""
    if attachments:
        return _markdown(source, attachments)
    return _known_markdown(source)


@functools.lru_cache(maxsize=1024)
def _known_markdown(source: str) -> str:
    """Render a text that the next student's notebook is likely to hold, too."""
    return _markdown(source, {})


def _markdown(source: str, attachments: dict[str, Any]) -> str:
    made = _maker.ask("markdown", source, attachments)
    if made is None and "$" in source:
        made = _maker.ask("markdown", source, attachments, False)
    return _as_it_is(source) if made is None else made


def _as_it_is(text: str) -> str:
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}\n... (cut)"
    return f"<pre>{html.escape(cut)}</pre>"


def close() -> None:
    """End the process, if it runs."""
    _maker.close()


class _Maker:
    """The process, started when it is first needed, and again when it was lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._lost = 0

    def ask(self, function: str, text: str, *rest: Any) -> Any:
        """Return what a function of `markup` makes of a text; None if it does not come to it."""
        if len(text) > (LONGEST if self._lost < MOST_LOST else SHORT):
            return None
        with self._lock:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            watch = threading.Timer(LIMIT, process.kill)
            answer = ""
            watch.start()
            with suppress(OSError):
                process.stdin.write(json.dumps([function, text, *rest]) + "\n")
                process.stdin.flush()
                answer = process.stdout.readline()
            watch.cancel()
            if answer.endswith("\n"):
                return json.loads(answer)
            self._lost += 1
            self._end()
            return None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
            )
            assert self._process.stdout is not None
            # Its start takes longer than any text, and has no limit.
            if not self._process.stdout.readline():
                raise RuntimeError("The process that makes pages safe does not start.")
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    pipe.close()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()


_maker = _Maker()
atexit.register(close)
