"""Families: classes that are taken for each other, and mistakes within and between."""

import streamlit as st

from core.analysis.confusions import check_comparable
from core.analysis.families import (
    LEAST_CLASSES,
    Similarity,
    cut,
    find_similarity,
    measure,
)
from core.language import plain
from core.runs.reading import Run
from core.sentences.families import families_words, family_count_words
from pages.parts.families.chart import show_chart
from pages.parts.families.family import SHOWN, show_family, show_misses
from pages.parts.families.table import show_table
from pages.shared import reads
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import words
from pages.shared.pickers import (
    comparable_runs,
    evaluated_runs,
    no_evaluation_yet,
    pick_class,
    pick_networks,
    pick_run,
    run_words,
)

COUNT = "families"
"""The slider's key and the address's parameter for the number of families."""


similarity_of = reads.keep(find_similarity)


def pick_count(similarity: Similarity, finder: Run) -> int:
    """Shows the slider of the number of families.

    The address holds it where it is another than the one of highest modularity.
    """
    best, most = similarity.best_count, len(similarity.class_names)
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


def show(runs: list[Run]) -> None:
    """Shows one run's families, by default as another network's run finds them."""
    run, other = pick_networks(runs)
    others = comparable_runs(run, runs)
    if other:
        others = [other, *(one for one in others if one.run_id != other.run_id)]
    by_column, count_column, _rest = st.columns([2, 2, 3])
    with by_column:
        finder = pick_run(_("Families found by"), [*others, run], key="by")
    st.caption(run_words(run))
    evaluation, evaluations = reads.evaluation(run), reads.evaluation(finder)
    check_comparable(evaluation, evaluations)
    names = evaluation.class_names
    if len(names) < LEAST_CLASSES:
        st.info(
            _(
                "{run} knows {count} classes; families are found from {least} on."
            ).format(run=plain(run.run_id), count=len(names), least=LEAST_CLASSES)
        )
        return
    similarity = similarity_of(reads.evaluation(finder))
    with count_column:
        count = pick_count(similarity, finder)
    measured = measure(
        evaluation.confusion, similarity, cut(similarity.tree, count), limit=SHOWN
    )
    st.write(
        families_words(measured, run, finder, words(), has_other=other is not None)
    )
    chart_column, family_column = st.columns([3, 2], gap="large")
    with family_column:
        name = pick_class(
            _("Family of"), names, key="class", placeholder=_("Choose a class")
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
            similarity,
            measured,
            chosen,
            uirevision=f"{finder.run_id} {len(names)}",
        )
    show_misses(run, evaluation, measured, chosen)
    st.subheader(_("All families"))
    st.caption(family_count_words(similarity, count, words()))
    show_table(run, evaluation, measured, finder)


require_frame()
st.title(_("Families"))
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()
