"""The map as a chart; a lasso on it gathers a set."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.maps import class_centres, label_order
from core.charts.map import MapColour, map_scatter
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from pages.shared.chart import Cards, Label, Points, chart
from pages.shared.language import gettext as _
from pages.shared.language import thing, words
from pages.shared.pictures import pictures_key
from pages.shared.sets import SET, hold_set
from pages.shared.sketches import sketch_dataset

MAP_HEIGHT = 620


def show_map(
    run: Run,
    evaluation: Evaluation,
    rows: NDArray[np.int64],
    *,
    colour: MapColour,
    chosen: list[int],
    gathered: NDArray[np.int64] | None,
) -> None:
    """Shows the map; a lasso on it gathers a set."""
    centres = class_centres(evaluation)
    first = list(chosen)
    if gathered is not None:
        counts = np.bincount(evaluation.y_true[gathered])
        ranked = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
        first += [label for label in ranked.tolist() if label not in chosen]
    labels = [
        Label(
            float(centres[label][0]),
            float(centres[label][1]),
            thing(evaluation.class_names[label]),
            is_chosen=label in chosen,
        )
        for label in label_order(evaluation, centres, first=first)
    ]

    def gather(ids: list[Any], adds: bool) -> None:
        # What a browser sends is anything: of it, what is on the map.
        held = {row for row in ids if isinstance(row, int)}
        chosen_rows = np.array(
            [row for row in rows.tolist() if row in held], dtype=np.int64
        )
        if adds and gathered is not None:
            chosen_rows = np.union1d(chosen_rows, gathered)
        hold_set(evaluation, chosen_rows)

    is_right = evaluation.y_pred[rows] == evaluation.y_true[rows]
    chart(
        map_scatter(
            evaluation,
            rows,
            colour=colour,
            chosen=chosen,
            gathered=gathered,
            words=words(),
        ),
        key="map_chart",
        alt=_(
            "Map of {count} test sketches of {classes} classes by what the network "
            "sees in them, {wrong} of them wrong. The table below has the same."
        ).format(
            count=len(rows),
            classes=len(labels),
            wrong=int((~is_right).sum()),
        ),
        height=MAP_HEIGHT,
        uirevision=run.run_id,
        points=Points(
            labels=labels,
            cards=Cards(
                names=tuple(map(thing, evaluation.class_names)),
                drawn=evaluation.y_true,
                guess=evaluation.y_pred,
                confidence=evaluation.confidence,
                ids=evaluation.ids,
                pictures=pictures_key(evaluation, sketch_dataset(run)),
            ),
            revision=f"{run.run_id} {st.query_params.get(SET)}",
            on_gather=gather,
        ),
    )
    sentences = [
        _(
            "Sketches in which the network sees the same are neighbours (t-SNE of what "
            "its last layer is given). Directions, distances and the sizes of groups "
            "mean nothing."
        )
    ]
    if colour == "class" and not chosen:
        sentences.append(
            _(
                "Classes side by side have like colours, so that a sketch among others "
                "than its own class stands out."
            )
        )
    sentences.append(
        _(
            "Hold Shift to add to what is gathered. The tools beside the map choose "
            "between lasso, box, moving and zooming; the wheel zooms while Ctrl is "
            "held."
        )
    )
    st.caption(" ".join(sentences))
