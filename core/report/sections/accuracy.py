"""The section on accuracy over all test sketches."""

from collections.abc import Callable
from gettext import NullTranslations

from core.analysis.metrics import ECE_BINS
from core.analysis.overview import REFERENCES
from core.analysis.statistics import wilson_interval
from core.report import sentences
from core.report.blocks import Block, Column, Paragraph, Table
from core.report.contents import Contents
from core.report.sections.shared import UNKNOWN, run_columns
from core.sentences.numbers import isolated, percent, span


def totals(contents: Contents, words: NullTranslations) -> list[Block]:
    """The figures of all test sketches, and whether two runs differ."""
    _ = words.gettext
    blocks: list[Block] = [
        Table(
            caption=_("Figures of all {total:,} test sketches.").format(
                total=contents.total
            ),
            columns=(Column(""), *run_columns(contents)),
            rows=total_rows(contents, words),
            note=" ".join(
                [
                    _(
                        "In brackets: 95 % Wilson intervals. The calibration error is "
                        "the mean gap between how sure a network is and how often it "
                        "is right, in {bins} bins; the temperature that mends it was "
                        "fitted on validation."
                    ).format(bins=ECE_BINS),
                    *borrowed_temperatures(contents, words),
                ]
            ),
        )
    ]
    if contents.agreement is not None:
        blocks += [
            Paragraph(sentences.differ(contents, words)),
            agreement_table(contents, words),
        ]
    if contents.is_tu_berlin:
        known = "; ".join(
            f"{_(name)} {percent(top1, digits=1)}" for name, top1 in REFERENCES.items()
        )
        blocks.append(
            Paragraph(
                _(
                    "To compare, top-1 accuracy of others on TU-Berlin sketches, in "
                    "other splits: {figures}."
                ).format(figures=known)
            )
        )
    return blocks


def borrowed_temperatures(contents: Contents, words: NullTranslations) -> list[str]:
    """Says of each run whose temperature it has, if it fitted none of its own."""
    _ = words.gettext
    sentences = []
    for results in contents.results:
        metrics = results.evaluation.metrics
        if "temperature_from" not in metrics:
            continue
        source = metrics["temperature_from"]
        sentence = (
            _("{run} held nothing out to fit one on.")
            if source is None
            else _("{run} held nothing out and has that of {source}.")
        )
        sentences.append(
            sentence.format(run=isolated(results.run_id), source=isolated(str(source)))
        )
    return sentences


def total_rows(contents: Contents, words: NullTranslations) -> list[tuple[str, ...]]:
    """Returns a row a metric; what a run lacks is a dash."""
    _ = words.gettext
    n = contents.total

    def with_interval(share: float) -> str:
        interval = wilson_interval(round(share * n), n)
        return f"{percent(share, digits=1)} ({span(*interval, digits=1)})"

    formats: list[tuple[str, str, Callable[[float], str]]] = [
        (_("Top-1 accuracy"), "top1", with_interval),
        (_("Top-5 accuracy"), "top5", with_interval),
        (
            _("Top-1 accuracy, averaged with the mirror image"),
            "top1_flip_averaged",
            with_interval,
        ),
        (
            _("Top-1 accuracy, averaged over six views"),
            "top1_six_view_averaged",
            with_interval,
        ),
        (_("Cross-entropy in nats"), "loss", "{:.3f}".format),
        (_("Calibration error"), "ece", "{:.3f}".format),
        (_("Temperature"), "temperature", "{:.2f}".format),
        (_("Cross-entropy at that temperature"), "loss_calibrated", "{:.3f}".format),
        (_("Calibration error at that temperature"), "ece_calibrated", "{:.3f}".format),
    ]
    rows = []
    for title, name, tell in formats:
        values = [results.evaluation.metrics.get(name) for results in contents.results]
        if any(value is not None for value in values):
            rows.append((title, *(UNKNOWN if v is None else tell(v) for v in values)))
    return rows


def agreement_table(contents: Contents, words: NullTranslations) -> Table:
    """Counts on how many sketches one, both or none of two runs is right."""
    _ = words.gettext
    agreement = contents.agreement
    assert agreement is not None
    first, second = (isolated(results.run_id) for results in contents.results)
    counts = (
        (agreement.both_right, agreement.only_first),
        (agreement.only_second, agreement.both_wrong),
    )
    return Table(
        caption=_("On how many sketches each run is right."),
        columns=(
            Column(""),
            Column(_("{run} right").format(run=first), "number"),
            Column(_("{run} wrong").format(run=first), "number"),
        ),
        rows=[
            (
                _("{run} right").format(run=second),
                f"{counts[0][0]:,}",
                f"{counts[1][0]:,}",
            ),
            (
                _("{run} wrong").format(run=second),
                f"{counts[0][1]:,}",
                f"{counts[1][1]:,}",
            ),
        ],
    )
