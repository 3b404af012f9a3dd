"""Test sketches that a person and networks name, each by one of the same few names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.confusions import check_comparable
from core.runs.evaluation import Evaluation

CHOICES = 6
"""As many as a phone shows beside a sketch."""


@dataclass(frozen=True)
class Question:
    """A test sketch to be named.

    Attributes:
        id: The sketch's in its dataset.
        label: What it is.
        choices: The class indices to choose from, in the order to show.
        answers: Which of them each network takes it for.
    """

    id: str
    label: int
    choices: tuple[int, ...]
    answers: tuple[int, ...]


def make_questions(
    evaluations: Sequence[Evaluation],
    generator: np.random.Generator,
    *,
    count: int,
    seen: frozenset[str] = frozenset(),
) -> list[Question]:
    """Draws test sketches by chance, all equally likely, and what to choose from.

    The wrong names are those that the networks find likeliest, on average, for the
    other test sketches of the class: what they say of the sketch itself plays no part.
    Of the names, a network chooses the one with the highest logit.

    Args:
        evaluations: Of the networks, at least one, on the same test sketches.
        generator: Of the sketches, and of the order of the names.
        count: How many; fewer where there are fewer sketches.
        seen: Ids of sketches that are left out, unless too few are left.

    Raises:
        RunError: If they are not of the same sketches.
    """
    first = evaluations[0]
    for other in evaluations[1:]:
        check_comparable(first, other)
    fresh = [row for row, name in enumerate(first.ids) if name not in seen]
    rows = fresh if len(fresh) >= min(count, len(first.ids)) else range(len(first.ids))
    chosen = generator.permutation(np.array(rows, dtype=np.int64))[:count]
    return [_ask(evaluations, int(row), generator) for row in chosen]


def _ask(
    evaluations: Sequence[Evaluation], row: int, generator: np.random.Generator
) -> Question:
    label = int(evaluations[0].y_true[row])
    others = np.flatnonzero(evaluations[0].y_true == label)
    others = others[others != row]
    likely = sum(e.subset(others).probabilities.sum(axis=0) for e in evaluations)
    # Equal ones by chance.
    order = generator.permutation(len(evaluations[0].class_names))
    order = order[np.argsort(-np.asarray(likely)[order], kind="stable")]
    wrong = order[order != label][: CHOICES - 1]
    choices = generator.permutation(np.append(wrong, label))
    return Question(
        id=evaluations[0].ids[row],
        label=label,
        choices=tuple(choices.tolist()),
        answers=tuple(_answer(e, row, choices) for e in evaluations),
    )


def _answer(evaluation: Evaluation, row: int, choices: NDArray[np.int64]) -> int:
    guess = int(evaluation.y_pred[row])
    # Rounded logits may be equal; the guess is of those before.
    if guess in choices:
        return guess
    return int(choices[evaluation.logits[row, choices].argmax()])
