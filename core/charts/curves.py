"""The chart of learning curves."""

from collections.abc import Iterable, Sequence
from gettext import NullTranslations
from typing import Any

from plotly import graph_objects as go

from core.analysis.curves import (
    Against,
    CurveMetric,
    Split,
    best_epoch,
    column_of,
    curve,
    has_cross_entropy,
    is_validated,
    smooth,
)
from core.analysis.seeds import SeedGroup
from core.charts.seeds import add_bands
from core.charts.theme import (
    AXIS_TITLES,
    METRIC_TITLES,
    NEUTRAL,
    SYMBOLS,
    network_colour,
    percent_ticks,
)
from core.language import plain_label
from core.runs.reading import Run
from core.sentences.numbers import percent


def learning_curves(
    runs: Sequence[Run],
    metric: CurveMetric,
    *,
    against: Against = "epoch",
    smoothing: float = 0.0,
    log: bool = False,
    show_train: bool = True,
    references: dict[str, float] | None = None,
    groups: Sequence[SeedGroup] = (),
    words: NullTranslations,
) -> go.Figure:
    """Draws one metric of some runs, validation solid and training dotted.

    Runs of one network have its colour and differ by their markers, which are filled
    for validation and open for training. With smoothing, the raw line stays, faintly.
    A star marks the epoch of highest validation top-1, an open circle the epoch under
    way, a diamond where a run went on from another. A run without validation always
    has its training's line. Runs of a group of seeds are drawn as one: their mean,
    with a band of one standard deviation.
    """
    _ = words.gettext
    chart = go.Figure()
    add_bands(
        chart,
        groups,
        metric,
        against=against,
        smoothing=smoothing,
        show_train=show_train,
        words=words,
    )
    grouped = {run.run_id for group in groups for run in group.runs}
    for place, run in enumerate(run for run in runs if run.run_id not in grouped):
        look = {
            "color": network_colour(run),
            "symbol": SYMBOLS[place % len(SYMBOLS)],
        }
        # Without validation, there is nothing else to see.
        if show_train or not is_validated(run):
            _add_curve(chart, run, metric, "train", against, smoothing, look, words)
        column = column_of(run, metric, "val")
        if is_validated(run) or any(column in row for row in run.history):
            _add_curve(chart, run, metric, "val", against, smoothing, look, words)
        _add_best(chart, run, metric, against, look["color"], words)
        _add_origin(chart, run, metric, against, look["color"], words)
    for name, value in (references or {}).items():
        chart.add_hline(
            y=value,
            line={"color": NEUTRAL, "width": 1, "dash": "dash"},
            annotation={
                "text": f"{_(name)} {percent(value, words, digits=1)}",
                "font": {"size": 11},
            },
            annotation_position="bottom right",
        )
    chart.update_layout(
        template="none",
        title={"text": _(METRIC_TITLES[metric]), "font": {"size": 15}, "x": 0},
        xaxis={"title": _(AXIS_TITLES[against]), "rangemode": "tozero"},
        yaxis={
            "type": "log" if log else "linear",
            **({} if metric == "loss" else percent_ticks(words) | {"range": [0, 1]}),
        },
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
        hovermode="x unified",
    )
    return chart


def _add_curve(
    chart: go.Figure,
    run: Run,
    metric: CurveMetric,
    split: Any,
    against: Against,
    smoothing: float,
    look: dict[str, str],
    words: NullTranslations,
) -> None:
    """Adds one line, its raw values if it is smoothed, and where it is now."""
    _ = words.gettext
    points = curve(run, metric, split=split, against=against)
    title = _("{run}, validation") if split == "val" else _("{run}, training")
    line = {
        "color": look["color"],
        "width": 2,
        "dash": "solid" if split == "val" else "dot",
    }
    name = title.format(run=plain_label(run.run_id))
    if metric == "loss" and run.config is not None and not has_cross_entropy(run):
        name = _("{curve}, with label smoothing {share:g}").format(
            curve=name, share=run.config.settings.label_smoothing
        )
    if smoothing and len(points.y):
        chart.add_scatter(
            x=points.x,
            y=points.y,
            mode="lines",
            line=line,
            opacity=0.3,
            hoverinfo="skip",
            showlegend=False,
        )
    chart.add_scatter(
        x=points.x,
        y=smooth(points.y, weight=smoothing) if smoothing else points.y,
        mode="lines+markers",
        line=line,
        marker={
            "symbol": look["symbol"] + ("" if split == "val" else "-open"),
            "size": 6,
            "color": look["color"],
        },
        name=name,
        **_hover(points.y, metric, words),
    )
    if points.live_x is not None:
        chart.add_scatter(
            x=[points.live_x],
            y=[points.live_y],
            mode="markers",
            marker={"symbol": "circle-open", "size": 10, "color": look["color"]},
            name=_("{curve}, epoch under way").format(curve=name),
            **_hover([points.live_y or 0.0], metric, words),
            showlegend=False,
        )


def _add_best(
    chart: go.Figure,
    run: Run,
    metric: CurveMetric,
    against: Against,
    colour: str,
    words: NullTranslations,
) -> None:
    row, column = best_epoch(run), column_of(run, metric, "val")
    if row is None or column not in row:
        return
    chart.add_scatter(
        x=[_place(row, against)],
        y=[row[column]],
        **_hover([row[column]], metric, words),
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


def _add_origin(
    chart: go.Figure,
    run: Run,
    metric: CurveMetric,
    against: Against,
    colour: str,
    words: NullTranslations,
) -> None:
    """Marks where a run went on from another: after an epoch, or with its weights."""
    origin = run.config.origin if run.config else None
    if origin is None or not run.history:
        return
    row = run.history[min(origin.epoch or 1, len(run.history)) - 1]
    split: Split = "val" if column_of(run, metric, "val") in row else "train"
    column = column_of(run, metric, split)
    if column not in row:
        return
    title = (
        words.gettext("{run}, first epoch after {origin}")
        if origin.epoch is None
        else words.gettext("{run}, until here {origin}")
    )
    chart.add_scatter(
        x=[_place(row, against)],
        y=[row[column]],
        **_hover([row[column]], metric, words),
        mode="markers",
        marker={"symbol": "diamond-open", "size": 13, "color": colour},
        name=title.format(
            run=plain_label(run.run_id), origin=plain_label(origin.run_id)
        ),
        showlegend=False,
    )


def _hover(
    y: Iterable[float], metric: CurveMetric, words: NullTranslations
) -> dict[str, Any]:
    """Returns what a point says when it is pointed at; of the loss, its number."""
    if metric == "loss":
        return {}
    told = [percent(value, words, digits=1) for value in y]
    return {"customdata": told, "hovertemplate": "%{customdata}"}


def _place(row: dict[str, Any], against: Against) -> float:
    """Returns where an epoch lies on the axis."""
    return {
        "epoch": float(row["epoch"]),
        "step": float(row["step"]),
        "time": float(row["elapsed_s"]) / 60,
    }[against]
