"""Strokes of any place, size and width become the same sketch."""

import json
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import ImageError
from core.sketches import canvas, strokes
from core.sketches.canvas import parse_canvas, parse_pen
from core.sketches.strokes import (
    Drawing,
    Stroke,
    from_json,
    is_too_little,
    render_sketch,
    to_json,
)


def stroke(*points: tuple[float, float], width: float = 6, erases: bool = False) -> Any:
    return Stroke(np.array(points, dtype=np.float32), width=width, erases=erases)


HOUSE = (
    stroke((100, 250), (100, 150), (200, 150), (200, 250), (100, 250)),
    stroke((90, 160), (150, 90), (210, 160)),
    stroke((140, 250), (140, 200), (160, 200), (160, 250)),
)


def house(
    *, scale: float = 1, shift: tuple[float, float] = (0, 0), side: int = 360
) -> Drawing:
    lines = tuple(
        Stroke((one.points * scale + shift).astype(np.float32), width=one.width)
        for one in HOUSE
    )
    return Drawing(lines, width=side, height=side)


def ink(sketch: NDArray[np.uint8]) -> float:
    return float((255 - sketch.astype(float)).sum() / 255)


def difference(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> float:
    """Ink that moved, as a share of all ink."""
    moved = np.abs(one.astype(float) - two.astype(float)).sum() / 255
    return float(moved) / max(ink(one), ink(two), 1)


def fabric(**changes: Any) -> dict[str, Any]:
    """A stroke as the canvas returns it, from (100, 100) to (200, 150)."""
    return {
        "type": "Path",
        "originX": "center",
        "originY": "center",
        "left": 150,
        "top": 125,
        "width": 100,
        "height": 50,
        "stroke": "#000000",
        "strokeWidth": 6,
        "scaleX": 1,
        "scaleY": 1,
        "angle": 0,
        "path": [["M", 100, 100], ["Q", 100, 100, 150, 125], ["L", 200, 150]],
        **changes,
    }


def parsed(*objects: dict[str, Any]) -> Drawing:
    data = {"version": "7.0.0", "objects": list(objects), "background": "#ffffff"}
    return parse_canvas(data, width=360, height=360)


def test_a_sketch_is_centred_and_of_the_dataset_s_size() -> None:
    sketch = render_sketch(house())
    rows, columns = (np.flatnonzero((sketch < 215).any(axis=axis)) for axis in (1, 0))
    assert sketch.shape == (128, 128)
    assert sketch.dtype == np.uint8
    assert rows[-1] - rows[0] + 1 == pytest.approx(0.79 * 128, abs=2)
    for found in (rows, columns):
        assert (found[0] + found[-1] + 1) / 2 == pytest.approx(64, abs=1)


@settings(deadline=None)
@given(
    scale=st.floats(0.2, 1.5),
    x=st.floats(-15, 15),
    y=st.floats(-15, 15),
)
def test_size_and_place_do_not_matter(scale: float, x: float, y: float) -> None:
    moved = house(scale=scale, shift=(x, y), side=720)
    assert difference(render_sketch(moved), render_sketch(house(side=720))) < 0.35


@settings(deadline=None)
@given(width=st.floats(1, 24))
def test_the_brush_s_width_does_not_matter(width: float) -> None:
    lines = tuple(Stroke(one.points, width=width) for one in HOUSE)
    thick = render_sketch(Drawing(lines, width=360, height=360))
    assert (thick == render_sketch(house())).all()


def test_strokes_that_cut_corners_are_placed_by_the_box_that_is_known() -> None:
    square = ((60, 60), (300, 60), (300, 300), (60, 300), (60, 60))
    whole = render_sketch(Drawing((stroke(*square),), width=360, height=360), span=240)
    cut = (stroke((63, 63), (298, 63), (298, 297), (63, 297), (63, 63)),)
    known = render_sketch(Drawing(cut, width=360, height=360), span=240)
    measured = render_sketch(Drawing(cut, width=720, height=720))
    columns = [np.flatnonzero((one < 215).any(axis=0)) for one in (known, measured)]
    assert columns[0][-1] - columns[0][0] < columns[1][-1] - columns[1][0]
    assert difference(measured, whole) < 0.3


@pytest.mark.parametrize("span", [100, 400])
def test_a_box_that_is_not_the_strokes_is_not_believed(span: float) -> None:
    moved = house(scale=0.5, side=720)
    assert (render_sketch(moved, span=span) == render_sketch(moved)).all()


@pytest.mark.alone
def test_a_sketch_takes_milliseconds() -> None:
    many = Drawing(HOUSE * 10, width=360, height=360)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        render_sketch(many)
        times.append(time.perf_counter() - started)
    # Several times the promised 5 ms, since this machine may be doing other work.
    assert min(times) < 0.03


def test_what_is_erased_is_gone_and_not_counted_in_the_size() -> None:
    far = stroke((300, 300), (340, 300))
    eraser = stroke((290, 300), (350, 300), width=30, erases=True)
    with_far = Drawing((*HOUSE, far, eraser), width=360, height=360)
    assert difference(render_sketch(with_far), render_sketch(house())) < 0.3
    nothing = Drawing((far, eraser), width=360, height=360)
    assert (render_sketch(nothing) == 255).all()


def test_a_line_over_what_was_erased_is_seen() -> None:
    eraser = stroke((0, 180), (360, 180), width=400, erases=True)
    drawing = Drawing((*HOUSE, eraser, *HOUSE), width=360, height=360)
    assert difference(render_sketch(drawing), render_sketch(house())) < 0.3


def test_what_is_off_the_canvas_is_cut_off() -> None:
    off = stroke((150, 90), (150, -5000))
    cut = stroke((150, 90), (150, 0))
    one, two = (
        render_sketch(Drawing((*HOUSE, line), width=360, height=360))
        for line in (off, cut)
    )
    assert difference(one, two) < 0.05


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (stroke((10, 10)),),
        (stroke((10, 10)), stroke((300, 200))),
        (stroke((10, 10), (340, 340)),),
        (stroke((10, 300), (340, 300)),),
        tuple(Stroke((one.points / 20).astype(np.float32), width=1) for one in HOUSE),
    ],
)
def test_dots_one_line_and_a_tiny_scribble_are_too_little(lines: Any) -> None:
    assert is_too_little(Drawing(lines, width=360, height=360))


