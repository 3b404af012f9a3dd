"""All families as a table, and each class with its family as a file."""

from typing import Any

import streamlit as st

from core.analysis.families import Measured
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.families import family_name
from core.sentences.numbers import span
from pages.shared.language import gettext as _
from pages.shared.language import words
from pages.shared.tables import download_csv, open_table


def class_rows(
    evaluation: Evaluation, measured: Measured, finder: Run
) -> list[dict[str, Any]]:
    """Returns every class with its family as a table row, in the tree's order."""
    matrix = evaluation.confusion
    rows = []
    for family in measured.families:
        inside = list(family.labels)
        for label in family.labels:
            n = int(matrix[label].sum())
            rows.append(
                {
                    "Family": family.number + 1,
                    "Name": family_name(evaluation.class_names, family, words()),
                    "Class": evaluation.class_names[label],
                    "Sketches": n,
                    "Recognised": int(matrix[label, label]),
                    "Right family": int(matrix[label, inside].sum()),
                    "Found by": finder.run_id,
                }
            )
    return rows


def show_table(
    run: Run, evaluation: Evaluation, measured: Measured, finder: Run
) -> None:
    """Shows all families as a table, and each class with its family as a file."""
    names = evaluation.class_names
    families = measured.families

    def opened(number: int) -> None:
        st.session_state["class"] = names[families[number].labels[0]]

    rows = []
    for family in families:
        low, high = family.interval
        stray = family.strays[0] if family.strays else None
        rows.append(
            {
                "number": family.number + 1,
                "name": family_name(names, family, words()),
                "classes": len(family.labels),
                "sketches": family.n,
                "top1": 100 * family.accuracy,
                "accuracy": 100 * family.family_accuracy,
                "interval": span(low, high, words()),
                "near": family.near,
                "wild": family.wild,
                "stray": None
                if stray is None
                else _("{family} ({count})").format(
                    family=family_name(names, families[stray[0]], words()),
                    count=stray[1],
                ),
            }
        )
    percent = st.column_config.NumberColumn(format="%.0f %%")
    open_table(
        rows,
        opened,
        column_config={
            "number": _("No."),
            "name": _("Family"),
            "classes": _("Classes"),
            "sketches": _("Sketches"),
            "top1": percent | {"label": _("Right class")},
            "accuracy": percent | {"label": _("Right family")},
            "interval": _("95 % interval"),
            "near": _("Near misses"),
            "wild": _("Wild misses"),
            "stray": _("Most wild misses go to"),
        },
        key="families_table",
        alt=_("{count} families with their metrics; choose a line to open one").format(
            count=len(rows)
        ),
    )
    download_csv(
        _("Classes and families as CSV"),
        lambda: class_rows(evaluation, measured, finder),
        "families",
        run,
    )
