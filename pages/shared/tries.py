"""Things to try on the canvas, as the program draws them itself."""

import html
from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.datasets.starter import draw, render
from core.datasets.starter_things import DRAW
from core.runs.reading import Run
from pages.shared.attribution import show_attribution
from pages.shared.language import gettext as _
from pages.shared.language import thing, thing_to_search
from pages.shared.pictures import to_address
from pages.shared.sketches import offer_dataset, sketch_dataset

TRIED = (
    *("envelope", "eyeglasses", "fish", "house", "key", "ladder", "mushroom"),
    *("sailboat", "snowman", "spider", "sun", "umbrella"),
)
"""Of the starter's classes, those that a minute is enough for."""

SHOWN = 6
EXAMPLES = 6
SIDE_PX = 72

STYLE = """
<style>
.small-sketches { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.small-sketches div { width: var(--side); font-size: 0.85rem; line-height: 1.25;
  text-align: center; overflow-wrap: anywhere; white-space: pre-line; }
.small-sketches img { display: block; width: var(--side); height: var(--side);
  background: white; border-radius: 0.35rem; margin-bottom: 0.15rem;
  border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
</style>
"""


def show_tries(runs: Sequence[Run]) -> None:
    """Shows what one may draw that all of some runs know, other things at each visit.

    Args:
        runs: Those that guess.
    """
    names = [
        name
        for name in TRIED
        if all(run.config and name in run.config.class_names for run in runs)
    ]
    state = st.session_state
    seed = state.setdefault("tries", int(np.random.default_rng().integers(1000)))
    turn = state.setdefault("tries_turn", 0)
    order = np.random.default_rng(seed).permutation(names)
    shown = np.roll(order, -turn * SHOWN)[:SHOWN]
    if not names:
        return
    st.markdown(_("**Try one of these**"))
    show_small([starter_picture(name, words=thing(name)) for name in map(str, shown)])
    if len(names) > SHOWN:
        st.button(
            _("Others"),
            icon=":material/shuffle:",
            type="tertiary",
            key="tries_others",
            on_click=lambda: state.update(tries_turn=turn + 1),
        )


def show_known(runs: Sequence[Run]) -> None:
    """Lets one look up what some runs know, and shows how people draw it."""
    names = {name for run in runs if run.config for name in run.config.class_names}
    name = st.selectbox(
        _("The {count} things they know").format(count=len(names)),
        sorted(names, key=thing),
        format_func=thing_to_search,
        index=None,
        placeholder=_("Look one up"),
        key="known",
        width=280,
    )
    if name is None:
        return
    run = next(run for run in runs if run.config and name in run.config.class_names)
    dataset = sketch_dataset(run)
    if dataset is not None:
        examples = [
            dataset.images[row]
            for row, record in enumerate(dataset.records)
            if dataset.class_names[record.label] == name
        ][:EXAMPLES]
        alt = _("Drawing of {label}").format(label=thing(name))
        show_small([(to_address(sketch), alt, "") for sketch in examples])
        show_attribution(dataset)
    elif name in DRAW:
        show_small([starter_picture(name)])
    else:
        offer_dataset(run)


def show_small(
    pictures: Sequence[tuple[str, str, str]], *, side_px: int = SIDE_PX
) -> None:
    """Shows pictures side by side: an address, what it is, lines below it."""
    items = "".join(
        f'<div><img src="{source}" alt="{html.escape(alt)}">{html.escape(words)}</div>'
        for source, alt, words in pictures
    )
    style = f"--side: {side_px}px"
    st.html(f'{STYLE}<div class="small-sketches" style="{style}">{items}</div>')


def starter_picture(name: str, *, words: str = "") -> tuple[str, str, str]:
    """Returns one of the program's own drawings of a class for `show_small`."""
    return _drawn(name), _("Drawing of {label}").format(label=thing(name)), words


@st.cache_data(show_spinner=False)
def _drawn(name: str, seed: int = 1) -> str:
    generator = np.random.default_rng(seed)
    return to_address(render(draw(name, generator), generator))
