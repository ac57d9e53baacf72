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
import time
from contextlib import suppress
from typing import Any

from nbconvert.filters import ansi2html, strip_ansi

from course_lib.grading.engine.limits import (
    LONG_CODE,
    LONGEST_TEXT,
    MARKS,
    MOST_COPIED,
    MOST_MARKS,
    PAGE_TEXTS,
    TEXT_SECONDS,
)

__all__ = ["begin_page", "close", "colored", "latex_output", "markdown", "safe_html"]

# jsonschema, which comes with nbconvert, takes a second to read a grammar of web addresses with a
# library that it can do without.
START = (
    "import sys; sys.modules['rfc3987_syntax'] = None; "
    "from course_lib.grading.pages.markup import serve; serve()"
)

# Seconds for one text, here so that a slow machine can be given more; a page has those of a few.
LIMIT = TEXT_SECONDS
LONGEST = LONGEST_TEXT


class _PageIsOver(Exception):
    """The texts of this page have had their time. It is not remembered of any of them."""


class _Page:
    """The page that is being made: what its texts cost is its own, and not the next one's."""

    def __init__(self) -> None:
        self.spent = 0.0

    def is_over(self) -> bool:
        return self.spent > PAGE_TEXTS * LIMIT


_page = _Page()


def begin_page() -> None:
    """Begin with another page, which has all of its time."""
    _page.spent = 0.0


def safe_html(text: str) -> str:
    """Return HTML with everything taken out that could act; as text, if it takes too long."""
    with suppress(_PageIsOver):
        return _known_html(text)
    return _as_it_is(text)


@functools.lru_cache(maxsize=1024)
def _known_html(text: str) -> str:
    made = _maker.ask("safe_html", text)
    return _as_it_is(text) if made is None else made


def latex_output(text: str) -> str | None:
    """Return an output that is a formula and nothing else as MathML; None if it is not."""
    with suppress(_PageIsOver):
        return _known_formula(text)
    return None


@functools.lru_cache(maxsize=1024)
def _known_formula(text: str) -> str | None:
    return _maker.ask("latex_output", text)


def markdown(source: str, attachments: dict[str, Any] | None = None) -> str:
    """Return Markdown as safe HTML with formulas, or without them, or as text, as it can be had."""
    with suppress(_PageIsOver):
        return _markdown(source, attachments) if attachments else _known_markdown(source)
    return _as_it_is(source)


@functools.lru_cache(maxsize=1024)
def _known_markdown(source: str) -> str:
    """Render a text that the next student's notebook is likely to hold, too."""
    return _markdown(source, {})


def _markdown(source: str, attachments: dict[str, Any]) -> str:
    if sum(map(source.count, MARKS)) > MOST_MARKS:
        return _as_it_is(source)
    made = _maker.ask("markdown", source, attachments)
    if made is None and "$" in source:
        made = _maker.ask("markdown", source, attachments, False)
    return _as_it_is(source) if made is None else made


def colored(text: str) -> str:
    """Return what a terminal would show in colors as HTML; without them, if it takes too long."""
    begin = time.monotonic()
    try:
        # nbconvert copies the rest of the text at each color.
        if (
            _page.is_over()
            or text.count("\x1b") * len(text) > MOST_COPIED
            or LONG_CODE.search(text)
        ):
            return html.escape(strip_ansi(text))
        return ansi2html(text)
    finally:
        _page.spent += time.monotonic() - begin


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

    def ask(self, function: str, text: str, *rest: Any) -> Any:
        """Return what a function of `markup` makes of a text; None if it does not come to it.

        Raises
        ------
        _PageIsOver
            If the texts of this page have had their time.
        """
        if len(text) > LONGEST:
            return None
        if _page.is_over():
            raise _PageIsOver
        with self._lock:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            watch = threading.Timer(LIMIT, process.kill)
            begin, answer = time.monotonic(), ""
            watch.start()
            with suppress(OSError):
                process.stdin.write(json.dumps([function, text, *rest]) + "\n")
                process.stdin.flush()
                answer = process.stdout.readline()
            watch.cancel()
            _page.spent += time.monotonic() - begin
            if answer.endswith("\n"):
                return json.loads(answer)
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
