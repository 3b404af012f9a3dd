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
    sentences = []

    def tell(template: str, **values: object) -> None:
        sentences.append(phrase(template, words).format(**values))

    if advice.few is not None:
        count, median = advice.few
        tell(
            _(
                "**Draw more.** It has {count:,} training sketches; half of the "
                "classes have {median:,.0f} or more."
            ),
            count=count,
            median=median,
        )
    if advice.suspects is not None:
        doubted, count = advice.suspects
        tell(
            _(
                "**Look through its training sketches.** Of {count:,}, {doubted:,} "
                "have a suspect label."
            ),
            count=count,
            doubted=doubted,
        )
    if advice.merged is not None:
        merged = advice.merged
        tell(
            _(
                "**Count it and {other} as one, if the difference doesn't matter.** "
                "{taken:,} of its {mistakes:,} mistakes are taken for {other}. Of the "
                "test sketches of both, {apart:.0%} are recognised; as one class it "
                "would be {together:.0%} (95 % interval {interval})."
            ),
            taken=merged.mistakes,
            mistakes=advice.mistakes,
            other=plain(class_word(merged.partner, words)),
            apart=merged.apart,
            together=merged.together,
            interval=plain(span(merged.low, merged.high, words)),
        )
    if advice.alike is not None:
        other, share = advice.alike
        tell(
            _(
                "**Draw what tells it from {other}.** Of the {k} training sketches "
                "nearest to each of its own, {share:.0%} are of {other}: to this "
                "network the two look alike."
            ),
            k=NEIGHBOURS,
            share=share,
            other=plain(class_word(other, words)),
        )
    if advice.confidence is not None:
        tell(
            _(
                "**Vary.** The network's confidence in its sketches, {confidence:.0%} "
                "on average, is about right, only low: it knows that it can't tell. "
                "Drawings of {name} that differ from these may help more than more of "
                "the same."
            ),
            confidence=advice.confidence,
            name=plain(class_word(metrics.class_name, words)),
        )
    return sentences or [
        _("Nothing stands out of what can be measured: look at its mistakes below.")
    ]
