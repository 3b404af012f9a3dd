"""Trust: how far a run's probabilities can be believed, and which labels can't."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.analysis.calibration import Binning, calibration, reliability
from core.analysis.coverage import (
    TARGETS,
    Answered,
    answers_at_accuracy,
    answers_at_coverage,
    answers_from,
)
from core.analysis.trust import Trust, figures_rows, trust
from core.charts.trust import class_trust_chart, coverage_chart, reliability_chart
from core.language import noop as N_
from core.language import plain, to_csv
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.trust import (
    answered_words,
    certain_words,
    target_words,
    temperature_words,
)
from pages.parts.trust.suspects import show_suspects
from pages.shared import reads
from pages.shared.chart import chart
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import words
from pages.shared.pickers import (
    comparable_runs,
    evaluated_runs,
    no_evaluation_yet,
    other_network_first,
    pick_option,
    pick_run,
    run_words,
)

LEAST = 90
"""Percent; of so sure a guess one would expect much."""
HALF = 0.5
COVERAGES = (0.25, 0.5, 0.75, 0.9, 1.0)

VERDICTS = {
    "over": N_("claims too much"),
    "under": N_("claims too little"),
    "unknown": N_("can't be told"),
}
CLASS = "class"
"""The address's parameter for the class that is told of."""


@st.cache_resource(max_entries=8, show_spinner=False)
def _trusted(_evaluation: Evaluation, identity: str) -> Trust:
    del identity  # The key: Streamlit leaves out names that begin with _.
    return trust(_evaluation)


def trusted(run: Run) -> Trust:
    """Computes how far a run can be trusted, or returns what was found before."""
    return _trusted(reads.evaluation(run), reads.identity(run))


@st.fragment
def show_reliability(runs: Sequence[Run], found: Sequence[Trust]) -> None:
    """Shows whether the runs are right as often as they say."""
    st.subheader(_("Is it right as often as it says?"))
    st.write(temperature_words(runs[0], found[0], words()))
    kinds: dict[Binning, str] = {
        "width": _("of equal width"),
        "mass": _("of equally many sketches"),
    }
    by = pick_option(
        _("Bins"),
        kinds,
        key="bins",
        help=_(
            "Of equal width, bins divide how sure a network is into fifteen equal "
            "parts, some of which hold few sketches. Of equally many sketches, each "
            "says as much as the others."
        ),
    )
    has_temperature = any(one.after.temperature != 1 for one in found)
    stages = [(_("As trained"), "before")]
    if has_temperature:
        stages.append((_("At its temperature"), "after"))
    for column, (title, stage) in zip(
        st.columns(len(stages), gap="medium"), stages, strict=True
    ):
        bins_of = [reliability(getattr(one, stage), by=by) for one in found]
        with column:
            st.markdown(f"**{title}**")
            chart(
                reliability_chart(
                    runs,
                    bins_of,
                    with_counts=by == "width",
                    words=words(),
                ),
                key=f"trust_{stage}",
                alt=_("{title}: {told}").format(
                    title=title,
                    told="; ".join(
                        _(
                            "{run} is {confidence:.0%} sure on average, right "
                            "{accuracy:.0%} of the time, calibration error {ece:.3f}"
                        ).format(
                            run=run.run_id,
                            confidence=getattr(one, stage).mean_confidence,
                            accuracy=getattr(one, stage).accuracy,
                            ece=calibration(getattr(one, stage), by=by).ece,
                        )
                        for run, one in zip(runs, found, strict=True)
                    ),
                ),
                height=400,
                uirevision=by,
            )
    st.caption(
        _(
            "On the dashed line a network is right as often as it says; below it, it "
            "claims too much. Bars are 95 % Wilson intervals of how often it is right."
        )
    )
    rows = figures_rows(
        [(run.run_id, one) for run, one in zip(runs, found, strict=True)], by=by
    )
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Run": _("Run"),
            "Temperature": st.column_config.NumberColumn(
                _("Temperature"), format="%.2f", help=_("1 is the network as trained")
            ),
            "Mean confidence": number_column(_("Sure on average"), "%.1f %%"),
            "Accuracy": number_column(_("Right"), "%.1f %%"),
            **{
                name: st.column_config.NumberColumn(label, format="%.3f", help=told_by)
                for name, label, told_by in (
                    ("ECE", "ECE", _(ECE_HELP)),
                    ("ECE by chance", _("ECE by chance"), _(CHANCE_HELP)),
                    ("MCE", "MCE", _(MCE_HELP)),
                    ("NLL", "NLL", _(NLL_HELP)),
                    ("Brier", "Brier", _(BRIER_HELP)),
                    ("AURC", "AURC", _(AURC_HELP)),
                    ("E-AURC", "E-AURC", _(E_AURC_HELP)),
                )
            },
        },
        key="trust_figures",
        alt=_("Calibration of each run before and after its temperature"),
    )
    with st.container(horizontal=True):
        download_rows(_("Figures as CSV"), rows, "trust", runs)
        download_rows(_("Bins as CSV"), bin_rows(runs, found, by), "trust-bins", runs)


