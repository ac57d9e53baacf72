"""A Sphinx extension: a page asks for what it shows, and not for all that its theme could do.

The theme brings two thousand icons, the rules of a whole framework and, on every page, the index of
the search. When the site is built, each page gets the icons that it shows, written into it; style
sheets lose the rules that no page and no script can use; the search loads when it is opened
(``_static/find.js``); images say their size, so that nothing moves when they come; and files that
no page asks for any more are left out.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import tinycss2
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

from course_lib.book.fonts import write_subset

__all__ = ["image_size", "names_in_page", "names_in_script", "prune", "setup", "with_icons"]

_PAGE_NAMES = re.compile(r'\b(?:class|id)="([^"]*)"|<([a-z]+-[\w-]+)')
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_ICON = re.compile(r'<i class="([^"]*\bfa-[^"]*)"([^>]*)></i>')
_TITLE = re.compile(r'\stitle="[^"]*"')
_OUTLINE = re.compile(r'[{,]"?([\w-]+)"?:\[(\d+),(\d+),\[[^\]]*\],"\w+","([^"]+)"\]')
_KINDS = {"fa-solid": "fas", "fa-regular": "far", "fa-brands": "fab"}
_IMAGE = re.compile(r"<img\b(?![^>]*\s(?:width|height)=)[^>]*>")
_SOURCE = re.compile(r'\ssrc="([^"]*)"')
_ASSET = re.compile(r'((?:href|src)=")([^":?]*\.(?:css|js))(?:\?[^"]*)?(")')
#: Scripts that pages do without: icons are written into them, and the search comes when it is
#: opened.
_ICON_SCRIPT = re.compile(
    r"\s*<!--[^>]*custom icons -->\s*<script\b[^>]*/fontawesome\.js[^>]*></script>"
)
_SEARCH_SCRIPT = re.compile(
    r'\s*<script src="[^"]*\b(?:searchtools|language_data|searchindex)\.js[^"]*"></script>'
)
#: Classes that Bootstrap puts together from parts, so that no script has them whole.
_BUILT = re.compile(r"bs-(tooltip|popover)-\w+")
#: What is left out of the site, since no page asks for it.
_UNUSED = ("scripts/fontawesome.js", "scripts/fontawesome.js.LICENSE.txt", "mathjax")
#: Where the theme has a font of icons, which some of its rules take their characters from.
_ICON_FONT = re.compile(r"src:url\(([^()]*/fontawesome/webfonts/)([\w-]+)\.woff2\)[^;}]*")
_ICON_CHARACTER = re.compile("[\ue000-\uf8ff]")
_LENGTH = re.compile(r"([\d.]+)(pt|px|in|cm|mm)?")
#: A unit's length in pixels of CSS.
_PIXELS = {"": 1, "px": 1, "pt": 4 / 3, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4}


def names_in_page(text: str) -> set[str]:
    """Return the classes, the ids and the elements with a hyphen of a page."""
    names: set[str] = set()
    for attribute, element in _PAGE_NAMES.findall(text):
        names.update(attribute.split() or [element])
    return names


def names_in_script(text: str) -> set[str]:
    """Return every word of a script: any could be a class that it sets."""
    return set(_WORD.findall(text))


def prune(css: str, names: set[str]) -> str:
    """Return a style sheet without the rules that need a class, an id or an element out of `names`.

    What stands in brackets, as in ``:not(.closed)``, is not looked at. Fonts that no rule names any
    more go as well.
    """
    rules = _prune(tinycss2.parse_stylesheet(css, skip_whitespace=True), names)
    named = "".join(text for text, font in rules if not font)
    return "\n".join(text for text, font in rules if not font or font in named) + "\n"


def _prune(rules: Iterable[Any], names: set[str]) -> list[tuple[str, str]]:
    """Give the rules that stay, each with the family of the font that it loads, if it is one."""
    kept = []
    for rule in rules:
        if rule.type == "comment":
            # The notes of those who hold a license.
            if rule.value.startswith("!"):
                kept.append((rule.serialize(), ""))
        elif rule.type == "qualified-rule":
            selectors = [s for s in _selectors(rule.prelude) if _can_match(s, names)]
            if selectors:
                text = ",".join(tinycss2.serialize(s).strip() for s in selectors)
                kept.append((f"{text}{{{_squeezed(rule.content)}}}", ""))
        elif rule.type == "at-rule":
            head = f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude).rstrip()}"
            if rule.content is None:
                kept.append((f"{head};", ""))
            elif rule.lower_at_keyword in ("media", "supports", "layer", "container"):
                inner = tinycss2.parse_rule_list(rule.content, skip_whitespace=True)
                if within := _prune(inner, names):
                    kept.append((f"{head}{{{''.join(text for text, _ in within)}}}", ""))
            else:
                text = f"{head}{{{_squeezed(rule.content)}}}"
                font = rule.lower_at_keyword == "font-face"
                kept.append((text, _family(rule.content) if font else ""))
        elif rule.type == "error":
            raise ExtensionError(
                f"A style sheet cannot be read, line {rule.source_line}: {rule.message}."
            )
    return kept


def _squeezed(content: list[Any]) -> str:
    """Write the inside of a rule without comments and line breaks."""
    text = tinycss2.serialize([token for token in content if token.type != "comment"])
    return re.sub(r"\s*\n\s*", " ", text).strip()


def _family(content: list[Any]) -> str:
    """Return the family that a ``@font-face`` loads."""
    for declared in tinycss2.parse_declaration_list(content, skip_whitespace=True):
        if declared.type == "declaration" and declared.lower_name == "font-family":
            return tinycss2.serialize(declared.value).strip().strip("\"'")
    return ""


def _selectors(prelude: list[Any]) -> list[list[Any]]:
    """Take a rule's selectors apart at their commas."""
    selectors: list[list[Any]] = [[]]
    for token in prelude:
        if token == ",":
            selectors.append([])
        elif token.type != "comment":
            selectors[-1].append(token)
    return selectors


