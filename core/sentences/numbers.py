"""Numbers, intervals, names and lists as words of a sentence."""

from typing import TYPE_CHECKING

from core.analysis.calibration import Bin
from core.analysis.coverage import Answered

if TYPE_CHECKING:
    from core.analysis.classes import ClassFigures


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
