"""Draw: a canvas, and what the networks take the drawing for."""

from pathlib import Path

import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import st_canvas

from core.classify import Classifier, Prediction
from core.images import PAPER, to_sketch
from core.overview import best_of_each_network
from core.runs import WEIGHTS
from pages.shared import reads
from pages.shared.frame import require_frame
from pages.shared.pickers import no_evaluation_yet
from pages.shared.text import plain

CANVAS_SIZE = 360
"""In pixels; a telephone held upright has room for it."""
INK = "#000000"
GROUND = "#ffffff"
"""The eraser's colour too; a canvas without ground would arrive transparent."""

MIN_INK_SHARE = 0.0005
"""Less ink than a dot of the thinnest brush is no drawing yet."""


@st.cache_resource(max_entries=4, show_spinner=False)
def classifier(run_dir: Path, changed_ns: int) -> Classifier:
    """Loads a network once for all visitors, and again when its weights change."""
    del changed_ns  # A part of the key.
    return Classifier(run_dir)


def show_guesses(title: str, guesses: list[Prediction]) -> None:
    """Shows what one network takes a drawing for."""
    st.subheader(title)
    for guess in guesses:
        st.progress(
            guess.probability,
            text=f"{plain(guess.class_name)} {guess.probability:.0%}",
        )


def show_known(networks: list[Classifier]) -> None:
    """Lists what may be drawn."""
    known = sorted({name for network in networks for name in network.class_names})
    st.markdown(f"**The {len(known)} things they know**")
    st.caption(plain(", ".join(known)))


require_frame()
st.title("Draw")
best = {run.path.name: run for run in reads.runs() if run.metrics}
chosen = [
    best[card.run_id]
    for card in best_of_each_network(
        [run for run in best.values() if (run.path / WEIGHTS).exists()]
    )
]
if not chosen:
    no_evaluation_yet()
else:
    st.write("Draw one of the things that the networks know. They guess as you go.")
    left, right = st.columns([2, 3], gap="large")
    with left:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            tool = st.segmented_control(
                "Tool", ["Brush", "Eraser"], default="Brush", required=True, key="tool"
            )
            width = st.slider("Width (px)", 2, 24, 6, key="draw_width", width=180)
        st.caption("Undo, redo and clear appear here when you are on the canvas.")
        canvas = st_canvas(
            stroke_width=width if tool == "Brush" else 3 * width,
            stroke_color=INK if tool == "Brush" else GROUND,
            background_color=GROUND,
            width=CANVAS_SIZE,
            height=CANVAS_SIZE,
            return_image_data=True,
            key="canvas",
        )
    pixels = canvas.image_data
    sketch = None if pixels is None else to_sketch(Image.fromarray(pixels))
    with right:
        with st.spinner("Loading the networks"):
            loaded = [
                classifier(run.path, (run.path / WEIGHTS).stat().st_mtime_ns)
                for run in chosen
            ]
        if sketch is None or (PAPER - sketch).mean() / PAPER < MIN_INK_SHARE:
            st.info("The five best guesses of each network appear here as you draw.")
            show_known(loaded)
        else:
            columns = st.columns(len(loaded), gap="medium")
            for column, network in zip(columns, loaded, strict=True):
                with column:
                    show_guesses(network.title, network(sketch[None])[0])
            st.caption(
                "Probabilities are calibrated on sketches that the networks had not "
                "learned from."
            )
