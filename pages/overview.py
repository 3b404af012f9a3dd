"""Overview: what this is, how well the networks do, and all runs."""

import streamlit as st

from core.overview import REFERENCES, best_of_each_network, run_rows
from core.runs import ACTIVE_STATES
from pages.shared import reads
from pages.shared.frame import require_frame

PERCENT_COLUMNS = ("Test top-1", "Test top-5", "Best validation top-1")

require_frame()
st.title("SketchScope")
st.write(
    "Two neural networks learn to recognise hand-drawn sketches: *Simple*, with three "
    "convolutions, and *ResNet-18*. Train them, watch them learn, and find out which "
    "drawings they get wrong, and why. Or draw something yourself and let them guess."
)

runs = reads.runs()
cards = best_of_each_network(runs)
if cards:
    for column, card in zip(st.columns(len(cards)), cards, strict=True):
        with column.container(border=True, height="stretch"):
            st.subheader(card.title)
            st.metric("Top-1 accuracy", card.top1)
            st.caption(f"{card.interval}  \n{card.details}")
            with st.container(horizontal=True):
                query = {"run": card.run_id}
                st.page_link(
                    "pages/confusion.py",
                    label="What it confuses",
                    icon=":material/grid_on:",
                    query_params=query,
                )
                st.page_link(
                    "pages/classes.py",
                    label="Best and worst classes",
                    icon=":material/category:",
                    query_params=query,
                )
st.caption(
    "To compare, top-1 accuracy on TU-Berlin sketches: "
    + " · ".join(f"{name} {100 * top1:g} %" for name, top1 in REFERENCES.items())
)
st.page_link(
    "pages/draw.py",
    label="Draw something and see both networks guess",
    icon=":material/draw:",
)

st.header("Runs")


@st.fragment(run_every=2.0)
def show_active() -> None:
    """Tells of what runs now, and redraws the page when that changes."""
    active = [run for run in reads.runs() if run.state in ACTIVE_STATES]
    for run in active:
        done = run.status.epoch + run.status.step / max(run.status.steps_per_epoch, 1)
        text = (
            f"{run.run_id} waits for its turn"
            if run.state == "queued"
            else f"{run.run_id}: {run.status.phase}, epoch "
            f"{min(run.status.epoch + 1, run.status.epochs)} of {run.status.epochs}"
        )
        st.progress(min(done / max(run.status.epochs, 1), 1.0), text=text)
        st.page_link(
            "pages/train.py",
            label="Watch it",
            icon=":material/visibility:",
            query_params={"run": run.run_id},
        )
    if {run.run_id for run in active} != shown_active:
        st.rerun()


shown_active = {run.run_id for run in runs if run.state in ACTIVE_STATES}
if shown_active:
    show_active()
if runs:
    rows = run_rows(runs)
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.1f%%")
            for name in PERCENT_COLUMNS
        },
        placeholder="–",
        alt="All runs with their state, settings and figures",
    )
    if not shown_active:
        st.caption("Nothing is being trained at the moment.")
else:
    st.info(
        "There are no runs yet. Draw a small dataset and train a network on it; it "
        "takes about two minutes.",
        icon=":material/school:",
    )
    st.page_link("pages/train.py", label="Train", icon=":material/school:")
