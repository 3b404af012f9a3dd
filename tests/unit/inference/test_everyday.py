"""Twelve everyday things, drawn as a hand draws them, before the shipped networks."""

import numpy as np
import pytest

from core.inference.classify import Classifier
from core.paths import TRAINED_DIR
from core.sketches.strokes import Drawing, Stroke, render_sketch
from tests.drawings import EVERYDAY, by_hand

CANVAS_PX = 640
SCALE = CANVAS_PX / 360
"""The things are drawn on a canvas of 360 pixels."""


def sketches(generator: np.random.Generator) -> np.ndarray:
    drawings = [
        tuple(
            Stroke(SCALE * np.array(by_hand(stroke, generator), np.float32), width=10)
            for stroke in strokes
        )
        for strokes in EVERYDAY.values()
    ]
    return np.stack(
        [render_sketch(Drawing(each, CANVAS_PX, CANVAS_PX)) for each in drawings]
    )


@pytest.mark.parametrize(("run", "least_first"), [("resnet18", 11), ("simple", 10)])
def test_everyday_things_are_guessed(run: str, least_first: int) -> None:
    seed = int(np.random.default_rng().integers(2**32))
    drawn = sketches(np.random.default_rng(seed))
    classifier = Classifier(TRAINED_DIR / run)
    found = classifier.guesses(classifier.analyse(drawn), top=5)
    named = [[guess.class_name for guess in guesses] for guesses in found]
    first = [best[0] == name for name, best in zip(EVERYDAY, named, strict=True)]
    unseen = [
        name for name, best in zip(EVERYDAY, named, strict=True) if name not in best
    ]
    assert not unseen, f"seed {seed}"
    assert sum(first) >= least_first, f"seed {seed}"
