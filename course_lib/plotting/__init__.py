"""Every figure of the book, in one style, light and dark.

A module of this package draws the figures of one subject. Its functions take arrays, return a
`matplotlib.figure.Figure` and never touch pyplot, so a notebook cell that ends with such a call
shows the figure once. Importing the package inside IPython makes figures appear as SVG that
follows the light or dark mode of the page around it (see `course_lib.plotting.style`).
"""

from course_lib.plotting.style import COLORS, figure_to_svg, new_figure, register_formatters

__all__ = ["COLORS", "figure_to_svg", "new_figure"]

register_formatters()
