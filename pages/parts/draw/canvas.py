"""The canvas: strokes go in, a drawing comes out and survives a visit elsewhere."""

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from core.language import noop as N_
from core.sketches.canvas import parse_canvas
from core.sketches.strokes import Drawing
from pages.shared.language import gettext as _

TOOLS = {"Brush": N_("Brush"), "Eraser": N_("Eraser")}

CANVAS_SIZE = 360
"""In pixels; a telephone held upright has room for it."""
INK = "#000000"
GROUND = "#ffffff"
"""The eraser's colour too."""
ERASER_FACTOR = 4
"""An eraser is so much wider than the brush."""

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
BUTTONS = """
<div class="buttons">
  <button type="button" data-press="Undo">↶</button>
  <button type="button" data-press="Redo">↷</button>
</div>
"""
STYLE = """
.buttons { display: flex; gap: 0.5rem; }
button {
  font: inherit; font-size: 0.875rem; color: var(--st-text-color); cursor: pointer;
  background: var(--st-background-color); padding: 0.4rem 0.75rem;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
button:hover, button:focus-visible {
  color: var(--st-primary-color); border-color: var(--st-primary-color);
}
"""


def drawing_canvas(name: str) -> Drawing:
    """Shows a canvas with its tools and returns what is on it.

    Args:
        name: Unique on the page. The drawing is kept under it for as long as the
            visitor's session lasts.
    """
    state = st.session_state
    number = state.setdefault(f"{name}_number", 0)
    key = f"{name}_{number}"
    if key not in state:
        # The canvas is new on the page: it begins with what was last on it.
        state[f"{name}_initial"] = state.get(f"{name}_last")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tool = st.segmented_control(
            _("Tool"),
            list(TOOLS),
            format_func=lambda tool: _(TOOLS[tool]),
            default="Brush",
            required=True,
            key=f"{name}_tool",
        )
        width = st.slider(_("Width (px)"), 1, 24, 6, key=f"{name}_width", width=140)
    erases = tool == "Eraser"
    result = st_canvas(
        stroke_width=ERASER_FACTOR * width if erases else width,
        stroke_color=GROUND if erases else INK,
        background_color=GROUND,
        width=CANVAS_SIZE,
        height=CANVAS_SIZE,
        initial_drawing=state[f"{name}_initial"],
        key=key,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        tools = st.components.v2.component(
            "canvas_tools", html=BUTTONS, css=STYLE, js=SCRIPT
        )
        tools(
            key=f"{name}_tools",
            data={"canvas": key, "words": {"Undo": _("↶ Undo"), "Redo": _("↷ Redo")}},
            width="content",
        )
        st.button(_("Clear"), key=f"{name}_clear", on_click=clear_canvas, args=(name,))
    state[f"{name}_last"] = result.json_data
    return parse_canvas(
        result.json_data or {},
        width=CANVAS_SIZE,
        height=CANVAS_SIZE,
        eraser_colour=GROUND,
    )


def clear_canvas(name: str, *, begin_with: dict[str, Any] | None = None) -> None:
    """Empties a canvas, or puts another drawing on it."""
    st.session_state[f"{name}_number"] = st.session_state.get(f"{name}_number", 0) + 1
    st.session_state[f"{name}_last"] = begin_with
