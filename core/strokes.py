"""Drawings as strokes, and the sketch that the networks read of them.

The sketches of TU-Berlin are all drawn alike: the box around the ink is centred and
of one size, and every line is of one thickness. A drawing is redrawn in this way from
its strokes, whatever its own place, size and thickness.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ImageError
from core.images import IMAGE_SIZE, PAPER

FORMAT_VERSION = 1
MAX_STROKES = 5_000
MAX_POINTS = 200_000
"""Of all strokes together: some hours of drawing."""
MAX_SIDE = 10_000
"""Of a canvas in pixels; also how far a stroke may go and how wide it may be."""

SPAN = 200.6 / 256
"""Longest side of the box around the lines' centres, in sides of the paper.

The box around the ink itself (darker than 40 of 255) was 202 to 204 of 256 pixels in
90 % of 1,500 training sketches, 202 to 207 in 98 %, and its centre within a pixel of
the paper's."""

FINE = 8
"""Drawn at this many times the final resolution."""
LINE_WIDTH = 4
INK = 255
"""Width in fine pixels and darkness of a line. A training sketch has 0.95 of 256
pixels full of ink along each pixel of line, spread by the scaling down that it has
been through; these come closest to it."""

USUAL_ZOOM = 1.03
USUAL_SHIFT = 0.012

CURVE_STEPS = 8
"""Straight pieces in which a curve of a canvas path is drawn."""

MIN_LENGTH = 0.25
"""Of all lines that are drawn, in sides of the paper, of a drawing worth a guess.

In 3,000 training sketches ... """


@dataclass(frozen=True, eq=False)
class Stroke:
    """One line as it was drawn.

    Attributes:
        points: Where it goes, `(n, 2)`, x and y in pixels of the canvas, n ≥ 1.
        width: Thickness in pixels of the canvas.
        erases: Whether it takes ink away.
    """

    points: NDArray[np.float32]
    width: float
    erases: bool = False


@dataclass(frozen=True, eq=False)
class Drawing:
    """Strokes in the order in which they were drawn.

    Attributes:
        strokes: The strokes.
        width: Of the canvas in pixels.
        height: Of the canvas in pixels.
    """

    strokes: tuple[Stroke, ...]
    width: int
    height: int


def render_sketch(drawing: Drawing) -> NDArray[np.uint8]:
    """Draws a sketch as the dataset's are drawn.

    What lies outside the canvas is cut off. An eraser takes away what it covers at
    its own width.

    Returns:
        Gray values of shape `(128, 128)`: 255 for paper, 0 for full ink. Without ink,
        blank paper.
    """
    return _render(drawing, drawing.strokes)


