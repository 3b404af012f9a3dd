"""Classes: how each class fares, in one run or beside another."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st
from plotly import graph_objects as go

from core.classwise import (
    PairedClass,
    Share,
    common_classes,
    pair_classes,
    rank_classes,
    sketches_of_class,
    taken_for,
    takes_in,
)
from core.metrics import ClassFigures
from core.runs import Run
from models import NETWORKS
from pages.shared import reads
from pages.shared.chart import chart
from pages.shared.figures import SYMBOLS, network_colour
from pages.shared.frame import require_frame
from pages.shared.pickers import (
    comparable_runs,
    evaluated_runs,
    no_evaluation_yet,
    pick_run,
    run_words,
)
from pages.shared.sketches import show_test_sketches
from pages.shared.text import plain, plain_label, to_csv

TOP = 10
ACCURACY = st.column_config.ProgressColumn(
    format="%.0f %%", min_value=0, max_value=100, width="small"
)


def accuracy_words(figures: ClassFigures) -> str:
    """Returns an accuracy's interval, such as `61–93 %`."""
    return f"{100 * figures.recall_low:.0f}–{100 * figures.recall_high:.0f} %"


def short_name(run: Run) -> str:
    """Returns what a table's column calls a run."""
    return NETWORKS[run.config.network].title if run.config else run.run_id


def column_names(run: Run, other: Run) -> tuple[str, str]:
    """Returns two different names for two runs."""
    names = short_name(run), short_name(other)
    return names if names[0] != names[1] else (run.run_id, other.run_id)


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
            name: ACCURACY
            for name in (rows[0] if rows else {})
            if rows and isinstance(rows[0][name], float) and name != "Change"
        }
        | {"Change": st.column_config.NumberColumn(format="%+.0f points")},
        on_select=selected,
        selection_mode="single-row",
        key=key,
        alt=f"{len(rows)} classes with their accuracy; choose a line to open its class",
    )


def show_ranking(run: Run, *, worst: bool, key: str) -> None:
    """Shows the ten best or worst classes of a run."""
    ranking = rank_classes(reads.figures(run), limit=TOP, worst=worst)
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
            f"{more} more with the same accuracy as the last: "
            + plain(", ".join(ranking.tied))
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


def accuracy_chart(runs: Sequence[Run]) -> tuple[go.Figure, list[str]]:
    """Draws the accuracy of every class with its interval, the first run's worst first.

    Returns:
        The figure, and the class at each place.
    """
    ordered = sorted(reads.figures(runs[0]), key=lambda f: (f.recall, f.class_name))
    names = [figures.class_name for figures in ordered if figures.n]
    figure = go.Figure()
    for number, run in enumerate(runs):
        by_name = {figures.class_name: figures for figures in reads.figures(run)}
        found = [by_name[name] for name in names]
        recall = np.array([figures.recall for figures in found])
        low = np.array([figures.recall_low for figures in found])
        high = np.array([figures.recall_high for figures in found])
        figure.add_scatter(
            x=[plain_label(figures.class_name) for figures in found],
            y=recall,
            error_y={
                "type": "data",
                "array": high - recall,
                "arrayminus": recall - low,
                "width": 0,
                "thickness": 1,
                "color": "rgba(128,128,128,0.45)",
            },
            mode="markers",
            marker={
                "color": network_colour(run),
                "symbol": SYMBOLS[number],
                "size": 7,
            },
            customdata=[
                f"{figures.correct} of {figures.n}, {accuracy_words(figures)}"
                for figures in found
            ],
            hovertemplate="%{x}: %{y:.0%}<br>%{customdata}<extra></extra>",
            name=run.run_id,
        )
    figure.update_layout(
        template="none",
        xaxis={"type": "category"},
        yaxis={"title": "accuracy", "tickformat": ".0%", "range": [-0.02, 1.02]},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure, names


def show_all(run: Run, other: Run | None) -> None:
    """Shows all classes of one run or two."""
    runs = [run] if other is None else [run, other]
    figure, names = accuracy_chart(runs)
    per_class = np.mean([figures.n for figures in reads.figures(run)])

    def clicked(point: dict[str, Any]) -> None:
        st.session_state["class"] = names[point["index"]]

    worst, best = names[:3], names[-3:]
    chart(
        figure,
        key="classes_accuracy",
        alt=f"Accuracy of {len(names)} classes with 95 % intervals. Worst: "
        f"{', '.join(worst)}. Best: {', '.join(best)}.",
        height=380,
        uirevision=" ".join(shown.run_id for shown in runs),
        on_click=clicked,
    )
    st.caption(
        f"The classes that {plain(run.run_id)} recognises worst come first. Bars are "
        f"95 % Wilson intervals: with about {per_class:.0f} test sketches a class, "
        "neighbours in a ranking hardly ever differ for certain. Click a point or a "
        "line of a table to open its class."
    )
    titles = column_names(run, other) if other else (short_name(run),)
    for shown, title in zip(runs, titles, strict=True):
        st.subheader(f"{plain(title)}: best and worst classes")
        best_column, worst_column = st.columns(2, gap="medium")
        with best_column:
            st.markdown("**Ten best**")
            show_ranking(shown, worst=False, key=f"classes_best_{shown.run_id}")
        with worst_column:
            st.markdown("**Ten worst**")
            show_ranking(shown, worst=True, key=f"classes_worst_{shown.run_id}")
    if other is not None:
        pairs = pair_classes(reads.figures(run), reads.figures(other))
        st.subheader("In both runs")
        hard, easy = st.columns(2, gap="medium")
        with hard:
            st.markdown("**Hard for both**")
            show_common(run, other, pairs, "hard", key="classes_hard")
        with easy:
            st.markdown("**Easy for both**")
            show_common(run, other, pairs, "easy", key="classes_easy")
    st.subheader("All classes")
    rows = all_rows(run, other)
    class_table([str(row["Class"]) for row in rows], rows, "classes_all")
    st.download_button(
        "Classes as CSV",
        to_csv(rows),
        file_name=f"classes-{run.run_id}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def all_rows(run: Run, other: Run | None) -> list[dict[str, Any]]:
    """Returns every class as a table row."""
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
            for figures in sorted(reads.figures(run), key=lambda f: f.class_name)
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
            pair_classes(reads.figures(run), reads.figures(other)),
            key=lambda pair: pair.first.class_name,
        )
    ]


