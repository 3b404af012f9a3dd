"""Confusion matrices as charts, alone or beside the tree of families."""

from collections.abc import Sequence
from gettext import NullTranslations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plotly import graph_objects as go
from plotly.colors import sample_colorscale

from core.analysis.confusions import Counts, Tree
from core.charts.theme import NEUTRAL, OTHER_COLOUR
from core.language import class_word, plain_label

MATRIX_SCALE = "Cividis"
"""Perceptually uniform, and the same for colour-blind readers (Nuñez et al. 2018)."""

DIFFERENCE_SCALE = "PuOr"
LOG_STOPS = 12

FOUND_REACH = 12
"""How many classes to each side of a found one are shown."""

TREE_SHARE = 0.2
"""Of a chart's width, for the tree beside a matrix."""

NUMBERED_SHARE = 0.025
"""A family with a smaller share of the classes has no room for its number."""


def matrix_heatmap(
    values: NDArray[np.floating],
    counts: NDArray[np.int64],
    names: Sequence[str],
    *,
    unit: str = "",
    log: bool = False,
    is_difference: bool = False,
    write_counts: bool = False,
    chosen: int | None = None,
    cell: tuple[int, int] | None = None,
    words: NullTranslations,
) -> go.Figure:
    """Draws a confusion matrix: true classes down, predicted ones across.

    Args:
        values: What the colour tells, shape `(n, n)`; rounded to whole numbers, so
            that a cell takes one byte on its way, but never to 0 if above.
        counts: Sketches of each cell, shape `(n, n)`.
        names: Of the rows and columns, from top and from left.
        unit: After a value, such as ` %`.
        log: Whether the colour follows the logarithm.
        is_difference: Whether values have two signs.
        write_counts: Whether the counts are written into the cells.
        chosen: A row and column to zoom to.
        cell: A row and a column whose cell is marked.
        words: The sentences of a language.
    """
    _ = words.gettext
    rounded = np.sign(values) * np.maximum(np.round(np.abs(values)), values != 0)
    z = rounded.astype(_smallest_type(rounded))
    limit = max(float(np.abs(z).max(initial=0)), 1.0)
    count = "%{customdata}" if unit else "%{z:+d}" if is_difference else "%{z}"
    hover = [
        _("drawn: {name}").format(name="%{y}"),
        _("taken for: {name}").format(name="%{x}"),
        *(["%{z}" + unit] if unit else []),
        _("{count} sketches").format(count=count),
    ]
    heatmap: dict[str, Any] = {}
    if unit:
        heatmap["customdata"] = counts.astype(_smallest_type(counts))
    if write_counts:
        heatmap["text"] = [[f"{v}" if v else "" for v in row] for row in counts]
        heatmap["texttemplate"] = "%{text}"
    chart = go.Figure(
        go.Heatmap(
            z=z,
            x=[plain_label(class_word(name, words)) for name in names],
            y=[plain_label(class_word(name, words)) for name in names],
            zmin=-limit if is_difference else 0,
            zmax=limit,
            colorscale=DIFFERENCE_SCALE if is_difference else _scale(limit, log=log),
            hovertemplate="<br>".join(hover) + "<extra></extra>",
            hoverongaps=False,
            xgap=1 if len(names) <= 40 else 0,
            ygap=1 if len(names) <= 40 else 0,
            colorbar={
                "title": {"text": unit.strip()},
                "thickness": 12,
                "outlinewidth": 0,
                # The toolbar stands above it.
                "len": 0.9,
                "y": 0,
                "yanchor": "bottom",
            },
            **heatmap,
        )
    )
    x = {
        "type": "category",
        "title": _("taken for"),
        "showgrid": False,
        "tickangle": -90,
        "constrain": "domain",
    }
    y = {
        "type": "category",
        "title": _("drawn"),
        "showgrid": False,
        "scaleanchor": "x",
        "constrain": "domain",
    }
    reach = 2 * FOUND_REACH + 1
    if chosen is None or len(names) <= reach:
        chart.update_layout(xaxis=x, yaxis={**y, "autorange": "reversed"})
    else:
        first = min(max(chosen - FOUND_REACH, 0), len(names) - reach)
        low, high = first - 0.5, first + reach - 0.5
        chart.update_layout(
            xaxis={**x, "range": [low, high]}, yaxis={**y, "range": [high, low]}
        )
    if chosen is not None:
        frame = {
            "line": {"color": OTHER_COLOUR, "width": 2},
            "fillcolor": "rgba(0,0,0,0)",
        }
        edge = len(names) - 0.5
        chart.add_shape(
            type="rect", x0=-0.5, x1=edge, y0=chosen - 0.5, y1=chosen + 0.5, **frame
        )
        chart.add_shape(
            type="rect", x0=chosen - 0.5, x1=chosen + 0.5, y0=-0.5, y1=edge, **frame
        )
    if cell is not None:
        row, column = cell
        for colour, width in (("white", 5), (OTHER_COLOUR, 2)):
            chart.add_shape(
                type="rect",
                x0=column - 0.5,
                x1=column + 0.5,
                y0=row - 0.5,
                y1=row + 0.5,
                line={"color": colour, "width": width},
            )
    chart.update_layout(template="none")
    return chart


