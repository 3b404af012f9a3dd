"""What is asked, and what networks answer."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.duel import CHOICES, make_questions
from core.errors import RunError
from core.runs.evaluation import Evaluation
from tests.unit.runs.test_evaluation import make_evaluation


def two(n: int, classes: int, seed: int) -> list[Evaluation]:
    first, other = (make_evaluation(n, classes, seed=s) for s in (seed, seed + 1))
    return [first, replace(other, y_true=first.y_true)]


@given(st.integers(1, 40), st.integers(2, 12), st.integers(0, 2**31), st.integers(1, 9))
def test_a_network_chooses_the_likeliest_of_the_names(
    n: int, classes: int, seed: int, count: int
) -> None:
    evaluations = two(n, classes, seed)
    questions = make_questions(evaluations, np.random.default_rng(seed), count=count)
    assert len({q.id for q in questions}) == len(questions) == min(count, n)
    for question in questions:
        row = evaluations[0].ids.index(question.id)
        choices = list(question.choices)
        assert question.label == evaluations[0].y_true[row]
        assert question.label in choices
        assert len(set(choices)) == len(choices) == min(CHOICES, classes)
        for evaluation, answer in zip(evaluations, question.answers, strict=True):
            logits = evaluation.logits[row]
            assert answer in choices
            assert logits[answer] == logits[choices].max()


def test_wrong_names_are_likely_for_other_sketches_of_the_class() -> None:
    evaluation = make_evaluation(3, 9, seed=0)
    logits = np.zeros((3, 9), np.float16)
    # The first sketch is asked; the second is of its class, the third is not.
    logits[0, 8] = logits[1, [1, 2, 3, 4, 5]] = logits[2, 7] = 9
    y_true = np.array([0, 0, 6], np.int32)
    evaluation = replace(evaluation, logits=logits, y_true=y_true)
    seen = frozenset(evaluation.ids[1:])
    (question,) = make_questions(
        [evaluation], np.random.default_rng(0), count=1, seen=seen
    )
    assert question.id == evaluation.ids[0]
    assert sorted(question.choices) == [0, 1, 2, 3, 4, 5]


def test_no_sketch_comes_again_before_all_were_seen() -> None:
    evaluations = two(25, 7, seed=1)
    seen: set[str] = set()
    for game in range(3):
        questions = make_questions(
            evaluations, np.random.default_rng(), count=10, seen=frozenset(seen)
        )
        ids = {question.id for question in questions}
        assert len(ids) == 10
        assert game == 2 or not ids & seen
        seen |= ids


def test_networks_of_other_sketches_are_refused() -> None:
    first, other = two(9, 4, seed=1)
    other = replace(
        other, ids=first.ids[::-1], metrics={**other.metrics, "run_id": "b"}
    )
    first = replace(first, metrics={**first.metrics, "run_id": "a"})
    with pytest.raises(RunError, match="not scored on the same test sketches"):
        make_questions([first, other], np.random.default_rng(), count=1)
