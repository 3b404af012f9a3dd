"""The chart of learning curves."""

from collections.abc import Sequence
from gettext import NullTranslations
from typing import Any

from plotly import graph_objects as go

from core.analysis.curves import (
    Against,
    Figure,
    best_epoch,
    curve,
    is_validated,
    smooth,
)
from core.charts.theme import (
    AXIS_TITLES,
    FIGURE_TITLES,
    NEUTRAL,
    SYMBOLS,
    network_colour,
)
from core.language import plain_label
from core.runs.reading import Run


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
