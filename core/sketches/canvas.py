"""Reads the strokes that a canvas in the browser reports of itself."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor
from pydantic import BaseModel, Field, ValidationError

from core.sketches.strokes import (
    FORMAT_VERSION,
    MAX_POINTS,
    MAX_SIDE,
    MAX_STROKES,
    Coordinate,
    Drawing,
    DrawingModel,
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
_ORIGIN = {"left": 0.5, "top": 0.5, "center": 0.0, "right": -0.5, "bottom": -0.5}


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


class _Canvas(BaseModel):
    """What the canvas component returns."""

    objects: Annotated[list[_Path], Field(max_length=MAX_STROKES)]


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
    along = np.linspace(0, 1, CURVE_STEPS + 1)[1:, None]
    pieces: list[NDArray[np.float64]] = []
    here = np.zeros(2)
    for _, *numbers in commands:
        ends = np.array(numbers, dtype=np.float64).reshape(-1, 2)
        if len(ends) == 2:
            piece = (
                (1 - along) ** 2 * here
                + 2 * (1 - along) * along * ends[0]
                + along**2 * ends[1]
            )
        elif len(ends) == 3:
            piece = (
                (1 - along) ** 3 * here
                + 3 * (1 - along) ** 2 * along * ends[0]
                + 3 * (1 - along) * along**2 * ends[1]
                + along**3 * ends[2]
            )
        else:
            piece = ends
        here = ends[-1]
        pieces.append(piece)
    return np.concatenate(pieces)


def _colour(text: str | None) -> tuple[int, ...] | None:
    """Returns what a CSS colour stands for, None where it can't be read."""
    try:
        return ImageColor.getrgb(text or "")[:3]
    except ValueError:
        return None
