"""Drawings of the thing itself: what is in them, and that all of it can be read."""

import re
from functools import cache
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, PathPatch, Rectangle

from course_lib.plotting import drawings
from course_lib.plotting.style import COLORS, INK, figure_to_svg, new_figure, styled

RNG = np.random.default_rng(0)
WEIGHTS = [RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))]
VALUES = [[1, -0.5, 0.25], [0, 0.3, 1.2, -0.7], [0.9, -123.0]]
LONG = ("age in years", "systolic blood pressure", "smokes")


@styled
def on_sheet(*draw, width=7.0, height=3.0):
    """Draw primitives on one sheet."""
    figure, axes = new_figure(width=width, height=height)
    drawings.blank(axes, width, height)
    for one in draw:
        one(axes)
    return figure


def convolution(axes):
    image = drawings.matrix(
        axes, (0.3, 2.6), np.arange(-8, 8).reshape(4, 4), name="image", note="(4, 4)", cell=0.36,
        shade=True, highlight=[(0, 2, 2, 2)],
    )  # fmt: skip
    kernel = drawings.matrix(axes, (2.8, 2.2), [[1, -1], [0.5, 2]], name="kernel")
    result = drawings.matrix(axes, (5.0, 2.4), (3, 3), name="result", cell=0.4)
    drawings.arrow(axes, image.right, kernel, "slides", bend=-0.1)
    drawings.arrow(axes, kernel, result.left)
    drawings.brace(axes, (1.74, 0.8), (0.3, 0.8), "four columns")


def blocks(axes):
    linear = drawings.box(axes, (1, 1.5), "Linear", "64 → 32")
    gate = drawings.node(axes, (3, 1.5), "×", thick=True)
    bend = drawings.curve(axes, (4.5, 0.6), "tanh", mark=-5.0)
    drawings.arrow(axes, linear, gate, "gate")
    drawings.arrow(axes, bend, gate, "candidate", bend=0.2, style="--", below=True)
    drawings.arrow(axes, gate, (3, 2.7), "c")
    drawings.brace(axes, (5.5, 0.5), (5.5, 2.5), "four heads")


GRAPH = (
    {"w": (0, 1), "x": (0, 0), "h": (1, 0.5), "L": (2, 0.5)},
    [("w", "h", "×2"), ("x", "h", "×1.5"), ("h", "L", "×-3"), ("h", "L", "×-3")],
)
GRAPH_LINES = {"w": ("1.5", "+12"), "x": ("2", "+9"), "h": ("-3", "+6"), "L": ("9", "+1")}

