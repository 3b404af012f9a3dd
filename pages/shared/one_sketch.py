"""One test sketch, opened from a list: what each network takes it for, and why."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.charts.theme import network_colour
from core.inference.classify import Prediction
from core.language import plain
from core.runs.folder import WEIGHTS
from core.runs.reading import Run
from pages.shared import reads
from pages.shared.attribution import show_attribution
from pages.shared.language import gettext as _
from pages.shared.language import thing
from pages.shared.sketches import offer_dataset, sketch_dataset

LARGE_PX = 320
SKETCH = "sketch"
"""The address's parameter for the sketch that is open."""


def show_sketch(
    run: Run,
    other: Run | None,
    row: int,
    rows: NDArray[np.int64],
    *,
    all_of_them: str,
) -> None:
    """Shows one sketch: what each network takes it for, and why.

    Args:
        run: Whose evaluation it is from.
        other: Another of the same sketches, to show beside.
        row: Of the evaluation's arrays.
        rows: The list that it was opened from, to walk through.
        all_of_them: What the button says that leads back to the list.
    """
    evaluation = reads.evaluation(run)
    places = np.flatnonzero(rows == row)
    place = int(places[0]) if len(places) else None
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(all_of_them, icon=":material/arrow_back:", key="sketch_back"):
            del st.query_params[SKETCH]
            st.rerun()
        for words, icon, step in (
            (_("Previous"), "chevron_left", -1),
            (_("Next"), "chevron_right", 1),
        ):
            target = None if place is None else place + step
            is_there = target is not None and 0 <= target < len(rows)
            if (
                st.button(
                    words,
                    icon=f":material/{icon}:",
                    disabled=not is_there,
                    key=f"sketch_{icon}",
                )
                and target is not None
            ):
                st.query_params[SKETCH] = evaluation.ids[int(rows[target])]
                st.rerun()
    drawn = evaluation.class_names[evaluation.y_true[row]]
    st.subheader(
        _("{drawn}, sketch {sketch}").format(
            drawn=plain(thing(drawn)), sketch=plain(evaluation.ids[row])
        )
    )
    dataset = sketch_dataset(run)
    shown = [run] if other is None else [run, other]
    picture, *columns = st.columns([1, *[1] * len(shown)], gap="large")
    sketch = None
    with picture:
        if dataset is None:
            offer_dataset(run)
        else:
            sketch = np.asarray(dataset.images[dataset.rows[evaluation.ids[row]]])
            st.image(
                sketch,
                width=LARGE_PX,
                output_format="PNG",
                alt=_("The sketch of {drawn}").format(drawn=thing(drawn)),
            )
            show_attribution(dataset)
    # Draws bars and loads networks, for which the list does not wait.
    from pages.shared.guesses import show_guesses

    for column, shown_run in zip(columns, shown, strict=True):
        scored = reads.evaluation(shown_run)
        labels, probabilities = scored.guesses(np.array([row]))
        with column:
            show_guesses(
                shown_run.run_id,
                [
                    Prediction(scored.class_names[label], float(probability))
                    for label, probability in zip(
                        labels[0], probabilities[0], strict=True
                    )
                ],
                colour=network_colour(shown_run),
                run=shown_run,
            )
            st.caption(
                _("The right class is number {rank}, with {share:.1%}.").format(
                    rank=int(scored.true_rank[row]),
                    share=float(scored.true_probability[row]),
                )
            )
    able = [shown_run for shown_run in shown if (shown_run.path / WEIGHTS).exists()]
    if sketch is not None and able:
        from pages.shared.networks import load_networks, look
        from pages.shared.why import show_why

        networks = load_networks(able)
        show_why(networks, look(networks, sketch)[0], sketch, drawn=drawn)
    for shown_run in shown:
        if sketch is not None and not (shown_run.path / WEIGHTS).exists():
            st.caption(
                _(
                    "{run} has no weights here, so what it saw in the sketch can't "
                    "be shown."
                ).format(run=plain(shown_run.run_id))
            )
