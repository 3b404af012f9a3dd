"""Drawings as strokes, and the sketch that the networks read of them.

The sketches of TU-Berlin are all drawn alike: the box around the ink is centred and
of one size, and every line is of one thickness. A drawing is redrawn in this way from
its strokes, whatever its own place, size and thickness.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ImageError
from core.sketches.images import IMAGE_SIZE, PAPER
from core.sketches.ink import Segments, clip, cut, erase, lay

FORMAT_VERSION = 1
MAX_STROKES = 5_000
MAX_POINTS = 200_000
"""Of all strokes together; hours of drawing."""
MAX_SIDE = 10_000
"""Of a canvas in pixels; also how wide a stroke may be, and how far it may go."""
MAX_JSON_BYTES = 20_000_000

SPAN = 200.6 / 256
"""Longest side of the box around the lines' middles, in sides of the paper.

Around the ink itself (darker than 40 of 255) it is 202 to 204 of 256 pixels in 90 % of
1,500 training sketches and 202 to 210 in all; the box's centre is never more than 0.012
sides off the paper's."""

MAX_CUT = 0.03
"""Of a box's longest side; lines of 10 of 400 pixels lose 0.006 on average."""

FINE_SIZE = 1024
"""Side of the square in which lines are drawn before they are scaled down."""
LINE_WIDTH = 4
"""In fine pixels: one of the dataset's 256. Of 4 to 7, this came closest to the lines
of 150 training sketches that were traced and drawn anew."""

DATASET_SIZE = 256
"""The sketches were scaled down to this first, which blurred them a little."""

MIN_INK = 70
"""In pixels full of ink, of 128 a side. A straight line from corner to corner has 63;
4 of 16,000 training sketches have less than 70."""

MIN_EXTENT = 0.04
"""Of a drawing worth a guess, in sides of the canvas."""

Coordinate = Annotated[float, Field(ge=-MAX_SIDE, le=MAX_SIDE, allow_inf_nan=False)]


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


def render_sketch(drawing: Drawing, *, span: float | None = None) -> NDArray[np.uint8]:
    """Draws a sketch as the dataset's are drawn.

    What lies outside the canvas is cut off. An eraser takes away what it covers at
    its own width.

    Args:
        drawing: The strokes.
        span: Longest side of the box around the lines, whose middle is the canvas's,
            in pixels of the canvas, where the strokes were traced; they may cut its
            corners by `MAX_CUT`, else they are placed by their own box. By default
            the box is measured.

    Returns:
        Gray values of shape `(128, 128)`: 255 for paper, 0 for full ink. Without ink,
        blank paper.
    """
    return _render(drawing, _bounds(drawing), span=span)


def guessable_sketch(drawing: Drawing) -> NDArray[np.uint8] | None:
    """Draws a sketch by `render_sketch`; None where there is too little to guess by.

    A dot, two dots and one straight line are, and so is what is tiny on its canvas.
    """
    box = _bounds(drawing)
    canvas = max(drawing.width, drawing.height)
    if box is None or float((box[1] - box[0]).max()) < MIN_EXTENT * canvas:
        return None
    sketch = _render(drawing, box)
    return None if is_too_little(sketch) else sketch


def is_too_little(drawing: Drawing | NDArray[np.uint8]) -> bool:
    """Returns whether there is too little to guess what it is.

    Args:
        drawing: A drawing, or a sketch of shape `(128, 128)`.
    """
    if isinstance(drawing, Drawing):
        return guessable_sketch(drawing) is None
    ink = (PAPER - drawing.astype(np.float64)).sum() / PAPER
    return bool(ink < MIN_INK)


