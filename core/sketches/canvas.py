"""Reads the strokes that a canvas in the browser reports of itself."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor
from pydantic import BaseModel, Field, NonNegativeInt, ValidationError

from core.sketches.strokes import (
    FORMAT_VERSION,
    MAX_POINTS,
    MAX_SIDE,
    MAX_STROKES,
    Coordinate,
    Drawing,
    DrawingModel,
    Stroke,
    check_total,
    from_model,
    refusal,
)

CURVE_STEPS = 8
"""Straight pieces in which a curve of a canvas path is drawn."""
_Factor = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
_SIZE: dict[str, Any] = {"ge": 0, "le": MAX_SIDE, "allow_inf_nan": False}
_Move = tuple[Literal["M", "L"], Coordinate, Coordinate]
_Quadratic = tuple[Literal["Q"], Coordinate, Coordinate, Coordinate, Coordinate]
_Cubic = tuple[
    Literal["C"],
    Coordinate,
    Coordinate,
    Coordinate,
    Coordinate,
    Coordinate,
    Coordinate,
]
_Command = _Move | _Quadratic | _Cubic
_LINE = ("L", "x", "y")
_T = np.linspace(0, 1, CURVE_STEPS + 1)[1:, None]
_CURVES = (
    ((1 - _T) ** 2, 2 * (1 - _T) * _T, _T**2),
    ((1 - _T) ** 3, 3 * (1 - _T) ** 2 * _T, 3 * (1 - _T) * _T**2, _T**3),
)
"""Bernstein polynomials of degree two and three at a curve's points."""
_ORIGIN = {"left": 0.5, "top": 0.5, "center": 0.0, "right": -0.5, "bottom": -0.5}

MOST_POINTS = 500
MOST_LINES = 20
"""Of what a pen tells while it moves."""


def parse_pen(
    told: Mapping[str, Any], *, known: int, width: float, erases: bool
) -> tuple[Stroke, ...]:
    """Reads the lines that a pen told of while it drew and its canvas did not since.

    Args:
        told: The `lines`, and how many `strokes` the canvas had told of before them.
        known: How many it has told of by now.
        width: Of the pen, in the canvas's pixels.
        erases: Whether the pen is an eraser.

    Returns:
        None where a browser tells what can be no lines.
    """
    try:
        pen = _Pen.model_validate(told)
    except ValidationError:
        return ()
    since = 0 if pen.strokes is None else max(known - pen.strokes, 0)
    return tuple(
        Stroke(np.array(line, np.float32), width, erases) for line in pen.lines[since:]
    )


def parse_canvas(
    json_data: Mapping[str, Any],
    *,
    width: int,
    height: int,
    eraser_colour: str = "#ffffff",
) -> Drawing:
    """Reads the strokes of a streamlit-drawable-canvas.

    Args:
        json_data: What the canvas returns, in the form of Fabric.js 7: objects of type
            `path`, moved, scaled and turned as they were with the canvas's own tools.
            What was undone is not among them.
        width: Of the canvas in pixels.
        height: Of the canvas in pixels.
        eraser_colour: A stroke of this colour erases.

    Raises:
        ImageError: If it is of another form, larger than a drawing can be, or has
            objects that are no free-hand strokes.
    """
    check_total(_count_points(json_data))
    try:
        canvas = _Canvas.model_validate(json_data)
        return from_model(
            DrawingModel.model_validate(
                {
                    "format_version": FORMAT_VERSION,
                    "width": width,
                    "height": height,
                    "strokes": [
                        {
                            "width": path.stroke_width
                            * math.sqrt(abs(path.scale_x * path.scale_y)),
                            "erases": _colour(path.stroke) == _colour(eraser_colour),
                            "points": list(map(tuple, _place(path).tolist())),
                        }
                        for path in canvas.objects
                    ],
                }
            )
        )
    except ValidationError as error:
        raise refusal(error) from error


