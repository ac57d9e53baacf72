"""Tell within a moment that a step has nothing to do.

What a chapter or an exercise depends on takes seconds to find out, for which much is imported. As
long as every file that a step could depend on, and every file that it has written, is what it was
when the step was last through, nothing of that need be asked. Whatever differs, the step itself
looks closely: here, a yes is certain and a no is a guess.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def code(*folders: Path) -> Iterator[Path]:
    """Return the files of packages, in their order, without what Python makes of them."""
    for folder in folders:
        yield from sorted(
            path
            for path in folder.rglob("*")
            if path.suffix != ".pyc" and "__pycache__" not in path.parts and path.is_file()
        )


def digest(files: Iterable[Path], *words: str) -> str:
    """Return a text that changes with the name or the content of any of the files."""
    total = hashlib.sha256("\0".join([platform.python_version(), *words]).encode())
    for path in files:
        try:
            content = path.read_bytes()
            size = len(content)
        except OSError:
            content, size = b"", -1
        total.update(f"\0{path}\0{size}\0".encode())
        total.update(content)
    return total.hexdigest()


def remember(root: Path, step: str, found: str, **more: Any) -> None:
    """Keep the digest of a step that is through, and what it takes to compute it again."""
    path = _stamp(root, step)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"digest": found, **more}), encoding="utf-8")
    partial.replace(path)


def remembered(root: Path, step: str) -> dict[str, Any]:
    """Return what was kept, or nothing."""
    try:
        kept = json.loads(_stamp(root, step).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _stamp(root: Path, step: str) -> Path:
    return root / "_build" / "stamps" / f"{step}.json"
