"""Numbers, intervals, names and lists as words of a sentence."""

import unicodedata
from collections.abc import Sequence
from gettext import NullTranslations
from typing import TYPE_CHECKING

from core.analysis.calibration import Bin
from core.analysis.coverage import Answered
from core.language import number

if TYPE_CHECKING:
    from core.analysis.classes import ClassMetrics

MIN_P = 0.001
"""Below it, only that is said."""

SIGNIFICANCE = 0.05

RIGHT_TO_LEFT = {"R", "AL", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF"}
ISOLATE, END = "\u2068", "\u2069"


def accuracy_words(class_metrics: "ClassMetrics", words: NullTranslations) -> str:
    """Returns an accuracy's interval, such as `61–93 %`."""
    return span(class_metrics.recall_low, class_metrics.recall_high, words)


def interval_words(group: Bin | Answered, words: NullTranslations) -> str:
    """Returns the interval of an accuracy, such as `61–93 %`."""
    if isinstance(group, Bin):
        return span(group.accuracy_low, group.accuracy_high, words)
    return span(group.low, group.high, words)


def isolated(name: str) -> str:
    """Keeps a name's writing direction from turning the words around it."""
    turns = any(unicodedata.bidirectional(sign) in RIGHT_TO_LEFT for sign in name)
    return f"{ISOLATE}{name}{END}" if turns else name


def percent(share: float, words: NullTranslations, *, digits: int = 0) -> str:
    """Returns a fraction in percent."""
    return number(share, f".{digits}%", words)


def span(low: float, high: float, words: NullTranslations, *, digits: int = 0) -> str:
    """Returns an interval of fractions in percent, such as `61–93 %`."""
    first = number(100 * low, f".{digits}f", words)
    return f"{first}–{percent(high, words, digits=digits)}"


def sure_words(probability: float, words: NullTranslations) -> str:
    """Returns a probability in percent that only 1 itself calls 100."""
    if 0.995 <= probability < 1:
        return f">{percent(0.99, words)}"
    if 0 < probability < 0.005:
        return f"<{percent(0.01, words)}"
    return percent(probability, words)


def p_words(p_value: float, words: NullTranslations) -> str:
    """Returns a p-value with two digits, or below what."""
    if p_value < MIN_P:
        return f"p < {number(MIN_P, 'g', words)}"
    return f"p = {number(p_value, '.2g', words)}"


def listed(names: Sequence[str], words: NullTranslations) -> str:
    """Returns names as a list in words, such as "cat, dog and fox"."""
    if len(names) < 2:
        return "".join(names)
    return words.gettext("{names} and {last}").format(
        names=", ".join(names[:-1]), last=names[-1]
    )
