"""Takes a picture of each screen: `python -m tests.browser.pictures FOLDER`.

Light and dark, at 1280×800, 1920×1080 and 400 px wide, of the data folder that
`SKETCHSCOPE_DATA` names.
"""

import sys
from pathlib import Path
from typing import Any

from core.paths import data_dir
from tests.browser.server import (
    SCREENS,
    browsing,
    draw_stroke,
    serving,
    wait_until_idle,
)
from tests.drawings import EVERYDAY

VIEWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 800}},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "wide": {"viewport": {"width": 1920, "height": 1080}},
    "narrow": {"viewport": {"width": 400, "height": 800}},
}
ADDRESSES = {
    **SCREENS,
    "Matrix": "/confusion?view=Full+matrix&log=true&drawn=barn&guess=house",
    "Class": "/classes?class=seagull",
    "Why": "/draw?detail=Why",
    "Replay": "/draw?detail=Replay",
}
SETTLE_MS = 700
"""Bars and images fade in."""


def take_pictures(folder: Path, *, names: list[str]) -> None:
    """Writes `screen-view.png` for each screen and view."""
    folder.mkdir(parents=True, exist_ok=True)
    with serving(data_dir()) as server, browsing() as browser:
        for view, options in VIEWS.items():
            page = browser.new_context(**options).new_page()
            for name in names:
                page.goto(server.address + ADDRESSES[name])
                wait_until_idle(page)
                if ADDRESSES[name].startswith("/draw"):
                    for stroke in EVERYDAY["house"]:
                        draw_stroke(page, stroke)
                        page.wait_for_timeout(SETTLE_MS)
                    wait_until_idle(page)
                page.wait_for_timeout(SETTLE_MS)
                path = folder / f"{name.lower()}-{view}.png"
                page.screenshot(path=path)
                print(path)  # noqa: T201


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m tests.browser.pictures FOLDER [SCREEN …]")
    take_pictures(Path(sys.argv[1]), names=sys.argv[2:] or list(ADDRESSES))