def _can_match(selector: list[Any], names: set[str]) -> bool:
    """Tell whether all that a selector needs is among the names."""
    before = ""
    for token in selector:
        needed = ""
        if token.type == "hash" or (
            token.type == "ident" and (before == "." or ("-" in token.value and before != ":"))
        ):
            needed = token.value
        if needed and needed not in names and not _BUILT.fullmatch(needed):
            return False
        before = token.value if token.type == "literal" else ""
    return True


def _theme_static() -> Path:
    import pydata_sphinx_theme

    theme = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme"
    return theme / "static"


@cache
def _outlines() -> dict[str, dict[str, tuple[str, str, str]]]:
    """Return the theme's icons by kind and name: width, height and path of each."""
    text = (_theme_static() / "scripts" / "fontawesome.js").read_text(encoding="utf-8")
    kinds = {}
    for kind in _KINDS.values():
        before, found, _ = text.partition(f'("{kind}",p)')
        if not found:
            raise ExtensionError(f"The theme's fontawesome.js has no icons of the kind {kind!r}.")
        pack = before[before.rindex("var p={") :]
        kinds[kind] = {name: (w, h, path) for name, w, h, path in _OUTLINE.findall(pack)}
    return kinds


def with_icons(text: str) -> str:
    """Return a page with its icons drawn into it, as the theme's script would, each path once.

    Raises
    ------
    ExtensionError
        When an icon has a name that the theme does not have.
    """
    symbols: dict[str, str] = {}

    def draw(found: re.Match[str]) -> str:
        classes = found[1].split()
        kinds = [_KINDS.get(name, name) for name in classes]
        kind = next((kind for kind in kinds if kind in _KINDS.values()), "fas")
        known = _outlines()[kind]
        name = next((name for name in classes if name.removeprefix("fa-") in known), None)
        if name is None:
            raise ExtensionError(f"The theme has no icon for the classes '{found[1]}'.")
        width, height, path = known[name.removeprefix("fa-")]
        box = f'viewBox="0 0 {width} {height}"'
        place = f"icon-{kind}-{name.removeprefix('fa-')}"
        symbols[place] = f'<symbol id="{place}" {box}><path d="{path}"/></symbol>'
        rest = [name for name, kind in zip(classes, kinds, strict=True) if kind not in known_kinds]
        # Its title is for the theme's script, and the button has a name of its own.
        more = _TITLE.sub("", found[2])
        return (
            f'<svg class="svg-inline--fa {" ".join(rest)}"{more} aria-hidden="true" '
            f'focusable="false" {box}><use href="#{place}"/></svg>'
        )

    known_kinds = set(_KINDS.values())
    text = _ICON.sub(draw, text)
    if not symbols:
        return text
    sprite = f'<svg class="icons" aria-hidden="true">{"".join(symbols.values())}</svg>'
    return re.sub(r"<body\b[^>]*>", lambda body: f"{body[0]}\n{sprite}", text, count=1)


