"""The charts of the screens and of the report, without data of their own.

What is written in them is looked up in `words`, a language's sentences.
"""

from collections.abc import Sequence
from gettext import NullTranslations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from plotly import graph_objects as go
from plotly.colors import cyclical, sample_colorscale

from core.analysis.confusions import Counts, Tree
from core.analysis.curves import (
    Against,
    Figure,
    best_epoch,
    curve,
    is_validated,
    smooth,
)
from core.analysis.maps import class_centres, class_hues
from core.language import noop as N_
from core.language import plain_label
from core.runs.evaluation import Evaluation
from core.runs.reading import Run

if TYPE_CHECKING:
    from core.analysis.classes import ClassFigures
    from core.analysis.comparison import ClassChange

COLOURS = {"simple": "#D55E00", "resnet18": "#0072B2"}
"""One colour a network, everywhere (Okabe and Ito 2008); both stand out by at least
3 to 1 from white and from the dark theme's ground."""

OTHER_COLOUR = "#009E73"
NEUTRAL = "#8a8a8a"
SYMBOLS = (
    *("circle", "square", "diamond", "triangle-up", "x", "cross"),
    *("triangle-down", "pentagon", "hexagon", "hourglass", "bowtie", "star-square"),
)
"""Runs of one network differ by them."""

AXIS_TITLES = {
    "epoch": N_("Epoch"),
    "step": N_("Step"),
    "time": N_("Minutes of training"),
}
FIGURE_TITLES = {
    "loss": N_("Loss (nats)"),
    "top1": N_("Top-1 accuracy"),
    "top5": N_("Top-5"),
}

MATRIX_SCALE = "Cividis"
"""Perceptually uniform, and the same for colour-blind readers (Nuñez et al. 2018)."""

MAP_SCALE = "Viridis"
"""Its ends are left out: points stand on the page's ground, light or dark."""

DIFFERENCE_SCALE = "PuOr"
LOG_STOPS = 12

MapColour = Literal["class", "rightness", "confidence"]

CHOSEN_COLOURS = ("#E69F00", "#56B4E9", "#CC79A7", "#009E73", "#7F6AB8", "#B5653B")
"""Of classes that are looked for on the map. Four of Okabe and Ito 2008 that no network
has, then two as far from them as may be."""

RIGHT_COLOUR, WRONG_COLOUR = NEUTRAL, "#CC3399"
RIGHT_SYMBOL, WRONG_SYMBOL = "circle", "x"

FOUND_REACH = 12
"""How many classes to each side of a found one are shown."""

TREE_SHARE = 0.2
"""Of a chart's width, for the tree beside a matrix."""

NUMBERED_SHARE = 0.025
"""A family with a smaller share of the classes has no room for its number."""


def network_colour(run: Run) -> str:
    """Returns the colour of a run's network."""
    network = run.config.network if run.config else ""
    return COLOURS.get(network, OTHER_COLOUR)


def learning_curves(
    runs: Sequence[Run],
    figure: Figure,
    *,
    against: Against = "epoch",
    smoothing: float = 0.0,
    log: bool = False,
    show_train: bool = True,
    references: dict[str, float] | None = None,
    words: NullTranslations,
) -> go.Figure:
    """Draws one figure of some runs, validation solid and training dotted.

    Runs of one network have its colour and differ by their markers, which are filled
    for validation and open for training. With smoothing, the raw line stays, faintly.
    A star marks the epoch of highest validation top-1, an open circle the epoch under
    way. A run without validation always has its training's line.
    """
    _ = words.gettext
    chart = go.Figure()
    for number, run in enumerate(runs):
        look = {
            "color": network_colour(run),
            "symbol": SYMBOLS[number % len(SYMBOLS)],
        }
        # Without validation, there is nothing else to see.
        if show_train or not is_validated(run):
            _add_curve(chart, run, figure, "train", against, smoothing, look, words)
        if is_validated(run) or any(f"val_{figure}" in row for row in run.history):
            _add_curve(chart, run, figure, "val", against, smoothing, look, words)
        _add_best(chart, run, figure, against, look["color"], words)
    for name, value in (references or {}).items():
        chart.add_hline(
            y=value,
            line={"color": NEUTRAL, "width": 1, "dash": "dash"},
            annotation={"text": f"{_(name)} {100 * value:g} %", "font": {"size": 11}},
            annotation_position="bottom right",
        )
    chart.update_layout(
        template="none",
        title={"text": _(FIGURE_TITLES[figure]), "font": {"size": 15}, "x": 0},
        xaxis={"title": _(AXIS_TITLES[against]), "rangemode": "tozero"},
        yaxis={
            "type": "log" if log else "linear",
            "tickformat": "" if figure == "loss" else ".0%",
        },
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
        hovermode="x unified",
    )
    return chart


