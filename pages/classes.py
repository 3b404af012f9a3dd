"""Classes: how each class fares, in one run or beside another."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.classes import (
    PairedClass,
    Share,
    common_classes,
    pair_classes,
    rank_classes,
    sketches_of_class,
    taken_for,
    takes_in,
)
from core.charts.classes import accuracy_chart
from core.language import noop as N_
from core.language import plain, to_csv
from core.paths import data_dir
from core.runs.reading import Run
from core.sentences.classes import tally_words
from core.sentences.numbers import accuracy_words
from pages.shared import reads
from pages.shared.chart import chart
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import language, ngettext, words
from pages.shared.pickers import (
    column_names,
    comparable_runs,
    evaluated_runs,
    no_evaluation_yet,
    pick_run,
    run_words,
    short_name,
)
from pages.shared.sets import Part, pick_part, with_set
from pages.shared.sketches import show_test_sketches

TOP = 10
SHARES = (N_("Accuracy"), N_("Precision"), N_("F1"))
"""Columns in percent whose names aren't those of runs."""

ACCURACY = st.column_config.ProgressColumn(
    format="%.0f %%", min_value=0, max_value=100, width="small"
)


def class_table(names: Sequence[str], rows: Sequence[dict[str, Any]], key: str) -> None:
    """Shows a table whose lines open their class.

    Args:
        names: The class of each row.
        rows: The table.
        key: The widget's key.
    """

    def selected() -> None:
        chosen = st.session_state[key].selection.rows
        if chosen:
            st.session_state["class"] = names[chosen[0]]

    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Class": _("Class"),
            "Sketches": _("Sketches"),
            "95 % interval": _("95 % interval"),
        }
        | {
            name: ACCURACY | {"label": _(name) if name in SHARES else name}
            for name in (rows[0] if rows else {})
            if rows and isinstance(rows[0][name], float) and name != "Change"
        }
        | {
            "Change": st.column_config.NumberColumn(
                _("Change"), format=_("%+.0f points")
            )
        },
        on_select=selected,
        selection_mode="single-row",
        key=key,
        alt=_(
            "{count} classes with their accuracy; choose a line to open its class"
        ).format(count=len(rows)),
    )


def show_ranking(run: Run, part: Part, *, worst: bool, key: str) -> None:
    """Shows the ten best or worst classes of a run."""
    ranking = rank_classes(part.figures(run), limit=TOP, worst=worst)
    rows = [
        {
            "Class": figures.class_name,
            "Accuracy": 100 * figures.recall,
            "95 % interval": accuracy_words(figures),
            "Sketches": figures.n,
        }
        for figures in ranking.figures
    ]
    class_table([figures.class_name for figures in ranking.figures], rows, key)
    if ranking.tied:
        more = len(ranking.tied)
        st.caption(
            ngettext(
                "{count} more with the same accuracy as the last: {names}",
                "{count} more with the same accuracy as the last: {names}",
                more,
            ).format(count=more, names=plain(", ".join(ranking.tied)))
        )


def show_common(
    run: Run, other: Run, pairs: Sequence[PairedClass], which: Any, *, key: str
) -> None:
    """Shows the classes that are hard, or easy, for both runs."""
    first, second = column_names(run, other)
    found = common_classes(pairs, limit=TOP, which=which)
    rows = [
        {
            "Class": pair.first.class_name,
            first: 100 * pair.first.recall,
            second: 100 * pair.second.recall,
            "Sketches": pair.first.n,
        }
        for pair in found
    ]
    class_table([pair.first.class_name for pair in found], rows, key)


