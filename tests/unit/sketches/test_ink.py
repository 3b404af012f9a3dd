"""Whatever strokes a visitor sends, drawing them is bounded."""

import resource
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ImageError
from core.inference.classify import Classifier
from core.paths import TRAINED_DIR
from core.runs.reading import read_run
from core.sketches.canvas import parse_canvas
from core.sketches.ink import Segments, clip, cut, erase, lay
from core.sketches.strokes import (
    MAX_POINTS,
    MAX_STROKES,
    Drawing,
    Stroke,
    guessable_sketch,
    render_sketch,
)
from pages.shared.networks import MAX_STEPS, Network, look_at_steps

RANDOM = np.random.default_rng(0)
MARK = Stroke(np.array([[10, 10], [300, 312]], dtype=np.float32), width=6)
DOT = Stroke(np.array([[180, 180], [180.2, 180.2]], dtype=np.float32), width=6)

MAX_S = 10.0
"""Below a second on an idle machine; many times that, or for ever, before."""
MAX_BYTES = 300 * 2**20


def zigzag(points: int, reach: float) -> NDArray[np.float32]:
    x = np.where(np.arange(points) % 2, reach, -reach)
    return np.stack([x, RANDOM.uniform(0, 360, points)], axis=1).astype(np.float32)


def anywhere(points: int) -> NDArray[np.float32]:
    return RANDOM.uniform(0, 360, (points, 2)).astype(np.float32)


def eraser(points: NDArray[np.float32], width: float) -> Stroke:
    return Stroke(points, width=width, erases=True)


COSTLY = {
    "far beyond the canvas": (DOT, Stroke(zigzag(200, 10_000), width=6)),
    "to and fro": (Stroke(anywhere(MAX_POINTS), width=6),),
    "a thin eraser far beyond": (MARK, eraser(zigzag(150, 10_000), 1), MARK),
    "a wide eraser far beyond": (MARK, eraser(zigzag(150, 10_000), 10_000), MARK),
    "an eraser to and fro": (MARK, eraser(anywhere(MAX_POINTS - 4), 96), MARK),
    "a huge eraser at a dot": (
        DOT,
        eraser(np.array([[180, 10_000]], np.float32), 10_000),
        DOT,
    ),
    "by turns": tuple(
        Stroke(zigzag(2, 180), width=90, erases=bool(number % 2))
        for number in range(MAX_STROKES)
    ),
    "wide erasers": (MARK, *(eraser(anywhere(1), 340) for _ in range(4000)), MARK),
}


@pytest.mark.parametrize("strokes", COSTLY.values(), ids=COSTLY)
def test_no_drawing_takes_long_or_much_memory(strokes: tuple[Stroke, ...]) -> None:
    tracemalloc.start()
    try:
        started = time.process_time()
        guessable_sketch(Drawing(strokes, width=360, height=360))
        assert time.process_time() - started < MAX_S
        assert tracemalloc.get_traced_memory()[1] < MAX_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("command", [["L", 3, 4], ["C", 3, 4, 5, 6, 7, 8]])
def test_a_canvas_of_too_many_points_is_refused_before_it_is_read(
    command: list[object],
) -> None:
    paths = [{"type": "path", "path": [command] * (MAX_POINTS // 2)}] * 3
    started = time.process_time()
    with pytest.raises(ImageError, match="points; at most"):
        parse_canvas({"objects": paths}, width=360, height=360)
    assert time.process_time() - started < 1


def test_a_replay_of_a_thousand_strokes_asks_about_some_of_them() -> None:
    run = read_run(TRAINED_DIR / "simple")
    network = Network("Simple", run, Classifier(run.path))
    strokes = tuple(Stroke(anywhere(20), width=6) for _ in range(1000))
    started = time.process_time()
    drawing = Drawing(strokes, width=360, height=360)
    steps, sketches, answers = look_at_steps(network, drawing)
    # 28 s when all were looked at.
    assert time.process_time() - started < MAX_S
    assert 1 <= len(steps) == len(sketches) == len(answers) <= MAX_STEPS
    assert steps[-1] == 1000
    assert (sketches[-1] == render_sketch(drawing)).all()


def test_a_replay_of_few_strokes_asks_about_each() -> None:
    run = read_run(TRAINED_DIR / "simple")
    network = Network("Simple", run, Classifier(run.path))
    strokes = tuple(Stroke(anywhere(20), width=6) for _ in range(5))
    steps, _, _ = look_at_steps(network, Drawing(strokes, width=360, height=360))
    assert steps == [1, 2, 3, 4, 5]


def test_a_line_is_cut_off_at_the_sides_of_a_box() -> None:
    lines = cut(
        [np.array([[-10.0, 5], [30, 5]]), np.array([[50.0, 0], [50, 9]])], [0, 1]
    )
    kept = clip(lines, np.zeros(2), np.array([20.0, 10]))
    assert kept.starts[0].tolist() == [0, 5]
    assert (kept.starts[0] + kept.deltas[0]).tolist() == [20, 5]
    assert kept.numbers.tolist() == [0]


def test_what_lies_inside_is_laid_exactly_as_without_a_box() -> None:
    lines = cut([anywhere(30)], [0])
    kept = clip(lines, np.zeros(2), np.array([360.0, 360]))
    assert (lay(kept)[0] == lay(lines)[0]).all()


def test_the_last_eraser_that_covers_a_pixel_is_named() -> None:
    lines = cut([np.array([[20.0, 20], [80, 20]]), np.array([[80.0, 20]])], [3, 7])
    erased = erase(lines, np.array([20.0, 20, 10]), size=100)
    assert erased[20, 50] == 3
    assert erased[20, 80] == 7
    assert erased[28, 50] == 3
    assert erased[34, 50] == erased[60, 50] == 0


def test_an_eraser_larger_than_the_canvas_has_its_edge_where_it_is() -> None:
    lines = Segments(np.array([[50.0, 5000]]), np.zeros((1, 2)), np.array([1]))
    erased = erase(lines, np.array([2 * 4950.0]), size=100)
    assert not erased[46, 50]
    assert erased[54, 50] == erased[99, 0] == 1


def test_a_drawing_of_two_kilobytes_ends_no_server_of_four_gigabytes() -> None:
    code = (
        "import numpy as np; from core.sketches.strokes import *;"
        "points = np.array([(x, 0) for _ in range(75) for x in (-10_000, 10_000)]);"
        "dot = Stroke(np.array([(1, 1), (2, 2)], np.float32), 6);"
        "far = Stroke(points.astype(np.float32), 6);"
        "render_sketch(Drawing((dot, far), 360, 360))"
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))

    subprocess.run([sys.executable, "-c", code], check=True, preexec_fn=limit)
