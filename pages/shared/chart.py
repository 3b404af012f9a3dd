"""The one hand-made part of the front end: a Plotly chart that answers clicks.

`st.plotly_chart` neither reports a click on a heatmap nor keeps a chart's zoom when
its data grow (Streamlit 1.67). This one does both, in the theme of the page.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from plotly import graph_objects as go

from core.charts import theming
from core.charts.theme import separators
from pages.shared.language import words
from pages.shared.library import ADDRESS

SCRIPT = theming.SCRIPT + "".join(
    Path(__file__).with_name(name).read_text(encoding="utf-8")
    for name in ("chart.js", "points.js")
)


@dataclass(frozen=True)
class Label:
    """A name on a chart.

    Attributes:
        x: Its middle, in the chart's units.
        y: The same.
        text: As it is: no mark-up.
        is_chosen: Whether it is written even where it covers others.
    """

    x: float
    y: float
    text: str
    is_chosen: bool = False


@dataclass(frozen=True)
class Cards:
    """What a card says of the sketch below the mouse, for each row of an evaluation.

    Attributes:
        names: Of the classes, at most 65,536.
        drawn: Class indices, shape `(n,)`.
        guess: Class indices, shape `(n,)`.
        confidence: Probability of the guess, shape `(n,)`.
        ids: The sketches' ids.
        pictures: The key that `load_pictures` got; None without pictures.
    """

    names: Sequence[str]
    drawn: NDArray[np.integer]
    guess: NDArray[np.integer]
    confidence: NDArray[np.floating]
    ids: Sequence[str]
    pictures: str | None


@dataclass(frozen=True)
class Points:
    """What a chart of many points can do besides, each known by its `customdata`.

    Attributes:
        labels: Names, written in this order as long as there is room.
        cards: What is said of a point below the mouse, by its `customdata`.
        revision: The outline of a lasso is kept while this stays the same.
        on_gather: Called with the `customdata` of the points that a lasso or a box
            holds, none when it is taken back, and whether they are to be added to
            those before; then the page runs again.
    """

    labels: Sequence[Label]
    cards: Cards
    revision: str
    on_gather: Callable[[list[Any], bool], None]


def chart(
    figure: go.Figure,
    *,
    key: str,
    alt: str,
    height: int,
    uirevision: str = "",
    on_click: Callable[[dict[str, Any]], None] | None = None,
    points: Points | None = None,
) -> None:
    """Shows a figure in the colours of the page.

    Args:
        figure: What to draw. NumPy arrays in it travel in binary form.
        key: Unique on the page. The same key keeps zoom and hidden traces.
        alt: What the chart shows, for those who can't see it.
        height: In pixels.
        uirevision: Zoom is kept while this stays the same.
        on_click: Called with `x`, `y` and `index` of a point that was clicked, before
            the page runs again; in a heatmap, the index is row and column.
        points: What it can do besides, where it has many points.
    """
    figure.update_layout(separators=separators(words()))
    component = st.components.v2.component(
        "chart",
        html='<div style="position: relative">'
        '<div class="chart" role="figure"></div></div>',
        js=SCRIPT,
        # Plotly puts its style sheet into the page's head.
        isolate_styles=False,
    )

    def clicked() -> None:
        point = st.session_state[key].get("click")
        if on_click and point:
            on_click(point)

    def gathered() -> None:
        ids = st.session_state[key].get("gather")
        # What a browser sends is anything.
        if points and isinstance(ids, dict) and isinstance(ids.get("rows"), list):
            points.on_gather(ids["rows"], bool(ids.get("adds")))

    component(
        key=key,
        data={
            # Not `to_plotly_json`, which leaves an empty array as it is.
            "figure": json.loads(figure.to_json(validate=False)),
            "alt": alt,
            "height": height,
            "uirevision": uirevision or key,
            "points": points and _points_data(points),
            "library": ADDRESS,
        },
        on_click_change=clicked,
        on_gather_change=gathered,
    )


def _points_data(points: Points) -> dict[str, Any]:
    cards = points.cards
    percent = np.rint(100 * np.nan_to_num(np.asarray(cards.confidence)))
    return {
        "labels": [
            {
                "x": label.x,
                "y": label.y,
                "text": label.text,
                "chosen": label.is_chosen,
            }
            for label in points.labels
        ],
        "cards": {
            "names": list(cards.names),
            "drawn": _packed(cards.drawn, "u2"),
            "guess": _packed(cards.guess, "u2"),
            "percent": _packed(percent, "u1"),
            "ids": list(cards.ids),
            "pictures": cards.pictures,
        },
        "revision": points.revision,
    }


def _packed(values: NDArray[Any], dtype: str) -> dict[str, str]:
    """Returns an array as Plotly has them in JSON."""
    content = np.asarray(values).astype(f"<{dtype}").tobytes()
    return {"dtype": dtype, "bdata": base64.b64encode(content).decode()}
