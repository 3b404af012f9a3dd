"""What the screens share: text is shown as it is, metrics hold what they are given."""

import gzip
import html
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from plotly import graph_objects as go
from plotly.offline import get_plotlyjs
from starlette.requests import Request

from core.analysis.comparison import compare
from core.analysis.families import cut, find_similarity
from core.charts.classes import change_chart
from core.charts.matrix import family_chart, matrix_heatmap
from core.language import plain, plain_label, translations
from core.paths import TRAINED_DIR
from core.runs.reading import read_run
from pages.shared import library
from tests.unit.runs.test_evaluation import make_evaluation

ENGLISH = translations("en")
MAX_MATRIX_BYTES = 200_000


@pytest.mark.parametrize(
    "text",
    ["*bold*", "a_b_c", "$x$", ":material/home:", "<b>", "[a](b)", "1. #", "`c`"],
)
def test_markdown_signs_are_escaped(text: str) -> None:
    escaped = plain(text)
    assert escaped != text
    assert escaped.replace("\\", "") == text


@given(st.text())
def test_plotly_labels_come_back_as_they_were(text: str) -> None:
    assert html.unescape(plain_label(text)) == html.unescape(text)
    assert "<" not in plain_label(text)


def payload(figure: go.Figure) -> int:
    return len(json.dumps(figure.to_plotly_json()))


def matrix(classes: int) -> NDArray[np.int64]:
    generator = np.random.default_rng(0)
    return generator.integers(0, 20, (classes, classes))


@pytest.mark.parametrize("unit", ["", " %"])
def test_a_full_matrix_is_small_on_the_wire(unit: str) -> None:
    counts = matrix(250)
    names = [f"a class of {number}" for number in range(250)]
    figure = matrix_heatmap(
        counts.astype(float),
        counts,
        names,
        unit=unit,
        log=True,
        chosen=7,
        words=ENGLISH,
    )
    assert payload(figure) < MAX_MATRIX_BYTES


def test_a_matrix_shows_small_shares_as_more_than_nothing() -> None:
    values = np.array([[99.9, 0.1], [0.0, 100.0]])
    figure = matrix_heatmap(values, matrix(2), ["a", "b"], unit=" %", words=ENGLISH)
    assert figure.data[0].z.tolist() == [[100, 1], [0, 100]]


def test_a_difference_keeps_its_signs() -> None:
    values = np.array([[-3.0, 3.0], [0.0, -300.0]])
    figure = matrix_heatmap(
        values, matrix(2), ["a", "b"], is_difference=True, words=ENGLISH
    )
    assert figure.data[0].z.tolist() == [[-3, 3], [0, -300]]
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-300, 300)


@pytest.mark.parametrize("limit", [1, 3, 26, 250])
def test_the_log_scale_spans_all_values(limit: int) -> None:
    values = np.array([[limit, 0.0], [1.0, 0.0]])
    figure = matrix_heatmap(
        values, values.astype(int), ["a", "b"], log=True, words=ENGLISH
    )
    positions = [position for position, _ in figure.data[0].colorscale]
    assert positions[0] == 0
    assert positions[-1] == 1
    assert positions == sorted(positions)


@pytest.mark.parametrize(
    ("classes", "found", "expected"),
    [(60, 30, (17.5, 42.5)), (60, 0, (-0.5, 24.5)), (60, 59, (34.5, 59.5))],
)
def test_the_view_of_a_found_class_stays_within_the_matrix(
    classes: int, found: int, expected: tuple[float, float]
) -> None:
    counts = matrix(classes)
    names = [str(number) for number in range(classes)]
    figure = matrix_heatmap(
        counts.astype(float), counts, names, chosen=found, words=ENGLISH
    )
    assert figure.layout.xaxis.range == expected
    assert figure.layout.yaxis.range == expected[::-1]


def test_a_found_class_of_a_small_matrix_is_framed_and_not_zoomed_to() -> None:
    counts = matrix(20)
    names = [str(number) for number in range(20)]
    figure = matrix_heatmap(
        counts.astype(float), counts, names, chosen=3, words=ENGLISH
    )
    assert figure.layout.xaxis.range is None
    assert len(figure.layout.shapes) == 2


def test_an_empty_matrix_can_be_drawn() -> None:
    nothing = np.zeros((2, 2))
    assert matrix_heatmap(
        nothing, nothing.astype(int), ["a", "b"], log=True, words=ENGLISH
    ).data


@pytest.mark.parametrize("folder", ["", "/sketches/"])
def test_the_library_of_charts_is_kept_by_browsers(
    monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setattr(library, "get_option", lambda _name: folder)
    route = library.library_route()
    assert route.path == f"{folder.rstrip('/')}/{library.ADDRESS}"
    for encoding in ("gzip", "identity"):
        headers = [(b"accept-encoding", encoding.encode())]
        answer = route.endpoint(Request({"type": "http", "headers": headers}))
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert "immutable" in answer.headers["Cache-Control"]
        is_packed = answer.headers.get("Content-Encoding", "identity") == "gzip"
        assert is_packed == (encoding == "gzip")
        content = gzip.decompress(answer.body) if is_packed else answer.body
        assert content.decode() == get_plotlyjs()


def test_a_tree_beside_a_full_matrix_is_small_and_has_every_class_once() -> None:
    run = make_evaluation(2000, 250, seed=0)
    run = replace(run, class_names=("<b>", *run.class_names[1:]))
    tree = find_similarity(run).tree
    family_of = cut(tree, 30)
    figure = family_chart(
        run.confusion, tree, family_of, run.class_names, chosen=4, words=ENGLISH
    )
    assert payload(figure) < MAX_MATRIX_BYTES
    expected = [plain_label(run.class_names[label]) for label in tree.order]
    heatmap, leaves = figure.data
    assert list(heatmap.y) == list(heatmap.x) == list(leaves.y) == expected
    assert (leaves.customdata == family_of[tree.order] + 1).all()
    inside, above, *frames = figure.layout.shapes
    assert inside.path.count("M") == 250 - 30
    assert above.path.count("M") == 30 - 1
    sizes = np.bincount(family_of)
    assert len(frames) == ((sizes > 1) | (np.arange(30) == 4)).sum()
    assert [frame.line.width for frame in frames].count(3) == 1


def test_changes_are_drawn_most_gained_first_with_their_intervals() -> None:
    run, other = make_evaluation(90, 6, seed=1), make_evaluation(90, 6, seed=2)
    found = compare(run, replace(other, y_true=run.y_true))
    runs = [read_run(TRAINED_DIR / name) for name in ("resnet18", "simple")]
    figure, names = change_chart(found.classes, *runs, chosen="class 3", words=ENGLISH)
    (points,) = figure.data
    by_name = {one.class_name: one.paired for one in found.classes}
    assert sorted(names) == sorted(by_name)
    assert (np.diff(points.y) <= 0).all()
    for place, name in enumerate(names):
        paired = by_name[name]
        assert points.y[place] == pytest.approx(100 * paired.change)
        low = points.y[place] - points.error_y.arrayminus[place]
        high = points.y[place] + points.error_y.array[place]
        assert (low, high) == pytest.approx((100 * paired.low, 100 * paired.high))
        shape = {1: "triangle-up", 0: "circle", -1: "triangle-down"}
        assert points.marker.symbol[place] == shape[int(np.sign(paired.net))]
        assert (points.marker.size[place] > 7) == (name == "class 3")
