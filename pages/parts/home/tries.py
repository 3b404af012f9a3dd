"""Things to try on the canvas, as the program draws them itself."""

import html
from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.datasets.starter import draw, render
from core.runs.reading import Run
from pages.shared.language import gettext as _
from pages.shared.language import thing
from pages.shared.pictures import to_address

TRIED = ("house", "fish", "umbrella", "key", "mushroom", "spider", "sun", "envelope")
"""Of the starter's classes, those that a minute is enough for."""

SHOWN = 6

STYLE = """
<style>
.small-sketches { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.small-sketches div { width: 72px; font-size: 0.85rem; line-height: 1.25;
  text-align: center; overflow-wrap: anywhere; }
.small-sketches img { display: block; width: 72px; height: 72px; background: white;
  border-radius: 0.35rem; margin-bottom: 0.15rem;
  border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
</style>
"""


def show_tries(runs: Sequence[Run]) -> None:
    """Shows what one may draw that all of some runs know.

    Args:
        runs: Those that guess.
    """
    names = [
        name
        for name in TRIED
        if all(run.config and name in run.config.class_names for run in runs)
    ][:SHOWN]
    if names:
        st.markdown(_("**Try one of these**"))
        show_small([starter_picture(name, words=thing(name)) for name in names])


def show_small(pictures: Sequence[tuple[str, str, str]]) -> None:
    """Shows pictures side by side: an address, what it is, the words below it."""
    items = "".join(
        f'<div><img src="{source}" alt="{html.escape(alt)}">{html.escape(words)}</div>'
        for source, alt, words in pictures
    )
    st.html(f'{STYLE}<div class="small-sketches">{items}</div>')


def starter_picture(name: str, *, words: str = "") -> tuple[str, str, str]:
    """Returns one of the program's own drawings of a class for `show_small`."""
    return _drawn(name), _("Drawing of {label}").format(label=thing(name)), words


@st.cache_data(show_spinner=False)
def _drawn(name: str, seed: int = 1) -> str:
    generator = np.random.default_rng(seed)
    return to_address(render(draw(name, generator), generator))
