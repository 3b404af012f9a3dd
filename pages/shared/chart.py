"""The one hand-made part of the front end: a Plotly chart that answers clicks.

`st.plotly_chart` neither reports a click on a heatmap nor keeps a chart's zoom when
its data grow (Streamlit 1.67). This one does both, in the theme of the page.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from plotly import graph_objects as go
from plotly.offline import get_plotlyjs

SCRIPT = Path(__file__).with_name("chart.js").read_text(encoding="utf-8")
LIBRARY = (
    get_plotlyjs()
    + """
globalThis.dispatchEvent(new Event("plotly-loaded"));
export default function () {}
"""
)

CHARTED = "charted"
"""The session's note that it has shown a chart."""


def load_plotly(*, at_once: bool) -> None:
    """Sends Plotly's library to the browser, once a session.

    An element of its own, so that what is sent again with every change of a chart
    is only the chart.

    Args:
        at_once: Whether to do so even if the session has shown no chart yet; one may
            come later in a fragment, whose runs don't come past here.
    """
    if not (at_once or st.session_state.get(CHARTED)):
        return
    library = st.components.v2.component("plotly", js=LIBRARY)
    library(key="plotly", height=1)


def chart(
    figure: go.Figure,
    *,
    key: str,
    alt: str,
    height: int,
    uirevision: str = "",
    on_click: Callable[[dict[str, Any]], None] | None = None,
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
    """
    st.session_state[CHARTED] = True
    component = st.components.v2.component(
        "chart",
        html='<div class="chart" role="figure"></div>',
        js=SCRIPT,
        # Plotly puts its style sheet into the page's head.
        isolate_styles=False,
    )

    def clicked() -> None:
        point = st.session_state[key].get("click")
        if on_click and point:
            on_click(point)

    component(
        key=key,
        data={
            # Not `to_plotly_json`, which leaves an empty array as it is.
            "figure": json.loads(figure.to_json(validate=False)),
            "alt": alt,
            "height": height,
            "uirevision": uirevision or key,
        },
        on_click_change=clicked,
    )
