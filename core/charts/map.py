"""The map of test sketches as a chart of points."""

from collections.abc import Sequence
from gettext import NullTranslations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from plotly import graph_objects as go
from plotly.colors import cyclical, sample_colorscale

from core.analysis.maps import class_centres, class_hues
from core.charts.theme import CHOSEN_COLOURS, MAP_SCALE, NEUTRAL, percent_ticks
from core.language import class_word, plain_label
from core.runs.evaluation import Evaluation

MapColour = Literal["class", "rightness", "confidence"]

RIGHT_COLOUR, WRONG_COLOUR = NEUTRAL, "#CC3399"
RIGHT_SYMBOL, WRONG_SYMBOL = "circle", "x"


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
            name = plain_label(class_word(evaluation.class_names[label], words))
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
                **percent_ticks(words),
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
