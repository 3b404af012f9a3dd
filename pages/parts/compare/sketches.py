"""The sketches on which two runs differ, as tiles and a table."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.comparison import OUTCOMES, Comparison, Outcome, find_outcomes
from core.language import plain
from core.runs.reading import Run
from pages.parts.compare.tables import TITLES
from pages.shared import reads
from pages.shared.language import gettext as _
from pages.shared.language import thing
from pages.shared.pickers import column_names, pick_option
from pages.shared.tables import download_csv, in_words
from pages.shared.tiles import Words, sketch_tiles

TABLE_ROWS = 500
"""The file has all."""
SHOWN: tuple[Outcome, ...] = ("fixed", "broken", "both_wrong")
"""What there is to look at."""


def pick_outcome(comparison: Comparison, name: str | None) -> Outcome:
    """Shows the menu of the outcomes; returns the chosen one."""
    paired = next(
        (row.paired for row in comparison.classes if row.class_name == name),
        comparison.paired,
    )
    counts = {
        "fixed": paired.fixed,
        "broken": paired.broken,
        "both_wrong": paired.both_wrong,
    }
    return pick_option(
        _("Which"),
        {
            outcome: _("{outcome} ({count:,})").format(
                outcome=_(TITLES[outcome]), count=counts[outcome]
            )
            for outcome in SHOWN
        },
        key="show",
        show_label=False,
    )


def show_tiles(run: Run, baseline: Run, rows: NDArray[np.int64]) -> None:
    """Shows sketches as tiles with both runs' guesses; one that is chosen is opened."""
    evaluations = [reads.evaluation(shown) for shown in (run, baseline)]
    titles = column_names(run, baseline)
    first = evaluations[0]

    def describe(place: int) -> Words:
        row = int(rows[place])
        drawn = thing(first.class_names[first.y_true[row]])
        now, before = (
            _("{mark} {guess} {sure:.0%}").format(
                mark="✓" if scored.y_pred[row] == scored.y_true[row] else "✗",
                guess=thing(scored.class_names[scored.y_pred[row]]),
                sure=float(scored.confidence[row]),
            )
            for scored in evaluations
        )
        alt = _("Sketch of {drawn}. {run}: {now}. {baseline}: {before}").format(
            drawn=drawn, run=titles[0], now=now, baseline=titles[1], before=before
        )
        return {"drawn": drawn, "now": now, "before": before}, alt

    sketch_tiles([run, baseline], rows, describe, key="compare_gallery")


def show_list(
    run: Run, baseline: Run, rows: NDArray[np.int64], outcome: Outcome
) -> None:
    """Shows sketches as tiles and as a table, and all of them as a file."""
    if not len(rows):
        st.info(_("No test sketch is like that."))
        return
    first, second = column_names(run, baseline)
    st.caption(
        _(
            "On each tile stands what was drawn, then the guess of {run}, then that of "
            "{baseline}."
        ).format(run=plain(first), baseline=plain(second))
        + " "
        + (
            _("What is furthest from right in both comes first.")
            if outcome == "both_wrong"
            else _("Where the right class's probability changed most comes first.")
        )
    )
    show_tiles(run, baseline, rows)
    with st.expander(_("As a table"), icon=":material/table:"):
        st.dataframe(
            in_words(
                sketch_rows(run, baseline, rows[:TABLE_ROWS]),
                *("Drawn", "Guess", "Baseline guess"),
            ),
            hide_index=True,
            column_order=(
                *("Sketch", "Drawn", "Guess", "Sure"),
                *("Baseline guess", "Baseline sure"),
            ),
            column_config={
                "Sketch": _("Sketch"),
                "Drawn": _("Drawn"),
                "Guess": first,
                "Baseline guess": second,
                **{
                    name: st.column_config.NumberColumn(
                        _("{run} is sure").format(run=title), format="%.0f %%"
                    )
                    for name, title in zip(
                        ("Sure", "Baseline sure"), (first, second), strict=True
                    )
                },
            },
            key="compare_sketches",
            alt=_("The same sketches with both runs' guesses"),
        )
        every = np.arange(len(reads.evaluation(run).ids))
        download_csv(
            _("All test sketches as CSV"),
            lambda: sketch_rows(run, baseline, every),
            "compare",
            run,
            baseline,
        )


def sketch_rows(
    run: Run, baseline: Run, rows: NDArray[np.integer]
) -> list[dict[str, Any]]:
    """Returns test sketches as table rows, with English columns as in `class_rows`."""
    now, before = reads.evaluation(run), reads.evaluation(baseline)
    sketch_outcomes = find_outcomes(now, before)
    names = now.class_names
    return [
        {
            "Sketch": now.ids[row],
            "Drawn": names[now.y_true[row]],
            "Outcome": OUTCOMES[sketch_outcomes[row]],
            "Run": run.run_id,
            "Guess": names[now.y_pred[row]],
            "Sure": 100 * float(now.confidence[row]),
            "True class": 100 * float(now.true_probability[row]),
            "Baseline": baseline.run_id,
            "Baseline guess": names[before.y_pred[row]],
            "Baseline sure": 100 * float(before.confidence[row]),
            "Baseline true class": 100 * float(before.true_probability[row]),
        }
        for row in rows.tolist()
    ]
