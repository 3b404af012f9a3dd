"""How far a run's probabilities can be trusted, in words."""

from collections.abc import Sequence
from gettext import NullTranslations

from core.analysis.calibration import calibration
from core.analysis.coverage import Answered, answers_at_accuracy
from core.analysis.trust import LEVEL, ClassTrust, Trust
from core.language import class_word, phrase, plain
from core.runs.reading import Run
from core.sentences.numbers import interval_words, listed

TOLD_TARGET = 0.95
NAMED = 5
NOTABLE_GAP = 0.02
"""Smaller differences of confidence and accuracy are not worth a word."""


def answered_words(
    runs: Sequence[Run], chosen: Sequence[Answered], words: NullTranslations
) -> str:
    """Says how right the runs are where they are sure, as Markdown."""
    _ = words.gettext
    sentences = []
    for number, (run, now) in enumerate(zip(runs, chosen, strict=True)):
        if not now.n:
            sentence = _("{run} is never as sure as {least:.0%}.")
        elif number == 0:
            sentence = _(
                "When {run} is at least {least:.0%} sure it is **right "
                "{accuracy:.0%} of the time** (95 % interval {interval}), and that is "
                "so for {share:.0%} of the sketches."
            )
        else:
            sentence = _(
                "{run} is then right {accuracy:.0%} of the time ({interval}), "
                "for {share:.0%} of the sketches."
            )
        sentences.append(
            sentence.format(
                run=plain(run.run_id),
                least=now.least,
                accuracy=now.accuracy,
                interval=interval_words(now, words),
                share=now.share,
            )
        )
    return " ".join(sentences)


def temperature_words(run: Run, trust: Trust, words: NullTranslations) -> str:
    """Says how confident a run is on average, and what its temperature does to it."""
    _ = words.gettext
    before, after = trust.before, trust.after
    excess = before.mean_confidence - before.accuracy
    if excess > NOTABLE_GAP:
        sentence = _(
            "As trained {run} is overconfident: it is {confidence:.0%} sure on average "
            "and right {accuracy:.0%} of the time."
        )
    elif excess < -NOTABLE_GAP:
        sentence = _(
            "As trained {run} is underconfident: it is {confidence:.0%} sure on "
            "average and right {accuracy:.0%} of the time."
        )
    else:
        sentence = _(
            "As trained {run} is {confidence:.0%} sure on average and right "
            "{accuracy:.0%} of the time."
        )
    sentences = [sentence]
    source = (run.metrics or {}).get("temperature_from")
    if before.temperature != after.temperature:
        sentences.append(
            _(
                "Its temperature of {temperature:.2f}, fitted on validation sketches, "
                "brings the calibration error from {ece:.3f} to {after:.3f}; chance "
                "alone would leave about {chance:.3f}."
            )
            if source is None
            else _(
                "The temperature of {temperature:.2f}, which it has from {source}, "
                "brings the calibration error from {ece:.3f} to {after:.3f}; chance "
                "alone would leave about {chance:.3f}."
            )
        )
    summed = calibration(after)
    return phrase(" ".join(sentences), words).format(
        run=plain(run.run_id),
        confidence=before.mean_confidence,
        accuracy=before.accuracy,
        temperature=after.temperature,
        source=plain(str(source)),
        ece=calibration(before).ece,
        after=summed.ece,
        chance=summed.ece_by_chance,
    )


def target_words(
    runs: Sequence[Run], trusts: Sequence[Trust], words: NullTranslations
) -> str:
    """Says how much the runs may answer to reach an accuracy.

    The threshold that does it is found on the test sketches, which is said.
    """
    _ = words.gettext
    sentences = []
    for number, (run, trust) in enumerate(zip(runs, trusts, strict=True)):
        at = answers_at_accuracy(trust.coverage, TOLD_TARGET)
        if at is None:
            sentence = _(
                "{run} can't choose so that it is right {target:.0%} of the time."
            )
        elif number == 0:
            sentence = _(
                "To be right {target:.0%} of the time, {run} may answer {share:.0%} of "
                "the sketches."
            )
        else:
            sentence = _("For the same, {run} may answer {share:.0%}.")
        sentences.append(
            sentence.format(
                run=plain(run.run_id),
                target=TOLD_TARGET,
                share=at.share if at else 0,
            )
        )
    sentences.append(
        _(
            "The confidence that this takes was chosen on the very test sketches that "
            "it is counted on; of new sketches expect slightly less."
        )
    )
    return " ".join(sentences)


def class_words(
    runs: Sequence[Run], trusts: Sequence[Trust], words: NullTranslations
) -> str:
    """Says how to read the chart, and which guesses are found to be off."""
    _ = words.gettext
    sentences = [
        _(
            "Each point is a class that a network names, at its temperature: how sure "
            "it is of these guesses less how often they are right. Bars are 95 % "
            "Wilson intervals."
        )
    ]
    sentences.append(
        _(
            "Of many tests some come out by chance. Filled are the classes found to be "
            "off with a false discovery rate of {level:.0%} (Benjamini and Hochberg "
            "1995): on average at most so many of those found are not."
        ).format(level=LEVEL)
    )
    for run, trust in zip(runs, trusts, strict=True):
        over, under = trust.found("over"), trust.found("under")
        sentence = (
            _(
                "{run}: taken one by one {alone} of {classes} classes are off, "
                "corrected {found}: overconfident for {over}, underconfident for "
                "{under}."
            )
            if over or under
            else _(
                "{run}: taken one by one {alone} of {classes} classes are off, "
                "corrected none."
            )
        )
        sentences.append(
            sentence.format(
                run=plain(run.run_id),
                over=_named(over, words),
                under=_named(under, words),
                alone=sum(c.p_value < LEVEL for c in trust.classes),
                found=len(over) + len(under),
                classes=len(trust.classes),
            )
        )
    sentences.append(_("Click a point or a line of the table to read of its class."))
    return " ".join(sentences)


def _named(classes: Sequence[ClassTrust], words: NullTranslations) -> str:
    _ = words.gettext
    names = [plain(class_word(row.class_name, words)) for row in classes[:NAMED]]
    if not names:
        return _("none")
    rest = len(classes) - len(names)
    return listed(
        [*names, _("{count} more").format(count=rest)] if rest else names, words
    )