def render_sketches(drawing: Drawing) -> NDArray[np.uint8]:
    """Draws the sketch as it was after each stroke, each placed by itself.

    Returns:
        Gray values of shape `(num_strokes, 128, 128)`.
    """
    strokes = drawing.strokes
    sketches = np.empty((len(strokes), IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    for k in range(len(strokes)):
        sketches[k] = _render(drawing, strokes[: k + 1])
    return sketches


def _render(drawing: Drawing, strokes: Sequence[Stroke]) -> NDArray[np.uint8]:
    """Draws some of a drawing's strokes, see `render_sketch`."""
    size = FINE * IMAGE_SIZE
    lines = _pieces(strokes, drawing, step=1.0)
    if any(stroke.erases for stroke in strokes):
        whole = float(max(drawing.width, drawing.height))
        middle = np.array([drawing.width, drawing.height]) / 2
        fine = _draw(strokes, drawing, middle=middle, side=whole)
        y, x = np.nonzero(fine)
        seen = (np.stack([x, y], axis=1) + 0.5 - size / 2) * whole / size + middle
    else:
        seen = np.concatenate([points for points, _ in lines] or [np.empty((0, 2))])
    if not len(seen):
        return np.full((IMAGE_SIZE, IMAGE_SIZE), PAPER, dtype=np.uint8)
    low, high = seen.min(axis=0), seen.max(axis=0)
    # A dot has no extent; it is drawn as one.
    middle = (low + high) / 2
    side = max(float((high - low).max()), 1.0) / SPAN
    paper = float(max(drawing.width, drawing.height))
    centre = np.array([drawing.width, drawing.height]) / 2
    if (
        1/USUAL_ZOOM <= side / paper <= USUAL_ZOOM
        and np.abs(middle - centre).max() <= USUAL_SHIFT * paper
    ):
        middle, side = centre, paper
    fine = _draw(strokes, drawing, middle=middle, side=side)
    ink = Image.fromarray(fine).reduce(2).resize((256, 256), Image.Resampling.BILINEAR)
    ink = ink.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR)
    return PAPER - np.asarray(ink, dtype=np.uint8)


def _draw(
    strokes: Sequence[Stroke],
    drawing: Drawing,
    *,
    middle: NDArray[np.floating],
    side: float,
) -> NDArray[np.uint8]:
    """Draws the square of canvas about a point.

    Returns:
        Ink, 0 or `INK`, of shape `(1024, 1024)`.
    """
    size = FINE * IMAGE_SIZE
    scale = size / side
    # Lines may overlap the edge by their thickness.
    margin = LINE_WIDTH
    grid = np.zeros((size + 2 * margin, size + 2 * margin), dtype=np.uint8)
    for points, stroke in _pieces(strokes, drawing, step=1 / scale):
        at = (points - middle) * scale + size / 2 + margin
        if stroke.erases:
            _erase(grid, at, width=stroke.width * scale)
            continue
        corner = np.floor(at - LINE_WIDTH / 2 + 0.5).astype(np.int64)
        corner = corner[((corner >= 0) & (corner < size + margin)).all(axis=1)]
        flat = np.unique(corner[:, 1] * grid.shape[1] + corner[:, 0])
        grid.reshape(-1)[(flat[:, None] + _nib(grid.shape[1])).reshape(-1)] = INK
    return grid[margin:-margin, margin:-margin]


def _nib(row: int) -> NDArray[np.int64]:
    """Returns the pixels of a round dot, as offsets in rows of `row` pixels."""
    y, x = np.indices((LINE_WIDTH, LINE_WIDTH)) - (LINE_WIDTH - 1) / 2
    y, x = np.nonzero(x**2 + y**2 <= (LINE_WIDTH / 2) ** 2)
    return np.asarray(y * row + x, dtype=np.int64)


def _erase(grid: NDArray[np.uint8], at: NDArray[np.floating], *, width: float) -> None:
    """Takes away the ink along a line, round at its ends and corners."""
    mask = Image.new("1", (grid.shape[1], grid.shape[0]))
    pen = ImageDraw.Draw(mask)
    radius = width / 2
    # As fine as the width asks for.
    kept = at[:: max(round(radius / 4), 1)]
    for x, y in np.concatenate([kept, at[-1:]]).tolist():
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    grid[np.asarray(mask)] = 0


def _pieces(
    strokes: Sequence[Stroke], drawing: Drawing, *, step: float
) -> list[tuple[NDArray[np.float64], Stroke]]:
    """Lays points along each stroke, at most `step` apart, where the canvas is."""
    pieces = []
    for stroke in strokes:
        points = _dense(stroke.points.astype(np.float64), step=step)
        if not stroke.erases:
            inside = (points >= 0) & (points <= (drawing.width, drawing.height))
            points = points[inside.all(axis=1)]
        if len(points):
            pieces.append((points, stroke))
    return pieces


def _dense(points: NDArray[np.float64], *, step: float) -> NDArray[np.float64]:
    """Lays points along a polyline, at most `step` apart."""
    deltas = np.diff(points, axis=0)
    counts = np.maximum(np.ceil(np.hypot(*deltas.T) / step), 1).astype(np.int64)
    total = int(counts.sum())
    which = np.repeat(np.arange(len(deltas)), counts)
    number = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    along = points[which] + deltas[which] * (number / counts[which])[:, None]
    return np.concatenate([along, points[-1:]])
