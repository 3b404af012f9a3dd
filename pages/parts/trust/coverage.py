"""How right the runs are if they may decline to answer."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.analysis.coverage import (
    TARGETS,
    Answered,
    answers_at_accuracy,
    answers_at_coverage,
    answers_from,
)
from core.analysis.trust import Trust
from core.charts.trust import coverage_chart
from core.language import plain
from core.runs.reading import Run
from core.sentences.trust import answered_words, target_words
from pages.shared.chart import chart
from pages.shared.fragments import fragment
from pages.shared.language import gettext as _
from pages.shared.language import words
from pages.shared.tables import download_csv, number_column, number_table

LEAST = 90
"""Percent; of so sure a guess one would expect much."""
COVERAGES = (0.25, 0.5, 0.75, 0.9, 1.0)


def show_coverage(
    runs: Sequence[Run], trusts: Sequence[Trust], chosen: Sequence[Answered]
) -> None:
    """Draws accuracy against the share of sketches that are answered."""
    curves = [trust.coverage for trust in trusts]
    figure, thresholds = coverage_chart(runs, curves, chosen, words=words())

    def clicked(point: dict[str, Any]) -> None:
        threshold = thresholds.get(point.get("trace", -1))
        if threshold is not None:
            # Percent, rounded down: what was clicked is to be answered.
            st.session_state["least"] = int(100 * threshold[point["index"]])

    chart(
        figure,
        key="trust_coverage",
        alt=_("Accuracy against the share of sketches answered: {told}").format(
            told="; ".join(
                _(
                    "{run} answers {share:.0%} and is right {accuracy:.0%} of the "
                    "time, all of them {whole:.0%}"
                ).format(
                    run=run.run_id,
                    share=now.share,
                    accuracy=now.accuracy,
                    whole=trust.after.accuracy,
                )
                for run, now, trust in zip(runs, chosen, trusts, strict=True)
            )
        ),
        height=400,
        uirevision=" ".join(run.run_id for run in runs),
        on_click=clicked,
    )
    st.caption(
        _(
            "From left to right a network answers more sketches, the surest first; "
            "bands are 95 % Wilson intervals, and dotted is how it would be if it were "
            "surest of what it gets right. The large marks are what is chosen above. "
            "Click a line to choose there."
        )
    )
    rows = coverage_rows(runs, trusts)
    with st.expander(_("Accuracy and share as a table"), icon=":material/table:"):
        number_table(
            rows,
            hide_index=True,
            column_config={
                "Run": _("Run"),
                "Wanted accuracy": number_column(_("Wanted accuracy"), "%.0f %%"),
                "Wanted share": number_column(_("Wanted share"), "%.0f %%"),
                "Least confidence": number_column(_("At least so sure"), "%.1f %%"),
                "Answered": number_column(_("Sketches"), "localized"),
                "Share": number_column(_("Share"), "%.1f %%"),
                "Accuracy": number_column(_("Right"), "%.1f %%"),
                "Low": number_column(_("95 % from"), "%.1f %%"),
                "High": number_column(_("to"), "%.1f %%"),
            },
            key="trust_targets",
            alt=_("What each run may answer for an accuracy, and at a share"),
        )
        st.caption(
            _(
                "These thresholds are found on the very sketches that they are scored "
                "on; expect slightly less of new ones."
            )
        )
        download_csv(_("Accuracy and share as CSV"), rows, "trust-coverage", *runs)


def coverage_rows(runs: Sequence[Run], trusts: Sequence[Trust]) -> list[dict[str, Any]]:
    """Returns what is answered for accuracies and shares that one may want."""
    rows = []
    for run, trust in zip(runs, trusts, strict=True):
        wanted = [
            ("Wanted accuracy", target, answers_at_accuracy(trust.coverage, target))
            for target in TARGETS
        ] + [
            ("Wanted share", share, answers_at_coverage(trust.coverage, share))
            for share in COVERAGES
        ]
        for name, value, at in wanted:
            row: dict[str, Any] = {
                "Run": run.run_id,
                "Wanted accuracy": None,
                "Wanted share": None,
            }
            row[name] = 100 * value
            if at is not None:
                row |= {
                    "Least confidence": 100 * at.least,
                    "Answered": at.n,
                    "Share": 100 * at.share,
                    "Accuracy": 100 * at.accuracy,
                    "Low": 100 * at.low,
                    "High": 100 * at.high,
                }
            rows.append(row)
    return rows


@fragment
def show_declining(runs: Sequence[Run], trusts: Sequence[Trust]) -> None:
    """Shows how right the runs are if they may decline to answer."""
    sentences = st.empty()
    st.subheader(_("If it may decline to answer"))
    st.write(target_words(runs, trusts, words()))
    slider_column, link_column = st.columns([3, 2], vertical_alignment="bottom")
    least = slider_column.slider(
        _("It answers where it is at least so sure, in percent"),
        0,
        99,
        LEAST,
        key="least",
        bind="query-params",
    )
    chosen = [answers_from(trust.coverage, least / 100) for trust in trusts]
    sentences.write(answered_words(runs, chosen, words()))
    with link_column:
        for run, now in zip(runs, chosen, strict=True):
            address: dict[str, str | list[str]] = {
                "run": run.run_id,
                "sure": [str(least), "100"],
            }
            for other in runs:
                if other is not run:
                    address["beside"] = other.run_id
            st.page_link(
                "pages/failures.py",
                label=_("{count:,} mistakes of {run} where it is so sure").format(
                    count=now.n - now.right, run=plain(run.run_id)
                ),
                icon=":material/rule:",
                query_params=address,
            )
    show_coverage(runs, trusts, chosen)