CASES = {
    "neuron of 1": lambda: drawings.neuron(1),
    "neuron of 2": lambda: drawings.neuron(2),
    "neuron of 5": lambda: drawings.neuron(5, activation="sigmoid", output="ŷ"),
    "neuron of 12": lambda: drawings.neuron(12, most=12, activation="gelu"),
    "neuron of 64": lambda: drawings.neuron(64, bias=None),
    "neuron at work": lambda: drawings.neuron([1.0, 0.5], [0.8, -1.2], 0.1, "relu"),
    "neuron with wide numbers": lambda: drawings.neuron(
        [0.25, -12.5, 3456.7, 0, 1], [0.4, 0.1, -0.777, 1.3, -0.2], -0.5, "tanh", "ŷ"
    ),
    "neuron of 12 at work": lambda: drawings.neuron(
        np.linspace(-1, 1, 12), np.linspace(2, -2, 12), 0, "silu"
    ),
    "neuron with long names": lambda: drawings.neuron(
        LONG, (0.03, 0.02, -0.9), -4.1, "sigmoid", "risk of a stroke"
    ),
    "neuron with another function": lambda: drawings.neuron(
        [2.0], [-3.0], None, ("square", np.square), names=["pixel"]
    ),
    "network 2, 3, 1": lambda: drawings.network(
        (2, 3, 1), inputs=("x₁", "x₂"), outputs=("ŷ",), activations=("relu", "sigmoid"),
        parameters=True,
    ),
    "network of digits": lambda: drawings.network(
        (64, 32, 10), activations=("relu", "softmax"), parameters=True,
        outputs=[str(k) for k in range(10)],
    ),
    "network 4, 8, 8, 3": lambda: drawings.network(
        (4, 8, 8, 3), activations=("tanh", "gelu", "softmax"), parameters=True,
        outputs=("setosa", "versicolor", "virginica"),
    ),
    "network at work": lambda: drawings.network(
        (3, 4, 2), weights=WEIGHTS, values=VALUES, numbers=True
    ),
    "network with long labels": lambda: drawings.network(
        (3, 5, 2), inputs=LONG, outputs=("stays healthy", "is at risk"), highlight=(1, 2),
        labels=("what the doctor measures", "hidden", "what we want to know"),
    ),
    "network with silenced units": lambda: drawings.network(
        (4, 6, 6, 2), silenced=[(1, 1), (2, 0)]
    ),
    "deep network": lambda: drawings.network(
        (784, 256, 128, 64, 32, 10), activations=["relu"] * 4 + ["softmax"], parameters=True
    ),
    "one layer": lambda: drawings.network((1, 1)),
    "batch": lambda: drawings.batch_through(32, (64, 32, 10)),
    "batch of 4": lambda: drawings.batch_through(4, (3, 5, 2)),
    "batch through 3 layers": lambda: drawings.batch_through(256, (784, 128, 64, 10)),
    "batch through 1 layer": lambda: drawings.batch_through(8, (3, 5), activations=["relu"]),
    "slopes on their way back": lambda: drawings.batch_through(32, (64, 32, 10), backward=True),
    "slopes of 1 layer": lambda: drawings.batch_through(6, (4, 3), backward=True),
    "loop": drawings.training_loop,
    "loop at a stage": lambda: drawings.training_loop(highlight=("loss", "backward pass")),
    "another loop": lambda: drawings.training_loop(
        {"agent": "s → a", "environment": "a → s, r", "memory": "(s, a, r)"}, highlight="agent"
    ),
    "graph": lambda: drawings.graph(
        *GRAPH, lines=GRAPH_LINES, legend=("forward: value", "backward: slope", "× slope of a step")
    ),
    "graph of one column": lambda: drawings.graph(
        {"x": (0, 0), "y": (0, 1)}, [("x", "y", "×3")], legend=("a long legend", "that is wider")
    ),
    "graph of names": lambda: drawings.graph(*GRAPH),
    "convolution": lambda: on_sheet(convolution),
    "blocks": lambda: on_sheet(blocks),
}  # fmt: skip
every = pytest.mark.parametrize("case", CASES)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def patches(figure: Figure, kind: type) -> list:
    return [patch for axes in figure.axes for patch in axes.patches if type(patch) is kind]


def outlines(figure: Figure) -> list[Circle]:
    """The circles that can be seen, without the paper and the shade in them."""
    return [c for c in patches(figure, Circle) if c.get_edgecolor()[3] > 0]


def edges(figure: Figure) -> list[LineCollection]:
    return [c for axes in figure.axes for c in axes.collections if isinstance(c, LineCollection)]


def boxes(figure: Figure) -> list[tuple[str, object, bool]]:
    """Each text, the room it takes in pixels, and whether it interrupts a line."""
    figure.draw_without_rendering()
    renderer = FigureCanvasAgg(figure).get_renderer()
    return [
        (text.get_text(), text.get_window_extent(renderer), text.get_bbox_patch() is not None)
        for axes in figure.axes
        for text in axes.texts
    ]


@cache
def drawn(case: str) -> tuple[Figure, list]:
    """A drawing and its texts, made once for the tests that only look at it."""
    figure = CASES[case]()
    return figure, boxes(figure)


