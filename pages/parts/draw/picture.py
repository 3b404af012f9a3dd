"""A picture instead of a drawing: uploaded, and read once."""

import threading

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.errors import ImageError
from core.inference.turning import find_turned, turn
from core.language import plain
from core.sketches.formats import EXTENSIONS
from core.sketches.images import MAX_VISITOR_PIXELS
from core.sketches.photos import read_drawing
from pages.shared.language import gettext as _
from pages.shared.language import percent, say, thing
from pages.shared.networks import Network

MAX_UPLOAD_MB = 20

one_at_a_time = threading.Lock()
"""For all visitors: a large picture takes up to 400 MB while it is decoded."""


def pick_picture() -> NDArray[np.uint8] | None:
    """Takes a picture instead of a drawing; returns it as a sketch."""
    with st.expander(_("Use a picture instead"), icon=":material/upload:"):
        upload = st.file_uploader(
            _("A scan, photo or file of a drawing: any picture, SVG or PDF"),
            type=[extension.removeprefix(".") for extension in EXTENSIONS],
            max_upload_size=MAX_UPLOAD_MB,
            key="draw_upload",
        )
        if upload is None:
            return None
        try:
            return read_once(upload)
        except ImageError as error:
            st.error(say(error), icon=":material/broken_image:")
            return None


def offer_turn(network: Network, picture: NDArray[np.uint8]) -> None:
    """Offers to turn a picture, and says so where the drawing may lie on its side."""
    (turned,) = find_turned(network.classifier, picture[None])
    quarters = 1 if turned is None else turned.quarters
    if turned is not None:
        st.info(
            _(
                "It may lie on its side. Turned by 90°: {name}, {share} ({network})."
            ).format(
                network=plain(network.name),
                name=plain(thing(turned.guess.class_name)),
                share=percent(turned.guess.probability),
            ),
            icon=":material/screen_rotation:",
        )
    if st.button(
        _("Turn by 90°"),
        icon=f":material/rotate_90_degrees_{'ccw' if quarters == 1 else 'cw'}:",
        key="draw_turn",
    ):
        st.session_state["draw_picture"] = turn(picture, quarters)
        st.rerun()


def read_once(upload: UploadedFile) -> NDArray[np.uint8]:
    """Reads an upload as a sketch, once for as long as it is there."""
    state = st.session_state
    if state.get("draw_picture_of") != upload.file_id:
        state["draw_picture_of"] = None
        if upload.size > MAX_UPLOAD_MB * 2**20:
            raise ImageError(
                _("{path} has more than {limit} MB.").format(
                    path=upload.name, limit=MAX_UPLOAD_MB
                )
            )
        with one_at_a_time:
            state["draw_picture"] = read_drawing(
                upload.getvalue(), name=upload.name, max_pixels=MAX_VISITOR_PIXELS
            )
        state["draw_picture_of"] = upload.file_id
    sketch: NDArray[np.uint8] = state["draw_picture"]
    return sketch
