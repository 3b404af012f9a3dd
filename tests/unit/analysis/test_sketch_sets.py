"""Sets of sketches in an address, and evaluations of a part of the sketches."""

import base64
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix

from core.analysis.failures import FailureFilter, find_failures, tally
from core.analysis.sketch_sets import (
    LONGEST_IN_ADDRESS,
    describe_set,
    name_set,
    read_set,
)
from core.errors import SetError
from core.runs.evaluation import Evaluation
from tests.unit.runs.test_evaluation import make_evaluation


def marked(evaluation: Evaluation, split: str = "split") -> Evaluation:
    metrics = {**evaluation.metrics, "split_fingerprint": split, "run_id": "r"}
    return replace(evaluation, metrics=metrics)


def rows_of(n: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, n - 1), min_size=1, unique=True)


evaluated = st.integers(1, 70).flatmap(
    lambda n: st.tuples(
        st.builds(
            make_evaluation, st.just(n), st.integers(2, 6), seed=st.integers(0, 2**31)
        ).map(marked),
        rows_of(n).map(np.array),
    )
)


@given(evaluated)
def test_a_set_is_read_back_by_its_name(
    evaluated: tuple[Evaluation, np.ndarray],
) -> None:
    evaluation, rows = evaluated
    name = name_set(evaluation, rows)
    assert re.fullmatch(r"[\w-]+", name)
    assert read_set(evaluation, name).tolist() == sorted(rows)
    # Another run of the same test sketches, and another order of the same set.
    other = marked(make_evaluation(len(evaluation.ids), 3, seed=1))
    assert read_set(other, name_set(other, rows[::-1])).tolist() == sorted(rows)
    assert name_set(other, rows[::-1]) == name


@given(evaluated)
def test_a_part_s_metrics_are_scikit_learn_s(
    evaluated: tuple[Evaluation, np.ndarray],
) -> None:
    evaluation, rows = evaluated
    part = evaluation.subset(rows)
    true, guess = evaluation.y_true[rows], evaluation.y_pred[rows]
    labels = range(len(evaluation.class_names))
    assert (part.confusion == confusion_matrix(true, guess, labels=labels)).all()
    assert part.metrics["n"] == len(rows) == len(part.ids)
    assert part.metrics["top1"] == pytest.approx(accuracy_score(true, guess))
    for figure in ("confidence", "true_probability", "loss", "margin", "true_rank"):
        whole = getattr(evaluation, figure)[rows]
        np.testing.assert_allclose(getattr(part, figure), whole, rtol=1e-6)


def test_a_part_keeps_no_figure_that_was_computed_of_all() -> None:
    evaluation = marked(make_evaluation(9, 3, seed=0))
    class_metrics = {"top1": 0.5, "top5": 0.9, "loss": 1.0, "anything_new": 2.0}
    evaluation = replace(evaluation, metrics={**evaluation.metrics, **class_metrics})
    part = evaluation.subset(np.array([0, 4]))
    assert {"top5", "loss", "anything_new"}.isdisjoint(part.metrics)
    assert part.metrics["temperature"] == evaluation.metrics["temperature"]
    nothing = evaluation.subset(np.array([], dtype=np.int64))
    assert nothing.metrics["n"] == 0
    assert "top1" not in nothing.metrics


@given(evaluated)
def test_failures_among_a_set_are_those_of_it(
    evaluated: tuple[Evaluation, np.ndarray],
) -> None:
    evaluation, rows = evaluated
    rows = np.sort(rows)
    found = find_failures(evaluation, FailureFilter(among=rows))
    is_wrong = evaluation.y_pred != evaluation.y_true
    assert sorted(found) == rows[is_wrong[rows]].tolist()
    told = tally(evaluation, found, other=None, among=rows)
    assert (told.wrong, told.total) == (len(found), len(rows))
    assert told.pair_count <= told.pair_total <= len(rows)
    described = describe_set(evaluation, rows)
    assert described.failures == told
    counts = [count for _, count in described.main]
    assert counts == sorted(counts, reverse=True)
    assert described.num_classes == len(set(evaluation.y_true[rows].tolist()))
    assert sum(counts) == len(rows) or described.num_classes > 3


def forged(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


EVALUATION = marked(make_evaluation(50, 4, seed=3))
NAME = name_set(EVALUATION, np.array([1, 7, 30]))
CONTENT = base64.urlsafe_b64decode(NAME + "=" * (-len(NAME) % 4))
MARK, PACKED = CONTENT[:4], CONTENT[4:]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "<script>",
        "../../etc/passwd",
        NAME[:-3],
        NAME + "AAAA",
        NAME.replace(NAME[8], "_" if NAME[8] != "_" else "-"),
        "ä" * 40,
        NAME + "\n",
        "x" * 10_000_000,
        forged(MARK),
        forged(MARK + b"no stream"),
        forged(MARK + zlib.compress(bytes(6))),
        forged(MARK + zlib.compress(bytes(7))),  # Of nothing.
        forged(MARK + zlib.compress(b"\xff" * 7)),  # Beyond the last sketch.
        forged(MARK + zlib.compress(bytes(50_000_000), 9)),
        forged(MARK + PACKED[:-1]),
    ],
    ids=lambda name: name[:12],
)
def test_what_names_no_set_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(SetError, match="The set in this address is damaged"):
        read_set(EVALUATION, name)


@given(st.text(max_size=200))
def test_any_text_is_a_set_or_refused(text: str) -> None:
    try:
        rows = read_set(EVALUATION, text)
    except SetError:
        return
    assert name_set(EVALUATION, rows)


def test_a_bomb_is_unpacked_no_further_than_a_set_can_be() -> None:
    import tracemalloc

    bomb = forged(MARK + zlib.compress(bytes(100_000_000), 9))
    tracemalloc.start()
    with pytest.raises(SetError):
        read_set(EVALUATION, bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "other",
    [
        marked(make_evaluation(50, 4, seed=3), split="another"),
        marked(make_evaluation(49, 4, seed=3)),
        marked(make_evaluation(5000, 4, seed=3)),
        replace(EVALUATION, ids=EVALUATION.ids[::-1]),
    ],
    ids=["split", "fewer", "more", "order"],
)
def test_a_set_of_other_test_sketches_is_refused_by_that_name(
    other: Evaluation,
) -> None:
    with pytest.raises(SetError, match="of other test sketches"):
        read_set(other, NAME)


@pytest.mark.parametrize("rows", [[], [-1], [50]])
def test_rows_that_are_none_make_no_set(rows: list[int]) -> None:
    with pytest.raises(ValueError, match="`rows`"):
        name_set(EVALUATION, np.array(rows, dtype=np.int64))


def test_any_set_of_four_thousand_sketches_fits_into_an_address() -> None:
    evaluation = marked(make_evaluation(4000, 2, seed=0))
    rows = np.random.default_rng(0).permutation(4000)
    for count in (1, 40, 500, 2000, 4000):
        assert len(name_set(evaluation, rows[:count])) < 720 < LONGEST_IN_ADDRESS
