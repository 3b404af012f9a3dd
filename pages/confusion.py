"""Confusion: what is taken for what, and the sketches behind it."""

import csv
import io
from typing import Any, Literal

import numpy as np
import streamlit as st

from core.confusions import (
    Confusion,
    Normalise,
    Order,
    check_comparable,
    class_order,
    most_confused_classes,
    normalise,
    sketches_of_cell,
    top_confusions,
)
from core.results import Evaluation
from core.runs import Run
from pages.shared import reads
from pages.shared.chart import chart
from pages.shared.figures import matrix_heatmap
from pages.shared.frame import require_frame
from pages.shared.pickers import (
    comparable_runs,
    evaluated_runs,
    no_evaluation_yet,
    pick_run,
    run_words,
)
from pages.shared.sketches import show_test_sketches
from pages.shared.text import plain

TOP = 20
SUBMATRIX_CLASSES = 15
SUBMATRIX_HEIGHT = 500
MATRIX_HEIGHT = 700

View = Literal["Top confusions", "Full matrix"]


def open_cell(names: list[str], row: int, column: int) -> None:
    """Chooses the cell whose sketches are shown."""
    st.session_state["drawn"] = names[row]
    st.session_state["guess"] = names[column]


def show_top(evaluation: Evaluation) -> None:
    """Shows the most frequent confusions, as a list and as a small matrix."""
    names = evaluation.class_names
    matrix = evaluation.confusion
    pairs = top_confusions(matrix, limit=TOP)
    if not pairs:
        st.success("Every test sketch is recognised; there is nothing to confuse.")
        return

    def selected() -> None:
        chosen = st.session_state["confusion_list"].selection.rows
        if chosen:
            pair = pairs[chosen[0]]
            open_cell(list(names), pair.true, pair.predicted)

    st.dataframe(
        [confusion_row(names, pair) for pair in pairs],
        hide_index=True,
        height=290,
        column_config={
            "Share": st.column_config.ProgressColumn(
                format="%.0f %%", min_value=0, max_value=100
            )
        },
        on_select=selected,
        selection_mode="single-row",
        key="confusion_list",
        alt="The most frequent confusions",
    )
    labels = most_confused_classes(matrix, limit=SUBMATRIX_CLASSES)
    order = [
        label for label in class_order(evaluation, "similarity") if label in labels
    ]
    small = matrix[np.ix_(order, order)]
    shown_names = [names[label] for label in order]
    chart(
        matrix_heatmap(small.astype(float), small, shown_names, write_counts=True),
        key="confusion_small",
        alt=f"Confusion matrix of the {len(order)} classes of the top confusions: "
        + in_words(names, pairs[:5]),
        height=SUBMATRIX_HEIGHT,
        on_click=lambda point: open_cell(shown_names, *point["index"]),
    )
    drawn = int(matrix[order].sum())
    hidden = drawn - int(small.sum())
    st.caption(
        f"{len(order)} of {len(names)} classes: those of the most frequent confusions, "
        f"similar ones side by side. Hidden: {hidden} of their {drawn} sketches, taken "
        "for other classes. Click a cell to see its sketches."
    )


def show_full(evaluation: Evaluation, other: Evaluation | None) -> None:
    """Shows the whole matrix, or by how much two runs differ in it."""
    names = evaluation.class_names
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        difference = other is not None and st.toggle(
            "Difference", key="difference", bind="query-params"
        )
        units: dict[str, Normalise] = {
            "Count": "count",
            "% of drawn": "row",
            "% of guesses": "column",
        }
        unit = units[
            st.segmented_control(
                "Colour",
                list(units),
                default="Count",
                required=True,
                key="unit",
                bind="query-params",
                disabled=difference,
                help="Sketches of a cell; in percent of its row (drawn) or of its "
                "column (guessed)",
            )
        ]
        orders: tuple[Order, ...] = ("similarity", "accuracy", "name")
        by = st.selectbox("Order", orders, key="order", bind="query-params", width=150)
        found = st.selectbox(
            "Find a class",
            sorted(names),
            index=None,
            key="find",
            bind="query-params",
            placeholder="All",
            width=220,
        )
        log = st.toggle(
            "Log colour",
            value=True,
            key="log",
            bind="query-params",
            disabled=difference,
        )
        hide = st.toggle("Hide the diagonal", key="hide", bind="query-params")
    order = class_order_of(evaluation, by)
    counts = evaluation.confusion[np.ix_(order, order)]
    shown_names = [names[label] for label in order]
    values = normalise(counts, unit)
    if difference and other is not None:
        check_comparable(evaluation, other)
        change = other.confusion - evaluation.confusion
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
            found=shown_names.index(found) if found else None,
        ),
        key="confusion_full",
        alt=f"Confusion matrix of all {len(names)} classes: "
        + in_words(names, top_confusions(evaluation.confusion, limit=5)),
        height=MATRIX_HEIGHT,
        uirevision=f"{by} {found} {len(names)}",
        on_click=lambda point: open_cell(shown_names, *point["index"]),
    )
    st.caption(matrix_words(evaluation, hide=hide, difference=difference, by=by))


@st.cache_data(max_entries=24, show_spinner=False)
def cached_order(_evaluation: Evaluation, identity: str, by: Order) -> list[int]:
    """Keeps the order of a run's classes; clustering takes a while."""
    assert identity
    return class_order(_evaluation, by)