def show_all(run: Run, other: Run | None, part: Part) -> None:
    """Shows all classes of one run or two."""
    runs = [run] if other is None else [run, other]
    figure, names = accuracy_chart(
        runs, [part.figures(shown) for shown in runs], words=words()
    )
    per_class = np.mean([figures.n for figures in part.figures(run) if figures.n])

    def clicked(point: dict[str, Any]) -> None:
        st.session_state["class"] = names[point["index"]]

    worst, best = names[:3], names[-3:]
    chart(
        figure,
        key="classes_accuracy",
        alt=_(
            "Accuracy of {count} classes with 95 % intervals. Worst: {worst}. "
            "Best: {best}."
        ).format(count=len(names), worst=", ".join(worst), best=", ".join(best)),
        height=380,
        uirevision=" ".join(shown.run_id for shown in runs),
        on_click=clicked,
    )
    st.caption(
        _(
            "The classes that {run} recognises worst come first. Bars are 95 % Wilson "
            "intervals: with about {per_class:.0f} test sketches a class, neighbours "
            "in a ranking hardly ever differ for certain. Click a point or a line of a "
            "table to open its class."
        ).format(run=plain(run.run_id), per_class=per_class)
    )
    titles = column_names(run, other) if other else (short_name(run),)
    for shown, title in zip(runs, titles, strict=True):
        st.subheader(_("{run}: best and worst classes").format(run=plain(title)))
        best_column, worst_column = st.columns(2, gap="medium")
        with best_column:
            st.markdown(_("**Ten best**"))
            show_ranking(shown, part, worst=False, key=f"classes_best_{shown.run_id}")
        with worst_column:
            st.markdown(_("**Ten worst**"))
            show_ranking(shown, part, worst=True, key=f"classes_worst_{shown.run_id}")
    if other is not None:
        pairs = pair_classes(part.figures(run), part.figures(other))
        st.subheader(_("In both runs"))
        hard, easy = st.columns(2, gap="medium")
        with hard:
            st.markdown(_("**Hard for both**"))
            show_common(run, other, pairs, "hard", key="classes_hard")
        with easy:
            st.markdown(_("**Easy for both**"))
            show_common(run, other, pairs, "easy", key="classes_easy")
    st.subheader(_("All classes"))
    rows = all_rows(run, other, part)
    class_table([str(row["Class"]) for row in rows], rows, "classes_all")
    st.download_button(
        _("Classes as CSV"),
        to_csv(rows),
        file_name=f"classes-{run.run_id}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def all_rows(run: Run, other: Run | None, part: Part) -> list[dict[str, Any]]:
    """Returns every class as a table row.

    Columns have English names, also in the CSV of every language, for those who read
    it by a program; the table on the page shows them in the visitor's.
    """
    if other is None:
        return [
            {
                "Class": figures.class_name,
                "Sketches": figures.n,
                "Accuracy": 100 * figures.recall,
                "95 % interval": accuracy_words(figures),
                "Precision": 100 * figures.precision,
                "F1": 100 * figures.f1,
            }
            for figures in sorted(part.figures(run), key=lambda f: f.class_name)
            if figures.n or part.rows is None
        ]
    first, second = column_names(run, other)
    return [
        {
            "Class": pair.first.class_name,
            "Sketches": pair.first.n,
            first: 100 * pair.first.recall,
            f"{first}, 95 %": accuracy_words(pair.first),
            second: 100 * pair.second.recall,
            f"{second}, 95 %": accuracy_words(pair.second),
            "Change": 100 * pair.change,
        }
        for pair in sorted(
            pair_classes(part.figures(run), part.figures(other)),
            key=lambda pair: pair.first.class_name,
        )
    ]


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


def offer_report(runs: Sequence[Run]) -> None:
    """Offers the report of one run or two; it is made when it is asked for."""
    run_dirs = [run.path for run in runs]
    # Where it is made, nobody knows the visitor's language or the data folder.
    chosen, data = language(), data_dir()

    def make() -> bytes:
        # Its libraries are loaded by those only who want it.
        from core.report import make_report

        return make_report(run_dirs, data_dir=data, language=chosen).zip()

    st.download_button(
        _("Report"),
        make,
        file_name="-".join(("report", *(run.run_id for run in runs))) + ".zip",
        mime="application/zip",
        icon=":material/description:",
        help=_(
            "A written report of what is shown here and on Curves and Confusion: a "
            "page that works offline, with its tables as CSV."
        ),
        on_click="ignore",
        key="classes_report",
    )


def show(runs: list[Run]) -> None:
    """Shows the page of one run, by default beside the other network's best."""
    run_column, other_column, class_column = st.columns([2, 2, 1])
    with run_column:
        run = pick_run(_("Run"), runs, key="run")
    assert run is not None
    others = comparable_runs(run, runs)
    others.sort(key=lambda other: short_name(other) == short_name(run))
    with other_column:
        other = None
        if others:
            other = pick_run(_("Beside"), others, key="beside")
        else:
            st.selectbox(
                _("Beside"),
                [],
                disabled=True,
                placeholder=_("No other run of the same test sketches"),
            )
    with class_column:
        name = st.selectbox(
            _("Class"),
            sorted(reads.evaluation(run).class_names),
            index=None,
            key="class",
            bind="query-params",
            placeholder=_("All"),
        )
    shown_runs = [shown for shown in (run, other) if shown]
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        st.caption(" · ".join(map(run_words, shown_runs)), width="content")
        offer_report(shown_runs)
    part = pick_part(run, key="classes_set")
    if name is None:
        pairs = pair_classes(part.figures(run), part.figures(other)) if other else []
        st.write(tally_words(run, part.figures(run), other, pairs, words()))
        show_all(run, other, part)
    else:
        show_class(run, other, part, name)


require_frame()
st.title(_("Classes"))
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()
