"""How many sketches each of two runs recognises, and how sure both are."""

import streamlit as st

from core.analysis.comparison import Comparison, Outcome
from core.language import noop as N_
from core.runs.reading import Run
from core.sentences.comparison import confidence_words
from pages.shared import reads
from pages.shared.language import gettext as _
from pages.shared.language import words
from pages.shared.pickers import column_names
from pages.shared.tables import number_table

SURE_HELP = N_("Mean calibrated probability of its guess, right or wrong")

TITLES: dict[Outcome, str] = {
    "fixed": N_("Fixed"),
    "broken": N_("Newly broken"),
    "both_wrong": N_("Both wrong"),
    "both_right": N_("Both right"),
}


def show_tables(comparison: Comparison, run: Run, baseline: Run) -> None:
    """Shows how many sketches each run recognises, and how sure both are."""
    paired = comparison.paired
    first, second = column_names(run, baseline)
    table_column, sure_column = st.columns([2, 3], gap="large")
    with table_column:
        rows = (
            (_("{run} right"), paired.both_right, paired.broken),
            (_("{run} wrong"), paired.fixed, paired.both_wrong),
        )
        told_rows = [
            {
                "baseline": title.format(run=second),
                "right": right,
                "wrong": wrong,
                "all": right + wrong,
            }
            for title, right, wrong in rows
        ]
        told_rows.append(
            {
                "baseline": _("Together"),
                "right": paired.right,
                "wrong": paired.n - paired.right,
                "all": paired.n,
            }
        )
        st.dataframe(
            told_rows,
            hide_index=True,
            column_config={
                "baseline": "",
                "right": st.column_config.NumberColumn(
                    _("{run} right").format(run=first), format="localized"
                ),
                "wrong": st.column_config.NumberColumn(
                    _("{run} wrong").format(run=first), format="localized"
                ),
                "all": st.column_config.NumberColumn(_("Together"), format="localized"),
            },
            key="compare_table",
            alt=_("How many test sketches each of the two runs gets right and wrong"),
        )
    with sure_column:
        number_table(
            [
                {
                    "outcome": _(TITLES[outcome.outcome]),
                    "count": outcome.count,
                    "share": 100 * outcome.share,
                    "sure": None if outcome.sure is None else 100 * outcome.sure,
                    "baseline_sure": None
                    if outcome.baseline_sure is None
                    else 100 * outcome.baseline_sure,
                }
                for outcome in comparison.outcomes
            ],
            hide_index=True,
            column_config={
                "outcome": _("Outcome"),
                "count": st.column_config.NumberColumn(
                    _("Sketches"), format="localized"
                ),
                "share": st.column_config.NumberColumn(_("Share"), format="%.1f %%"),
                "sure": st.column_config.NumberColumn(
                    _("{run} is sure").format(run=first),
                    format="%.0f %%",
                    help=_(SURE_HELP),
                ),
                "baseline_sure": st.column_config.NumberColumn(
                    _("{run} is sure").format(run=second),
                    format="%.0f %%",
                    help=_(SURE_HELP),
                ),
            },
            key="compare_sure",
            alt=_("The sketches of each outcome, and how sure both runs are of them"),
        )
    temperatures = [
        reads.evaluation(shown).metrics["temperature"] for shown in (run, baseline)
    ]
    st.caption(confidence_words(comparison, run, baseline, temperatures, words()))
