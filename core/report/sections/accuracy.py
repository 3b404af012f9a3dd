"""The section on accuracy over all test sketches."""

from gettext import NullTranslations

from core.analysis.metrics import ECE_BINS
from core.analysis.overview import REFERENCES
from core.language import number
from core.report import sentences
from core.report.blocks import Block, Column, Paragraph, Table
from core.report.contents import Contents
from core.report.sections.shared import run_columns
from core.sentences.metrics import metric_rows
from core.sentences.numbers import isolated, percent


def totals(contents: Contents, words: NullTranslations) -> list[Block]:
    """The metrics of all test sketches, and whether two runs differ."""
    _ = words.gettext
    blocks: list[Block] = [
        Table(
            caption=_("Metrics of all {total:,} test sketches.").format(
                total=contents.total
            ),
            columns=(Column(""), *run_columns(contents)),
            rows=metric_rows(
                [results.evaluation.metrics for results in contents.results], words
            ),
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
            f"{_(name)} {percent(top1, words, digits=1)}"
            for name, top1 in REFERENCES.items()
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
                number(counts[0][0], ",", words),
                number(counts[1][0], ",", words),
            ),
            (
                _("{run} wrong").format(run=second),
                number(counts[0][1], ",", words),
                number(counts[1][1], ",", words),
            ),
        ],
    )