class _Path(BaseModel):
    """A free-hand stroke as Fabric.js writes it."""

    type: Literal["Path", "path"]
    path: Annotated[list[_Command], Field(min_length=1, max_length=MAX_POINTS)]
    stroke: str | None = None
    stroke_width: Annotated[float, Field(alias="strokeWidth", **_SIZE)] = 1.0
    left: Coordinate
    top: Coordinate
    width: Annotated[float, Field(**_SIZE)] = 0.0
    height: Annotated[float, Field(**_SIZE)] = 0.0
    origin_x: Annotated[Literal["left", "center", "right"], Field(alias="originX")] = (
        "left"
    )
    origin_y: Annotated[Literal["top", "center", "bottom"], Field(alias="originY")] = (
        "top"
    )
    scale_x: Annotated[_Factor, Field(alias="scaleX")] = 1.0
    scale_y: Annotated[_Factor, Field(alias="scaleY")] = 1.0
    skew_x: Annotated[_Factor, Field(alias="skewX")] = 0.0
    skew_y: Annotated[_Factor, Field(alias="skewY")] = 0.0
    angle: _Factor = 0.0
    flip_x: Annotated[bool, Field(alias="flipX")] = False
    flip_y: Annotated[bool, Field(alias="flipY")] = False


_Point = tuple[Coordinate, Coordinate]
_Line = Annotated[list[_Point], Field(min_length=1, max_length=MOST_POINTS)]


class _Pen(BaseModel):
    lines: Annotated[list[_Line], Field(max_length=MOST_LINES)] = []
    strokes: NonNegativeInt | None = None


class _Canvas(BaseModel):
    """What the canvas component returns."""

    objects: Annotated[list[_Path], Field(max_length=MAX_STROKES)]


def _count_points(json_data: Any) -> int:
    """Counts the points of all paths before any is checked, which takes far longer."""
    objects = json_data.get("objects") if isinstance(json_data, Mapping) else None
    paths = [
        one.get("path")
        for one in (objects if isinstance(objects, list) else ())
        if isinstance(one, Mapping)
    ]
    return sum(
        CURVE_STEPS if isinstance(command, list) and len(command) > len(_LINE) else 1
        for path in paths
        for command in (path if isinstance(path, list) else ())
    )


def _place(path: _Path) -> NDArray[np.float64]:
    """Flattens a path and puts it where the canvas shows it."""
    points = _flatten(path.path)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    size = np.array([path.width, path.height]) + path.stroke_width
    scale = np.array([path.scale_x, path.scale_y])
    angle = math.radians(path.angle)
    turn = np.array(
        [
            [math.cos(angle), -math.sin(angle)],
            [math.sin(angle), math.cos(angle)],
        ]
    )
    # Where the centre lies from the point that left and top name.
    part = np.array([_ORIGIN[path.origin_x], _ORIGIN[path.origin_y]])
    centre = np.array([path.left, path.top]) + turn @ (part * size * scale)
    shape = (
        np.diag(scale * np.where([path.flip_x, path.flip_y], -1, 1))
        @ np.array([[1, math.tan(math.radians(path.skew_x))], [0, 1]])
        @ np.array([[1, 0], [math.tan(math.radians(path.skew_y)), 1]])
    )
    return np.asarray((points - middle) @ (turn @ shape).T + centre)


def _flatten(commands: list[_Command]) -> NDArray[np.float64]:
    """Turns the commands of a path into a polyline."""
    lengths = np.array([len(command) for command in commands])
    ends = np.array([command[-2:] for command in commands], dtype=np.float64)
    if (lengths == len(_LINE)).all():
        return ends
    # Where each command begins; the first in the corner.
    here = np.concatenate([np.zeros((1, 2)), ends[:-1]])[:, None]
    steps = np.where(lengths == len(_LINE), 1, CURVE_STEPS)
    first = np.cumsum(steps) - steps
    points = np.empty((int(steps.sum()), 2))
    points[first[lengths == len(_LINE)]] = ends[lengths == len(_LINE)]
    for shares in _CURVES:
        # A word and two numbers a point, but for the one where it begins.
        which = np.flatnonzero(lengths == 2 * len(shares) - 1)
        numbers = [commands[number][1:] for number in which.tolist()]
        bends = np.array(numbers, dtype=np.float64)
        bends = bends.reshape(len(which), len(shares) - 1, 1, 2)
        curve = shares[0] * here[which]
        for share, bend in zip(shares[1:], bends.swapaxes(0, 1), strict=False):
            curve = curve + share * bend
        points[first[which][:, None] + np.arange(CURVE_STEPS)] = curve
    return points


def _colour(text: str | None) -> tuple[int, ...] | None:
    """Returns what a CSS colour stands for, None where it can't be read."""
    try:
        return ImageColor.getrgb(text or "")[:3]
    except ValueError:
        return None
