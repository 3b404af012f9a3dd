"""The confusion matrix: its top confusions, or the whole of it."""

from typing import Any

import numpy as np
import streamlit as st

from core.analysis.confusions import (
    ClassOrder,
    Confusion,
    Normalise,
    check_comparable,
    class_order,
    most_confused_classes,
    normalise,
    top_confusions,
)
from core.charts.matrix import matrix_heatmap
from core.runs.evaluation import Evaluation
from core.sentences.confusions import confusions_words, matrix_words
from pages.shared import reads
from pages.shared.chart import chart
from pages.shared.language import gettext as _
from pages.shared.language import thing, words
from pages.shared.pickers import pick_class, pick_option
from pages.shared.tables import open_table

TOP = 20
SUBMATRIX_CLASSES = 15
SUBMATRIX_HEIGHT = 500
MATRIX_HEIGHT = 700

UNITS: dict[str, Normalise] = {
    "Count": "count",
    "% of drawn": "row",
    "% of guesses": "column",
}
"""What addresses call them."""

kept_order = reads.keep(class_order)


def open_cell(names: list[str], row: int, column: int) -> None:
    """Chooses the cell whose sketches are shown."""
    st.session_state["drawn"] = names[row]
    st.session_state["guess"] = names[column]


def open_place(names: list[str]) -> tuple[int, int] | None:
    """Returns the row and column of the chosen cell, if it is shown."""
    drawn, guess = st.session_state.get("drawn"), st.session_state.get("guess")
    if drawn in names and guess in names:
        return names.index(drawn), names.index(guess)
    return None


def show_top(evaluation: Evaluation) -> None:
    """Shows the most frequent confusions, as a list and as a small matrix."""
    names = evaluation.class_names
    matrix = evaluation.confusion
    pairs = top_confusions(matrix, limit=TOP)
    if not pairs:
        st.success(_("Every test sketch is recognised; there is nothing to confuse."))
        return

    def opened(number: int) -> None:
        open_cell(list(names), pairs[number].true, pairs[number].predicted)

    open_table(
        [confusion_row(names, pair) for pair in pairs],
        opened,
        height=290,
        column_config={
            "Drawn": _("Drawn"),
            "Taken for": _("Taken for"),
            "Sketches": _("Sketches"),
            "Share": st.column_config.ProgressColumn(
                _("Share"), format="%.0f %%", min_value=0, max_value=100
            ),
        },
        key="confusion_list",
        alt=_("The most frequent confusions"),
    )
    labels = most_confused_classes(matrix, limit=SUBMATRIX_CLASSES)
    order = [label for label in kept_order(evaluation, "similarity") if label in labels]
    small = matrix[np.ix_(order, order)]
    shown_names = [names[label] for label in order]
    chart(
        matrix_heatmap(
            small.astype(float),
            small,
            shown_names,
            write_counts=True,
            cell=open_place(shown_names),
            words=words(),
        ),
        key="confusion_small",
        alt=_(
            "Confusion matrix of the {count} classes of the top confusions: {pairs}"
        ).format(count=len(order), pairs=confusions_words(names, pairs[:5], words())),
        height=SUBMATRIX_HEIGHT,
        on_click=lambda point: open_cell(shown_names, *point["index"]),
    )
    drawn = int(matrix[order].sum())
    hidden = drawn - int(small.sum())
    st.caption(
        _(
            "{count} of {total} classes: those of the most frequent confusions, "
            "similar ones side by side. Hidden: {hidden} of their {drawn} sketches, "
            "taken for other classes. Click a cell to see its sketches."
        ).format(count=len(order), total=len(names), hidden=hidden, drawn=drawn)
    )


def show_full(
    evaluation: Evaluation, other: Evaluation | None, *, everything: Evaluation
) -> None:
    """Shows the whole matrix, or by how much two runs differ in it.

    Args:
        evaluation: The run's, of all its test sketches or of a set.
        other: Another run's of the same sketches.
        everything: The run's, of all of them.
    """
    names = evaluation.class_names
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        difference = other is not None and st.toggle(
            _("Difference"), key="difference", bind="query-params"
        )
        unit = UNITS[
            pick_option(
                _("Colour"),
                {
                    "Count": _("Count"),
                    "% of drawn": _("% of drawn"),
                    "% of guesses": _("% of guesses"),
                },
                key="unit",
                disabled=difference,
                help=_(
                    "Sketches of a cell; in percent of its row (drawn) or of its "
                    "column (guessed)"
                ),
            )
        ]
        orders: dict[ClassOrder, str] = {
            "similarity": _("similarity"),
            "accuracy": _("accuracy"),
            "name": _("name"),
        }
        by = pick_option(_("Order"), orders, key="order", look="menu")
        searched = pick_class(
            _("Find a class"),
            [names[label] for label in shown_labels(evaluation, everything)],
            key="find",
            placeholder=_("All"),
            width=220,
        )
        log = st.toggle(
            _("Log colour"),
            value=True,
            key="log",
            bind="query-params",
            disabled=difference,
        )
        hide = st.toggle(_("Hide the diagonal"), key="hide", bind="query-params")
    order = kept_order(everything, by)
    shown = shown_labels(evaluation, everything)
    order = [label for label in order if label in shown]
    counts = evaluation.confusion[np.ix_(order, order)]
    shown_names = [names[label] for label in order]
    values = normalise(counts, unit)
    if difference and other is not None:
        check_comparable(evaluation, other)
        change = evaluation.confusion - other.confusion
        values = change[np.ix_(order, order)].astype(float)
    if hide:
        values = values - np.diag(np.diag(values))
    chart(
        matrix_heatmap(
            values,
            counts,
            shown_names,
            unit="" if difference or unit == "count" else " %",
            log=log,
            is_difference=difference,
            chosen=shown_names.index(searched) if searched else None,
            cell=open_place(shown_names),
            words=words(),
        ),
        key="confusion_full",
        alt=_("Confusion matrix of all {count} classes: {pairs}").format(
            count=len(order),
            pairs=confusions_words(
                names, top_confusions(evaluation.confusion, limit=5), words()
            ),
        ),
        height=MATRIX_HEIGHT,
        uirevision=f"{by} {searched} {len(order)}",
        on_click=lambda point: open_cell(shown_names, *point["index"]),
    )
    st.caption(
        matrix_words(evaluation, words(), hide=hide, difference=difference, by=by)
    )


def shown_labels(evaluation: Evaluation, everything: Evaluation) -> set[int]:
    """Returns the classes of the full matrix: of a set, those that occur in it."""
    if evaluation is everything:
        return set(range(len(evaluation.class_names)))
    return {*evaluation.y_true.tolist(), *evaluation.y_pred.tolist()}


def confusion_row(names: tuple[str, ...], pair: Confusion) -> dict[str, Any]:
    """Returns a confusion as a table row."""
    return {
        "Drawn": thing(names[pair.true]),
        "Taken for": thing(names[pair.predicted]),
        "Sketches": _("{done} of {total}").format(done=pair.count, total=pair.n),
        "Share": 100 * pair.count / pair.n,
    }
