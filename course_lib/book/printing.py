"""Printing a page into a PDF with Chromium, without a window."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from course_lib.paths import CourseError

__all__ = ["browser", "print_page"]

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")


def browser() -> str:
    """Return the browser that prints: ``CHROMIUM`` in the environment, or what is installed.

    Raises
    ------
    CourseError
        Where there is none.
    """
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _BROWSERS)), None)
    if not found:
        raise CourseError(
            "There is no Chromium to print the PDF with. Install one (Debian, Ubuntu: apt-get "
            "install chromium; macOS: brew install --cask chromium), or set CHROMIUM to its path."
        )
    return found


def print_page(
    page: Path, target: Path, *, query: str = "", scripts: bool = False, within: int = 1800
) -> None:
    """Print a page into a PDF, with its headings as bookmarks.

    Parameters
    ----------
    page : Path
        An HTML file.
    target : Path
        The PDF, which replaces an older one.
    query : str
        What follows the page's address, such as ``?print-pdf``.
    scripts : bool
        Whether the page's scripts get time to lay it out first.
    within : int
        Seconds after which a browser that hangs is stopped.

    Raises
    ------
    CourseError
        When the browser fails, with its words.
    """
    target.unlink(missing_ok=True)
    # A browser that was stopped may still write into its folder while that is removed.
    with tempfile.TemporaryDirectory(prefix="course-print-", ignore_cleanup_errors=True) as profile:
        command = [
            browser(),
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            f"--user-data-dir={profile}",
            "--no-pdf-header-footer",
            "--generate-pdf-document-outline",
            f"--print-to-pdf={target}",
            # A container has no sandbox to give; what is printed is the book itself.
            "--no-sandbox",
        ]
        if scripts:
            command.append("--virtual-time-budget=20000")
        try:
            done = subprocess.run(
                [*command, f"{page.resolve().as_uri()}{query}"],
                capture_output=True,
                text=True,
                timeout=within,
            )
        except subprocess.TimeoutExpired:
            raise CourseError(
                f"{command[0]} has not printed {page} within {within // 60} minutes. Open it in a "
                "browser and print it there."
            ) from None
    if done.returncode or not target.is_file() or not target.stat().st_size:
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise CourseError(f"{command[0]} has not printed {page}:\n{last}")
