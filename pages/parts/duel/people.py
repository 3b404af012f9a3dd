"""How alike people's and networks' mistakes are, of the kept answers."""

import math
from collections.abc import Sequence

import streamlit as st

from core.analysis.consistency import compare_errors
from core.datasets.answers import Answer, answers_file, keeps_answers
from core.errors import SketchScopeError
from core.language import plain
from core.paths import data_dir
from core.runs.reading import Run
from pages.shared import reads
from pages.shared.actions import allow_answers
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, number, say
from pages.shared.owner import is_owner
from pages.shared.pickers import short_name
from pages.shared.tables import small_table

LEAST_ANSWERS = 50
"""Of fewer, an interval of kappa is as wide as what it may be."""


def show_people(runs: Sequence[Run]) -> None:
    """Shows what the kept answers tell, and lets the owner decide on keeping.

    Args:
        runs: The networks'.
    """
    may_change, keeps = is_owner(explain=False), keeps_answers(data_dir())
    try:
        answers = reads.answers()
    except SketchScopeError as error:
        if may_change:
            st.error(say(error), icon=":material/error:")
        return
    if not (answers.kept or may_change):
        return
    st.subheader(_("Do people and networks err alike?"))
    split = runs[0].config.split_fingerprint if runs[0].config else ""
    run_ids = [run.run_id for run in runs]
    fitting = [
        answer
        for answer in answers.kept
        if answer.sketches == split and set(run_ids) <= set(answer.networks)
    ]
    if len(fitting) >= LEAST_ANSWERS:
        show_consistency(fitting, runs)
    else:
        st.write(
            _("This shows once {least} answers are kept; there are {count}.").format(
                least=LEAST_ANSWERS, count=len(fitting)
            )
        )
    if not may_change:
        return
    if answers.damaged:
        st.warning(
            ngettext(
                "{count} line of {path} is no answer and is passed over.",
                "{count} lines of {path} are no answers and are passed over.",
                answers.damaged,
            ).format(count=answers.damaged, path=plain(str(answers_file(data_dir())))),
            icon=":material/broken_image:",
        )
    if answers.is_full:
        st.warning(
            _(
                "{path} is full: move it elsewhere, else no more answers are kept."
            ).format(path=plain(str(answers_file(data_dir()))))
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            _("Visitors' answers are kept, without any name.")
            if keeps
            else _("Visitors' answers are not kept."),
            width="content",
        )
        if st.button(
            _("Keep no more") if keeps else _("Keep them, without any name"),
            key="duel_keep",
        ):
            allow_answers(not keeps, data_dir=data_dir())
            st.rerun()


def show_consistency(answers: Sequence[Answer], runs: Sequence[Run]) -> None:
    """Shows the error consistency of people and networks, two at a time."""
    names = [_("People"), *(short_name(run) for run in runs)]
    rows = []
    for pair in compare_errors(answers, [run.run_id for run in runs]):
        who = _("{first} and {second}").format(
            first=plain(names[pair.first]), second=plain(names[pair.second])
        )
        interval = _("{low:.2f} to {high:.2f}").format(low=pair.low, high=pair.high)
        shown = (number(pair.kappa, ".2f"), interval)
        rows.append((who, *(("–", "–") if math.isnan(pair.kappa) else shown)))
    small_table((_("Who"), _("Error consistency"), _("95 % interval")), rows)
    st.caption(
        _(
            "Of {count:,} answers. 1: always wrong on the same drawings; 0: no more "
            "often than by chance, given how often each is wrong (Cohen's kappa; "
            "Geirhos et al. 2020). The intervals (bootstrap) take every answer as if "
            "of another visitor."
        ).format(count=len(answers))
    )
