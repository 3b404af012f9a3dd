"""A picture instead of a drawing: uploaded, and read once."""

import threading
from pathlib import Path
from typing import Annotated

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.errors import ImageError
from core.inference.turning import find_turned, turn
from core.language import plain
from core.sketches.formats import EXTENSIONS
from core.sketches.images import MAX_VISITOR_PIXELS
from core.sketches.reading import WHOLE, Box, read_drawing, read_preview
from pages.shared.language import gettext as _
from pages.shared.language import percent, say, thing
from pages.shared.networks import Network
from pages.shared.pictures import to_address

MAX_UPLOAD_MB = 20

PREVIEW_PX = 280
"""The longest side of the picture that a box is dragged on."""

FOLDER = Path(__file__).parent
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_box = TypeAdapter(tuple[Share, Share, Share, Share])

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
            return read_once(upload, pick_part(upload))
        except ImageError as error:
            st.error(say(error), icon=":material/broken_image:")
            return None


def pick_part(upload: UploadedFile) -> Box:
    """Lets one drag a box around the drawing, where the picture has more on it.

    Raises:
        ImageError: If the picture can't be read.
    """
    if not st.toggle(_("The drawing is only a part of it"), key="draw_part"):
        return WHOLE
    state = st.session_state
    if state.get("draw_preview_of") != upload.file_id:
        check_size(upload)
        with one_at_a_time:
            preview = read_preview(
                upload.getvalue(),
                name=upload.name,
                side=PREVIEW_PX,
                max_pixels=MAX_VISITOR_PIXELS,
            )
        state["draw_preview"] = to_address(preview)
        state["draw_preview_of"] = upload.file_id
    st.caption(
        _(
            "Drag a box around the drawing. Arrow keys move it; with Shift, its lower "
            "right corner."
        )
    )
    component = st.components.v2.component(
        "part",
        html='<div class="part" role="group" tabindex="0">'
        '<img alt=""><span></span></div>',
        css=(FOLDER / "part.css").read_text(encoding="utf-8"),
        js=(FOLDER / "part.js").read_text(encoding="utf-8"),
    )
    told = component(
        key=f"draw_part_{upload.file_id}",
        data={"picture": state["draw_preview"], "label": _("The picture, with a box")},
        default={"box": list(WHOLE)},
        on_box_change=lambda: None,
    )
    try:
        left, top, right, bottom = _box.validate_python(told.box)
    except ValidationError:
        return WHOLE
    return (left, top, right, bottom) if left < right and top < bottom else WHOLE


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


def read_once(upload: UploadedFile, box: Box = WHOLE) -> NDArray[np.uint8]:
    """Reads a part of an upload as a sketch, once for as long as it is there.

    Raises:
        ImageError: If it can't be read, or is blank.
    """
    state = st.session_state
    if state.get("draw_picture_of") != (upload.file_id, box):
        state["draw_picture_of"] = None
        check_size(upload)
        with one_at_a_time:
            state["draw_picture"] = read_drawing(
                upload.getvalue(),
                name=upload.name,
                max_pixels=MAX_VISITOR_PIXELS,
                box=box,
            )
        state["draw_picture_of"] = upload.file_id, box
    sketch: NDArray[np.uint8] = state["draw_picture"]
    return sketch


def check_size(upload: UploadedFile) -> None:
    """Raises `ImageError` where an upload has more bytes than the page says."""
    if upload.size > MAX_UPLOAD_MB * 2**20:
        raise ImageError(
            _("{path} has more than {limit} MB.").format(
                path=upload.name, limit=MAX_UPLOAD_MB
            )
        )
