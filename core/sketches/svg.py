"""Reads the lines of an SVG as strokes, without drawing areas, text or pictures."""

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from core.errors import ImageError
from core.sketches.strokes import MAX_POINTS, MAX_STROKES, Drawing, Stroke

MAX_SVG_BYTES = 20_000_000
CURVE_POINTS = 16
"""Of a Bézier curve; TU-Berlin's have a few pixels each."""

ROUND_POINTS = 64
SIDE = 1000
"""Of the canvas that strokes are moved to, whatever the SVG's units."""

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
COMMAND = re.compile(r"([MmZzLlHhVvCcSsQqTtAa])([^MmZzLlHhVvCcSsQqTtAa]*)")
TRANSFORM = re.compile(r"(matrix|translate|scale|rotate|skewX|skewY)\s*\(([^)]*)\)")
RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
CLASS = re.compile(r"\.([\w-]+)")
HIDDEN = ("defs", "clipPath", "mask", "symbol", "pattern", "marker")
NOTHING = ("none", "transparent")
COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7}

Points = list[tuple[float, float]]
Matrix = NDArray[np.float64]


def is_svg(content: bytes) -> bool:
    """Returns whether content begins as an SVG does."""
    head = content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") and b"<svg" in content[:20_000]


def read_svg(content: bytes, *, name: str) -> Drawing:
    """Reads paths, lines, polygons, rectangles, circles and ellipses as strokes.

    Curves become polylines. What is filled is read by its outline, but a rectangle
    without one is paper. What is neither filled nor outlined is not seen.

    Args:
        content: The file's.
        name: What to call it in an error.

    Returns:
        Its strokes, on a canvas that holds them all.

    Raises:
        ImageError: If it is no SVG, too large, or has no lines.
    """
    if len(content) > MAX_SVG_BYTES:
        raise ImageError("{path} is too large for a drawing.", path=name)
    if b"<!ENTITY" in content:
        # They may expand to more than any memory holds.
        raise ImageError("{path} defines entities, as no drawing does.", path=name)
    try:
        root = ElementTree.fromstring(content)
        _apply_rules(root)
        lines: list[NDArray[np.float64]] = []
        count = 0
        for line in _lines(root, np.eye(3)):
            count += len(line)
            if count > MAX_POINTS or len(lines) >= MAX_STROKES:
                raise ImageError("{path} has too many lines to read.", path=name)
            lines.append(line)
    except (ElementTree.ParseError, ValueError, OverflowError, LookupError) as error:
        raise ImageError(
            "{path} can't be read as a picture: {reason}.", path=name, reason=error
        ) from error
    points = np.concatenate(lines) if lines else np.empty((0, 2))
    if not len(points) or not np.isfinite(points).all():
        raise ImageError("{path} is blank: there are no lines on it.", path=name)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = SIDE / max(float((high - low).max()), 1e-9)
    return Drawing(
        tuple(
            Stroke(((line - low) * scale).astype(np.float32), width=1.0)
            for line in lines
        ),
        width=SIDE,
        height=SIDE,
    )


def _apply_rules(root: Any) -> None:
    """Writes what a style sheet says of classes into the elements' own styles."""
    rules: dict[str, str] = {}
    for sheet in root.iter():
        if str(sheet.tag).rpartition("}")[2] == "style":
            for selectors, body in RULE.findall(sheet.text or ""):
                for name in CLASS.findall(selectors):
                    rules[name] = f"{rules.get(name, '')};{body}"
    if rules:
        for element in root.iter():
            named = [rules.get(n, "") for n in element.get("class", "").split()]
            element.set("style", ";".join([*named, element.get("style", "")]))