def _render(
    drawing: Drawing,
    box: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
    *,
    span: float | None = None,
) -> NDArray[np.uint8]:
    """Draws a sketch of a drawing whose lines lie in a box; see `render_sketch`."""
    if box is None:
        return np.full((IMAGE_SIZE, IMAGE_SIZE), PAPER, dtype=np.uint8)
    low, high = box
    middle = (low + high) / 2
    # A dot has no extent; it is drawn as one.
    extent = max(float((high - low).max()), 1.0)
    if span is not None and (1 - MAX_CUT) * span <= extent <= span:
        middle, extent = np.array([drawing.width, drawing.height]) / 2, span
    side = extent / SPAN
    fine = Image.fromarray(_draw(drawing, middle=middle, side=side))
    ink = fine.reduce(FINE_SIZE // (2 * DATASET_SIZE))
    for size in (DATASET_SIZE, IMAGE_SIZE):
        ink = ink.resize((size, size), Image.Resampling.BILINEAR)
    return PAPER - np.asarray(ink, dtype=np.uint8)


class _StrokeModel(BaseModel):
    """A stroke as JSON."""

    model_config = ConfigDict(strict=True, extra="forbid")

    width: Annotated[float, Field(gt=0, le=MAX_SIDE, allow_inf_nan=False)]
    erases: bool = False
    points: Annotated[
        list[tuple[Coordinate, Coordinate]],
        Field(min_length=1, max_length=MAX_POINTS),
    ]


class DrawingModel(BaseModel):
    """A drawing as JSON."""

    model_config = ConfigDict(strict=True, extra="forbid")

    format_version: Literal[1]
    width: Annotated[int, Field(ge=1, le=MAX_SIDE)]
    height: Annotated[int, Field(ge=1, le=MAX_SIDE)]
    strokes: Annotated[list[_StrokeModel], Field(max_length=MAX_STROKES)]


def to_json(drawing: Drawing) -> str:
    """Writes a drawing as JSON, exactly."""
    return json.dumps(
        {
            "format_version": FORMAT_VERSION,
            "width": drawing.width,
            "height": drawing.height,
            "strokes": [
                {
                    "width": stroke.width,
                    "erases": stroke.erases,
                    "points": stroke.points.tolist(),
                }
                for stroke in drawing.strokes
            ],
        },
        separators=(",", ":"),
    )


def from_json(text: str | bytes) -> Drawing:
    """Reads a drawing that `to_json` wrote.

    Raises:
        ImageError: If it is no such drawing, or larger than one can be.
    """
    if len(text) > MAX_JSON_BYTES:
        raise ImageError(
            "The drawing is {size:,} bytes long; at most {limit:,} can be read.",
            size=len(text),
            limit=MAX_JSON_BYTES,
        )
    try:
        model = DrawingModel.model_validate_json(text)
    except ValidationError as error:
        raise refusal(error) from error
    return from_model(model)


def from_model(model: DrawingModel) -> Drawing:
    """Turns a checked drawing into arrays."""
    check_total(sum(len(stroke.points) for stroke in model.strokes))
    return Drawing(
        strokes=tuple(
            Stroke(
                points=np.array(stroke.points, dtype=np.float32),
                width=stroke.width,
                erases=stroke.erases,
            )
            for stroke in model.strokes
        ),
        width=model.width,
        height=model.height,
    )


def check_total(points: int) -> None:
    """Raises an `ImageError` if a drawing has more points than one can have."""
    if points > MAX_POINTS:
        raise ImageError(
            "The drawing has {total:,} points; at most {limit:,} can be read.",
            total=points,
            limit=MAX_POINTS,
        )


def refusal(error: ValidationError) -> ImageError:
    """Says in one sentence what is wrong with a drawing's first bad field."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"])) or "its beginning"
    return ImageError(
        "The drawing can't be read: at {where}, {reason}.",
        where=where[:80],
        reason=first["msg"][:160],
    )


def _bounds(
    drawing: Drawing,
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Returns the least and greatest x and y of the lines that can be seen."""
    size = np.array([drawing.width, drawing.height], dtype=np.float64)
    if any(stroke.erases for stroke in drawing.strokes):
        whole = float(size.max())
        fine = _draw(drawing, middle=size / 2, side=whole)
        rows, columns = (np.flatnonzero(fine.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return None
        ends = np.array([[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]])
        ends += [[LINE_WIDTH // 2], [-(LINE_WIDTH // 2)]]
        seen = (ends - FINE_SIZE / 2) * whole / FINE_SIZE + size / 2
    else:
        numbers = range(len(drawing.strokes))
        lines = cut([stroke.points for stroke in drawing.strokes], numbers)
        lines = clip(lines, np.zeros(2), size)
        seen = np.concatenate([lines.starts, lines.starts + lines.deltas])
        if not len(seen):
            return None
    return seen.min(axis=0), seen.max(axis=0)


def _draw(
    drawing: Drawing, *, middle: NDArray[np.float64], side: float
) -> NDArray[np.uint8]:
    """Draws the square of canvas about a point.

    Returns:
        0 or, where there is ink, 255, of shape `(FINE_SIZE, FINE_SIZE)`.
    """
    scale = FINE_SIZE / side
    # Lines may overlap the edge by their thickness.
    margin = LINE_WIDTH
    row = FINE_SIZE + 2 * margin

    def place(numbers: list[int]) -> Segments:
        at = cut([drawing.strokes[number].points for number in numbers], numbers)
        starts = (at.starts - middle) * scale + FINE_SIZE / 2 + margin
        # The first stroke is 1: 0 is for pixels that none has covered.
        return Segments(starts, at.deltas * scale, at.numbers + 1)

    erases = [stroke.erases for stroke in drawing.strokes]
    canvas = np.array([[0, 0], [drawing.width, drawing.height]])
    low, high = (canvas - middle) * scale + FINE_SIZE / 2 + margin
    lines = place([number for number, is_one in enumerate(erases) if not is_one])
    lines = clip(lines, np.maximum(low, 0), np.minimum(high, row))
    at, numbers = lay(lines)
    corner = np.floor(at - LINE_WIDTH / 2 + 0.5).astype(np.int64)
    is_on = ((corner >= 0) & (corner <= row - LINE_WIDTH)).all(axis=1)
    flat = corner[is_on, 1] * row + corner[is_on, 0]
    y, x = np.indices((LINE_WIDTH, LINE_WIDTH)) - (LINE_WIDTH - 1) / 2
    nib = (np.argwhere(np.hypot(y, x) <= LINE_WIDTH / 2) @ (row, 1)).tolist()
    inside = slice(margin, -margin)
    if not any(erases):
        grid = np.zeros(row * row, dtype=np.uint8)
        for offset in nib:
            grid[flat + offset] = PAPER
        return grid.reshape(row, row)[inside, inside]
    # Which stroke came to each pixel last; of equal places the last one is kept.
    corners, inked = np.zeros((2, row * row), dtype=np.int32)
    corners[flat] = numbers[is_on]
    for offset in nib:
        later = inked[offset:]
        np.maximum(later, corners[: len(later)], out=later)
    erasers = place([number for number, is_one in enumerate(erases) if is_one])
    widths = np.array([stroke.width for stroke in drawing.strokes]) * scale
    erased = erase(erasers, widths[erasers.numbers - 1], size=row)
    fine = np.where(inked.reshape(row, row) > erased, PAPER, 0).astype(np.uint8)
    return fine[inside, inside]
