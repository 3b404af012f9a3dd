"""What the screens share: text is shown as it is, figures hold what they are given."""

import html
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from plotly import graph_objects as go

from pages.shared.chart import LIBRARY, SCRIPT
from pages.shared.figures import matrix_heatmap
from pages.shared.text import plain, plain_label

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
        counts.astype(float), counts, names, unit=unit, log=True, found=7
    )
    assert payload(figure) < MAX_MATRIX_BYTES


def test_a_matrix_shows_small_shares_as_more_than_nothing() -> None:
    values = np.array([[99.9, 0.1], [0.0, 100.0]])
    figure = matrix_heatmap(values, matrix(2), ["a", "b"], unit=" %")
    assert figure.data[0].z.tolist() == [[100, 1], [0, 100]]


def test_a_difference_keeps_its_signs() -> None:
    values = np.array([[-3.0, 3.0], [0.0, -300.0]])
    figure = matrix_heatmap(values, matrix(2), ["a", "b"], is_difference=True)
    assert figure.data[0].z.tolist() == [[-3, 3], [0, -300]]
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-300, 300)


@pytest.mark.parametrize("limit", [1, 3, 26, 250])
def test_the_log_scale_spans_all_values(limit: int) -> None:
    values = np.array([[limit, 0.0], [1.0, 0.0]])
    figure = matrix_heatmap(values, values.astype(int), ["a", "b"], log=True)
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
    figure = matrix_heatmap(counts.astype(float), counts, names, found=found)
    assert figure.layout.xaxis.range == expected
    assert figure.layout.yaxis.range == expected[::-1]


def test_a_found_class_of_a_small_matrix_is_framed_and_not_zoomed_to() -> None:
    counts = matrix(20)
    names = [str(number) for number in range(20)]
    figure = matrix_heatmap(counts.astype(float), counts, names, found=3)
    assert figure.layout.xaxis.range is None
    assert len(figure.layout.shapes) == 2


def test_an_empty_matrix_can_be_drawn() -> None:
    nothing = np.zeros((2, 2))
    assert matrix_heatmap(nothing, nothing.astype(int), ["a", "b"], log=True).data


def test_the_library_says_when_it_is_loaded_and_the_chart_listens() -> None:
    assert "plotly-loaded" in LIBRARY
    assert "plotly-loaded" in SCRIPT
