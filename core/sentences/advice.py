"""What would help a class, in words."""

from gettext import NullTranslations

from core.analysis.advice import NEIGHBOURS, Advice
from core.analysis.classes import ClassMetrics
from core.language import class_word, phrase, plain
from core.sentences.numbers import span


def advice_words(
    advice: Advice, metrics: ClassMetrics, words: NullTranslations
) -> list[str]:
    """Says what was measured of a class, and what to do, a sentence each, as Markdown.

    Args:
        advice: What was measured.
        metrics: The class's.
        words: The sentences of a language.
    """
    _ = words.gettext
    name = plain(class_word(metrics.class_name, words))
    sentences = []
    if advice.few is not None:
        count, median = advice.few
        template = _(
            "**Draw more.** It has {count:,} training sketches; half of the classes "
            "have {median:,.0f} or more."
        )
        told = phrase(template, words)
        sentences.append(told.format(count=count, median=median))
    if advice.suspects is not None:
        doubted, count = advice.suspects
        template = _(
            "**Look through its training sketches.** Of {count:,}, {doubted:,} have a "
            "suspect label."
        )
        told = phrase(template, words)
        sentences.append(told.format(count=count, doubted=doubted))
    if advice.merged is not None:
        merged = advice.merged
        template = _(
            "**Count it and {other} as one, if the difference doesn't matter.** "
            "{taken:,} of its {mistakes:,} mistakes are taken for {other}. Of the test "
            "sketches of both, {apart:.0%} are recognised; as one class it would be "
            "{together:.0%} (95 % interval {interval})."
        )
        told = phrase(template, words)
        sentences.append(
            told.format(
                taken=merged.mistakes,
                mistakes=advice.mistakes,
                other=plain(class_word(merged.partner, words)),
                apart=merged.apart,
                together=merged.together,
                interval=plain(span(merged.low, merged.high, words)),
            )
        )
    if advice.alike is not None:
        other, share = advice.alike
        template = _(
            "**Draw what tells it from {other}.** Of the {k} training sketches nearest "
            "to each of its own, {share:.0%} are of {other}: to this network the two "
            "look alike."
        )
        told = phrase(template, words)
        shown = plain(class_word(other, words))
        sentences.append(told.format(k=NEIGHBOURS, share=share, other=shown))
    if advice.confidence is not None:
        template = _(
            "**Vary.** The network's confidence in its sketches, {confidence:.0%} on "
            "average, is about right, only low: it knows that it can't tell. "
            "Drawings of {name} that differ from these may help more than more of the "
            "same."
        )
        told = phrase(template, words)
        sentences.append(told.format(confidence=advice.confidence, name=name))
    return sentences or [
        _("Nothing stands out of what can be measured: look at its mistakes below.")
    ]
