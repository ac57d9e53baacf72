"""How training went: the figure that `course_lib.training.History.plot` draws."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from course_lib.plotting.style import LINE_STYLES, new_figure, styled

__all__ = ["history"]


@styled
def history(values: Mapping[str, Sequence[float]]) -> Figure:
    """Draw what was measured after each epoch: losses on the left, metrics on the right.

    Parameters
    ----------
    values : mapping of str to sequence of float
        Names as `course_lib.training.fit` gives them. What ends in "loss" is a loss; the learning
        rate is left out.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no epoch to draw.
    """
    if not values.get("loss"):
        raise ValueError("There is no epoch in this history, so there is nothing to draw.")
    losses = {name: series for name, series in values.items() if name.endswith("loss")}
    others = {n: s for n, s in values.items() if n not in losses and n != "learning_rate"}
    panels = [("Loss", losses), ("On the validation set", others)][: 1 + bool(others)]
    figure, axes = new_figure(1, len(panels), width=3.6 * len(panels))
    for panel, (title, curves) in zip([axes] if len(panels) == 1 else axes, panels, strict=True):
        for (name, series), style in zip(curves.items(), LINE_STYLES * 2, strict=False):
            epochs = range(1, len(series) + 1)
            # One epoch is a point, and a line through it shows nothing.
            marker = "o" if len(series) == 1 else ""
            shown = {"loss": "training"}.get(name, name.removeprefix("validation_"))
            shown = {"loss": "validation"}.get(shown, shown) if name != "loss" else shown
            panel.plot(epochs, series, linestyle=style, marker=marker, label=shown)
        panel.set_title(title)
        panel.set_xlabel("epoch")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.legend()
    return figure
