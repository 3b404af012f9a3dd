"""The mean of a group of seeds as a line, with a band of one standard deviation."""

from collections.abc import Sequence
from gettext import NullTranslations

import numpy as np
from plotly import graph_objects as go

from core.analysis.curves import Against, CurveMetric, Split, smooth
from core.analysis.seeds import SeedGroup, band
from core.charts.theme import SYMBOLS, network_colour
from core.language import number, plain_label
from core.sentences.numbers import percent
from models import NETWORKS

BAND_OPACITY = 0.18


def add_bands(
    chart: go.Figure,
    groups: Sequence[SeedGroup],
    metric: CurveMetric,
    *,
    against: Against,
    smoothing: float,
    show_train: bool,
    words: NullTranslations,
) -> None:
    """Adds a mean line and its band for each group, validation and, if so, training.

    Bands are of the values as they are; only the line is smoothed.
    """
    splits: tuple[Split, ...] = ("train", "val") if show_train else ("val",)
    for place, group in enumerate(groups):
        for split in splits:
            _add_band(chart, group, metric, split, against, smoothing, place, words)


def _add_band(
    chart: go.Figure,
    group: SeedGroup,
    metric: CurveMetric,
    split: Split,
    against: Against,
    smoothing: float,
    place: int,
    words: NullTranslations,
) -> None:
    _ = words.gettext
    found = band(group.runs, metric, split=split, against=against)
    if not len(found.x):
        return
    title = (
        _("{network}, {recipe} ({n} seeds), validation")
        if split == "val"
        else _("{network}, {recipe} ({n} seeds), training")
    )
    colour = network_colour(group.runs[0])
    low, high = found.mean - found.deviation, found.mean + found.deviation
    chart.add_scatter(
        x=np.concatenate([found.x, found.x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor=colour,
        opacity=BAND_OPACITY,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )
    told = [
        f"{percent(mean, words, digits=1)} ± {percent(deviation, words, digits=1)}"
        if metric != "loss"
        else f"{number(mean, '.3f', words)} ± {number(deviation, '.3f', words)}"
        for mean, deviation in zip(found.mean, found.deviation, strict=True)
    ]
    symbol = SYMBOLS[place % len(SYMBOLS)]
    chart.add_scatter(
        x=found.x,
        y=smooth(found.mean, weight=smoothing) if smoothing else found.mean,
        mode="lines+markers",
        line={
            "color": colour,
            "width": 3,
            "dash": "solid" if split == "val" else "dot",
        },
        marker={"symbol": symbol + ("" if split == "val" else "-open"), "size": 6},
        name=title.format(
            network=NETWORKS[group.config.network].title,
            recipe=plain_label(group.config.recipe),
            n=len(group.runs),
        ),
        customdata=told,
        hovertemplate="%{customdata}",
    )
