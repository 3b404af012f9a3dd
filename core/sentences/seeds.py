"""What groups of seeds say, and two of them of each other, in words."""

from collections.abc import Sequence
from gettext import NullTranslations

from core.analysis.comparison import LEVEL
from core.analysis.seeds import MeanDifference, SeedGroup, Spread, spread
from core.language import plain
from core.sentences.comparison import probability_words
from models import NETWORKS


def group_words(group: SeedGroup, words: NullTranslations) -> str:
    """Returns what a group is called: network, recipe, dataset and number of seeds."""
    config = group.config
    return words.gettext("{network} (recipe {recipe}, {dataset}, {n} seeds)").format(
        network=NETWORKS[config.network].title,
        recipe=config.recipe,
        dataset=config.dataset,
        n=len(group.runs),
    )


def seeds_words(group: SeedGroup, words: NullTranslations) -> str:
    """Says what a group reaches on validation and test, as Markdown; "" of nothing."""
    _ = words.gettext
    parts = [
        title.format(**_values(told))
        for values, title in (
            (
                group.validated,
                _(
                    "on validation {mean:.1%} on average, standard deviation "
                    "{deviation:.2f} points (n = {n})"
                ),
            ),
            (
                group.tested,
                _(
                    "on the test sketches {mean:.1%} on average, standard deviation "
                    "{deviation:.2f} points (n = {n})"
                ),
            ),
        )
        if (told := spread(values)) is not None and told.deviation is not None
    ]
    if not parts:
        return ""
    return _("**{group}**: top-1 {parts}.").format(
        group=plain(group_words(group, words)), parts=plain("; ".join(parts))
    )


def _values(told: Spread) -> dict[str, float]:
    deviation = told.deviation or 0.0
    return {"n": told.n, "mean": told.mean, "deviation": 100 * deviation}


def groups_words(
    difference: MeanDifference,
    names: Sequence[str],
    words: NullTranslations,
) -> str:
    """Says by how much one group's mean is above another's, as Markdown.

    Args:
        difference: Of the run's group to the baseline's.
        names: What the two groups are called.
        words: The visitor's.
    """
    _ = words.gettext
    if difference.p_value >= LEVEL:
        verdict = _(
            "**Over seeds the two can't be told apart**: {first} has {mean:.1%} on "
            "average (standard deviation {deviation:.2f} points, n = {n}), {second} "
            "{other_mean:.1%} ({other_deviation:.2f} points, n = {other_n}), a "
            "difference of {points:+.1f} points (95 % interval {low:+.1f} to "
            "{high:+.1f}; p {p})."
        )
    elif difference.change > 0:
        verdict = _(
            "**Over seeds {first} is better than {second}**: {mean:.1%} on average "
            "(standard deviation {deviation:.2f} points, n = {n}) against "
            "{other_mean:.1%} ({other_deviation:.2f} points, n = {other_n}), a "
            "difference of {points:+.1f} points (95 % interval {low:+.1f} to "
            "{high:+.1f}; p {p})."
        )
    else:
        verdict = _(
            "**Over seeds {first} is worse than {second}**: {mean:.1%} on average "
            "(standard deviation {deviation:.2f} points, n = {n}) against "
            "{other_mean:.1%} ({other_deviation:.2f} points, n = {other_n}), a "
            "difference of {points:+.1f} points (95 % interval {low:+.1f} to "
            "{high:+.1f}; p {p})."
        )
    told = verdict.format(
        first=plain(names[0]),
        second=plain(names[1]),
        **_values(difference.first),
        **{f"other_{k}": v for k, v in _values(difference.second).items()},
        points=100 * difference.change,
        low=100 * difference.low,
        high=100 * difference.high,
        p=plain(probability_words(difference.p_value, words)),
    )
    method = _(
        "Interval and p are Welch's, from how the seeds of each differ on the same "
        "test sketches."
    )
    return f"{told} {method}"