def show_class(run: Run, other: Run | None, name: str) -> None:
    """Shows one class: its figures, what it is confused with, its sketches."""
    st.header(plain(name))
    runs = [run] if other is None else [run, other]
    for column, shown in zip(st.columns(len(runs), gap="large"), runs, strict=True):
        with column:
            show_class_of_run(shown, name, first=run)


def show_class_of_run(run: Run, name: str, *, first: Run) -> None:
    """Shows one class in one run."""
    evaluation = reads.evaluation(run)
    if name not in evaluation.class_names:
        st.info(plain(f"{run.run_id} doesn't know {name}."))
        return
    label = evaluation.class_names.index(name)
    figures = reads.figures(run)[label]
    before = next((f for f in reads.figures(first) if f.class_name == name), None)
    delta = None
    if run is not first and before is not None:
        delta = f"{100 * (figures.recall - before.recall):+.0f} points"
    st.subheader(plain(run.run_id))
    with st.container(horizontal=True, gap="large"):
        st.metric("Accuracy (recall)", f"{figures.recall:.0%}", delta, width="content")
        st.metric("Precision", f"{figures.precision:.0%}", width="content")
        st.metric("F1", f"{figures.f1:.2f}", width="content")
    st.caption(
        f"{figures.correct} of {figures.n} test sketches recognised; 95 % interval "
        f"{accuracy_words(figures)}. {figures.predicted} sketches were taken for "
        f"{plain(name)}, {figures.correct} of them rightly."
    )
    away, towards = st.columns(2)
    with away:
        st.markdown(f"**{plain(name)} is taken for**")
        show_shares(taken_for(evaluation, label), lambda other: (name, other), run)
    with towards:
        st.markdown(f"**Taken for {plain(name)}**")
        show_shares(takes_in(evaluation, label), lambda other: (other, name), run)
    right, wrong = sketches_of_class(evaluation, label)
    st.markdown(f"**Wrong ({len(wrong)})**")
    show_test_sketches(run, evaluation, wrong, key=f"wrong_{run.run_id}", limit=8)
    st.markdown(f"**Right ({len(right)})**")
    show_test_sketches(run, evaluation, right, key=f"right_{run.run_id}", limit=8)


def show_shares(
    shares: Sequence[Share], cell: Callable[[str], tuple[str, str]], run: Run
) -> None:
    """Lists other classes, each linked to the sketches behind it."""
    if not shares:
        st.caption("Nothing.")
    for share in shares[:5]:
        drawn, guess = cell(share.class_name)
        st.page_link(
            "pages/confusion.py",
            label=plain(f"{share.class_name} ({share.count})"),
            icon=":material/grid_on:",
            query_params={"run": run.run_id, "drawn": drawn, "guess": guess},
        )
    if len(shares) > 5:
        rest = ", ".join(f"{share.class_name} ({share.count})" for share in shares[5:])
        st.caption(plain(f"and {rest}"))


def show(runs: list[Run]) -> None:
    """Shows the page of one run, by default beside the other network's best."""
    run_column, other_column, class_column = st.columns([2, 2, 1])
    with run_column:
        run = pick_run("Run", runs, key="run")
    assert run is not None
    others = comparable_runs(run, runs)
    others.sort(key=lambda other: short_name(other) == short_name(run))
    with other_column:
        other = None
        if others:
            other = pick_run("Beside", others, key="beside")
        else:
            st.selectbox(
                "Beside",
                [],
                disabled=True,
                placeholder="No other run of the same test sketches",
            )
    with class_column:
        name = st.selectbox(
            "Class",
            sorted(reads.evaluation(run).class_names),
            index=None,
            key="class",
            bind="query-params",
            placeholder="All",
        )
    st.caption(" · ".join(run_words(shown) for shown in (run, other) if shown))
    if name is None:
        show_all(run, other)
    else:
        show_class(run, other, name)


require_frame()
st.title("Classes")
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()
