"""Draw: a canvas, what the networks take the drawing for, and why."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.charts.theme import network_colour
from core.errors import ImageError
from core.language import noop as N_
from core.language import plain
from core.sketches.photos import read_drawing
from core.sketches.strokes import Drawing, is_too_little, render_sketch
from pages.parts.draw.canvas import drawing_canvas
from pages.parts.draw.game import show_game
from pages.parts.draw.keep import show_keep, show_kept
from pages.parts.draw.replay import show_replay
from pages.shared.frame import require_frame
from pages.shared.guesses import agreement, show_guesses
from pages.shared.language import gettext as _
from pages.shared.networks import (
    Network,
    guesses,
    guessing_runs,
    load_networks,
    look,
    pick_runs,
)
from pages.shared.pickers import no_evaluation_yet, pick_option
from pages.shared.sketches import SKETCH_WIDTH
from pages.shared.told import told
from pages.shared.why import show_why

MODES = {"Draw": N_("Draw"), "Game": N_("Game"), "My drawings": N_("My drawings")}
DETAILS = {"Replay": N_("Replay"), "Why": N_("Why"), "Keep": N_("Keep")}
"""What addresses call them, and people."""

PICTURE_TYPES = ("png", "jpg", "jpeg", "webp")
MAX_UPLOAD_MB = 20


def show_draw() -> None:
    """Shows the canvas and what the networks make of what is on it."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        drawing = drawing_canvas("canvas")
        picture = pick_picture()
        runs = pick_runs()
    with right:
        with st.spinner(_("Loading the networks; the first time takes some seconds")):
            networks = load_networks(runs)
        sketch = picture
        if sketch is None and not is_too_little(drawing):
            sketch = render_sketch(drawing)
        if sketch is None:
            show_invitation(networks, drawing)
            return
        analyses, network_ms = look(networks, sketch)
        show_answers(networks, [a.probabilities[0] for a in analyses])
        seen, words = st.columns([1, 3], vertical_alignment="center")
        seen.image(
            sketch,
            width=SKETCH_WIDTH,
            output_format="PNG",
            alt=_("The drawing as the networks see it, after stroke {number}").format(
                number=len(drawing.strokes)
            )
            if picture is None
            else _("The picture as the networks see it"),
        )
        words.caption(
            _(
                "What the networks see: 128 × 128 pixels, moved, scaled and drawn like "
                "the sketches that they learned from. Their answer took {ms:.0f} ms. "
                "Probabilities are calibrated on sketches that they had not learned "
                "from."
            ).format(ms=network_ms)
        )
    detail = pick_option(
        _("More"),
        {word: _(shown) for word, shown in DETAILS.items()},
        key="detail",
        optional=True,
        show_label=False,
    )
    if detail == "Replay" and picture is None:
        show_replay(networks, drawing)
    elif detail == "Replay":
        st.caption(_("A picture has no strokes to replay."))
    elif detail == "Why":
        show_why(networks, analyses, sketch)
    elif detail == "Keep":
        best = guesses(networks[0], analyses[0].probabilities[0])
        show_keep(
            networks,
            sketch,
            drawing=drawing if picture is None else None,
            guessed=best,
        )


def pick_picture() -> NDArray[np.uint8] | None:
    """Lets one give a picture instead of drawing; returns it as a sketch."""
    with st.expander(_("Use a picture instead"), icon=":material/upload:"):
        upload = st.file_uploader(
            _("A scan or photo of a drawing, or any PNG, JPEG or WebP"),
            type=list(PICTURE_TYPES),
            max_upload_size=MAX_UPLOAD_MB,
            key="draw_upload",
        )
        if upload is None:
            return None
        try:
            return read_drawing(upload.getvalue(), name=upload.name)
        except ImageError as error:
            st.error(plain(told(str(error))), icon=":material/broken_image:")
            return None


def show_invitation(networks: list[Network], drawing: Drawing) -> None:
    """Says what to do while there is nothing to guess."""
    if drawing.strokes:
        st.info(_("Go on; this is too little to be anything yet."))
    else:
        st.info(_("The five best guesses of each network appear here as you draw."))
    known = sorted(
        {name for network in networks for name in network.classifier.class_names}
    )
    st.markdown(_("**The {count} things they know**").format(count=len(known)))
    st.caption(plain(", ".join(known)))


def show_answers(
    networks: list[Network], probabilities: list[NDArray[np.float32]]
) -> None:
    """Shows each network's guesses beside each other, and whether they agree."""
    bests = [
        guesses(network, row)
        for network, row in zip(networks, probabilities, strict=True)
    ]
    st.subheader(agreement([best[0] for best in bests]))
    columns = st.columns(len(networks), gap="medium")
    for column, network, best in zip(columns, networks, bests, strict=True):
        with column:
            show_guesses(
                network.name,
                best,
                colour=network_colour(network.run),
                run=network.run,
            )


require_frame()
st.title(_("Draw"))
if not guessing_runs():
    no_evaluation_yet()
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
