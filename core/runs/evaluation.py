"""What an evaluation leaves in a run folder, and how to read it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from core.errors import RunError
from core.files import replacing, to_csv, write_json, write_text
from core.runs.folder import METRICS_FILE, check_there
from core.runs.reading import read_config, read_metrics
from core.runs.weights import open_tensors, save_tensors, tensor_names

PREDICTIONS = "predictions.safetensors"
CLASSES = "classes.csv"

OF_ANY = (
    *("run_id", "network", "dataset", "dataset_fingerprint", "split_fingerprint"),
    *("split", "num_classes", "temperature", "image_size", "num_parameters"),
    "evaluated_at",
)
"""What an evaluation's `metrics` say that is true of any part of its sketches, too."""

CHUNK = 4096
"""Sketches whose probabilities are computed at a time, to spare memory."""


@dataclass(frozen=True)
class Evaluation:
    """A network's answers to every test sketch, and the metrics from them.

    Attributes:
        metrics: What `metrics.json` holds.
        class_names: The class of each logit.
        ids: The sketches' ids in their dataset, n of them.
        y_true: True class indices of shape `(n,)`.
        y_pred: Predicted class indices of shape `(n,)`, before the logits were
            rounded, which may make ties.
        logits: Shape `(n, num_classes)`, half precision.
        embedding: Input of the head, shape `(n, width)`, half precision; the width is
            0 in an exported copy.
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

    def subset(self, rows: NDArray[np.integer]) -> "Evaluation":
        """Returns the evaluation of some of the sketches.

        Its `metrics` are `n`, `top1` and what is true of any sketches (`OF_ANY`);
        other metrics are of all sketches and left out.

        Args:
            rows: Rows of the arrays, shape `(m,)`.
        """
        is_right = self.y_pred[rows] == self.y_true[rows]
        metrics = {name: self.metrics[name] for name in OF_ANY if name in self.metrics}
        metrics["n"] = len(rows)
        if len(rows):
            metrics["top1"] = float(is_right.mean())
        return Evaluation(
            metrics=metrics,
            class_names=self.class_names,
            ids=tuple(self.ids[row] for row in rows),
            y_true=self.y_true[rows],
            y_pred=self.y_pred[rows],
            logits=self.logits[rows],
            embedding=self.embedding[rows],
            map_2d=self.map_2d[rows],
        )

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts of shape `(num_classes, num_classes)`, true by predicted class."""
        classes = len(self.class_names)
        cells = self.y_true.astype(np.int64) * classes + self.y_pred
        counts = np.bincount(cells, minlength=classes**2)
        return counts.reshape(classes, classes)

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """Calibrated probabilities of shape `(n, num_classes)`."""
        return self._softmax(self.logits)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """Calibrated probability of the predicted class, shape `(n,)`."""
        return self._by_sketch.confidence

    @property
    def true_probability(self) -> NDArray[np.float32]:
        """Calibrated probability of the true class, shape `(n,)`."""
        return self._by_sketch.true_probability

    @property
    def loss(self) -> NDArray[np.float32]:
        """Calibrated cross-entropy of each sketch in nats, shape `(n,)`."""
        return self._by_sketch.loss

    @property
    def margin(self) -> NDArray[np.float32]:
        """Probability of the predicted class less the next one's, shape `(n,)`."""
        return self._by_sketch.margin

    @property
    def true_rank(self) -> NDArray[np.int32]:
        """Rank of the true class, 1 where it was predicted, shape `(n,)`.

        Of equal logits, the predicted class comes first and the true class last.
        """
        return self._by_sketch.true_rank

    @cached_property
    def _by_sketch(self) -> "_BySketch":
        """What is known of each sketch, computed in little memory."""
        starts = range(0, max(len(self.ids), 1), CHUNK)
        parts = [self._measure(slice(start, start + CHUNK)) for start in starts]
        return _BySketch(*map(np.concatenate, zip(*parts, strict=True)))

    def _measure(self, part: slice) -> "_BySketch":
        guess, true = self.y_pred[part, None], self.y_true[part, None]
        scaled = _shift(self.logits[part], self.metrics["temperature"], np.float32)
        of_true = np.take_along_axis(scaled, true, axis=1)
        rank = np.where(guess == true, 1, (scaled >= of_true).sum(axis=1)[:, None])
        log_sum = np.log(np.exp(scaled).sum(axis=1))
        loss = log_sum - of_true[:, 0]
        confidence = np.exp(np.take_along_axis(scaled, guess, axis=1)[:, 0] - log_sum)
        np.put_along_axis(scaled, guess, -np.inf, axis=1)
        margin = confidence - np.exp(scaled.max(axis=1) - log_sum)
        return _BySketch(
            confidence, np.exp(-loss), loss, margin, rank[:, 0].astype(np.int32)
        )

    def guesses(
        self, rows: NDArray[np.integer], *, k: int = 5
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Returns the likeliest classes of some sketches, best first.

        Args:
            rows: Rows of the arrays, shape `(m,)`.
            k: How many; fewer where there are fewer classes.

        Returns:
            Class indices and their calibrated probabilities, both of shape `(m, k)`.
            The predicted class comes first, then equal ones by index.
        """
        k = min(k, len(self.class_names))
        labels = np.empty((len(rows), k), dtype=np.int64)
        probabilities = np.empty((len(rows), k), dtype=np.float32)
        for start in range(0, len(rows), CHUNK):
            part = slice(start, start + CHUNK)
            chosen = rows[part]
            logits = self.logits[chosen].astype(np.float32)
            order = logits.copy()
            np.put_along_axis(order, self.y_pred[chosen, None], np.inf, axis=1)
            # All that reach the k-th highest; a full sort costs ten times as much.
            least = np.partition(order, -k, axis=1)[:, -k, None]
            row, label = np.nonzero(order >= least)
            ranked = np.lexsort((label, -order[row, label], row))
            first = np.searchsorted(row, np.arange(len(chosen)))
            labels[part] = label[ranked[first[:, None] + np.arange(k)]]
            every = self._softmax(logits)
            probabilities[part] = np.take_along_axis(every, labels[part], axis=1)
        return labels, probabilities

    def probability_parts(
        self, rows: NDArray[np.integer]
    ) -> Iterator[tuple[NDArray[np.integer], NDArray[np.float32]]]:
        """Yields calibrated probabilities of some sketches, in little memory.

        Args:
            rows: Rows of the arrays, shape `(m,)`.

        Yields:
            Some of the rows, in their order, and their probabilities, of shape
            `(part, num_classes)`; at most `CHUNK` at a time.
        """
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            yield part, self._softmax(self.logits[part])

    def _softmax(self, logits: NDArray[np.floating]) -> NDArray[np.float32]:
        temperature = self.metrics["temperature"]
        return softmax(logits, temperature=temperature, dtype=np.float32)


class _BySketch(NamedTuple):
    """What an `Evaluation` knows of each sketch; see its properties."""

    confidence: NDArray[np.float32]
    true_probability: NDArray[np.float32]
    loss: NDArray[np.float32]
    margin: NDArray[np.float32]
    true_rank: NDArray[np.int32]


def write_evaluation(
    run_dir: Path, evaluation: Evaluation, *, class_rows: Sequence[dict[str, Any]]
) -> None:
    """Replaces a run's evaluation.

    Args:
        run_dir: The run's folder, whose lock the caller holds.
        evaluation: What to write.
        class_rows: One row a class, all with the same columns.
    """
    # An old evaluation must not be taken for the new one's: its metrics go first
    # and the new ones come last.
    (run_dir / METRICS_FILE).unlink(missing_ok=True)
    write_predictions(run_dir, evaluation)
    write_text(run_dir / CLASSES, to_csv(class_rows))
    write_json(run_dir / METRICS_FILE, evaluation.metrics)


def write_predictions(run_dir: Path, evaluation: Evaluation) -> None:
    """Replaces the arrays of a run's evaluation."""
    tensors: dict[str, NDArray[Any]] = {
        "y_true": evaluation.y_true,
        "y_pred": evaluation.y_pred,
        "logits": evaluation.logits,
        "embedding": evaluation.embedding,
        "map_2d": evaluation.map_2d,
    }
    with replacing(run_dir / PREDICTIONS) as temporary:
        save_tensors(tensors, temporary, {"ids": json.dumps(evaluation.ids)})


def read_evaluation(run_dir: Path) -> Evaluation:
    """Reads a run's evaluation.

    Raises:
        RunError: If there is none, or a part of it is damaged.
    """
    class_names = read_config(run_dir).class_names
    try:
        metrics = read_metrics(run_dir)
        with open_tensors(run_dir / PREDICTIONS) as file:
            tensors = {name: file.get_tensor(name) for name in tensor_names(file)}
            ids = tuple(json.loads((file.metadata() or {})["ids"]))
        evaluation = Evaluation(
            metrics=metrics, class_names=class_names, ids=ids, **tensors
        )
        _check_shapes(evaluation)
    except FileNotFoundError as error:
        check_there(run_dir)
        raise RunError(
            "Run {run!r} has no evaluation yet. `python -m core evaluate {run}` makes "
            "one.",
            run=run_dir.name,
        ) from error
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            "The evaluation of run {run!r} is damaged ({reason}). `python -m core "
            "evaluate {run}` makes it anew.",
            run=run_dir.name,
            reason=error,
        ) from error
    return evaluation


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
        raise ValueError(f"its metrics are of {evaluation.metrics['n']} sketches")
    labels = np.concatenate([evaluation.y_true, evaluation.y_pred])
    if n and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError("a label is out of range")


def softmax(
    logits: NDArray[np.floating],
    *,
    temperature: float = 1.0,
    dtype: type[np.floating] = np.float64,
) -> NDArray[Any]:
    """Turns logits into probabilities, which add up to 1.

    Args:
        logits: Shape `(n_samples, n_classes)`.
        temperature: What logits are divided by first.
        dtype: The precision in which it is computed.
    """
    exponentials: NDArray[Any] = np.exp(_shift(logits, temperature, dtype))
    exponentials /= exponentials.sum(axis=1, keepdims=True)
    return exponentials


def _shift(
    logits: NDArray[np.floating], temperature: float, dtype: type[np.floating]
) -> NDArray[Any]:
    """Returns logits over a temperature less the largest, so that none overflows."""
    scaled: NDArray[Any] = logits.astype(dtype) / dtype(temperature)
    scaled -= scaled.max(axis=1, keepdims=True)
    return scaled
