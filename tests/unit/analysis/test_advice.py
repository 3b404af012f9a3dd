"""What would help a class, on answers small enough to check by hand."""

import gettext

import numpy as np
import pytest

from core.analysis.advice import Advice, advise
from core.analysis.classes import measure_classes
from core.analysis.label_suspects import LabelSuspect
from core.paths import TRAINED_DIR
from core.runs.evaluation import Evaluation, read_evaluation
from core.runs.neighbours import Neighbours, read_neighbours
from core.sentences.advice import advice_words
from tests.unit.analysis.test_classes import evaluation

CUP, MUG, SUN = range(3)
NAMES = ("cup", "mug", "sun")


def answers() -> Evaluation:
    """Of 10 cups 4 are right and 5 mugs, of 10 mugs 9 are right; 80 suns are right."""
    y_true = [CUP] * 10 + [MUG] * 10 + [SUN] * 80
    y_pred = [*[CUP] * 4, *[MUG] * 5, SUN, *[MUG] * 9, SUN, *[SUN] * 80]
    return evaluation(y_true, y_pred, class_names=NAMES)


def index(counts: tuple[int, int, int], *, alike: float) -> Neighbours:
    """Training sketches on a circle; a share of the cups lies among the mugs."""
    labels = np.repeat(np.arange(3), counts)
    degrees = 120.0 * labels + np.linspace(0, 5, len(labels))
    moved = np.flatnonzero(labels == CUP)[: round(alike * counts[CUP])]
    degrees[moved] = degrees[labels == MUG][: len(moved)] + 0.001
    angles = np.radians(degrees)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return Neighbours(
        mean=np.zeros(2, np.float32),
        components=np.eye(2, dtype=np.float32),
        points=points,
        labels=labels,
        split_fingerprint="",
    )


def advice(
    label: int,
    *,
    neighbours: Neighbours | None = None,
    suspects: list[LabelSuspect] | None = None,
) -> Advice | None:
    found = answers()
    metrics = measure_classes(found.y_true, found.y_pred, class_names=NAMES)
    return advise(found, metrics[label], neighbours=neighbours, suspects=suspects)


@pytest.mark.parametrize("label", [MUG, SUN])
def test_a_class_like_the_others_needs_none(label: int) -> None:
    assert advice(label) is None


def test_two_classes_are_scored_as_one() -> None:
    found = advice(CUP)
    assert found is not None
    assert found.merged is not None
    assert (found.merged.partner, found.merged.mistakes) == ("mug", 5)
    assert (found.merged.apart, found.merged.together) == (13 / 20, 18 / 20)
    assert found.merged.low < 0.9 < found.merged.high
    assert (found.few, found.suspects, found.alike) == (None, None, None)


def test_few_sketches_suspects_and_likeness_are_told_from_their_limits_on() -> None:
    suspects = [LabelSuspect(str(n), "cup", "mug", 0.1, 0.8) for n in range(2)]
    one = advice(CUP, neighbours=index((19, 40, 40), alike=1), suspects=suspects)
    other = advice(CUP, neighbours=index((20, 40, 40), alike=0), suspects=suspects[:1])
    assert one is not None
    assert other is not None
    assert one.few == (19, 40)
    assert one.suspects == (2, 19)
    assert one.alike is not None
    assert one.alike[0] == "mug"
    assert one.alike[1] >= 0.5
    assert (other.few, other.suspects, other.alike) == (None, None, None)


def test_only_a_low_confidence_that_is_right_asks_for_variety() -> None:
    # All answers have the same high confidence.
    found = advice(CUP)
    assert found is not None
    assert found.confidence is None


def test_each_bad_class_of_a_shipped_network_gets_sentences_of_what_is_so() -> None:
    path = TRAINED_DIR / "simple"
    found, neighbours = read_evaluation(path), read_neighbours(path)
    names = found.class_names
    metrics = measure_classes(found.y_true, found.y_pred, class_names=names)
    told = [
        (f, advise(found, f, neighbours=neighbours, suspects=None)) for f in metrics
    ]
    bad = [(f, one) for f, one in told if one is not None]
    assert 10 < len(bad) < 100
    overall = (found.y_pred == found.y_true).mean()
    for f, one in bad:
        assert f.recall < overall
        words = advice_words(one, f, gettext.NullTranslations())
        facts = (one.few, one.suspects, one.merged, one.alike, one.confidence)
        assert len(words) == max(1, sum(fact is not None for fact in facts))
