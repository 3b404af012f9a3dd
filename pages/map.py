"""Map: where a run's test sketches lie for its network, and sets gathered there."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.maps import mapped_rows
from core.charts.map import MapColour
from core.charts.theme import CHOSEN_COLOURS
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
    evaluated_runs,
    no_evaluation_yet,
    pick_classes,
    pick_networks,
    pick_option,
    run_words,
)
from pages.shared.pictures import load_pictures
from pages.shared.sets import picked_set
from pages.shared.sketches import sketch_dataset
from pages.shared.tables import download_csv, in_words

TABLE_ROWS = 500
"""The file has all."""


def pick_shown(evaluation: Evaluation) -> tuple[MapColour, list[int], bool]:
    """Shows what the map may show: its colour, classes to find, only mistakes."""
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
        chosen = pick_classes(
            _("Find classes"),
            evaluation.class_names,
            # Not "class", of which other pages hold one.
            key="classes",
            limit=len(CHOSEN_COLOURS),
            placeholder=_("All"),
            width=280,
        )
    labels = [evaluation.class_names.index(name) for name in chosen]
    return colour, labels, shown == "wrong"


def show_whole(evaluation: Evaluation, rows: NDArray[np.int64]) -> None:
    """Says how many of some sketches are wrong; of places and distances, nothing.

    t-SNE keeps who is among whose neighbours, not how far apart things are.
    """
    wrong = int((evaluation.y_pred[rows] != evaluation.y_true[rows]).sum())
    st.write(
        ngettext(
            "{wrong:,} of {count:,} sketch is wrong.",
            "{wrong:,} of {count:,} sketches are wrong.",
            len(rows),
        ).format(wrong=wrong, count=len(rows))
    )


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
            in_words(table_rows(evaluation, rows[:TABLE_ROWS]), "Drawn", "Guess"),
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
    run, other = pick_networks(runs)
    evaluation = reads.evaluation(run)
    colour, chosen, only_wrong = pick_shown(evaluation)
    st.caption(run_words(run))
    gathered = picked_set(evaluation)
    rows = mapped_rows(evaluation)
    if only_wrong:
        rows = rows[evaluation.y_pred[rows] != evaluation.y_true[rows]]
    asked = st.query_params.get(SKETCH)
    if asked in evaluation.ids:
        show_sketch(
            run,
            other,
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
            searched = rows
            if chosen:
                searched = rows[np.isin(evaluation.y_true[rows], chosen)]
            show_whole(evaluation, searched)
            show_how(evaluation, searched)
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
