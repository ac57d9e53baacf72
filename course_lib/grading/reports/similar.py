"""Submissions that are alike, for a person to look at. Nothing here judges.

The code of each submission becomes a sequence of tokens without comments, layout and docstrings,
in which every name that the student could have chosen otherwise is the same token. Runs of
`LENGTH` tokens are hashed, what the release holds is left out, and of the rest some are selected
as fingerprints by *winnowing*: in every window of `WINDOW` of them, the smallest [1]_. Any passage
of ``LENGTH + WINDOW - 1`` tokens that two submissions share is found, wherever it stands.

What a class writes the same way is no sign of anything: a fingerprint counts the less, the more
submissions have it, and one that only two have counts 1. Submissions are compared through the
fingerprints that they share and never each with each, so that a class of thousands takes seconds.

References
----------
.. [1] S. Schleimer, D. S. Wilkerson, A. Aiken. Winnowing: local algorithms for document
   fingerprinting. SIGMOD 2003. doi:10.1145/872757.872770
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import io
import itertools
import json
import keyword
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from course_lib.grading.course.folder import Course, GradingError
from course_lib.grading.course.text import decoded
from course_lib.grading.engine.limits import (
    COMPARED_CELLS,
    COMPARED_CHARACTERS,
    COMPARED_TOGETHER,
    LARGEST_NOTEBOOK,
)

__all__ = ["Pair", "Passage", "Similar", "Text", "passages", "similar", "similar_texts"]

# Tokens of a run that is hashed, and runs of a window: what is shorter than 10 tokens is never
# seen, and what is 15 or longer always.
LENGTH = 10
WINDOW = 6

# A fingerprint that more submissions than this have is paired along a chain, and not each with
# each: a text from the web that sixty have handed in is still found.
CROWD = 30

# Fingerprints of a pair alone that make it worth a look, and the part of the smaller one's own.
EVIDENCE = 5.0
SHARE = 0.3


@dataclass
class Text:
    """The code of a submission: its cells, and their names."""

    names: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, cells: Iterable[tuple[str, str]]) -> Text:
        """Return the code of cells, each with its name."""
        made = cls()
        for name, source in cells:
            made.names.append(name)
            made.sources.append(source)
        return made


@dataclass(slots=True)
class Pair:
    """Two submissions that share more than the class does.

    Attributes
    ----------
    share : float
        What part of the smaller one's own fingerprints the other has too, by their weight.
    evidence : float
        How much that is, in fingerprints that nobody else has.
    """

    first: str
    second: str
    share: float
    evidence: float


@dataclass(slots=True)
class Passage:
    """A passage that two submissions share: cells and lines, from one, and the lines themselves."""

    first_cell: str
    first_lines: tuple[int, int]
    first_text: str
    second_cell: str
    second_lines: tuple[int, int]
    second_text: str
    tokens: int


@dataclass
class Similar:
    """The submissions of an assignment that are alike, most alike first."""

    assignment: str
    compared: int
    pairs: list[Pair] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Whose submission could not be read."""


def similar(slug: str, course_dir: Path | str | Course = ".", *, students: str = "*") -> Similar:
    """Return which submissions to an assignment are alike.

    Parameters
    ----------
    slug : str
        The assignment.
    course_dir : path
        The course.
    students : str
        A glob on the names of the students.

    Raises
    ------
    GradingError
        If nobody has handed in.
    """
    course = course_dir if isinstance(course_dir, Course) else Course(course_dir)
    names = course.submissions(slug, students)
    if not names:
        raise GradingError(f"Nobody has handed in {slug!r}.")
    known = runs_of_release(course, slug)
    prints: list[np.ndarray] = []
    read, unread = [], []
    for name in names:
        text = read_text(course.path("submitted", name, slug))
        if text is None:
            unread.append(name)
        else:
            read.append(name)
            prints.append(fingerprints(text, known))
    return Similar(slug, len(read), pairs_of(read, prints), unread)


def similar_texts(texts: Mapping[str, Text], release: Text | None = None) -> list[Pair]:
    """Return which of some texts are alike, most alike first."""
    known = runs(release) if release else np.array([], dtype=np.uint64)
    prints = [fingerprints(text, known) for text in texts.values()]
    return pairs_of(list(texts), prints)