def image_size(path: Path) -> tuple[int, int] | None:
    """Return the width and height of an image in pixels of CSS, or None where it has none."""
    if path.suffix == ".svg":
        with path.open(encoding="utf-8") as file:
            tag = re.search(r"<svg\b[^>]*>", file.read(4000))
        sides = [
            re.search(rf'\s{side}="([^"]*)"', tag[0] if tag else "") for side in ("width", "height")
        ]
        lengths = [_LENGTH.fullmatch(side[1]) if side else None for side in sides]
        if None in lengths:
            return None
        width, height = (float(length[1]) * _PIXELS[length[2] or ""] for length in lengths)
        return round(width), round(height)
    from PIL import Image

    with Image.open(path) as image:
        return image.size


def _with_sizes(text: str, page: Path) -> str:
    def sized(found: re.Match[str]) -> str:
        source = _SOURCE.search(found[0])
        address = urlsplit(source[1] if source else "")
        path = page.parent / unquote(address.path)
        if address.scheme or not address.path or not path.is_file() or "logo" in path.name:
            return found[0]
        size = image_size(path)
        return (
            found[0] if size is None else f'<img width="{size[0]}" height="{size[1]}"{found[0][4:]}'
        )

    return _IMAGE.sub(sized, text)


def _with_few_icons(css: str, sheet: Path, shown: set[str]) -> str:
    """Give a style sheet fonts of the icons that rules show (before admonitions, for one)."""

    def subset(found: re.Match[str]) -> str:
        folder = (sheet.parent / found[1]).resolve()
        source = _theme_static() / "vendor" / "fontawesome" / "webfonts" / f"{found[2]}.ttf"
        write_subset(source, folder / f"{found[2]}.woff", shown)
        return f'src:url({found[1]}{found[2]}.woff) format("woff")'

    return _ICON_FONT.sub(subset, css)


def _lighten(app: Sphinx, failure: Exception | None) -> None:
    """Take from the built site what nobody needs."""
    if failure or app.builder.name != "html":
        return
    site = Path(app.outdir)
    static = site / "_static"
    # Where no page has changed, Sphinx copies none, and prepares for none.
    builder: Any = app.builder
    if not hasattr(builder, "globalcontext"):
        builder.prepare_writing(set())
        builder.copy_static_files()
    _digest.cache_clear()
    pages = {
        path: path.read_text(encoding="utf-8")
        for path in sorted(site.rglob("*.html"))
        if static not in path.parents
    }
    light = {path: _light(text, path) for path, text in pages.items()}
    for name in _UNUSED:
        path = static / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for path in (*static.rglob("*.map"), *static.rglob("fa-*.woff2"), *static.rglob("fa-*.ttf")):
        path.unlink()
    names = set().union(*map(names_in_page, light.values()))
    for path in static.rglob("*.js"):
        names |= names_in_script(path.read_text(encoding="utf-8"))
    sheets = [path for path in sorted(static.rglob("*.css")) if static / "live" not in path.parents]
    pruned = {path: prune(path.read_text(encoding="utf-8"), names) for path in sheets}
    shown = set(_ICON_CHARACTER.findall("".join(pruned.values())))
    for path, css in pruned.items():
        path.write_text(_with_few_icons(css, path, shown), encoding="utf-8")
    for path, text in light.items():
        versioned = _ASSET.sub(partial(_with_version, path), text)
        if versioned != pages[path]:
            path.write_text(versioned, encoding="utf-8")


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def _light(text: str, page: Path) -> str:
    text = _ICON_SCRIPT.sub("", with_icons(text))
    # The theme's first sheet does nothing but import Sphinx's, one request after the other.
    text = text.replace("_static/styles/theme.css", "_static/basic.css")
    if page.name != "search.html":
        text = _SEARCH_SCRIPT.sub("", text)
    return _with_sizes(text, page)


def _with_version(page: Path, link: re.Match[str]) -> str:
    """Name what a file holds in its address: browsers keep the one of the last build."""
    path = (page.parent / link[2]).resolve()
    return f"{link[1]}{link[2]}?v={_digest(path)}{link[3]}" if path.is_file() else link[0]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to Sphinx's events."""
    # Behind all that writes into the site.
    app.connect("build-finished", _lighten, priority=900)
    # Jupyter Book sets this for an extension that loads scripts from elsewhere and is not used.
    app.add_config_value("comments_config", {}, "", dict)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
