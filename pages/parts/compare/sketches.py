"""The sketches on which two runs differ, as tiles and a table."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.comparison import OUTCOMES, Comparison, Outcome, outcomes
from core.language import plain, to_csv
from core.runs.reading import Run
from pages.parts.compare.tables import TITLES
from pages.shared import reads
from pages.shared.gallery import Tile, gallery
from pages.shared.language import gettext as _
from pages.shared.one_sketch import SKETCH
from pages.shared.pickers import column_names, pick_option
from pages.shared.sketches import offer_dataset, sketch_dataset

TABLE_ROWS = 500
"""The file has all."""
SHOWN: tuple[Outcome, ...] = ("fixed", "broken", "both_wrong")
"""What there is to look at."""


def pick_outcome(found: Comparison, name: str | None) -> Outcome:
    """Lets one choose which sketches to see."""
    paired = next(
        (one.paired for one in found.classes if one.class_name == name), found.paired
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


@st.fragment
def show_gallery(run: Run, baseline: Run, rows: NDArray[np.int64]) -> None:
    """Shows sketches as tiles with both runs' guesses; one that is chosen is opened."""
    dataset = sketch_dataset(run)
    evaluations = [reads.evaluation(one) for one in (run, baseline)]
    titles = column_names(run, baseline)
    first = evaluations[0]

    def make(number: int) -> Tile:
        row = int(rows[number])
        drawn = first.class_names[first.y_true[row]]
        guesses = [
            _("{mark} {guess} {sure:.0%}").format(
                mark="✓" if one.y_pred[row] == one.y_true[row] else "✗",
                guess=one.class_names[one.y_pred[row]],
                sure=float(one.confidence[row]),
            )
            for one in evaluations
        ]
        sketch = None
        if dataset is not None:
            sketch = dataset.images[dataset.rows[first.ids[row]]]
        return Tile(
            id=first.ids[row],
            lines={"drawn": drawn, "now": guesses[0], "before": guesses[1]},
            alt=_("Sketch of {drawn}. {run}: {now}. {baseline}: {before}").format(
                drawn=drawn,
                run=titles[0],
                now=guesses[0],
                baseline=titles[1],
                before=guesses[1],
            ),
            sketch=sketch,
        )

    content = f"{run.run_id} {baseline.run_id} {hash(rows.tobytes())} {dataset is None}"
    chosen = gallery(len(rows), make, key="compare_gallery", content=content)
    if chosen is not None:
        st.query_params[SKETCH] = chosen
        st.rerun()


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
    if sketch_dataset(run) is None:
        offer_dataset(run)
    show_gallery(run, baseline, rows)
    with st.expander(_("As a table"), icon=":material/table:"):
        st.dataframe(
            sketch_rows(run, baseline, rows[:TABLE_ROWS]),
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
        st.download_button(
            _("All test sketches as CSV"),
            lambda: to_csv(sketch_rows(run, baseline, every)),
            file_name=f"compare-{run.run_id}-{baseline.run_id}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )


def sketch_rows(
    run: Run, baseline: Run, rows: NDArray[np.integer]
) -> list[dict[str, Any]]:
    """Returns test sketches as table rows, with English columns as in `class_rows`."""
    now, before = reads.evaluation(run), reads.evaluation(baseline)
    found = outcomes(now, before)
    names = now.class_names
    return [
        {
            "Sketch": now.ids[row],
            "Drawn": names[now.y_true[row]],
            "Outcome": OUTCOMES[found[row]],
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
