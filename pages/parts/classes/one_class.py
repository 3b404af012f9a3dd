"""One class: its metrics, what it is confused with, its sketches."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.analysis.advice import advise
from core.analysis.classes import (
    ClassMetrics,
    Share,
    sketches_of_class,
    taken_for,
    takes_in,
)
from core.language import plain
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.advice import advice_words
from core.sentences.numbers import accuracy_words
from pages.shared import reads
from pages.shared.language import gettext as _
from pages.shared.language import number, percent, thing, words
from pages.shared.sets import Part, with_set
from pages.shared.sketches import show_test_sketches, sketch_dataset


def show_class(run: Run, other: Run | None, part: Part, name: str) -> None:
    """Shows one class: its metrics, what it is confused with, its sketches."""
    show_way(sorted(part.evaluation(run).class_names), name)
    st.header(plain(thing(name)))
    runs = [run] if other is None else [run, other]
    for column, shown in zip(st.columns(len(runs), gap="large"), runs, strict=True):
        with column:
            show_class_of_run(shown, name, part, other if shown is run else None)


def show_way(names: Sequence[str], name: str) -> None:
    """Shows the way back to all classes, and to those before and after one."""

    def open_class(target: str | None) -> None:
        st.session_state["class"] = target

    place = names.index(name) if name in names else None
    with st.container(horizontal=True):
        st.button(
            _("All classes"),
            icon=":material/arrow_back:",
            key="class_back",
            on_click=open_class,
            args=(None,),
        )
        for words, icon, step in (
            (_("Previous"), "chevron_left", -1),
            (_("Next"), "chevron_right", 1),
        ):
            target = None if place is None else place + step
            is_there = target is not None and 0 <= target < len(names)
            st.button(
                words,
                icon=f":material/{icon}:",
                key=f"class_{icon}",
                disabled=not is_there,
                on_click=open_class,
                args=(names[target] if is_there and target is not None else None,),
            )


def show_class_of_run(run: Run, name: str, part: Part, other: Run | None) -> None:
    """Shows one class in one run, and how that differs from another."""
    evaluation = part.evaluation(run)
    if name not in evaluation.class_names:
        st.info(
            _("{run} doesn't know {name}.").format(
                run=plain(run.run_id), name=plain(thing(name))
            )
        )
        return
    label = evaluation.class_names.index(name)
    class_metrics = part.class_metrics(run)[label]
    compared = None
    if other is not None:
        compared = next(
            (f for f in part.class_metrics(other) if f.class_name == name), None
        )
    change = 0
    if compared is not None:
        change = round(100 * (class_metrics.recall - compared.recall))
    st.subheader(plain(run.run_id))
    with st.container(horizontal=True, gap="large"):
        st.metric(
            _("Accuracy (recall)"),
            percent(class_metrics.recall) if class_metrics.n else "–",
            _("{change:+.0f} points").format(change=change) if compared else None,
            delta_color="normal" if change else "off",
            delta_arrow="auto" if change else "off",
            width="content",
        )
        tested = class_metrics if class_metrics.n else None
        st.metric(
            _("Precision"),
            percent(tested.precision) if tested else "–",
            width="content",
        )
        st.metric("F1", number(tested.f1, ".2f") if tested else "–", width="content")
    st.caption(
        _(
            "{correct} of {n} test sketches recognised; 95 % interval {interval}. "
            "{predicted} sketches were taken for {name}, {correct} of them rightly."
        ).format(
            correct=class_metrics.correct,
            n=class_metrics.n,
            interval=accuracy_words(class_metrics, words()),
            predicted=class_metrics.predicted,
            name=plain(thing(name)),
        )
    )
    away, towards = st.columns(2)
    with away:
        st.markdown(_("**{name} is taken for**").format(name=plain(thing(name))))
        show_shares(taken_for(evaluation, label), lambda other: (name, other), run)
    with towards:
        st.markdown(_("**Taken for {name}**").format(name=plain(thing(name))))
        show_shares(takes_in(evaluation, label), lambda other: (other, name), run)
    show_advice(run, evaluation, class_metrics)
    right, wrong = sketches_of_class(evaluation, label)
    st.markdown(_("**Wrong ({count})**").format(count=len(wrong)))
    show_test_sketches(run, evaluation, wrong, key=f"wrong_{run.run_id}", limit=8)
    st.markdown(_("**Right ({count})**").format(count=len(right)))
    show_test_sketches(run, evaluation, right, key=f"right_{run.run_id}", limit=8)


def show_advice(run: Run, evaluation: Evaluation, metrics: ClassMetrics) -> None:
    """Says what would help a class that is seldom recognised."""
    config, dataset = run.config, sketch_dataset(run)
    is_own_set = config is not None and config.class_names == evaluation.class_names
    advice = advise(
        evaluation,
        metrics,
        neighbours=reads.neighbours(run) if is_own_set else None,
        suspects=reads.label_suspects(dataset) if dataset is not None else None,
    )
    if advice is None:
        return
    st.markdown(_("**What would help**"))
    sentences = advice_words(advice, metrics, words())
    mark = "- " if len(sentences) > 1 else ""
    st.markdown("\n".join(f"{mark}{sentence}" for sentence in sentences))
    if advice.suspects is not None:
        st.page_link("pages/labels.py", label=_("Labels"), icon=":material/label:")


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
            label=plain(f"{thing(share.class_name)} ({share.count})"),
            icon=":material/grid_on:",
            query_params=with_set({"run": run.run_id, "drawn": drawn, "guess": guess}),
        )
    if len(shares) > 5:
        rest = ", ".join(
            f"{thing(share.class_name)} ({share.count})" for share in shares[5:]
        )
        st.caption(_("and {rest}").format(rest=plain(rest)))