def _lines(
    element: Any, matrix: Matrix, *, fill: str = "", stroke: str = "", depth: int = 0
) -> Iterator[NDArray[np.float64]]:
    """Yields the lines of an element and of all in it, in the root's units.

    Args:
        element: Of the SVG.
        matrix: From the units around it to the root's, shape `(3, 3)`.
        fill: What the group around it paints areas with; "" if it doesn't say.
        stroke: And what outlines.
        depth: How many groups are around it.
    """
    tag = str(element.tag).rpartition("}")[2]
    style = {}
    for part in element.get("style", "").replace("!important", "").split(";"):
        name, _, value = part.partition(":")
        style[name.strip()] = value.strip()

    def own(name: str) -> str:
        word = style.get(name) or element.get(name, "").strip()
        return "" if word == "inherit" else word

    if tag in HIDDEN or own("display") == "none":
        return
    if depth > 100:
        raise ValueError("its groups are nested too deep")
    fill, stroke = own("fill") or fill, own("stroke") or stroke
    is_seen = fill not in NOTHING or stroke not in NOTHING
    is_outlined = fill in NOTHING or own("stroke") not in ("", *NOTHING)
    matrix = matrix @ _transform(element.get("transform", ""))
    # A filled rectangle without an outline of its own is paper, or a part of a picture
    # that no one drew by lines.
    if is_seen and (is_outlined or tag != "rect"):
        for points in _shape(tag, element):
            line = np.array(points, dtype=np.float64)
            yield line @ matrix[:2, :2].T + matrix[:2, 2]
    for child in element:
        yield from _lines(child, matrix, fill=fill, stroke=stroke, depth=depth + 1)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(text)]


def _shape(tag: str, element: Any) -> Iterator[Points]:
    """Yields the polylines of one element."""

    def get(name: str) -> float:
        numbers = _numbers(element.get(name, "0"))
        return numbers[0] if numbers else 0.0

    if tag == "path":
        yield from _path(element.get("d", ""))
    elif tag in ("polyline", "polygon"):
        flat = _numbers(element.get("points", ""))
        points = list(zip(flat[::2], flat[1::2], strict=False))
        if points:
            yield [*points, points[0]] if tag == "polygon" else points
    elif tag == "line":
        yield [(get("x1"), get("y1")), (get("x2"), get("y2"))]
    elif tag == "rect":
        x, y, width, height = (get(n) for n in ("x", "y", "width", "height"))
        right, bottom = x + width, y + height
        yield [(x, y), (right, y), (right, bottom), (x, bottom), (x, y)]
    elif tag in ("circle", "ellipse"):
        rx = get("r") if tag == "circle" else get("rx")
        ry = get("r") if tag == "circle" else get("ry")
        angles = np.linspace(0, 2 * math.pi, ROUND_POINTS)
        xs, ys = get("cx") + rx * np.cos(angles), get("cy") + ry * np.sin(angles)
        yield list(zip(xs.tolist(), ys.tolist(), strict=True))


def _transform(text: str) -> Matrix:
    """Returns the matrix of a `transform` attribute, shape `(3, 3)`."""
    matrix = np.eye(3)
    for kind, inner in TRANSFORM.findall(text):
        values = _numbers(inner)
        step = np.eye(3)
        if kind == "matrix" and len(values) == 6:
            step[:2] = np.array(values).reshape(3, 2).T
        elif kind == "translate" and values:
            step[:2, 2] = values[0], values[1] if len(values) > 1 else 0
        elif kind == "scale" and values:
            step[0, 0], step[1, 1] = values[0], values[-1]
        elif kind == "rotate" and values:
            cos, sin = (f(math.radians(values[0])) for f in (math.cos, math.sin))
            step[:2, :2] = [[cos, -sin], [sin, cos]]
            if len(values) == 3:
                centre = np.array(values[1:])
                step[:2, 2] = centre - step[:2, :2] @ centre
        elif kind.startswith("skew") and values:
            place = (0, 1) if kind == "skewX" else (1, 0)
            step[place] = math.tan(math.radians(values[0]))
        matrix = matrix @ step
    return matrix


