"""Numbers, intervals, names and lists as words of a sentence."""

import unicodedata
from collections.abc import Sequence
from gettext import NullTranslations
from typing import TYPE_CHECKING

from core.analysis.calibration import Bin
from core.analysis.coverage import Answered

if TYPE_CHECKING:
    from core.analysis.classes import ClassFigures

MIN_P = 0.001
"""Below it, only that is said."""

SIGNIFICANCE = 0.05

RIGHT_TO_LEFT = {"R", "AL", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF"}
ISOLATE, END = "\u2068", "\u2069"


def accuracy_words(figures: "ClassFigures") -> str:
    """Returns an accuracy's interval, such as `61–93 %`."""
    return f"{100 * figures.recall_low:.0f}–{100 * figures.recall_high:.0f} %"


def interval_words(one: Bin | Answered) -> str:
    """Returns the interval of an accuracy, such as `61–93 %`."""
    low, high = (
        (one.accuracy_low, one.accuracy_high)
        if isinstance(one, Bin)
        else (one.low, one.high)
    )
    # They stay on one line.
    return f"{100 * low:.0f}–{100 * high:.0f}\N{NO-BREAK SPACE}%"


def isolated(name: str) -> str:
    """Keeps a name's writing direction from turning the words around it."""
    turns = any(unicodedata.bidirectional(sign) in RIGHT_TO_LEFT for sign in name)
    return f"{ISOLATE}{name}{END}" if turns else name


def percent(share: float, *, digits: int = 0) -> str:
    """Returns a fraction in percent."""
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def span(low: float, high: float, *, digits: int = 0) -> str:
    """Returns an interval of fractions in percent, such as `61–93 %`."""
    return f"{100 * low:.{digits}f}–{percent(high, digits=digits)}"


def sure_words(probability: float) -> str:
    """Returns a probability in percent that only 1 itself calls 100."""
    if 0.995 <= probability < 1:
        return f">{percent(0.99)}"
    if 0 < probability < 0.005:
        return f"<{percent(0.01)}"
    return percent(probability)


def p_words(p_value: float) -> str:
    """Returns a p-value with two digits, or below what."""
    return f"p < {MIN_P:g}" if p_value < MIN_P else f"p = {p_value:.2g}"


def listed(names: Sequence[str], words: NullTranslations) -> str:
    """Returns names as a list in words, such as "cat, dog and fox"."""
    if len(names) < 2:
        return "".join(names)
    return words.gettext("{names} and {last}").format(
        names=", ".join(names[:-1]), last=names[-1]
    )
