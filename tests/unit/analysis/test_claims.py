"""What sentences claim is what the numbers support."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.analysis.coverage import answers_at_accuracy
from core.analysis.suspects import find_suspects, opinion, suspect_pairs
from core.analysis.trust import measure_trust
from core.language import LANGUAGES, translations
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.runs.status import Status
from core.sentences.suspects import suspects_words
from core.sentences.trust import class_words, target_words
from tests.unit.runs.test_evaluation import make_evaluation

CERTAIN = ("for certain", "independently", "certeza", "por su cuenta")


def run(run_id: str) -> Run:
    return Run(Path(run_id), None, Status(state="finished"), (), {}, "")


def overconfident() -> Evaluation:
    """Two classes; the network is sure of all, and wrong of most that it calls 0."""
    y_true = np.array([0] * 10 + [1] * 90, np.int32)
    y_pred = np.array([0] * 50 + [1] * 50, np.int32)
    logits = np.where(y_pred[:, None] == np.arange(2), 4, 0).astype(np.float16)
    return replace(
        make_evaluation(100, 2, seed=0),
        y_true=y_true,
        y_pred=y_pred,
        logits=logits,
    )


def test_a_false_discovery_rate_is_not_called_certainty() -> None:
    trust = measure_trust(overconfident())
    # Of 50 guesses of class 0, 10 are right; each was 98 % sure.
    assert [row.label for row in trust.found("over")] == [0]
    for language in LANGUAGES:
        said = class_words([run("a")], [trust], translations(language))
        assert not any(word in said for word in CERTAIN)
    said = class_words([run("a")], [trust], translations("en"))
    assert "false discovery rate of 5\N{NO-BREAK SPACE}%" in said
    assert "corrected 1: overconfident for class 0" in said


def test_a_threshold_says_that_the_test_chose_it() -> None:
    trust = measure_trust(overconfident())
    at = answers_at_accuracy(trust.coverage, 0.5)
    # All are as sure, and 60 of 100 are right: for half, all may be answered.
    assert at is not None
    assert (at.n, at.right) == (100, 60)
    said = target_words([run("a")], [trust], translations("en"))
    assert "can't choose so that it is right 95\N{NO-BREAK SPACE}% of the time" in said
    assert "chosen on the very test sketches that it is counted on" in said


def test_networks_that_learned_the_same_are_not_called_independent() -> None:
    first = overconfident()
    both, opinions = [first, first], [opinion(first), opinion(first)]
    found = find_suspects(both, opinions)
    assert len(found.rows)
    pairs = suspect_pairs(first, opinions, found)
    for language in LANGUAGES:
        said = suspects_words(
            [run("a"), run("b")], first, found, pairs, translations(language)
        )
        assert not any(word in said for word in CERTAIN)
    said = suspects_words([run("a"), run("b")], first, found, pairs, translations("en"))
    assert "networks that learned from the same sketches tend to err alike" in said