ECE_HELP = N_(
    "Expected calibration error: mean difference of how sure and how right, weighted "
    "by the sketches of each bin (Guo et al. 2017)"
)
CHANCE_HELP = N_(
    "About what the error would be if every claim were true, only because there are "
    "not more sketches"
)
MCE_HELP = N_(
    "Maximum calibration error: the largest difference of a bin; with few sketches in "
    "a bin mostly chance"
)
NLL_HELP = N_("Mean negative log probability of the right class, in nats")
BRIER_HELP = N_(
    "Mean squared error of all probabilities of a sketch, from 0 to 2 (Brier 1950)"
)
AURC_HELP = N_(
    "Area under the curve of error over coverage: its mean error over all shares of "
    "sketches that it may answer (Geifman and El-Yaniv 2017)"
)
E_AURC_HELP = N_(
    "What of AURC is due to being sure of the wrong ones: 0 if all mistakes came last "
    "(Geifman et al. 2019)"
)


def bin_rows(
    runs: Sequence[Run], found: Sequence[Trust], by: Binning
) -> list[dict[str, Any]]:
    """Returns each bin as a table row."""
    return [
        {
            "Run": run.run_id,
            "Temperature": claims.temperature,
            "From": one.low,
            "To": one.high,
            "Sketches": one.n,
            "Mean confidence": one.confidence,
            "Accuracy": one.accuracy,
            "Low": one.accuracy_low,
            "High": one.accuracy_high,
        }
        for run, trusted_run in zip(runs, found, strict=True)
        for claims in (trusted_run.before, trusted_run.after)
        for one in reliability(claims, by=by)
    ]


def show_coverage(
    runs: Sequence[Run], found: Sequence[Trust], chosen: Sequence[Answered]
) -> None:
    """Draws accuracy against the share of sketches that are answered."""
    curves = [one.coverage for one in found]
    figure, thresholds = coverage_chart(runs, curves, chosen, words=words())

    def clicked(point: dict[str, Any]) -> None:
        threshold = thresholds.get(point.get("trace", -1))
        if threshold is not None:
            # Percent, rounded down: what was clicked is to be answered.
            st.session_state["least"] = int(100 * threshold[point["index"]])

    chart(
        figure,
        key="trust_coverage",
        alt=_("Accuracy against the share of sketches answered: {told}").format(
            told="; ".join(
                _(
                    "{run} answers {share:.0%} and is right {accuracy:.0%} of the "
                    "time, all of them {whole:.0%}"
                ).format(
                    run=run.run_id,
                    share=now.share,
                    accuracy=now.accuracy,
                    whole=one.after.accuracy,
                )
                for run, now, one in zip(runs, chosen, found, strict=True)
            )
        ),
        height=400,
        uirevision=" ".join(run.run_id for run in runs),
        on_click=clicked,
    )
    st.caption(
        _(
            "From left to right a network answers more sketches, the surest first; "
            "bands are 95 % Wilson intervals, and dotted is how it would be if it were "
            "surest of what it gets right. The large marks are what is chosen above. "
            "Click a line to choose there."
        )
    )
    rows = coverage_rows(runs, found)
    with st.expander(_("Accuracy and share as a table"), icon=":material/table:"):
        st.dataframe(
            rows,
            hide_index=True,
            column_config={
                "Run": _("Run"),
                "Wanted accuracy": number_column(_("Wanted accuracy"), "%.0f %%"),
                "Wanted share": number_column(_("Wanted share"), "%.0f %%"),
                "Least confidence": number_column(_("At least so sure"), "%.1f %%"),
                "Answered": number_column(_("Sketches"), "localized"),
                "Share": number_column(_("Share"), "%.1f %%"),
                "Accuracy": number_column(_("Right"), "%.1f %%"),
                "Low": number_column(_("95 % from"), "%.1f %%"),
                "High": number_column(_("to"), "%.1f %%"),
            },
            key="trust_targets",
            alt=_("What each run may answer for an accuracy, and at a share"),
        )
        st.caption(
            _(
                "These thresholds are found on the very sketches that they are scored "
                "on; expect slightly less of new ones."
            )
        )
        download_rows(_("Accuracy and share as CSV"), rows, "trust-coverage", runs)


