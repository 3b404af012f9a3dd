"""One class: its figures, what it is confused with, its sketches."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.analysis.classes import Share, sketches_of_class, taken_for, takes_in
from core.language import plain
from core.runs.reading import Run
from core.sentences.numbers import accuracy_words
from pages.shared.language import gettext as _
from pages.shared.sets import Part, with_set
from pages.shared.sketches import show_test_sketches


def show_class(run: Run, other: Run | None, part: Part, name: str) -> None:
    """Shows one class: its figures, what it is confused with, its sketches."""
    st.header(plain(name))
    runs = [run] if other is None else [run, other]
    for column, shown in zip(st.columns(len(runs), gap="large"), runs, strict=True):
        with column:
            show_class_of_run(shown, name, part)


def show_class_of_run(run: Run, name: str, part: Part) -> None:
    """Shows one class in one run."""
    evaluation = part.evaluation(run)
    if name not in evaluation.class_names:
        st.info(
            _("{run} doesn't know {name}.").format(
                run=plain(run.run_id), name=plain(name)
            )
        )
        return
    label = evaluation.class_names.index(name)
    figures = part.figures(run)[label]
    before = next((f for f in part.figures(part.first) if f.class_name == name), None)
    delta = None
    if run is not part.first and before is not None:
        delta = _("{change:+.0f} points").format(
            change=100 * (figures.recall - before.recall)
        )
    st.subheader(plain(run.run_id))
    with st.container(horizontal=True, gap="large"):
        st.metric(
            _("Accuracy (recall)"), f"{figures.recall:.0%}", delta, width="content"
        )
        st.metric(_("Precision"), f"{figures.precision:.0%}", width="content")
        st.metric("F1", f"{figures.f1:.2f}", width="content")
    st.caption(
        _(
            "{correct} of {n} test sketches recognised; 95 % interval {interval}. "
            "{predicted} sketches were taken for {name}, {correct} of them rightly."
        ).format(
            correct=figures.correct,
            n=figures.n,
            interval=accuracy_words(figures),
            predicted=figures.predicted,
            name=plain(name),
        )
    )
    away, towards = st.columns(2)
    with away:
        st.markdown(_("**{name} is taken for**").format(name=plain(name)))
        show_shares(taken_for(evaluation, label), lambda other: (name, other), run)
    with towards:
        st.markdown(_("**Taken for {name}**").format(name=plain(name)))
        show_shares(takes_in(evaluation, label), lambda other: (other, name), run)
    right, wrong = sketches_of_class(evaluation, label)
    st.markdown(_("**Wrong ({count})**").format(count=len(wrong)))
    show_test_sketches(run, evaluation, wrong, key=f"wrong_{run.run_id}", limit=8)
    st.markdown(_("**Right ({count})**").format(count=len(right)))
    show_test_sketches(run, evaluation, right, key=f"right_{run.run_id}", limit=8)


def show_shares(
    shares: Sequence[Share], cell: Callable[[str], tuple[str, str]], run: Run
) -> None:
    """Lists other classes, each linked to the sketches behind it."""
    if not shares:
        st.caption(_("Nothing."))
    for share in shares[:5]:
        drawn, guess = cell(share.class_name)
        st.page_link(
            "pages/confusion.py",
            label=plain(f"{share.class_name} ({share.count})"),
            icon=":material/grid_on:",
            query_params=with_set({"run": run.run_id, "drawn": drawn, "guess": guess}),
        )
    if len(shares) > 5:
        rest = ", ".join(f"{share.class_name} ({share.count})" for share in shares[5:])
        st.caption(_("and {rest}").format(rest=plain(rest)))
