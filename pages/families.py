"""Families: classes that are taken for each other, and mistakes within and between."""

from typing import Any

import numpy as np
import streamlit as st

from core.analysis.confusions import check_comparable
from core.analysis.families import (
    LEAST_CLASSES,
    Family,
    Likeness,
    Measured,
    cut,
    find_likeness,
    measure,
)
from core.charts.matrix import family_chart, matrix_heatmap
from core.language import plain, to_csv
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.families import families_words, family_count_words, family_name
from pages.shared import reads
from pages.shared.chart import chart
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, words
from pages.shared.pickers import (
    comparable_runs,
    evaluated_runs,
    no_evaluation_yet,
    other_network_first,
    pick_run,
    run_words,
)

COUNT = "families"
"""The slider's key and the address's parameter for the number of families."""

CHART_HEIGHT = 700
FAMILY_HEIGHT = 420
CLASSES_HEIGHT = 220
WRITTEN_CLASSES = 20
"""A matrix of so many classes has room for its counts."""

SHOWN = 5
"""Confusions and families that a list names."""


@st.cache_resource(max_entries=8, show_spinner=False)
def _likeness(_evaluation: Evaluation, identity: str) -> Likeness:
    del identity  # The key: Streamlit leaves out names that begin with _.
    return find_likeness(_evaluation)


def likeness_of(run: Run) -> Likeness:
    """Finds which classes a run takes for each other, or returns what was found."""
    evaluation = reads.evaluation(run)
    metrics = evaluation.metrics
    return _likeness(evaluation, f"{metrics['run_id']} {metrics['evaluated_at']}")


def pick_count(likeness: Likeness, finder: Run) -> int:
    """Lets one choose the number of families.

    The address holds it where it is another than the one of highest modularity.
    """
    best, most = likeness.best_count, len(likeness.class_names)
    asked = st.query_params.get(COUNT)
    known = asked, finder.run_id
    if COUNT not in st.session_state or st.session_state.get(f"{COUNT} known") != known:
        is_number = asked is not None and asked.isascii() and asked.isdigit()
        number = int(asked) if is_number and asked is not None else 0
        st.session_state[COUNT] = number if 2 <= number <= most else best
    count = int(
        st.slider(
            _("Number of families"),
            2,
            most,
            key=COUNT,
            help=_(
                "By default as many as keep the most confusions within a family beyond "
                "what chance would (modularity)"
            ),
        )
    )
    held = None if count == best else str(count)
    if held is None:
        st.query_params.pop(COUNT, None)
    elif held != asked:
        st.query_params[COUNT] = held
    st.session_state[f"{COUNT} known"] = held, finder.run_id
    return count


def show_chart(
    evaluation: Evaluation,
    likeness: Likeness,
    measured: Measured,
    chosen: Family,
    *,
    uirevision: str,
) -> None:
    """Shows the tree beside the matrix; a click opens a family."""
    names, order = evaluation.class_names, likeness.tree.order

    def clicked(point: dict[str, Any]) -> None:
        # A cell's row and column, or a leaf's number.
        index = point["index"]
        place = index[0] if isinstance(index, list) else index
        st.session_state["class"] = names[order[int(place)]]

    largest = sorted(measured.families, key=lambda family: -len(family.labels))
    chart(
        family_chart(
            evaluation.confusion,
            likeness.tree,
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
            largest="; ".join(family_name(names, one, words()) for one in largest[:3]),
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


def show_family(evaluation: Evaluation, family: Family) -> None:
    """Shows one family: its figures and its part of the matrix."""
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
                        drawn=drawn, guess=guess, count=pair.count, n=pair.n
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
        opened = st.dataframe(
            [
                {
                    "class": names[label],
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
            selection_mode="single-row",
            key="families_classes",
            alt=_("The classes of the family; choose a line to see its failures"),
        )
        if opened.selection.rows:
            st.page_link(
                "pages/failures.py",
                label=_("Failures of {name}").format(
                    name=plain(names[inside[opened.selection.rows[0]]])
                ),
                icon=":material/rule:",
                query_params={
                    "run": run.run_id,
                    "drawn": names[inside[opened.selection.rows[0]]],
                },
            )
        else:
            st.caption(_("Choose a line to go to the failures of its class."))


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

    def selected() -> None:
        lines = st.session_state["families_table"].selection.rows
        if lines:
            st.session_state["class"] = names[families[lines[0]].labels[0]]

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
                "interval": f"{100 * low:.0f}–{100 * high:.0f} %",
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
    st.dataframe(
        rows,
        hide_index=True,
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
        on_select=selected,
        selection_mode="single-row",
        key="families_table",
        alt=_("{count} families with their figures; choose a line to open one").format(
            count=len(rows)
        ),
    )
    st.download_button(
        _("Classes and families as CSV"),
        lambda: to_csv(class_rows(evaluation, measured, finder)),
        file_name=f"families-{run.run_id}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def show(runs: list[Run]) -> None:
    """Shows one run's families, by default as another network's run finds them."""
    run_column, finder_column, count_column = st.columns(3)
    with run_column:
        run = pick_run(_("Run"), runs, key="run")
    assert run is not None
    others = other_network_first(run, comparable_runs(run, runs))
    with finder_column:
        finder = pick_run(_("Families found by"), [*others, run], key="by")
    assert finder is not None
    st.caption(run_words(run))
    evaluation, found = reads.evaluation(run), reads.evaluation(finder)
    check_comparable(evaluation, found)
    names = evaluation.class_names
    if len(names) < LEAST_CLASSES:
        st.info(
            _(
                "{run} knows {count} classes; families are found from {least} on."
            ).format(run=plain(run.run_id), count=len(names), least=LEAST_CLASSES)
        )
        return
    likeness = likeness_of(finder)
    with count_column:
        count = pick_count(likeness, finder)
    measured = measure(
        evaluation.confusion, likeness, cut(likeness.tree, count), limit=SHOWN
    )
    st.write(families_words(measured, run, finder, words(), has_other=bool(others)))
    chart_column, family_column = st.columns([3, 2], gap="large")
    with family_column:
        name = st.selectbox(
            _("Family of"),
            sorted(names),
            index=None,
            key="class",
            bind="query-params",
            placeholder=_("Choose a class"),
        )
        if name is None:
            chosen = max(measured.families, key=lambda family: family.near)
            if chosen.near:
                st.caption(_("Shown now: the family with the most near misses."))
        else:
            chosen = measured.families[measured.family_of[names.index(name)]]
        show_family(evaluation, chosen)
    with chart_column:
        show_chart(
            evaluation,
            likeness,
            measured,
            chosen,
            uirevision=f"{finder.run_id} {len(names)}",
        )
    show_misses(run, evaluation, measured, chosen)
    st.subheader(_("All families"))
    st.caption(family_count_words(likeness, count, words()))
    show_table(run, evaluation, measured, finder)


require_frame()
st.title(_("Families"))
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()
