"""What an evaluation leaves in a run folder, and how to read it. Needs no Keras."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core.errors import RunError
from core.files import replacing, write_json
from core.runs import METRICS_FILE, read_config, read_metrics

PREDICTIONS = "predictions.safetensors"
CLASSES = "classes.csv"


@dataclass(frozen=True)
class Evaluation:
    """A network's answers to every test sketch, and the figures from them.

    Attributes:
        metrics: What `metrics.json` holds.
        class_names: The class of each logit.
        ids: The sketches' ids in their dataset, n of them.
        y_true: True class indices of shape `(n,)`.
        y_pred: Predicted class indices of shape `(n,)`, before the logits were
            rounded, which may make ties.
        logits: Shape `(n, num_classes)`, half precision.
        embedding: Input of the head, shape `(n, width)`, half precision.
        map_2d: The embedding laid out in the plane, shape `(n, 2)`.
    """

    metrics: dict[str, Any]
    class_names: tuple[str, ...]
    ids: tuple[str, ...]
    y_true: NDArray[np.int32]
    y_pred: NDArray[np.int32]
    logits: NDArray[np.float16]
    embedding: NDArray[np.float16]
    map_2d: NDArray[np.float32]

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts of shape `(num_classes, num_classes)`, true by predicted class."""
        classes = len(self.class_names)
        cells = self.y_true.astype(np.int64) * classes + self.y_pred
        counts = np.bincount(cells, minlength=classes**2)
        return counts.reshape(classes, classes)

    @cached_property
    def probabilities(self) -> NDArray[np.float32]:
        """Calibrated probabilities of shape `(n, num_classes)`."""
        scaled = self.logits.astype(np.float32) / self.metrics["temperature"]
        scaled -= scaled.max(axis=1, keepdims=True)
        exponentials = np.exp(scaled)
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    @cached_property
    def top_five(self) -> NDArray[np.int64]:
        """The five likeliest class indices, shape `(n, 5)` or fewer, best first."""
        return self.top_k(5)

    def top_k(self, k: int = 5) -> NDArray[np.int64]:
        """Returns the `k` likeliest class indices, shape `(n, k)`, best first."""
        order = -self.logits.astype(np.float32)
        np.put_along_axis(order, self.y_pred[:, None], -np.inf, axis=1)
        return np.argsort(order, axis=1, kind="stable")[:, :k]


def write_evaluation(
    run_dir: Path, evaluation: Evaluation, *, class_rows: Sequence[dict[str, Any]]
) -> None:
    """Replaces a run's evaluation.

    Args:
        run_dir: The run's folder, whose lock the caller holds.
        evaluation: What to write.
        class_rows: One row a class, all with the same columns.
    """
    # An old evaluation must not be taken for the new one's: its figures go first
    # and the new ones come last.
    (run_dir / METRICS_FILE).unlink(missing_ok=True)
    write_predictions(run_dir, evaluation)
    with (
        replacing(run_dir / CLASSES) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.DictWriter(stream, fieldnames=list(class_rows[0]))
        writer.writeheader()
        writer.writerows(class_rows)
    write_json(run_dir / METRICS_FILE, evaluation.metrics)


def write_predictions(run_dir: Path, evaluation: Evaluation) -> None:
    """Replaces the arrays of a run's evaluation."""
    tensors = {
        "y_true": evaluation.y_true,
        "y_pred": evaluation.y_pred,
        "logits": evaluation.logits,
        "embedding": evaluation.embedding,
        "map_2d": evaluation.map_2d,
    }
    with replacing(run_dir / PREDICTIONS) as temporary:
        save_file(
            {name: np.ascontiguousarray(values) for name, values in tensors.items()},
            temporary,
            {"ids": json.dumps(evaluation.ids)},
        )


def read_evaluation(run_dir: Path) -> Evaluation:
    """Reads a run's evaluation.

    Raises:
        RunError: If there is none, or a part of it is damaged.
    """
    class_names = read_config(run_dir).class_names
    try:
        metrics = read_metrics(run_dir)
        with safe_open(run_dir / PREDICTIONS, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in _names(file)}
            ids = tuple(json.loads((file.metadata() or {})["ids"]))
        evaluation = Evaluation(
            metrics=metrics, class_names=class_names, ids=ids, **tensors
        )
        _check_shapes(evaluation)
    except FileNotFoundError as error:
        raise RunError(
            f"Run {run_dir.name!r} has no evaluation yet. "
            f"`python -m core evaluate {run_dir.name}` makes one."
        ) from error
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"The evaluation of run {run_dir.name!r} is damaged ({error}). "
            f"`python -m core evaluate {run_dir.name}` makes it anew."
        ) from error
    return evaluation


def _names(file: Any) -> list[str]:
    """Returns the tensors of an open safetensors file, which is no mapping."""
    return list(file.keys())


def _check_shapes(evaluation: Evaluation) -> None:
    """Raises `ValueError` unless all parts fit each other."""
    n, classes = len(evaluation.ids), len(evaluation.class_names)
    shapes = {
        "y_true": (evaluation.y_true.shape, (n,)),
        "y_pred": (evaluation.y_pred.shape, (n,)),
        "logits": (evaluation.logits.shape, (n, classes)),
        "embedding": (evaluation.embedding.shape[:1], (n,)),
        "map_2d": (evaluation.map_2d.shape, (n, 2)),
    }
    for name, (shape, expected) in shapes.items():
        if shape != expected:
            raise ValueError(f"{name} has shape {shape}, expected {expected}")
    if evaluation.metrics["n"] != n:
        raise ValueError(f"its figures are of {evaluation.metrics['n']} sketches")
    labels = np.concatenate([evaluation.y_true, evaluation.y_pred])
    if n and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError("a label is out of range")
