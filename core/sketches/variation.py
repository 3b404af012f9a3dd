"""Redraws a careful sketch as people draw in a hurry: fewer, rougher, longer strokes.

A sketch is traced once. Its pieces of line are joined to what one movement of the
hand would draw; then each variant leaves out some of the strokes, simplifies and
wobbles the others, opens or overshoots where they close, and is drawn as the dataset's
sketches are.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.sketches.images import IMAGE_SIZE, PAPER
from core.sketches.lines import (
    SPACING,
    Points,
    line_length,
    lines_extent,
    resample_line,
    smooth_line,
    straighten_line,
)
from core.sketches.strokes import Drawing, Stroke, is_too_little, render_sketch
from core.sketches.tracing import trace

VERSION = 1
"""Of what comes out for the same sketch; raise it with every change of that."""

NUM_VARIANTS = 8
"""Of each sketch, from the mildest to the strongest."""

FRAME_SIZE = 256
"""Side of the square in which lines are traced: the size that the dataset's sketches
had before they were packed. All lengths below are in its pixels."""

MARGIN = 4
"""Of blank paper around the ink."""

JOIN_REACH = 5.0
MAX_TURN_DEG = 75.0
"""How far apart the ends of two pieces may be that one movement goes through, and by
how much it may turn there."""

DIRECTION_REACH = 10
"""Points of a piece that tell in which direction it ends; its last few bend towards the
middle of the crossing."""

MIN_PIECE = 5.0
"""A shorter piece that touches another is a spur or part of a crossing."""

MIN_FILL = 3.0
"""A level piece of two points as long as this fills an area."""

CELL = 5.0
"""Side of the cells in which a stroke is looked for beside another."""
NEAR = np.array([(right, down) for right in (-1, 0, 1) for down in (-1, 0, 1)])
MAX_COVERED = 0.75
"""A stroke that runs beside longer ones for more than this is theirs, drawn twice."""

MIN_BOX = 0.75
"""Of the sketch's longest side, what the strokes that stay must span: a variant is
scaled to the usual size, and a detail alone would be taken for the whole."""

MIN_CLOSED = 24.0
MAX_GAP = 6.0
"""Length of the shortest stroke that closes, and how far apart its ends may be."""

TRIES = 3
"""Of one variant, each with half the strength of the one before."""


def vary_sketch(sketch: NDArray[np.uint8], *, seed: Sequence[int]) -> NDArray[np.uint8]:
    """Makes all variants of a sketch.

    Args:
        sketch: Gray values of shape `(128, 128)`: 255 for paper, 0 for full ink.
        seed: Integers from 0; the same sketch and seed give the same variants.

    Returns:
        Gray values of shape `(NUM_VARIANTS, 128, 128)`, from the mildest to the
        strongest. Where nothing worth a guess would stay of a sketch, the sketch.
    """
    strokes, fills = find_strokes(sketch)
    variants = np.empty((NUM_VARIANTS, IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    for number in range(NUM_VARIANTS):
        rng = np.random.default_rng([*seed, number])
        strength = (number + rng.uniform(0.5, 1)) / NUM_VARIANTS
        variants[number] = sketch
        for _ in range(TRIES if strokes else 0):
            varied = vary_strokes(strokes, strength=strength, rng=rng)
            if strength < 0.4 and rng.random() < 0.5:
                varied += fills
            drawn = _draw(varied)
            if not is_too_little(drawn):
                variants[number] = drawn
                break
            strength /= 2
    return variants


def find_strokes(sketch: NDArray[np.uint8]) -> tuple[list[Points], list[Points]]:
    """Traces a sketch and joins its pieces of line to long strokes.

    Args:
        sketch: Gray values of shape `(128, 128)`.

    Returns:
        The strokes, x and y of points `SPACING` apart, from the corner of the box
        around the ink; and the lines that fill areas.
    """
    ink = 1 - sketch.astype(np.float32) / PAPER
    frame = Image.fromarray(ink).resize(
        (FRAME_SIZE, FRAME_SIZE), Image.Resampling.BICUBIC
    )
    traced, _ = trace(_crop(np.clip(np.asarray(frame), 0, 1)))
    pieces: list[Points] = []
    fills: list[Points] = []
    for stroke in traced:
        points = stroke.points.astype(np.float64)
        is_fill = (
            len(points) == 2
            and points[0, 1] == points[1, 1]
            and points[1, 0] - points[0, 0] >= MIN_FILL
        )
        (fills if is_fill else pieces).append(points)
    return [resample_line(points) for points in _join(_tidy(pieces))], fills


def vary_strokes(
    strokes: Sequence[Points], *, strength: float, rng: np.random.Generator
) -> list[Points]:
    """Draws strokes again, more hastily.

    Args:
        strokes: x and y of their points, `SPACING` apart; at least one stroke.
        strength: From 0, hardly another, to 1.
        rng: Decides everything.

    Returns:
        At least one stroke.
    """
    chosen = _choose(strokes, strength=strength, rng=rng)
    how = rng.choice(["smooth", "corners", "as it is"], p=[0.5, 0.35, 0.15])
    tidiness = rng.uniform(0.3, 1)
    wobble = strength * rng.uniform(0.2, 1)
    looseness = strength * rng.uniform(0.2, 1)
    warp = _random_warp(strength, rng=rng)
    varied = []
    for points in chosen:
        for part in _cut(points, strength=strength, rng=rng):
            part = _close_badly(part, strength=strength, rng=rng)
            if how == "smooth":
                part = smooth_line(part, sigma=(3 + 9 * strength) * tidiness)
            elif how == "corners":
                part = straighten_line(part, tolerance=(1 + 4.5 * strength) * tidiness)
            part = _wobble(part, amplitude=3.5 * wobble, rng=rng)
            varied.append(warp(_place_loosely(part, looseness, rng=rng)))
    return varied


def _draw(strokes: Sequence[Points]) -> NDArray[np.uint8]:
    """Draws strokes as the dataset's are drawn, wherever they have got to."""
    low = np.min([points.min(axis=0) for points in strokes], axis=0)
    high = np.max([points.max(axis=0) for points in strokes], axis=0)
    side = int(np.ceil((high - low).max())) + 2
    drawing = Drawing(
        tuple(
            Stroke(points=(points - low + 1).astype(np.float32), width=1.0)
            for points in strokes
        ),
        width=side,
        height=side,
    )
    return render_sketch(drawing)


