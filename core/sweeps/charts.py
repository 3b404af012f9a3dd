"""The charts of a sweep, without data of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from gettext import NullTranslations
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray
from plotly import graph_objects as go
from plotly.colors import sample_colorscale

from core.charts.theme import (
    AXIS_TITLES,
    CHOSEN_COLOURS,
    MAP_SCALE,
    NEUTRAL,
    OTHER_COLOUR,
    percent_ticks,
)
from core.language import noop as N_
from core.language import plain_label
from core.runs.config import field_title as setting_title
from core.runs.reading import Run
from core.sentences.numbers import percent
from core.sweeps.analysis import Importances, Values, is_number, varied
from core.sweeps.record import SweepRecord
from core.sweeps.spec import Value
from models import NETWORKS

BANDS = 10
"""Trials of like accuracy share a colour and a trace, so that thousands stay quick."""

LOG_RATIO = 20.0
"""Positive numbers whose ends differ by so much stand on a logarithmic axis."""

MAX_CHOICES = 14
"""An axis names no more of its values than it has room for."""

MAX_DRAWN = 300
"""Of more trials only the most accurate are drawn."""

JITTER = 0.012
"""Trials that chose alike lie so far apart, in heights of the chart."""

HIDDEN_AXIS = {
    "showgrid": False,
    "zeroline": False,
    "showline": False,
    "ticks": "",
}
FIELD_TITLES = {
    "network": N_("Network"),
    "recipe": N_("Recipe"),
    "fold": N_("Fold"),
}
RESULT_TITLE = N_("Validation top-1")


def field_title(field: str, words: NullTranslations) -> str:
    """Returns what a field is called."""
    title = FIELD_TITLES.get(field) or setting_title(field)
    return words.gettext(title)


def value_text(field: str, value: Value | None) -> str:
    """Returns a field's value as it is read."""
    if field == "network" and value in NETWORKS:
        return NETWORKS[str(value)].title
    if isinstance(value, tuple):
        return ", ".join(f"{entry:g}" for entry in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class _Axis:
    """Where an axis has each trial, from 0 to 1, and what is written at it."""

    places: NDArray[np.float64]
    ticks: tuple[tuple[float, str], ...]


def parallel_coordinates(
    record: SweepRecord, *, chosen: str | None, words: NullTranslations
) -> tuple[go.Figure, list[list[str]]]:
    """Draws each trial as a line through its values to its validation accuracy.

    Args:
        record: The sweep; trials without an accuracy yet are left out, and of more
            than `MAX_DRAWN` the least accurate.
        chosen: The run id of the trial that is drawn in front.
        words: The sentences of a language.

    Returns:
        The figure, and the run id of each point of each of its traces.
    """
    _ = words.gettext
    scores = [trial.val_top1 for trial in record.trials]
    kept = _best([-1.0 if score is None else score for score in scores])
    kept = [number for number in kept if scores[number] is not None]
    top1 = np.array([record.trials[number].val_top1 for number in kept], dtype=float)
    fields = varied(record)
    axes = [_axis(field, values, kept) for field, values in fields.items()]
    axes.append(_result_axis(top1, words))
    titles = [field_title(field, words) for field in fields] + [_(RESULT_TITLE)]
    places = (
        np.stack([axis.places for axis in axes], axis=1) if kept else np.empty((0,))
    )
    chart, points = go.Figure(), list[list[str]]()

    def hover(number: int) -> str:
        trial = record.trials[number]
        lines = [plain_label(trial.run_id)]
        lines += [
            f"{title}: {plain_label(value_text(field, values[number]))}"
            for title, (field, values) in zip(titles, fields.items(), strict=False)
        ]
        top1 = percent(trial.val_top1 or 0.0, words, digits=1)
        return "<br>".join([*lines, f"{titles[-1]}: {top1}"])

    def add(rows: Sequence[int], colour: str, width: float) -> None:
        # A gap after each trial lets all of a colour be one line.
        x = np.tile([*range(len(axes)), np.nan], len(rows))
        y = np.column_stack([places[rows], np.full(len(rows), np.nan)]).ravel()
        texts = [hover(kept[row]) for row in rows]
        chart.add_scatter(
            x=x,
            y=y,
            mode="lines+markers",
            line={"color": colour, "width": width},
            marker={"size": width + 3},
            customdata=np.repeat(texts, len(axes) + 1),
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        )
        run_ids = [record.trials[kept[row]].run_id for row in rows]
        points.append([run_id for run_id in run_ids for _n in range(len(axes) + 1)])

    bands = _bands(top1)
    for band, colour in enumerate(_band_colours()):
        rows = np.flatnonzero(bands == band)
        if len(rows):
            add(rows.tolist(), colour, 1.5)
    for row, number in enumerate(kept):
        if record.trials[number].run_id == chosen:
            add([row], CHOSEN_COLOURS[0], 4)
    for place, axis in enumerate(axes):
        chart.add_vline(
            x=place, line={"color": NEUTRAL, "width": 1}, layer="below", opacity=0.6
        )
        is_last = place == len(axes) - 1
        for height, text in axis.ticks:
            chart.add_annotation(
                x=place,
                y=height,
                text=plain_label(text),
                showarrow=False,
                xanchor="left" if is_last else "right",
                xshift=8 if is_last else -8,
                font={"size": 11},
            )
    chart.update_layout(
        template="none",
        xaxis={
            **HIDDEN_AXIS,
            "side": "top",
            "tickmode": "array",
            "tickvals": list(range(len(axes))),
            "ticktext": ["<br>".join(wrap(plain_label(t), 14)) for t in titles],
            "range": [-0.35, len(axes) - 0.65],
        },
        yaxis={**HIDDEN_AXIS, "showticklabels": False, "range": [-0.06, 1.06]},
        hovermode="closest",
        dragmode=False,
    )
    return chart, points


def _best(scores: Sequence[float]) -> list[int]:
    """Returns the places of the highest scores, at most `MAX_DRAWN`, ascending."""
    order = sorted(range(len(scores)), key=lambda number: -scores[number])
    return sorted(order[:MAX_DRAWN])


def _bands(top1: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns the colour of each trial, from 0 for the lowest accuracy."""
    if not len(top1) or np.ptp(top1) == 0:
        return np.full(len(top1), BANDS - 1)
    scaled = (top1 - top1.min()) / np.ptp(top1)
    bands: NDArray[np.int64] = np.minimum(scaled * BANDS, BANDS - 1).astype(np.int64)
    return bands


def _band_colours() -> list[str]:
    return list(sample_colorscale(MAP_SCALE, np.linspace(0.1, 0.9, BANDS)))


def _axis(field: str, values: Values, kept: Sequence[int]) -> _Axis:
    """Places some trials on the axis of a field that has all trials' values."""
    distinct = list(dict.fromkeys(values))
    if not all(is_number(value) for value in distinct):
        return _choice_axis(field, values, kept, distinct)
    numbers = np.array(values, dtype=float)
    if len(distinct) <= MAX_CHOICES and not _is_log(numbers):
        ordered = [value for _n, value in sorted(zip(numbers, values, strict=True))]
        return _choice_axis(field, values, kept, list(dict.fromkeys(ordered)))
    places = _scaled(numbers)
    if len(distinct) <= MAX_CHOICES:
        ticks = {
            float(place): value for place, value in zip(places, values, strict=True)
        }
    else:
        low, high = numbers.min(), numbers.max()
        steps = np.linspace(0, 1, 5)
        between = low * (high / low) ** steps if _is_log(numbers) else None
        at = low + (high - low) * steps if between is None else between
        ticks = {
            float(step): float(f"{value:.3g}")
            for step, value in zip(steps, at, strict=True)
        }
    return _Axis(
        places[list(kept)],
        tuple((place, value_text(field, value)) for place, value in ticks.items()),
    )


def _choice_axis(
    field: str, values: Values, kept: Sequence[int], options: Sequence[Value | None]
) -> _Axis:
    """Places options at equal distances."""
    heights = np.linspace(0, 1, len(options)) if len(options) > 1 else np.array([0.5])
    ranks = np.array([options.index(values[number]) for number in kept], dtype=int)
    # Those that chose alike are told apart, always alike.
    apart = np.zeros(len(kept))
    for rank in range(len(options)):
        same = np.flatnonzero(ranks == rank)
        if len(same) > 1:
            apart[same] = np.linspace(-JITTER, JITTER, len(same))
    named = range(0, len(options), -(-len(options) // MAX_CHOICES))
    return _Axis(
        heights[ranks] + apart,
        tuple((float(heights[n]), value_text(field, options[n])) for n in named),
    )


def _is_log(numbers: NDArray[np.float64]) -> bool:
    return bool(numbers.min() > 0 and numbers.max() / numbers.min() >= LOG_RATIO)


def _scaled(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns numbers from 0 for the least to 1 for the greatest."""
    on_line = np.log(numbers) if _is_log(numbers) else numbers
    scaled: NDArray[np.float64] = (on_line - on_line.min()) / np.ptp(on_line)
    return scaled


def _result_axis(top1: NDArray[np.float64], words: NullTranslations) -> _Axis:
    if not len(top1) or np.ptp(top1) == 0:
        ticks = tuple((0.5, percent(value, words, digits=1)) for value in top1[:1])
        return _Axis(np.full(len(top1), 0.5), ticks)
    steps = np.linspace(0, 1, 5)
    values = top1.min() + np.ptp(top1) * steps
    return _Axis(
        (top1 - top1.min()) / np.ptp(top1),
        tuple(
            (float(s), percent(v, words, digits=1))
            for s, v in zip(steps, values, strict=True)
        ),
    )


def trial_curves(
    record: SweepRecord,
    runs: Sequence[Run],
    *,
    chosen: str | None,
    words: NullTranslations,
) -> tuple[go.Figure, list[list[str]]]:
    """Draws the validation top-1 of every trial after each epoch.

    Trials that were stopped early end in a cross, finished ones in a dot.

    Args:
        record: The sweep.
        runs: Of its trials; those without a finished epoch are left out, and of more
            than `MAX_DRAWN` the least accurate.
        chosen: The run id of the trial that is drawn in front.
        words: The sentences of a language.

    Returns:
        The figure, and the run id of each point of each of its traces.
    """
    _ = words.gettext
    states = {trial.run_id: trial.state for trial in record.trials}
    shown = [run for run in runs if run.history]
    best = _best([run.history[-1]["val_top1"] for run in shown])
    shown = [shown[number] for number in best]
    last = np.array([run.history[-1]["val_top1"] for run in shown])
    max_epoch = max((run.history[-1]["epoch"] for run in shown), default=0)
    chart, points = go.Figure(), list[list[str]]()

    def add(some: Sequence[Run], colour: str, width: float) -> None:
        x, y, texts, run_ids = [], [], [], []
        symbols = []
        for run in some:
            for row in run.history:
                x.append(float(row["epoch"]))
                y.append(float(row["val_top1"]))
                told = percent(row["val_top1"], words, digits=1)
                texts.append(f"{plain_label(run.run_id)}: {told}")
                symbols.append("circle")
            if states.get(run.run_id) == "pruned":
                symbols[-1] = "x"
            x.append(np.nan)
            y.append(np.nan)
            texts.append("")
            symbols.append("circle")
            run_ids += [run.run_id] * (len(run.history) + 1)
        chart.add_scatter(
            x=np.array(x),
            y=np.array(y),
            mode="lines+markers",
            line={"color": colour, "width": width},
            marker={"size": width + 3.5, "symbol": symbols},
            customdata=texts,
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        )
        points.append(run_ids)

    bands = _bands(last)
    for band, colour in enumerate(_band_colours()):
        some = [run for run, its in zip(shown, bands, strict=True) if its == band]
        if some:
            add(some, colour, 1.5)
    for run in shown:
        if run.run_id == chosen:
            add([run], CHOSEN_COLOURS[0], 4)
    chart.update_layout(
        template="none",
        xaxis={
            "title": _(AXIS_TITLES["epoch"]),
            "rangemode": "tozero",
            "dtick": 1 if max_epoch <= MAX_CHOICES else None,
        },
        yaxis={"title": _(RESULT_TITLE), **percent_ticks(words)},
        hovermode="closest",
    )
    return chart, points


def importance_chart(importances: Importances, *, words: NullTranslations) -> go.Figure:
    """Draws how much each varied field matters, with twice its standard error."""
    _ = words.gettext
    fields = importances.fields[::-1]
    figure = go.Figure()
    figure.add_bar(
        x=[100 * entry.rise for entry in fields],
        y=[plain_label(field_title(entry.field, words)) for entry in fields],
        orientation="h",
        marker={"color": OTHER_COLOUR},
        error_x={
            "type": "data",
            "array": [200 * entry.spread for entry in fields],
            "thickness": 1,
            "width": 0,
            "color": NEUTRAL,
        },
        hovertemplate="%{y}: %{x:.2f}<extra></extra>",
    )
    figure.update_layout(
        template="none",
        xaxis={"title": _("Rise of the prediction's error, in points of accuracy")},
        yaxis={"type": "category"},
    )
    return figure
