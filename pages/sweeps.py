"""Sweeps: many runs that differ in a few fields, side by side."""

import streamlit as st

from core.errors import SketchScopeError
from core.language import plain
from core.paths import data_dir
from core.sweeps.analysis import best_trial, find_importances, is_under_way
from core.sweeps.pooling import pool_sweep
from core.sweeps.record import SweepRecord, TrialRecord
from core.sweeps.sentences import sweep_words
from pages.parts.sweeps.beginning import show_beginning
from pages.parts.sweeps.charts import TRIAL, show_curves, show_importances, show_lines
from pages.parts.sweeps.form import NAME, OPENED, show_form
from pages.parts.sweeps.process import show_process
from pages.parts.sweeps.trials import show_pooled, show_table, show_trial
from pages.shared import reads
from pages.shared.fragments import fragment
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import say, words
from pages.shared.owner import is_owner

LIVE_INTERVAL_S = 2.0
WAITING_INTERVAL_S = 10.0
"""While trials are left and none is at work, as between two of them."""


def pick_sweep(records: tuple[SweepRecord, ...]) -> str:
    """Shows the menu of sweeps; the address holds the chosen one's name."""
    return str(
        st.selectbox(
            _("Sweep"),
            [record.sweep.name for record in records],
            key="sweep",
            bind="query-params",
            width=400,
        )
    )


kept_importances = reads.keep(find_importances)
kept_pooled = reads.keep(pool_sweep)


def chosen_trial(record: SweepRecord) -> TrialRecord:
    """Returns the trial that is open: as chosen or in the address, or the best."""
    by_id = {trial.run_id: trial for trial in record.trials}
    asked = st.session_state.get(TRIAL) or st.query_params.get(TRIAL)
    best = best_trial(record)
    trial = by_id.get(str(asked)) or best or record.trials[0]
    if best is not None and trial.run_id == best.run_id:
        st.query_params.pop(TRIAL, None)
    elif st.query_params.get(TRIAL) != trial.run_id and asked:
        st.query_params[TRIAL] = trial.run_id
    return trial


def show(name: str, interval: float | None) -> None:
    """Shows a sweep as it is now."""
    record = reads.sweep(name)
    if record is None or interval != interval_of(record):
        st.rerun()
    assert record is not None
    if not record.trials:
        st.info(_("This sweep has no trials yet."))
        return
    importances = kept_importances(record)
    st.markdown(sweep_words(record, importances, words()))
    if pooled := kept_pooled(record, data_dir=data_dir()):
        show_pooled(pooled)
    trial = chosen_trial(record)
    show_lines(record, trial.run_id)
    by_id = {run.run_id: run for run in reads.runs()}
    runs = [by_id[t.run_id] for t in record.trials if t.run_id in by_id]
    left, right = st.columns(2, gap="large")
    with left:
        show_curves(record, runs, trial.run_id)
    with right:
        show_importances(importances)
    show_trial(record, trial)
    show_table(record)
    show_process(record)


def interval_of(record: SweepRecord | None) -> float | None:
    """Returns after how many seconds to look again; None once all has ended."""
    if record is None:
        return WAITING_INTERVAL_S
    if is_under_way(record):
        return LIVE_INTERVAL_S
    failed = sum(trial.state == "failed" for trial in record.trials)
    return WAITING_INTERVAL_S if record.ended + failed < record.total else None


def show_new() -> None:
    """Shows the form of a new sweep, and what it takes besides, to the owner."""
    if not is_owner():
        return
    if not reads.datasets():
        st.info(
            _("Training needs a dataset. Add one first: the starter takes one click."),
            icon=":material/photo_library:",
        )
        st.page_link(
            "pages/dataset.py", label=_("Add a dataset"), icon=":material/add:"
        )
        return
    try:
        show_form()
    except SketchScopeError as error:
        st.error(say(error), icon=":material/error:")


require_frame()
st.title(_("Sweeps"))
if opened := st.session_state.pop(OPENED, None):
    st.session_state["sweep"] = opened
    st.session_state[NAME] = ""
    st.session_state.pop(TRIAL, None)
    st.query_params.pop(TRIAL, None)
    st.toast(
        _("{run} is on its way.").format(run=plain(opened)),
        icon=":material/play_arrow:",
    )
records, problems = reads.sweeps()
for problem in problems:
    st.warning(say(problem), icon=":material/warning:")
if not records:
    st.info(
        _(
            "There is no sweep yet. A sweep trains many runs that differ in a few "
            "fields, here or on a cluster, and shows what mattered."
        ),
        icon=":material/tune:",
    )
with st.expander(_("New sweep"), icon=":material/add:", expanded=not records):
    show_new()
if records:
    name = pick_sweep(records)
    interval = interval_of(reads.sweep(name))
    fragment(show, run_every=interval)(name, interval)
with st.expander(_("From a terminal, or on a cluster"), icon=":material/terminal:"):
    show_beginning()
