"""Sketches whose label or drawing is suspect: what all runs call another class."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.suspects import (
    SuspectOrder,
    SuspectPair,
    Suspects,
    find_suspects,
    opinion,
    suspect_pairs,
)
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.suspects import suspects_words
from pages.shared import reads
from pages.shared.language import gettext as _
from pages.shared.language import thing, words
from pages.shared.one_sketch import SKETCH, show_sketch
from pages.shared.pickers import pick_option
from pages.shared.tables import download_csv, in_words
from pages.shared.tiles import Words, sketch_tiles

TABLE_ROWS = 500
"""The file has all."""


kept_opinion = reads.keep(opinion)


def show_suspects(runs: Sequence[Run]) -> None:
    """Shows which test sketches are suspect, as tiles, as a table and as a file."""
    evaluations = [reads.evaluation(run) for run in runs]
    opinions = [kept_opinion(evaluation) for evaluation in evaluations]
    sentences = st.empty()
    orders: dict[SuspectOrder, str] = {
        "margin": _("Margin"),
        "label": _("Probability of its label"),
    }
    order = pick_option(
        _("Most suspect first by"),
        orders,
        key="sort",
        help=_(
            "Margin: how far the label's class is behind the other, on average of the "
            "runs. Probability of its label: how little the label's class got."
        ),
    )
    suspects = find_suspects(evaluations, opinions, order=order)
    pairs = suspect_pairs(evaluations[0], opinions, suspects)
    sentences.write(suspects_words(runs, evaluations[0], suspects, pairs, words()))
    if not len(suspects.rows):
        return
    asked = st.query_params.get(SKETCH)
    if asked in evaluations[0].ids:
        show_sketch(
            runs[0],
            runs[1] if len(runs) > 1 else None,
            evaluations[0].ids.index(asked),
            suspects.rows,
            all_of_them=_("All suspects"),
        )
        return
    if asked is not None:
        st.warning(_("This run has no test sketch of that name."))
    show_tiles(runs, evaluations, suspects)
    with st.expander(_("As a table"), icon=":material/table:"):
        st.dataframe(
            in_words(
                suspect_rows(runs, evaluations, suspects, limit=TABLE_ROWS),
                *("Label", "Suspected"),
                *(f"{run.run_id} guess" for run in runs),
            ),
            hide_index=True,
            column_config={
                "Sketch": _("Sketch"),
                "Label": _("Label"),
                "Suspected": _("Taken for"),
                "Score": st.column_config.NumberColumn(_("Score"), format="%.2f"),
            },
            key="suspects_table",
            alt=_("The suspect sketches with what each run takes them for"),
        )
    with st.expander(
        _("Which labels are suspect for which class"), icon=":material/grid_on:"
    ):
        st.dataframe(
            in_words(pair_rows(runs, evaluations[0], pairs), "Label", "Suspected"),
            hide_index=True,
            column_config={
                "Label": _("Label"),
                "Suspected": _("Taken for"),
                "Sketches": _("Suspect sketches"),
                "Of": _("Of"),
            },
            key="suspects_pairs",
            alt=_("Pairs of label and suspected class with their counts"),
        )
    download_csv(
        _("Suspects as CSV"),
        lambda: suspect_rows(runs, evaluations, suspects),
        "suspects",
        *runs,
    )


def show_tiles(
    runs: Sequence[Run], evaluations: Sequence[Evaluation], suspects: Suspects
) -> None:
    """Shows suspects as tiles; one that is chosen is opened."""
    first = evaluations[0]

    def describe(place: int) -> Words:
        row = int(suspects.rows[place])
        sure = np.mean([scored.confidence[row] for scored in evaluations])
        right = np.mean([scored.true_probability[row] for scored in evaluations])
        values = {
            "label": thing(first.class_names[first.y_true[row]]),
            "other": thing(first.class_names[suspects.called[place]]),
            "sure": float(sure),
            "right": float(right),
        }
        lines = {
            "drawn": _("{label} {right:.0%}").format(**values),
            "guess": _("looks like {other} {sure:.0%}").format(**values),
        }
        alt = _(
            "Sketch labelled {label}, to which the networks give {right:.0%}; they "
            "take it for {other} with {sure:.0%}"
        )
        return lines, alt.format(**values)

    sketch_tiles(runs, suspects.rows, describe, key="suspects_gallery")


def suspect_rows(
    runs: Sequence[Run],
    evaluations: Sequence[Evaluation],
    suspects: Suspects,
    *,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Returns the first suspects as table rows, with what every run thinks of each.

    Columns have English names, also in the CSV of every language.
    """
    first = evaluations[0]
    names = first.class_names
    return [
        {
            "Sketch": first.ids[row],
            "Label": names[first.y_true[row]],
            "Suspected": names[called],
            "Score": float(score),
            **{
                f"{run.run_id} {what}": value
                for run, scored in zip(runs, evaluations, strict=True)
                for what, value in (
                    ("guess", names[scored.y_pred[row]]),
                    ("guess probability", round(float(scored.confidence[row]), 4)),
                    (
                        "label probability",
                        round(float(scored.true_probability[row]), 4),
                    ),
                )
            },
        }
        for row, called, score in zip(
            suspects.rows[:limit],
            suspects.called[:limit],
            suspects.score[:limit],
            strict=True,
        )
    ]


def pair_rows(
    runs: Sequence[Run], evaluation: Evaluation, pairs: Sequence[SuspectPair]
) -> list[dict[str, Any]]:
    """Returns each pair of label and suspected class as a table row."""
    names = evaluation.class_names
    return [
        {
            "Label": names[pair.label],
            "Suspected": names[pair.called],
            "Sketches": pair.count,
            "Of": pair.n,
            **{run.run_id: count for run, count in zip(runs, pair.joint, strict=True)},
        }
        for pair in pairs
    ]