def _add_curve(
    chart: go.Figure,
    run: Run,
    figure: Figure,
    split: Any,
    against: Against,
    smoothing: float,
    look: dict[str, str],
    words: NullTranslations,
) -> None:
    """Adds one line, its raw values if it is smoothed, and where it is now."""
    _ = words.gettext
    found = curve(run, figure, split=split, against=against)
    title = _("{run}, validation") if split == "val" else _("{run}, training")
    line = {
        "color": look["color"],
        "width": 2,
        "dash": "solid" if split == "val" else "dot",
    }
    name = title.format(run=plain_label(run.run_id))
    if smoothing and len(found.y):
        chart.add_scatter(
            x=found.x,
            y=found.y,
            mode="lines",
            line=line,
            opacity=0.3,
            hoverinfo="skip",
            showlegend=False,
        )
    chart.add_scatter(
        x=found.x,
        y=smooth(found.y, weight=smoothing) if smoothing else found.y,
        mode="lines+markers",
        line=line,
        marker={
            "symbol": look["symbol"] + ("" if split == "val" else "-open"),
            "size": 6,
            "color": look["color"],
        },
        name=name,
    )
    if found.live_x is not None:
        chart.add_scatter(
            x=[found.live_x],
            y=[found.live_y],
            mode="markers",
            marker={"symbol": "circle-open", "size": 10, "color": look["color"]},
            name=_("{curve}, epoch under way").format(curve=name),
            showlegend=False,
        )


def _add_best(
    chart: go.Figure,
    run: Run,
    figure: Figure,
    against: Against,
    colour: str,
    words: NullTranslations,
) -> None:
    row = best_epoch(run)
    if row is None or f"val_{figure}" not in row:
        return
    x = {
        "epoch": row["epoch"],
        "step": row["step"],
        "time": row["elapsed_s"] / 60,
    }[against]
    chart.add_scatter(
        x=[x],
        y=[row[f"val_{figure}"]],
        mode="markers",
        marker={
            "symbol": "star",
            "size": 15,
            "color": colour,
            "line": {"color": "white", "width": 1},
        },
        name=words.gettext("{run}, best epoch {epoch}").format(
            run=plain_label(run.run_id), epoch=row["epoch"]
        ),
        showlegend=False,
    )


