"""Everyday things drawn with the mouse: strokes as corners in canvas pixels."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

Stroke = Sequence[tuple[float, float]]


def arc(
    x: float, y: float, rx: float, ry: float, start_deg: float, end_deg: float
) -> Stroke:
    """Points on an ellipse about (x, y), clockwise from the right where y is down."""
    steps = max(6, round(abs(end_deg - start_deg) / 12))
    angles = [
        math.radians(start_deg + (end_deg - start_deg) * step / steps)
        for step in range(steps + 1)
    ]
    return tuple(
        (round(x + rx * math.cos(angle)), round(y + ry * math.sin(angle)))
        for angle in angles
    )


EVERYDAY: dict[str, Sequence[Stroke]] = {
    "house": (
        ((60, 170), (300, 170), (300, 320), (60, 320), (60, 170)),
        ((40, 180), (180, 60), (320, 180)),
        ((150, 320), (150, 230), (210, 230), (210, 320)),
        ((80, 200), (125, 200), (125, 245), (80, 245), (80, 200)),
    ),
    "envelope": (
        ((50, 100), (312, 104), (310, 262), (52, 258), (50, 100)),
        ((50, 100), (182, 196), (312, 104)),
    ),
    "ladder": (
        ((140, 30), (128, 330)),
        ((220, 32), (232, 330)),
        *(
            ((140 - round((y - 30) / 25), y), (220 + round((y - 30) / 25), y + 2))
            for y in (70, 115, 160, 205, 250, 295)
        ),
    ),
    "fish": (
        arc(160, 180, 105, 62, 25, 335),
        ((255, 154), (330, 110), (312, 182), (328, 248), (255, 206)),
        arc(95, 162, 8, 8, 0, 360),
        arc(120, 182, 30, 52, -62, 62),
        ((160, 120), (196, 88), (220, 128)),
        ((57, 196), (84, 202)),
    ),
    "umbrella": (
        arc(180, 180, 140, 118, 180, 360),
        arc(75, 180, 35, 16, 180, 360),
        arc(145, 180, 35, 16, 180, 360),
        arc(215, 180, 35, 16, 180, 360),
        arc(285, 180, 35, 16, 180, 360),
        ((180, 62), (180, 46)),
        ((180, 166), (180, 300), *arc(158, 300, 22, 24, 0, 180)),
    ),
    "snowman": (
        arc(180, 270, 74, 66, 0, 360),
        arc(180, 158, 50, 46, 0, 360),
        arc(180, 80, 34, 32, 0, 360),
        arc(168, 74, 3, 3, 0, 360),
        arc(192, 74, 3, 3, 0, 360),
        ((180, 82), (206, 88), (180, 90)),
        ((132, 150), (76, 110)),
        ((228, 150), (286, 112)),
        ((142, 50), (218, 50)),
        ((156, 50), (156, 14), (204, 14), (204, 50)),
    ),
    "mug": (
        arc(160, 96, 84, 22, 0, 360),
        ((76, 96), (80, 280), *arc(160, 280, 80, 20, 180, 0), (244, 96)),
        arc(244, 184, 62, 58, -80, 80),
        arc(244, 184, 42, 38, -78, 78),
    ),
    "sun": (
        arc(180, 180, 70, 70, 0, 360),
        *(
            tuple(
                (round(180 + r * math.cos(angle)), round(180 + r * math.sin(angle)))
                for r in (86, 140)
            )
            for angle in (math.tau * ray / 10 for ray in range(10))
        ),
    ),
    "eyeglasses": (
        arc(105, 190, 60, 48, 0, 360),
        arc(255, 190, 60, 48, 0, 360),
        arc(180, 184, 17, 16, 180, 360),
        ((45, 184), (20, 150)),
        ((315, 184), (340, 150)),
    ),
    "ice-cream-cone": (
        ((112, 160), (180, 335), (248, 160)),
        arc(180, 160, 72, 22, 180, 0),
        arc(180, 158, 70, 96, 180, 360),
        ((132, 210), (214, 172)),
        ((150, 258), (232, 200)),
        ((228, 210), (146, 172)),
        ((210, 258), (128, 200)),
    ),
    "sailboat": (
        ((50, 262), (310, 262), (262, 322), (98, 322), (50, 262)),
        ((180, 262), (180, 40)),
        ((186, 46), (296, 240), (186, 240), (186, 46)),
        ((174, 70), (82, 240), (174, 240), (174, 70)),
    ),
    "key": (
        arc(86, 180, 54, 54, 0, 360),
        arc(86, 180, 22, 22, 0, 360),
        ((140, 172), (330, 172)),
        ((140, 190), (330, 190), (330, 172)),
        ((262, 190), (262, 232), (282, 232), (282, 190)),
        ((302, 190), (302, 222), (320, 222), (320, 190)),
    ),
}

STEP_PX = 8
WOBBLE_PX = 1.5


def by_hand(stroke: Stroke, generator: np.random.Generator) -> Stroke:
    """The path of a hand that draws a stroke: many points, none quite in line."""
    corners = np.asarray(stroke, float)
    points = [
        start + (end - start) * step / steps
        for start, end in itertools.pairwise(corners)
        for steps in [max(1, round(np.hypot(*(end - start)) / STEP_PX))]
        for step in range(steps)
    ]
    path = np.array([*points, corners[-1]])
    along = STEP_PX * np.arange(len(path))
    for axis in (0, 1):
        for wave_px in (60, 140):
            length, height = wave_px * generator.uniform(0.8, 1.25), WOBBLE_PX
            phase = along / length + generator.random()
            path[:, axis] += (
                height * generator.uniform(0.5, 1) * np.sin(math.tau * phase)
            )
    path += generator.normal(0, 0.5, path.shape)
    return tuple((float(x), float(y)) for x, y in path)
