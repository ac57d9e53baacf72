"""How JupyterLab saves chapters and exercise sources, which are text and hold no pictures.

A picture that is pasted into a notebook is kept in its cell, and a text file has no place for that:
jupytext drops it without a word. Here a chapter gets it as a file, and where there is no place for
a file either, saving is refused with what to do, so that the notebook in the browser keeps it.
"""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
from pathlib import Path, PurePosixPath
from typing import Any

from jupytext import AsyncTextFileContentsManager
from tornado.web import HTTPError

__all__ = ["TextNotebooks", "take_pictures"]

#: Kinds of pictures that a page can show, and how their files end.
ENDINGS = {
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/webp": ".webp",
}


class TextNotebooks(AsyncTextFileContentsManager):
    """jupytext's contents manager, which keeps pictures that were pasted into a chapter."""

    async def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        """Save a file or a notebook; the pictures of a chapter beside it."""
        where = PurePosixPath(path.strip("/"))
        if model.get("type") != "notebook" or where.suffix == ".ipynb":
            return await super().save(model, path)
        try:
            content, files = take_pictures(model["content"], where)
        except ValueError as error:
            raise HTTPError(400, str(error)) from error
        for name, data in files.items():
            file = Path(self._get_os_path(name))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return await super().save({**model, "content": content}, path)


def take_pictures(
    notebook: dict[str, Any], path: PurePosixPath
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return a notebook whose cells show files in the place of pictures of their own.

    Parameters
    ----------
    notebook : dict
        As JupyterLab sends it. It is not changed.
    path : PurePosixPath
        Where its text is kept, from the course's folder.

    Returns
    -------
    dict, dict of str to bytes
        The notebook, and the files by their paths.

    Raises
    ------
    ValueError
        If there is no place for a picture, or it is of a kind that pages do not show.
    """
    files: dict[str, bytes] = {}
    if not any(cell.get("attachments") for cell in notebook.get("cells", [])):
        return notebook, files
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        for name, bundle in (cell.pop("attachments", None) or {}).items():
            link = f"](attachment:{name})"
            source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
            if link not in source:
                continue  # its picture was deleted from the text
            if path.parts[:1] != ("book",) or path.suffix != ".md":
                raise ValueError(
                    f"Not saved: {path} is text, which cannot keep the picture {name} that was "
                    "pasted into it. Draw it in a code cell, or put it as a file into "
                    "_static/ and link it; then take it out of the cell and save again."
                )
            kind, data = _picture(bundle, name)
            digest = hashlib.sha256(data).hexdigest()[:8]
            file = f"pictures/{path.stem}-{digest}{ENDINGS[kind]}"
            files[str(path.parent / file)] = data
            cell["source"] = source.replace(link, f"]({file})")
    return notebook, files


def _picture(bundle: Any, name: str) -> tuple[str, bytes]:
    """Return the kind of a picture and the content of its file."""
    for kind in ENDINGS:
        text = bundle.get(kind) if isinstance(bundle, dict) else None
        text = "".join(text) if isinstance(text, list) else text
        if isinstance(text, str):
            try:
                data = text.encode() if kind == "image/svg+xml" else None
                return kind, data if data and b"<svg" in data else base64.b64decode(text)
            except binascii.Error:
                break
    raise ValueError(
        f"Not saved: the picture {name} is none that pages show (PNG, JPEG, GIF, SVG or WebP). "
        "Convert it, paste it again and save."
    )
