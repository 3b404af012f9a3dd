"""Lines laid on a grid, in bounded time and memory, whatever lines they are.

Coordinates are pixels of the grid. What lies off it is cut off before anything is laid,
and what would be laid over and over is laid more coarsely.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

MAX_LAID = 400_000
"""Points that are laid one pixel apart; where lines are longer, they are further apart.
With lines of 4 pixels, a grid of 1024 a side is full of ink after 260,000."""

ERASER_PX = 2
"""Erasers are drawn in squares of so many pixels; at 1024, a quarter of a pixel of the
sketch that is made of it."""

MAX_ERASED = 50_000_000
"""Such squares that discs of erasers cover, one after another, before fewer are laid:
four times a whole canvas, rubbed out with an eraser of a quarter of its side."""

DISC_COST = 1000
"""What a disc costs beside its area, in squares."""

ROWS_OF_ARC = 65
"""Corners of a side of a disc that is much larger than the grid."""


@dataclass(frozen=True, eq=False)
class Segments:
    """Straight pieces of lines, each from `starts` to `starts + deltas`.

    Attributes:
        starts: Shape `(n, 2)`, x and y.
        deltas: Shape `(n, 2)`; nothing for a dot and for a line's last point.
        numbers: Which line each is of, ascending, shape `(n,)`.
    """

    starts: NDArray[np.float64]
    deltas: NDArray[np.float64]
    numbers: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.float64]:
        """Of each piece."""
        return np.asarray(np.hypot(self.deltas[:, 0], self.deltas[:, 1]))


def cut(lines: Sequence[NDArray[np.floating]], numbers: Sequence[int]) -> Segments:
    """Cuts lines of shapes `(points, 2)` into their straight pieces."""
    if not lines:
        return Segments(np.empty((0, 2)), np.empty((0, 2)), np.empty(0, np.int64))
    counts = [len(line) for line in lines]
    points = np.concatenate(lines).astype(np.float64)
    deltas = np.diff(points, axis=0, append=points[-1:])
    deltas[np.cumsum(counts) - 1] = 0
    return Segments(points, deltas, np.repeat(numbers, counts))


def clip(
    segments: Segments, low: NDArray[np.float64], high: NDArray[np.float64]
) -> Segments:
    """Keeps what lies in a box, its sides included (Liang and Barsky 1984).

    Args:
        segments: The pieces.
        low: Least x and y, of shape `(2,)`, or `(n, 2)` for a box a piece.
        high: The greatest.
    """
    starts, deltas = segments.starts, segments.deltas
    with np.errstate(divide="ignore", invalid="ignore"):
        one, two = (low - starts) / deltas, (high - starts) / deltas
    # A piece that doesn't move along an axis is in the box there, or never.
    is_still = deltas == 0
    is_in = (starts >= low) & (starts <= high)
    one = np.where(is_still, np.where(is_in, -np.inf, np.inf), one)
    two = np.where(is_still, np.inf, two)
    enters = np.maximum(np.minimum(one, two).max(axis=1), 0)
    leaves = np.minimum(np.maximum(one, two).min(axis=1), 1)
    kept = enters <= leaves
    share = (leaves - enters)[kept, None]
    # What is not cut stays exactly as it is.
    return Segments(
        starts[kept] + deltas[kept] * enters[kept, None],
        deltas[kept] * share,
        segments.numbers[kept],
    )


def lay(segments: Segments) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Lays points along pieces, at most a pixel apart but for `MAX_LAID`.

    Returns:
        Points of shape `(m, 2)`, and the number of each one's line.
    """
    lengths = segments.lengths
    step = max(float(lengths.sum()) / MAX_LAID, 1.0)
    counts = np.maximum(np.ceil(lengths / step), 1).astype(np.int64)
    return _spread(segments, counts)


def erase(
    segments: Segments, widths: NDArray[np.float64], *, size: int
) -> NDArray[np.int32]:
    """Draws erasers, round at their ends and corners, one after another.

    Args:
        segments: Their pieces.
        widths: Of the eraser of each piece, shape `(n,)`.
        size: Side of the grid.

    Returns:
        The number of the last eraser that covers each pixel, 0 where none does, of
        shape `(size, size)`.
    """
    side = -(-size // ERASER_PX)
    picture = Image.new("I", (side, side))
    pen = ImageDraw.Draw(picture)
    centres, radii, numbers = _discs(segments, widths / 2, size=size)
    discs = zip(centres.tolist(), radii.tolist(), numbers.tolist(), strict=True)
    for (x, y), radius, number in discs:
        if radius <= side:
            box = (x - radius, y - radius, x + radius, y + radius)
            pen.ellipse(box, fill=number)
        else:
            _draw_large_disc(pen, x, y, radius, number, side=side)
    erased = np.asarray(picture)
    doubled = erased.repeat(ERASER_PX, axis=0).repeat(ERASER_PX, axis=1)
    return doubled[:size, :size]


def _discs(
    segments: Segments, radii: NDArray[np.float64], *, size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Returns centres, radii and numbers of the discs of erasers, in their squares."""
    reach = radii[:, None]
    kept = Segments(segments.starts, segments.deltas, np.arange(len(radii)))
    kept = clip(kept, -reach, size + reach)
    radii = radii[kept.numbers] / ERASER_PX
    numbers = segments.numbers[kept.numbers]
    starts, deltas = kept.starts / ERASER_PX, kept.deltas / ERASER_PX
    pieces = Segments(starts, deltas, np.arange(len(radii)))
    # As fine as the width asks for.
    spacing = np.maximum(radii / 4, 1)
    cost = np.minimum(np.pi * radii**2, (size / ERASER_PX) ** 2) + DISC_COST
    total = float((pieces.lengths / spacing * cost).sum())
    along = pieces.lengths / (spacing * max(total / MAX_ERASED, 1.0))
    points, piece = _spread(pieces, np.maximum(np.ceil(along), 1).astype(np.int64))
    # Of points that follow one another more closely than that, one is enough.
    passed = np.concatenate([[0], np.cumsum(along)])[:-1]
    first = np.searchsorted(piece, piece)
    counts = np.bincount(piece, minlength=len(along))[piece]
    place = passed[piece] + along[piece] * (np.arange(len(piece)) - first) / counts
    step = np.floor(place)
    is_new = np.ones(len(piece), dtype=bool)
    of = numbers[piece]
    is_new[1:] = (np.diff(step) > 0) | (np.diff(of) > 0)
    is_new[:-1] |= np.diff(of) > 0
    is_new[-1:] = True
    return points[is_new], radii[piece][is_new], of[is_new]


def _draw_large_disc(
    pen: ImageDraw.ImageDraw,
    x: float,
    y: float,
    radius: float,
    number: int,
    *,
    side: int,
) -> None:
    """Draws the part of a disc that lies on the grid."""
    top, bottom = max(y - radius, -1.0), min(y + radius, side + 1.0)
    rows = np.linspace(top, bottom, ROWS_OF_ARC)
    half = np.sqrt(np.maximum(radius**2 - (rows - y) ** 2, 0))
    left, right = np.clip(x - half, -1, side + 1), np.clip(x + half, -1, side + 1)
    corners = np.stack([np.r_[left, right[::-1]], np.r_[rows, rows[::-1]]], axis=1)
    pen.polygon([(a, b) for a, b in corners.tolist()], fill=number)


def _spread(
    segments: Segments, counts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Lays `counts` points along each piece, its start among them."""
    which = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    share = (place / counts[which])[:, None]
    points = segments.starts[which] + segments.deltas[which] * share
    return points, segments.numbers[which]
