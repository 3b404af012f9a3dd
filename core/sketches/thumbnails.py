"""Many small sketches in a few pictures, as a browser shows them one by one."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHEET_COLUMNS = 32
"""And as many rows."""

SHEET_PX = 64
"""Each way, of one sketch on it."""

LEVELS = 4
"""Of gray. Lines stay smooth, and a sketch takes about 130 bytes."""

INK = 2.0
"""Lines are a pixel or two wide; at half the size they would be pale without."""


def sketch_sheets(
    images: NDArray[np.uint8], rows: NDArray[np.integer]
) -> tuple[bytes, ...]:
    """Puts sketches side by side, row by row, as many sheets as they need.

    Args:
        images: Gray values of shape `(n, 128, 128)`; 255 is paper.
        rows: Which of them, in this order.

    Returns:
        WebP pictures, each of `SHEET_COLUMNS` times as many sketches.
    """
    per_sheet = SHEET_COLUMNS**2
    return tuple(
        _sheet(images[rows[start : start + per_sheet]])
        for start in range(0, len(rows), per_sheet)
    )


def _sheet(sketches: NDArray[np.uint8]) -> bytes:
    dark = sketches[:, ::2, ::2].astype(np.uint16)
    for down, right in ((0, 1), (1, 0), (1, 1)):
        dark += sketches[:, down::2, right::2]
    # From four pixels' sum to one of a few grays.
    ink = np.minimum((4 * 255 - np.arange(4 * 255 + 1)) * INK / (4 * 255), 1)
    grays = 255 - np.rint(ink * (LEVELS - 1)) * (255 // (LEVELS - 1))
    count = len(sketches)
    small = np.full((SHEET_COLUMNS**2, SHEET_PX, SHEET_PX), 255, dtype=np.uint8)
    small[:count] = grays.astype(np.uint8)[dark]
    used = -(-count // SHEET_COLUMNS)
    grid = small[: used * SHEET_COLUMNS].reshape(
        used, SHEET_COLUMNS, SHEET_PX, SHEET_PX
    )
    sheet = grid.swapaxes(1, 2).reshape(used * SHEET_PX, SHEET_COLUMNS * SHEET_PX)
    stream = io.BytesIO()
    Image.fromarray(sheet).save(stream, "WEBP", lossless=True, quality=20, method=1)
    return stream.getvalue()