def overlap(one, other) -> float:
    """By how many pixels two boxes overlap in both directions."""
    return min(
        min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)
    )


# Every drawing ------------------------------------------------------------------------------------


@every
def test_texts_are_large_enough_and_neither_overlap_nor_leave_the_figure(case):
    figure, found = drawn(case)
    assert isinstance(figure, Figure)
    width, height = figure.get_size_inches()
    assert width <= 7.0
    assert all(text.get_fontsize() >= 9 for axes in figure.axes for text in axes.texts)
    assert found
    for text, room, _ in found:
        assert room.x0 >= 0 and room.x1 <= width * figure.dpi, text
        assert room.y0 >= 0 and room.y1 <= height * figure.dpi, text
    for (one, first, _), (other, second, _) in combinations(found, 2):
        assert overlap(first, second) < 1, (one, other)


def walk(path, transform) -> np.ndarray:
    """Points on a path, in pixels, at most three pixels apart."""
    pieces = []
    for line in path.transformed(transform).to_polygons(closed_only=False):
        for start, end in pairwise(np.asarray(line)):
            count = 2 + int(np.hypot(*(end - start)) / 3)
            pieces.append(np.linspace(start, end, count))
    return np.concatenate(pieces)


@every
def test_no_line_crosses_a_text(case):
    figure, found = drawn(case)
    circles = [c.get_window_extent() for c in patches(figure, Circle)]
    lines = {"line": [], "edge": []}
    for axes in figure.axes:
        for patch in axes.patches:
            # A circle holds its text, and the cells of a matrix theirs: other tests see to that.
            if not isinstance(patch, (Rectangle, Circle)):
                lines["line"].append(walk(patch.get_path(), patch.get_transform()))
        for several in axes.collections:
            lines["edge"] += [walk(path, axes.transData) for path in several.get_paths()]
    for kind, pieces in lines.items():
        x, y = np.concatenate([*pieces, np.full((1, 2), np.nan)]).T
        for text, room, interrupts in found:
            # Edges end in the middles of units, which are drawn over them.
            if interrupts or (kind == "edge" and any(overlap(room, c) > 0 for c in circles)):
                continue
            inside = (x > room.x0 + 1) & (x < room.x1 - 1) & (y > room.y0 + 2) & (y < room.y1 - 2)
            assert not inside.any(), (kind, text)


@every
def test_letters_are_in_a_circle_or_beside_it(case):
    figure, found = drawn(case)
    for circle in (c.get_window_extent() for c in outlines(figure)):
        x, y, radius = *(circle.min + circle.max) / 2, circle.width / 2
        for text, room, _ in found:
            if circle.x0 < (room.x0 + room.x1) / 2 < circle.x1 and room.y0 < y < room.y1:
                assert circle.x0 <= room.x0 and room.x1 <= circle.x1, text
            else:
                near = np.clip((x, y), room.min, room.max)
                assert np.hypot(*(near - (x, y))) > radius, text


@pytest.mark.slow
@every
def test_a_drawing_is_the_same_twice_and_follows_the_mode_of_the_page(case):
    svg = figure_to_svg(CASES[case]())
    assert figure_to_svg(CASES[case]()) == svg
    inked = re.sub(r"#f[0-9a-f]{6}-\d+", "", svg.split("</style>")[1])
    assert re.findall(r"#[0-9a-f]{6}\b", inked) == []  # no color without a dark counterpart


# Neuron -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_a_neuron_shows_each_input_and_its_weight(count):
    figure = drawings.neuron(count, activation="relu", output="y")
    written = texts(figure)
    for k in range(count):
        assert f"x{'₁₂₃₄₅₆₇₈'[k]}" in written
        assert f"w{'₁₂₃₄₅₆₇₈'[k]}" in written
    assert {"Σ", "b", "z", "ReLU", "y"} <= set(written)
    assert len(outlines(figure)) == count + 2  # and the sum, and the output
    # Two pieces for each input, from the circle to the weight and from there to the sum; the bias.
    assert len(patches(figure, PathPatch)) == 2 * count + 1
    assert len(patches(figure, FancyArrowPatch)) == 2


