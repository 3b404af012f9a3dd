"""The classes of a run in tables and a chart: best, worst and all."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.classes import (
    PairedClass,
    common_classes,
    pair_classes,
    rank_classes,
)
from core.charts.classes import accuracy_chart
from core.language import noop as N_
from core.language import plain
from core.runs.reading import Run
from core.sentences.numbers import accuracy_words
from pages.shared.chart import chart
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, words
from pages.shared.pickers import column_names, short_name
from pages.shared.sets import Part
from pages.shared.tables import download_csv

TOP = 10
SHARES = (N_("Accuracy"), N_("Precision"), N_("F1"))
"""Columns in percent whose names aren't those of runs."""

ACCURACY = st.column_config.ProgressColumn(
    format="%.0f %%", min_value=0, max_value=100, width="small"
)


def class_table(names: Sequence[str], rows: Sequence[dict[str, Any]], key: str) -> None:
    """Shows a table whose lines open their class.

    Args:
        names: The class of each row.
        rows: The table.
        key: The widget's key.
    """

    def selected() -> None:
        chosen = st.session_state[key].selection.rows
        if chosen:
            st.session_state["class"] = names[chosen[0]]

    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Class": _("Class"),
            "Sketches": _("Sketches"),
            "95 % interval": _("95 % interval"),
        }
        | {
            name: ACCURACY | {"label": _(name) if name in SHARES else name}
            for name in (rows[0] if rows else {})
            if rows and isinstance(rows[0][name], float) and name != "Change"
        }
        | {
            "Change": st.column_config.NumberColumn(
                _("Change"), format=_("%+.0f points")
            )
        },
        on_select=selected,
        selection_mode="single-row",
        key=key,
        alt=_(
            "{count} classes with their accuracy; choose a line to open its class"
        ).format(count=len(rows)),
    )


def show_ranking(run: Run, part: Part, *, worst: bool, key: str) -> None:
    """Shows the ten best or worst classes of a run."""
    ranking = rank_classes(part.figures(run), limit=TOP, worst=worst)
    rows = [
        {
            "Class": figures.class_name,
            "Accuracy": 100 * figures.recall,
            "95 % interval": accuracy_words(figures),
            "Sketches": figures.n,
        }
        for figures in ranking.figures
    ]
    class_table([figures.class_name for figures in ranking.figures], rows, key)
    if ranking.tied:
        more = len(ranking.tied)
        st.caption(
            ngettext(
                "{count} more with the same accuracy as the last: {names}",
                "{count} more with the same accuracy as the last: {names}",
                more,
            ).format(count=more, names=plain(", ".join(ranking.tied)))
        )


def show_common(
    run: Run, other: Run, pairs: Sequence[PairedClass], which: Any, *, key: str
) -> None:
    """Shows the classes that are hard, or easy, for both runs."""
    first, second = column_names(run, other)
    found = common_classes(pairs, limit=TOP, which=which)
    rows = [
        {
            "Class": pair.first.class_name,
            first: 100 * pair.first.recall,
            second: 100 * pair.second.recall,
            "Sketches": pair.first.n,
        }
        for pair in found
    ]
    class_table([pair.first.class_name for pair in found], rows, key)


def show_all(run: Run, other: Run | None, part: Part) -> None:
    """Shows all classes of one run or two."""
    runs = [run] if other is None else [run, other]
    figure, names = accuracy_chart(
        runs, [part.figures(shown) for shown in runs], words=words()
    )
    per_class = np.mean([figures.n for figures in part.figures(run) if figures.n])

    def clicked(point: dict[str, Any]) -> None:
        st.session_state["class"] = names[point["index"]]

    worst, best = names[:3], names[-3:]
    chart(
        figure,
        key="classes_accuracy",
        alt=_(
            "Accuracy of {count} classes with 95 % intervals. Worst: {worst}. "
            "Best: {best}."
        ).format(count=len(names), worst=", ".join(worst), best=", ".join(best)),
        height=380,
        uirevision=" ".join(shown.run_id for shown in runs),
        on_click=clicked,
    )
    st.caption(
        _(
            "The classes that {run} recognises worst come first. Bars are 95 % Wilson "
            "intervals: with about {per_class:.0f} test sketches a class, neighbours "
            "in a ranking hardly ever differ for certain. Click a point or a line of a "
            "table to open its class."
        ).format(run=plain(run.run_id), per_class=per_class)
    )
    titles = column_names(run, other) if other else (short_name(run),)
    for shown, title in zip(runs, titles, strict=True):
        st.subheader(_("{run}: best and worst classes").format(run=plain(title)))
        best_column, worst_column = st.columns(2, gap="medium")
        with best_column:
            st.markdown(_("**Ten best**"))
            show_ranking(shown, part, worst=False, key=f"classes_best_{shown.run_id}")
        with worst_column:
            st.markdown(_("**Ten worst**"))
            show_ranking(shown, part, worst=True, key=f"classes_worst_{shown.run_id}")
    if other is not None:
        pairs = pair_classes(part.figures(run), part.figures(other))
        st.subheader(_("In both runs"))
        hard, easy = st.columns(2, gap="medium")
        with hard:
            st.markdown(_("**Hard for both**"))
            show_common(run, other, pairs, "hard", key="classes_hard")
        with easy:
            st.markdown(_("**Easy for both**"))
            show_common(run, other, pairs, "easy", key="classes_easy")
    st.subheader(_("All classes"))
    rows = all_rows(run, other, part)
    class_table([str(row["Class"]) for row in rows], rows, "classes_all")
    download_csv(_("Classes as CSV"), rows, "classes", run)


def all_rows(run: Run, other: Run | None, part: Part) -> list[dict[str, Any]]:
    """Returns every class as a table row.

    Columns have English names, also in the CSV of every language, for those who read
    it by a program; the table on the page shows them in the visitor's.
    """
    if other is None:
        return [
            {
                "Class": figures.class_name,
                "Sketches": figures.n,
                "Accuracy": 100 * figures.recall,
                "95 % interval": accuracy_words(figures),
                "Precision": 100 * figures.precision,
                "F1": 100 * figures.f1,
            }
            for figures in sorted(part.figures(run), key=lambda f: f.class_name)
            if figures.n or part.rows is None
        ]
    first, second = column_names(run, other)
    return [
        {
            "Class": pair.first.class_name,
            "Sketches": pair.first.n,
            first: 100 * pair.first.recall,
            f"{first}, 95 %": accuracy_words(pair.first),
            second: 100 * pair.second.recall,
            f"{second}, 95 %": accuracy_words(pair.second),
            "Change": 100 * pair.change,
        }
        for pair in sorted(
            pair_classes(part.figures(run), part.figures(other)),
            key=lambda pair: pair.first.class_name,
        )
    ]
