"""A gallery that loads as one scrolls, each tile a button."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.shared.pictures import to_address

SCRIPT = Path(__file__).with_name("gallery.js").read_text(encoding="utf-8")

PAGE = 48
"""Tiles that come at a time: three screens."""


@dataclass(frozen=True)
class Tile:
    """One picture and what is said of it.

    Attributes:
        id: What is reported when it is chosen.
        lines: What stands below the picture, by the kind of line (`drawn` is bold).
        alt: What it is, for those who can't see it.
        sketch: Gray values of shape `(128, 128)`; None where there is no picture.
    """

    id: str
    lines: dict[str, str]
    alt: str
    sketch: NDArray[np.uint8] | None


def gallery(
    total: int,
    make: Callable[[int], Tile],
    *,
    key: str,
    content: str,
) -> str | None:
    """Shows tiles, further ones when one scrolls to their end.

    To be called in a fragment, so that scrolling runs no more of the page.

    Args:
        total: How many there are.
        make: Makes one of them by its number.
        key: Unique on the page.
        content: Tells one list of tiles from another: a new one begins anew.

    Returns:
        The id of the tile that was chosen in this run, if any.
    """
    component = st.components.v2.component(
        "gallery", html='<div class="gallery-root"></div>', js=SCRIPT
    )
    asked: dict[str, Any] = st.session_state.setdefault(f"{key}_asked", {})

    def more() -> None:
        asked["start"] = int(st.session_state[key].get("more") or 0)

    if asked.get("content") != content:
        asked.update(content=content, start=0)
    start = min(max(asked["start"], 0), total)
    tiles = [make(number) for number in range(start, min(start + PAGE, total))]
    result = component(
        key=key,
        data={
            "key": content,
            "start": start,
            "total": total,
            "tiles": [_to_data(tile) for tile in tiles],
        },
        on_more_change=more,
        on_open_change=lambda: None,
    )
    chosen = result.get("open")
    return str(chosen) if chosen is not None else None


def _to_data(tile: Tile) -> dict[str, Any]:
    image = None
    if tile.sketch is not None:
        image = to_address(tile.sketch)
    return {"id": tile.id, "lines": tile.lines, "alt": tile.alt, "image": image}