def matrix_heatmap(
    values: NDArray[np.floating],
    counts: NDArray[np.int64],
    names: Sequence[str],
    *,
    unit: str = "",
    log: bool = False,
    is_difference: bool = False,
    write_counts: bool = False,
    found: int | None = None,
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
        found: A row and column to zoom to.
        words: The sentences of a language.
    """
    _ = words.gettext
    rounded = np.sign(values) * np.maximum(np.round(np.abs(values)), values != 0)
    z = rounded.astype(_smallest_type(rounded))
    limit = max(float(np.abs(z).max(initial=0)), 1.0)
    count = "%{customdata}" if unit else "%{z:+d}" if is_difference else "%{z}"
    told = [
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
            x=[plain_label(name) for name in names],
            y=[plain_label(name) for name in names],
            zmin=-limit if is_difference else 0,
            zmax=limit,
            colorscale=DIFFERENCE_SCALE if is_difference else _scale(limit, log=log),
            hovertemplate="<br>".join(told) + "<extra></extra>",
            hoverongaps=False,
            xgap=1 if len(names) <= 40 else 0,
            ygap=1 if len(names) <= 40 else 0,
            colorbar={
                "title": {"text": unit.strip()},
                "thickness": 12,
                "outlinewidth": 0,
            },
            **heatmap,
        )
    )
    x = {
        "type": "category",
        "title": _("taken for"),
        "showgrid": False,
        "tickangle": -90,
    }
    y = {"type": "category", "title": _("drawn"), "showgrid": False}
    reach = 2 * FOUND_REACH + 1
    if found is None or len(names) <= reach:
        chart.update_layout(xaxis=x, yaxis={**y, "autorange": "reversed"})
    else:
        first = min(max(found - FOUND_REACH, 0), len(names) - reach)
        low, high = first - 0.5, first + reach - 0.5
        chart.update_layout(
            xaxis={**x, "range": [low, high]}, yaxis={**y, "range": [high, low]}
        )
    if found is not None:
        frame = {
            "line": {"color": OTHER_COLOUR, "width": 2},
            "fillcolor": "rgba(0,0,0,0)",
        }
        edge = len(names) - 0.5
        chart.add_shape(
            type="rect", x0=-0.5, x1=edge, y0=found - 0.5, y1=found + 0.5, **frame
        )
        chart.add_shape(
            type="rect", x0=found - 0.5, x1=found + 0.5, y0=-0.5, y1=edge, **frame
        )
    chart.update_layout(template="none")
    return chart


def map_scatter(
    evaluation: Evaluation,
    rows: NDArray[np.int64],
    *,
    colour: MapColour,
    chosen: Sequence[int] = (),
    gathered: NDArray[np.int64] | None = None,
    words: NullTranslations,
) -> go.Figure:
    """Draws test sketches where the map has them: right ones as dots, wrong as crosses.

    Args:
        evaluation: The run's.
        rows: Of its arrays, which of them to draw; `customdata` holds them.
        colour: By class, whose hue is that of `class_hues`, by right and wrong, or by
            the calibrated probability of the guess.
        chosen: Classes with a colour of their own, at most as many as
            `CHOSEN_COLOURS`; all others are gray then.
        gathered: Rows to tell from the others, which are faint; None for none.
        words: The sentences of a language.
    """
    _ = words.gettext
    chart = go.Figure()
    is_right = evaluation.y_pred == evaluation.y_true
    true = evaluation.y_true
    size = 6 if len(rows) <= 10_000 else 3
    hues = class_hues(class_centres(evaluation))

    def add(part: NDArray[np.int64], **look: Any) -> None:
        for right in (True, False):
            shown = part[is_right[part] == right]
            marker = {
                name: v[shown] if name == "color" and isinstance(v, np.ndarray) else v
                for name, v in look.items()
            }
            if colour == "rightness" and not len(chosen):
                marker["color"] = RIGHT_COLOUR if right else WRONG_COLOUR
            picked = None
            if gathered is not None:
                picked = np.flatnonzero(np.isin(shown, gathered)).tolist()
            chart.add_scattergl(
                x=evaluation.map_2d[shown, 0],
                y=evaluation.map_2d[shown, 1],
                mode="markers",
                marker={
                    "symbol": RIGHT_SYMBOL if right else WRONG_SYMBOL,
                    "size": size,
                    "opacity": 0.75,
                    **marker,
                },
                customdata=shown.astype(np.int32),
                selectedpoints=picked,
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 0.12}},
                hoverinfo="none",
                showlegend=False,
            )

    if len(chosen):
        is_chosen = np.isin(true[rows], chosen)
        add(rows[~is_chosen], color=NEUTRAL, opacity=0.2)
        for label, look in zip(chosen, CHOSEN_COLOURS, strict=False):
            add(rows[true[rows] == label], color=look, opacity=1, size=size + 3)
            name = plain_label(evaluation.class_names[label])
            _add_key(chart, name, color=look, symbol=RIGHT_SYMBOL)
    elif colour == "class":
        scale = {"colorscale": cyclical.Phase, "cmin": 0, "cmax": 1}
        add(rows, color=hues[true], **scale)
    elif colour == "confidence":
        add(
            rows,
            color=evaluation.confidence,
            colorscale=sample_colorscale(MAP_SCALE, np.linspace(0.2, 0.95, 9)),
            cmin=0,
            cmax=1,
            colorbar={
                "title": {"text": _("Probability of the guess"), "side": "top"},
                "orientation": "h",
                "len": 0.5,
                "x": 0,
                "xanchor": "left",
                "y": 0,
                "yanchor": "top",
                "thickness": 10,
                "outlinewidth": 0,
                "tickformat": ".0%",
            },
        )
        chart.update_traces(marker_showscale=False)
        chart.data[0].marker.showscale = True
    else:
        add(rows)
    by_rightness = colour == "rightness" and not len(chosen)
    for title, look, symbol in (
        (_("right"), RIGHT_COLOUR, RIGHT_SYMBOL),
        (_("wrong"), WRONG_COLOUR if by_rightness else NEUTRAL, WRONG_SYMBOL),
    ):
        _add_key(chart, title, color=look, symbol=symbol)
    axis = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "showticklabels": False,
        "ticks": "",
    }
    chart.update_layout(
        template="none",
        xaxis=axis,
        yaxis={**axis, "scaleanchor": "x"},
        dragmode="lasso",
        hovermode="closest",
        modebar={"orientation": "v"},
        margin={"l": 8, "r": 40, "t": 12, "b": 8},
        legend={
            "orientation": "h",
            "y": 1.0,
            "yanchor": "bottom",
            "x": 0,
            "itemclick": False,
            "itemdoubleclick": False,
        },
    )
    return chart


def _add_key(chart: go.Figure, title: str, **marker: str) -> None:
    """Adds a line of the legend without a point on the chart."""
    chart.add_scatter(
        x=[None], y=[None], mode="markers", marker={"size": 9, **marker}, name=title
    )


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


def accuracy_words(figures: "ClassFigures") -> str:
    """Returns an accuracy's interval, such as `61–93 %`."""
    return f"{100 * figures.recall_low:.0f}–{100 * figures.recall_high:.0f} %"


def accuracy_chart(
    runs: Sequence[Run],
    figures_of: "Sequence[Sequence[ClassFigures]]",
    *,
    words: NullTranslations,
) -> tuple[go.Figure, list[str]]:
    """Draws the accuracy of every class with its interval, the first run's worst first.

    Args:
        runs: One or more.
        figures_of: The figures of each one's classes, the same classes in all.
        words: The sentences of a language.

    Returns:
        The figure, and the class at each place.
    """
    _ = words.gettext
    ordered = sorted(figures_of[0], key=lambda f: (f.recall, f.class_name))
    names = [figures.class_name for figures in ordered if figures.n]
    figure = go.Figure()
    for number, run in enumerate(runs):
        by_name = {figures.class_name: figures for figures in figures_of[number]}
        found = [by_name[name] for name in names]
        recall = np.array([figures.recall for figures in found])
        low = np.array([figures.recall_low for figures in found])
        high = np.array([figures.recall_high for figures in found])
        figure.add_scatter(
            x=[plain_label(figures.class_name) for figures in found],
            y=recall,
            error_y={
                "type": "data",
                "array": high - recall,
                "arrayminus": recall - low,
                "width": 0,
                "thickness": 1,
                "color": "rgba(128,128,128,0.45)",
            },
            mode="markers",
            marker={
                "color": network_colour(run),
                "symbol": SYMBOLS[number],
                "size": 7,
            },
            customdata=[
                _("{done} of {total}, {interval}").format(
                    done=figures.correct,
                    total=figures.n,
                    interval=accuracy_words(figures),
                )
                for figures in found
            ],
            hovertemplate="%{x}: %{y:.0%}<br>%{customdata}<extra></extra>",
            name=plain_label(run.run_id),
        )
    figure.update_layout(
        template="none",
        xaxis={"type": "category", "range": [-1, len(names)]},
        yaxis={"title": _("accuracy"), "tickformat": ".0%", "range": [-0.02, 1.02]},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure, names


def change_chart(
    classes: "Sequence[ClassChange]",
    run: Run,
    baseline: Run,
    *,
    found: str | None = None,
    words: NullTranslations,
) -> tuple[go.Figure, list[str]]:
    """Draws by how much each class's accuracy differs between two runs.

    Args:
        classes: Each class in both.
        run: Whose accuracy is above 0 where it is the higher one.
        baseline: What it is compared with.
        found: A class to mark.
        words: The sentences of a language.

    Returns:
        The figure, and the class at each place: the most gained first.
    """
    _ = words.gettext
    ordered = sorted(classes, key=lambda one: (-one.paired.change, one.class_name))
    change = np.array([100 * one.paired.change for one in ordered])
    low = np.array([100 * one.paired.low for one in ordered])
    high = np.array([100 * one.paired.high for one in ordered])
    signs = np.sign(change).astype(int)
    figure = go.Figure()
    figure.add_scatter(
        x=[plain_label(one.class_name) for one in ordered],
        y=change,
        error_y={
            "type": "data",
            "array": high - change,
            "arrayminus": change - low,
            "width": 0,
            "thickness": 1,
            "color": "rgba(128,128,128,0.45)",
        },
        mode="markers",
        marker={
            "color": [
                {1: network_colour(run), -1: network_colour(baseline)}.get(s, NEUTRAL)
                for s in signs
            ],
            "symbol": [
                {1: "triangle-up", -1: "triangle-down"}.get(s, "circle") for s in signs
            ],
            "size": [14 if one.class_name == found else 7 for one in ordered],
            "line": {"width": 0},
        },
        customdata=[
            _(
                "{fixed} fixed, {broken} newly broken of {n}; {low:+.0f} to {high:+.0f}"
            ).format(
                fixed=one.paired.fixed,
                broken=one.paired.broken,
                n=one.paired.n,
                low=100 * one.paired.low,
                high=100 * one.paired.high,
            )
            for one in ordered
        ],
        hovertemplate=_("%{x}: %{y:+.0f} points") + "<br>%{customdata}<extra></extra>",
        showlegend=False,
    )
    figure.update_layout(
        template="none",
        xaxis={"type": "category", "range": [-1, len(ordered)]},
        yaxis={
            "title": _("change in points"),
            "tickformat": "+.0f",
            "zeroline": True,
            "zerolinewidth": 2,
        },
    )
    return figure, [one.class_name for one in ordered]


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
    labels = [plain_label(names[label]) for label in order]
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
        one, other = int(first), int(second)
        is_above = step >= classes - count
        lines[is_above].append(
            f"M{height[one]:.3f},{place[one]:.2f}L{distance:.3f},{place[one]:.2f}"
            f"L{distance:.3f},{place[other]:.2f}L{height[other]:.3f},{place[other]:.2f}"
        )
        place[classes + step] = (place[one] + place[other]) / 2
        height[classes + step] = distance
    return "".join(lines[0]) or "M0,0", "".join(lines[1]) or "M0,0"
