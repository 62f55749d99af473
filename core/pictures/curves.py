"""Draws curves over single values, such as the fitness of tasks and the best of them so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..plain_text import printable_lines
from .files import check_picture, plain_style, save

# Okabe & Ito's colours, told apart with any kind of colour vision, and line styles, told apart in grey.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_LINES = ("solid", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
_SIZE = (4.6, 3.4)
"""Inches: the column of a paper, with room for its text."""


@dataclass(frozen=True)
class Curve:
    """A line.

    Attributes:
        label: For the legend.
        x: Where; ascending.
        y: How high; NaN leaves a gap.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Dots:
    """Single values without a line.

    Attributes:
        label: For the legend.
        x: Where.
        y: How high.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]


def draw_curves(
    path: Path,
    curves: Sequence[Curve],
    *,
    x_label: str,
    y_label: str,
    dots: Sequence[Dots] = (),
) -> None:
    """Draw curves over one axis.

    Args:
        path: Where to; an existing file is replaced. The suffix says which format: .svg, .png or .pdf.
        curves: The curves, in the order of the legend.
        x_label: What is to the right.
        y_label: What is upwards, with its unit.
        dots: Further values behind the curves.

    Raises:
        UsageError: The suffix is another.
        ResultsWriteError: The file cannot be written.
    """
    check_picture(path)
    with plain_style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot(xlabel=x_label, ylabel=y_label)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#e4e4e4", linewidth=0.6)
        axes.set_axisbelow(True)
        for number, group in enumerate(dots):
            colour = _COLOURS[number % len(_COLOURS)]
            axes.plot(group.x, group.y, ".", color=colour, alpha=0.45, markersize=4, label=printable_lines(group.label))
        for number, curve in enumerate(curves):
            colour, line = _COLOURS[number % len(_COLOURS)], _LINES[number % len(_LINES)]
            axes.plot(
                curve.x,
                curve.y,
                color=colour,
                linestyle=line,
                drawstyle="steps-post",
                linewidth=1.4,
                label=printable_lines(curve.label),
            )
        # Above the axes, where it hides nothing.
        figure.legend(loc="outside upper left", frameon=False, fontsize=8, ncols=1 if len(curves) < 5 else 2)
        save(figure, path)
