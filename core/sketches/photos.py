"""Finds the drawing in a picture of any kind, and draws it as the dataset's are drawn.

A picture that is like the dataset's in size, place and thickness of lines passes as it
is; another whose lines are as thin is moved and scaled; where they are of another
thickness, or it is a photograph, they are traced and drawn anew, as strokes are.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import ImageError
from core.sketches.images import (
    IMAGE_SIZE,
    PAPER,
    paper_value,
    to_gray,
    to_sketch,
)
from core.sketches.paper import (
    MIN_INK,
    drop_dirt,
    find_sheet,
    has_frame,
    spread_paper,
)
from core.sketches.strokes import DATASET_SIZE, Drawing, render_sketch
from core.sketches.tracing import MAX_LINE_LEVEL, trace

WORK_SIZE = 1024
"""Larger pictures are scaled down to this before anything is looked for."""

BOX_SHARE = 202.5 / 256
"""Longest side of the box around the ink, in sides of the paper, in the dataset."""

USUAL_BOX = (0.775, 0.83)
USUAL_SHIFT = 0.015
"""Where the longest side lies in every one of the 20,000 sketches, and how far at most
the box's centre is from the paper's, in sides of the paper."""

PACKED_BOX = (0.77, 0.88)
PACKED_SHIFT = 0.04
"""The same of all 20,000 once they are packed, which leaves faint rims of ink."""

USUAL_SIDES = (IMAGE_SIZE, DATASET_SIZE, 1111)
"""Of a packed sketch, of the course's pictures and of TU-Berlin's own, in pixels."""

PROBE_SIGMA = 1.5
"""In pixels of `DATASET_SIZE`. So much blurred, lines tell how much ink they have,
sharp or soft."""

USUAL_WIDTH = (0.78, 1.0)
"""Ink across a line in pixels of `DATASET_SIZE`, in the middle of all lines; 0.83 and
0.95 are the 0.1st and 95th percentile of 2,000 sketches. A hard line of 2 pixels of
400 has 1.1."""

USUAL_LEAST_WIDTH = (0.45, 1.25)
"""The same in the thinnest tenth of the lines, which areas that are filled in leave
alone; from 0.6 to 1.22 in all of 20,000 packed sketches."""

HARD_INK, MAX_HARD_SHARE = 0.95, 0.5
"""The dataset's lines are soft. Lines with no gray along their edges are of uneven
thickness once they are scaled down."""

WHITE = PAPER - 5
"""From here on paper is white."""

MIN_PLAIN_SHARE = 0.75
MIN_WHITE_SHARE = 0.5
MAX_PLAIN_DEVIATION = 6
"""How much of a picture must have its paper's gray value, give or take, to be a drawing
that was never on paper; where that is white or black, less will do: a photograph has
hardly a white pixel. Of a TU-Berlin sketch, some 95 % is white; of a bitmap of
28 pixels a side, six tenths may be."""

MIN_PLAIN_CHANGE = 3 * MAX_PLAIN_DEVIATION
"""Gray values from plain paper's from which on it is a line's, not a scanner's grain;
whether lines are dark or light is told from these."""

MIN_SPAN = 0.6
MIN_DARK_INK = 0.25
MAX_WIDTH = 5.5
"""A drawing's longest side in its picture's, the ink of its darkest lines, and how wide
they are, blurred as they may be, in pixels of `DATASET_SIZE` with the drawing as large
as the dataset's. Beyond these the networks that ship lose answers."""

MIN_PAGE_RATIO = 1.2
"""Of the sides of a page, where its longest is longer than `USUAL_SIDES`."""

MIN_FAINT_INK = 0.04
"""Ink of the dataset's own; packed, its lines may be as faint as 0.2."""

RAISED_INK = 0.7
"""What the darkest lines on plain paper have at least before they are traced, so that
faint ones, and those of tiny pictures, have no gaps."""

MIN_PHOTO_INK = 0.1
"""Least share of the light that a line on a photograph takes away."""

BLOCKS = 32
"""Paper is looked for in this many blocks along a photograph's longer side."""