def test_a_house_is_enough() -> None:
    assert not is_too_little(house())
    assert not is_too_little(render_sketch(house()))
    assert is_too_little(np.full((128, 128), 255, dtype=np.uint8))


ONE, TWO = [(1.0, 2.0), (3.0, 4.0)], [(5.0, 6.0)]


@pytest.mark.parametrize(
    ("told", "known", "expected"),
    [
        ({"lines": [ONE], "strokes": 1}, 1, [ONE]),
        # The canvas told of the line while it was on its way.
        ({"lines": [ONE], "strokes": 1}, 2, []),
        ({"lines": [ONE, TWO], "strokes": 1}, 2, [TWO]),
        ({"lines": [ONE, TWO], "strokes": 0}, 5, []),
        # A stroke was undone since.
        ({"lines": [ONE], "strokes": 3}, 2, [ONE]),
        ({}, 2, []),
        ({"lines": [ONE], "strokes": -1}, 2, []),
        ({"lines": [ONE], "strokes": "many"}, 2, []),
        ({"lines": [[]], "strokes": 2}, 2, []),
        ({"lines": "all", "strokes": 2}, 2, []),
    ],
)
def test_a_line_that_the_canvas_told_of_is_not_drawn_twice(
    told: dict[str, Any], known: int, expected: list[list[tuple[float, float]]]
) -> None:
    strokes = parse_pen(told, known=known, width=10, erases=False)
    assert [s.points.tolist() for s in strokes] == [
        [list(point) for point in line] for line in expected
    ]


def test_a_canvas_path_is_read_where_it_is_shown() -> None:
    (line,) = parsed(fabric()).strokes
    assert line.points[0] == pytest.approx((100, 100))
    assert line.points[-1] == pytest.approx((200, 150))
    assert (line.width, line.erases) == (6, False)


