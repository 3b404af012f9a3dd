"""Replay: how the guesses changed stroke by stroke."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from plotly import graph_objects as go

from core.charts.theme import NEUTRAL, network_colour, percent_ticks
from core.language import plain_label
from core.sentences.numbers import percent
from core.sketches.strokes import Drawing
from pages.shared.chart import chart
from pages.shared.fragments import fragment
from pages.shared.guesses import show_guesses
from pages.shared.language import gettext as _
from pages.shared.language import thing, words
from pages.shared.networks import Network, guesses, look_at_steps, pick_network

SHOWN_CLASSES = 6
STEP_S = 0.7
"""How long a stroke is shown while it plays."""

CLASS_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito 2008."""


def show_replay(networks: list[Network], drawing: Drawing) -> None:
    """Shows a network's probabilities over the strokes, and any one step of them."""
    count = len(drawing.strokes)
    if count < 2:
        st.caption(_("Draw a second stroke to see how the guesses change."))
        return
    network = pick_network(networks, key="replay_network")
    state = st.session_state
    # The latest stroke is shown unless one has gone back by hand.
    if state.get("replay_of") != count:
        state.update(replay_of=count, replay_stroke=count, replay_plays=False)
    every = STEP_S if state["replay_plays"] else None
    fragment(show_steps, run_every=every)(network, drawing)


def show_steps(network: Network, drawing: Drawing) -> None:
    """Shows one step of a drawing; while it plays, the next at each run."""
    count = len(drawing.strokes)
    steps, sketches, probabilities = look_at_steps(network, drawing)
    state = st.session_state
    if state["replay_plays"]:
        play_on(count)

    def clicked(point: dict[str, Any]) -> None:
        state["replay_stroke"] = min(max(round(float(point["x"])), 1), count)

    left, right = st.columns([3, 2], gap="large")
    with left:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            plays = state["replay_plays"]
            if st.button(
                _("Pause") if plays else _("Play"),
                icon=f":material/{'pause' if plays else 'play_arrow'}:",
                key="replay_play",
            ):
                state["replay_plays"] = not plays
                state["replay_at"] = 0.0
                if state["replay_stroke"] == count:
                    state["replay_stroke"] = 0
                st.rerun()
            chosen = st.slider(_("Stroke"), 1, count, key="replay_stroke")
        step = min(steps, key=lambda number: abs(number - chosen))
        chart(
            replay_figure(network, steps, probabilities, step=step),
            key="replay",
            alt=_(
                "Probabilities of the likeliest classes after each of {count} strokes"
            ).format(count=count),
            height=320,
            uirevision=str(count),
            on_click=clicked,
        )
    with right:
        picture, bars = st.columns([1, 2])
        picture.image(
            sketches[steps.index(step)],
            width=128,
            output_format="PNG",
            alt=_("The drawing after stroke {number}").format(number=step),
        )
        with bars:
            show_guesses(
                _("After stroke {number}").format(number=step),
                guesses(network, probabilities[steps.index(step)].astype(np.float32)),
                colour=network_colour(network.run),
                run=network.run,
            )


def play_on(count: int) -> None:
    """Goes on to the next of some strokes when it is time, and stops after the last."""
    state = st.session_state
    if state["replay_stroke"] >= count:
        state["replay_plays"] = False
        st.rerun()
    now = time.monotonic()
    if now - state["replay_at"] >= 0.9 * STEP_S:
        state["replay_at"] = now
        state["replay_stroke"] += 1


def replay_figure(
    network: Network,
    strokes: Sequence[int],
    probabilities: NDArray[np.floating],
    *,
    step: int,
) -> go.Figure:
    """Draws the likeliest classes' probabilities over the strokes.

    Args:
        network: Whose.
        strokes: After which it was asked, counted from 1.
        probabilities: Shape `(strokes, num_classes)`.
        step: The stroke to mark, counted from 1.
    """
    highest = probabilities.max(axis=0)
    labels = np.argsort(-highest, kind="stable")[:SHOWN_CLASSES]
    figure = go.Figure()
    for label, colour in zip(labels, CLASS_COLOURS, strict=False):
        name = plain_label(thing(network.classifier.class_names[label]))
        figure.add_scatter(
            x=list(strokes),
            y=probabilities[:, label].astype(np.float32),
            name=name,
            customdata=[percent(p, words()) for p in probabilities[:, label]],
            mode="lines+markers",
            line={"color": colour},
            hovertemplate=_("{name} {probability} after stroke {number}").format(
                name=name, probability="%{customdata}", number="%{x}"
            )
            + "<extra></extra>",
        )
    figure.add_vline(x=step, line={"color": NEUTRAL, "dash": "dot"})
    figure.update_layout(
        xaxis={"title": _("Strokes"), "tickformat": "d", "dtick": _tick(strokes[-1])},
        yaxis={"title": _("Probability"), **percent_ticks(words()), "range": [0, 1.02]},
        legend={"orientation": "h", "y": -0.25},
    )
    return figure


def _tick(count: int) -> int:
    """Returns the distance of ticks so that there are at most about ten."""
    return max(1, -(-count // 10))