def coverage_rows(runs: Sequence[Run], found: Sequence[Trust]) -> list[dict[str, Any]]:
    """Returns what is answered for accuracies and shares that one may want."""
    rows = []
    for run, one in zip(runs, found, strict=True):
        wanted = [
            ("Wanted accuracy", target, answers_at_accuracy(one.coverage, target))
            for target in TARGETS
        ] + [
            ("Wanted share", share, answers_at_coverage(one.coverage, share))
            for share in COVERAGES
        ]
        for name, value, at in wanted:
            row: dict[str, Any] = {
                "Run": run.run_id,
                "Wanted accuracy": None,
                "Wanted share": None,
            }
            row[name] = 100 * value
            if at is not None:
                row |= {
                    "Least confidence": 100 * at.least,
                    "Answered": at.n,
                    "Share": 100 * at.share,
                    "Accuracy": 100 * at.accuracy,
                    "Low": 100 * at.low,
                    "High": 100 * at.high,
                }
            rows.append(row)
    return rows


def show_classes(runs: Sequence[Run], found: Sequence[Trust]) -> None:
    """Shows of which guesses a run claims too much or too little."""
    st.subheader(_("Guess by guess"))
    figure, names_of = class_trust_chart(
        runs, [one.classes for one in found], words=words()
    )

    def clicked(point: dict[str, Any]) -> None:
        st.query_params[CLASS] = names_of[point["trace"]][point["index"]]

    extremes = [
        f"{one.class_name} {100 * one.gap:+.0f}"
        for one in sorted(found[0].classes, key=lambda one: one.gap)
    ]
    chart(
        figure,
        key="trust_classes",
        alt=_(
            "By how many points {run} claims more than is true when it names each of "
            "{count} classes, with intervals. Lowest: {lowest}. Highest: {highest}."
        ).format(
            run=runs[0].run_id,
            count=len(extremes),
            lowest=", ".join(extremes[:3]),
            highest=", ".join(extremes[-3:]),
        ),
        height=380,
        uirevision=" ".join(run.run_id for run in runs),
        on_click=clicked,
    )
    st.caption(certain_words(runs, found, words()))
    show_class(runs, found)
    rows = class_rows(runs, found)
    with st.expander(_("Classes as a table"), icon=":material/table:"):

        def selected() -> None:
            lines = st.session_state["trust_class_table"].selection.rows
            if lines:
                st.query_params[CLASS] = rows[lines[0]]["Class"]

        st.dataframe(
            [{**row, "Verdict": _(VERDICTS[row["Verdict"]])} for row in rows],
            hide_index=True,
            column_config={
                "Run": _("Run"),
                "Class": _("Class"),
                "Guesses": _("Guesses"),
                "Mean confidence": number_column(_("Sure on average"), "%.0f %%"),
                "Accuracy": number_column(_("Right"), "%.0f %%"),
                "Gap": number_column(_("Difference"), "%+.0f"),
                "Low": number_column(_("95 % from"), "%+.0f"),
                "High": number_column(_("to"), "%+.0f"),
                "p": number_column("p", "%.3f"),
                "Adjusted p": number_column(_("p adjusted"), "%.3f"),
                "Verdict": _("Verdict"),
            },
            on_select=selected,
            selection_mode="single-row",
            key="trust_class_table",
            alt=_(
                "Each class with how sure and how right its guesses are; choose a line "
                "to read of it"
            ),
        )
        download_rows(_("Classes as CSV"), rows, "trust-classes", runs)


