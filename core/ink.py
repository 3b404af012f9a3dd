"""Finds the drawing in a picture of any kind, as the networks know drawings."""
from dataclasses import dataclass
from typing import Any
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from core.strokes import Drawing, Stroke, render_sketch

def trace(ink: NDArray[np.float32]) -> tuple[Stroke, ...]:
    """Traces the lines of a picture along their middles.

    Args:
        ink: From 0 for paper to 1, of shape `(height, width)`.

    Returns:
        One stroke for each stretch of line between ends and crossings.
    """
    from scipy import ndimage
    from skimage.morphology import skeletonize

    mask = ink >= 0.5
    middle = skeletonize(mask)
    depth = ndimage.distance_transform_edt(mask)
    y, x = np.nonzero(middle)
    centres = _line_centres(ink, y, x)
    lines = [centres[path] for path in _paths(middle)]
    radius = float(np.median(depth[middle]))
    lines += _hatching(depth, radius=radius)
    return tuple(Stroke(points=points, width=2 * radius) for points in lines)


SOLID = 1.8
def _hatching(depth, *, radius):
    """Lays lines through what is too thick to be a line."""
    from scipy import ndimage
    core = depth > SOLID * radius
    if not core.any():
        return []
    solid = (depth > 0) & (ndimage.distance_transform_edt(~core) <= (SOLID - 0.5) * radius)
    lines = []
    for y in range(0, len(solid), STEP):
        row = np.flatnonzero(np.diff(np.pad(solid[y], 1).astype(np.int8)))
        for left, right in row.reshape(-1, 2).tolist():
            lines.append(np.array([[left + 0.5, y + 0.5], [right - 0.5, y + 0.5]], np.float32))
    return lines
STEP = 2

def _line_centres(ink, y, x, sigma=1.2):
    from scipy import ndimage
    blur = lambda values: ndimage.gaussian_filter(values, sigma, truncate=3, mode="constant")[y, x]
    rows, cols = np.indices(ink.shape, dtype=np.float32)
    weight = np.maximum(blur(ink), 1e-6)
    return np.stack([blur(ink * cols) / weight, blur(ink * rows) / weight], axis=1).astype(np.float32) + np.float32(0.5)


def _paths(middle):
    """Returns the stretches of a skeleton, as indices into its pixels in row order."""
    height, width = middle.shape
    y, x = np.nonzero(middle)
    index = np.full((height + 2, width + 2), -1, dtype=np.int64)
    index[y + 1, x + 1] = np.arange(len(y))
    def at(dy, dx):
        return index[y + 1 + dy, x + 1 + dx]
    neighbours = [[] for _ in range(len(y))]
    straight = {d: at(*d) for d in ((0, 1), (0, -1), (1, 0), (-1, 0))}
    edges = [(d, straight[d]) for d in ((0, 1), (1, 0))]
    for dy, dx in ((1, 1), (1, -1)):
        # A diagonal is no way of its own where a corner joins the same pixels.
        other = at(dy, dx)
        other = np.where((straight[(dy, 0)] >= 0) | (straight[(0, dx)] >= 0), -1, other)
        edges.append(((dy, dx), other))
    for _, other in edges:
        for a in np.flatnonzero(other >= 0).tolist():
            b = int(other[a])
            neighbours[a].append(b)
            neighbours[b].append(a)
    paths = []
    unused = [set(n) for n in neighbours]
    ends = [i for i, n in enumerate(neighbours) if len(n) != 2]
    for start in [*ends, *range(len(neighbours))]:
        if not neighbours[start]:
            paths.append([start])
        while unused[start]:
            path = [start]
            here = start
            while True:
                there = unused[here].pop()
                unused[there].discard(here)
                path.append(there)
                here = there
                if len(neighbours[here]) != 2 or not unused[here]:
                    break
            paths.append(path)
    return paths
