"""The colours, symbols and titles that all charts share."""

from gettext import NullTranslations
from typing import Any

from core.language import NUMBER_MARKS, language_of, number
from core.language import noop as N_
from core.runs.reading import Run
from models import NETWORKS

OTHER_COLOUR = "#009E73"
NEUTRAL = "#8a8a8a"
SYMBOLS = (
    *("circle", "square", "diamond", "triangle-up", "x", "cross"),
    *("triangle-down", "pentagon", "hexagon", "hourglass", "bowtie", "star-square"),
)
"""Runs of one network differ by them."""

AXIS_TITLES = {
    "epoch": N_("Epoch"),
    "step": N_("Step"),
    "time": N_("Minutes of training"),
}
METRIC_TITLES = {
    "loss": N_("Cross-entropy (nats)"),
    "top1": N_("Top-1 accuracy"),
    "top5": N_("Top-5"),
}

MAP_SCALE = "Viridis"
"""Its ends are left out: points stand on the page's ground, light or dark."""

CHOSEN_COLOURS = ("#E69F00", "#56B4E9", "#CC79A7", "#009E73", "#7F6AB8", "#B5653B")
"""Of classes that are looked for on the map. Four of Okabe and Ito 2008 that no network
has, then two as far from them as may be."""


def network_colour(run: Run) -> str:
    """Returns the colour of a run's network."""
    return NETWORKS[run.config.network].colour if run.config else OTHER_COLOUR


def percent_ticks(words: NullTranslations) -> dict[str, Any]:
    """Returns the ticks of an axis of fractions, every ten percent, as words.

    Plotly's own percent signs follow the number closely in every language.
    """
    shares = [tenth / 10 for tenth in range(11)]
    return {"tickvals": shares, "ticktext": [number(s, ".0%", words) for s in shares]}


def separators(words: NullTranslations) -> str:
    """Returns the decimal mark and that of thousands, as Plotly's layout has them."""
    marks = NUMBER_MARKS[language_of(words)]
    return marks.decimal + marks.thousands
