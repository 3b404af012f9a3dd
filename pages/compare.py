"""Compare: two runs on the same test sketches, which is better and where."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.comparison import (
    OUTCOMES,
    ClassChange,
    Comparison,
    Outcome,
    compare,
    find_sketches,
    gain,
    outcomes,
)
from core.charts.classes import change_chart
from core.language import noop as N_
from core.language import plain, to_csv
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.comparison import (
    NAMED,
    comparison_words,
    confidence_words,
    many_tests_words,
    probability_words,
)
from pages.shared import reads
from pages.shared.chart import chart
from pages.shared.frame import require_frame
from pages.shared.gallery import Tile, gallery
from pages.shared.language import gettext as _
from pages.shared.language import words
from pages.shared.one_sketch import SKETCH, show_sketch
from pages.shared.pickers import (
    column_names,
    comparable_runs,
    evaluated_runs,
    no_evaluation_yet,
    other_network_first,
    pick_option,
    pick_run,
    run_words,
)
from pages.shared.sketches import offer_dataset, sketch_dataset

TABLE_ROWS = 500
"""The file has all."""

SURE_HELP = N_("Mean calibrated probability of its guess, right or wrong")

TITLES: dict[Outcome, str] = {
    "fixed": N_("Fixed"),
    "broken": N_("Newly broken"),
    "both_wrong": N_("Both wrong"),
    "both_right": N_("Both right"),
}
SHOWN: tuple[Outcome, ...] = ("fixed", "broken", "both_wrong")
"""What there is to look at."""


@st.cache_resource(max_entries=8, show_spinner=False)
def _compared(
    _evaluation: Evaluation, _baseline: Evaluation, identity: str
) -> Comparison:
    del identity  # The key: Streamlit leaves out names that begin with _.
    return compare(_evaluation, _baseline)


def compared(evaluation: Evaluation, baseline: Evaluation) -> Comparison:
    """Compares two runs, or returns what was found before.

    Raises:
        RunError: If they were not scored on the same sketches.
    """
    identity = " ".join(
        f"{one.metrics['run_id']} {one.metrics['evaluated_at']}"
        for one in (evaluation, baseline)
    )
    return _compared(evaluation, baseline, identity)


def show_tables(found: Comparison, run: Run, baseline: Run) -> None:
    """Shows how many sketches each run recognises, and how sure both are."""
    paired = found.paired
    first, second = column_names(run, baseline)
    table_column, sure_column = st.columns([2, 3], gap="large")
    with table_column:
        rows = (
            (_("{run} right"), paired.both_right, paired.broken),
            (_("{run} wrong"), paired.fixed, paired.both_wrong),
        )
        told_rows = [
            {
                "baseline": title.format(run=second),
                "right": right,
                "wrong": wrong,
                "all": right + wrong,
            }
            for title, right, wrong in rows
        ]
        told_rows.append(
            {
                "baseline": _("Together"),
                "right": paired.right,
                "wrong": paired.n - paired.right,
                "all": paired.n,
            }
        )
        st.dataframe(
            told_rows,
            hide_index=True,
            column_config={
                "baseline": "",
                "right": st.column_config.NumberColumn(
                    _("{run} right").format(run=first), format="localized"
                ),
                "wrong": st.column_config.NumberColumn(
                    _("{run} wrong").format(run=first), format="localized"
                ),
                "all": st.column_config.NumberColumn(_("Together"), format="localized"),
            },
            key="compare_table",
            alt=_("How many test sketches each of the two runs gets right and wrong"),
        )
    with sure_column:
        st.dataframe(
            [
                {
                    "outcome": _(TITLES[one.outcome]),
                    "count": one.count,
                    "share": 100 * one.share,
                    "sure": None if one.sure is None else 100 * one.sure,
                    "baseline_sure": None
                    if one.baseline_sure is None
                    else 100 * one.baseline_sure,
                }
                for one in found.outcomes
            ],
            hide_index=True,
            column_config={
                "outcome": _("Outcome"),
                "count": st.column_config.NumberColumn(
                    _("Sketches"), format="localized"
                ),
                "share": st.column_config.NumberColumn(_("Share"), format="%.1f %%"),
                "sure": st.column_config.NumberColumn(
                    _("{run} is sure").format(run=first),
                    format="%.0f %%",
                    help=_(SURE_HELP),
                ),
                "baseline_sure": st.column_config.NumberColumn(
                    _("{run} is sure").format(run=second),
                    format="%.0f %%",
                    help=_(SURE_HELP),
                ),
            },
            key="compare_sure",
            alt=_("The sketches of each outcome, and how sure both runs are of them"),
        )
    temperatures = [
        reads.evaluation(one).metrics["temperature"] for one in (run, baseline)
    ]
    st.caption(confidence_words(found, run, baseline, temperatures, words()))


def show_classes(found: Comparison, run: Run, baseline: Run, name: str | None) -> None:
    """Shows the change of each class, and one class that is chosen."""
    figure, names = change_chart(
        found.classes, run, baseline, found=name, words=words()
    )

    def clicked(point: dict[str, Any]) -> None:
        st.session_state["class"] = names[point["index"]]

    st.subheader(_("Class by class"))
    chart(
        figure,
        key="compare_classes",
        alt=_(
            "Change of the accuracy of {count} classes from {baseline} to {run}, with "
            "95 % intervals. First: {first}. Last: {last}."
        ).format(
            count=len(names),
            baseline=baseline.run_id,
            run=run.run_id,
            first=", ".join(names[:NAMED]),
            last=", ".join(names[-NAMED:]),
        ),
        height=380,
        uirevision=f"{run.run_id} {baseline.run_id}",
        on_click=clicked,
    )
    st.caption(many_tests_words(found, run, baseline, words()))
    chosen = next((one for one in found.classes if one.class_name == name), None)
    if chosen is not None:
        show_class(chosen, run, baseline)
    with st.expander(_("Classes as a table"), icon=":material/table:"):
        rows = class_rows(found, run, baseline)

        def selected() -> None:
            lines = st.session_state["compare_class_table"].selection.rows
            if lines:
                st.session_state["class"] = rows[lines[0]]["Class"]

        st.dataframe(
            rows,
            hide_index=True,
            column_config=class_columns(run, baseline),
            on_select=selected,
            selection_mode="single-row",
            key="compare_class_table",
            alt=_("Each class in both runs; choose a line to see its sketches"),
        )
        st.download_button(
            _("Classes as CSV"),
            lambda: to_csv(rows),
            file_name=f"compare-classes-{run.run_id}-{baseline.run_id}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )


def show_class(one: ClassChange, run: Run, baseline: Run) -> None:
    """Says how one class fares in both runs."""
    paired = one.paired
    st.write(
        _(
            "**{name}**: {run} recognises {right} of {n}, {baseline} {baseline_right}; "
            "{fixed} fixed, {broken} newly broken. That is {points:+.0f} points (95 % "
            "interval {low:+.0f} to {high:+.0f}); McNemar's test has p {p} by itself, "
            "p {holm} among those of all classes."
        ).format(
            name=plain(one.class_name),
            run=plain(run.run_id),
            baseline=plain(baseline.run_id),
            right=paired.right,
            baseline_right=paired.baseline_right,
            n=paired.n,
            fixed=paired.fixed,
            broken=paired.broken,
            points=100 * paired.change,
            low=100 * paired.low,
            high=100 * paired.high,
            p=plain(probability_words(paired.p_value)),
            holm=plain(probability_words(one.adjusted_p)),
        )
    )
    st.page_link(
        "pages/classes.py",
        label=_("All of {name}").format(name=plain(one.class_name)),
        icon=":material/category:",
        query_params={
            "run": run.run_id,
            "beside": baseline.run_id,
            "class": one.class_name,
        },
    )


def class_rows(found: Comparison, run: Run, baseline: Run) -> list[dict[str, Any]]:
    """Returns every class as a table row, the most gained first.

    Columns have English names, also in the CSV of every language, for those who read
    it by a program; the table on the page shows them in the visitor's.
    """
    return [
        {
            "Class": one.class_name,
            "Sketches": one.paired.n,
            run.run_id: 100 * one.paired.right / one.paired.n,
            baseline.run_id: 100 * one.paired.baseline_right / one.paired.n,
            "Fixed": one.paired.fixed,
            "Newly broken": one.paired.broken,
            "Change": 100 * one.paired.change,
            "Low": 100 * one.paired.low,
            "High": 100 * one.paired.high,
            "p": one.paired.p_value,
            "p, Holm": one.adjusted_p,
        }
        for one in sorted(
            found.classes, key=lambda one: (-one.paired.change, one.class_name)
        )
    ]


def class_columns(run: Run, baseline: Run) -> dict[str, Any]:
    """Returns what the columns of the table of classes are called."""
    points = {
        "Change": _("Change"),
        "Low": _("at least"),
        "High": _("at most"),
    }
    return {
        "Class": _("Class"),
        "Sketches": _("Sketches"),
        "Fixed": _("Fixed"),
        "Newly broken": _("Newly broken"),
        **{
            one.run_id: st.column_config.NumberColumn(one.run_id, format="%.0f %%")
            for one in (run, baseline)
        },
        **{
            name: st.column_config.NumberColumn(label, format=_("%+.0f points"))
            for name, label in points.items()
        },
        "p": st.column_config.NumberColumn("p", format="%.2g"),
        "p, Holm": st.column_config.NumberColumn(_("p, Holm"), format="%.2g"),
    }


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


def pick_two(runs: list[Run]) -> tuple[Run, Run | None, str | None]:
    """Lets one choose a run, what it is compared with, and a class if one likes.

    Says so where the address asks for what can't be compared.
    """
    run_column, other_column, class_column, swap_column = st.columns(
        [4, 4, 3, 2], vertical_alignment="bottom"
    )
    with run_column:
        run = pick_run(_("Run"), runs, key="run")
    assert run is not None
    asked = st.query_params.get("beside")
    others = other_network_first(run, comparable_runs(run, runs))
    if not others:
        return run, None, None
    with other_column:
        other = pick_run(_("Compared with"), others, key="beside")
    assert other is not None
    with class_column:
        name = st.selectbox(
            _("Class"),
            sorted(reads.evaluation(run).class_names),
            index=None,
            key="class",
            bind="query-params",
            placeholder=_("All"),
        )

    def swap() -> None:
        st.session_state["run"] = other.run_id
        st.session_state["beside"] = run.run_id

    swap_column.button(
        _("Swap"), icon=":material/swap_horiz:", on_click=swap, key="compare_swap"
    )
    if asked and asked != other.run_id:
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
        elif asked in {one.run_id for one in reads.runs()}:
            sentence = _(
                "{asked} was not scored on the same test sketches as {run}; {other} is "
                "shown instead."
            )
        else:
            sentence = _("There is no run {asked}; {other} is shown instead.")
        st.warning(sentence.format(**told_values))
    return run, other, name


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
    st.caption(" · ".join(run_words(one) for one in (run, baseline)))
    evaluation, before = reads.evaluation(run), reads.evaluation(baseline)
    found = compared(evaluation, before)
    told_gain = gain(found.classes, limit=NAMED)
    st.write(comparison_words(found, told_gain, run, baseline, words()))
    asked = st.query_params.get(SKETCH)
    is_open = asked in evaluation.ids
    if not is_open:
        show_tables(found, run, baseline)
        show_classes(found, run, baseline, name)
        st.subheader(_("Sketch by sketch"))
        if asked is not None:
            st.warning(_("This run has no test sketch of that name."))
    outcome = pick_outcome(found, name)
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
