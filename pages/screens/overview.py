"""Overview: what this is, how well the networks do, and all runs."""

import streamlit as st

from core.overview import REFERENCES, best_of_each_network, run_rows
from core.paths import TRAINED_DIR, data_dir
from core.runs import list_runs

st.title("SketchScope")
st.write(
    "Two neural networks learn to recognise hand-drawn sketches: *Simple*, with three "
    "convolutions, and *ResNet-18*. Train them from the command line and compare "
    "how well they do on sketches that they have never seen. Every figure comes with "
    "the number of sketches behind it."
)

runs = list_runs(data_dir=data_dir(), trained_dir=TRAINED_DIR)
cards = best_of_each_network(runs)
if cards:
    for column, card in zip(st.columns(len(cards)), cards, strict=True):
        with column.container(border=True, height="stretch"):
            st.subheader(card.title)
            st.metric("Top-1 accuracy", card.top1)
            st.caption(f"{card.interval}  \n{card.details}")
st.caption(
    "To compare, on TU-Berlin sketches: "
    + " · ".join(f"{name} {100 * top1:g} %" for name, top1 in REFERENCES.items())
)

st.header("Runs")
if runs:
    st.dataframe(
        run_rows(runs),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.1f%%")
            for name in ("Test top-1", "Test top-5", "Best validation top-1")
        },
    )
else:
    st.info(
        "There are no runs yet. Draw a small dataset and train a network on it with "
        "these two commands; it takes about two minutes.",
        icon=":material/school:",
    )
    st.code(
        "python -m core dataset add starter\n"
        "python -m core train simple --dataset starter --recipe best",
        language="sh",
    )
if any(run.state == "running" for run in runs):
    st.caption("A run is under way. Reload the page to see how far it is.")
