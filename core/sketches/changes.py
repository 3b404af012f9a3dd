"""Changes a sketch as people, paper and cameras do, by four strengths of each kind.

Everything random is decided by a seed and the sketch, not by the strength: a stronger
change goes further the same way.
"""

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.sketches.images import IMAGE_SIZE, PAPER
from core.sketches.paper import MIN_INK
from core.sketches.variation import NUM_VARIANTS, vary_sketch

VERSION = 1
"""Of what comes out for the same sketch; raise it with every change of that."""

Sketch = NDArray[np.uint8]
"""Gray values of shape `(128, 128)`: 255 for paper, 0 for full ink."""

FINE = 2
"""Lines are turned and thickened at so many times the sketch's size."""

FRAME_MARGIN = 1.0
"""Of paper around a turned sketch, in pixels."""

GAP_RADIUS = 2.5
"""Of what one touch of an eraser takes, in pixels."""

CROSSING = 4
"""Pixels of a skeleton, its own among them, around one where lines cross."""

PAPER_SHARE = 0.4
"""Of the light that the darkest corner of a photograph lacks, all of it lacks this."""

GRAIN = 0.05
"""The paper's, as a share of the light that the darkest corner lacks."""

BEST_QUALITY, QUALITY_LOSS = 95, 150
"""JPEG's for the best light, and how much worse it gets in none."""


@dataclass(frozen=True)
class Change:
    """A kind of change.

    Attributes:
        amounts: Its strengths, the least first.
        apply: Changes a sketch by one amount, 0 for none at all; draws whatever is
            random from the generator. None for stroke variants, which are made all
            at once.
    """

    amounts: tuple[float, float, float, float]
    apply: Callable[[Sketch, float, np.random.Generator], Sketch] | None


def change_sketch(sketch: Sketch, kind: str, *, seed: tuple[int, ...]) -> Sketch:
    """Changes a sketch by all strengths of a kind.

    Args:
        sketch: Gray values of shape `(128, 128)`.
        kind: A name of `CHANGES`.
        seed: Integers from 0; the same sketch and seed give the same.

    Returns:
        Gray values of shape `(4, 128, 128)`, the least strength first.
    """
    change = CHANGES[kind]
    if change.apply is None:
        variants = vary_sketch(sketch, seed=seed)
        return variants[[round(a * NUM_VARIANTS) - 1 for a in change.amounts]]
    mixed = [*seed, zlib.crc32(kind.encode())]
    return np.stack(
        [
            change.apply(sketch, amount, np.random.default_rng(mixed))
            for amount in change.amounts
        ]
    )


def turn(sketch: Sketch, amount: float, rng: np.random.Generator) -> Sketch:
    """Turns it left or right by degrees, and smaller where the frame asks for it."""
    angle = np.radians(amount * rng.choice([-1, 1]))
    if not angle:
        return sketch
    ink = _ink(sketch)
    middle = (IMAGE_SIZE - 1) / 2
    y, x = np.array(np.nonzero(ink > MIN_INK)) - middle
    cosine, sine = np.cos(angle), np.sin(angle)
    reach = np.abs([cosine * x - sine * y, sine * x + cosine * y]).max(initial=1)
    zoom = min(1.0, (middle - FRAME_MARGIN) / reach)
    size = FINE * IMAGE_SIZE
    centre = size / 2
    across = np.array([[cosine, sine], [-sine, cosine]]) / zoom
    offset = centre - across @ (centre, centre)
    fine = Image.fromarray(ink).resize((size, size), Image.Resampling.BICUBIC)
    turned = fine.transform(
        (size, size),
        Image.Transform.AFFINE,
        (*across[0], offset[0], *across[1], offset[1]),
        Image.Resampling.BICUBIC,
    )
    return _sketch(np.asarray(turned.reduce(FINE)))


def shift(sketch: Sketch, amount: float, rng: np.random.Generator) -> Sketch:
    """Moves it by whole pixels both across and down, as far as there is paper."""
    ink = PAPER - sketch
    for axis in (0, 1):
        way = int(rng.choice([-1, 1]))
        lines = np.flatnonzero(ink.max(axis=1 - axis))
        if len(lines):
            room = int(lines[0] if way < 0 else IMAGE_SIZE - 1 - lines[-1])
            # What wraps around is blank.
            ink = np.roll(ink, way * min(round(amount), room), axis=axis)
    return PAPER - ink


def shrink(sketch: Sketch, amount: float, _rng: np.random.Generator) -> Sketch:
    """Makes it smaller by a share, in the middle of the paper; lines get thinner."""
    side = round(IMAGE_SIZE * (1 - amount))
    small = Image.fromarray(_ink(sketch)).resize((side, side), Image.Resampling.BICUBIC)
    ink = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    start = (IMAGE_SIZE - side) // 2
    ink[start : start + side, start : start + side] = np.asarray(small)
    return _sketch(ink)


def thicken(sketch: Sketch, amount: float, _rng: np.random.Generator) -> Sketch:
    """Makes lines thicker by so many pixels, as a broader pen does."""
    if not amount:
        return sketch
    size = FINE * IMAGE_SIZE
    fine = Image.fromarray(_ink(sketch)).resize((size, size), Image.Resampling.BICUBIC)
    radius = FINE * amount / 2
    reach = int(np.ceil(radius))
    padded = np.pad(np.asarray(fine), reach)
    thick = np.zeros((size, size), np.float32)
    for y in range(-reach, reach + 1):
        for x in range(-reach, reach + 1):
            if np.hypot(x, y) <= radius:
                part = padded[reach + y :, reach + x :][:size, :size]
                np.maximum(thick, part, out=thick)
    return _sketch(np.asarray(Image.fromarray(thick).reduce(FINE)))