def test_many_inputs_are_abbreviated():
    written = texts(drawings.neuron(64, most=5))
    assert [text for text in written if text.startswith("x")] == ["x₁", "x₂", "x₃", "x₆₄"]


def test_a_neuron_works_a_sample_through_even_where_dots_stand_for_inputs():
    written = texts(drawings.neuron([1.0, 0.5, -2.0], [0.8, -1.2, 0.5], -0.3, "relu"))
    assert [text for text in written if text.startswith("×")] == ["× 0.8", "× −1.2", "× 0.5"]
    assert {"0.8", "−0.6", "−1", "− 0.3", "z = −1.1", "0", "x₁", "a"} <= set(written)
    inputs, weights = np.arange(20) / 10, np.linspace(-1, 1, 20)
    expected = sum(x * w for x, w in zip(inputs, weights, strict=True)) + 0.5
    assert f"z = {expected:.3g}" in texts(drawings.neuron(inputs, weights, 0.5, "identity"))


@pytest.mark.parametrize(("z", "answer"), [(0.2, "1"), (-0.2, "0"), (0.0, "0")])
def test_the_step_answers_1_above_0_only(z, answer):
    figure = drawings.neuron([z], [1.0], None, "step", "a")
    circle = max(outlines(figure), key=lambda c: c.center[0])
    (inside,) = [t for t in figure.axes[0].texts if np.allclose(t.get_position(), circle.center)]
    assert inside.get_text() == answer


def test_the_mark_is_on_the_curve():
    def at(z):
        figure = on_sheet(lambda axes: drawings.curve(axes, (3, 1), "tanh", mark=z))
        *_, line, dot = figure.axes[0].lines
        x, y = dot.get_xdata()[0], dot.get_ydata()[0]
        assert y == pytest.approx(np.interp(x, line.get_xdata(), line.get_ydata()), abs=1e-3)
        return x, y

    assert at(0.0) == pytest.approx((3, 1))
    assert at(2.0)[0] > at(1.0)[0] > 3
    assert at(-50.0)[0] > 3 - 0.31  # far out, and still inside


def test_sign_and_size_of_a_weight_show_without_color():
    figure = drawings.neuron(("p", "q", "r"), (2.0, -1.0, 0.0), None)
    wires = patches(figure, PathPatch)[::2]
    widths = [wire.get_linewidth() for wire in wires]
    assert widths[0] > widths[1] > widths[2] > 0
    assert [wire.get_linestyle() == "-" for wire in wires] == [True, False, True]
    assert [same_color(wire.get_edgecolor(), COLORS[0]) for wire in wires] == [True, False, True]


def test_long_names_stand_before_small_circles():
    figure = drawings.neuron(LONG)
    assert max(circle.get_radius() for circle in outlines(figure)) < 0.3
    left = min(circle.center[0] for circle in outlines(figure))
    for text in figure.axes[0].texts:
        if text.get_text() in LONG:
            assert text.get_position()[0] < left


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0"), (-0.0, "0"), (1, "1"), (-12.5, "−12.5"), (0.5, "0.5"), (-0.0909, "−0.091"),
        (0.000741, "0.0007"), (-2e-7, "−2e−7"), (12345.6, "12,346"), (999.4, "999"),
    ],
)  # fmt: skip
def test_numbers_are_written_short(number, written):
    assert written in texts(drawings.neuron([number], [1.0], None, "identity"))


# Network ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(1, 1), (2, 3, 1), (4, 8, 8, 3)])
def test_a_network_has_all_its_units_and_edges(sizes):
    figure = drawings.network(sizes)
    assert len(outlines(figure)) == sum(sizes)
    expected = [a * b for a, b in pairwise(sizes)]
    assert [len(lines.get_segments()) for lines in edges(figure)] == expected


