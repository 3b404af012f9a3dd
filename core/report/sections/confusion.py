"""The section on what is taken for what."""

from gettext import NullTranslations

import numpy as np

from core.analysis.confusions import most_confused_classes, top_confusions
from core.charts.matrix import matrix_heatmap
from core.language import class_word
from core.report import sentences
from core.report.blocks import Block, Chart, Column, Paragraph, Subheading, Table
from core.report.contents import Contents, Results
from core.sentences.numbers import isolated, percent

TOP_CONFUSIONS = 15
SUBMATRIX_CLASSES = 15


def confusion(contents: Contents, words: NullTranslations) -> list[Block]:
    """The confusion matrix of each run, whole and of its top confusions."""
    _ = words.gettext
    blocks: list[Block] = []
    for results in contents.results:
        run = isolated(results.run_id)
        if len(contents.results) > 1:
            blocks.append(Subheading(run))
        pairs = top_confusions(results.evaluation.confusion, limit=TOP_CONFUSIONS)
        if sentence := sentences.confuses(results, words):
            blocks.append(Paragraph(sentence))
        blocks.append(full_matrix(contents, results, words))
        if not pairs:
            blocks.append(
                Paragraph(
                    _("Every test sketch is recognised; there is nothing to confuse.")
                )
            )
            continue
        blocks.append(small_matrix(contents, results, words))
        names = results.evaluation.class_names
        blocks.append(
            Table(
                caption=_("The most frequent confusions of {run}.").format(run=run),
                columns=(
                    Column(_("Drawn")),
                    Column(_("Taken for")),
                    Column(_("Sketches"), "number"),
                    Column(_("Share"), "number"),
                ),
                rows=[
                    (
                        class_word(names[pair.true], words),
                        class_word(names[pair.predicted], words),
                        _("{done} of {total}").format(done=pair.count, total=pair.n),
                        percent(pair.count / pair.n, words),
                    )
                    for pair in pairs
                ],
            )
        )
    return blocks


def full_matrix(contents: Contents, results: Results, words: NullTranslations) -> Chart:
    """Draws the whole confusion matrix, classes in one order for all runs."""
    _ = words.gettext
    order = list(contents.similarity)
    counts = results.evaluation.confusion[np.ix_(order, order)]
    names = [contents.class_names[label] for label in order]
    return Chart(
        matrix_heatmap(counts.astype(float), counts, names, log=True, words=words),
        alt=_("Confusion matrix of all {count} classes: {pairs}").format(
            count=len(names), pairs=sentences.confuses(results, words)
        ),
        caption=_(
            "Confusion matrix of {run}: what was drawn downwards, what it was taken "
            "for across. Colour counts sketches, on a logarithmic scale. Classes that "
            "{ordered_by} takes for each other stand side by side, so that families "
            "show as blocks. Drag over an area to zoom in, double-click to see all "
            "again."
        ).format(
            run=isolated(results.run_id),
            ordered_by=isolated(contents.results[0].run_id),
        ),
        shape="square",
    )


def small_matrix(
    contents: Contents, results: Results, words: NullTranslations
) -> Chart:
    """Draws the part of the confusion matrix that holds the top confusions."""
    _ = words.gettext
    matrix = results.evaluation.confusion
    chosen = most_confused_classes(matrix, limit=SUBMATRIX_CLASSES)
    order = [label for label in contents.similarity if label in chosen]
    small = matrix[np.ix_(order, order)]
    drawn = int(matrix[order].sum())
    return Chart(
        matrix_heatmap(
            small.astype(float),
            small,
            [contents.class_names[label] for label in order],
            write_counts=True,
            words=words,
        ),
        alt=_(
            "Confusion matrix of the {count} classes of the top confusions: {pairs}"
        ).format(count=len(order), pairs=sentences.confuses(results, words)),
        caption=_(
            "The {count} classes of the most frequent confusions of {run}. Not shown: "
            "{hidden} of their {drawn} sketches, taken for other classes."
        ).format(
            count=len(order),
            run=isolated(results.run_id),
            hidden=drawn - int(small.sum()),
            drawn=drawn,
        ),
        shape="medium",
    )
