"""Compare: two runs on the same test sketches, which is better and where."""

import streamlit as st

from core.analysis.comparison import compare, find_sketches, gain
from core.analysis.curation import are_versions, curation_effect
from core.datasets.decisions import read_decisions
from core.datasets.versions import base_name
from core.language import plain
from core.runs.reading import Run
from core.sentences.comparison import NAMED, comparison_words
from core.sentences.curation import curation_words
from pages.parts.compare.classes import show_classes
from pages.parts.compare.seeds import show_groups
from pages.parts.compare.sketches import pick_outcome, show_list
from pages.parts.compare.tables import show_tables
from pages.shared import reads
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import words
from pages.shared.one_sketch import SKETCH, show_sketch
from pages.shared.pickers import (
    BESIDE,
    MENU_WIDTH,
    RUN,
    evaluated_runs,
    no_evaluation_yet,
    pick_class,
    pick_networks,
    run_words,
)

compared = reads.keep(compare)


def pick_two(runs: list[Run]) -> tuple[Run, Run | None, str | None]:
    """Shows the menus of a run, what it is compared with, and a class, if any.

    Says so where the address asks for what can't be compared.
    """
    asked = st.query_params.get(BESIDE)
    run, other = pick_networks(runs)
    if other is None:
        return run, None, None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = pick_class(
            _("Class"),
            reads.evaluation(run).class_names,
            key="class",
            placeholder=_("All"),
            width=MENU_WIDTH,
        )

        def swap() -> None:
            st.session_state[RUN] = other.run_id
            st.session_state[BESIDE] = run.run_id

        st.button(
            _("Swap"), icon=":material/swap_horiz:", on_click=swap, key="compare_swap"
        )
    is_there = asked in {each.run_id for each in reads.runs()}
    if asked and is_there and asked != other.run_id:
        told_values = {
            "asked": plain(asked),
            "run": plain(run.run_id),
            "other": plain(other.run_id),
        }
        if asked == run.run_id:
            sentence = _(
                "{run} compared with itself differs in nothing; {other} is shown "
                "instead."
            )
        else:
            sentence = _(
                "{asked} was not scored on the same test sketches as {run}; {other} is "
                "shown instead."
            )
        st.warning(sentence.format(**told_values))
    return run, other, name


def show_curation(run: Run, baseline: Run) -> None:
    """Says whether it helped, where the two learned from versions of one dataset."""
    config, before = run.config, baseline.config
    if config is None or before is None or not are_versions(config, before):
        return
    name = base_name(config.dataset)
    installed = [dataset for dataset in reads.datasets() if dataset.name == name]
    effect = curation_effect(
        reads.evaluation(run),
        reads.evaluation(baseline),
        configs=(config, before),
        ambiguous=read_decisions(installed[0]).ambiguous if installed else (),
    )
    st.write(curation_words(effect, config, before, words()))


def show(runs: list[Run]) -> None:
    """Shows the page of one run beside another."""
    run, baseline, name = pick_two(runs)
    if baseline is None:
        st.info(
            _(
                "No other run was scored on the test sketches of {run}, so there is "
                "nothing to compare it with. Train another on {dataset}."
            ).format(
                run=plain(run.run_id),
                dataset=plain(run.config.dataset if run.config else ""),
            )
        )
        st.page_link("pages/train.py", label=_("Train"), icon=":material/school:")
        return
    st.caption(" · ".join(run_words(shown) for shown in (run, baseline)))
    evaluation, before = reads.evaluation(run), reads.evaluation(baseline)
    comparison = compared(evaluation, before)
    told_gain = gain(comparison.classes, limit=NAMED)
    asked = st.query_params.get(SKETCH)
    is_open = asked in evaluation.ids
    if not is_open:
        show_groups(run, baseline)
    show_curation(run, baseline)
    st.write(comparison_words(comparison, told_gain, run, baseline, words()))
    if not is_open:
        show_tables(comparison, run, baseline)
        show_classes(comparison, run, baseline, name)
        st.subheader(_("Sketch by sketch"))
        if asked is not None:
            st.warning(_("This run has no test sketch of that name."))
    outcome = pick_outcome(comparison, name)
    label = None if name is None else evaluation.class_names.index(name)
    rows = find_sketches(evaluation, before, outcome, label=label)
    if is_open:
        show_sketch(
            run,
            baseline,
            evaluation.ids.index(str(asked)),
            rows,
            all_of_them=_("All sketches"),
        )
    else:
        show_list(run, baseline, rows, outcome)


require_frame()
st.title(_("Compare"))
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()