def _crop(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cuts off blank paper, which takes as long to trace as lines do."""
    rows, columns = (np.flatnonzero(frame.max(axis=axis) > 0) for axis in (1, 0))
    if not len(rows):
        return frame[:1, :1]
    cut = frame[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.pad(cut, MARGIN)


def _tidy(pieces: list[Points]) -> list[Points]:
    """Leaves out spurs and the tiny pieces of which a crossing consists."""
    lengths = np.array([line_length(points) for points in pieces])
    ends = np.array([end for points in pieces for end in (points[0], points[-1])])
    kept = []
    for number, points in enumerate(pieces):
        if lengths[number] < MIN_PIECE:
            others = np.delete(ends, [2 * number, 2 * number + 1], axis=0)
            apart = [np.hypot(*(others - end).T) for end in (points[0], points[-1])]
            if len(others) and np.min(apart) < 1.5:
                continue
        kept.append(points)
    return kept or pieces


def _join(pieces: list[Points]) -> list[Points]:
    """Joins pieces whose ends meet and go on in about the same direction.

    Args:
        pieces: x and y of points about a pixel apart.

    Returns:
        Longer strokes; each piece is in one of them.
    """
    if len(pieces) < 2:
        return pieces
    # End 2i is where piece i begins, end 2i + 1 where it ends.
    ends = np.array([end for points in pieces for end in (points[0], points[-1])])
    outwards = np.array(
        [
            way[0] - way[min(DIRECTION_REACH, len(way) - 1)]
            for points in pieces
            for way in (points, points[::-1])
        ]
    )
    outwards /= np.maximum(np.hypot(*outwards.T), 1e-9)[:, None]
    apart = np.hypot(*(ends[:, None] - ends[None]).transpose(2, 0, 1))
    turn = np.arccos(np.clip(-outwards @ outwards.T, -1, 1))
    here, two = np.nonzero(
        np.triu(apart <= JOIN_REACH, 1) & (turn <= np.radians(MAX_TURN_DEG))
    )
    order = np.argsort(turn[here, two] + 0.1 * apart[here, two], kind="stable")
    partner = np.full(len(ends), -1)
    group = np.arange(len(pieces))
    for first, second in zip(here[order].tolist(), two[order].tolist(), strict=True):
        groups = group[first // 2], group[second // 2]
        if partner[first] < 0 and partner[second] < 0 and groups[0] != groups[1]:
            partner[first], partner[second] = second, first
            group[group == groups[1]] = groups[0]
    strokes = []
    is_used = np.zeros(len(pieces), dtype=bool)
    # No ring is closed above, so that every chain has two ends without a partner.
    for start in np.flatnonzero(partner < 0).tolist():
        if is_used[start // 2]:
            continue
        chain = []
        end = start
        while end >= 0:
            number = end // 2
            is_used[number] = True
            chain.append(pieces[number][:: -1 if end % 2 else 1])
            end = int(partner[end ^ 1])
        strokes.append(np.concatenate(chain))
    return strokes


def _choose(
    strokes: Sequence[Points], *, strength: float, rng: np.random.Generator
) -> list[Points]:
    """Chooses the strokes that are drawn: long ones first, none of them twice."""
    lengths = np.array([line_length(points) for points in strokes])
    importance = np.log(lengths + 1) + rng.normal(0, 0.3 + 0.6 * strength, len(strokes))
    wanted = (1 - strength * rng.uniform(0.05, 0.45)) * lengths.sum()
    number = np.exp(rng.normal(np.log(24 - 14 * strength), 0.4))
    whole = lines_extent(strokes)
    cells = int(FRAME_SIZE / CELL) + 3
    seen = np.zeros((cells, cells), dtype=bool)
    chosen: list[int] = []
    drawn = 0.0
    for index in np.argsort(-importance, kind="stable").tolist():
        is_enough = drawn >= wanted or len(chosen) >= max(number, 2)
        if chosen and is_enough:
            spanned = lines_extent([strokes[k] for k in chosen])
            if spanned >= MIN_BOX * whole:
                break
        at = (strokes[index][::2] / CELL).astype(np.int64) + 1
        drawn += lengths[index]
        if strength > 0.2 and seen[at[:, 1], at[:, 0]].mean() > MAX_COVERED:
            continue
        chosen.append(index)
        near = (at[:, None] + NEAR).reshape(-1, 2)
        seen[near[:, 1], near[:, 0]] = True
    return [strokes[index] for index in sorted(chosen)]


def _cut(points: Points, *, strength: float, rng: np.random.Generator) -> list[Points]:
    """Leaves out an end or something in the middle of some of the longer strokes."""
    total = len(points)
    if total * SPACING < 30 or rng.random() > 0.35 * strength:
        return [points]
    share = rng.uniform(0.04, 0.1 + 0.15 * strength)
    lost = max(round(share * total), 1)
    where = rng.random()
    if where < 0.45:
        return [points[lost:]]
    if where < 0.9:
        return [points[:-lost]]
    begin = int(rng.integers(2, total - lost - 2))
    return [points[:begin], points[begin + lost :]]


def _close_badly(
    points: Points, *, strength: float, rng: np.random.Generator
) -> Points:
    """Opens a closed stroke or draws it beyond where it began; else one of its ends."""
    length = len(points) * SPACING
    if length < MIN_CLOSED:
        return points
    is_closed = np.hypot(*(points[0] - points[-1])) <= MAX_GAP
    if is_closed:
        # It may be begun anywhere.
        points = np.roll(points[:-1], int(rng.integers(len(points))), axis=0)
    most = (0.14 if is_closed else 0.05) * strength
    change = rng.uniform(-most, most)
    if not is_closed:
        change = float(np.clip(change * length, -10, 10)) / length
    number = round(abs(change) * len(points))
    if not number:
        return np.concatenate([points, points[:1]]) if is_closed else points
    if change < 0:
        return points[:-number]
    if is_closed:
        away = np.linspace(0, 1, number + 1)[:, None] * rng.normal(0, 4 * strength, 2)
        return np.concatenate([points, points[: number + 1] + away])
    step = (points[-1] - points[-min(4, len(points))]) / (min(4, len(points)) - 1)
    beyond = points[-1] + np.arange(1, number + 1)[:, None] * step
    return np.concatenate([points, beyond])


def _wobble(points: Points, *, amplitude: float, rng: np.random.Generator) -> Points:
    """Moves a stroke to and fro along its way, slowly."""
    extent = float(np.ptp(points, axis=0).max())
    amplitude = min(amplitude, extent / 8)
    sigma = rng.uniform(8, 30) / SPACING
    steps = np.arange(-3 * int(sigma) - 1, 3 * int(sigma) + 2)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    weights /= np.sqrt((weights**2).sum())
    noise = rng.normal(0, amplitude, (len(points) + len(steps) - 1, 2))
    moved = [np.convolve(noise[:, axis], weights, mode="valid") for axis in (0, 1)]
    return np.asarray(points + np.stack(moved, axis=1))


def _place_loosely(
    points: Points, looseness: float, *, rng: np.random.Generator
) -> Points:
    """Moves, turns and scales a stroke a little by itself."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    scale = np.exp(rng.normal(0, 0.1 * looseness, 2) + rng.normal(0, 0.08 * looseness))
    angle = rng.normal(0, np.radians(6) * looseness)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = rng.normal(0, 4 * looseness, 2)
    return np.asarray((points - middle) * scale @ turn.T + middle + shift)


def _random_warp(
    strength: float, *, rng: np.random.Generator
) -> Callable[[Points], Points]:
    """Draws how proportions are off, for all strokes of a drawing alike.

    Returns:
        A linear map and three long waves, of points.
    """
    shape = np.diag(np.exp(rng.normal(0, 0.1 * strength, 2)))
    shape[0, 1] = rng.normal(0, 0.08 * strength)
    waves = rng.normal(0, 1, (3, 2)) * (2 * np.pi / FRAME_SIZE)
    phases = rng.uniform(0, 2 * np.pi, (3, 2))
    sizes = rng.normal(0, 5 * strength, (3, 2))

    def warp(points: Points) -> Points:
        along = points @ waves.T
        moved = np.sin(along[:, :, None] + phases) * sizes
        return np.asarray((points + moved.sum(axis=1)) @ shape.T)

    return warp
