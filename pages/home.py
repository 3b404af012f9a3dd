"""Home: a canvas that guesses, and three ways on from there."""

from collections.abc import Sequence

import streamlit as st

from core.runs.reading import Run
from core.sketches.strokes import Drawing, guessable_sketch
from models import NETWORKS
from pages.parts.draw.answers import show_answers, show_invitation
from pages.parts.draw.canvas import drawing_canvas, with_line_so_far
from pages.parts.home.cards import show_cards
from pages.shared.fragments import fragment
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import listed
from pages.shared.networks import MAX_NETWORKS, guessing_runs, load_networks, look
from pages.shared.pickers import no_evaluation_yet
from pages.shared.tries import show_tries


@fragment
def show_guessing(runs: Sequence[Run], drawing: Drawing) -> None:
    """Shows what the networks take the drawing for, anew while the pen moves."""
    drawing = with_line_so_far("canvas", drawing)
    sketch = guessable_sketch(drawing)
    with st.container(key="verdict"):
        if sketch is None:
            show_invitation(drawing)
            return
        networks = load_networks(runs)
        analyses, _ms = look(networks, sketch)
        show_answers(networks, [a.probabilities[0] for a in analyses])


def show_ways_on(runs: Sequence[Run]) -> None:
    """Shows what to draw, and the way to Draw."""
    show_tries(runs)
    st.page_link(
        "pages/draw.py",
        label=_("More: why they say so, a game, and your own drawings"),
        icon=":material/draw:",
    )


require_frame()
st.title("SketchScope")
st.write(
    _("Draw something: {networks} guess with every stroke what it is.").format(
        networks=listed([f"*{spec.title}*" for spec in NETWORKS.values()])
    )
)
able = guessing_runs()[:MAX_NETWORKS]
if able:
    with st.container(key="drawing"):
        left, right = st.columns([2, 3], gap="large")
    with left:
        drawn = drawing_canvas("canvas")
    with right:
        show_guessing(able, drawn)
        with st.container(key="ways"):
            show_ways_on(able)
    show_cards(able)
    # After what is seen first, and before the first stroke.
    load_networks(able)
else:
    no_evaluation_yet()
