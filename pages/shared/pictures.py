"""Small pictures of a run's test sketches, for the card of a chart's point."""

import base64
import io

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from core.datasets.store import Dataset
from core.runs.evaluation import Evaluation
from core.sketches.thumbnails import SHEET_COLUMNS, SHEET_PX, sketch_sheets

MOST_PICTURES = 20_000
"""They take 160 bytes each on their way. Where there are more, a card is words."""

SCRIPT = """
export default function ({ data }) {
  globalThis.sketchSheets = data;
}
"""


def pictures_key(evaluation: Evaluation, dataset: Dataset | None) -> str | None:
    """Returns what a chart's cards call these pictures; None where there are none."""
    if dataset is None or len(evaluation.ids) > MOST_PICTURES:
        return None
    return f"{evaluation.metrics['run_id']} {dataset.fingerprint}"


def load_pictures(evaluation: Evaluation, dataset: Dataset | None) -> None:
    """Sends the pictures to the browser.

    An element of its own, to be called last: the chart does not wait for it, and it is
    not sent again as the chart changes.
    """
    key = pictures_key(evaluation, dataset)
    if key is None or dataset is None:
        return
    rows = np.array([dataset.rows[sketch] for sketch in evaluation.ids])
    component = st.components.v2.component("pictures", js=SCRIPT)
    component(
        key="pictures",
        height=1,
        data={
            "key": key,
            "px": SHEET_PX,
            "columns": SHEET_COLUMNS,
            "urls": _sheets(dataset.images, rows, dataset.fingerprint),
        },
    )


@st.cache_data(max_entries=3, show_spinner=False)
def _sheets(
    _images: NDArray[np.uint8], rows: NDArray[np.int64], fingerprint: str
) -> list[str]:
    del fingerprint  # A part of the key.
    return [
        f"data:image/webp;base64,{base64.b64encode(sheet).decode()}"
        for sheet in sketch_sheets(_images, rows)
    ]


def to_address(gray: NDArray[np.uint8]) -> str:
    """Returns gray values of shape `(height, width)` as an image's address."""
    stream = io.BytesIO()
    Image.fromarray(gray).save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
