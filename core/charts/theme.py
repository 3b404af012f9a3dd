"""The colours, symbols and titles that all charts share."""

from core.language import noop as N_
from core.runs.reading import Run

COLOURS = {"simple": "#D55E00", "resnet18": "#0072B2"}
"""One colour a network, everywhere (Okabe and Ito 2008); both stand out by at least
3 to 1 from white and from the dark theme's ground."""

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
FIGURE_TITLES = {
    "loss": N_("Loss (nats)"),
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
    network = run.config.network if run.config else ""
    return COLOURS.get(network, OTHER_COLOUR)
