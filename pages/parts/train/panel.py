"""The panel that shows one run: how far it is, and what can be done with it."""

from typing import Any

import streamlit as st

from core.analysis.curves import Figure
from core.charts.curves import learning_curves
from core.charts.theme import FIGURE_TITLES
from core.errors import SketchScopeError
from core.language import noop as N_
from core.language import plain
from core.paths import data_dir
from core.runs.folder import is_shipped
from core.runs.launch import read_log
from core.runs.queueing import runs_ahead
from core.runs.reading import Run
from core.runs.status import ACTIVE_STATES
from pages.shared import reads
from pages.shared.actions import launch_training, remove_run, request_stop
from pages.shared.chart import chart
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, words
from pages.shared.owner import is_owner
from pages.shared.told import told

STARTING = N_("Starting")
PHASES = {
    "starting": N_("Loading TensorFlow and the network"),
    "validating": N_("Epoch {epoch} of {epochs}: validating"),
    "evaluating": N_("Scoring all test sketches"),
}
LOG_LINES = 25
STATE_COLOURS: dict[str, Any] = {
    "queued": "orange",
    "running": "blue",
    "stopped": "gray",
    "failed": "red",
    "trained": "violet",
    "finished": "green",
    "damaged": "red",
}


def open_run(run_id: str) -> None:
    """Shows a run in the panel from the next run of the page on; "" for any."""
    st.session_state["train_opened"] = run_id
    reads.look_again()
    st.rerun()


def show_actions(run: Run) -> None:
    """Offers what can be done with a run in its state."""
    may_change = is_owner(aloud=False)
    with st.container(horizontal=True):
        can_stop = (
            may_change
            and run.state in ACTIVE_STATES
            and run.status.phase != "evaluating"
        )
        if can_stop and st.button(_("Stop"), icon=":material/stop:", key="train_stop"):
            request_stop(run.path)
            st.toast(_("It saves and stops at its next step."))
            reads.look_again()
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
            with st.popover(_("Remove"), icon=":material/delete:"):
                st.write(_("Deletes its weights, history and evaluation for good."))
                if st.button(
                    _("Remove {name}").format(name=plain(run.run_id)),
                    key="train_remove",
                ):
                    remove_run(run.run_id, data_dir=data_dir())
                    open_run("")


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
        if status.phase == "training" and steps:
            text = _("Epoch {epoch} of {epochs}, step {step} of {steps}").format(
                epoch=epoch, epochs=status.epochs, step=status.step, steps=steps
            )
            st.progress(min(status.step / steps, 1.0), text=text)
        else:
            words = _(PHASES.get(status.phase, STARTING))
            st.progress(1.0, text=words.format(epoch=epoch, epochs=status.epochs))
    figures = {
        _("Epochs done"): _("{done} of {total}").format(
            done=status.epoch, total=status.epochs
        )
        if run.state != "running"
        else None,
        _("Time left"): duration(status.eta_s) if run.state == "running" else None,
        _("Images/s"): number(status.images_per_s, ".0f"),
        _("Training loss"): number(status.loss, ".3f"),
        _("Training top-1"): number(status.top1, ".1%"),
        _("Test top-1"): number((run.metrics or {}).get("top1"), ".1%"),
        _("Trained for"): duration(status.elapsed_s),
    }
    with st.container(horizontal=True, gap="medium"):
        for label, value in figures.items():
            if value is not None:
                st.metric(label, value, width="content")


def number(value: float | None, form: str) -> str | None:
    """Returns a number in words, or None for none."""
    return None if value is None else format(value, form)


def duration(seconds: float | None) -> str | None:
    """Returns a length of time in its two largest units."""
    if seconds is None:
        return None
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def show_run(run_id: str, shown_state: str) -> None:
    """Shows one run as it is now."""
    run = next((run for run in reads.runs() if run.run_id == run_id), None)
    if run is None or run.state != shown_state:
        st.rerun()
    assert run is not None
    st.badge(_(run.state), color=STATE_COLOURS[run.state])
    if run.status.message:
        tell = st.error if run.state in ("failed", "damaged") else st.info
        tell(told(run.status.message))
    if run.problem and run.problem != run.status.message:
        st.warning(told(run.problem))
    show_progress(run)
    try:
        show_actions(run)
    except SketchScopeError as error:
        st.error(told(str(error)), icon=":material/error:")
    if run.history or run.status.step:
        figures: tuple[Figure, ...] = ("loss", "top1")
        for column, figure in zip(st.columns(2), figures, strict=True):
            with column:
                chart(
                    learning_curves([run], figure, words=words()),
                    key=f"train_{figure}",
                    alt=ngettext(
                        "{figure} of {run} by epoch, {count} so far",
                        "{figure} of {run} by epoch, {count} so far",
                        len(run.history),
                    ).format(
                        figure=_(FIGURE_TITLES[figure]),
                        run=run_id,
                        count=len(run.history),
                    ),
                    height=320,
                    uirevision=run_id,
                )
    # It names folders of this machine.
    log = read_log(run.path) if is_owner(aloud=False) else ""
    if log:
        with st.expander(_("End of its log"), expanded=run.state == "failed"):
            st.code("\n".join(log.splitlines()[-LOG_LINES:]), language=None)
