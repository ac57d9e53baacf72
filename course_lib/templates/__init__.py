"""Begin a chapter and its exercise from templates."""

from __future__ import annotations

import json
import re
from pathlib import Path

from course_lib.paths import CourseError, toc_entries

_HERE = Path(__file__).parent

#: Template to where it goes.
_FILES = {
    "chapter.md.tmpl": "book/{part}/{slug}.md",
    "exercise.py.tmpl": "solutions/{slug}.py",
    "answers.py.tmpl": "tests/misconceptions/{slug}.py",
}


def write_templates(root: Path, slug: str, *, part: str, title: str = "") -> list[Path]:
    """Write a chapter, an exercise and its answers, and add the chapter to ``_toc.yml``.

    The three are complete in miniature: they build and pass their proofs as they are written.

    Parameters
    ----------
    root : Path
        The course.
    slug : str
        The one name of all parts: small letters, digits, hyphens.
    part : str
        The folder under ``book/``, which ``_toc.yml`` already knows.
    title : str
        Subject and question, such as "Layers: what do hidden layers do?"; the sidebar shows what
        stands before the colon. Made from the slug by default.

    Raises
    ------
    CourseError
        When the name is unfit or taken, the title no subject with its question, or the part
        unknown. Nothing is written then.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", slug):
        raise CourseError(
            f"{slug!r} cannot be a chapter's name: small letters, digits and single hyphens are "
            "wanted, such as gradient-descent."
        )
    paths = {name: root / where.format(part=part, slug=slug) for name, where in _FILES.items()}
    taken = [str(path.relative_to(root)) for path in paths.values() if path.exists()]
    taken += [page for page in toc_entries(root) if page.rpartition("/")[2] == slug]
    if taken:
        raise CourseError(f"{slug!r} is taken: {', '.join(taken)} is there. Choose another name.")
    title = title or f"{slug.replace('-', ' ').capitalize()}: what is it?"
    if not re.fullmatch(r"[^:]+: [^:]+\?", title):
        raise CourseError(
            f"{title!r} cannot be a chapter's title: a subject, a colon and a question are wanted, "
            "such as 'Layers: what do hidden layers do?'."
        )
    toc = _with_page(root / "_toc.yml", f"book/{part}/{slug}", part, title.partition(":")[0])
    for name, path in paths.items():
        text = (_HERE / name).read_text(encoding="utf-8")
        text = text.replace("@@slug@@", slug).replace("@@name@@", slug.replace("-", "_"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("@@title@@", title), encoding="utf-8")
    (root / "_toc.yml").write_text(toc, encoding="utf-8")
    return [*paths.values(), root / "_toc.yml"]


def _with_page(path: Path, page: str, part: str, subject: str) -> str:
    """Return the text of ``_toc.yml`` with a page after the last of its part."""
    lines = path.read_text(encoding="utf-8").splitlines()
    of_part = [row for row, line in enumerate(lines) if f"file: book/{part}/" in line]
    if not of_part:
        known = sorted({p.split("/")[1] for p in toc_entries(path.parent) if p.count("/") > 1})
        raise CourseError(
            f"_toc.yml has no chapter of the part {part!r}. It has: {', '.join(known)}. Add the "
            "part there with a first chapter, or name one of these."
        )
    last = of_part[-1]
    indent = lines[last][: len(lines[last]) - len(lines[last].lstrip())]
    # What belongs to the last page's entry is indented more than its dash.
    after = last + 1
    while after < len(lines) and lines[after].startswith(f"{indent}  "):
        after += 1
    # Quoted, since a subject may hold what means something in YAML.
    lines[after:after] = [f"{indent}- file: {page}", f"{indent}  title: {json.dumps(subject)}"]
    return "\n".join(lines) + "\n"
