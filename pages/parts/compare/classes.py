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
from pages.shared.language import words
from pages.shared.tables import download_csv


def show_classes(found: Comparison, run: Run, baseline: Run, name: str | None) -> None:
    """Shows the change of each class, and one class that is chosen."""
    figure, names = change_chart(
        found.classes, run, baseline, found=name, words=words()
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
            first=", ".join(names[:NAMED]),
            last=", ".join(names[-NAMED:]),
        ),
        height=380,
        uirevision=f"{run.run_id} {baseline.run_id}",
        on_click=clicked,
    )
    st.caption(many_tests_words(found, run, baseline, words()))
    chosen = next((one for one in found.classes if one.class_name == name), None)
    if chosen is not None:
        show_class(chosen, run, baseline)
    with st.expander(_("Classes as a table"), icon=":material/table:"):
        rows = class_rows(found, run, baseline)

        def selected() -> None:
            lines = st.session_state["compare_class_table"].selection.rows
            if lines:
                st.session_state["class"] = rows[lines[0]]["Class"]

        st.dataframe(
            rows,
            hide_index=True,
            column_config=class_columns(run, baseline),
            on_select=selected,
            selection_mode="single-row",
            key="compare_class_table",
            alt=_("Each class in both runs; choose a line to see its sketches"),
        )
        download_csv(_("Classes as CSV"), rows, "compare-classes", run, baseline)


def show_class(one: ClassChange, run: Run, baseline: Run) -> None:
    """Says how one class fares in both runs."""
    paired = one.paired
    st.write(
        _(
            "**{name}**: {run} recognises {right} of {n}, {baseline} {baseline_right}; "
            "{fixed} fixed, {broken} newly broken. That is {points:+.0f} points (95 % "
            "interval {low:+.0f} to {high:+.0f}); McNemar's test has p {p} by itself, "
            "p {holm} among those of all classes."
        ).format(
            name=plain(one.class_name),
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
            p=plain(probability_words(paired.p_value)),
            holm=plain(probability_words(one.adjusted_p)),
        )
    )
    st.page_link(
        "pages/classes.py",
        label=_("All of {name}").format(name=plain(one.class_name)),
        icon=":material/category:",
        query_params={
            "run": run.run_id,
            "beside": baseline.run_id,
            "class": one.class_name,
        },
    )


def class_rows(found: Comparison, run: Run, baseline: Run) -> list[dict[str, Any]]:
    """Returns every class as a table row, the most gained first.

    Columns have English names, also in the CSV of every language, for those who read
    it by a program; the table on the page shows them in the visitor's.
    """
    return [
        {
            "Class": one.class_name,
            "Sketches": one.paired.n,
            run.run_id: 100 * one.paired.right / one.paired.n,
            baseline.run_id: 100 * one.paired.baseline_right / one.paired.n,
            "Fixed": one.paired.fixed,
            "Newly broken": one.paired.broken,
            "Change": 100 * one.paired.change,
            "Low": 100 * one.paired.low,
            "High": 100 * one.paired.high,
            "p": one.paired.p_value,
            "p, Holm": one.adjusted_p,
        }
        for one in sorted(
            found.classes, key=lambda one: (-one.paired.change, one.class_name)
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
            one.run_id: st.column_config.NumberColumn(one.run_id, format="%.0f %%")
            for one in (run, baseline)
        },
        **{
            name: st.column_config.NumberColumn(label, format=_("%+.0f points"))
            for name, label in points.items()
        },
        "p": st.column_config.NumberColumn("p", format="%.2g"),
        "p, Holm": st.column_config.NumberColumn(_("p, Holm"), format="%.2g"),
    }
