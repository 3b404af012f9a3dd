"""Measures what changed sketches do to trained networks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.robustness import (
    SEED,
    Figure,
    Kind,
    Robustness,
    choose_sketches,
    read_robustness,
    write_robustness,
)
from core.datasets.store import Dataset
from core.errors import RunError
from core.inference.classify import Classifier
from core.runs.dataset import hold_dataset, rows_of
from core.runs.evaluation import read_evaluation
from core.runs.folder import is_shipped, sitting
from core.runs.reading import read_config
from core.runs.stopping import StopCheck
from core.sketches.changes import CHANGES, VERSION, change_sketch

USUAL_SKETCHES = 500
"""Two of each class of TU-Berlin: an accuracy is known to about ±4 points, and both
networks that ship are asked in less than five minutes on two cores."""

CHUNK = 8
"""Sketches that are changed at a time; a request to stop is heard after each."""

BROKEN_KEPT = 48

Report = Callable[[str, int, int], None]
"""Called with what is being measured, the sketches that are done of it, and all."""


@dataclass
class _Asked:
    """A run that is being measured.

    Attributes:
        run_dir: Its folder.
        classifier: Its network.
        dataset: Where the sketches are.
        ids: Those of the sketches, n of them.
        y_true: Their class indices, shape `(n,)`.
        clean: Which of them are right as they are, shape `(n,)`.
        result: What is known.
        is_stored: Whether that is written to the run's folder.
    """

    run_dir: Path
    classifier: Classifier
    dataset: Dataset
    ids: tuple[str, ...]
    y_true: NDArray[np.int32]
    clean: NDArray[np.bool_]
    result: Robustness
    is_stored: bool

    def add(self, kind: str, is_right: NDArray[np.bool_]) -> None:
        """Adds what a kind of change does, of shape `(n, strengths)`."""
        broken = np.flatnonzero(self.clean & ~is_right[:, 0])
        order = np.argsort(is_right[broken].sum(axis=1), kind="stable")
        measured = Kind(
            amounts=CHANGES[kind].amounts,
            figures=tuple(map(Figure.of, is_right.T)),
            num_broken=len(broken),
            broken=tuple(self.ids[row] for row in broken[order[:BROKEN_KEPT]]),
        )
        kinds = {**self.result.kinds, kind: measured}
        self.result = self.result.model_copy(update={"kinds": kinds})
        if self.is_stored:
            write_robustness(self.run_dir, self.result)


class _StopError(Exception):
    """Whoever waits for a measurement has asked to stop."""


def measure_robustness(
    run_dirs: Sequence[Path],
    *,
    data_dir: Path,
    limit: int = USUAL_SKETCHES,
    report: Report = lambda *_: None,
    is_stop_requested: StopCheck = lambda: False,
) -> tuple[dict[Path, Robustness], bool]:
    """Measures the accuracy of runs on test sketches that were changed.

    Each sketch is changed once for all runs that are asked about it. What is done of a
    kind of change is written into the run's folder at its end, and is not done again
    unless the sketches, the evaluation or the changes are others; nothing is written
    to a run that ships, or where its dataset is another copy than its own.

    Args:
        run_dirs: Evaluated runs with weights.
        data_dir: Where their datasets are installed.
        limit: How many sketches, at least 1.
        report: Told of the progress.
        is_stop_requested: Asked after every few sketches.

    Returns:
        What is known of each run, and whether that is all there is to know.

    Raises:
        RunError: If a run has no evaluation or weights, or is busy or damaged.
        DatasetError: If a dataset is not installed, or damaged.
    """
    known: dict[Path, Robustness] = {}
    asked: list[_Asked] = []
    with ExitStack() as stack, suppress(_StopError):

        def tell(what: str, done: int, total: int) -> None:
            report(what, done, total)
            if is_stop_requested():
                raise _StopError

        for run_dir in dict.fromkeys(run_dirs):
            if (
                run := _begin(run_dir, data_dir, limit, tell, stack, known)
            ) is not None:
                asked.append(run)
        try:
            for kind in CHANGES:
                for runs in _of_same_sketches(asked):
                    _measure(kind, runs, tell)
        finally:
            known |= {run.run_dir: run.result for run in asked}
        return known, True
    return known, False


def _begin(
    run_dir: Path,
    data_dir: Path,
    limit: int,
    tell: Report,
    stack: ExitStack,
    known: dict[Path, Robustness],
) -> _Asked | None:
    """Prepares the measurement of a run, and takes the right to write what comes of it.

    Returns:
        None where all is known already; then it is among `known`.
    """
    config = read_config(run_dir)
    evaluation = read_evaluation(run_dir)
    dataset = hold_dataset(config, data_dir=data_dir)
    is_own = dataset.fingerprint == evaluation.metrics["dataset_fingerprint"]
    is_stored = is_own and not is_shipped(run_dir)
    if is_stored:
        stack.enter_context(sitting(run_dir))
    rows = choose_sketches(evaluation, limit=limit)
    ids = tuple(evaluation.ids[row] for row in rows)
    y_true = evaluation.y_true[rows]
    begun = Robustness(
        changes_version=VERSION,
        evaluated_at=evaluation.metrics["evaluated_at"],
        dataset_fingerprint=dataset.fingerprint,
        limit=limit,
        clean=Figure.of(np.ones(1, np.bool_)),
    )
    earlier = None
    with suppress(RunError):
        earlier = read_robustness(run_dir)
    if earlier is not None and not earlier.is_of_same(begun):
        earlier = None
    if earlier is not None and set(earlier.kinds) >= set(CHANGES):
        known[run_dir] = earlier
        return None
    classifier = Classifier(run_dir)
    clean = np.concatenate(
        [
            _is_right(
                classifier, dataset.images[rows_of(dataset, part)][:, None], label
            )
            for part, label in _chunks(ids, y_true, run_dir.name, tell)
        ]
    )[:, 0]
    result = earlier or begun.model_copy(update={"clean": Figure.of(clean)})
    return _Asked(run_dir, classifier, dataset, ids, y_true, clean, result, is_stored)


def _of_same_sketches(asked: Sequence[_Asked]) -> list[list[_Asked]]:
    """Groups runs that are asked about the same sketches."""
    groups: dict[tuple[str, tuple[str, ...]], list[_Asked]] = {}
    for run in asked:
        groups.setdefault((run.dataset.fingerprint, run.ids), []).append(run)
    return list(groups.values())


def _measure(kind: str, runs: Sequence[_Asked], tell: Report) -> None:
    """Measures what a kind of change does to those runs of which it isn't known."""
    runs = [run for run in runs if kind not in run.result.kinds]
    if not runs:
        return
    dataset = runs[0].dataset
    is_right: list[list[NDArray[np.bool_]]] = [[] for _ in runs]
    places = np.arange(len(runs[0].ids))
    for ids, place in _chunks(runs[0].ids, places, kind, tell):
        sketches = np.stack(
            [changed_sketch(dataset, row, kind) for row in rows_of(dataset, ids)]
        )
        for run, found in zip(runs, is_right, strict=True):
            found.append(_is_right(run.classifier, sketches, run.y_true[place]))
    for run, found in zip(runs, is_right, strict=True):
        run.add(kind, np.concatenate(found))


