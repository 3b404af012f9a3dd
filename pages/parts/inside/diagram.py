"""A network's stages as a diagram, each with the channels that answer most."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.inference.stages import Stage
from core.sketches.images import PAPER
from pages.shared.language import gettext as _
from pages.shared.language import language, number
from pages.shared.pictures import to_address

SCRIPT = Path(__file__).with_name("diagram.js").read_text(encoding="utf-8")
SHOWN = 5
"""Channels a stage: a row of a narrow column."""


def show_diagram(
    stages: Sequence[Stage], outputs: Sequence[NDArray[np.float32]], *, key: str
) -> str | None:
    """Shows the stages of a network and their strongest channels.

    Args:
        stages: The network's.
        outputs: What each hands on for one drawing, without the batch.
        key: Unique on the page.

    Returns:
        The channel that was clicked in this run, as `stage:channel`, if any.
    """
    component = st.components.v2.component(
        "diagram", html='<div class="diagram-root"></div>', js=SCRIPT
    )
    told = [_told(s, values) for s, values in zip(stages, outputs, strict=True)]
    content = f"{language()} {[hash(v.tobytes()) for v in outputs]}"
    result = component(
        key=key, data={"key": content, "stages": told}, on_open_change=lambda: None
    )
    chosen = result.get("open")
    return str(chosen) if chosen is not None else None


def stage_words(stage: Stage) -> str:
    """Returns a stage's name, what it hands on and its parameters."""
    shape = " × ".join(number(side, ",") for side in stage.shape)
    return _("{stage}: {shape}, {count:,} parameters").format(
        stage=stage.name, shape=shape, count=stage.num_parameters
    )


def strongest(values: NDArray[np.float32]) -> list[int]:
    """Returns the channels whose largest values are highest, of a stage with maps."""
    if values.ndim != 3:
        return []
    peaks = values.max(axis=(1, 2))
    order = np.argsort(-peaks, kind="stable")[:SHOWN]
    return [int(channel) for channel in order if peaks[channel] > 0]


def map_picture(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns a channel as gray values: the darker, the stronger it answers."""
    positive = np.maximum(values, 0)
    share = positive / max(float(positive.max()), 1e-9)
    return (PAPER * (1 - share)).astype(np.uint8)


def _told(stage: Stage, values: NDArray[np.float32]) -> dict[str, Any]:
    return {
        "title": stage_words(stage),
        "layers": " → ".join(layer.operation for layer in stage.layers),
        "maps": [
            {
                "id": f"{stage.name}:{channel}",
                "label": str(channel),
                "alt": _("Channel {number} of {stage}").format(
                    number=channel, stage=stage.name
                ),
                "image": to_address(map_picture(values[channel])),
            }
            for channel in strongest(values)
        ],
    }
