"""The panel that shows one run: how far it is, and what can be done with it."""

from pathlib import Path
from typing import Any

import streamlit as st

from core.analysis.curves import CurveMetric
from core.charts.curves import learning_curves
from core.charts.theme import METRIC_TITLES
from core.errors import SketchScopeError
from core.language import noop as N_
from core.language import number, plain
from core.paths import data_dir
from core.runs.folder import STOP_REQUEST, is_shipped
from core.runs.launch import LOG
from core.runs.queueing import runs_ahead
from core.runs.reading import Run
from core.runs.status import ACTIVE_STATES
from core.sentences.numbers import percent
from pages.shared import reads
from pages.shared.actions import (
    launch_training,
    remove_run,
    request_stop,
    restore_run,
)
from pages.shared.chart import chart
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, say, words
from pages.shared.owner import is_owner
from pages.shared.training import duration, show_log

STARTING = N_("Starting")
PHASES = {
    "starting": N_("Loading TensorFlow and the network"),
    "validating": N_("Epoch {epoch} of {epochs}: validating"),
    "evaluating": N_("Scoring all test sketches"),
}
STATE_COLOURS: dict[str, Any] = {
    "queued": "orange",
    "running": "blue",
    "stopped": "gray",
    "failed": "red",
    "trained": "violet",
    "finished": "green",
    "damaged": "red",
}


REMOVED, RESTORED = "train_removed", "train_restored"
"""The session's notes of the folder of the run that was removed last, and of a run
that has just been put back."""


def open_run(run_id: str) -> None:
    """Shows a run in the panel from the next run of the page on; "" for any."""
    st.session_state["train_opened"] = run_id
    reads.look_again()
    st.rerun()


def show_actions(run: Run) -> None:
    """Offers what can be done with a run in its state."""
    may_change = is_owner(explain=False)
    with st.container(horizontal=True):
        can_stop = (
            may_change
            and run.state in ACTIVE_STATES
            and run.status.phase != "evaluating"
        )
        # Asked for here or elsewhere, and not done yet.
        is_stopping = (run.path / STOP_REQUEST).exists()
        if can_stop and st.button(
            _("Stopping") if is_stopping else _("Stop"),
            icon=":material/stop:",
            disabled=is_stopping,
            key="train_stop",
        ):
            request_stop(run.path)
            st.toast(_("It saves and stops at its next step."))
            reads.look_again()
            st.rerun()
        can_go_on = may_change and (
            run.state in ("stopped", "failed")
            or (
                run.state == "trained"
                and run.config is not None
                and run.config.is_tested
            )
        )
        if can_go_on and st.button(
            _("Evaluate") if run.state == "trained" else _("Resume"),
            icon=":material/play_arrow:",
            type="primary",
            key="train_resume",
        ):
            with st.spinner(_("Starting")):
                launch_training(run.path, data_dir=data_dir())
            open_run(run.run_id)
        if run.history:
            st.page_link(
                "pages/curves.py",
                label=_("Compare its curves"),
                icon=":material/show_chart:",
                query_params={"runs": run.run_id},
            )
        if run.state == "finished":
            for page, label, icon in (
                ("confusion", _("What it confuses"), "grid_on"),
                ("classes", _("Best and worst classes"), "category"),
            ):
                st.page_link(
                    f"pages/{page}.py",
                    label=label,
                    icon=f":material/{icon}:",
                    query_params={"run": run.run_id},
                )
        is_ended = run.state not in ACTIVE_STATES
        if may_change and is_ended and not is_shipped(run.path):
            # One for each run: that of the next is closed, where this one's was open.
            with st.popover(
                _("Remove"),
                icon=":material/delete:",
                key=f"train_removal_{run.run_id}",
            ):
                st.write(_("Moves its weights, history and evaluation into the trash."))
                if st.button(
                    _("Remove {name}").format(name=plain(run.run_id)),
                    key=f"train_remove_{run.run_id}",
                ):
                    removed = remove_run(run.run_id, data_dir=data_dir())
                    st.session_state[REMOVED] = removed
                    open_run("")


