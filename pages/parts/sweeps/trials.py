"""The trials of a sweep: one that is open, all of them, and folds together."""

from typing import Any

import streamlit as st

from core.errors import SketchScopeError
from core.language import noop as N_
from core.language import plain
from core.paths import data_dir
from core.runs.folder import runs_dir
from core.sweeps.analysis import varied
from core.sweeps.charts import field_title, value_text
from core.sweeps.pooling import Pooled
from core.sweeps.record import SweepRecord, TrialRecord
from core.sweeps.sentences import POINTS, pooled_words, settings_words
from pages.parts.sweeps.charts import choose
from pages.shared import reads
from pages.shared.actions import promote
from pages.shared.language import gettext as _
from pages.shared.language import say, words
from pages.shared.owner import is_owner
from pages.shared.tables import download_csv, open_table

STATES = (N_("planned"), N_("pruned"))
"""Of trials, beside those of runs."""


def show_trial(record: SweepRecord, trial: TrialRecord) -> None:
    """Shows one trial, and lets the owner keep it as a run of its own."""
    st.subheader(plain(trial.run_id))
    st.write(plain(settings_words(record, trial, words())) or _("Nothing was varied."))
    if trial.message:
        st.error(say(trial.message))
    with st.container(horizontal=True):
        if trial.epoch:
            st.page_link(
                "pages/curves.py",
                label=_("Its curves"),
                icon=":material/show_chart:",
                query_params={"runs": trial.run_id},
            )
        if trial.state == "finished":
            st.page_link(
                "pages/classes.py",
                label=_("Its classes"),
                icon=":material/category:",
                query_params={"run": trial.run_id},
            )
    if record.sweep.folds is not None:
        st.caption(
            _("A fold's run has learned from sketches that are the test of other runs.")
        )
    elif trial.state == "finished" and is_owner():
        show_promotion(record, trial)


def show_promotion(record: SweepRecord, trial: TrialRecord) -> None:
    """Lets the owner copy a trial's run under a name of its own."""
    kept = st.session_state.pop("sweeps_kept", None)
    name = free_name(f"{record.sweep.name}-best")
    # Another proposal is another field, or it would keep the last one's words.
    key = f"sweeps_name {name}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(_("Keep it as the run"), name, key=key, max_chars=80, width=320)
        st.button(
            _("Keep"),
            icon=":material/bookmark_add:",
            key="sweeps_keep",
            on_click=keep,
            args=(trial.run_id, key),
            help=_("Copies the trial's run under this name; the sweep stays whole"),
        )
    if isinstance(kept, SketchScopeError):
        st.error(say(kept), icon=":material/error:")
    elif kept:
        st.success(
            _("Kept as {run}.").format(run=plain(kept)),
            icon=":material/bookmark_added:",
        )
        st.page_link(
            "pages/draw.py",
            label=_("Draw for it"),
            icon=":material/draw:",
            query_params={"networks": kept},
        )


def keep(run_id: str, key: str) -> None:
    """Copies a trial's run under the name that was entered."""
    name = st.session_state[key].strip()
    try:
        promote(runs_dir(data_dir()) / run_id, name, data_dir=data_dir())
    except SketchScopeError as error:
        st.session_state["sweeps_kept"] = error
    else:
        st.session_state["sweeps_kept"] = name
        reads.look_again()


def free_name(wish: str) -> str:
    """Returns a name that no run has."""
    taken = {run.run_id for run in reads.runs()}
    names = [wish, *(f"{wish}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def trial_rows(record: SweepRecord) -> list[dict[str, Any]]:
    """Returns every trial as a table row, the best on validation first."""
    fields = varied(record)
    rows: list[dict[str, Any]] = [
        {
            "Run": trial.run_id,
            "State": trial.state,
            **{
                field: value_text(field, values[number])
                for field, values in fields.items()
            },
            "Epoch": trial.epoch,
            "Validation top-1": percent(trial.val_top1),
            "Test top-1": percent(trial.top1),
        }
        for number, trial in enumerate(record.trials)
    ]
    order = sorted(
        range(len(rows)), key=lambda number: -(record.trials[number].val_top1 or 0.0)
    )
    return [rows[number] for number in order]


def percent(share: float | None) -> float | None:
    """Returns a share in percent."""
    return None if share is None else round(POINTS * share, 2)


def show_table(record: SweepRecord) -> None:
    """Shows all trials; a chosen row opens one."""
    rows = trial_rows(record)
    st.subheader(_("All trials"))

    def opened(number: int) -> None:
        choose(rows[number]["Run"])

    formats = {
        name: st.column_config.NumberColumn(_(name), format="%.1f %%")
        for name in ("Validation top-1", "Test top-1")
    }
    open_table(
        [row | {"State": _(row["State"])} for row in rows],
        opened,
        column_config={
            "Run": _("Run"),
            "State": _("State"),
            "Epoch": _("Epoch"),
            **{field: field_title(field, words()) for field in varied(record)},
            **formats,
        },
        placeholder="–",
        key="sweeps_table",
        alt=_("All trials, the best on validation first; choose a line to open one"),
    )
    download_csv(_("Trials as CSV"), rows, record.sweep.name)


def show_pooled(pooled: list[Pooled]) -> None:
    """Shows what the folds say together."""
    st.subheader(_("Folds taken together"))
    for group in pooled:
        low, high = group.interval
        st.markdown(
            _(
                "**{top1:.1%}** of {n:,} sketches named right by runs that had not "
                "learned them (95 % interval with the folds' spread "
                "{low:.1f}–{high:.1f} %; {done} of {k} folds). {settings}"
            ).format(
                top1=group.top1,
                n=group.n,
                low=POINTS * low,
                high=POINTS * high,
                done=len(group.folds),
                k=group.k,
                settings=plain(pooled_words(group, words())),
            )
        )
