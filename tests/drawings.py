"""Everyday things drawn with the mouse: strokes as corners in canvas pixels."""

import math
from collections.abc import Sequence

Stroke = Sequence[tuple[int, int]]


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
}
