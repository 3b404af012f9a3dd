"""Shows sketches: always dark strokes on white, with words that tell what they are."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.datasets.store import Dataset
from core.errors import DatasetError, RunError
from core.language import plain
from core.paths import data_dir
from core.runs.dataset import find_dataset, rows_of
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from pages.shared import reads
from pages.shared.attribution import show_attribution
from pages.shared.language import gettext as _
from pages.shared.language import percent, thing

SKETCH_WIDTH = 128
"""In pixels: their own width. Streamlit would resample them to a smaller one each time,
which takes its time and blurs thin lines."""

ADD = "dataset_add"
"""The session's note of the source that the page Dataset is to add at once."""


def sketch_dataset(run: Run) -> Dataset | None:
    """Returns the installed dataset that holds a run's test sketches, if any.

    None, too, where it names them otherwise.
    """
    if run.config is None:
        return None
    try:
        path = find_dataset(run.config, data_dir=data_dir()).path
        dataset = next((d for d in reads.datasets() if d.path == path), None)
        # Of a damaged evaluation those say so who need it.
        with suppress(RunError):
            if dataset is not None and run.metrics is not None:
                rows_of(dataset, reads.evaluation(run).ids)
    except DatasetError:
        return None
    return dataset


def show_test_sketches(
    run: Run, evaluation: Evaluation, rows: Sequence[int], *, key: str, limit: int = 24
) -> None:
    """Shows test sketches with what the network thought of each.

    Without the dataset, the same as a table, and where to get the pictures.

    Args:
        run: Whose evaluation it is.
        evaluation: That evaluation.
        rows: Rows of its arrays, in the order to show.
        key: Unique on the page.
        limit: How many to show before one asks for more.
    """
    if not rows:
        st.caption(_("No sketches."))
        return
    dataset = sketch_dataset(run)
    shown = rows
    if len(rows) > limit and not st.toggle(
        _("Show all {total}").format(total=len(rows)), key=f"{key}_all"
    ):
        shown = rows[:limit]
        st.caption(
            _("{limit} of {total} sketches are shown.").format(
                limit=limit, total=len(rows)
            )
        )
    if dataset is None:
        st.dataframe(
            sketch_rows(evaluation, np.array(shown), call=thing),
            hide_index=True,
            column_order=("Sketch", "Guess", "Probability", "True class", "Top five"),
            column_config={
                "Sketch": _("Sketch"),
                "Guess": _("Guess"),
                "Top five": _("Top five"),
                "Probability": st.column_config.NumberColumn(
                    _("Probability"), format="%.0f %%"
                ),
                "True class": st.column_config.NumberColumn(
                    _("True class"),
                    format="%.0f %%",
                    help=_("Probability of the class that was drawn"),
                ),
            },
            key=f"{key}_table",
            alt=_("The sketches' ids and the network's guesses"),
        )
        offer_dataset(run)
        return
    images = [dataset.images[dataset.rows[evaluation.ids[row]]] for row in shown]
    st.image(
        images,
        caption=[_thought(evaluation, row) for row in shown],
        width=SKETCH_WIDTH,
        output_format="PNG",
        alt=[_in_words(evaluation, row) for row in shown],
    )
    show_attribution(dataset)


def sketch_rows(
    evaluation: Evaluation,
    rows: NDArray[np.integer],
    *,
    call: Callable[[str], str] = str,
) -> list[dict[str, object]]:
    """Returns a table row for each of some test sketches.

    Args:
        evaluation: Where they are.
        rows: Rows of its arrays.
        call: What a class is called: by its own name in a file, by `thing` on a page.
    """
    guesses, _ = evaluation.guesses(rows)
    names = evaluation.class_names
    return [
        {
            "Sketch": evaluation.ids[row],
            "Drawn": call(names[evaluation.y_true[row]]),
            "Guess": call(names[evaluation.y_pred[row]]),
            "Probability": 100 * float(evaluation.confidence[row]),
            "True class": 100 * float(evaluation.true_probability[row]),
            "Top five": ", ".join(call(names[label]) for label in labels),
        }
        for row, labels in zip(rows.tolist(), guesses, strict=True)
    ]


def offer_dataset(run: Run) -> None:
    """Says that a run's pictures are not here, and where to get them."""
    st.info(
        _(
            "The drawings themselves are in dataset {dataset}, which is not "
            "installed. Add it to see them."
        ).format(dataset=plain(run.config.dataset if run.config else run.run_id)),
        icon=":material/image:",
    )
    st.page_link("pages/dataset.py", label=_("Add a dataset"), icon=":material/add:")


def _thought(evaluation: Evaluation, row: int) -> str:
    guess = int(evaluation.y_pred[row])
    mark = "✓" if guess == evaluation.y_true[row] else "✗"
    probability = evaluation.confidence[row]
    return (
        f"{mark} {plain(thing(evaluation.class_names[guess]))} {percent(probability)}"
    )


def _in_words(evaluation: Evaluation, row: int) -> str:
    values = sketch_rows(evaluation, np.array([row]), call=thing)[0]
    return _(
        "Sketch {id} of {drawn}, taken for {guess} with probability {probability:.0f} %"
    ).format(
        id=values["Sketch"],
        drawn=values["Drawn"],
        guess=values["Guess"],
        probability=values["Probability"],
    )
