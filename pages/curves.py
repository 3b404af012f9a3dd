"""Curves: how runs learned, laid over one another."""

import streamlit as st

from core.analysis.curves import (
    MAX_SMOOTHING,
    Against,
    CurveMetric,
    history_rows,
    settings_rows,
)
from core.analysis.overview import REFERENCES, best_of_each_network, is_tu_berlin
from core.analysis.seeds import seed_groups
from core.charts.curves import learning_curves
from core.language import plain
from core.runs.reading import Run
from core.runs.status import ACTIVE_STATES
from core.sentences.curves import TOLD_RUNS, curves_words, learning_words
from core.sentences.seeds import seeds_words
from pages.shared import reads
from pages.shared.chart import chart
from pages.shared.fragments import fragment
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import say, words
from pages.shared.pickers import pick_option, pick_several_runs
from pages.shared.tables import download_csv

CHART_HEIGHT = 440
LIVE_INTERVAL_S = 2.0


def choose_runs() -> list[Run]:
    """Shows the menu of the runs that have a history; any number may be chosen."""
    runs = [run for run in reads.runs() if run.config]
    active = [run.run_id for run in reversed(runs) if run.state in ACTIVE_STATES]
    cards = best_of_each_network(list(reversed(runs)))
    return pick_several_runs(
        _("Runs"),
        runs,
        key="runs",
        default=active or [card.run_id for card in cards],
        placeholder=_("Choose one or more"),
    )


def show_charts(runs: list[Run]) -> None:
    """Draws loss and top-1, again and again while a run is under way."""
    by_id = {run.run_id: run for run in reads.runs()}
    now = [by_id.get(run.run_id, run) for run in runs]
    if not any(run.history for run in now):
        st.info(
            _(
                "These runs have not finished an epoch yet. Their curves begin after "
                "the first."
            ),
            icon=":material/show_chart:",
        )
    else:
        draw_charts(now)
    if any(run.state in ACTIVE_STATES for run in runs) and not any(
        run.state in ACTIVE_STATES for run in now
    ):
        st.rerun()


def draw_charts(now: list[Run]) -> None:
    """Draws loss and top-1 of runs, and says what the lines are."""
    metrics: tuple[CurveMetric, ...] = ("loss", "top1")
    for column, metric in zip(st.columns(2), metrics, strict=True):
        with column:
            chart(
                learning_curves(
                    now,
                    metric,
                    against=against,
                    smoothing=smoothing_percent / 100,
                    log=log and metric == "loss",
                    show_train=show_train,
                    references=REFERENCES if references and metric == "top1" else None,
                    groups=seed_groups(now) if as_groups else (),
                    words=words(),
                ),
                key=f"curves_{metric}",
                alt=curves_words(now, metric, words()),
                height=CHART_HEIGHT,
                uirevision=f"{against} {log}",
            )
    st.caption(
        _(
            "Solid: validation, after each epoch. Dotted: training, the mean over an "
            "epoch of varied and, where the recipe says so, mixed sketches with "
            "dropout on, so lower than on the sketches as they are. Star: the epoch of "
            "highest validation top-1. Diamond: where a run went on from another. "
            "Reference lines are test accuracies."
        )
    )


require_frame()
st.title(_("Curves"))
runs = choose_runs()
groups = seed_groups(runs)
# The switch itself stands below, beside the others.
as_groups = bool(groups) and st.session_state.get("curves_seeds", True)
grouped = {run.run_id for group in groups for run in group.runs} if as_groups else set()
for run in [run for run in runs if run.run_id not in grouped][:TOLD_RUNS]:
    if sentence := learning_words(run, words()):
        st.write(sentence)
if as_groups:
    for group in groups:
        if sentence := seeds_words(group, words()):
            st.write(sentence)
with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
    axes: dict[Against, str] = {
        "epoch": _("epoch"),
        "step": _("step"),
        "time": _("time"),
    }
    against = pick_option(_("Against"), axes, key="against")
    smoothing_percent = st.slider(
        _("Smoothing, in percent"),
        0,
        round(100 * MAX_SMOOTHING),
        0,
        5,
        key="smoothing",
        width=200,
    )
    show_train = st.toggle(_("Training too"), value=True, key="curves_train")
    log = st.toggle(_("Log scale of the loss"), key="curves_log")
    references = all(is_tu_berlin(run) for run in runs) and st.toggle(
        _("Reference lines"), value=True, key="curves_references"
    )
    if groups:
        st.toggle(
            _("Mean of seeds"),
            value=True,
            key="curves_seeds",
            help=_(
                "Runs that differ in nothing but their seed become one line, their "
                "mean, with a band of one sample standard deviation up and down, over "
                "the epochs that all of them have."
            ),
        )
if not runs:
    st.info(_("Choose one or more runs above."), icon=":material/show_chart:")
else:
    is_live = any(run.state in ACTIVE_STATES for run in runs)
    fragment(show_charts, run_every=LIVE_INTERVAL_S if is_live else None)(runs)
    for run in runs:
        if run.problem:
            st.warning(
                f"{plain(run.run_id)}: {say(run.problem)}", icon=":material/warning:"
            )
    st.subheader(_("Settings side by side"))
    st.dataframe(
        [
            row
            | {
                "Differs": row["Differs"] and _("differs"),
                "Meaning": _(row["Meaning"]),
            }
            for row in settings_rows(runs)
        ],
        hide_index=True,
        column_config={
            "Field": _("Field"),
            "Differs": _("Differs"),
            "Meaning": _("Meaning"),
        },
        alt=_("Settings of the chosen runs; those that differ come first"),
    )
    rows = history_rows(runs)
    if rows:
        with st.expander(_("All metrics as a table")):
            st.dataframe(rows, hide_index=True, alt=_("A row an epoch of each run"))
        download_csv(_("Metrics as CSV"), rows, "curves")