def thin(sketch: Sketch, amount: float, _rng: np.random.Generator) -> Sketch:
    """Takes a share of the ink away everywhere.

    Lines of the packed sketches are thinner than a pixel, where a finer pen leaves
    less ink in the same pixels.
    """
    return _sketch(_ink(sketch) * np.float32(1 - amount))


def cut_gaps(sketch: Sketch, amount: float, rng: np.random.Generator) -> Sketch:
    """Rubs out a share of the ink, a little here and there along the lines."""
    ink = _ink(sketch)
    y, x = np.nonzero(ink > MIN_INK)
    left = (1 - amount) * ink.sum()
    reach = int(np.ceil(GAP_RADIUS))
    grid = np.arange(-reach, reach + 1)
    touch = np.hypot(*np.meshgrid(grid, grid)) <= GAP_RADIUS
    padded = np.pad(ink, reach)
    now = float(padded.sum())
    for place in rng.permutation(len(y)):
        if now <= left:
            break
        square = padded[y[place] :, x[place] :][: len(grid), : len(grid)]
        now -= float(square[touch].sum())
        square[touch] = 0
    return _sketch(padded[reach:-reach, reach:-reach])


def leave_out(sketch: Sketch, amount: float, rng: np.random.Generator) -> Sketch:
    """Leaves out strokes with at most a share of the ink; one stroke stays.

    A stroke is a piece of the skeleton between ends and crossings, with the ink that
    is nearest to it. Tracing strokes as `variation` does takes ten times as long, and
    its strokes are not where they were once they are drawn again.
    """
    from scipy import ndimage
    from skimage.morphology import skeletonize

    ink = _ink(sketch)
    middle = skeletonize(ink > MIN_INK)
    around = ndimage.convolve(middle.astype(np.uint8), np.ones((3, 3)), mode="constant")
    pieces, count = ndimage.label(middle & (around < CROSSING), np.ones((3, 3)))
    if not count:
        return sketch
    nearest = ndimage.distance_transform_edt(
        pieces == 0, return_distances=False, return_indices=True
    )
    piece_of = pieces[tuple(nearest)]
    inks = np.bincount(piece_of.ravel(), ink.ravel(), minlength=count + 1)
    spare = amount * inks.sum()
    gone = np.zeros(count + 1, bool)
    for piece in rng.permutation(np.arange(1, count + 1)):
        if inks[piece] <= spare:
            spare -= inks[piece]
            gone[piece] = True
    return _sketch(np.where(gone[piece_of], 0, ink))


def add_noise(sketch: Sketch, amount: float, rng: np.random.Generator) -> Sketch:
    """Adds Gaussian noise; the amount is its deviation, 1 for all from black to white.

    What is lighter than paper is cut off.
    """
    noise = rng.normal(size=sketch.shape).astype(np.float32)
    return _sketch(_ink(sketch) + np.float32(amount) * noise)


def photograph(sketch: Sketch, amount: float, rng: np.random.Generator) -> Sketch:
    """Makes it a photograph of paper: gray, grainy, shaded to one side, as a JPEG.

    Nothing is cleaned up as on the page Draw, where lines of a photograph are found
    and drawn anew: this is what the network itself bears.

    Args:
        sketch: Gray values of shape `(128, 128)`.
        amount: The share of the light that is missing in the darkest corner. JPEG's
            quality falls with it.
        rng: Decides from which side the light comes, and the paper's grain.
    """
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.indices(sketch.shape) / (IMAGE_SIZE - 1) - 0.5
    across = np.cos(angle) * x + np.sin(angle) * y
    shade = (across - across.min()) / np.ptp(across)
    lacking = amount * (PAPER_SHARE + (1 - PAPER_SHARE) * shade)
    grain = amount * GRAIN * rng.normal(size=sketch.shape)
    gray = np.clip(sketch * (1 - lacking) + PAPER * grain, 0, PAPER)
    encoded = io.BytesIO()
    Image.fromarray(np.rint(gray).astype(np.uint8)).save(
        encoded, "JPEG", quality=round(BEST_QUALITY - QUALITY_LOSS * amount)
    )
    return np.array(Image.open(encoded), dtype=np.uint8)


def _ink(sketch: Sketch) -> NDArray[np.float32]:
    """Returns ink, from 0 for paper to 1."""
    return 1 - sketch.astype(np.float32) / np.float32(PAPER)


def _sketch(ink: NDArray[np.floating]) -> Sketch:
    """Returns gray values of ink, which may be a little off its range."""
    gray = np.rint(PAPER * (1 - np.clip(ink, 0, 1)))
    return np.asarray(gray, dtype=np.uint8)


CHANGES = {
    "turned": Change((10, 20, 30, 45), turn),
    "shifted": Change((3, 6, 9, 12), shift),
    "scaled": Change((0.15, 0.3, 0.45, 0.6), shrink),
    "thickened": Change((0.5, 1, 2, 3), thicken),
    "thinned": Change((0.25, 0.45, 0.6, 0.75), thin),
    "gaps": Change((0.05, 0.1, 0.2, 0.35), cut_gaps),
    "strokes": Change((0.1, 0.2, 0.35, 0.5), leave_out),
    "noise": Change((0.01, 0.02, 0.04, 0.08), add_noise),
    "photo": Change((0.03, 0.06, 0.12, 0.25), photograph),
    "quick": Change((0.25, 0.5, 0.75, 1), None),
}
"""All kinds of change, with what their strengths are: degrees for `turned`, pixels of
128 for `shifted` and `thickened`, shares for the others."""