def test_large_layers_are_abbreviated_and_counted_in_full():
    figure = drawings.network((64, 32, 10), activations=("relu", "softmax"), parameters=True)
    assert len(outlines(figure)) == 3 * 7
    assert [len(lines.get_segments()) for lines in edges(figure)] == [49, 49]
    written = texts(figure)
    assert {"64 inputs", "32 units", "10 units", "ReLU", "softmax"} <= set(written)
    assert {"= 2,080 parameters", "= 330 parameters"} <= set(written)  # 64·32 + 32, 32·10 + 10
    assert {"input", "hidden", "output"} <= set(written)


def test_edges_join_the_units_of_neighboring_layers():
    figure = drawings.network((2, 3, 1))
    centers = {tuple(np.round(circle.center, 6)) for circle in outlines(figure)}
    for lines in edges(figure):
        for start, end in lines.get_segments():
            assert tuple(np.round(start, 6)) in centers
            assert tuple(np.round(end, 6)) in centers
            assert start[0] < end[0]


def test_edges_show_their_weights_and_units_their_values():
    weights = [np.array([[1.0, -2.0], [0.5, 4.0]])]
    figure = drawings.network((2, 2), weights=weights, values=[[1, -1], [0, 3]], numbers=True)
    (lines,) = edges(figure)
    # Row by row: from input 1 to both outputs, then from input 2.
    assert np.argsort(lines.get_linewidths()).tolist() == [2, 0, 1, 3]
    solid = [dashes is None for _, dashes in lines.get_linestyles()]
    assert solid == [True, False, True, True]
    assert same_color(lines.get_colors()[1], COLORS[1])
    dashed = [circle.get_linestyle() for circle in outlines(figure)]
    assert dashed == ["-", "--", "-", "-"]
    assert {"1", "−1", "0", "3"} <= set(texts(figure))


def test_a_highlighted_unit_has_its_edges_drawn_heavily():
    (first, second) = edges(drawings.network((3, 2, 2), highlight=(1, 1)))
    heavy = [same_color(color, INK) for color in first.get_colors()]
    assert heavy == [False, True] * 3  # the edges that end in the second unit
    assert not any(same_color(color, INK) for color in second.get_colors())


def test_a_silenced_unit_has_no_edges():
    figure = drawings.network((3, 4, 2), silenced=[(1, 0), (1, 3)])
    assert [len(lines.get_segments()) for lines in edges(figure)] == [3 * 2, 2 * 2]
    assert texts(figure).count("×") == 2


# Batch, loop, graph -------------------------------------------------------------------------------


def test_a_batch_shows_every_shape():
    written = texts(drawings.batch_through(32, (64, 16, 10)))
    for name, shape in {
        "X": "(32, 64)", "W₁": "(64, 16)", "b₁": "(16,)", "Z₁": "(32, 16)", "A₁": "(32, 16)",
        "W₂": "(16, 10)", "b₂": "(10,)", "Z₂": "(32, 10)",
    }.items():  # fmt: skip
        assert written[written.index(name) + 1] == shape
    assert "A₂" not in written  # the last layer ends in logits


def test_the_way_back_shows_products_whose_shapes_fit():
    written = texts(drawings.batch_through(32, (64, 16, 10), backward=True))
    assert written[0] == "layer 2"  # the last layer comes first
    for name, shape in {
        "A₁ᵀ": "(16, 32)", "G₂": "(32, 10)", "∂L/∂W₂": "(16, 10)", "W₂ᵀ": "(10, 16)",
        "∂L/∂A₁": "(32, 16)", "Xᵀ": "(64, 32)", "G₁": "(32, 16)", "∂L/∂W₁": "(64, 16)",
    }.items():  # fmt: skip
        assert written[written.index(name) + 1] == shape
    assert "∂L/∂X" not in written


