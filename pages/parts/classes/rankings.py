"""The classes of a run in tables and a chart: best, worst and all."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import streamlit as st

from core.analysis.classes import (
    PairedClass,
    common_classes,
    pair_classes,
    rank_classes,
)
from core.charts.classes import accuracy_chart
from core.charts.theme import network_colour
from core.language import noop as N_
from core.language import plain
from core.runs.reading import Run
from core.sentences.numbers import accuracy_words
from pages.parts.classes.strips import show_strips
from pages.shared.attribution import show_attribution
from pages.shared.chart import chart
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, thing, words
from pages.shared.pickers import column_names, short_name
from pages.shared.sets import Part
from pages.shared.sketches import offer_dataset, sketch_dataset
from pages.shared.tables import download_csv, in_words, open_table

TOP = 10
SHARES = (N_("Accuracy"), N_("Precision"), N_("F1"))
"""Columns in percent whose names aren't those of runs."""


def class_table(
    rows: Sequence[dict[str, Any]], colours: Mapping[str, str], key: str
) -> None:
    """Shows a table whose rows open their class.

    Args:
        rows: The table.
        colours: Of the bars, by the column's name.
        key: The widget's key.
    """

    def opened(number: int) -> None:
        st.session_state["class"] = str(rows[number]["Class"])

    open_table(
        in_words(rows, "Class"),
        opened,
        key=key,
        column_config={
            "Class": _("Class"),
            "Sketches": _("Sketches"),
            "95 % interval": _("95 % interval"),
        }
        | {
            name: st.column_config.ProgressColumn(
                _(name) if name in SHARES else name,
                format="%.0f %%",
                min_value=0,
                max_value=100,
                width="small",
                color=colours.get(name),
            )
            for name in (rows[0] if rows else {})
            if rows and isinstance(rows[0][name], float) and name != "Change"
        }
        | {
            "Change": st.column_config.NumberColumn(
                _("Change"), format=_("%+.0f points")
            )
        },
        alt=_(
            "{count} classes with their accuracy; choose a line to open its class"
        ).format(count=len(rows)),
    )


def show_rankings(run: Run, name: str, part: Part) -> None:
    """Shows the ten best and the ten worst classes of a run, side by side."""
    tried = [metrics for metrics in part.class_metrics(run) if metrics.n]
    if not tried:
        return
    if len({metrics.recall for metrics in tried}) == 1:
        st.write(
            _(
                "All {count} classes have the same accuracy, {share:.0%}: none is best "
                "or worst."
            ).format(count=len(tried), share=tried[0].recall)
        )
        show_ranking(run, name, part, worst=False)
        return
    for column, heading, worst in zip(
        st.columns(2, gap="medium"),
        (_("**Ten best**"), _("**Ten worst**")),
        (False, True),
        strict=True,
    ):
        with column:
            st.markdown(heading)
            show_ranking(run, name, part, worst=worst)


def show_ranking(run: Run, name: str, part: Part, *, worst: bool) -> None:
    """Shows the ten best or worst classes of a run."""
    ranking = rank_classes(part.class_metrics(run), limit=TOP, worst=worst)
    show_strips(
        [(metrics,) for metrics in ranking.class_metrics],
        [(run, name)],
        part,
        key=f"classes_{'worst' if worst else 'best'}_{run.run_id}",
    )
    if ranking.tied:
        more = len(ranking.tied)
        st.caption(
            ngettext(
                "{count} more with the same accuracy as the last: {names}",
                "{count} more with the same accuracy as the last: {names}",
                more,
            ).format(count=more, names=plain(", ".join(map(thing, ranking.tied))))
        )


def show_common(
    runs: Sequence[tuple[Run, str]],
    pairs: Sequence[PairedClass],
    which: Literal["hard", "easy"],
    part: Part,
) -> None:
    """Shows the classes that are hard, or easy, for both runs."""
    common = common_classes(pairs, limit=TOP, which=which)
    show_strips(
        [(pair.first, pair.second) for pair in common],
        runs,
        part,
        key=f"classes_{which}",
    )


def show_pictures(run: Run, other: Run | None, part: Part) -> None:
    """Shows the best and worst classes of one run or two with example sketches."""
    runs = [run] if other is None else [run, other]
    titles = column_names(run, other) if other else (short_name(run),)
    named = list(zip(runs, titles, strict=True))
    dataset = sketch_dataset(run)
    if dataset is None:
        offer_dataset(run)
    for shown, title in named:
        st.subheader(_("{run}: best and worst classes").format(run=plain(title)))
        show_rankings(shown, title, part)
    if other is not None:
        pairs = pair_classes(part.class_metrics(run), part.class_metrics(other))
        st.subheader(_("In both runs"))
        hard, easy = st.columns(2, gap="medium")
        with hard:
            st.markdown(_("**Hard for both**"))
            show_common(named, pairs, "hard", part)
        with easy:
            st.markdown(_("**Easy for both**"))
            show_common(named, pairs, "easy", part)
    if dataset is not None:
        show_attribution(dataset)


def show_all(run: Run, other: Run | None, part: Part) -> None:
    """Shows all classes of one run or two, as a chart and a table."""
    st.subheader(_("All classes"))
    runs = [run] if other is None else [run, other]
    figure, names = accuracy_chart(
        runs, [part.class_metrics(shown) for shown in runs], words=words()
    )
    per_class = np.mean(
        [
            class_metrics.n
            for class_metrics in part.class_metrics(run)
            if class_metrics.n
        ]
    )

    def clicked(point: dict[str, Any]) -> None:
        st.session_state["class"] = names[point["index"]]

    worst, best = map(thing, names[:3]), map(thing, names[-3:])
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
            "in a ranking can hardly ever be told apart. Click a point or a line of a "
            "table to open its class."
        ).format(run=plain(run.run_id), per_class=per_class)
    )
    rows = all_rows(run, other, part)
    colours = dict.fromkeys(SHARES, network_colour(run))
    if other is not None:
        names_of_runs = column_names(run, other)
        colours = dict(zip(names_of_runs, map(network_colour, runs), strict=True))
    class_table(rows, colours, "classes_all")
    download_csv(_("Classes as CSV"), rows, "classes", run)


def all_rows(run: Run, other: Run | None, part: Part) -> list[dict[str, Any]]:
    """Returns every class as a table row.

    Columns have English names, also in the CSV of every language, for those who read
    it by a program; the table on the page shows them in the visitor's.
    """
    if other is None:
        return [
            {
                "Class": class_metrics.class_name,
                "Sketches": class_metrics.n,
                "Accuracy": 100 * class_metrics.recall if class_metrics.n else None,
                "95 % interval": accuracy_words(class_metrics, words())
                if class_metrics.n
                else None,
                "Precision": 100 * class_metrics.precision if class_metrics.n else None,
                "F1": 100 * class_metrics.f1 if class_metrics.n else None,
            }
            for class_metrics in sorted(
                part.class_metrics(run), key=lambda f: f.class_name
            )
            if class_metrics.n or part.rows is None
        ]
    first, second = column_names(run, other)
    return [
        {
            "Class": pair.first.class_name,
            "Sketches": pair.first.n,
            first: 100 * pair.first.recall,
            f"{first}, 95 %": accuracy_words(pair.first, words()),
            second: 100 * pair.second.recall,
            f"{second}, 95 %": accuracy_words(pair.second, words()),
            "Change": -100 * pair.change,
        }
        for pair in sorted(
            pair_classes(part.class_metrics(run), part.class_metrics(other)),
            key=lambda pair: pair.first.class_name,
        )
    ]