def passages(
    slug: str, first: str, second: str, course_dir: Path | str | Course = "."
) -> list[Passage]:
    """Return what two submissions share beyond the release, longest first.

    Raises
    ------
    GradingError
        If one of them is not there, or cannot be read.
    """
    course = course_dir if isinstance(course_dir, Course) else Course(course_dir)
    texts = []
    for name in (first, second):
        folder = course.path("submitted", name, slug)
        text = read_text(folder) if folder.is_dir() else None
        if text is None:
            raise GradingError(f"There is no submission of {slug!r} by {name!r} that can be read.")
        texts.append(text)
    return shared(texts[0], texts[1], runs_of_release(course, slug))


# Submissions


def runs_of_release(course: Course, slug: str) -> np.ndarray:
    """Return the hashes of what students were given."""
    text = read_text(course.path("release", ".", slug))
    return runs(text) if text else np.array([], dtype=np.uint64)


def read_text(folder: Path) -> Text | None:
    """Return the code of the notebooks in a folder; None if there is none that can be read.

    All code counts, whatever the metadata of its cell say: they are the student's to change. Tests
    go with the release.
    """
    cells: list[tuple[str, str]] = []
    found = False
    for path in sorted(folder.glob("*.ipynb")):
        try:
            if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_NOTEBOOK:
                continue
            notebook = json.loads(decoded(path.read_bytes()))
            cells += _code_cells(path.stem, notebook)
            found = True
        except (OSError, ValueError, RecursionError, AttributeError, TypeError):
            continue
    return Text.of(cells) if found else None


def _code_cells(stem: str, notebook: Any) -> Iterator[tuple[str, str]]:
    # Not nbformat's reader, which validates: ten times as long, and for what is only looked at.
    room = COMPARED_TOGETHER
    for place, cell in enumerate(notebook.get("cells", [])[:COMPARED_CELLS]):
        own = cell.get("metadata", {}).get("nbgrader")
        own = own if isinstance(own, dict) else {}
        # One that was made another kind of cell is made code again where it is graded.
        if "code" in (cell.get("cell_type"), own.get("cell_type")) and room > 0:
            name = own.get("grade_id")
            source = cell.get("source", "")
            text = source if isinstance(source, str) else "".join(map(str, source))
            text = text[: min(room, COMPARED_CHARACTERS)]
            room -= len(text)
            yield f"{stem}/{name or f'cell {place + 1}'}", text


# Tokens

KEPT = frozenset((*keyword.kwlist, *dir(builtins)))
SKIPPED = frozenset(
    (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
        tokenize.ENCODING,
    )
)
ENDS_OF_STATEMENTS = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
# What can be made out of a line that is no Python.
ROUGH = re.compile(r"[^\W\d]\w*|\d[\w.]*|\"[^\"]*\"|'[^']*'|[^\w\s]")

NAME, NUMBER, STRING = "name", "0", "''"


@functools.lru_cache(maxsize=128)
def tokens_of(source: str) -> tuple[tuple[str, int], ...]:
    """Return the tokens of a cell and their lines, counted from 1.

    Names that the cell gives to something are all the same token, and so are numbers and texts.
    Names of others stay: nobody can call ``np.exp`` something else.
    """
    raw = _raw_tokens(source)
    chosen = _chosen_names(raw)
    made = []
    for kind, text, line in raw:
        if kind == tokenize.NAME and text in chosen and text not in KEPT:
            made.append((NAME, line))
        elif kind == tokenize.NUMBER:
            made.append((NUMBER, line))
        elif kind == tokenize.STRING:
            made.append((STRING, line))
        else:
            made.append((text, line))
    return tuple(made)


def _raw_tokens(source: str) -> list[tuple[int, str, int]]:
    """Return kinds, texts and lines; where the cell is no Python, what a rough look makes out."""
    found: list[tuple[int, str, int]] = []
    statement = True
    reached = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            reached = token.start[0]
            if token.type in SKIPPED:
                statement = statement or token.type in ENDS_OF_STATEMENTS
                continue
            # A text that is a statement by itself is a docstring, or a comment.
            if not (statement and token.type == tokenize.STRING):
                found.append((token.type, token.string, reached))
            statement = False
    except (tokenize.TokenError, SyntaxError):
        done = max((line for *_, line in found), default=0)
        for number, line in enumerate(source.splitlines(), start=1):
            if number > done:
                found += [(_rough_kind(text), text, number) for text in ROUGH.findall(line)]
    return found


