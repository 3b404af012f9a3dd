"""How the classes of a run fare, in words."""

from collections.abc import Sequence
from gettext import NullTranslations

from core.analysis.classes import ClassMetrics, PairedClass, tally_classes
from core.language import phrase, plain
from core.runs.reading import Run


def tally_words(
    run: Run,
    class_metrics: Sequence[ClassMetrics],
    other: Run | None,
    pairs: Sequence[PairedClass],
    words: NullTranslations,
) -> str:
    """Says how the classes of a run fare, as Markdown.

    Args:
        run: The run.
        class_metrics: Of each of its classes.
        other: The run beside it, if any.
        pairs: The classes in both.
        words: The sentences of a language.
    """
    _ = words.gettext
    tally = tally_classes(class_metrics)
    sentences = [
        _(
            "{run} recognises every sketch of {whole} of {total} classes and fewer "
            "than half of the sketches of {under}."
        )
    ]
    if tally.mistakes:
        sentences.append(_("Half of its {mistakes:,} mistakes are in {half} classes."))
    if other is not None:
        sentences.append(
            _("{other} does better in {better} classes and worse in {worse}.")
        )
    return phrase(" ".join(sentences), words).format(
        run=plain(run.run_id),
        other=plain(other.run_id) if other else "",
        whole=tally.whole,
        total=tally.total,
        under=tally.under_half,
        mistakes=tally.mistakes,
        half=tally.half_of_mistakes,
        better=sum(pair.change > 0 for pair in pairs),
        worse=sum(pair.change < 0 for pair in pairs),
    )
