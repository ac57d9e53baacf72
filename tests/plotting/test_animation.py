"""Moving figures: every frame is there, and what stands still is stored once."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from course_lib.plotting import figure_to_svg, new_figure
from course_lib.plotting.animation import animate

SVG = "{http://www.w3.org/2000/svg}"


def frame(x, *, width=3.0, image=None):
    figure, axes = new_figure(width=width, height=2)
    axes.set(xlim=(0, 10), ylim=(0, 1), xlabel="Step", ylabel="Loss", title="A title")
    axes.plot(np.arange(x + 1), np.linspace(1, 0.1, x + 1))
    axes.text(5, 0.9, f"step {x}")
    if image is not None:
        axes.imshow(image, extent=(0, 1, 0, 1), aspect="auto")
    return figure


def groups(animation):
    root = ElementTree.fromstring(animation.svg)
    return [g for g in root.iter(f"{SVG}g") if "frame" in g.get("class", "").split()]


def test_each_frame_is_there_once_and_the_still_comes_last():
    made = animate((frame(x) for x in (1, 2, 3, 4)), still=1, seconds=0.5)
    ids = [g.get("id") for g in groups(made)]
    assert ids == ["frame-0", "frame-2", "frame-3", "frame-1"]
    assert [("still" in g.get("class")) for g in groups(made)] == [False, False, False, True]
    root = ElementTree.fromstring(made.svg)
    given = [root.get(f"data-{name}") for name in ("frames", "seconds", "still")]
    assert given == ["4", "0.5", "1"]


def test_what_stands_still_is_stored_once():
    frames = [frame(x) for x in range(1, 9)]
    alone = [len(figure_to_svg(figure)) for figure in frames]
    made = animate(frames)
    assert len(made.svg) < 0.35 * sum(alone)
    # The letters of the title are outside of all frames, and each glyph is defined once.
    inside = "".join(ElementTree.tostring(g, encoding="unicode") for g in groups(made))
    assert inside.count("<ns0:use") < 8 * 12
    defined = re.findall(r'<path [^>]*id="(\w+)"', made.svg)
    assert len(defined) == len(set(defined)) > 10


def test_all_that_is_referred_to_is_defined():
    rng = np.random.default_rng(0)
    made = animate(frame(x, image=rng.random((4, 4))) for x in (3, 5, 6))
    wanted = set(re.findall(r'(?:url\(|href=")#([^)"]+)', made.svg))
    assert wanted and wanted <= set(re.findall(r' id="([^"]+)"', made.svg))
    assert made.svg.count("data:image/png;base64") == 3


def test_a_frame_with_what_is_common_is_the_figure_itself():
    frames = [frame(x) for x in (2, 7)]
    made = animate(frames)
    for k, figure in enumerate(frames):
        alone = ElementTree.fromstring(figure_to_svg(figure))
        root = ElementTree.fromstring(made.svg)
        for group in list(root):
            if "frame" in group.get("class", "") and group.get("id") != f"frame-{k}":
                root.remove(group)

        def lines(tree):
            return sorted(path.get("d") for path in tree.iter(f"{SVG}path") if not path.get("id"))

        assert lines(root) == lines(alone)


def test_the_same_frames_give_the_same_text_and_a_line_for_readers_without_pictures():
    made = animate(frame(x) for x in (1, 2))
    assert made.svg == animate(frame(x) for x in (1, 2)).svg == made._repr_svg_()
    assert repr(made) == "<Figure, 3 by 2 inches: A title: Loss against Step; 2 frames>"


@pytest.mark.parametrize(
    ("figures", "still", "said"),
    [
        ([1], -1, "two frames or more, but came with 1"),
        ([1, 2], 2, "still is 2, but there are frames 0 to 1"),
        ([1, 2], -3, "still is -3"),
    ],
)
def test_what_is_wrong_is_named(figures, still, said):
    with pytest.raises(ValueError, match=said):
        animate([frame(x) for x in figures], still=still)


def test_frames_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match=r"frame 0 has \(3.0, 2.0\) inches and frame 1 \(4.0"):
        animate([frame(1), frame(2, width=4.0)])
