"""Traces the lines of a picture: ink becomes paths along its middle."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.sketches.paper import MIN_INK
from core.sketches.strokes import Stroke

LINE_LEVEL = 0.4
MAX_LINE_LEVEL = 0.3
"""Where a line begins, as a share of what the darkest lines have, and at most."""

THICK = 2.0
"""Half thickness in pixels of the frame from which on a line is thick."""

MERGED = 1.3
"""Times the usual half thickness: what is deeper is more than one thick line."""

SOLID, SOLID_THICK = 1.8, 3.5
"""Times the usual half thickness: what is deeper is no line but an area.
Thick lines run together before that."""

MARGIN = 2
"""Pixels of paper around the ink that are looked at."""


def trace(ink: NDArray[Any]) -> tuple[tuple[Stroke, ...], float]:
    """Traces the lines of a drawing along their middles.

    Args:
        ink: From 0 for paper to 1, of shape `(height, width)`.

    Returns:
        A stroke for each stretch of line between ends and crossings, and strokes that
        fill what is no line but an area; and the amount of ink along a pixel of line.
    """
    from scipy import ndimage
    from skimage.morphology import skeletonize

    dark = ink[ink > MIN_INK]
    if not len(dark):
        return (), 0.0
    peak = float(np.percentile(dark, 95))
    # All that follows takes as long as there are pixels.
    rows, columns = (np.flatnonzero((ink > MIN_INK).any(axis=n)) for n in (1, 0))
    top, left = max(rows[0] - MARGIN, 0), max(columns[0] - MARGIN, 0)
    ink = ink[top : rows[-1] + 1 + MARGIN, left : columns[-1] + 1 + MARGIN]
    mask = ink >= min(LINE_LEVEL * peak, MAX_LINE_LEVEL)
    depth = ndimage.distance_transform_edt(mask)
    radius = float(np.median(depth[skeletonize(mask)]))
    if radius > THICK:
        # Rough edges of a thick line would grow side branches.
        mask = ndimage.gaussian_filter(mask.astype(np.float32), radius / 2) >= 0.5
    middle = skeletonize(mask)
    sigma = max(1.2, radius / 2)
    centres = _centres(np.clip(ink, 0, 1), middle, sigma=sigma)
    length = len(centres)
    if radius > THICK:
        merged = _merged(depth, radius=radius)
        rim = merged & ~ndimage.binary_erosion(merged)
        whole = skeletonize((middle & ~merged) | rim)
        y, x = np.nonzero(whole)
        number = np.cumsum(middle).reshape(middle.shape) - 1
        plain = np.stack([x, y], axis=1).astype(np.float32) + np.float32(0.5)
        is_line = (middle & ~merged)[y, x]
        centres = np.where(is_line[:, None], centres[number[y, x]], plain)
        middle = whole
    lines = [centres[path] for path in _paths(middle)]
    lines += _fill(depth, radius=radius)
    corner = np.array([left, top], dtype=np.float32)
    return (
        tuple(Stroke(points=points + corner, width=2 * radius) for points in lines),
        float(ink.sum() / max(length, 1)),
    )


def _merged(depth: NDArray[np.floating], *, radius: float) -> NDArray[np.bool_]:
    """Finds where thick lines have run together.

    A pen's middle goes no deeper than its radius from the edge of the ink, so that the
    outermost lines run along the rim of what is deeper.
    """
    from scipy import ndimage

    core = depth > MERGED * radius
    if not core.any():
        return core
    near = ndimage.distance_transform_edt(~core) <= (MERGED - 1) * radius + 1
    return np.asarray(near & (depth >= radius), dtype=np.bool_)


def _fill(depth: NDArray[np.floating], *, radius: float) -> list[NDArray[np.float32]]:
    """Lays lines through what is too thick to be a line."""
    from scipy import ndimage

    times = SOLID_THICK if radius > THICK else SOLID
    core = depth > times * radius
    if not core.any():
        return []
    reach = (times - 0.5) * radius
    solid = (depth > 0) & (ndimage.distance_transform_edt(~core) <= reach)
    lines = []
    for y in range(0, len(solid), 2):
        edges = np.flatnonzero(np.diff(np.pad(solid[y], 1).astype(np.int8)))
        for left, right in edges.reshape(-1, 2).tolist():
            ends = [[left + 0.5, y + 0.5], [right - 0.5, y + 0.5]]
            lines.append(np.array(ends, dtype=np.float32))
    return lines


def _centres(
    ink: NDArray[np.float32], middle: NDArray[np.bool_], *, sigma: float
) -> NDArray[np.float32]:
    """Moves pixels of a skeleton to where the ink around them has its centre.

    Returns:
        x and y of shape `(n, 2)`, finer than a pixel.
    """
    from scipy import ndimage

    def around(values: NDArray[np.float32]) -> NDArray[np.float32]:
        blurred = ndimage.gaussian_filter(values, sigma, mode="constant")
        return np.asarray(blurred[middle], dtype=np.float32)

    rows, columns = np.indices(ink.shape, dtype=np.float32)
    weight = np.maximum(around(ink), 1e-6)
    centres = np.stack([around(ink * columns), around(ink * rows)], axis=1)
    return np.asarray(centres / weight[:, None] + 0.5, dtype=np.float32)


def _paths(middle: NDArray[np.bool_]) -> list[list[int]]:
    """Walks along a skeleton.

    Returns:
        Stretches between ends and crossings, as indices into the skeleton's pixels in
        row order; each pair of neighbours once.
    """
    y, x = np.nonzero(middle)
    number = np.full((middle.shape[0] + 2, middle.shape[1] + 2), -1, dtype=np.int64)
    number[y + 1, x + 1] = np.arange(len(y))
    neighbours: list[list[int]] = [[] for _ in range(len(y))]
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = number[y + 1 + down, x + 1 + right]
        if down and right:
            # A diagonal is no way of its own where a corner joins the same pixels.
            corner = (number[y + 1 + down, x + 1] >= 0) | (
                number[y + 1, x + 1 + right] >= 0
            )
            other = np.where(corner, -1, other)
        for place in np.flatnonzero(other >= 0).tolist():
            two = int(other[place])
            neighbours[place].append(two)
            neighbours[two].append(place)
    unused = [set(beside) for beside in neighbours]
    ends = [place for place, beside in enumerate(neighbours) if len(beside) != 2]
    paths = [[place] for place, beside in enumerate(neighbours) if not beside]
    # What has no ends are rings; they may begin anywhere.
    for start in [*ends, *range(len(neighbours))]:
        while unused[start]:
            path = [start]
            while unused[path[-1]] and (
                len(path) == 1 or len(neighbours[path[-1]]) == 2
            ):
                following = unused[path[-1]].pop()
                unused[following].discard(path[-1])
                path.append(following)
            paths.append(path)
    return paths
