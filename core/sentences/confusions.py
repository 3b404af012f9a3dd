"""What is taken for what, and what a matrix shows of it, in words."""

from gettext import NullTranslations

import numpy as np

from core.analysis.confusions import ClassOrder, Confusion
from core.language import class_word
from core.runs.evaluation import Evaluation


def matrix_words(
    evaluation: Evaluation,
    words: NullTranslations,
    *,
    hide: bool,
    difference: bool,
    by: ClassOrder,
) -> str:
    """Says what the picture shows and what it hides."""
    _ = words.gettext
    matrix = evaluation.confusion
    right = int(np.trace(matrix))
    sentences = [
        {
            "similarity": _(
                "Classes that are taken for each other stand side by side, so that "
                "families show as blocks."
            ),
            "accuracy": _("The worst recognised classes come first."),
            "name": _("Classes are in the order of their names."),
        }[by]
    ]
    if difference:
        sentences.append(
            _(
                "Each cell: sketches in the first run less those in the second. On the "
                "diagonal more is better, elsewhere less."
            )
        )
    if hide and difference:
        sentences.append(
            _("The diagonal, the change in recognised sketches, is hidden.")
        )
    elif hide:
        sentences.append(
            _(
                "The diagonal is hidden: {right:,} of {total:,} sketches, those "
                "recognised."
            ).format(right=right, total=int(matrix.sum()))
        )
    sentences.append(
        _("Where names don't fit, some are left out; drag over an area to zoom in.")
    )
    return " ".join(sentences)


def confusions_words(
    names: tuple[str, ...], pairs: list[Confusion], words: NullTranslations
) -> str:
    """Returns confusions as a sentence."""
    ngettext = words.ngettext
    sentences = [
        ngettext(
            "{drawn} is taken for {guess} {count} time of {n}",
            "{drawn} is taken for {guess} {count} times of {n}",
            pair.count,
        ).format(
            drawn=class_word(names[pair.true], words),
            guess=class_word(names[pair.predicted], words),
            count=pair.count,
            n=pair.n,
        )
        for pair in pairs
    ]
    return "; ".join(sentences) + "."