def _rough_kind(text: str) -> int:
    if text[0].isdigit():
        return tokenize.NUMBER
    if text[0] in "\"'" and len(text) > 1:
        return tokenize.STRING
    return tokenize.NAME if text[0].isidentifier() else tokenize.OP


def _chosen_names(raw: Sequence[tuple[int, str, int]]) -> set[str]:
    """Return the names that a cell gives: of variables, arguments, functions, attributes."""
    names = {text for kind, text, _ in raw if kind == tokenize.NAME}
    # What stands behind a dot and is not given here is somebody else's: np.exp, x.mean().
    foreign, own = set(), set()
    for (_, before, _), (kind, text, _), (_, after, _) in zip(
        [(0, "", 0), *raw], raw, [*raw[1:], (0, "", 0)], strict=False
    ):
        if kind != tokenize.NAME:
            continue
        if before == "." and after != "=":
            foreign.add(text)
        elif before != "." or after == "=":
            own.add(text)
    return names - (foreign - own)


# Fingerprints


def runs(text: Text) -> np.ndarray:
    """Return the hash of each run of tokens within a cell, in order."""
    return _joined(map(runs_of, text.sources))


def _joined(parts: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.array([], dtype=np.uint64), *parts])


@functools.lru_cache(maxsize=1024)
def runs_of(source: str) -> np.ndarray:
    """Return the hash of each run of tokens in a cell, in order."""
    numbers = [_number(text) for text, _ in tokens_of(source)]
    return _hashes(np.array(numbers, dtype=np.uint64))


@functools.lru_cache(maxsize=65536)
def _number(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest(), "little")


def _hashes(numbers: np.ndarray) -> np.ndarray:
    """Return a hash of each run of `LENGTH` numbers."""
    count = len(numbers) - LENGTH + 1
    if count <= 0:
        return np.array([], dtype=np.uint64)
    total = np.zeros(count, dtype=np.uint64)
    for offset in range(LENGTH):
        total = total * np.uint64(0x9E3779B97F4A7C15) + numbers[offset : offset + count]
    # The smallest are chosen: smallness must say nothing of what was hashed.
    total ^= total >> np.uint64(29)
    return total * np.uint64(0xBF58476D1CE4E5B9)


def fingerprints(text: Text, known: np.ndarray) -> np.ndarray:
    """Return a text's fingerprints, without what is `known` from the release."""
    cells = map(runs_of, text.sources)
    return np.unique(_joined(_winnowed(hashes[~np.isin(hashes, known)]) for hashes in cells))


def _winnowed(hashes: np.ndarray) -> np.ndarray:
    """Return the smallest hash of each window."""
    if len(hashes) == 0:
        return hashes
    windows = np.lib.stride_tricks.sliding_window_view(hashes, min(WINDOW, len(hashes)))
    return np.unique(windows.min(axis=1))


def pairs_of(names: Sequence[str], prints: Sequence[np.ndarray]) -> list[Pair]:
    """Return the pairs that share enough of what few have, most alike first."""
    count = len(names)
    if count < 2:
        return []
    owners = np.repeat(np.arange(count), [len(entry) for entry in prints])
    values = np.concatenate(prints) if prints else np.array([], dtype=np.uint64)
    order = np.lexsort((owners, values))
    owners, values = owners[order], values[order]
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))[: len(values)]
    sizes = np.diff(np.append(starts, len(values)))
    weights = _weights(sizes, count)
    own = np.bincount(owners, weights=np.repeat(weights, sizes), minlength=count)
    keys, evidence = _meetings(owners, starts, sizes, weights, count)
    # Of what a crowd has, only a part was counted: this is the most that there can be.
    crowded = np.bincount(
        owners, weights=np.repeat(np.where(sizes > CROWD, weights, 0.0), sizes), minlength=count
    )
    left, right = np.divmod(keys, count)
    most = evidence + np.minimum(crowded[left], crowded[right])
    likely = (most >= EVIDENCE) & (most >= SHARE * np.minimum(own[left], own[right]))
    found = []
    distinct = values[starts]
    for key in keys[likely].tolist():
        first, second = divmod(key, count)
        both = np.intersect1d(prints[first], prints[second], assume_unique=True)
        amount = float(weights[np.searchsorted(distinct, both)].sum())
        share = amount / float(min(own[first], own[second]))
        if amount >= EVIDENCE and share >= SHARE:
            found.append(Pair(names[first], names[second], round(share, 3), round(amount, 1)))
    return sorted(found, key=lambda pair: (-pair.share, -pair.evidence, pair.first, pair.second))


