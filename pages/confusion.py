"""Confusion: what is taken for what, and the sketches behind it."""

import numpy as np
import streamlit as st

from core.analysis.confusions import matrix_rows, top_confusions
from core.language import plain
from core.runs.reading import Run
from core.sentences.confusions import confusions_words
from pages.parts.confusion.cell import show_cell
from pages.parts.confusion.matrix import TOP, show_full, show_top
from pages.shared import reads
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import words
from pages.shared.pickers import (
    BESIDE,
    evaluated_runs,
    no_evaluation_yet,
    pick_networks,
    pick_option,
    run_words,
)
from pages.shared.sets import pick_part
from pages.shared.tables import download_csv

TOP_VIEW, FULL_VIEW = "Top confusions", "Full matrix"
"""What addresses call the views."""


def show(runs: list[Run]) -> None:
    """Shows the page of one run, perhaps beside another."""
    # What addresses of before call it.
    if earlier := st.query_params.pop("other", None):
        st.session_state[BESIDE] = earlier
    run, other = pick_networks(runs)
    part = pick_part(run, key="confusion_set")
    evaluation = part.evaluation(run)
    matrix = evaluation.confusion
    total, right = int(matrix.sum()), int(np.trace(matrix))
    pairs = top_confusions(matrix, limit=TOP)
    st.write(
        _("{run} recognises **{right:,} of {total:,}** test sketches.").format(
            run=run_words(run), right=right, total=total
        )
        + (
            " "
            + _("Most often, {pairs}").format(
                pairs=plain(
                    confusions_words(evaluation.class_names, pairs[:2], words())
                )
            )
            if pairs
            else ""
        )
    )
    view = pick_option(
        _("View"),
        {TOP_VIEW: _("Top confusions"), FULL_VIEW: _("Full matrix")},
        key="view",
        show_label=False,
    )
    shares = [3, 2] if view == TOP_VIEW else [2, 1]
    matrix_column, cell_column = st.columns(shares, gap="large")
    with matrix_column:
        if view == TOP_VIEW:
            show_top(evaluation)
        else:
            show_full(
                evaluation,
                part.evaluation(other) if other else None,
                everything=reads.evaluation(run),
            )
        download_csv(
            _("Matrix as CSV"), lambda: matrix_rows(evaluation), "confusion", run
        )
    with cell_column:
        show_cell(run, evaluation, other, part=part)


require_frame()
st.title(_("Confusion"))
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()
