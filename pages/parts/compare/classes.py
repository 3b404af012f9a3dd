"""The change of each class between two runs, as a chart and a table."""

from typing import Any

import streamlit as st

from core.analysis.comparison import ClassChange, Comparison
from core.charts.classes import change_chart
from core.language import plain
from core.runs.reading import Run
from core.sentences.comparison import NAMED, many_tests_words, probability_words
from pages.shared.chart import chart
from pages.shared.language import gettext as _
from pages.shared.language import thing, words
from pages.shared.tables import download_csv, in_words, open_table


def show_classes(
    comparison: Comparison, run: Run, baseline: Run, name: str | None
) -> None:
    """Shows the change of each class, and one class that is chosen."""
    figure, names = change_chart(
        comparison.classes, run, baseline, chosen=name, words=words()
    )

    def clicked(point: dict[str, Any]) -> None:
        st.session_state["class"] = names[point["index"]]

    st.subheader(_("Class by class"))
    chart(
        figure,
        key="compare_classes",
        alt=_(
            "Change of the accuracy of {count} classes from {baseline} to {run}, with "
            "95 % intervals. First: {first}. Last: {last}."
        ).format(
            count=len(names),
            baseline=baseline.run_id,
            run=run.run_id,
            first=", ".join(map(thing, names[:NAMED])),
            last=", ".join(map(thing, names[-NAMED:])),
        ),
        height=380,
        uirevision=f"{run.run_id} {baseline.run_id}",
        on_click=clicked,
    )
    st.caption(many_tests_words(comparison, run, baseline, words()))
    chosen = next((row for row in comparison.classes if row.class_name == name), None)
    if chosen is not None:
        show_class(chosen, run, baseline)
    with st.expander(_("Classes as a table"), icon=":material/table:"):
        rows = class_rows(comparison, run, baseline)

        def opened(number: int) -> None:
            st.session_state["class"] = rows[number]["Class"]

        open_table(
            in_words(rows, "Class"),
            opened,
            column_config=class_columns(run, baseline),
            key="compare_class_table",
            alt=_("Each class in both runs; choose a line to see its sketches"),
        )
        download_csv(_("Classes as CSV"), rows, "compare-classes", run, baseline)


def show_class(change: ClassChange, run: Run, baseline: Run) -> None:
    """Says how one class fares in both runs."""
    paired = change.paired
    among = (
        _("p {adjusted} among the tests of all classes")
        if change.is_testable
        else _(
            "too few sketches differ to show anything among the tests of all classes"
        )
    ).format(adjusted=plain(probability_words(change.adjusted_p, words())))
    st.write(
        _(
            "**{name}**: {run} recognises {right} of {n}, {baseline} {baseline_right}; "
            "{fixed} fixed, {broken} newly broken. That is {points:+.0f} points (95 % "
            "interval {low:+.0f} to {high:+.0f}); McNemar's mid-p test has p {p} by "
            "itself, {among}."
        ).format(
            name=plain(thing(change.class_name)),
            run=plain(run.run_id),
            baseline=plain(baseline.run_id),
            right=paired.right,
            baseline_right=paired.baseline_right,
            n=paired.n,
            fixed=paired.fixed,
            broken=paired.broken,
            points=100 * paired.change,
            low=100 * paired.low,
            high=100 * paired.high,
            p=plain(probability_words(paired.p_value, words())),
            among=among,
        )
    )
    st.page_link(
        "pages/classes.py",
        label=_("All of {name}").format(name=plain(thing(change.class_name))),
        icon=":material/category:",
        query_params={
            "run": run.run_id,
            "beside": baseline.run_id,
            "class": change.class_name,
        },
    )


def class_rows(comparison: Comparison, run: Run, baseline: Run) -> list[dict[str, Any]]:
    """Returns every class as a table row, the most gained first.

    Columns have English names, also in the CSV of every language, for those who read
    it by a program; the table on the page shows them in the visitor's.
    """
    return [
        {
            "Class": change.class_name,
            "Sketches": change.paired.n,
            run.run_id: 100 * change.paired.right / change.paired.n,
            baseline.run_id: 100 * change.paired.baseline_right / change.paired.n,
            "Fixed": change.paired.fixed,
            "Newly broken": change.paired.broken,
            "Change": 100 * change.paired.change,
            "Low": 100 * change.paired.low,
            "High": 100 * change.paired.high,
            "p": change.paired.p_value,
            "p, adjusted": change.adjusted_p,
        }
        for change in sorted(
            comparison.classes,
            key=lambda change: (-change.paired.change, change.class_name),
        )
    ]


def class_columns(run: Run, baseline: Run) -> dict[str, Any]:
    """Returns what the columns of the table of classes are called."""
    points = {
        "Change": _("Change"),
        "Low": _("at least"),
        "High": _("at most"),
    }
    return {
        "Class": _("Class"),
        "Sketches": _("Sketches"),
        "Fixed": _("Fixed"),
        "Newly broken": _("Newly broken"),
        **{
            shown.run_id: st.column_config.NumberColumn(shown.run_id, format="%.0f %%")
            for shown in (run, baseline)
        },
        **{
            name: st.column_config.NumberColumn(label, format=_("%+.0f points"))
            for name, label in points.items()
        },
        "p": st.column_config.NumberColumn("p", format="%.2g"),
        "p, adjusted": st.column_config.NumberColumn(_("p, adjusted"), format="%.2g"),
    }
