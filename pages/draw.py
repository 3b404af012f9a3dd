"""Draw: a canvas, what the networks take the drawing for, and why."""

import html

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core.language import noop as N_
from core.runs.reading import Run
from core.sketches.strokes import Drawing, guessable_sketch
from pages.parts.draw.answers import show_answers, show_invitation
from pages.parts.draw.canvas import drawing_canvas, with_line_so_far
from pages.parts.draw.game import show_game
from pages.parts.draw.keep import ask_whether_right, show_keep, show_kept
from pages.parts.draw.picture import offer_turn, pick_picture
from pages.parts.draw.replay import show_replay
from pages.shared.fragments import fragment
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.networks import (
    MAX_NETWORKS,
    Network,
    guesses,
    guessing_runs,
    load_networks,
    look,
    pick_runs,
)
from pages.shared.pickers import no_evaluation_yet, pick_option
from pages.shared.pictures import to_address
from pages.shared.sketches import SKETCH_WIDTH
from pages.shared.tries import show_known, show_tries
from pages.shared.why import show_why

MODES = {"Draw": N_("Draw"), "Game": N_("Game"), "My drawings": N_("My drawings")}
DETAILS = {"Replay": N_("Replay"), "Why": N_("Why"), "Keep": N_("Keep")}
"""What addresses call them, and people."""

PRESENT = {"view": "present"}
"""The address's parameter of the presenter's view."""
PRESENTED = """
<style>
[data-testid="stHeader"], .st-key-header, .st-key-seen { display: none; }
.stMainBlockContainer { padding: 1rem 2rem; }
.st-key-drawing [class*="st-key-canvas_"][class*="st-key-canvas_"] {
  max-width: calc(100dvh - 8rem); }
.st-key-verdict :is(h3, p) { font-size: clamp(1.2rem, 2.2vw, 2.5rem); }
.st-key-verdict .guess { font-size: clamp(1rem, 1.8vw, 2rem);
  grid-template-columns: minmax(0, 1fr) max-content; }
.st-key-verdict .bar { height: 0.8rem; }
</style>
"""


def show_canvas(
    runs: list[Run],
    picture: NDArray[np.uint8] | None,
    row: DeltaGenerator,
    *,
    share: float = 0.4,
) -> tuple[list[Network], Drawing, NDArray[np.uint8] | None, DeltaGenerator]:
    """Shows the canvas, and beside it what the networks make of what is on it.

    Args:
        runs: Who guesses.
        picture: What they are to look at in the drawing's place.
        row: Where.
        share: Of its width that is the canvas's.

    Returns:
        The networks, the drawing, the sketch that they look at unless there is too
        little of it, and where there is room for more.
    """
    left, right = row.columns([share, 1 - share], gap="large")
    with left:
        drawing = drawing_canvas("canvas")
    sketch = guessable_sketch(drawing) if picture is None else picture
    with right:
        with st.spinner(_("Loading the networks; the first time takes some seconds")):
            networks = load_networks(runs)
        show_verdict(networks, drawing, sketch, is_drawn=picture is None)
    return networks, drawing, sketch, right


def show_presented() -> None:
    """Shows the canvas and the verdict as large as can be, and nothing else."""
    st.html(PRESENTED)
    row = st.container(key="drawing")
    show_canvas(guessing_runs()[:MAX_NETWORKS], None, row, share=0.55)
    st.page_link(
        "pages/draw.py", label=_("Leave the presentation"), icon=":material/close:"
    )


def show_draw() -> None:
    """Shows the canvas, the verdict, and what more there is to see of it."""
    row = st.container(key="drawing")
    picture, runs = show_choices()
    networks, drawing, sketch, beside = show_canvas(runs, picture, row)
    st.page_link(
        "pages/draw.py",
        label=_("Present"),
        icon=":material/present_to_all:",
        query_params=PRESENT,
    )
    with beside.container(key="ways"):
        if picture is not None:
            offer_turn(networks[0], picture)
        if sketch is None:
            show_tries(runs)
        show_known(runs)
    if sketch is None:
        return
    analyses, _ms = look(networks, sketch)
    drawn = drawing if picture is None else None
    guessed = guesses(networks[0], analyses[0].probabilities[0])
    ask_whether_right(networks, sketch, drawing=drawn, guessed=guessed)
    detail = pick_option(
        _("More"),
        {word: _(shown) for word, shown in DETAILS.items()},
        key="detail",
        optional=True,
        show_label=False,
    )
    if detail == "Replay" and drawn is not None:
        show_replay(networks, drawn)
    elif detail == "Replay":
        st.caption(_("A picture has no strokes to replay."))
    elif detail == "Why":
        show_why(networks, analyses, sketch)
    elif detail == "Keep":
        show_keep(networks, sketch, drawing=drawn, guessed=guessed)


def show_choices() -> tuple[NDArray[np.uint8] | None, list[Run]]:
    """Shows what may take the drawing's place, and who guesses."""
    picture_column, networks_column = st.columns([2, 3], gap="large")
    with picture_column:
        picture = pick_picture()
    with networks_column:
        runs = pick_runs()
    return picture, runs


@fragment
def show_verdict(
    networks: list[Network],
    drawing: Drawing,
    sketch: NDArray[np.uint8] | None,
    *,
    is_drawn: bool,
) -> None:
    """Shows what the networks say, anew while the pen moves.

    Args:
        networks: Who guesses.
        drawing: What is on the canvas.
        sketch: What they look at, shape `(128, 128)`; None for too little.
        is_drawn: Whether that is the drawing, and not a picture.
    """
    with_line = with_line_so_far("canvas", drawing) if is_drawn else drawing
    if with_line is not drawing:
        drawing, sketch = with_line, guessable_sketch(with_line)
    if sketch is None:
        with st.container(key="verdict"):
            show_invitation(drawing)
        return
    analyses, network_ms = look(networks, sketch)
    with st.container(key="verdict"):
        show_answers(networks, [a.probabilities[0] for a in analyses])
    with st.container(key="seen"):
        seen, words = st.columns([1, 3], vertical_alignment="center")
    alt = (
        _("The drawing as the networks see it, after stroke {number}").format(
            number=len(drawing.strokes)
        )
        if is_drawn
        else _("The picture as the networks see it")
    )
    # In the page itself: a file would be gone before a quick pen's next line.
    seen.html(
        f'<img src="{to_address(sketch)}" alt="{html.escape(alt)}" '
        f'width="{SKETCH_WIDTH}">'
    )
    words.caption(
        _(
            "What the networks see: 128 × 128 pixels, moved, scaled and drawn like "
            "the sketches that they learned from. Their answer took {ms:.0f} ms. "
            "Probabilities are calibrated on sketches that they had not learned "
            "from."
        ).format(ms=network_ms)
    )


require_frame()
is_presented = st.query_params.get("view") == PRESENT["view"] and guessing_runs()
if not is_presented:
    st.title(_("Draw"))
if not guessing_runs():
    no_evaluation_yet()
elif is_presented:
    show_presented()
else:
    mode = pick_option(
        _("What to do"),
        {word: _(shown) for word, shown in MODES.items()},
        key="mode",
        show_label=False,
    )
    if mode == "Draw":
        show_draw()
    elif mode == "Game":
        show_game(load_networks(guessing_runs()))
    else:
        show_kept()