def changed_sketch(dataset: Dataset, row: int, kind: str) -> NDArray[np.uint8]:
    """Returns a sketch as `measure_robustness` changes it, the least strength first.

    By the picture: it is changed in the same way in every dataset.

    Args:
        dataset: Where it is.
        row: Its row there.
        kind: A name of `CHANGES`.

    Returns:
        Gray values of shape `(4, 128, 128)`.
    """
    seed = (SEED, int(dataset.keys[row, 1]))
    return change_sketch(np.asarray(dataset.images[row]), kind, seed=seed)


def _is_right(
    classifier: Classifier, sketches: NDArray[np.uint8], y_true: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Asks about sketches of shape `(n, k, 128, 128)`; returns shape `(n, k)`."""
    n, k = sketches.shape[:2]
    logits = classifier.analyse(sketches.reshape(n * k, *sketches.shape[2:])).logits
    return np.asarray(logits.argmax(axis=1).reshape(n, k) == y_true[:, None])


def _chunks(
    ids: Sequence[str], values: NDArray[Any], what: str, tell: Report
) -> Iterator[tuple[Sequence[str], NDArray[Any]]]:
    """Yields a few sketches at a time, with their values, and tells of them."""
    tell(what, 0, len(ids))
    for start in range(0, len(ids), CHUNK):
        part = slice(start, start + CHUNK)
        yield ids[part], values[part]
        tell(what, min(start + CHUNK, len(ids)), len(ids))
