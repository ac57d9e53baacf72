"""Figures that move: one SVG that holds all frames, and shows one of them.

Without help the picture shows its still. As an image, ``figure.svg#frame-3`` shows frame 3, and
that is all the player of the site does (``_static/animations.js``): it changes the fragment. There
is one file, it follows light and dark mode, and a reader without scripts, or on paper, has a still.
What does not move between frames (axes, labels) is stored once, below what does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

from matplotlib.figure import Figure

from course_lib.plotting.style import describe, figure_to_svg

__all__ = ["Animation", "animate"]

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"

# Shown: the frame that the fragment names; where it names none, the still, which stands last.
_CSS = (
    ".frame{display:none}.still,.frame:target{display:inline}"
    ".frame:target~.still{display:none}.still:target{display:inline}"
)


@dataclass(frozen=True)
class Animation:
    """A moving figure, shown as SVG by IPython.

    Attributes
    ----------
    svg : str
        One ``<svg>`` element with all frames.
    frames : int
        How many there are, named ``frame-0`` and so on.
    says : str
        What stands where no picture can.
    """

    svg: str
    frames: int
    says: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"{self.says[:-1]}; {self.frames} frames>"


def animate(figures: Iterable[Figure], *, still: int = -1, seconds: float = 0.2) -> Animation:
    """Make a moving figure of figures of equal size.

    Parameters
    ----------
    figures : iterable of matplotlib.figure.Figure
        The frames in their order, two or more. What two frames have in common must be drawn alike:
        the same limits, ticks and texts.
    still : int
        The frame that tells most by itself: what paper and readers without scripts see. Negative
        numbers count from the end.
    seconds : float
        How long each frame is shown.

    Returns
    -------
    Animation

    Raises
    ------
    ValueError
        If there are fewer than two frames, they differ in size, or `still` is none of them.

    Examples
    --------
    >>> from course_lib.plotting import new_figure
    >>> frames = []
    >>> for x in (1, 2, 3):
    ...     figure, axes = new_figure(width=2, height=1)
    ...     _ = axes.set(xlim=(0, 4), ylim=(0, 1))
    ...     _ = axes.plot(x, 0.5, "o")
    ...     frames.append(figure)
    >>> animate(frames).frames
    3
    """
    shown = list(figures)
    if len(shown) < 2:
        raise ValueError(f"An animation needs two frames or more, but came with {len(shown)}.")
    sizes = [tuple(float(side) for side in figure.get_size_inches()) for figure in shown]
    if len(set(sizes)) > 1:
        other = next(k for k, size in enumerate(sizes) if size != sizes[0])
        raise ValueError(
            f"Frames must be of one size, but frame 0 has {sizes[0]} inches and frame {other} "
            f"{sizes[other]}. Give each the same width and height."
        )
    if not -len(shown) <= still < len(shown):
        raise ValueError(f"still is {still}, but there are frames 0 to {len(shown) - 1}.")
    last = still % len(shown)
    texts = [figure_to_svg(figure) for figure in shown]
    definitions: dict[str, str] = {}
    frames = [_atoms(text, definitions) for text in texts]
    common = set(frames[0]).intersection(*frames[1:])
    head, style, paper = _beginning(texts[0])
    head = head.replace(
        "<svg ", f'<svg data-frames="{len(shown)}" data-seconds="{seconds:g}" data-still="{last}" '
    )
    # Each once, in the order in which it was drawn.
    below = "\n".join(atom for atom in dict.fromkeys(frames[0]) if atom in common)
    order = [k for k in range(len(frames)) if k != last] + [last]
    groups = [
        f'<g id="frame-{k}" class="frame{" still" if k == last else ""}">\n'
        + "\n".join(atom for atom in frames[k] if atom not in common)
        + "\n</g>"
        for k in order
    ]
    defined = "\n".join(definitions.values())
    svg = (
        f"{head}\n<style>{style}{_CSS}</style>\n{paper}\n<defs>\n{defined}\n</defs>\n"
        f"{below}\n" + "\n".join(groups) + "\n</svg>\n"
    )
    return Animation(svg, len(shown), describe(shown[last]))


def _beginning(text: str) -> tuple[str, str, str]:
    """Return a figure's opening tag, its style sheet and its paper."""
    parts = re.match(r"(<svg [^>]*>)\s*<style>(.*?)</style>\s*(<rect class=\"paper\"[^>]*/>)", text)
    if parts is None:
        raise ValueError("This SVG does not begin as those of course_lib.plotting do.")
    return parts[1], parts[2], parts[3]


def _atoms(text: str, definitions: dict[str, str]) -> list[str]:
    """Return what a figure is drawn from, each piece as text that means the same in any frame.

    What pieces refer to (glyphs, clip paths) is named after its content and put into
    `definitions`.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(text)
    names: dict[str, str] = {}
    for element in root.iter():
        name = element.attrib.pop("id", None)
        if name is not None:
            content = _written(element)
            names[name] = "a" + hashlib.sha256(content.encode()).hexdigest()[:8]
            element.set("id", names[name])
            definitions.setdefault(names[name], _written(element))
    atoms: list[str] = []

    def collect(parent: ElementTree.Element) -> None:
        for child in parent:
            if child.tag in (f"{{{_SVG}}}defs", f"{{{_SVG}}}style"):
                continue
            if child.tag == f"{{{_SVG}}}g" and not child.attrib:
                collect(child)
            elif child.get("class") != "paper":
                atoms.append(_without_definitions(child))

    collect(root)

    def renamed(match: re.Match[str]) -> str:
        return match[1] + names[match[2]]

    return [re.sub(r'(url\(#|href="#)([^)"]+)', renamed, atom) for atom in atoms]


def _without_definitions(element: ElementTree.Element) -> str:
    """Write an element without the definitions inside it, which are kept elsewhere."""
    for parent in list(element.iter()):
        for child in [c for c in parent if c.tag == f"{{{_SVG}}}defs"]:
            parent.remove(child)
    return _written(element)


def _written(element: ElementTree.Element) -> str:
    """Write an element as text, without the namespaces that the document names once."""
    text = ElementTree.tostring(element, encoding="unicode")
    return re.sub(r' xmlns(:xlink)?="[^"]*"', "", text).strip()
