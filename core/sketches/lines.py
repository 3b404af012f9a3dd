"""Lines as points along them: rounded off, straightened, measured."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SPACING = 2.0
"""Between the points of a stroke."""

Points = NDArray[np.float64]


def smooth_line(points: Points, *, sigma: float) -> Points:
    """Rounds a stroke off, its ends in place; `sigma` in pixels along it."""
    # Short strokes would shrink to a line.
    sigma = min(sigma, len(points) * SPACING / 10) / SPACING
    return points if sigma < 0.3 else _blur(points, sigma)


def straighten_line(points: Points, *, tolerance: float) -> Points:
    """Keeps few corners, with straight lines between them."""
    tolerance = min(tolerance, float(np.ptp(points, axis=0).max()) / 6)
    is_kept = np.zeros(len(points), dtype=bool)
    is_kept[[0, -1]] = True
    stretches = [(0, len(points) - 1)]
    # Douglas and Peucker (1973).
    while stretches:
        first, last = stretches.pop()
        if last - first < 2:
            continue
        away = points[first + 1 : last] - points[first]
        x, y = points[last] - points[first]
        length = np.hypot(x, y)
        if length > tolerance:
            distance = np.abs(away[:, 0] * y - away[:, 1] * x) / length
        else:
            distance = np.hypot(away[:, 0], away[:, 1])
        furthest = int(distance.argmax())
        if distance[furthest] > tolerance:
            corner = first + 1 + furthest
            is_kept[corner] = True
            stretches += [(first, corner), (corner, last)]
    return resample_line(points[is_kept])


def resample_line(points: Points) -> Points:
    """Lays points along a stroke, about `SPACING` apart, its ends among them."""
    lengths = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    total = float(lengths[-1])
    if not total:
        return points[:1]
    at = np.linspace(0, total, max(round(total / SPACING), 1) + 1)
    return np.stack([np.interp(at, lengths, points[:, k]) for k in (0, 1)], axis=1)


def _blur(points: Points, sigma: float) -> Points:
    """Averages points with their neighbours; a line goes on beyond its ends."""
    reach = min(int(3 * sigma) + 1, len(points) - 1)
    steps = np.arange(-reach, reach + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    weights /= weights.sum()
    before = 2 * points[0] - points[reach:0:-1]
    after = 2 * points[-1] - points[-2 : -2 - reach : -1]
    padded = np.concatenate([before, points, after])
    blurred = [np.convolve(padded[:, axis], weights, mode="valid") for axis in (0, 1)]
    return np.stack(blurred, axis=1)


def line_length(points: Points) -> float:
    """Returns the length of a stroke in pixels."""
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def lines_extent(strokes: Sequence[Points]) -> float:
    """Returns the longest side of the box around strokes."""
    low = np.min([points.min(axis=0) for points in strokes], axis=0)
    high = np.max([points.max(axis=0) for points in strokes], axis=0)
    return float((high - low).max())
