"""The figures of several screens, without data of their own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plotly import graph_objects as go
from plotly.colors import sample_colorscale

from core.curves import Against, Figure, best_epoch, curve, smooth
from core.runs import Run
from pages.shared.text import plain_label

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

AXIS_TITLES = {"epoch": "Epoch", "step": "Step", "time": "Minutes of training"}
FIGURE_TITLES = {"loss": "Loss (nats)", "top1": "Top-1 accuracy", "top5": "Top-5"}

MATRIX_SCALE = "Cividis"
"""Perceptually uniform, and the same for colour-blind readers (Nuñez et al. 2018)."""

DIFFERENCE_SCALE = "PuOr"
LOG_STOPS = 12

FOUND_REACH = 12
"""How many classes to each side of a found one are shown."""


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
) -> go.Figure:
    """Draws one figure of some runs, validation solid and training dotted.

    Runs of one network have its colour and differ by their markers, which are filled
    for validation and open for training. With smoothing, the raw line stays, faintly.
    A star marks the epoch of highest validation top-1, an open circle the epoch under
    way.
    """
    chart = go.Figure()
    for number, run in enumerate(runs):
        look = {
            "color": network_colour(run),
            "symbol": SYMBOLS[number % len(SYMBOLS)],
        }
        if show_train:
            _add_curve(chart, run, figure, "train", against, smoothing, look)
        _add_curve(chart, run, figure, "val", against, smoothing, look)
        _add_best(chart, run, figure, against, look["color"])
    for name, value in (references or {}).items():
        chart.add_hline(
            y=value,
            line={"color": NEUTRAL, "width": 1, "dash": "dash"},
            annotation={"text": f"{name} {100 * value:g} %", "font": {"size": 11}},
            annotation_position="bottom right",
        )
    chart.update_layout(
        template="none",
        title={"text": FIGURE_TITLES[figure], "font": {"size": 15}, "x": 0},
        xaxis={"title": AXIS_TITLES[against], "rangemode": "tozero"},
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
) -> None:
    """Adds one line, its raw values if it is smoothed, and where it is now."""
    found = curve(run, figure, split=split, against=against)
    word = "validation" if split == "val" else "training"
    line = {
        "color": look["color"],
        "width": 2,
        "dash": "solid" if split == "val" else "dot",
    }
    name = f"{run.run_id}, {word}"
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
            name=f"{name}, epoch under way",
            showlegend=False,
        )


def _add_best(
    chart: go.Figure, run: Run, figure: Figure, against: Against, colour: str
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
        name=f"{run.run_id}, best epoch {row['epoch']}",
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
    """
    rounded = np.sign(values) * np.maximum(np.round(np.abs(values)), values != 0)
    z = rounded.astype(_smallest_type(rounded))
    limit = max(float(np.abs(z).max(initial=0)), 1.0)
    what = "%{z:+d} sketches" if is_difference else "%{z}" + (unit or " sketches")
    hover = f"drawn: %{{y}}<br>taken for: %{{x}}<br>{what}"
    heatmap: dict[str, Any] = {}
    if unit:
        heatmap["customdata"] = counts.astype(_smallest_type(counts))
        hover += "<br>%{customdata} sketches"
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
            hovertemplate=hover + "<extra></extra>",
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
    x = {"type": "category", "title": "taken for", "showgrid": False, "tickangle": -90}
    y = {"type": "category", "title": "drawn", "showgrid": False}
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
