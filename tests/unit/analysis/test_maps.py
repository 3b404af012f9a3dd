"""The map of test sketches: places, colours, and the pictures of its cards."""

import base64
import io
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.analysis.maps import (
    class_centres,
    class_hues,
    label_order,
    mapped_rows,
)
from core.charts.map import map_scatter
from core.language import translations
from core.runs.evaluation import Evaluation
from core.sketches.thumbnails import SHEET_COLUMNS, SHEET_PX, sketch_sheets
from tests.unit.runs.test_evaluation import make_evaluation

WORDS = translations("en")


def on_map(n: int, classes: int, seed: int) -> Evaluation:
    generator = np.random.default_rng(seed)
    return replace(
        make_evaluation(n, classes, seed=seed),
        map_2d=generator.normal(size=(n, 2)).astype(np.float32),
    )


maps = st.builds(on_map, st.integers(1, 60), st.integers(2, 6), st.integers(0, 2**31))


def test_a_class_lies_where_most_of_it_lies() -> None:
    evaluation = replace(
        make_evaluation(4, 3, seed=0),
        y_true=np.array([0, 0, 0, 2], np.int32),
        map_2d=np.array([[1, 1], [1, 2], [99, 3], [-5, 0]], np.float32),
    )
    centres = class_centres(evaluation)
    assert centres[0].tolist() == [1, 2]
    assert np.isnan(centres[1]).all()
    # The class of one sketch lies closest together; one goes before it if asked.
    assert label_order(evaluation, centres, first=[]) == [2, 0]
    assert label_order(evaluation, centres, first=[0, 1]) == [0, 2]


def test_classes_in_one_direction_have_one_hue() -> None:
    centres = np.array([[1, 0], [9, 0], [0, 1], [-10, 0], [0, -1], [np.nan] * 2])
    hues = class_hues(centres)
    assert hues[0] == hues[1] == 0
    assert np.allclose(hues[[2, 3, 4]], [0.25, 0.5, 0.75])
    assert ((hues >= 0) & (hues <= 1)).all()


def test_what_has_no_place_is_left_out() -> None:
    evaluation = on_map(6, 2, seed=1)
    evaluation.map_2d[2] = np.nan, 0
    assert mapped_rows(evaluation).tolist() == [0, 1, 3, 4, 5]
    assert np.isfinite(class_hues(class_centres(evaluation))).all()


@given(
    maps,
    st.sampled_from(["class", "rightness", "confidence"]),
    st.lists(st.integers(0, 1), unique=True),
    st.booleans(),
)
def test_each_sketch_is_one_point_and_wrong_ones_are_crosses(
    evaluation: Evaluation, colour: str, chosen: list[int], is_gathered: bool
) -> None:
    rows = mapped_rows(evaluation)[::2]
    gathered = rows[: len(rows) // 2] if is_gathered else None
    figure = map_scatter(
        evaluation,
        rows,
        colour=colour,  # type: ignore[arg-type]
        chosen=chosen,
        gathered=gathered,
        words=WORDS,
    )
    drawn: list[int] = []
    picked: list[int] = []
    for trace in figure.data:
        if trace.customdata is None:
            continue
        of_trace = np.asarray(trace.customdata)
        drawn += of_trace.tolist()
        is_right = evaluation.y_pred[of_trace] == evaluation.y_true[of_trace]
        assert (is_right == (trace.marker.symbol == "circle")).all()
        assert np.array_equal(trace.x, evaluation.map_2d[of_trace, 0])
        if trace.selectedpoints is not None:
            picked += of_trace[list(trace.selectedpoints)].tolist()
    assert sorted(drawn) == rows.tolist()
    if gathered is not None:
        assert sorted(picked) == gathered.tolist()


def test_positions_travel_in_binary() -> None:
    evaluation = on_map(4000, 5, seed=2)
    figure = map_scatter(
        evaluation, mapped_rows(evaluation), colour="class", words=WORDS
    ).to_json()
    assert len(figure) < 4000 * 30
    first = figure.split('"bdata":"')[1].split('"')[0]
    assert base64.b64decode(first)


def test_a_sheet_holds_each_sketch_in_its_place() -> None:
    columns, per_sheet = SHEET_COLUMNS, SHEET_COLUMNS**2
    # Sketch number k is gray in an eighth of its area, the k-th.
    images = np.full((8, 128, 128), 255, dtype=np.uint8)
    for number in range(8):
        images[number, 16 * number : 16 * (number + 1)] = 0
    rows = np.arange(per_sheet + columns + 3) % 8
    sheets = sketch_sheets(images, rows)
    assert len(sheets) == 2
    sizes = []
    for sheet, content in enumerate(sheets):
        picture = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
        sizes.append(picture.shape)
        of_sheet = rows[sheet * per_sheet : (sheet + 1) * per_sheet]
        for place, number in enumerate(of_sheet):
            down, right = divmod(place, columns)
            tile = picture[
                down * SHEET_PX : (down + 1) * SHEET_PX,
                right * SHEET_PX : (right + 1) * SHEET_PX,
            ]
            ink = np.flatnonzero((tile == 0).all(axis=1))
            assert ink.tolist() == list(range(8 * number, 8 * (number + 1)))
    assert sizes == [(32 * SHEET_PX, 32 * SHEET_PX), (2 * SHEET_PX, 32 * SHEET_PX)]
    assert sketch_sheets(images, rows[:0]) == ()
