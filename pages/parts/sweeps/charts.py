"""The charts of a sweep; a click opens a trial."""

from typing import Any

import streamlit as st

from core.language import plain
from core.runs.reading import Run
from core.sentences.numbers import p_words
from core.sweeps.analysis import LEAST_TRIALS, Importances, varied
from core.sweeps.charts import (
    MAX_DRAWN,
    field_title,
    importance_chart,
    parallel_coordinates,
    trial_curves,
)
from core.sweeps.record import SweepRecord
from core.sweeps.sentences import POINTS
from pages.shared.chart import chart
from pages.shared.language import gettext as _
from pages.shared.language import listed, ngettext, number, words

TRIAL = "trial"
"""The session's chosen trial, and the address's parameter: a run id."""

LINES_HEIGHT = 430
CHART_HEIGHT = 340


def choose(run_id: str) -> None:
    """Opens a trial, in the address too."""
    st.session_state[TRIAL] = run_id


def show_lines(record: SweepRecord, chosen: str) -> None:
    """Shows all trials as lines through their values."""
    figure, points = parallel_coordinates(record, chosen=chosen, words=words())
    count = sum(trial.val_top1 is not None for trial in record.trials)

    def clicked(point: dict[str, Any]) -> None:
        choose(run_at(point, points))

    st.subheader(_("What was tried"))
    if not count:
        st.info(_("The first trial has not finished an epoch yet."))
        return
    chart(
        figure,
        key="sweeps_lines",
        alt=ngettext(
            "{count} trial as a line through the values of {fields} to its accuracy "
            "on validation",
            "{count} trials as lines through the values of {fields} to their accuracy "
            "on validation",
            count,
        ).format(
            count=count,
            fields=listed([field_title(field, words()) for field in varied(record)])
            or _("no field"),
        ),
        height=LINES_HEIGHT,
        uirevision=record.sweep.name,
        on_click=clicked,
    )
    st.caption(
        _(
            "A line is a trial; the lighter, the more accurate. The thick one is open "
            "below; click a point to open another."
        )
    )
    if count > MAX_DRAWN:
        st.caption(
            _("Only the {shown} most accurate of {count} trials are drawn.").format(
                shown=MAX_DRAWN, count=count
            )
        )


def run_at(point: dict[str, Any], points: list[list[str]]) -> str:
    """Returns the run id of a point that was clicked; "" where there is none."""
    # What a browser sends is anything.
    try:
        return points[int(point["trace"])][int(point["index"])]
    except (KeyError, IndexError, TypeError, ValueError):
        return ""


def show_curves(record: SweepRecord, runs: list[Run], chosen: str) -> None:
    """Shows how every trial learns, while it does."""
    figure, points = trial_curves(record, runs, chosen=chosen, words=words())

    def clicked(point: dict[str, Any]) -> None:
        choose(run_at(point, points))

    st.subheader(_("How they learn"))
    count = sum(bool(run.history) for run in runs)
    if not count:
        st.caption(_("No epoch is finished yet."))
        return
    chart(
        figure,
        key="sweeps_curves",
        alt=ngettext(
            "Validation top-1 by epoch of {count} trial",
            "Validation top-1 by epoch of {count} trials",
            count,
        ).format(count=count),
        height=CHART_HEIGHT,
        uirevision=record.sweep.name,
        on_click=clicked,
    )
    if any(trial.state == "pruned" for trial in record.trials):
        st.caption(_("A curve that ends in a cross was stopped early."))


def show_importances(importances: Importances | None) -> None:
    """Shows how much each varied field matters."""
    st.subheader(_("What matters"))
    if importances is None:
        st.caption(
            _("Told once {count} trials that differ in something have ended.").format(
                count=LEAST_TRIALS
            )
        )
        return
    chart(
        importance_chart(importances, words=words()),
        key="sweeps_importances",
        alt=_("Importance of each field. Most: {fields}.").format(
            fields=listed(
                [
                    f"{field_title(field.field, words())} "
                    f"{number(POINTS * field.rise, '.2f')}"
                    for field in importances.fields[:3]
                ]
            )
        ),
        height=CHART_HEIGHT,
    )
    st.caption(
        _(
            "A random forest predicts the validation accuracy of trials that it was "
            "not shown, and misses by {error:.1f} points on average over {n} trials. "
            "A bar is by how much more it misses once that field's values are "
            "shuffled; lines are two standard errors."
        ).format(error=POINTS * importances.error, n=importances.n)
        if importances.is_telling
        else _(
            "Don't rely on it: the forest misses by {error:.1f} points on average over "
            "{n} trials, the trials' mean alone by {mean:.1f}. More trials, or more "
            "different ones, would tell more."
        ).format(
            error=POINTS * importances.error,
            n=importances.n,
            mean=POINTS * importances.error_of_mean,
        )
    )
    if importances.is_telling and not importances.names_one:
        st.caption(
            _(
                "No field is shown to matter: with accuracies dealt to the trials at "
                "random, some field goes with them as well ({p})."
            ).format(p=plain(p_words(importances.p_value, words())))
        )
