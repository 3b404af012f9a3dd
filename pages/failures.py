"""Failures: every test sketch that a run gets wrong, and why."""

from typing import cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.failures import (
    FailureFilter,
    FailureOrder,
    Kind,
    find_failures,
    tally,
)
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.failures import failures_words
from pages.shared import reads
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import thing, words
from pages.shared.one_sketch import SKETCH, show_sketch
from pages.shared.pickers import (
    evaluated_runs,
    no_evaluation_yet,
    pick_class,
    pick_networks,
    pick_option,
    run_words,
)
from pages.shared.sets import picked_set, show_set
from pages.shared.sketches import sketch_rows
from pages.shared.tables import download_csv
from pages.shared.tiles import Words, sketch_tiles


def pick_filter(
    evaluation: Evaluation, *, has_other: bool, among: NDArray[np.int64] | None
) -> tuple[FailureFilter, FailureOrder]:
    """Shows the filters of the failures, of all or among some, and their order."""
    names = evaluation.class_names
    kinds = {"all": _("All"), "second": _("Right class second")}
    if has_other:
        kinds |= {"both": _("Both wrong"), "only": _("Only this one wrong")}
    kind = pick_option(_("Which"), kinds, key="which")
    drawn_column, guess_column, sure_column, order_column = st.columns([2, 2, 3, 2])
    any_class = _("Any class")
    with drawn_column:
        drawn = pick_class(_("Drawn"), names, key="drawn", placeholder=any_class)
    with guess_column:
        guess = pick_class(_("Taken for"), names, key="guess", placeholder=any_class)
    least, most = sure_column.slider(
        _("How sure it was, in percent"),
        0,
        100,
        (0, 100),
        key="sure",
        bind="query-params",
    )
    with order_column:
        order = pick_option(
            _("The worst first by"),
            {
                "loss": _("Loss"),
                "margin": _("Margin"),
                "surprise": _("Surprise"),
            },
            key="sort",
            look="menu",
            help=_(
                "Loss: how little the right class got. Margin: how far the wrong class "
                "was ahead. Surprise: how rarely other sketches of the class are taken "
                "for the same."
            ),
        )
    label = evaluation.class_names.index
    wanted = FailureFilter(
        drawn=None if drawn is None else label(drawn),
        guess=None if guess is None else label(guess),
        least=least / 100,
        most=most / 100,
        kind=cast(Kind, kind),
        among=among,
    )
    return wanted, cast(FailureOrder, order)


def show_tiles(run: Run, evaluation: Evaluation, rows: NDArray[np.int64]) -> None:
    """Shows failures as tiles; one that is chosen is opened."""

    def describe(place: int) -> Words:
        row = int(rows[place])
        names = evaluation.class_names
        values = {
            "drawn": thing(names[evaluation.y_true[row]]),
            "guess": thing(names[evaluation.y_pred[row]]),
            "right": float(evaluation.true_probability[row]),
            "sure": float(evaluation.confidence[row]),
        }
        lines = {
            "drawn": _("{drawn} {right:.0%}").format(**values),
            "guess": _("✗ {guess} {sure:.0%}").format(**values),
        }
        alt = _(
            "Sketch of {drawn}, taken for {guess} with probability {sure:.0%}; the "
            "right class got {right:.0%}"
        )
        return lines, alt.format(**values)

    sketch_tiles([run], rows, describe, key="failures_gallery")


def show_list(run: Run, evaluation: Evaluation, rows: NDArray[np.int64]) -> None:
    """Shows the failures as tiles, as a table and as a file."""
    if not len(rows):
        st.info(_("No test sketch is like that. Loosen a filter."))
        return
    show_tiles(run, evaluation, rows)
    with st.expander(_("As a table"), icon=":material/table:"):
        st.dataframe(
            sketch_rows(evaluation, rows[:TABLE_ROWS], call=thing),
            hide_index=True,
            key="failures_table",
            alt=_("The same sketches with their guesses"),
        )
        download_csv(
            _("Failures as CSV"),
            lambda: sketch_rows(evaluation, rows),
            "failures",
            run,
        )


TABLE_ROWS = 500
"""The file has all."""


def show(runs: list[Run]) -> None:
    """Shows the page of one run, by default beside the other network's best."""
    run, other = pick_networks(runs)
    st.caption(" · ".join(run_words(shown) for shown in (run, other) if shown))
    evaluation = reads.evaluation(run)
    beside = None if other is None else reads.evaluation(other)
    among = picked_set(evaluation)
    if among is not None:
        show_set(run, among, key="failures_set")
    asked = st.query_params.get(SKETCH)
    sentences = st.empty()
    with st.container():
        wanted, order = pick_filter(
            evaluation, has_other=beside is not None, among=among
        )
    rows = find_failures(evaluation, wanted, other=beside, order=order)
    every = find_failures(evaluation, FailureFilter(among=among), other=beside)
    sentences.write(
        failures_words(
            tally(evaluation, rows, other=beside, among=among),
            tally(evaluation, every, other=beside, among=among),
            other,
            words(),
        )
    )
    if asked is None:
        show_list(run, evaluation, rows)
    elif asked in evaluation.ids:
        show_sketch(
            run,
            other,
            evaluation.ids.index(asked),
            rows,
            all_of_them=_("All failures"),
        )
    else:
        st.warning(_("This run has no test sketch of that name."))
        show_list(run, evaluation, rows)


require_frame()
st.title(_("Failures"))
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()
