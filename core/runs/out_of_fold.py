"""What networks say of training sketches that they haven't learned.

A cross-validation of the training sketches asks each of them once, of the one network
that has learned the other folds. With the answers is kept what each network learned.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from core.datasets.store import Dataset
from core.errors import DatasetError, RunError
from core.files import replacing
from core.runs.evaluation import Evaluation, read_evaluation
from core.runs.reading import read_config, read_train_keys
from core.runs.weights import open_tensors, save_tensors, tensor_names

FILE = "out_of_fold.safetensors"
"""In the dataset's folder."""


@dataclass(frozen=True)
class OutOfFold:
    """Answers to a dataset's training sketches, each of a network that hadn't seen it.

    Attributes:
        dataset: The dataset's name.
        dataset_fingerprint: Of the dataset, with its labels as they were given.
        class_names: The class of each logit.
        runs: The ids of the runs that answered, k of them.
        ids: The sketches', n of them.
        labels: Their given class indices, shape `(n,)`.
        logits: Calibrated by each run's temperature, shape `(n, num_classes)`.
        asked: Which of the runs answered, shape `(n,)`.
        learned: Whether each run has learned or validated by each sketch, as its
            folder records, shape `(k, n)`.
    """

    dataset: str
    dataset_fingerprint: str
    class_names: tuple[str, ...]
    runs: tuple[str, ...]
    ids: tuple[str, ...]
    labels: NDArray[np.int32]
    logits: NDArray[np.float16]
    asked: NDArray[np.int32]
    learned: NDArray[np.bool_]

    @property
    def evaluation(self) -> Evaluation:
        """The answers as an evaluation whose true labels are the given ones."""
        n = len(self.ids)
        return Evaluation(
            metrics={"run_id": self.dataset, "n": n, "temperature": 1.0},
            class_names=self.class_names,
            ids=self.ids,
            y_true=self.labels,
            y_pred=self.logits.argmax(axis=1).astype(np.int32),
            logits=self.logits,
            embedding=np.empty((n, 0), dtype=np.float16),
            map_2d=np.zeros((n, 2), dtype=np.float32),
        )

    def check(self) -> None:
        """Raises `ValueError` if a network answered to a sketch that it learned."""
        n, k = len(self.ids), len(self.runs)
        if self.logits.shape != (n, len(self.class_names)):
            raise ValueError(f"logits have shape {self.logits.shape}")
        if (self.labels.shape, self.asked.shape) != ((n,), (n,)):
            raise ValueError("labels and folds don't fit the sketches")
        if self.learned.shape != (k, n):
            raise ValueError(f"what was learned has shape {self.learned.shape}")
        if known := np.flatnonzero(self.learned[self.asked, np.arange(n)]).tolist():
            raise ValueError(
                f"run {self.runs[self.asked[known[0]]]!r} had learned sketch "
                f"{self.ids[known[0]]!r}"
            )


def gather(dataset: Dataset, run_dirs: Sequence[Path]) -> OutOfFold:
    """Gathers what the runs of a cross-validation say of the training sketches.

    A sketch whose copy is in another fold's training has no answer and is left out.

    Args:
        dataset: The dataset whose training sketches were dealt into folds.
        run_dirs: The evaluated runs of all folds, each scored on its own.

    Raises:
        RunError: If a run is not evaluated, is of another dataset, or has learned a
            sketch that it was asked.
    """
    is_train = np.zeros(len(dataset.records), dtype=bool)
    is_train[dataset.indices("train")] = True
    logits = np.zeros((len(is_train), dataset.num_classes), dtype=np.float16)
    asked = np.full(len(is_train), -1, dtype=np.int32)
    learned = np.zeros((len(run_dirs), len(is_train)), dtype=bool)
    for place, run_dir in enumerate(run_dirs):
        fold = read_config(run_dir).fold
        if fold is None or fold.dataset_fingerprint != dataset.fingerprint:
            raise RunError(
                "Run {run!r} is not of a fold of dataset {dataset!r} as it is now.",
                run=run_dir.name,
                dataset=dataset.name,
            )
        evaluation = read_evaluation(run_dir)
        rows = np.array([dataset.rows[one] for one in evaluation.ids], dtype=np.int64)
        scaled = evaluation.logits.astype(np.float32)
        scaled /= evaluation.metrics["temperature"]
        logits[rows] = np.clip(scaled, *_range())
        asked[rows] = place
        seen = read_train_keys(run_dir)
        learned[place] = np.isin(dataset.keys, seen).any(axis=1)
    rows = np.flatnonzero(is_train & (asked >= 0))
    found = OutOfFold(
        dataset=dataset.name,
        dataset_fingerprint=dataset.fingerprint,
        class_names=dataset.class_names,
        runs=tuple(run_dir.name for run_dir in run_dirs),
        ids=tuple(dataset.records[row].id for row in rows),
        labels=dataset.labels[rows].astype(np.int32),
        logits=logits[rows],
        asked=asked[rows],
        learned=learned[:, rows],
    )
    try:
        found.check()
    except ValueError as error:
        raise RunError(
            "The predictions for dataset {dataset!r} can't be trusted: {reason}.",
            dataset=dataset.name,
            reason=error,
        ) from error
    return found


def write_out_of_fold(dataset: Dataset, found: OutOfFold) -> None:
    """Replaces the out-of-fold predictions of a dataset."""
    metadata = {
        name: json.dumps(getattr(found, name))
        for name in ("dataset_fingerprint", "class_names", "runs", "ids")
    }
    tensors: dict[str, NDArray[Any]] = {
        name: getattr(found, name) for name in ("labels", "logits", "asked", "learned")
    }
    with replacing(dataset.path / FILE) as temporary:
        save_tensors(tensors, temporary, metadata)


def read_out_of_fold(dataset: Dataset) -> OutOfFold | None:
    """Reads the out-of-fold predictions of a dataset; None where it has none.

    Raises:
        DatasetError: If they are damaged, of another dataset, or of a network that had
            learned what it was asked.
    """
    path = dataset.path / FILE
    try:
        with open_tensors(path) as file:
            tensors = {name: file.get_tensor(name) for name in tensor_names(file)}
            told = {n: json.loads(v) for n, v in (file.metadata() or {}).items()}
        found = OutOfFold(
            dataset=dataset.name,
            dataset_fingerprint=str(told["dataset_fingerprint"]),
            class_names=tuple(told["class_names"]),
            runs=tuple(told["runs"]),
            ids=tuple(told["ids"]),
            **tensors,
        )
        found.check()
        if found.dataset_fingerprint != dataset.fingerprint:
            raise ValueError("they are of another dataset")
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            "{path} is damaged: {reason}. Delete it; `python -m core dataset suspects "
            "{dataset}` makes it anew.",
            path=path,
            reason=error,
            dataset=dataset.name,
        ) from error
    return found


def _range() -> tuple[float, float]:
    limit = float(np.finfo(np.float16).max)
    return -limit, limit