def show_class(runs: Sequence[Run], found: Sequence[Trust]) -> None:
    """Says how true the guesses of one class are, if one was chosen."""
    name = st.query_params.get(CLASS)
    sentences = []
    for run, one in zip(runs, found, strict=True):
        told_of = next((c for c in one.classes if c.class_name == name), None)
        if told_of is not None:
            sentences.append(
                _(
                    "When {run} says {name}, it is {confidence:.0%} sure on average "
                    "and right {accuracy:.0%} of {n:,} times: {gap:+.0f} points (95 % "
                    "interval {low:+.0f} to {high:+.0f}; p {p:.2g}, among all classes "
                    "{adjusted:.2g})."
                ).format(
                    run=plain(run.run_id),
                    name=f"**{plain(told_of.class_name)}**",
                    confidence=told_of.confidence,
                    accuracy=told_of.accuracy,
                    n=told_of.n,
                    gap=100 * told_of.gap,
                    low=100 * told_of.gap_low,
                    high=100 * told_of.gap_high,
                    p=told_of.p_value,
                    adjusted=told_of.adjusted_p,
                )
            )
    if name is None or not sentences:
        return
    st.write(" ".join(sentences))
    st.page_link(
        "pages/classes.py",
        label=_("All of {name}").format(name=plain(name)),
        icon=":material/category:",
        query_params={
            "run": runs[0].run_id,
            "class": name,
            **({"beside": runs[1].run_id} if len(runs) > 1 else {}),
        },
    )


def class_rows(runs: Sequence[Run], found: Sequence[Trust]) -> list[dict[str, Any]]:
    """Returns each class of each run as a table row, the least likely by chance first.

    Columns have English names, also in the CSV of every language, for those who read
    it by a program; the table on the page shows them in the visitor's.
    """
    return [
        {
            "Run": run.run_id,
            "Class": one.class_name,
            "Guesses": one.n,
            "Mean confidence": 100 * one.confidence,
            "Accuracy": 100 * one.accuracy,
            "Gap": 100 * one.gap,
            "Low": 100 * one.gap_low,
            "High": 100 * one.gap_high,
            "p": one.p_value,
            "Adjusted p": one.adjusted_p,
            "Verdict": one.verdict,
        }
        for run, trusted_run in zip(runs, found, strict=True)
        for one in sorted(
            trusted_run.classes, key=lambda one: (one.p_value, one.class_name)
        )
    ]


def number_column(label: str, number: str) -> Any:
    """Returns a table's column of numbers in a format."""
    return st.column_config.NumberColumn(label, format=number)


def download_rows(
    label: str, rows: Sequence[dict[str, Any]], name: str, runs: Sequence[Run]
) -> None:
    st.download_button(
        label,
        lambda: to_csv(rows),
        file_name=f"{name}-{'-'.join(run.run_id for run in runs)}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"download_{name}",
    )


@st.fragment
def show_declining(runs: Sequence[Run], found: Sequence[Trust]) -> None:
    """Shows how right the runs are if they may decline to answer."""
    sentences = st.empty()
    st.subheader(_("If it may decline to answer"))
    st.write(target_words(runs, found, words()))
    slider_column, link_column = st.columns([3, 2], vertical_alignment="bottom")
    least = slider_column.slider(
        _("It answers where it is at least so sure, in percent"),
        0,
        99,
        LEAST,
        key="least",
        bind="query-params",
    )
    chosen = [answers_from(one.coverage, least / 100) for one in found]
    sentences.write(answered_words(runs, chosen, words()))
    with link_column:
        for run, now in zip(runs, chosen, strict=True):
            address: dict[str, str | list[str]] = {
                "run": run.run_id,
                "sure": [str(least), "100"],
            }
            for other in runs:
                if other is not run:
                    address["beside"] = other.run_id
            st.page_link(
                "pages/failures.py",
                label=_("{count:,} mistakes of {run} where it is so sure").format(
                    count=now.n - now.right, run=plain(run.run_id)
                ),
                icon=":material/rule:",
                query_params=address,
            )
    show_coverage(runs, found, chosen)


def show_confidence(runs: Sequence[Run]) -> None:
    """Shows how far the probabilities of one run or two can be trusted."""
    found = [trusted(run) for run in runs]
    show_declining(runs, found)
    show_reliability(runs, found)
    show_classes(runs, found)


def show(runs: list[Run]) -> None:
    """Shows the page of one run, by default beside the other network's best."""
    run_column, other_column = st.columns(2)
    with run_column:
        run = pick_run(_("Run"), runs, key="run")
    assert run is not None
    others = other_network_first(run, comparable_runs(run, runs))
    with other_column:
        other = pick_run(_("Beside"), others, key="beside") if others else None
    shown = [run] if other is None else [run, other]
    st.caption(" · ".join(run_words(one) for one in shown))
    view = pick_option(
        _("View"),
        {
            "confidence": _("How sure, how right"),
            "suspects": _("Suspected labels and drawings"),
        },
        key="view",
        show_label=False,
    )
    if view == "suspects":
        show_suspects(shown)
    else:
        show_confidence(shown)


require_frame()
st.title(_("Trust"))
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()
