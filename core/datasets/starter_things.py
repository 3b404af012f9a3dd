"""How each thing of the starter dataset is drawn, as strokes."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Stroke = NDArray[np.float64]
"""Points of shape `(n, 2)`, x and y from 0 to 1."""


def _line(*points: tuple[float, float]) -> Stroke:
    return np.array(points, dtype=np.float64)


def _ellipse(
    x: float,
    y: float,
    radius_x: float,
    radius_y: float | None = None,
    *,
    start: float = 0.0,
    turns: float = 1.0,
) -> Stroke:
    """Returns an arc about (x, y); angles in turns, clockwise from the right."""
    angle = 2 * np.pi * np.linspace(start, start + turns, 60)
    radius_y = radius_x if radius_y is None else radius_y
    return np.stack([x + radius_x * np.cos(angle), y + radius_y * np.sin(angle)], 1)


def _polar(
    radius: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    x: float = 0.5,
    y: float = 0.5,
) -> Stroke:
    """Returns a closed curve whose radius depends on the angle."""
    angle = np.linspace(-np.pi / 2, 1.5 * np.pi, 160)
    distance = radius(angle + np.pi / 2)
    return np.stack([x + distance * np.cos(angle), y + distance * np.sin(angle)], 1)


def _apple(g: Generator) -> list[Stroke]:
    dent = g.uniform(0.06, 0.12)
    strokes = [
        _polar(lambda a: 0.34 - dent * np.exp(-8 * (1 - np.cos(a))), y=0.58),
        _line((0.5, 0.34), (0.52, 0.24), (0.56, 0.16)),
    ]
    if g.random() < 0.7:
        strokes.append(_ellipse(0.66, 0.2, 0.1, 0.05))
    return strokes


def _balloon(g: Generator) -> list[Stroke]:
    bend = g.uniform(-0.1, 0.1)
    return [
        _ellipse(0.5, 0.3, 0.2, g.uniform(0.23, 0.27), start=0.25),
        _line((0.47, 0.6), (0.5, 0.55), (0.53, 0.6), (0.47, 0.6)),
        _line((0.5, 0.6), (0.5 + bend, 0.7), (0.5 - bend, 0.82), (0.5, 0.95)),
    ]


def _cloud(g: Generator) -> list[Stroke]:
    bumps = int(g.integers(5, 8))
    curve = _polar(lambda a: 0.26 + 0.07 * np.abs(np.sin(a * bumps / 2)))
    return [(curve - 0.5) * [1.4, 0.8] + 0.5]


def _cup(g: Generator) -> list[Stroke]:
    taper = g.uniform(0.02, 0.1)
    strokes = [
        _ellipse(0.42, 0.3, 0.25, 0.06),
        _line((0.17, 0.3), (0.17 + taper, 0.8), (0.67 - taper, 0.8), (0.67, 0.3)),
        _ellipse(0.66, 0.52, 0.16, 0.14, start=-0.25, turns=0.5),
    ]
    if g.random() < 0.4:
        strokes += [
            _line((x, 0.2), (x + 0.03, 0.13), (x - 0.02, 0.07)) for x in (0.35, 0.5)
        ]
    return strokes


def _envelope(g: Generator) -> list[Stroke]:
    depth = g.uniform(0.48, 0.6)
    strokes = [
        _line((0.1, 0.28), (0.9, 0.28), (0.9, 0.75), (0.1, 0.75), (0.1, 0.28)),
        _line((0.1, 0.28), (0.5, depth), (0.9, 0.28)),
    ]
    if g.random() < 0.5:
        strokes += [
            _line((0.1, 0.75), (0.38, 0.5)),
            _line((0.9, 0.75), (0.62, 0.5)),
        ]
    return strokes


def _eyeglasses(g: Generator) -> list[Stroke]:
    radius = g.uniform(0.14, 0.18)
    return [
        _ellipse(0.28, 0.5, radius),
        _ellipse(0.72, 0.5, radius),
        _ellipse(0.5, 0.5, 0.5 - 0.28 - radius, 0.06, start=0.5, turns=0.5),
        _line((0.28 - radius, 0.48), (0.04, g.uniform(0.36, 0.44))),
        _line((0.72 + radius, 0.48), (0.96, g.uniform(0.36, 0.44))),
    ]


def _fish(g: Generator) -> list[Stroke]:
    tail = g.uniform(0.1, 0.17)
    strokes = [
        _ellipse(0.42, 0.5, 0.3, g.uniform(0.16, 0.22)),
        _line((0.7, 0.5), (0.9, 0.5 - tail), (0.9, 0.5 + tail), (0.7, 0.5)),
        _ellipse(0.24, 0.45, 0.025),
    ]
    if g.random() < 0.6:
        strokes.append(_ellipse(0.28, 0.5, 0.1, 0.16, start=-0.17, turns=0.34))
    return strokes


def _flower(g: Generator) -> list[Stroke]:
    petals = int(g.integers(5, 8))
    strokes = [_ellipse(0.5, 0.3, 0.07)]
    for petal in range(petals):
        angle = 2 * np.pi * petal / petals
        strokes.append(
            _ellipse(0.5 + 0.15 * np.cos(angle), 0.3 + 0.15 * np.sin(angle), 0.075)
        )
    strokes.append(_line((0.5, 0.5), (0.51, 0.7), (0.5, 0.95)))
    for side in (-1, 1):
        if g.random() < 0.8:
            strokes.append(_ellipse(0.5 + side * 0.1, 0.75, 0.1, 0.04))
    return strokes


def _hourglass(g: Generator) -> list[Stroke]:
    waist = g.uniform(0.02, 0.05)
    strokes = [
        _line((0.22, 0.1), (0.78, 0.1)),
        _line((0.22, 0.9), (0.78, 0.9)),
        _line((0.28, 0.1), (0.3, 0.3), (0.5 - waist, 0.5), (0.3, 0.7), (0.28, 0.9)),
        _line((0.72, 0.1), (0.7, 0.3), (0.5 + waist, 0.5), (0.7, 0.7), (0.72, 0.9)),
    ]
    if g.random() < 0.6:
        strokes.append(_line((0.34, 0.88), (0.5, g.uniform(0.7, 0.8)), (0.66, 0.88)))
    return strokes


def _house(g: Generator) -> list[Stroke]:
    eaves = g.uniform(0.38, 0.48)
    strokes = [
        _line((0.2, eaves), (0.2, 0.9), (0.8, 0.9), (0.8, eaves)),
        _line((0.12, eaves), (0.5, 0.1), (0.88, eaves), (0.12, eaves)),
        _line((0.43, 0.9), (0.43, 0.65), (0.57, 0.65), (0.57, 0.9)),
    ]
    for x in (0.26, 0.64):
        if g.random() < 0.7:
            strokes.append(
                _line((x, 0.53), (x + 0.1, 0.53), (x + 0.1, 0.63), (x, 0.63), (x, 0.53))
            )
    if g.random() < 0.4:
        strokes.append(_line((0.68, 0.27), (0.68, 0.12), (0.76, 0.12), (0.76, 0.33)))
    return strokes


def _ice_cream(g: Generator) -> list[Stroke]:
    strokes = [
        _line((0.32, 0.42), (0.5, 0.95), (0.68, 0.42), (0.32, 0.42)),
        _ellipse(0.5, 0.4, 0.2, 0.2, start=0.5, turns=0.5),
    ]
    if g.random() < 0.5:
        strokes.append(_ellipse(0.5, 0.2, 0.14, 0.13, start=0.45, turns=0.6))
    if g.random() < 0.6:
        strokes += [
            _line((0.4, 0.44), (0.56, 0.76)),
            _line((0.6, 0.44), (0.44, 0.76)),
        ]
    return strokes


def _key(g: Generator) -> list[Stroke]:
    tooth = g.uniform(0.08, 0.13)
    strokes = [
        _ellipse(0.22, 0.5, 0.14),
        _line((0.36, 0.5), (0.92, 0.5)),
        _line((0.9, 0.5), (0.9, 0.5 + tooth)),
        _line((0.8, 0.5), (0.8, 0.5 + tooth)),
    ]
    if g.random() < 0.5:
        strokes.append(_ellipse(0.22, 0.5, 0.06))
    return strokes


def _ladder(g: Generator) -> list[Stroke]:
    lean = g.uniform(0, 0.08)
    rungs = int(g.integers(5, 8))
    strokes = [
        _line((0.35 - lean, 0.95), (0.38, 0.05)),
        _line((0.65 + lean, 0.95), (0.62, 0.05)),
    ]
    for y in np.linspace(0.13, 0.87, rungs):
        spread = lean * y
        strokes.append(_line((0.37 - spread, y), (0.63 + spread, y)))
    return strokes


def _lollipop(g: Generator) -> list[Stroke]:
    strokes = [_ellipse(0.5, 0.3, 0.22), _line((0.5, 0.52), (0.5, 0.96))]
    turns = g.uniform(2, 3)
    angle = 2 * np.pi * np.linspace(0, turns, 120)
    radius = 0.18 * np.linspace(0.05, 1, 120)
    strokes.append(
        np.stack([0.5 + radius * np.cos(angle), 0.3 + radius * np.sin(angle)], 1)
    )
    return strokes


def _mushroom(g: Generator) -> list[Stroke]:
    strokes = [
        _ellipse(0.5, 0.48, 0.36, g.uniform(0.3, 0.38), start=0.5, turns=0.5),
        _line((0.14, 0.48), (0.86, 0.48)),
        _line((0.42, 0.48), (0.4, 0.88), (0.6, 0.88), (0.58, 0.48)),
    ]
    for x, y in ((0.35, 0.34), (0.55, 0.26), (0.68, 0.38)):
        if g.random() < 0.7:
            strokes.append(_ellipse(x, y, 0.045))
    return strokes


def _sailboat(g: Generator) -> list[Stroke]:
    strokes = [
        _line((0.12, 0.7), (0.26, 0.88), (0.74, 0.88), (0.88, 0.7), (0.12, 0.7)),
        _line((0.48, 0.7), (0.48, 0.08)),
        _line((0.52, 0.12), (g.uniform(0.78, 0.86), 0.62), (0.52, 0.62), (0.52, 0.12)),
    ]
    if g.random() < 0.6:
        strokes.append(_line((0.44, 0.2), (0.22, 0.62), (0.44, 0.62), (0.44, 0.2)))
    return strokes


def _snowman(g: Generator) -> list[Stroke]:
    strokes = [
        _ellipse(0.5, 0.22, 0.13),
        _ellipse(0.5, 0.68, g.uniform(0.24, 0.3)),
        _ellipse(0.46, 0.19, 0.012),
        _ellipse(0.54, 0.19, 0.012),
        _line((0.28, 0.6), (0.08, g.uniform(0.38, 0.5))),
        _line((0.72, 0.6), (0.92, g.uniform(0.38, 0.5))),
    ]
    strokes += [_ellipse(0.5, y, 0.015) for y in (0.55, 0.65, 0.75)]
    return strokes


def _spider(g: Generator) -> list[Stroke]:
    knee = g.uniform(0.1, 0.2)
    strokes = [_ellipse(0.5, 0.55, 0.13, 0.16), _ellipse(0.5, 0.33, 0.08)]
    for side in (-1, 1):
        for leg, y in enumerate((0.42, 0.5, 0.58, 0.66)):
            reach = (leg - 1.5) * 0.16
            strokes.append(
                _line(
                    (0.5 + side * 0.12, y),
                    (0.5 + side * 0.28, y + reach / 2 - knee),
                    (0.5 + side * 0.42, y + reach + 0.08),
                )
            )
    return strokes


def _sun(g: Generator) -> list[Stroke]:
    rays = int(g.integers(8, 14))
    strokes = [_ellipse(0.5, 0.5, 0.2)]
    for ray in range(rays):
        angle = 2 * np.pi * ray / rays
        inner, outer = 0.26, g.uniform(0.38, 0.46)
        cosine, sine = np.cos(angle), np.sin(angle)
        strokes.append(
            _line(
                (0.5 + inner * cosine, 0.5 + inner * sine),
                (0.5 + outer * cosine, 0.5 + outer * sine),
            )
        )
    return strokes


def _umbrella(g: Generator) -> list[Stroke]:
    strokes = [
        _ellipse(0.5, 0.45, 0.4, g.uniform(0.28, 0.36), start=0.5, turns=0.5),
        _line((0.5, 0.1), (0.5, 0.85)),
        _ellipse(0.43, 0.85, 0.07, 0.08, start=0, turns=0.5),
    ]
    strokes += [
        _ellipse(x, 0.45, 0.4 / 3, 0.05, start=0.5, turns=0.5)
        for x in (0.5 - 0.8 / 3, 0.5, 0.5 + 0.8 / 3)
    ]
    return strokes


DRAW: dict[str, Callable[[Generator], list[Stroke]]] = {
    "apple": _apple,
    "balloon": _balloon,
    "cloud": _cloud,
    "cup": _cup,
    "envelope": _envelope,
    "eyeglasses": _eyeglasses,
    "fish": _fish,
    "flower": _flower,
    "hourglass": _hourglass,
    "house": _house,
    "ice-cream": _ice_cream,
    "key": _key,
    "ladder": _ladder,
    "lollipop": _lollipop,
    "mushroom": _mushroom,
    "sailboat": _sailboat,
    "snowman": _snowman,
    "spider": _spider,
    "sun": _sun,
    "umbrella": _umbrella,
}
