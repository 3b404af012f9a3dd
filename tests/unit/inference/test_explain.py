"""Explanations mark what a class rests on."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.datasets.starter import draw, render
from core.inference.classify import Analysis, Classifier
from core.inference.explain import heat_map, occlusion_map
from core.paths import TRAINED_DIR
from core.runs.folder import WEIGHTS

WITH_WEIGHTS = sorted(path.parent.name for path in TRAINED_DIR.glob(f"*/{WEIGHTS}"))


def some_sketch(name: str) -> NDArray[np.uint8]:
    generator = np.random.default_rng(0)
    return render(draw(name, generator), generator)


@pytest.mark.parametrize("name", WITH_WEIGHTS)
def test_a_heat_map_is_of_its_class(name: str) -> None:
    classifier = Classifier(TRAINED_DIR / name)
    analysis = classifier.analyse(np.stack([some_sketch("key"), some_sketch("spider")]))
    likeliest = int(analysis.logits[1].argmax())
    found = heat_map(classifier, analysis, label=likeliest, row=1)
    assert found.shape == (128, 128)
    assert found.dtype == np.float32
    assert (found.min() >= 0, found.max()) == (True, 1)
    least = int(analysis.logits[1].argmin())
    assert not np.allclose(found, heat_map(classifier, analysis, label=least, row=1))


class InkCounter:
    """Takes a sketch for class 0 by the ink in its upper left corner."""

    def analyse(self, images: NDArray[np.uint8]) -> Analysis:
        corner = (255 - images[:, :24, :24].astype(np.float32)).sum(axis=(1, 2))
        logits = np.stack([corner, -corner], axis=1)
        return Analysis(logits, logits.astype(float), logits, logits)


@pytest.mark.parametrize(("label", "largest"), [(0, 1), (1, 0)])
def test_an_occlusion_map_marks_the_ink_that_counts(label: int, largest: int) -> None:
    counter: Any = InkCounter()
    sketch = np.full((128, 128), 255, dtype=np.uint8)
    sketch[10, 10] = sketch[100, 100] = 0
    found = occlusion_map(counter, sketch, label=label)
    assert found[10, 10] == found.max() == largest
    assert np.count_nonzero(found) == largest


def test_a_blank_sketch_has_nothing_to_show() -> None:
    counter: Any = InkCounter()
    blank = np.full((128, 128), 255, dtype=np.uint8)
    assert not occlusion_map(counter, blank, label=0).any()
