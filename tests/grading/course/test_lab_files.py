"""A picture that is pasted into a chapter in JupyterLab is there after saving."""

import asyncio
import base64
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from tornado.web import HTTPError

from course_lib.grading.course.lab_files import TextNotebooks, take_pictures

PNG = b"\x89PNG\r\n\x1a\n-and-more"
SVG = "<svg xmlns='http://www.w3.org/2000/svg'></svg>"
MATTER = {"jupytext": {"text_representation": {"extension": ".md", "format_name": "myst"}}}


def notebook(*texts: str, **pictures: Any) -> dict[str, Any]:
    made = new_notebook(cells=[*map(new_markdown_cell, texts), new_code_cell("x = 1")])
    made.metadata.update(MATTER, kernelspec={"name": "python3", "display_name": "Python 3"})
    if pictures:
        made.cells[0]["attachments"] = {
            name.replace("_", "."): bundle for name, bundle in pictures.items()
        }
    return made


BUNDLE = {"image/png": base64.b64encode(PNG).decode()}


def save(manager: TextNotebooks, content: dict[str, Any], path: str) -> None:
    asyncio.run(manager.save({"type": "notebook", "content": content}, path))


def test_a_pasted_picture_is_a_file_beside_its_chapter(tmp_path: Path) -> None:
    manager = TextNotebooks(root_dir=str(tmp_path))
    (tmp_path / "book" / "part").mkdir(parents=True)
    pasted = notebook("Look: ![a curve](attachment:image.png)", "Text.", image_png=BUNDLE)
    for _ in range(2):  # the browser keeps the cell as it was pasted
        save(manager, pasted, "book/part/slug.md")
    (picture,) = (tmp_path / "book" / "part" / "pictures").iterdir()
    assert picture.read_bytes() == PNG
    text = (tmp_path / "book" / "part" / "slug.md").read_text(encoding="utf-8")
    assert f"Look: ![a curve](pictures/{picture.name})" in text
    assert "attachment" not in text
    assert picture.name.startswith("slug-")


def test_where_there_is_no_place_for_it_saving_is_refused(tmp_path: Path) -> None:
    manager = TextNotebooks(root_dir=str(tmp_path))
    (tmp_path / "solutions").mkdir()
    pasted = notebook("![a](attachment:image.png)", image_png=BUNDLE)
    with pytest.raises(HTTPError, match=r"Not saved: solutions/slug.py is text.*image.png") as told:
        save(manager, pasted, "solutions/slug.py")
    assert told.value.status_code == 400
    assert list((tmp_path / "solutions").iterdir()) == []
    # A notebook has a place for it, and what is shown nowhere needs none.
    save(manager, pasted, "solutions/slug.ipynb")
    assert "image.png" in (tmp_path / "solutions" / "slug.ipynb").read_text()
    save(manager, notebook("Text.", image_png=BUNDLE), "solutions/slug.py")
    assert "Text." in (tmp_path / "solutions" / "slug.py").read_text()


def test_kinds_of_pictures() -> None:
    path = PurePosixPath("book/part/slug.md")
    drawn = notebook("![a](attachment:a.svg) ![b](attachment:b.svg)", a_svg={"image/svg+xml": SVG})
    _, files = take_pictures(drawn, path)
    assert list(files.values()) == [SVG.encode()]
    with pytest.raises(ValueError, match="a.bmp is none that pages show"):
        take_pictures(notebook("![a](attachment:a.bmp)", a_bmp={"image/bmp": "AAAA"}), path)
    plain = notebook("Text.")
    assert take_pictures(plain, path) == (plain, {})
