"""Tells what on a page belongs to the drawing: not dust, edges, frames and dates.

Ink is given from 0 for paper to 1, of shape `(height, width)`; gray values are from 0
to 255.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MIN_INK = 0.12
"""Ink fainter than this is the paper's or the encoder's."""

MAX_SPECK = 0.03
MIN_APART = 0.1
"""Dust is smaller than this share of the largest piece of ink, and further than this
share of the drawing's longest side from it."""

MAX_EDGE = 0.04
"""Share of the picture that the edge of a scanner or of the sheet takes at a side."""

NOTE_APART = 0.3
MAX_NOTE_HEIGHT, MAX_NOTE_AREA = 0.25, 0.12
"""A line of writing is further than this share of the drawing's longest side from the
drawing, and no larger than these shares of its longest side and of its square."""

FRAME_MARGIN = 0.1
"""Share of the picture within which, at each side, a drawn frame runs."""

FRAME_STRIP = 0.06
"""How far, in its own sides, a frame's lines are from its box."""

MIN_FRAMED = 0.2
"""Least longest side of what is framed, in the frame's."""

SHEET_SIDE = 256
"""A sheet is looked for in a picture of this longer side, in pixels."""

MIN_SHEET = 0.15
"""Least share of a photograph that a sheet takes."""

MIN_STEP, MIN_STEP_SHARE = 0.2, 0.7
"""So much lighter than the table, in natural logarithms of gray values, is a sheet
along so much of its edge."""


