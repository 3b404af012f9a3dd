"""How the classes of a run fare, in words."""

from collections.abc import Sequence
from gettext import NullTranslations

from core.analysis.classes import ClassFigures, PairedClass, tally_classes
from core.language import plain
from core.runs.reading import Run


def tally_words(
    run: Run,
    figures: Sequence[ClassFigures],
    other: Run | None,
    pairs: Sequence[PairedClass],
    words: NullTranslations,
) -> str:
    """Says how the classes of a run fare, as Markdown.

    Args:
        run: The run.
        figures: Of each of its classes.
        other: The run beside it, if any.
        pairs: The classes in both.
        words: The sentences of a language.
    """
    _ = words.gettext
    found = tally_classes(figures)
    sentences = [
        _(
            "{run} recognises every sketch of {whole} of {total} classes and fewer "
            "than half of the sketches of {under}."
        )
    ]
    if found.mistakes:
        sentences.append(_("Half of its {mistakes:,} mistakes are in {half} classes."))
    if other is not None:
        sentences.append(
            _("{other} does better in {better} classes and worse in {worse}.")
        )
    return " ".join(sentences).format(
        run=plain(run.run_id),
        other=plain(other.run_id) if other else "",
        whole=found.whole,
        total=found.total,
        under=found.under_half,
        mistakes=found.mistakes,
        half=found.half_of_mistakes,
        better=sum(pair.change > 0 for pair in pairs),
        worse=sum(pair.change < 0 for pair in pairs),
    )
