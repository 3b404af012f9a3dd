"""What two runs on the same test sketches say of each other, in words."""

from collections.abc import Sequence
from gettext import NullTranslations
from typing import Any

from core.analysis.comparison import LEVEL, OUTCOMES, Comparison, Gain
from core.language import class_word, number, phrase, plain
from core.runs.reading import Run
from core.sentences.numbers import listed

NAMED = 3
"""Classes that a sentence names."""

LEAST_P = 0.0001
"""A smaller probability is not told more exactly."""


def probability_words(p_value: float, words: NullTranslations) -> str:
    """Returns what a p-value is, with no more digits than it deserves."""
    if p_value >= LEAST_P:
        return f"= {number(p_value, '.2g', words)}"
    return f"< {number(LEAST_P, '.4f', words)}"


def comparison_words(
    comparison: Comparison,
    told_gain: Gain,
    run: Run,
    baseline: Run,
    words: NullTranslations,
) -> str:
    """Returns what the numbers say in a few sentences, as Markdown."""
    _ = words.gettext
    paired = comparison.paired
    values: dict[str, Any] = {
        "run": plain(run.run_id),
        "baseline": plain(baseline.run_id),
        "points": 100 * paired.change,
        "better_points": abs(100 * paired.change),
        "low": 100 * paired.low,
        "high": 100 * paired.high,
        "right": paired.right,
        "baseline_right": paired.baseline_right,
        "n": paired.n,
        "fixed": paired.fixed,
        "broken": paired.broken,
        "both_right": paired.both_right,
        "both_wrong": paired.both_wrong,
        "p": plain(probability_words(paired.p_value, words)),
    }
    if not comparison.is_clear:
        verdict = _(
            "**{run} and {baseline} can't be told apart**: they recognise {right:,} "
            "and {baseline_right:,} of {n:,} test sketches, a difference of "
            "{points:+.1f} points (95 % interval {low:+.1f} to {high:+.1f}; McNemar's "
            "mid-p test, p {p})."
        )
    elif paired.net > 0:
        verdict = _(
            "**{run} is better than {baseline} by {better_points:.1f} points** (95 % "
            "interval {low:+.1f} to {high:+.1f}; McNemar's mid-p test, p {p}): it "
            "recognises {right:,} of {n:,} test sketches, {baseline} "
            "{baseline_right:,}."
        )
    else:
        verdict = _(
            "**{run} is worse than {baseline} by {better_points:.1f} points** (95 % "
            "interval {low:+.1f} to {high:+.1f}; McNemar's mid-p test, p {p}): it "
            "recognises {right:,} of {n:,} test sketches, {baseline} "
            "{baseline_right:,}."
        )
    sentences = [
        verdict.format(**values),
        _(
            "Of what {baseline} gets wrong it **fixes {fixed:,}**, of what {baseline} "
            "gets right it **newly breaks {broken:,}**; both are right on "
            "{both_right:,} and wrong on {both_wrong:,}."
        ).format(**values),
    ]
    # What may be chance comes from nowhere.
    if (
        comparison.is_clear
        and told_gain.half is not None
        and told_gain.largest_share is not None
    ):
        sentence = (
            _(
                "{better} of {classes} classes are better, {worse} worse; half of the "
                "net gain comes from {half} of them. The most changed, {largest}, make "
                "up {share:.0%} of it."
            )
            if paired.net > 0
            else _(
                "{better} of {classes} classes are better, {worse} worse; half of the "
                "net loss comes from {half} of them. The most changed, {largest}, make "
                "up {share:.0%} of it."
            )
        )
        names = [
            f"{class_word(change.class_name, words)} "
            f"({number(change.paired.net, '+d', words)})"
            for change in told_gain.largest
        ]
        sentences.append(
            sentence.format(
                better=told_gain.better,
                worse=told_gain.worse,
                classes=len(comparison.classes),
                half=told_gain.half,
                largest=plain(listed(names, words)),
                share=told_gain.largest_share,
            )
        )
    return " ".join(sentences)


def confidence_words(
    comparison: Comparison,
    run: Run,
    baseline: Run,
    temperatures: Sequence[float],
    words: NullTranslations,
) -> str:
    """Says how sure both runs are where the first is newly wrong, as Markdown."""
    _ = words.gettext
    broken = comparison.outcomes[OUTCOMES.index("broken")]
    values: dict[str, Any] = {
        "run": plain(run.run_id),
        "baseline": plain(baseline.run_id),
        "sure": broken.sure,
        "baseline_sure": broken.baseline_sure,
        "temperature": temperatures[0],
        "baseline_temperature": temperatures[1],
    }
    sentences = []
    if broken.count:
        sentences.append(
            _(
                "Of its newly wrong guesses {run} is {sure:.0%} sure on average; "
                "{baseline} was {baseline_sure:.0%} sure of the right ones."
            )
        )
    sentences.append(
        _(
            "Probabilities are calibrated by each run's temperature "
            "({temperature:.2f} and {baseline_temperature:.2f}), so that they mean the "
            "same in both."
        )
    )
    return phrase(" ".join(sentences), words).format(**values)


def many_tests_words(
    comparison: Comparison, run: Run, baseline: Run, words: NullTranslations
) -> str:
    """Says how to read the chart, and which classes differ."""
    _ = words.gettext
    differing, testable = comparison.differing, comparison.testable
    sentences = [
        _(
            "Above the line {run} recognises more of a class, below it {baseline}; "
            "bars are 95 % intervals of the paired difference (Tango 1998)."
        ),
        _(
            "Taken one by one, {alone} of {classes} classes differ (McNemar's mid-p "
            "test, p < {level:g}); {chance:.1f} would be expected to if nothing "
            "differed."
        ),
    ]
    if not testable:
        sentences.append(
            _(
                "With so many tests no difference could be shown: no class has enough "
                "sketches that only one of the two recognises (Tarone 1990)."
            )
        )
    else:
        sentences.append(
            _(
                "With so many tests a difference could be shown in {testable} of "
                "{classes} classes, those with enough sketches that only one of the "
                "two recognises (Tarone 1990); it is shown in {differing}: {names}."
            )
            if differing
            else _(
                "With so many tests a difference could be shown in {testable} of "
                "{classes} classes, those with enough sketches that only one of the "
                "two recognises (Tarone 1990); it is shown in none."
            )
        )
    sentences.append(_("Click a point to open its class."))
    return phrase(" ".join(sentences), words).format(
        run=plain(run.run_id),
        baseline=plain(baseline.run_id),
        alone=len(comparison.differing_alone),
        classes=len(comparison.classes),
        level=LEVEL,
        chance=comparison.by_chance,
        testable=testable,
        differing=len(differing),
        names=plain(
            listed([class_word(c.class_name, words) for c in differing], words)
        ),
    )