def _smallest_type(values: NDArray[Any]) -> Any:
    """Returns the smallest integer type that holds some whole numbers."""
    lowest, highest = values.min(initial=0), values.max(initial=0)
    return np.promote_types(
        np.min_scalar_type(int(lowest)), np.min_scalar_type(int(highest))
    )


def _scale(limit: float, *, log: bool) -> Any:
    """Returns the colours of 0 to `limit`, if asked along the logarithm of 1 + z."""
    if not log:
        return MATRIX_SCALE
    shares = np.linspace(0, 1, LOG_STOPS)
    positions = np.expm1(shares * np.log1p(limit)) / limit
    positions[-1] = 1.0  # Plotly takes no scale that ends beside 1.
    colours = sample_colorscale(MATRIX_SCALE, shares.tolist())
    return [[float(p), c] for p, c in zip(positions, colours, strict=True)]


def family_chart(
    matrix: Counts,
    tree: Tree,
    family_of: NDArray[np.int64],
    names: Sequence[str],
    *,
    chosen: int | None = None,
    words: NullTranslations,
) -> go.Figure:
    """Draws a confusion matrix beside the tree of its classes, cut into families.

    Args:
        matrix: Counts of shape `(num_classes, num_classes)`.
        tree: Of the same classes.
        family_of: Each class's family, numbered along the tree from 0.
        names: Of the classes.
        chosen: A family to frame.
        words: The sentences of a language.

    Returns:
        The figure. In its heatmap's rows and columns, and in the leaves of its second
        trace, the classes are in the tree's order.
    """
    _ = words.gettext
    order = tree.order
    counts = matrix[np.ix_(order, order)]
    labels = [plain_label(class_word(names[label], words)) for label in order]
    figure = matrix_heatmap(
        counts.astype(float), counts, [names[i] for i in order], log=True, words=words
    )
    families = family_of[order]
    figure.add_scatter(
        x=np.zeros(len(order)),
        y=labels,
        xaxis="x2",
        mode="markers",
        marker={
            "symbol": "square",
            "size": 5,
            "color": [NEUTRAL if number % 2 else OTHER_COLOUR for number in families],
            "line": {"width": 0},
        },
        customdata=families + 1,
        hovertemplate=_("%{y}, of family %{customdata}") + "<extra></extra>",
        showlegend=False,
    )
    starts = np.flatnonzero(np.diff(families, prepend=-1))
    ends = np.append(starts[1:], len(order))
    inside, above = _tree_paths(tree, int(families[-1]) + 1)
    height = float(tree.merges[:, 2].max())
    ends_of_axis = [-0.5, len(order) - 0.5]
    sides = {"xref": "x2", "yref": "y", "type": "path"}
    figure.update_layout(
        shapes=[
            {**sides, "path": inside, "line": {"color": OTHER_COLOUR, "width": 1}},
            {**sides, "path": above, "line": {"color": NEUTRAL, "width": 1}},
            *(
                {
                    "type": "rect",
                    **dict.fromkeys(("x0", "y0"), float(start) - 0.5),
                    **dict.fromkeys(("x1", "y1"), float(end) - 0.5),
                    "line": {"color": "white", "width": 3 if number == chosen else 1},
                }
                for number, (start, end) in enumerate(zip(starts, ends, strict=True))
                if end - start > 1 or number == chosen
            ),
        ],
        xaxis={"domain": [TREE_SHARE, 1], "anchor": "y", "range": ends_of_axis},
        xaxis2={
            "domain": [0, TREE_SHARE],
            "range": [1.03 * height, -0.03 * height],
            "anchor": "y",
            "showgrid": False,
            "zeroline": False,
            "showline": False,
            "showticklabels": False,
            "ticks": "",
            "fixedrange": True,
        },
        yaxis={
            # The tree beside it takes a part of the width.
            "scaleanchor": None,
            "anchor": "x2",
            "autorange": False,
            "range": ends_of_axis[::-1],
            "title": _("family"),
            "tickmode": "array",
            "tickvals": [
                float(start + end - 1) / 2
                for start, end in zip(starts, ends, strict=True)
                if end - start >= NUMBERED_SHARE * len(order)
            ],
            "ticktext": [
                str(number + 1)
                for number, (start, end) in enumerate(zip(starts, ends, strict=True))
                if end - start >= NUMBERED_SHARE * len(order)
            ],
        },
    )
    return figure


def _tree_paths(tree: Tree, count: int) -> tuple[str, str]:
    """Returns the lines of a tree, those within its families and those above.

    Both as SVG paths: across the distance, down the place among the leaves.
    """
    classes = len(tree.order)
    place = dict(zip(tree.order, map(float, range(classes)), strict=True))
    height = dict.fromkeys(range(classes), 0.0)
    lines: tuple[list[str], list[str]] = ([], [])
    for step, (first, second, distance, _size) in enumerate(tree.merges.tolist()):
        left, other = int(first), int(second)
        is_above = step >= classes - count
        lines[is_above].append(
            f"M{height[left]:.3f},{place[left]:.2f}L{distance:.3f},{place[left]:.2f}"
            f"L{distance:.3f},{place[other]:.2f}L{height[other]:.3f},{place[other]:.2f}"
        )
        place[classes + step] = (place[left] + place[other]) / 2
        height[classes + step] = distance
    return "".join(lines[0]) or "M0,0", "".join(lines[1]) or "M0,0"
