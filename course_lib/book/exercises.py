"""Generate the exercises' notebooks, of which most builds change none."""

from __future__ import annotations

from pathlib import Path

from course_lib.book import unchanged
from course_lib.paths import built_source_path, exercise_slugs, release_path, source_path


def generate_changed(root: Path, *, force: bool = False) -> dict[str, bool]:
    """Write source and release notebooks of the exercises; say which releases changed.

    That is what `course_lib.assignments.sources.generate` does, which asks nbgrader for each
    exercise. It is asked for those alone whose source or notebooks are not what they were, and for
    all of them when the settings or the code that makes notebooks have changed.
    """
    slugs = [slug for slug in exercise_slugs(root) if source_path(root, slug).is_file()]
    kept = {} if force else unchanged.remembered(root, "exercises").get("each", {})
    makers = _digest_of_makers(root)
    stale = [slug for slug in slugs if kept.get(slug) != _digest(root, slug, makers)]
    changed = dict.fromkeys(slugs, False)
    if stale:
        from course_lib.assignments.sources import generate

        changed |= generate(root, stale)
    each = {slug: _digest(root, slug, makers) for slug in slugs}
    if each != kept:
        unchanged.remember(root, "exercises", makers, each=each)
    return changed


def _digest_of_makers(root: Path) -> str:
    """Return a text that changes with what turns any source into notebooks."""
    settings = [root / name for name in ("nbgrader_config.py", "jupytext.toml", "requirements.txt")]
    here = Path(__file__).parents[1]
    # The settings import what they please of the library that grades.
    library = unchanged.code(*(here / name for name in ("assignments", "exercises", "grading")))
    return unchanged.digest([*settings, here / "paths.py", *library])


def _digest(root: Path, slug: str, makers: str) -> str:
    """Return a text that changes with an exercise's source, or with what was made of it."""
    paths = (source_path(root, slug), built_source_path(root, slug), release_path(root, slug))
    return unchanged.digest(paths, makers)
