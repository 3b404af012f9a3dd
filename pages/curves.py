"""Curves: how runs learned, laid over one another."""

import streamlit as st

from core.curves import MAX_SMOOTHING, Against, Figure, history_rows, settings_rows
from core.overview import REFERENCES, best_of_each_network
from core.runs import ACTIVE_STATES, Run
from pages.shared import reads
from pages.shared.chart import chart
from pages.shared.figures import learning_curves
from pages.shared.frame import require_frame
from pages.shared.text import to_csv

CHART_HEIGHT = 440
LIVE_INTERVAL_S = 2.0


def choose_runs() -> list[Run]:
    """Lets one choose any number of runs that have a history."""
    by_id = {run.run_id: run for run in reversed(reads.runs()) if run.config}
    active = [run.run_id for run in by_id.values() if run.state in ACTIVE_STATES]
    cards = best_of_each_network(list(by_id.values()))
    chosen = st.multiselect(
        "Runs",
        list(reversed(by_id)),
        default=active or [card.run_id for card in cards],
        key="runs",
        bind="query-params",
    )
    return [by_id[run_id] for run_id in chosen]


def show_charts(runs: list[Run]) -> None:
    """Draws loss and top-1, again and again while a run is under way."""
    by_id = {run.run_id: run for run in reads.runs()}
    now = [by_id.get(run.run_id, run) for run in runs]
    is_tu_berlin = all(
        run.config and run.config.attribution.startswith("TU-Berlin") for run in now
    )
    figures: tuple[Figure, ...] = ("loss", "top1")
    for column, figure in zip(st.columns(2), figures, strict=True):
        with column:
            chart(
                learning_curves(
                    now,
                    figure,
                    against=against,
                    smoothing=smoothing,
                    log=log and figure == "loss",
                    show_train=show_train,
                    references=REFERENCES
                    if references and is_tu_berlin and figure == "top1"
                    else None,
                ),
                key=f"curves_{figure}",
                alt=describe(now, figure),
                height=CHART_HEIGHT,
                uirevision=f"{against} {log}",
            )
    if any(run.state in ACTIVE_STATES for run in runs) and not any(
        run.state in ACTIVE_STATES for run in now
    ):
        st.rerun()


def describe(runs: list[Run], figure: Figure) -> str:
    """Returns the end of each curve in words."""
    title = "Loss" if figure == "loss" else "Top-1 accuracy"
    ends = [
        f"{run.run_id} ends at {run.history[-1][f'val_{figure}']:.3g} "
        f"after {len(run.history)} epochs"
        for run in runs
        if run.history
    ]
    return f"{title} by epoch. On validation, {'; '.join(ends) or 'nothing yet'}."


require_frame()
st.title("Curves")
runs = choose_runs()
with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
    axes: tuple[Against, ...] = ("epoch", "step", "time")
    against = st.segmented_control(
        "Against",
        axes,
        default="epoch",
        required=True,
        key="against",
        bind="query-params",
    )
    smoothing = st.slider(
        "Smoothing", 0.0, MAX_SMOOTHING, 0.0, 0.05, key="smoothing", width=200
    )
    show_train = st.toggle("Training too", value=True, key="curves_train")
    log = st.toggle("Logarithmic loss", key="curves_log")
    references = st.toggle("Reference lines", value=True, key="curves_references")
if not runs:
    st.info("Choose one or more runs above.", icon=":material/show_chart:")
elif not any(run.history or run.state in ACTIVE_STATES for run in runs):
    st.info(
        "These runs have not finished an epoch yet. Their curves begin after the "
        "first.",
        icon=":material/show_chart:",
    )
else:
    is_live = any(run.state in ACTIVE_STATES for run in runs)
    st.fragment(show_charts, run_every=LIVE_INTERVAL_S if is_live else None)(runs)
    st.caption(
        "Solid: validation, after each epoch. Dotted: training, the mean over an "
        "epoch with dropout and augmentation on. Star: the epoch of highest "
        "validation top-1. Reference lines are test accuracies."
    )
if runs:
    for run in runs:
        if run.problem:
            st.warning(f"{run.run_id}: {run.problem}", icon=":material/warning:")
    st.subheader("Settings side by side")
    st.dataframe(
        settings_rows(runs),
        hide_index=True,
        alt="Settings of the chosen runs; those that differ come first",
    )
    rows = history_rows(runs)
    if rows:
        with st.expander("All figures as a table"):
            st.dataframe(rows, hide_index=True, alt="A row an epoch of each run")
        st.download_button(
            "Figures as CSV",
            to_csv(rows),
            file_name="curves.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