def test_a_canvas_path_that_was_moved_scaled_and_turned_is_followed() -> None:
    (line,) = parsed(fabric(left=200, top=200, scaleX=2, scaleY=2, angle=90)).strokes
    assert line.points[0] == pytest.approx((250, 100))
    assert line.points[-1] == pytest.approx((150, 300))
    assert line.width == 12


def test_left_and_top_may_name_the_corner() -> None:
    corner = fabric(originX="left", originY="top", left=97, top=97)
    (line,) = parsed(corner).strokes
    assert line.points[0] == pytest.approx((100, 100))


def test_curves_are_followed() -> None:
    path = [["M", 0, 0], ["Q", 50, 100, 100, 0], ["C", 150, -100, 150, -100, 200, 0]]
    (line,) = parsed(fabric(path=path, left=100, top=0)).strokes
    assert len(line.points) == 1 + 2 * canvas.CURVE_STEPS
    top = line.points[: canvas.CURVE_STEPS + 1]
    assert top[:, 1].max() - line.points[0, 1] == pytest.approx(50, abs=1)


@pytest.mark.parametrize("colour", ["#ffffff", "#FFF", "white", "rgb(255, 255, 255)"])
def test_a_stroke_of_the_eraser_s_colour_erases(colour: str) -> None:
    assert parsed(fabric(stroke=colour)).strokes[0].erases


def test_an_empty_canvas_is_an_empty_drawing() -> None:
    assert parsed().strokes == ()


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"objects": None},
        {"objects": [{"type": "Image"}]},
        {"objects": [fabric(path=[])]},
        {"objects": [fabric(path=[["M", 1]])]},
        {"objects": [fabric(path=[["A", 1, 2]])]},
        {"objects": [fabric(path=[["M", float("nan"), 2]])]},
        {"objects": [fabric(path=[["M", 1e300, 2]])]},
        {"objects": [fabric(left=float("inf"))]},
        {"objects": [fabric(strokeWidth=-1)]},
        {"objects": [fabric(scaleX=1e9)]},
        {"objects": [fabric()] * (strokes.MAX_STROKES + 1)},
    ],
)
def test_a_hostile_canvas_is_refused(data: Any) -> None:
    with pytest.raises(ImageError, match=r"^The drawing .*\.$"):
        parse_canvas(data, width=360, height=360)


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.floats(-500, 500, width=32), st.floats(-500, 500, width=32)),
            min_size=1,
            max_size=9,
        ),
        max_size=5,
    )
)
def test_a_drawing_survives_json(lines: list[list[tuple[float, float]]]) -> None:
    drawing = Drawing(
        tuple(stroke(*points, erases=len(points) == 2) for points in lines),
        width=360,
        height=240,
    )
    again = from_json(to_json(drawing))
    assert (again.width, again.height) == (360, 240)
    for one, two in zip(drawing.strokes, again.strokes, strict=True):
        assert (one.points == two.points).all()
        assert (one.width, one.erases) == (two.width, two.erases)
    assert render_sketch(again).shape == (128, 128)


def as_json(**changes: Any) -> str:
    return json.dumps({**json.loads(to_json(house())), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        "null",
        as_json(format_version=2),
        as_json(width=0),
        as_json(width=10**9),
        as_json(more=1),
        as_json(strokes=[{"width": 1, "points": []}]),
        as_json(strokes=[{"width": 1, "points": [[1]]}]),
        as_json(strokes=[{"width": 1, "points": [["1", "2"]]}]),
        as_json(strokes=[{"width": 1, "points": [[float("nan"), 2]]}]),
        as_json(strokes=[{"width": 0, "points": [[1, 2]]}]),
        as_json(strokes=[{"width": 1, "points": [[1, 2]]}] * 5_001),
        as_json(strokes=[{"width": 1, "points": [[1, 2]] * 100_001}] * 2),
        " " * (strokes.MAX_JSON_BYTES + 1),
    ],
)
def test_hostile_json_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ImageError, match=r"^The drawing .*\.$") as caught:
        from_json(text)
    assert len(str(caught.value)) < 400


@given(st.text(max_size=200))
def test_no_text_does_worse_than_one_clear_error(text: str) -> None:
    with pytest.raises(ImageError):
        from_json(text)
