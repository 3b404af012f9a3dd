"""What the pages that start trainings share: numbers, lengths of time, logs."""

from pathlib import Path

import streamlit as st

from core.errors import ConfigError
from core.inference.speed import training_rate
from core.paths import TRAINED_DIR
from core.runs.launch import read_log
from core.runs.reading import list_runs
from pages.shared.language import gettext as _

RECIPE_ORDER = ("best", "report", "refine", "finetune")
ORIGIN_RECIPES = ("refine", "finetune")
"""They are meant to go on from a trained run."""

SPEED_KEPT_S = 600.0
LOG_LINES = 25

DATASET = "train_dataset"
"""The session's note of the dataset or version that the page Train is to choose."""


def parse_numbers(name: str, text: str) -> list[float]:
    """Reads numbers that are separated by commas.

    Raises:
        ConfigError: If one is not a number.
    """
    try:
        numbers = [float(word) for word in text.split(",") if word.strip()]
    except ValueError as error:
        raise ConfigError(
            "`{name}` takes numbers, separated by commas. Received: {text}",
            name=name,
            text=text,
        ) from error
    return [int(n) if n.is_integer() else n for n in numbers]


@st.cache_resource(ttl=SPEED_KEPT_S, show_spinner=False)
def measured_rate(network: str, data: Path) -> float | None:
    """Returns what `training_rate` measured in the last minutes."""
    return training_rate(network, list_runs(data_dir=data, trained_dir=TRAINED_DIR))


def duration(seconds: float | None) -> str | None:
    """Returns a length of time in its two largest units."""
    if seconds is None:
        return None
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def show_log(path: Path, *, expanded: bool = False) -> None:
    """Shows the owner the end of a log, if there is one: it names folders."""
    if log := read_log(path):
        with st.expander(_("End of its log"), expanded=expanded):
            st.code("\n".join(log.splitlines()[-LOG_LINES:]), language=None)