def _path(data: str) -> Iterator[Points]:
    """Yields the subpaths of a path's `d`, each at least two points."""
    at = start = control = (0.0, 0.0)
    before = ""
    line: Points = []
    for letter, inner in COMMAND.findall(data):
        command, is_relative = letter.upper(), letter.islower()
        if command == "Z":
            if line:
                line.append(start)
            at = start
            continue
        values = _arc_numbers(inner) if command == "A" else _numbers(inner)
        count = COUNTS[command]
        for i in range(0, len(values) - count + 1, count):
            v = values[i : i + count]
            x0, y0 = at if is_relative else (0.0, 0.0)
            if command == "H":
                ends = [(v[0] + x0, at[1])]
            elif command == "V":
                ends = [(at[0], v[0] + y0)]
            elif command == "A":
                ends = [(v[5] + x0, v[6] + y0)]
            else:
                ends = [(x + x0, y + y0) for x, y in zip(v[::2], v[1::2], strict=True)]
            if command == "M" and i == 0:
                if len(line) > 1:
                    yield line
                start = at = control = ends[0]
                line, before = [at], command
                continue
            # A new subpath may go on where another was closed.
            line = line or [at]
            mirrored = (2 * at[0] - control[0], 2 * at[1] - control[1])
            if command in "ST":
                is_smooth = before in ("CS" if command == "S" else "QT")
                ends = [mirrored if before and is_smooth else at, *ends]
            control = ends[-2] if len(ends) > 1 else ends[-1]
            if command == "A":
                line += _arc(at, ends[0], *v[:5])
            else:
                line += _bezier([at, *ends]) if len(ends) > 1 else ends
            at, before = ends[-1], command
    if len(line) > 1:
        yield line


def _bezier(points: Points) -> Points:
    """Returns points along a curve, without its first."""
    t = np.linspace(0, 1, CURVE_POINTS + 1)[1:, None]
    rows = [np.array(point)[None] + 0 * t for point in points]
    while len(rows) > 1:
        rows = [one + (two - one) * t for one, two in pairwise(rows)]
    return [(float(x), float(y)) for x, y in rows[0]]


def _arc_numbers(text: str) -> list[float]:
    """Returns an arc's numbers, whose two flags may stand together."""
    values: list[float] = []
    while text := text.lstrip(" ,\t\r\n"):
        is_flag = len(values) % 7 in (3, 4) and text[0] in "01"
        match = None if is_flag else NUMBER.match(text)
        word = text[0] if is_flag else match.group() if match else ""
        if not word:
            break
        values.append(float(word))
        text = text[len(word) :]
    return values


def _arc(
    start: tuple[float, float],
    end: tuple[float, float],
    rx: float,
    ry: float,
    turn: float,
    large: float,
    sweep: float,
) -> Points:
    """Returns points along an elliptical arc, without its first (SVG 2, B.2.4)."""
    rx, ry = abs(rx), abs(ry)
    if not rx or not ry or start == end:
        return [end]
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    half = ((start[0] - end[0]) / 2, (start[1] - end[1]) / 2)
    x, y = cos * half[0] + sin * half[1], -sin * half[0] + cos * half[1]
    grow = math.sqrt(max((x / rx) ** 2 + (y / ry) ** 2, 1.0))
    rx, ry = rx * grow, ry * grow
    below = (rx * y) ** 2 + (ry * x) ** 2
    root = math.sqrt(max((rx * ry) ** 2 / below - 1, 0)) if below else 0.0
    root = -root if bool(large) == bool(sweep) else root
    cx, cy = root * rx * y / ry, -root * ry * x / rx
    first = math.atan2((y - cy) / ry, (x - cx) / rx)
    angle = math.atan2((-y - cy) / ry, (-x - cx) / rx) - first
    if sweep and angle < 0:
        angle += 2 * math.pi
    elif not sweep and angle > 0:
        angle -= 2 * math.pi
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    points = []
    for n in range(1, ROUND_POINTS // 2 + 1):
        at = first + angle * n / (ROUND_POINTS // 2)
        px, py = rx * math.cos(at) + cx, ry * math.sin(at) + cy
        points.append(
            (cos * px - sin * py + middle[0], sin * px + cos * py + middle[1])
        )
    return [*points[:-1], end]