def show_undo() -> None:
    """Offers to put back the run that this visitor removed last."""
    removed: Path | None = st.session_state.get(REMOVED)
    if removed is None:
        return
    run_id = removed.name.partition("-")[2]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_("{run} is in the trash.").format(run=plain(run_id)))
        if st.button(_("Undo"), icon=":material/undo:", key="train_undo"):
            del st.session_state[REMOVED]
            st.session_state[RESTORED] = restore_run(removed, data_dir=data_dir())
            reads.look_again()
            st.rerun()


def show_progress(run: Run) -> None:
    """Shows how far a run is."""
    status = run.status
    if run.state == "queued":
        ahead = runs_ahead(run.path)
        st.write(
            _("Waits for {runs}.").format(runs=plain(", ".join(ahead)))
            if ahead
            else _("It is its turn now.")
        )
        return
    epoch = min(status.epoch + 1, max(status.epochs, 1))
    steps = status.steps_per_epoch
    if run.state == "running":
        of_epoch, text = 1.0, _(PHASES.get(status.phase, STARTING))
        if status.phase == "training" and steps:
            of_epoch = min(status.step / steps, 1.0)
            text = _("Epoch {epoch} of {epochs}, step {step} of {steps}")
        st.progress(
            of_epoch,
            text=text.format(
                epoch=epoch, epochs=status.epochs, step=status.step, steps=steps
            ),
        )
        # In every phase, so that what is below stays in its place.
        of_run = run_share(run)
        st.progress(
            of_run,
            text=_("The whole run: {share}").format(share=percent(of_run, words())),
        )
    metrics = {
        _("Epochs done"): _("{done} of {total}").format(
            done=status.epoch, total=status.epochs
        )
        if run.state != "running"
        else None,
        _("Time left"): duration(status.eta_s) if run.state == "running" else None,
        _("Images/s"): written(status.images_per_s, ".0f"),
        _("Training loss"): written(status.loss, ".3f"),
        _("Training top-1"): written(status.top1, ".1%"),
        _("Test top-1"): written((run.metrics or {}).get("top1"), ".1%"),
        _("Trained for"): duration(status.elapsed_s),
    }
    with st.container(horizontal=True, gap="medium"):
        for label, value in metrics.items():
            if value is not None:
                st.metric(label, value, width="content")


def run_share(run: Run) -> float:
    """Returns what part of a run's training is done, from 0 to 1."""
    status = run.status
    if status.phase == "evaluating":
        return 1.0
    step = status.step / status.steps_per_epoch if status.steps_per_epoch else 0.0
    return min((status.epoch + min(step, 1.0)) / max(status.epochs, 1), 1.0)


def written(value: float | None, form: str) -> str | None:
    """Returns a number in the visitor's language, or None for none."""
    return None if value is None else number(value, form, words())


def show_run(run_id: str, shown_state: str) -> None:
    """Shows one run as it is now."""
    run = next((run for run in reads.runs() if run.run_id == run_id), None)
    if run is None or run.state != shown_state:
        st.rerun()
    assert run is not None
    st.badge(_(run.state), color=STATE_COLOURS[run.state])
    if run.status.message:
        tell = st.error if run.state in ("failed", "damaged") else st.info
        tell(say(run.status.message))
    if run.problem and run.problem != run.status.message:
        st.warning(say(run.problem))
    show_progress(run)
    try:
        show_actions(run)
    except SketchScopeError as error:
        st.error(say(error), icon=":material/error:")
    if run.history or run.status.step:
        metrics: tuple[CurveMetric, ...] = ("loss", "top1")
        for column, metric in zip(st.columns(2), metrics, strict=True):
            with column:
                chart(
                    learning_curves([run], metric, words=words()),
                    key=f"train_{metric}",
                    alt=ngettext(
                        "{metric} of {run} by epoch, {count} so far",
                        "{metric} of {run} by epoch, {count} so far",
                        len(run.history),
                    ).format(
                        metric=_(METRIC_TITLES[metric]),
                        run=run_id,
                        count=len(run.history),
                    ),
                    height=320,
                    uirevision=run_id,
                )
    if is_owner(explain=False):
        show_log(run.path / LOG, expanded=run.state == "failed")
