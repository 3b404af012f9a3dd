"""Drawings on their side are told, and those that stand aren't."""

import numpy as np

from core.inference.classify import Classifier
from core.inference.turning import find_turned, turn
from core.paths import TRAINED_DIR
from tests.drawings import EVERYDAY
from tests.unit.inference.test_everyday import sketches


def test_a_drawing_on_its_side_is_turned_back() -> None:
    classifier = Classifier(TRAINED_DIR / "resnet18")
    standing = sketches(np.random.default_rng(0))
    assert sum(found is not None for found in find_turned(classifier, standing)) <= 1
    for quarters in (1, 3):
        found = find_turned(classifier, turn(standing, quarters))
        told = [one for one in found if one is not None]
        assert len(told) >= len(EVERYDAY) / 4
        right = [
            one is not None and one.guess.class_name == name
            for one, name in zip(found, EVERYDAY, strict=True)
        ]
        back = [one.quarters + quarters == 4 for one in told]
        assert sum(right) >= len(told) - 1
        assert sum(back) >= len(told) - 1
        assert all(one.degrees in (-90, 90) for one in told)
        assert all(0.5 < one.guess.probability <= 1 for one in told)


def test_four_quarter_turns_change_nothing() -> None:
    drawn = np.arange(128 * 128, dtype=np.int64).reshape(1, 128, 128).astype(np.uint8)
    once = turn(drawn, 1)
    assert (once[0] == turn(drawn[0], 1)).all()
    assert not (once == drawn).all()
    assert (turn(once, 3) == drawn).all()