def outer(figure):
    """Width and height of each matrix, in the order of drawing."""
    shapes = [r for r in patches(figure, Rectangle) if r.get_linewidth() == 1.3]
    return [(r.get_width(), r.get_height()) for r in shapes]


def test_rectangles_are_drawn_to_scale():
    (x, w, z) = outer(
        drawings.rectangles([[("X", (8, 3)), "@", ("W", (3, 5)), "=", ("Z", (8, 5))]])
    )
    assert x[1] / x[0] == pytest.approx(8 / 3)
    assert w[0] / w[1] == pytest.approx(5 / 3)
    assert z == pytest.approx((w[0], x[1]))
    # Large shapes: smaller differences, and equal sides stay equal.
    (x, w, z) = outer(
        drawings.rectangles([[("X", (32, 512)), "@", ("W", (512, 128)), "=", ("Z", (32, 128))]])
    )
    assert x[0] / x[1] == pytest.approx(4)
    assert x[0] == pytest.approx(w[1]) and z == pytest.approx((w[0], x[1]))


def test_the_row_of_one_sample_is_marked_in_each_matrix_of_samples():
    figure = drawings.batch_through(4, (3, 2), activations=["relu"])
    marks = [r for r in patches(figure, Rectangle) if r.get_linewidth() == 0.9][:-1]  # the legend
    assert len(marks) == 3  # X, Z and A
    assert len({round(mark.get_y(), 6) for mark in marks}) == 1
    assert len({round(mark.get_height(), 6) for mark in marks}) == 1


def test_the_loop_goes_around_through_its_stages():
    figure = drawings.training_loop(highlight="backward pass")
    written = " ".join(texts(figure))
    for text in ("batch", "forward pass", "loss", "backward pass", "optimizer step"):
        assert text in written
    assert "θ ← θ − η∇L" in written
    assert len(patches(figure, FancyArrowPatch)) == 5 + 2  # around, and to and from θ
    heavy = [p for p in patches(figure, FancyBboxPatch) if p.get_linewidth() > 2]
    assert len(heavy) == 1


def test_another_loop_has_an_arrow_from_each_block_to_the_next():
    found = {}

    def draw(axes):
        stages = {"a": "", "b": "1", "c": ""}
        found.update(drawings.cycle(axes, (3.5, 1.5), stages, radii=(2, 1)))

    figure = on_sheet(draw)
    assert list(found) == ["a", "b", "c"]
    blocks = list(found.values())
    arrows = patches(figure, FancyArrowPatch)
    assert len(arrows) == 3
    for k, arrow in enumerate(arrows):
        path = arrow._path_original.vertices
        near = [min(blocks, key=lambda b: np.hypot(*(p - b.center))) for p in (path[0], path[-1])]
        assert near == [blocks[k], blocks[(k + 1) % 3]]
    assert blocks[1].x > blocks[0].x > blocks[2].x  # clockwise


def test_a_graph_writes_values_slopes_and_what_is_on_the_edges():
    figure = drawings.graph(*GRAPH, lines=GRAPH_LINES, legend=("forward", "backward", "step"))
    written = texts(figure)
    assert {"w", "x", "h", "L", "1.5", "+12", "−3", "×2", "forward", "backward"} <= set(written)
    assert written.count("×−3") == 2
    bends = {p.get_connectionstyle().rad for p in patches(figure, FancyArrowPatch)}
    assert len(bends) == 3  # straight, and two that go around each other
    colors = {t.get_text(): t.get_color() for t in figure.axes[0].texts}
    assert (colors["forward"], colors["backward"], colors["step"]) == (*COLORS[:2], INK)


# Primitives ---------------------------------------------------------------------------------------


