"""What a report is about: one run's results or two's, as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.analysis.classes import (
    ClassMetrics,
    PairedClass,
    measure_classes,
    pair_classes,
)
from core.analysis.confusions import check_comparable, class_order
from core.analysis.statistics import paired_test
from core.datasets.eitz import NUM_CLASSES
from core.datasets.store import Dataset, list_datasets
from core.errors import RunError
from core.runs.config import RunConfig
from core.runs.evaluation import Evaluation, read_evaluation
from core.runs.reading import Run, read_config, read_run

MAX_RUNS = 2


@dataclass(frozen=True)
class Results:
    """One run and how it did.

    Attributes:
        run: The run.
        config: Its settings.
        evaluation: Its answers to the test sketches.
        class_metrics: Of each class, in the order of labels.
    """

    run: Run
    config: RunConfig
    evaluation: Evaluation
    class_metrics: tuple[ClassMetrics, ...]

    @property
    def run_id(self) -> str:
        """The run's name."""
        return self.run.run_id

    @cached_property
    def is_right(self) -> NDArray[np.bool_]:
        """Which test sketches it recognises, shape `(n,)`."""
        return np.asarray(self.evaluation.y_pred == self.evaluation.y_true)

    @property
    def right(self) -> int:
        """How many test sketches it recognises."""
        return int(self.is_right.sum())


@dataclass(frozen=True)
class Agreement:
    """What two runs say of the same test sketches.

    Attributes:
        total: Test sketches.
        same: Those that got the same answer from both.
        both_right: Those that both recognise.
        same_wrong: Those of which both say the same, wrongly.
        only_first: Those that only the first recognises.
        only_second: Those that only the second recognises.
        p_value: McNemar's mid-p test, two-sided.
    """

    total: int
    same: int
    both_right: int
    same_wrong: int
    only_first: int
    only_second: int
    p_value: float

    @property
    def both_wrong(self) -> int:
        """Sketches that neither recognises."""
        return self.total - self.both_right - self.only_first - self.only_second


@dataclass(frozen=True)
class Contents:
    """All numbers of a report.

    Attributes:
        results: Of one run, or of two that were scored on the same test sketches.
        dataset: Where the pictures of these are; None where they aren't installed.
    """

    results: tuple[Results, ...]
    dataset: Dataset | None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class of each label."""
        return self.results[0].evaluation.class_names

    @property
    def total(self) -> int:
        """How many test sketches there are."""
        return len(self.results[0].evaluation.ids)

    @property
    def dataset_name(self) -> str:
        """The dataset whose test sketches these are."""
        return str(self.results[0].evaluation.metrics["dataset"])

    @property
    def attribution(self) -> str:
        """Whose sketches these are; may be empty."""
        source = self.dataset or self.results[0].config
        return source.attribution

    @property
    def is_tu_berlin(self) -> bool:
        """Whether published results are of the same classes."""
        is_whole = len(self.class_names) == NUM_CLASSES
        return is_whole and self.attribution.startswith("TU-Berlin")

    @cached_property
    def agreement(self) -> Agreement | None:
        """How far two runs agree; None of one."""
        if len(self.results) < MAX_RUNS:
            return None
        first, second = self.results
        test = paired_test(first.is_right, second.is_right)
        same = first.evaluation.y_pred == second.evaluation.y_pred
        return Agreement(
            total=self.total,
            same=int(same.sum()),
            both_right=int((first.is_right & second.is_right).sum()),
            same_wrong=int((same & ~first.is_right).sum()),
            only_first=test.only_first,
            only_second=test.only_second,
            p_value=test.p_value,
        )

    @cached_property
    def pairs(self) -> tuple[PairedClass, ...]:
        """Every class that has test sketches in both runs; nothing of one run."""
        if len(self.results) < MAX_RUNS:
            return ()
        first, second = self.results
        return tuple(pair_classes(first.class_metrics, second.class_metrics))

    @cached_property
    def similarity(self) -> tuple[int, ...]:
        """The labels, those that the first run confuses side by side."""
        return tuple(class_order(self.results[0].evaluation, "similarity"))


def read_contents(run_dirs: Sequence[Path], *, data_dir: Path) -> Contents:
    """Reads what a report of one run, or of two, tells.

    Args:
        run_dirs: The run folders.
        data_dir: Where datasets are installed.

    Raises:
        RunError: If there are none or more than two, one of them has no evaluation,
            or two can't be compared.
        DatasetError: If the dataset is installed and damaged.
    """
    if not 1 <= len(run_dirs) <= MAX_RUNS:
        raise RunError(
            "A report is of one run or of two. Received: {count}", count=len(run_dirs)
        )
    results = tuple(_read_results(run_dir) for run_dir in run_dirs)
    if len(results) == MAX_RUNS:
        _check_pair(*results)
    return Contents(results, _find_pictures(results[0].evaluation, data_dir=data_dir))


def _read_results(run_dir: Path) -> Results:
    evaluation = read_evaluation(run_dir)
    class_metrics = measure_classes(
        evaluation.y_true, evaluation.y_pred, class_names=evaluation.class_names
    )
    return Results(
        run=read_run(run_dir),
        config=read_config(run_dir),
        evaluation=evaluation,
        class_metrics=tuple(class_metrics),
    )


def _check_pair(first: Results, second: Results) -> None:
    """Raises `RunError` unless two runs can stand beside each other."""
    if first.run_id == second.run_id:
        raise RunError(
            "Both runs are called {first!r}, so a report could not tell them apart. "
            "Name two different ones.",
            first=first.run_id,
        )
    check_comparable(first.evaluation, second.evaluation)
    # Ids are unique in their dataset only.
    splits = [
        results.evaluation.metrics.get(
            "split_fingerprint", results.config.split_fingerprint
        )
        for results in (first, second)
    ]
    if splits[0] != splits[1]:
        raise RunError(
            "Runs {first!r} and {second!r} were scored on the test sketches of "
            "different datasets or splits; choose another to compare.",
            first=first.run_id,
            second=second.run_id,
        )


def _find_pictures(evaluation: Evaluation, *, data_dir: Path) -> Dataset | None:
    """Returns the installed dataset that holds an evaluation's sketches, if any."""
    metrics = evaluation.metrics

    def match_quality(dataset: Dataset) -> tuple[bool, bool]:
        is_same = dataset.fingerprint == metrics.get("dataset_fingerprint")
        return is_same, dataset.name == metrics["dataset"]

    candidates = [
        dataset
        for dataset in list_datasets(data_dir)
        if dataset.fingerprint == metrics.get("dataset_fingerprint")
        or dataset.split_fingerprint == metrics.get("split_fingerprint")
    ]
    for dataset in sorted(candidates, key=match_quality, reverse=True):
        if all(sketch_id in dataset.rows for sketch_id in evaluation.ids):
            return dataset
    return None
