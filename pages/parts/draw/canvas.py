"""The canvas: strokes go in, a drawing comes out and survives a visit elsewhere."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from core.language import noop as N_
from core.sketches.canvas import MOST_POINTS, parse_canvas, parse_pen
from core.sketches.strokes import Drawing
from pages.shared.language import gettext as _

CANVAS_SIZE = 640
"""Of what is drawn, in pixels; on the screen it is as large as there is room."""
BRUSH_WIDTH = 10
MOST_WIDTH = 40
INK = "#000000"
GROUND = "#ffffff"
"""The eraser's colour too."""
ERASER_FACTOR = 4
"""An eraser is so much wider than the brush."""

FITTED = """
<style>
.st-key-{key}, .st-key-{key} * {{ width: 100%; }}
.st-key-{key} {{ min-width: 280px; max-width: min(640px, max(280px, 100dvh - 15rem)); }}
@media (max-width: 640px) {{
  /* The verdict above the canvas, in few lines, so that both are in view. */
  .st-key-drawing > div > [data-testid="stHorizontalBlock"] {{
    flex-direction: column; gap: 0.5rem; }}
  .st-key-drawing > div > div > [data-testid="stColumn"],
  .st-key-drawing > div > div > div > [data-testid="stVerticalBlock"],
  .st-key-drawing > div > div > div :has(.st-key-verdict):not(
    :has(> .st-key-verdict)) {{ display: contents; }}
  .st-key-drawing :has(> .st-key-verdict) {{ order: -1; }}
  .st-key-drawing :has(> .st-key-seen),
  .st-key-drawing > div > div > div > div > :has(.st-key-ways) {{ order: 1; }}
  .st-key-verdict [data-testid="stColumn"] {{ min-width: 0; flex: 1 1 0; }}
  .st-key-verdict [data-testid="stHorizontalBlock"] {{
    flex-wrap: nowrap; gap: 0.75rem; }}
  .st-key-verdict {{ min-height: 11rem; gap: 0.25rem; }}
  .st-key-verdict .guess:nth-child(n + 4),
  .st-key-verdict > :has(h3) {{ display: none; }}
  .st-key-verdict p {{
    overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
  .st-key-verdict [data-testid="stAlert"] p {{ white-space: normal; }}
}}
</style>
"""
"""As large as the column and the window have room for."""

FOLDER = Path(__file__).parent
TOOLS = {
    "brush": N_("Brush"),
    "eraser": N_("Eraser"),
    "width": N_("Width"),
    "undo": N_("Undo"),
    "redo": N_("Redo"),
    "clear": N_("Clear"),
    "canvas": N_("Canvas to draw on"),
    "tools": N_("Drawing tools"),
}
"""What the toolbar's script calls its parts, and people."""


def drawing_canvas(name: str, *, sends_at_once: bool = False) -> Drawing:
    """Shows a canvas with its tools and returns what is on it.

    Args:
        name: Unique on the page. The drawing is kept under it for as long as the
            visitor's session lasts.
        sends_at_once: Whether a stroke is told as soon as it ends. Where a
            `line_so_far` is looked at, it needn't be.
    """
    state = st.session_state
    number = state.setdefault(f"{name}_number", 0)
    key = f"{name}_{number}"
    if key not in state:
        # The canvas is new on the page: it begins with what was last on it.
        state[f"{name}_initial"] = state.get(f"{name}_last")
    show_tools(name, key, sends_at_once=sends_at_once)
    width, erases = pen_of(name)
    st.html(FITTED.format(key=key))
    result = st_canvas(
        stroke_width=width,
        stroke_color=GROUND if erases else INK,
        background_color=GROUND,
        width=CANVAS_SIZE,
        height=CANVAS_SIZE,
        initial_drawing=state[f"{name}_initial"],
        key=key,
        # Told of even where another screen was asked for with it.
        on_change=lambda: keep_drawing(name, key),
    )
    state[f"{name}_last"] = result.json_data
    state[f"{name}_is_new"] = False
    return parse_canvas(
        result.json_data or {},
        width=CANVAS_SIZE,
        height=CANVAS_SIZE,
        eraser_colour=GROUND,
    )