def _weights(sizes: np.ndarray, count: int) -> np.ndarray:
    """Return what a fingerprint counts that some of a class have: 1 for two, near 0 for all."""
    return np.minimum(1.0, np.log((count + 1) / sizes) / np.log((count + 1) / 2))


def _meetings(
    owners: np.ndarray, starts: np.ndarray, sizes: np.ndarray, weights: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs that share fingerprints, as ``first * count + second``, and how much."""
    keys = np.array([], dtype=np.int64)
    amounts = np.array([], dtype=np.float64)
    for size in np.unique(sizes[sizes > 1]):
        here = np.flatnonzero(sizes == size)
        groups = owners[starts[here][:, None] + np.arange(size)]
        if size <= CROWD:
            left, right = np.triu_indices(size, k=1)
        else:
            left, right = np.arange(size - 1), np.arange(1, size)
        # A few groups at a time: of large ones, each makes hundreds of pairs.
        for part in np.array_split(np.arange(len(here)), max(1, len(here) * len(left) // 10**6)):
            new = groups[part][:, left].astype(np.int64) * count + groups[part][:, right]
            weight = np.repeat(weights[here][part], len(left))
            keys, place = np.unique(np.concatenate([keys, new.ravel()]), return_inverse=True)
            amounts = np.bincount(place, weights=np.concatenate([amounts, weight]))
    return keys, amounts


# Side by side


def shared(first: Text, second: Text, known: np.ndarray) -> list[Passage]:
    """Return the passages that two texts share, longest first; no token belongs to two of them."""
    places: dict[int, list[Place]] = {}
    for place, value in _placed_runs(second):
        places.setdefault(value, []).append(place)
    release = set(known.tolist())
    matches = [
        (_length(first, second, here, there), here, there)
        for here, value in _placed_runs(first)
        if value not in release
        for there in places.get(value, [])
    ]
    taken: tuple[set[Place], set[Place]] = (set(), set())
    found = []
    for length, here, there in sorted(matches, key=lambda match: (-match[0], match[1], match[2])):
        mine, theirs = ([(cell, start + n) for n in range(length)] for cell, start in (here, there))
        if taken[0].isdisjoint(mine) and taken[1].isdisjoint(theirs):
            taken[0].update(mine)
            taken[1].update(theirs)
            parts = [*_part(first, here, length), *_part(second, there, length)]
            found.append(Passage(*parts, tokens=length))
    return found


Place = tuple[int, int]
"""A cell and a token of it."""


def _placed_runs(text: Text) -> Iterator[tuple[Place, int]]:
    for cell, source in enumerate(text.sources):
        for start, value in enumerate(runs_of(source).tolist()):
            yield (cell, start), value


def _length(first: Text, second: Text, here: Place, there: Place) -> int:
    """Return how many tokens are the same from two places on, within their cells."""
    mine = tokens_of(first.sources[here[0]])[here[1] :]
    theirs = tokens_of(second.sources[there[0]])[there[1] :]
    pairs = zip(mine, theirs, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0][0] == pair[1][0], pairs))


def _part(text: Text, place: Place, length: int) -> tuple[str, tuple[int, int], str]:
    """Return a passage's cell, its first and last line there, and those lines."""
    cell, start = place
    tokens = tokens_of(text.sources[cell])
    begin, end = tokens[start][1], tokens[start + length - 1][1]
    lines = text.sources[cell].splitlines()[begin - 1 : end]
    return text.names[cell], (begin, end), "\n".join(lines)
