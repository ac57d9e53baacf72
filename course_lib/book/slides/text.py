"""A chapter's text in blocks, its roles as plain words, and the sentences that fit on a slide."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Block", "Words", "blocks", "key_sentences", "sentences", "word_count"]

#: A slide is read at a glance, from the last row.
MOST_WORDS = 40

_LABEL = re.compile(r"\(([\w-]+)\)=\s*")
_FENCE = re.compile(r"(:{3,}|`{3,})(?:\{([\w:-]+)\})?[ \t]*(.*)")
_OPTION = re.compile(r":([\w-]+):[ \t]*(.*)")


@dataclass
class Block:
    """A piece of a page.

    Attributes
    ----------
    kind : str
        ``"heading"``, ``"paragraph"``, ``"list"``, ``"formula"``, ``"code"``, or the name of a
        directive, such as ``"admonition"``.
    text : str
        What stands in it, without marks of the block.
    title : str
        A directive's argument.
    level : int
        Of a heading.
    options : dict
        A directive's.
    """

    kind: str
    text: str
    title: str = ""
    level: int = 0
    options: Mapping[str, str] = field(default_factory=dict)


def blocks(source: str) -> Iterator[Block]:
    """Yield the blocks of a page or a cell in MyST, in order."""
    lines = source.split("\n")
    place = 0
    while place < len(lines):
        line = lines[place]
        fence = _FENCE.match(line)
        if not line.strip() or _LABEL.fullmatch(line):
            place += 1
        elif fence:
            end = _closing(lines, place, fence[1])
            yield _fenced(fence, lines[place + 1 : end])
            place = end + 1
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            yield Block("heading", line.lstrip("#").strip(), level=level)
            place += 1
        elif line.startswith("$$"):
            end = place
            while not (lines[end].rstrip().endswith("$$") and (end > place or len(line) > 2)):
                end += 1
                if end == len(lines):
                    break
            yield Block("formula", "\n".join(lines[place : end + 1]).strip().strip("$").strip())
            place = end + 1
        else:
            end = place
            while end < len(lines) and not (
                (not lines[end].strip() and not _goes_on(lines, place, end))
                or (end > place and lines[end].startswith("$$"))
                or _FENCE.match(lines[end])
            ):
                end += 1
            kind = "list" if re.match(r"[-*] |\d+\. ", line) else "paragraph"
            if line.startswith("|"):
                kind = "table"
            yield Block(kind, "\n".join(lines[place:end]).strip())
            place = max(end, place + 1)


def _goes_on(lines: list[str], start: int, place: int) -> bool:
    """Tell whether a list goes on after an empty line."""
    if not re.match(r"[-*] |\d+\. ", lines[start]):
        return False
    rest = next((line for line in lines[place:] if line.strip()), "")
    return bool(re.match(r"[-*] |\d+\. |  ", rest))


def _closing(lines: list[str], start: int, mark: str) -> int:
    for place in range(start + 1, len(lines)):
        if lines[place].strip() == mark:
            return place
    return len(lines)


def _fenced(fence: re.Match[str], inside: list[str]) -> Block:
    kind = fence[2] or "code"
    options = {}
    while fence[2] and inside and (option := _OPTION.fullmatch(inside[0])):
        options[option[1]] = option[2]
        inside = inside[1:]
    return Block(kind, "\n".join(inside).strip(), title=fence[3].strip(), options=options)


class Words:
    """Makes plain words of the roles of a page.

    Parameters
    ----------
    titles : mapping
        What other chapters are called, by slug.
    bibliography : Path
        The book's references.
    """

    def __init__(self, titles: Mapping[str, str], bibliography: Path) -> None:
        self._titles = titles
        self._bibliography = bibliography

    @functools.cached_property
    def _sources(self) -> dict[str, str]:
        """Authors and year of each reference, as a text names them."""
        from pybtex.database import parse_file

        found = {}
        for key, entry in parse_file(str(self._bibliography), bib_format="bibtex").entries.items():
            people = entry.persons.get("author") or entry.persons.get("editor") or []
            names = [" ".join([*person.prelast_names, *person.last_names]) for person in people]
            names = [_letters(name) for name in names]
            if len(names) > 2:
                who = f"{names[0]} et al."
            else:
                who = " and ".join(names) or re.sub(r"[{}]", "", entry.fields.get("title", key))
            found[key] = f"{who} ({entry.fields.get('year', 'undated')})"
        return found

    def plain(self, text: str) -> str:
        """Return a text with its formulas and emphasis, and no roles or references."""
        text = re.sub(r"\\\n", "\n", text)
        text = re.sub(r"\s*\{(?:cite|cite:p|cite:ps)\}`[^`]+`", "", text)
        text = re.sub(
            r"\{cite:(?:t|ts|alp)\}`([^`]+)`",
            lambda m: " and ".join(self._sources.get(k.strip(), k) for k in m[1].split(",")),
            text,
        )
        text = re.sub(r"(^|[.?!] )\{numref\}`[^`]+`", r"\1The figure", text)
        text = re.sub(r"\{numref\}`[^`]+`", "the figure", text)
        text = re.sub(r"\{[\w:]+\}`([^`<]+?)\s*<([^>`]+)>`", r"\1", text)
        text = re.sub(
            r"\{doc\}`([^`]+)`", lambda m: self._titles.get(Path(m[1]).name, Path(m[1]).name), text
        )
        text = re.sub(r"\{[\w:]+\}`~?([^`]+)`", r"\1", text)
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
        return re.sub(r"[ \t]+", " ", text).strip()


def _letters(name: str) -> str:
    """Return a name with its accents, of which BibTeX makes commands."""
    from pybtex.richtext import Text

    return str(Text.from_latex(name))


_END = re.compile(r"(?<=[.?!])(?:[)*\"”’]*)\s+(?=[A-Z$*`“\"(])")
_SHORT = re.compile(r"\b(?:e\.g|i\.e|et al|vs|Dr|Fig|Eq|No|[A-Z])\.$")


def sentences(text: str) -> list[str]:
    """Return the sentences of a paragraph."""
    text = " ".join(text.split())
    found: list[str] = []
    begin = 0
    for end in _END.finditer(text):
        part = text[begin : end.start()]
        # Not within a formula or code, and not after an abbreviation.
        whole = text[begin : end.end()].rstrip()
        if part.count("$") % 2 or part.count("`") % 2 or _SHORT.search(part):
            continue
        if part.count("(") > part.count(")") and whole.count("(") > whole.count(")"):
            continue
        found.append(whole)
        begin = end.end()
    return [*found, text[begin:]] if text[begin:] else found


def word_count(text: str) -> int:
    """Return how many words an audience has to read; a formula counts as one."""
    return len(re.sub(r"\$[^$]*\$", "x", text).split())


# What leans on the sentence before it, speaks of the page, or to its reader.
_LEANS = re.compile(
    r"\(?(It|They|This|That|These|Those|He|She|Both|Such|So|But|And|Or|Then|There|Here|Now|Only|Its"
    r"|Their|Else|Otherwise|Nor|Neither|Either|Yet|Still|For example|For instance|In the code"
    r"|All of th|Each of th|The first|The second|The former|The latter|The other|The last|Another"
    r"|Let us|We |Let|Read|Look|Take|Try|Which|How|What|Why|Before|Below|Above|Also|Once more|Again"
    r"|All |Each of|Dividing by|The figure|The same|The two|The three|The cell|The code|The output"
    r"|The table|Of th|In th)\b"
)
_OF_THE_PAGE = re.compile(
    r"\{(?:cite|numref|doc|download)|\b(chapter|section|page|below|above|cell|exercise|next|earlier"
    r"|printed|code|runs|these|those|this|here)\b|\?$|:$|`[a-z_]+\(|course_lib"
)
_DEFINES = re.compile(r"\{term\}`|(?<![*\w])\*[a-z][^*\n]{2,40}\*(?!\*)")


def key_sentences(paragraphs: list[str], most: int = 2) -> list[str]:
    """Return the sentences of a section that say by themselves what it is about.

    Chosen are sentences that define a term, or that open a paragraph; none that lean on the one
    before, point elsewhere, or ask; and no more words than a slide holds.
    """
    rated: list[tuple[float, int, str]] = []
    place = 0
    for number, paragraph in enumerate(paragraphs):
        for index, sentence in enumerate(sentences(paragraph)):
            place += 1
            words = word_count(sentence)
            if (
                not 7 <= words <= 26
                or not re.match(r"[A-Z$*`“]", sentence)
                or _LEANS.match(sentence)
                or _OF_THE_PAGE.search(sentence)
            ):
                continue
            score = 3.0 * bool(_DEFINES.search(sentence)) + (index == 0) + (number == 0)
            score -= 0.03 * words
            rated.append((score, place, sentence))
    chosen: list[tuple[int, str]] = []
    room = MOST_WORDS
    for score, place, sentence in sorted(rated, key=lambda entry: (-entry[0], entry[1])):
        if score > 0.2 and len(chosen) < most and word_count(sentence) <= room:
            chosen.append((place, sentence))
            room -= word_count(sentence)
    return [sentence for _, sentence in sorted(chosen)]