def test_an_arrow_goes_from_outline_to_outline():
    made = {}

    def draw(axes):
        made["a"] = drawings.node(axes, (1, 1), radius=0.25)
        made["b"] = drawings.box(axes, (4, 1), "b", width=1.0, height=0.5)
        drawings.arrow(axes, made["a"], made["b"], gap=0)
        drawings.arrow(axes, made["b"].top, (4, 2.5), gap=0)

    first, second = patches(on_sheet(draw), FancyArrowPatch)
    assert np.allclose(first._posA_posB, [(1.25, 1), (3.5, 1)])
    assert np.allclose(second._posA_posB, [(4, 1.25), (4, 2.5)])
    assert made["a"].edge((1, 5)) == pytest.approx((1, 1.25))
    assert made["b"].edge((5, 2)) == pytest.approx((4.25, 1.25))


def test_cells_of_a_matrix_are_found_by_row_and_column():
    made = []

    def draw(axes):
        made.append(drawings.matrix(axes, (1, 2), [[1, 2, 3], [4, 5, 6]], cell=0.5))

    figure = on_sheet(draw)
    (grid,) = made
    assert (grid.width, grid.height) == (1.5, 1.0)
    assert grid.cell(0, 0).center == pytest.approx((1.25, 1.75))
    assert grid.cell(1, 2).center == pytest.approx((2.25, 1.25))
    block = grid.cell(0, 1, 2, 2)
    assert (block.x, block.y, block.width, block.height) == pytest.approx((2, 1.5, 1, 1))
    at = {t.get_text(): t.get_position() for t in figure.axes[0].texts}
    assert at["6"] == pytest.approx(grid.cell(1, 2).center)


def test_negative_cells_are_hatched():
    figure = on_sheet(lambda axes: drawings.matrix(axes, (1, 2), [[2, -1, 0]], shade=True))
    shades = [r for r in patches(figure, Rectangle) if r.get_alpha() is not None]
    assert [(bool(r.get_hatch()), r.get_alpha()) for r in shades] == [(False, 0.5), (True, 0.25)]


def test_the_tip_of_a_brace_is_on_the_left_of_its_way():
    tips = []
    for ends in (((1, 1), (3, 1)), ((3, 1), (1, 1)), ((1, 1), (1, 2))):
        on_sheet(lambda axes, ends=ends: tips.append(drawings.brace(axes, *ends, depth=0.1)))
    assert np.allclose(tips, [(2, 1.1), (2, 0.9), (0.9, 1.5)])


# Panels -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draw",
    [
        lambda axes: drawings.network((2, 4, 1), axes=axes, inputs=("x₁", "x₂")),
        lambda axes: drawings.rectangles([[("X", (8, 3)), "@", ("W", (3, 2))]], axes=axes),
        lambda axes: drawings.graph({"x": (0, 0), "y": (1, 0)}, [("x", "y", "×3")], axes=axes),
    ],
)
def test_a_drawing_stands_beside_a_curve(draw):
    figure, (left, right) = new_figure(1, 2, width=7, height=2.8)
    assert draw(left) is figure
    right.plot([0, 1], [1, 0])
    right.set(xlabel="epoch", ylabel="loss")
    figure.draw_without_rendering()
    edge = left.get_window_extent().x1
    found = boxes(figure)
    for text, room, _ in found:
        assert room.x0 >= 0 and room.x1 <= edge + 1, text
    for (one, first, _), (other, second, _) in combinations(found, 2):
        assert overlap(first, second) < 1, (one, other)
    assert len(right.lines) == 1 and not right.patches


# Errors: what came, what was wanted, what to do ---------------------------------------------------


