"""How far a run's probabilities can be trusted, in words."""

from collections.abc import Sequence
from gettext import NullTranslations

from core.analysis.calibration import calibration
from core.analysis.coverage import Answered, answers_at_accuracy
from core.analysis.trust import LEVEL, ClassTrust, Trust
from core.language import plain
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
                interval=interval_words(now),
                share=now.share,
            )
        )
    return " ".join(sentences)


def temperature_words(run: Run, found: Trust, words: NullTranslations) -> str:
    """Says what a run claims on average, and what its temperature does to it."""
    _ = words.gettext
    before, after = found.before, found.after
    excess = before.mean_confidence - before.accuracy
    if excess > NOTABLE_GAP:
        sentence = _(
            "As trained {run} claims too much: it is {confidence:.0%} sure on average "
            "and right {accuracy:.0%} of the time."
        )
    elif excess < -NOTABLE_GAP:
        sentence = _(
            "As trained {run} is too modest: it is {confidence:.0%} sure on average "
            "and right {accuracy:.0%} of the time."
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
    return " ".join(sentences).format(
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
    runs: Sequence[Run], found: Sequence[Trust], words: NullTranslations
) -> str:
    """Says how much the runs may answer to reach an accuracy."""
    _ = words.gettext
    sentences = []
    for number, (run, one) in enumerate(zip(runs, found, strict=True)):
        at = answers_at_accuracy(one.coverage, TOLD_TARGET)
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
    return " ".join(sentences)


def certain_words(
    runs: Sequence[Run], found: Sequence[Trust], words: NullTranslations
) -> str:
    """Says how to read the chart, and which guesses are off for certain."""
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
            "Of many tests some come out by chance; they are corrected for that "
            "(Benjamini and Hochberg 1995, {level:.0%}), and what is off for certain "
            "is filled."
        ).format(level=LEVEL)
    )
    for run, one in zip(runs, found, strict=True):
        over, under = one.certain("over"), one.certain("under")
        sentence = (
            _(
                "{run}: taken one by one {alone} of {classes} classes are off, "
                "corrected {certain}: too much is claimed of {over}, too little of "
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
                alone=sum(c.p_value < LEVEL for c in one.classes),
                certain=len(over) + len(under),
                classes=len(one.classes),
            )
        )
    sentences.append(_("Click a point or a line of the table to read of its class."))
    return " ".join(sentences)


def _named(classes: Sequence[ClassTrust], words: NullTranslations) -> str:
    _ = words.gettext
    names = [plain(one.class_name) for one in classes[:NAMED]]
    if not names:
        return _("none")
    rest = len(classes) - len(names)
    return listed(
        [*names, _("{count} more").format(count=rest)] if rest else names, words
    )