def keep_drawing(name: str, key: str) -> None:
    """Keeps what a canvas tells of, for the next canvas of its name."""
    told: Any = st.session_state.get(key) or {}
    if drawing := (told.get("drawing") or {}).get("raw"):
        st.session_state[f"{name}_last"] = drawing
        st.session_state[f"{name}_is_new"] = True


def show_tools(name: str, canvas: str, *, sends_at_once: bool) -> None:
    """Shows the one toolbar of a canvas; its script also fits the canvas in."""
    tools = st.components.v2.component(
        "canvas_tools",
        html='<div class="tools" role="toolbar"></div>',
        css=(FOLDER / "tools.css").read_text(encoding="utf-8"),
        js=(FOLDER / "tools.js").read_text(encoding="utf-8"),
    )
    width, erases = pen_of(name)
    tools(
        key=f"{name}_tools",
        data={
            "canvas": canvas,
            "size": CANVAS_SIZE,
            "words": {part: _(word) for part, word in TOOLS.items()},
            "sends": sends_at_once,
            "tool": "eraser" if erases else "brush",
            "width": width // ERASER_FACTOR if erases else width,
            "most": MOST_WIDTH,
        },
        default={"tool": "brush", "width": BRUSH_WIDTH},
        on_tool_change=lambda: None,
        on_width_change=lambda: None,
        on_clear_change=lambda: clear_canvas(name, keeps=True),
        on_restore_change=lambda: restore(name),
    )


def pen_of(name: str) -> tuple[int, bool]:
    """Returns the width of a canvas's pen in its pixels, and whether it erases."""
    chosen: Any = st.session_state.get(f"{name}_tools") or {}
    width = chosen.get("width", BRUSH_WIDTH)
    width = (
        width if isinstance(width, int) and 1 <= width <= MOST_WIDTH else BRUSH_WIDTH
    )
    erases = chosen.get("tool") == "eraser"
    return (ERASER_FACTOR * width if erases else width), erases


def clear_canvas(
    name: str, *, begin_with: dict[str, Any] | None = None, keeps: bool = False
) -> None:
    """Empties a canvas, or puts another drawing on it.

    Args:
        name: The canvas's.
        begin_with: What is to be on it, in its own form.
        keeps: Whether undo brings back what was on it.
    """
    state = st.session_state
    state[f"{name}_cleared"] = state.get(f"{name}_last") if keeps else None
    state[f"{name}_number"] = state.get(f"{name}_number", 0) + 1
    state[f"{name}_last"] = begin_with


def restore(name: str) -> None:
    """Puts what was cleared last back on a canvas."""
    cleared = st.session_state.get(f"{name}_cleared")
    if cleared:
        clear_canvas(name, begin_with=cleared)


def with_line_so_far(name: str, drawing: Drawing) -> Drawing:
    """Returns a drawing with what the pen draws at this moment, or itself.

    To be called in the fragment that shows what is made of it: while the pen moves,
    the fragment runs again with each line, as soon as it has answered the last one.
    Where the canvas has told more than the page knows, the whole page runs instead.

    Args:
        name: The canvas's.
        drawing: What is on it.
    """
    pen = st.components.v2.component(
        "canvas_pen", html="<i></i>", js=(FOLDER / "pen.js").read_text(encoding="utf-8")
    )
    state = st.session_state
    if state.get(f"{name}_is_new"):
        # A browser sends in one message what the pen and the canvas tell at once, and
        # asks for the fragment alone.
        st.rerun()
    told = (state.get(f"{name}_pen") or {}).get("line")
    # What a browser tells may be anything.
    told = told if isinstance(told, dict) else {}
    pen(
        key=f"{name}_pen",
        data={
            "canvas": f"{name}_{state.get(f'{name}_number', 0)}",
            "size": CANVAS_SIZE,
            "most": MOST_POINTS,
            "strokes": len(drawing.strokes),
            "answered": told.get("number", 0),
        },
        on_line_change=lambda: None,
        height=1,
    )
    width, erases = pen_of(name)
    strokes = parse_pen(told, known=len(drawing.strokes), width=width, erases=erases)
    if not strokes:
        return drawing
    return replace(drawing, strokes=(*drawing.strokes, *strokes))
