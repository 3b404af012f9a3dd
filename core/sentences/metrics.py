"""An evaluation's metrics in words."""

from collections.abc import Mapping, Sequence
from gettext import NullTranslations
from typing import Any

from core.analysis.metrics import METRICS, Metric, metric_values
from core.analysis.statistics import wilson_interval
from core.language import number
from core.sentences.numbers import percent, span

UNKNOWN = "–"
"""What an evaluation doesn't say."""


def metric_rows(
    evaluations: Sequence[Mapping[str, Any]], words: NullTranslations
) -> list[tuple[str, ...]]:
    """Returns a row a metric: its title, and what each evaluation says of it.

    Args:
        evaluations: What their `metrics.json` hold.
        words: Of the reader's language.
    """
    values = [metric_values(metrics) for metrics in evaluations]
    rows = [
        (
            words.gettext(metric.title),
            *(
                metric_words(metric, numbers[name], words, n=metrics["n"])
                if name in numbers
                else UNKNOWN
                for numbers, metrics in zip(values, evaluations, strict=True)
            ),
        )
        for name, metric in METRICS.items()
        if any(name in numbers for numbers in values)
    ]
    temperatures = (
        number(metrics["temperature"], ".2f", words) for metrics in evaluations
    )
    return [*rows, (words.gettext("Temperature"), *temperatures)]


def metric_words(
    metric: Metric, value: float, words: NullTranslations, *, n: int
) -> str:
    """Returns a metric of n sketches, with a 95 % Wilson interval if it is a share."""
    if not metric.format.endswith("%"):
        return number(value, metric.format, words)
    text = percent(value, words, digits=1)
    if not metric.is_share:
        return text
    return f"{text} ({span(*wilson_interval(round(value * n), n), words, digits=1)})"