def is_drawn_alike(gray: Image.Image) -> bool:
    """Returns whether a picture is much as the dataset's are, or blank.

    It is on white or black, no page, with no frame around it, and what is drawn is
    large, dark and thin enough that a network names it as if it were the dataset's.
    """
    if max(gray.size) > max(*USUAL_SIDES, MIN_PAGE_RATIO * min(gray.size)):
        return False
    paper = paper_value(gray)
    if _is_gray(paper):
        return False
    small = gray.reduce(max(max(gray.size) // DATASET_SIZE, 1))
    ink = np.abs(np.asarray(small).astype(np.int16) - round(paper))
    dark = ink[ink > MIN_INK * PAPER]
    if not len(dark):
        return True
    low, high = _box(ink, least=MIN_FAINT_INK * PAPER)
    span = float((high - low).max())
    if (
        len(dark) > (1 - MIN_WHITE_SHARE) * ink.size
        or span < MIN_SPAN * max(ink.shape)
        or np.percentile(dark, 95) < MIN_DARK_INK * PAPER
    ):
        return False
    # A line's ink is its length times its width, and twice its length are edges, of
    # which all directions together show 4 / pi in x and y.
    (left, top), (right, bottom) = low.astype(int), high.astype(int)
    lines = ink[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1]
    edges = sum(int(np.abs(np.diff(lines, axis=axis)).sum()) for axis in (0, 1))
    width = 2 * int(lines.sum()) / (edges * math.pi / 4)
    if width > MAX_WIDTH * span / (BOX_SHARE * DATASET_SIZE):
        return False
    return not has_frame(ink.astype(np.float32) / np.float32(PAPER))


def find_sketch(image: Image.Image, *, name: str = "The picture") -> NDArray[np.uint8]:
    """Finds the drawing in a picture.

    Paper may be lighter or darker than the lines, transparent, and unevenly lit.

    Args:
        image: A picture of any mode and size.
        name: What to call it in an error.

    Returns:
        Gray values of shape `(128, 128)`: 255 for paper, 0 for full ink.

    Raises:
        ImageError: If there are no lines on it.
    """
    gray = to_gray(image, reduce=max(max(image.size) // WORK_SIZE, 1))
    ink, raised = _find_ink(gray)
    if ink.max() <= MIN_INK:
        raise ImageError("{path} is blank: there are no lines on it.", path=name)
    if _is_as_the_dataset(gray):
        return to_sketch(image)
    ink = drop_dirt(ink)
    if raised and _is_thin(ink, raised):
        placed = np.clip(_frame(ink, IMAGE_SIZE) / raised, 0, 1)
        return np.asarray(np.rint(PAPER * (1 - placed)), dtype=np.uint8)
    lines, _ = trace(_frame(ink, DATASET_SIZE))
    drawing = Drawing(lines, width=DATASET_SIZE, height=DATASET_SIZE)
    # The ink reaches half a line's width further than its middle; distances to the
    # next pixel of paper make that a quarter of a pixel more.
    width = lines[0].width - 0.5 if lines else 0.0
    return render_sketch(drawing, span=BOX_SHARE * DATASET_SIZE - width)


def line_widths(ink: NDArray[np.float32]) -> tuple[float, float]:
    """Measures how thick lines are.

    Args:
        ink: From 0 for paper to 1, of shape `(256, 256)`.

    Returns:
        Ink across a line, in pixels: the 10th percentile and the median along all
        lines; infinite where there are none.
    """
    from scipy import ndimage
    from skimage.morphology import skeletonize

    blurred = ndimage.gaussian_filter(ink, PROBE_SIGMA, mode="constant")
    along = blurred[skeletonize(ink >= MAX_LINE_LEVEL)]
    if not len(along):
        return math.inf, math.inf
    least, usual = np.percentile(along, (10, 50)) * PROBE_SIGMA * math.sqrt(math.tau)
    return float(least), float(usual)


def _is_as_the_dataset(gray: Image.Image) -> bool:
    """Returns whether size, place on white and lines are as in the dataset."""
    paper = paper_value(gray)
    if _is_gray(paper) or gray.width != gray.height:
        return False
    ink = np.abs(np.asarray(gray, dtype=np.float32) - paper) / PAPER
    if ink.max() <= MIN_INK:
        return False
    low, high = _box(ink, least=MIN_FAINT_INK)
    span = float((high - low).max()) / gray.width
    shift = float(np.abs((low + high - gray.width) / 2).max()) / gray.width
    is_packed = gray.width == IMAGE_SIZE
    if not _is_within(span, PACKED_BOX if is_packed else USUAL_BOX):
        return False
    if shift > (PACKED_SHIFT if is_packed else USUAL_SHIFT):
        return False
    ink[ink < MIN_INK] = 0
    if gray.width in USUAL_SIDES:
        least, _ = line_widths(_frame(ink, DATASET_SIZE))
        if _is_within(least, USUAL_LEAST_WIDTH):
            return True
    return _is_thin(ink)


def _is_thin(ink: NDArray[np.float32], raised: float = 1.0) -> bool:
    """Returns whether lines are as thin and soft as the dataset's."""
    _, width = line_widths(_frame(ink, DATASET_SIZE) / raised)
    is_hard = (ink[ink > MIN_INK] > HARD_INK * raised).mean() > MAX_HARD_SHARE
    return _is_within(width, USUAL_WIDTH) and not is_hard


def _is_gray(paper: float) -> bool:
    """Returns whether paper is neither white nor black."""
    return PAPER - WHITE < paper < WHITE


def _is_within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _find_ink(gray: Image.Image) -> tuple[NDArray[np.float32], float]:
    """Tells ink from paper.

    Returns:
        Ink from 0 to 1 for each pixel, and by how much faint lines on plain paper were
        raised, where 1 is black on white; 0 where the paper isn't plain, as no
        photograph's is, and 1 of ink is the usual line.
    """
    values = np.asarray(gray, dtype=np.float32)
    paper = paper_value(gray)
    least = MIN_PLAIN_SHARE if _is_gray(paper) else MIN_WHITE_SHARE
    is_plain = (np.abs(values - paper) <= MAX_PLAIN_DEVIATION).mean() > least
    if is_plain:
        change = paper - values
        strong = change[np.abs(change) > MIN_PLAIN_CHANGE]
        if strong.sum() < 0:
            change, paper = -change, PAPER - paper
        ink = change / max(paper, 1)
        dark = ink[ink > MIN_INK]
        peak = float(np.percentile(dark, 95)) if len(dark) else 1.0
        raised = max(RAISED_INK / peak, 1.0)
        ink *= raised
        return np.where(ink < MIN_INK, 0, ink).astype(np.float32), raised
    is_sheet = find_sheet(values)
    if is_sheet is not None:
        on_sheet = _find_lines(spread_paper(values, is_sheet))
        on_sheet[~is_sheet] = 0
        if on_sheet.max() > MIN_INK:
            return on_sheet, 0.0
    return _find_lines(values), 0.0


def _find_lines(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Tells lines from the paper of a photograph, dark or light, in uneven light."""
    from scipy import ndimage

    side = max(values.shape)
    values = ndimage.gaussian_filter(values, side / WORK_SIZE)
    # Lines are fewer than paper, so that the median is the paper's.
    change = _background(values, percentile=50, blocks=BLOCKS // 2) - values
    change[np.abs(change) < 0.1 * PAPER] = 0
    if change.sum() < 0:
        values = PAPER - values
    light = np.maximum(_background(values, percentile=75, blocks=BLOCKS), 1)
    ink = (light - values) / light
    noise = 1.4826 * float(np.median(np.abs(values - light))) / light
    strong = ink[ink > np.maximum(6 * noise, MIN_PHOTO_INK)]
    peak = float(np.percentile(strong, 97)) if len(strong) else 0.0
    level = np.maximum(4 * noise, 0.3 * max(peak, MIN_PHOTO_INK))
    is_ink = ink > level
    parts, number = ndimage.label(is_ink, np.ones((3, 3)))
    strongest = np.zeros(number + 1, dtype=np.float32)
    np.maximum.at(strongest, parts[is_ink], (ink / level)[is_ink])
    sizes = np.bincount(parts.ravel())
    is_line = (strongest > 1.5) & (sizes > (side / 150) ** 2)
    is_line[0] = False
    ink = np.where(
        ndimage.binary_dilation(is_line[parts], iterations=2), ink / (2 * level), 0
    )
    return np.clip(ink, 0, 1).astype(np.float32) * (2 * MAX_LINE_LEVEL)


def _background(
    values: NDArray[np.float32], *, percentile: float, blocks: int
) -> NDArray[np.float32]:
    """Estimates the paper's gray value at each pixel of a photograph."""
    from scipy import ndimage

    height, width = values.shape
    block = max(-(-max(height, width) // blocks), 1)
    padded = np.pad(values, ((0, -height % block), (0, -width % block)), mode="edge")
    tiles = padded.reshape(
        padded.shape[0] // block, block, padded.shape[1] // block, block
    )
    light = np.percentile(tiles, percentile, axis=(1, 3)).astype(np.float32)
    # Light that falls off goes on doing so beyond the edge.
    light = np.pad(light, 2, mode="reflect", reflect_type="odd")
    light = ndimage.grey_closing(light, size=(5, 5))[2:-2, 2:-2]
    light = ndimage.gaussian_filter(light, 1, mode="nearest")
    size = (padded.shape[1], padded.shape[0])
    smooth = Image.fromarray(light).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(smooth, dtype=np.float32)[:height, :width]


def _box(
    ink: NDArray[np.float32], *, least: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the least and greatest x and y of the ink."""
    rows, columns = (np.flatnonzero(ink.max(axis=axis) > least) for axis in (1, 0))
    return (
        np.array([columns[0], rows[0]], dtype=np.float64),
        np.array([columns[-1] + 1, rows[-1] + 1], dtype=np.float64),
    )


def _frame(ink: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Places a drawing as the dataset's are, in a square of `size` pixels a side."""
    low, high = _box(ink, least=MIN_INK)
    side = float((high - low).max()) / BOX_SHARE
    low = (low + high - side) / 2
    left, top = np.maximum(np.ceil(-low), 0).astype(int)
    right, bottom = np.maximum(np.ceil(low + side - ink.shape[::-1]), 0).astype(int)
    padded = Image.fromarray(np.pad(ink, ((top, bottom), (left, right))))
    x, y = low + np.array([left, top])
    method = Image.Resampling.BICUBIC if size > side else Image.Resampling.BILINEAR
    box = (
        max(x, 0),
        max(y, 0),
        min(x + side, padded.width),
        min(y + side, padded.height),
    )
    return np.asarray(padded.resize((size, size), method, box=box), dtype=np.float32)
