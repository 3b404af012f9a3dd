"""Map: where a run's test sketches lie for its network, and sets gathered there."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.maps import class_centres, label_order, places, strays
from core.charts.map import MapColour
from core.charts.theme import CHOSEN_COLOURS
from core.language import plain
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from pages.parts.map.chart import show_map
from pages.parts.map.gathered import show_how, show_set, worst_first
from pages.shared import reads
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import ngettext
from pages.shared.one_sketch import SKETCH, show_sketch
from pages.shared.pickers import (
    comparable_runs,
    evaluated_runs,
    no_evaluation_yet,
    other_network_first,
    pick_option,
    pick_run,
    run_words,
)
from pages.shared.pictures import load_pictures
from pages.shared.sets import picked_set
from pages.shared.sketches import sketch_dataset
from pages.shared.tables import download_csv

SPREAD_FROM = 5
"""Of fewer sketches it says nothing how close together they lie."""

TABLE_ROWS = 500
"""The file has all."""


def pick_shown(evaluation: Evaluation) -> tuple[MapColour, list[int], bool]:
    """Lets one say what to see: the colour, classes to find, only what is wrong."""
    with st.container(horizontal=True, gap="medium"):
        colours: dict[MapColour, str] = {
            "class": _("Class"),
            "rightness": _("Right or wrong"),
            "confidence": _("Confidence"),
        }
        colour = pick_option(_("Colour"), colours, key="colour")
        shown = pick_option(
            _("Show"), {"all": _("All sketches"), "wrong": _("Only wrong")}, key="show"
        )
        chosen = st.multiselect(
            _("Find classes"),
            sorted(evaluation.class_names),
            # Not "class", of which other pages hold one.
            key="classes",
            bind="query-params",
            max_selections=len(CHOSEN_COLOURS),
            placeholder=_("All"),
            width=280,
        )
    labels = [evaluation.class_names.index(name) for name in chosen]
    return colour, labels, shown == "wrong"


def show_whole(evaluation: Evaluation, rows: NDArray[np.int64]) -> None:
    """Says what the places of some sketches tell, in figures."""
    centres = class_centres(evaluation)
    wrong = rows[evaluation.y_pred[rows] != evaluation.y_true[rows]]
    sentences = []
    if len(wrong):
        sentences.append(
            ngettext(
                "Of {count:,} wrong sketch, {strays:,} lies nearer to the middle of "
                "the class that it is taken for than to that of its own.",
                "Of {count:,} wrong sketches, {strays:,} lie nearer to the middle of "
                "the class that they are taken for than to that of their own.",
                len(wrong),
            ).format(count=len(wrong), strays=len(strays(evaluation, centres, wrong)))
        )
    counts = np.bincount(evaluation.y_true[rows], minlength=len(centres))
    ranked = [
        label
        for label in label_order(evaluation, centres, first=[])
        if counts[label] >= SPREAD_FROM
    ]
    if len(ranked) > 1:
        sentences.append(
            _(
                "The sketches of {close} lie closest together, those of {far} furthest "
                "apart."
            ).format(
                close=plain(evaluation.class_names[ranked[0]]),
                far=plain(evaluation.class_names[ranked[-1]]),
            )
        )
    if sentences:
        st.write(" ".join(sentences))


def table_rows(evaluation: Evaluation, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Returns sketches with their places as a table."""
    names = evaluation.class_names
    return [
        {
            "Sketch": evaluation.ids[row],
            "Drawn": names[evaluation.y_true[row]],
            "Guess": names[evaluation.y_pred[row]],
            "Probability": round(100 * float(evaluation.confidence[row]), 1),
            "x": round(float(evaluation.map_2d[row, 0]), 2),
            "y": round(float(evaluation.map_2d[row, 1]), 2),
        }
        for row in rows.tolist()
    ]


def show_table(run: Run, evaluation: Evaluation, rows: NDArray[np.int64]) -> None:
    """Shows what the map shows as a table and as a file."""
    with st.expander(_("As a table"), icon=":material/table:"):
        st.dataframe(
            table_rows(evaluation, rows[:TABLE_ROWS]),
            hide_index=True,
            column_config={
                "Sketch": _("Sketch"),
                "Drawn": _("Drawn"),
                "Guess": _("Guess"),
                "Probability": st.column_config.NumberColumn(
                    _("Probability"), format="%.0f %%"
                ),
            },
            key="map_table",
            alt=_("The sketches on the map with their guesses and places"),
        )
        download_csv(
            _("Map as CSV"),
            lambda: table_rows(evaluation, rows),
            "map",
            run,
        )


def show(runs: list[Run]) -> None:
    """Shows the page of one run."""
    run_column, shown_column = st.columns([2, 7], gap="medium")
    with run_column:
        run = pick_run(_("Run"), runs, key="run")
    assert run is not None
    evaluation = reads.evaluation(run)
    with shown_column:
        colour, chosen, only_wrong = pick_shown(evaluation)
    st.caption(run_words(run))
    gathered = picked_set(evaluation)
    rows = places(evaluation)
    if only_wrong:
        rows = rows[evaluation.y_pred[rows] != evaluation.y_true[rows]]
    asked = st.query_params.get(SKETCH)
    if asked in evaluation.ids:
        others = other_network_first(run, comparable_runs(run, runs))
        show_sketch(
            run,
            others[0] if others else None,
            evaluation.ids.index(asked),
            worst_first(evaluation, rows if gathered is None else gathered),
            all_of_them=_("Back to the map"),
        )
        return
    if asked is not None:
        st.warning(_("This run has no test sketch of that name."))
    map_column, set_column = st.columns([3, 2], gap="large")
    with map_column:
        show_map(run, evaluation, rows, colour=colour, chosen=chosen, gathered=gathered)
    with set_column:
        if gathered is None:
            found = rows
            if chosen:
                found = rows[np.isin(evaluation.y_true[rows], chosen)]
            show_whole(evaluation, found)
            show_how(evaluation, found)
        else:
            show_set(run, evaluation, gathered)
    show_table(run, evaluation, rows)
    load_pictures(evaluation, sketch_dataset(run))


require_frame()
st.title(_("Map"))
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()
