"""The tree of families beside the confusion matrix."""

from typing import Any

import streamlit as st

from core.analysis.families import Family, Measured, Similarity
from core.charts.matrix import family_chart
from core.runs.evaluation import Evaluation
from core.sentences.families import family_name
from pages.shared.chart import chart
from pages.shared.language import gettext as _
from pages.shared.language import words

CHART_HEIGHT = 700


def show_chart(
    evaluation: Evaluation,
    similarity: Similarity,
    measured: Measured,
    chosen: Family,
    *,
    uirevision: str,
) -> None:
    """Shows the tree beside the matrix; a click opens a family."""
    names, order = evaluation.class_names, similarity.tree.order

    def clicked(point: dict[str, Any]) -> None:
        # A cell's row and column, or a leaf's number.
        index = point["index"]
        place = index[0] if isinstance(index, list) else index
        st.session_state["class"] = names[order[int(place)]]

    largest = sorted(measured.families, key=lambda family: -len(family.labels))
    chart(
        family_chart(
            evaluation.confusion,
            similarity.tree,
            measured.family_of,
            names,
            chosen=chosen.number,
            words=words(),
        ),
        key="families_chart",
        alt=_(
            "Tree of {classes} classes, cut into {count} families, beside their "
            "confusion matrix in the same order. The largest: {largest}."
        ).format(
            classes=len(names),
            count=len(measured.families),
            largest="; ".join(
                family_name(names, family, words()) for family in largest[:3]
            ),
        ),
        height=CHART_HEIGHT,
        uirevision=uirevision,
        on_click=clicked,
    )
    st.caption(
        _(
            "On the left the classes are joined, the most alike first; green is within "
            "a family. White frames are the families, with their numbers where there "
            "is room. Click a row or a leaf to open its family; drag to zoom in."
        )
    )