def class_order_of(evaluation: Evaluation, by: Order) -> list[int]:
    """Returns the labels in the chosen order."""
    metrics = evaluation.metrics
    return cached_order(
        evaluation, f"{metrics['run_id']} {metrics['evaluated_at']}", by
    )


def matrix_words(
    evaluation: Evaluation, *, hide: bool, difference: bool, by: Order
) -> str:
    """Says what the picture shows and what it hides."""
    matrix = evaluation.confusion
    right = int(np.trace(matrix))
    words = {
        "similarity": "Classes that are taken for each other stand side by side, so "
        "that families show as blocks.",
        "accuracy": "The worst recognised classes come first.",
        "name": "Classes are in the order of their names.",
    }[by]
    if difference:
        words += (
            " Each cell: sketches in the second run less those in the first. On the "
            "diagonal more is better, elsewhere less."
        )
    if hide and difference:
        words += " The diagonal, the change in recognised sketches, is hidden."
    elif hide:
        words += (
            f" The diagonal is hidden: {right:,} of {int(matrix.sum()):,} sketches, "
            "those recognised."
        )
    words += " Where names don't fit, some are left out; drag over an area to zoom in."
    return words


def confusion_row(names: tuple[str, ...], pair: Confusion) -> dict[str, Any]:
    """Returns a confusion as a table row."""
    return {
        "Drawn": names[pair.true],
        "Taken for": names[pair.predicted],
        "Sketches": f"{pair.count} of {pair.n}",
        "Share": 100 * pair.count / pair.n,
    }


def in_words(names: tuple[str, ...], pairs: list[Confusion]) -> str:
    """Returns confusions as a sentence."""
    told = [
        f"{names[pair.true]} is taken for {names[pair.predicted]} {pair.count} times "
        f"of {pair.n}"
        for pair in pairs
    ]
    return "; ".join(told) + "."


def show_cell(run: Run, evaluation: Evaluation, other: Run | None) -> None:
    """Shows the sketches behind one cell, in one run or two."""
    names = sorted(evaluation.class_names)
    st.subheader("Sketches behind a cell")
    drawn_column, guess_column = st.columns(2)
    drawn = drawn_column.selectbox(
        "Drawn",
        names,
        index=None,
        key="drawn",
        bind="query-params",
        placeholder="Choose a class",
    )
    guess = guess_column.selectbox(
        "Taken for",
        names,
        index=None,
        key="guess",
        bind="query-params",
        placeholder="Choose a class",
    )
    if drawn is None or guess is None:
        pairs = top_confusions(evaluation.confusion, limit=1)
        st.caption(
            "Click a cell or a line of the list, or choose two classes here, to see "
            "the sketches and what the network thought of each."
            + (" Shown now: the most frequent confusion." if pairs else "")
        )
        if not pairs:
            return
        drawn = evaluation.class_names[pairs[0].true]
        guess = evaluation.class_names[pairs[0].predicted]
    true = evaluation.class_names.index(drawn)
    predicted = evaluation.class_names.index(guess)
    for number, shown in enumerate([run] if other is None else [run, other]):
        found = reads.evaluation(shown)
        rows = sketches_of_cell(found, true, predicted)
        total = int((found.y_true == true).sum())
        verb = "recognised" if drawn == guess else f"taken for {plain(guess)}"
        st.markdown(
            f"**{len(rows)} of {total}** sketches of {plain(drawn)} {verb} by "
            f"{plain(shown.run_id)}"
        )
        show_test_sketches(shown, found, rows, key=f"cell_{number}")
    with st.container(horizontal=True):
        for name in dict.fromkeys((drawn, guess)):
            st.page_link(
                "pages/classes.py",
                label=f"All of {plain(name)}",
                icon=":material/category:",
                query_params={"run": run.run_id, "class": name},
            )


def matrix_csv(evaluation: Evaluation) -> str:
    """Returns the whole matrix as CSV: true classes down, predicted across."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["drawn \\ taken for", *evaluation.class_names])
    for name, row in zip(evaluation.class_names, evaluation.confusion, strict=True):
        writer.writerow([name, *row.tolist()])
    return stream.getvalue()


def show(runs: list[Run]) -> None:
    """Shows the page of one run, perhaps beside another."""
    run_column, other_column = st.columns(2)
    with run_column:
        run = pick_run("Run", runs, key="run")
    assert run is not None
    with other_column:
        other = pick_run(
            "Compare with", comparable_runs(run, runs), key="other", optional=True
        )
    evaluation = reads.evaluation(run)
    matrix = evaluation.confusion
    total, right = int(matrix.sum()), int(np.trace(matrix))
    pairs = top_confusions(matrix, limit=TOP)
    st.write(
        f"{run_words(run)} recognises **{right:,} of {total:,}** test sketches."
        + (
            f" Most often, {plain(in_words(evaluation.class_names, pairs[:2]))}"
            if pairs
            else ""
        )
    )
    views: tuple[View, ...] = ("Top confusions", "Full matrix")
    view = st.segmented_control(
        "View",
        views,
        default=views[0],
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    shares = [3, 2] if view == views[0] else [2, 1]
    matrix_column, cell_column = st.columns(shares, gap="large")
    with matrix_column:
        if view == views[0]:
            show_top(evaluation)
        else:
            show_full(evaluation, reads.evaluation(other) if other else None)
        st.download_button(
            "Matrix as CSV",
            lambda: matrix_csv(evaluation),
            file_name=f"confusion-{run.run_id}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    with cell_column:
        show_cell(run, evaluation, other)


require_frame()
st.title("Confusion")
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()
