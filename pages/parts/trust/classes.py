"""Of which guesses a run is over- or underconfident."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.analysis.trust import Trust
from core.charts.trust import class_trust_chart
from core.language import noop as N_
from core.language import plain
from core.runs.reading import Run
from core.sentences.trust import class_words
from pages.shared.chart import chart
from pages.shared.language import gettext as _
from pages.shared.language import number, thing, words
from pages.shared.tables import download_csv, in_words, number_column, open_table

VERDICTS = {
    "over": N_("overconfident"),
    "under": N_("underconfident"),
    "unknown": N_("can't be told"),
}
CLASS = "class"
"""The address's parameter for the class that is told of."""


def show_classes(runs: Sequence[Run], trusts: Sequence[Trust]) -> None:
    """Shows of which guesses a run is over- or underconfident."""
    st.subheader(_("Guess by guess"))
    figure, names_of = class_trust_chart(
        runs, [trust.classes for trust in trusts], words=words()
    )

    def clicked(point: dict[str, Any]) -> None:
        st.query_params[CLASS] = names_of[point["trace"]][point["index"]]

    extremes = [
        f"{thing(row.class_name)} {number(100 * row.gap, '+.0f')}"
        for row in sorted(trusts[0].classes, key=lambda row: row.gap)
    ]
    chart(
        figure,
        key="trust_classes",
        alt=_(
            "By how many points {run} is overconfident when it names each of "
            "{count} classes, with intervals. Lowest: {lowest}. Highest: {highest}."
        ).format(
            run=runs[0].run_id,
            count=len(extremes),
            lowest=", ".join(extremes[:3]),
            highest=", ".join(extremes[-3:]),
        ),
        height=380,
        uirevision=" ".join(run.run_id for run in runs),
        on_click=clicked,
    )
    st.caption(class_words(runs, trusts, words()))
    show_class(runs, trusts)
    rows = class_rows(runs, trusts)
    with st.expander(_("Classes as a table"), icon=":material/table:"):

        def opened(number: int) -> None:
            st.query_params[CLASS] = rows[number]["Class"]

        open_table(
            [
                {**row, "Verdict": _(VERDICTS[row["Verdict"]])}
                for row in in_words(rows, "Class")
            ],
            opened,
            column_config={
                "Run": _("Run"),
                "Class": _("Class"),
                "Guesses": _("Guesses"),
                "Mean confidence": number_column(_("Sure on average"), "%.0f %%"),
                "Accuracy": number_column(_("Right"), "%.0f %%"),
                "Gap": number_column(_("Difference"), "%+.0f"),
                "Low": number_column(_("95 % from"), "%+.0f"),
                "High": number_column(_("to"), "%+.0f"),
                "p": number_column("p", "%.3f"),
                "Adjusted p": number_column(_("p adjusted"), "%.3f"),
                "Verdict": _("Verdict"),
            },
            key="trust_class_table",
            alt=_(
                "Each class with how sure and how right its guesses are; choose a line "
                "to read of it"
            ),
        )
        download_csv(_("Classes as CSV"), rows, "trust-classes", *runs)


def show_class(runs: Sequence[Run], trusts: Sequence[Trust]) -> None:
    """Says how true the guesses of one class are, if one was chosen."""
    name = st.query_params.get(CLASS)
    sentences = []
    for run, trust in zip(runs, trusts, strict=True):
        told_of = next((c for c in trust.classes if c.class_name == name), None)
        if told_of is not None:
            sentences.append(
                _(
                    "When {run} says {name}, it is {confidence:.0%} sure on average "
                    "and right {accuracy:.0%} of {n:,} times: {gap:+.0f} points (95 % "
                    "interval {low:+.0f} to {high:+.0f}; p {p:.2g}, among all classes "
                    "{adjusted:.2g})."
                ).format(
                    run=plain(run.run_id),
                    name=f"**{plain(thing(told_of.class_name))}**",
                    confidence=told_of.confidence,
                    accuracy=told_of.accuracy,
                    n=told_of.n,
                    gap=100 * told_of.gap,
                    low=100 * told_of.gap_low,
                    high=100 * told_of.gap_high,
                    p=told_of.p_value,
                    adjusted=told_of.adjusted_p,
                )
            )
    if name is None or not sentences:
        return
    st.write(" ".join(sentences))
    st.page_link(
        "pages/classes.py",
        label=_("All of {name}").format(name=plain(thing(name))),
        icon=":material/category:",
        query_params={
            "run": runs[0].run_id,
            "class": name,
            **({"beside": runs[1].run_id} if len(runs) > 1 else {}),
        },
    )


def class_rows(runs: Sequence[Run], trusts: Sequence[Trust]) -> list[dict[str, Any]]:
    """Returns each class of each run as a table row, the least likely by chance first.

    Columns have English names, also in the CSV of every language, for those who read
    it by a program; the table on the page shows them in the visitor's.
    """
    return [
        {
            "Run": run.run_id,
            "Class": row.class_name,
            "Guesses": row.n,
            "Mean confidence": 100 * row.confidence,
            "Accuracy": 100 * row.accuracy,
            "Gap": 100 * row.gap,
            "Low": 100 * row.gap_low,
            "High": 100 * row.gap_high,
            "p": row.p_value,
            "Adjusted p": row.adjusted_p,
            "Verdict": row.verdict,
        }
        for run, trusted_run in zip(runs, trusts, strict=True)
        for row in sorted(
            trusted_run.classes, key=lambda row: (row.p_value, row.class_name)
        )
    ]
