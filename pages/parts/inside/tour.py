"""A guided tour: a few words beside each part of the page, one after the other."""

import streamlit as st

from core.language import noop as N_
from pages.shared.language import gettext as _

TOUR = "tour"
"""The address's parameter: the number of the step."""

STEPS = {
    "drawing": N_(
        "Both networks get the drawing as 128 × 128 numbers: 0 where there is paper, "
        "1 where there is ink."
    ),
    "stages": N_(
        "From stage to stage there are more channels and fewer places. The first ones "
        "answer to strokes in one direction, the last ones to parts of things."
    ),
    "channels": N_(
        "Each small picture is a channel: dark where it answers most. Click one to see "
        "which part of the drawing it looks at, and which sketches excite it."
    ),
    "convolution": N_(
        "A convolution slides a small window over the drawing, multiplies what it sees "
        "by its kernel and adds up the products. Move the sliders and watch the sum."
    ),
    "votes": N_(
        "In the end each channel speaks for the guess or against it. Added up, with "
        "the bias, they give the logit; the highest logit is the guess."
    ),
}
"""What each part is told by, in order."""

SCROLL = """
export default () => {
  document.querySelector(".st-key-tour")?.scrollIntoView({ block: "center" });
};
"""


def show_step(part: str) -> None:
    """Shows the tour's step before its part of the page, if it is there now."""
    parts = list(STEPS)
    place = parts.index(part)
    if _step() != place + 1:
        return
    with st.container(key="tour", border=True):
        st.caption(
            _("Tour, step {number} of {total}").format(
                number=place + 1, total=len(parts)
            )
        )
        st.write(_(STEPS[part]))
        with st.container(horizontal=True):
            is_last = place == len(parts) - 1
            if place and st.button(_("Back"), key="tour_back"):
                _go(place)
            if st.button(
                _("End the tour") if is_last else _("Next"),
                key="tour_next",
                type="primary",
            ):
                _go(None if is_last else place + 2)
        st.components.v2.component("tour_scroll", js=SCROLL)(
            key=f"tour_scroll_{place}", height=1
        )


def offer_tour() -> None:
    """Shows the button that begins the tour."""
    if _step() is None and st.button(
        _("Take the tour"), icon=":material/tour:", key="tour_begin"
    ):
        _go(1)


def _step() -> int | None:
    """Returns the step that the address names, if there is one of that number."""
    named = st.query_params.get(TOUR)
    return next((n for n in range(1, len(STEPS) + 1) if str(n) == named), None)


def _go(step: int | None) -> None:
    if step is None:
        del st.query_params[TOUR]
    else:
        st.query_params[TOUR] = str(step)
    st.rerun()