def drop_dirt(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Leaves out what lies around a drawing and is none of it.

    That is dust, dark stripes along the picture's edges, a frame drawn along them, and
    a line of writing far from the drawing.
    """
    parts, low, high = _pieces(ink)
    down, right = (math.ceil(MAX_EDGE * n) for n in ink.shape)
    is_edge = np.full(len(low) + 1, True)
    is_edge[parts[down:-down, right:-right]] = False
    size = ink.shape[::-1]
    is_edge = is_edge[1:] & ((low == 0) | (high == size)).any(axis=1)
    is_edge |= _is_frame(parts, low, high, is_edge)
    extent = (high - low).max(axis=1)
    is_large = ~is_edge & (extent > MAX_SPECK * extent[~is_edge].max(initial=0))
    if not is_large.any():
        return ink
    least, most = low[is_large].min(axis=0), high[is_large].max(axis=0)
    apart = np.maximum(least - high, low - most).max(axis=1)
    is_far = apart > MIN_APART * (most - least).max()
    is_dirt = is_edge | (~is_large & is_far)
    is_dirt |= _is_note(low, high, ~is_dirt)
    return np.where(np.concatenate([[False], is_dirt])[parts], 0, ink)


def has_frame(ink: NDArray[np.float32]) -> bool:
    """Returns whether a frame is drawn along the edges, around all other ink."""
    # Most pictures have none, and this is told far sooner than what hangs together.
    down, right = (math.ceil(FRAME_MARGIN * n) + 1 for n in ink.shape)
    sides = ink[:down], ink[-down:], ink[:, :right], ink[:, -right:]
    if not all((side > MIN_INK).any() for side in sides):
        return False
    parts, low, high = _pieces(ink)
    is_edge = np.zeros(len(low), dtype=bool)
    return bool(_is_frame(parts, low, high, is_edge).any())


def _pieces(
    ink: NDArray[np.float32],
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """Parts ink into pieces that hang together.

    Returns:
        For each pixel the number of its piece from 1, 0 for paper; and least and
        greatest x and y of each piece, shape `(pieces, 2)`.
    """
    from scipy import ndimage

    parts, _ = ndimage.label(ink > MIN_INK, np.ones((3, 3)))
    box = np.array(
        [(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(parts)]
    )
    return parts, box[:, :2], box[:, 2:]


def _is_frame(
    parts: NDArray[np.int32],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    is_edge: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Returns which piece of ink is a frame around all others, drawn along the edges.

    What is framed is no such frame itself: a screen in its case is a drawing.
    """
    is_frame = np.zeros(len(low), dtype=bool)
    size = np.array(parts.shape[::-1])
    margin = FRAME_MARGIN * size
    is_around = (low <= margin).all(axis=1) & (high >= size - margin).all(axis=1)
    inner = np.flatnonzero(~is_around & ~is_edge)
    frames = np.flatnonzero(is_around)
    if len(frames) != 1 or not len(inner):
        return is_frame
    frame, extent = frames[0], (high - low).max(axis=1)
    largest = inner[extent[inner].argmax()]
    if extent[largest] < MIN_FRAMED * extent[frame]:
        return is_frame
    is_frame[frame] = _is_hollow(parts, frame, low, high) and not _is_hollow(
        parts, largest, low, high
    )
    return is_frame


def _is_hollow(
    parts: NDArray[np.int32],
    part: int,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> bool:
    """Returns whether a piece of ink is a rectangle with nothing in it."""
    (left, top), (right, bottom) = low[part], high[part]
    is_part = parts[top:bottom, left:right] == part + 1
    dy, dx = (max(math.ceil(FRAME_STRIP * n), 2) for n in is_part.shape)
    return not is_part[dy:-dy, dx:-dx].any() and all(
        side.any(axis=axis).mean() > 0.9
        for side, axis in (
            (is_part[:dy], 0),
            (is_part[-dy:], 0),
            (is_part[:, :dx], 1),
            (is_part[:, -dx:], 1),
        )
    )


def _is_note(
    low: NDArray[np.int64], high: NDArray[np.int64], is_ink: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Returns which pieces of ink are of a line of writing far from the drawing."""
    is_note = np.zeros(len(low), dtype=bool)
    pieces = np.flatnonzero(is_ink)
    extent = (high - low).max(axis=1)
    # Begin with the largest piece, and take in what is near until nothing is.
    main = pieces[[extent[pieces].argmax()]]
    for _ in range(len(pieces)):
        least, most = low[main].min(axis=0), high[main].max(axis=0)
        span = float((most - least).max())
        apart = np.maximum(least - high[pieces], low[pieces] - most).max(axis=1)
        near = pieces[apart <= NOTE_APART * span]
        if len(near) == len(main):
            break
        main = near
    rest = np.setdiff1d(pieces, main)
    if not len(rest):
        return is_note
    width, height = high[rest].max(axis=0) - low[rest].min(axis=0)
    is_line = min(width, height) <= MAX_NOTE_HEIGHT * span
    is_note[rest] = is_line and width * height <= MAX_NOTE_AREA * span**2
    return is_note


def find_sheet(values: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Finds a sheet of paper that lies on something darker, around the middle.

    Its edge is where the step between the middle and the picture's border is highest,
    so that uneven light on both is no matter.

    Args:
        values: Gray values of a photograph, from 0 to 255.

    Returns:
        Which pixels are the sheet's, a little inside of its edge; nothing where no
        such sheet is to be seen.
    """
    from scipy import ndimage
    from skimage.filters.rank import median
    from skimage.segmentation import watershed

    height, width = values.shape
    scale = SHEET_SIDE / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    if min(size) < SHEET_SIDE // 8:
        return None
    small = Image.fromarray(values).resize(size, Image.Resampling.BOX)
    # Lines are thinner than what a median leaves.
    light = median(np.asarray(small).round().astype(np.uint8), np.ones((9, 9)))
    light = np.log(np.maximum(light, 1.0))
    step = ndimage.gaussian_gradient_magnitude(light, 1.0)
    markers = np.full(light.shape, 1, dtype=np.int32)
    markers[2:-2, 2:-2] = 0
    y, x = (n // 2 for n in light.shape)
    reach = SHEET_SIDE // 16
    markers[y - reach : y + reach, x - reach : x + reach] = 2
    is_sheet = watershed(step, markers) == 2
    if is_sheet.mean() < MIN_SHEET:
        return None
    inside = ndimage.binary_erosion(is_sheet, iterations=4)
    outside = ~ndimage.binary_dilation(is_sheet, iterations=4)
    rim = is_sheet & ~ndimage.binary_erosion(is_sheet)
    if not inside.any() or not outside.any():
        return None
    lit, dark = (
        light[tuple(ndimage.distance_transform_edt(~where, return_indices=True)[1])]
        for where in (inside, outside)
    )
    if ((lit - dark)[rim] > MIN_STEP).mean() < MIN_STEP_SHARE:
        return None
    large = Image.fromarray(inside).resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(large)


def spread_paper(
    values: NDArray[np.float32], is_sheet: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Goes on with a sheet's paper where it ends, without the lines on it."""
    from scipy import ndimage

    reach = max(max(values.shape) // 100, 1)
    paper = ndimage.grey_closing(values, size=(2 * reach + 1, 2 * reach + 1))
    _, nearest = ndimage.distance_transform_edt(~is_sheet, return_indices=True)
    spread = ndimage.gaussian_filter(paper[tuple(nearest)], reach)
    return np.where(is_sheet, values, spread).astype(np.float32)
