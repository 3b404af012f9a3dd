"""The row at the top of every page, and where a page that is opened begins."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import Page

from pages.shared.language import choose_language

STYLE = """
<style>
/* Beside the menu of the theme, in the row of the pages' names. */
.st-key-header { position: fixed; top: 0.875rem; right: 3.5rem; z-index: 999991;
  width: auto; gap: 0; }
.st-key-header button { min-height: 2rem; padding: 0.1rem 0.6rem; }
[data-testid="stToolbar"] nav { margin-right: 11rem; }
.stMainBlockContainer { padding-top: 3.5rem; }
/* Streamlit's own are too pale to read: 3.9 to 1 where WCAG asks for 4.5. */
[data-testid="stCaptionContainer"] { color: inherit; opacity: 0.75; }
[data-testid="stMarkdownContainer"] code, [data-testid="stCode"] .token {
  color: inherit !important; }
/* White on the pale blue of the dark theme would be 2.2 to 1. */
[data-testid^="stBaseButton-primary"],
[data-testid="stMultiSelectTagsContainer"] span[title] {
  color: light-dark(#fff, #0e1117); }
@media (max-width: 640px) {
  .stMainBlockContainer h1 { font-size: 1.5rem; padding: 0.5rem 0; } }
@media print { .st-key-header { display: none; } }
</style>
"""
OPEN_SECTION = """
<style>
[data-testid="stTopNav"] > :nth-child(%d) > button { font-weight: 600;
  background: color-mix(in srgb, currentColor 10%%, transparent); }
</style>
"""

TOP = """
export default function ({ data }) {
  const tops = (globalThis.begunAtTop ??= {});
  if (tops[data.key] !== undefined && tops[data.key] !== data.what) {
    document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  }
  tops[data.key] = data.what;
}
"""


def show_header(what: str, place: int) -> DeltaGenerator:
    """Shows the choice of the language beside the names of the pages.

    That of the theme is Streamlit's own menu, right of it.

    Args:
        what: The page.
        place: Of its section in the menu, counted from 1.

    Returns:
        The row, for what is on every page and takes no room.
    """
    st.html(STYLE + OPEN_SECTION % place)
    row = st.container(key="header")
    with row:
        choose_language()
        begin_at_top(what)
    return row


def begin_at_top(what: str, *, key: str = "page") -> None:
    """Scrolls to the top where something else is opened than before.

    Args:
        what: The page, or what is opened on it.
        key: Unique on the page.
    """
    component = st.components.v2.component("top", js=TOP)
    component(key=f"top_{key}", data={"key": key, "what": what}, height=1)


def place_in_menu(sections: Mapping[str, Sequence[Page]], page: Page) -> int:
    """Returns the place in the menu of a page or its section, counted from 1."""
    places: list[Sequence[Page]] = []
    for section, pages in sections.items():
        places += [pages] if section else [[alone] for alone in pages]
    return 1 + next(number for number, pages in enumerate(places) if page in pages)
