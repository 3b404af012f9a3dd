"""One family: its metrics, its part of the matrix, its misses."""

import numpy as np
import streamlit as st

from core.analysis.families import Family, Measured
from core.charts.matrix import matrix_heatmap
from core.language import plain
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.families import family_name
from pages.shared.chart import chart
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, thing, words
from pages.shared.tables import chosen_line

FAMILY_HEIGHT = 420
CLASSES_HEIGHT = 220
WRITTEN_CLASSES = 20
"""A matrix of so many classes has room for its counts."""

SHOWN = 5
"""Confusions and families that a list names."""


def show_family(evaluation: Evaluation, family: Family) -> None:
    """Shows one family: its metrics and its part of the matrix."""
    names = evaluation.class_names
    st.subheader(plain(family_name(names, family, words())))
    low, high = family.interval
    st.write(
        ngettext(
            "Family {number} has {count} class and {n:,} test sketches. {correct} "
            "are recognised ({top1:.0%}), {near} more are taken for another class of "
            "the family ({accuracy:.0%} together; 95 % interval {low:.0f}–{high:.0f} "
            "%), {wild} for one outside.",
            "Family {number} has {count} classes and {n:,} test sketches. {correct} "
            "are recognised ({top1:.0%}), {near} more are taken for another class of "
            "the family ({accuracy:.0%} together; 95 % interval {low:.0f}–{high:.0f} "
            "%), {wild} for one outside.",
            len(family.labels),
        ).format(
            number=family.number + 1,
            count=len(family.labels),
            n=family.n,
            correct=family.correct,
            top1=family.accuracy,
            near=family.near,
            accuracy=family.family_accuracy,
            low=100 * low,
            high=100 * high,
            wild=family.wild,
        )
    )
    labels = list(family.labels)
    if len(labels) > 1:
        shown_names = [names[label] for label in labels]
        counts = evaluation.confusion[np.ix_(labels, labels)]
        chart(
            matrix_heatmap(
                counts.astype(float),
                counts,
                shown_names,
                log=True,
                write_counts=len(labels) <= WRITTEN_CLASSES,
                words=words(),
            ),
            key="families_one",
            alt=_("Confusion matrix of the {count} classes of one family").format(
                count=len(labels)
            ),
            height=FAMILY_HEIGHT,
            uirevision=" ".join(shown_names[:2]),
        )


def show_misses(
    run: Run, evaluation: Evaluation, measured: Measured, family: Family
) -> None:
    """Shows what a family's sketches are wrongly taken for, and its classes."""
    names = evaluation.class_names
    near_column, wild_column, class_column = st.columns([3, 3, 4], gap="large")
    with near_column:
        st.markdown(_("**Near misses ({count})**").format(count=family.near))
        for pair in family.top:
            drawn, guess = names[pair.true], names[pair.predicted]
            st.page_link(
                "pages/failures.py",
                label=plain(
                    _("{drawn} for {guess}: {count} of {n}").format(
                        drawn=thing(drawn),
                        guess=thing(guess),
                        count=pair.count,
                        n=pair.n,
                    )
                ),
                icon=":material/rule:",
                query_params={"run": run.run_id, "drawn": drawn, "guess": guess},
            )
        if not family.top:
            st.caption(_("Nothing."))
    with wild_column:
        st.markdown(_("**Wild misses ({count})**").format(count=family.wild))
        strays = [
            _("{count} to {family}").format(
                count=count,
                family=plain(family_name(names, measured.families[number], words())),
            )
            for number, count in family.strays[:SHOWN]
        ]
        if strays:
            st.markdown("\n".join(f"- {stray}" for stray in strays))
        else:
            st.caption(_("Nothing."))
    with class_column:
        inside = list(family.labels)
        matrix = evaluation.confusion
        # Another family's table is another widget: a line chosen here is none there.
        key = f"families_classes {' '.join(names[label] for label in inside)}"
        opened = st.dataframe(
            [
                {
                    "class": thing(names[label]),
                    "sketches": int(matrix[label].sum()),
                    "right": int(matrix[label, label]),
                    "near": int(matrix[label, inside].sum() - matrix[label, label]),
                    "wild": int(matrix[label].sum() - matrix[label, inside].sum()),
                }
                for label in inside
            ],
            hide_index=True,
            height=CLASSES_HEIGHT if len(inside) > SHOWN else "auto",
            column_config={
                "class": _("Class"),
                "sketches": _("Sketches"),
                "right": _("Right"),
                "near": _("Near"),
                "wild": _("Wild"),
            },
            on_select="rerun",
            selection_mode="single-cell",
            key=key,
            alt=_("The classes of the family; choose a line to see its failures"),
        )
        line = chosen_line(opened, len(inside))
        if line is not None:
            name = names[inside[line]]
            st.page_link(
                "pages/failures.py",
                label=_("Failures of {name}").format(name=plain(thing(name))),
                icon=":material/rule:",
                query_params={"run": run.run_id, "drawn": name},
            )
        else:
            st.caption(_("Choose a line to go to the failures of its class."))