def small_panel():
    return new_figure(1, 4, width=7, height=2)[1][0]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: drawings.neuron(0), "inputs: got 0; a neuron needs at least one input"),
        (lambda: drawings.neuron(2, [1.0]), "weights: got 1; give 2, one for each input"),
        (lambda: drawings.neuron([1.0, "x"]), "give either names or numbers"),
        (lambda: drawings.neuron([1.0, np.nan]), "give finite numbers"),
        (lambda: drawings.neuron(2, bias=np.inf), "bias: got inf"),
        (lambda: drawings.neuron(2, names=["a", "b"]), "give names as inputs"),
        (lambda: drawings.neuron(2, activation="relo"), "got 'relo'; choose one of step, sign"),
        (lambda: drawings.neuron(9, most=2), "most: got 2"),
        (lambda: drawings.neuron(2, axes=small_panel()), "this panel has .* width_ratios"),
        (lambda: drawings.network((3,)), r"sizes: got \(3,\); give at least two layers"),
        (lambda: drawings.network((3, 0)), "at least one unit"),
        (lambda: drawings.network((3, 2), labels=["a"]), "labels: got 1; give 2"),
        (lambda: drawings.network((3, 2), inputs=["a"]), "inputs: got 1; give 3"),
        (lambda: drawings.network((3, 2), activations=["relu", "relu"]), "activations: got 2"),
        (
            lambda: drawings.network((3, 2), weights=[np.ones((2, 3))]),
            r"matrix 0 has shape \(2, 3\); .* it is \(3, 2\), inputs by outputs",
        ),
        (lambda: drawings.network((2, 1), values=[[1, 2], [1, 2]]), "layer 1 .* give 1 finite"),
        (lambda: drawings.network((2, 1), values=[[1, np.nan], [1]]), "finite numbers"),
        (lambda: drawings.network((2, 1), numbers=True), "numbers: there are no values"),
        (lambda: drawings.network((2, 1), highlight=(1, 1)), "no unit 1 in layer 1"),
        (lambda: drawings.network((64, 1), silenced=[(0, 30)]), "raise most above 8"),
        (lambda: drawings.network((4,) * 12), "needs .* inches of width and the page has"),
        (lambda: drawings.batch_through(0, (3, 2)), "at least one sample"),
        (lambda: drawings.batch_through(4, (3,)), "at least two sizes"),
        (lambda: drawings.batch_through(4, (3, 2), activations=["a", "b"]), "activations: got 2"),
        (lambda: drawings.rectangles([]), "give each row at least one matrix"),
        (lambda: drawings.rectangles([[("X", (2, 3), "top")]]), r"a matrix is \(name, shape\)"),
        (lambda: drawings.rectangles([[("X", (2, 3, 4))]]), r"X has shape \(2, 3, 4\)"),
        (lambda: drawings.training_loop(highlight="step"), "got 'step'; choose one of 'batch'"),
        (lambda: drawings.training_loop({"a": ""}), "goes around at least two"),
        (lambda: drawings.graph({"x": (0, 0)}, [("x", "y")]), "edges: got 'y'"),
        (lambda: drawings.graph({"x": (0, 0)}, [], lines={"y": ("1",)}), "lines: got 'y'"),
        (lambda: on_sheet(lambda a: drawings.label(a, (0, 0), "x", size=7)), "size: got 7 points"),
        (
            lambda: on_sheet(lambda a: drawings.matrix(a, (0, 1), [1, 2])),
            r"values: got shape \(2,\)",
        ),
        (
            lambda: on_sheet(lambda a: drawings.matrix(a, (0, 1), [[-12.25]], cell=0.2)),
            "cell: 0.2 inches is too small",
        ),
        (
            lambda: on_sheet(lambda a: drawings.matrix(a, (0, 1), (2, 2)).cell(2, 0)),
            r"at \(2, 0\) is not inside a matrix of 2 by 2",
        ),
        (
            lambda: on_sheet(lambda a: drawings.box(a, (1, 1), "Linear", width=0.3)),
            "'Linear' needs",
        ),
        (lambda: on_sheet(lambda a: drawings.brace(a, (1, 1), (1, 1))), "the same point"),
    ],
)
def test_errors_say_what_came_what_was_wanted_and_what_to_do(call, says):
    with pytest.raises(ValueError, match=says):
        call()
