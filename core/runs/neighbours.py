"""The training sketches nearest to a drawing, by a network's embedding.

Reading and asking need no Keras; a run's index is made once, after its training.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets.store import Dataset
from core.errors import RunError
from core.files import replacing
from core.runs.reading import read_config
from core.runs.weights import read_index, save_tensors

NEIGHBOURS = "neighbours.safetensors"

COMPONENTS = 48
"""What an embedding is reduced to; a byte each. On TU-Berlin, a sketch's five nearest
are of its class almost as often as by ResNet-18's 512 (54 and 55 of 100)."""

BEST_OF_CLASS = 3
"""So many of a class's sketches stand for it; a single one may be drawn oddly."""

LEVELS = 127
"""Of an int8 on either side of 0."""


@dataclass(frozen=True)
class Neighbours:
    """A run's training sketches, as points on the unit sphere.

    Sketches are in the order of the first of their dataset's `keys`, so that neither
    ids nor rows need to be stored; `train_rows` finds them again.

    Attributes:
        mean: Of the embeddings, shape `(width,)`.
        components: Principal components, shape `(width, c)`; c is at most
            `COMPONENTS`.
        points: Unit vectors of shape `(n, c)`; 0 where an embedding is the mean.
        labels: Class indices of shape `(n,)`, as the network counts them.
        split_fingerprint: That of the dataset the sketches are of.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    points: NDArray[np.float32]
    labels: NDArray[np.int64]
    split_fingerprint: str

    def nearest(
        self,
        embedding: NDArray[np.floating],
        *,
        k: int = 5,
        label: int | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Finds the most similar training sketches.

        Args:
            embedding: Shape `(m, width)`.
            k: How many a row, at least 1; no more than there are sketches are given.
            label: A class index, to find sketches of that class alone; None for all.

        Returns:
            Positions in the index (see `train_rows`), labels and cosine
            similarities, each of shape `(m, k)`, most similar first; of equally
            similar sketches the first in the index.

        Raises:
            ValueError: If `k` or the shape is out of range.
        """
        similarity = self._similarity(embedding, k=k)
        if label is None:
            positions = _highest(similarity, k=k)
        else:
            of_class = np.flatnonzero(self.labels == label)
            positions = of_class[_highest(similarity[:, of_class], k=k)]
        return (
            positions,
            self.labels[positions],
            np.take_along_axis(similarity, positions, axis=1),
        )

    def nearest_classes(
        self, embedding: NDArray[np.floating], *, k: int = 5
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Finds the most similar classes, by their `BEST_OF_CLASS` best sketches.

        Args:
            embedding: Shape `(m, width)`.
            k: How many a row, at least 1; no more than have training sketches are
                given.

        Returns:
            Labels, and the mean cosine similarities of each class's most similar
            sketches, both of shape `(m, k)`, most similar first.

        Raises:
            ValueError: If `k` or the shape is out of range.
        """
        similarity = self._similarity(embedding, k=k)
        labels, members, is_member = self._classes
        of_class = np.where(is_member, similarity[:, members], -np.inf)
        best = -np.partition(-of_class, min(BEST_OF_CLASS, of_class.shape[2]) - 1)
        best = best[:, :, :BEST_OF_CLASS]
        counts = np.isfinite(best).sum(axis=2)
        means = np.where(np.isfinite(best), best, 0).sum(axis=2) / counts
        places = _highest(means, k=k)
        chosen = np.take_along_axis(means, places, axis=1)
        return labels[places], chosen.astype(np.float32)

    def train_rows(self, dataset: Dataset) -> NDArray[np.int64]:
        """Returns the dataset's row of each position, shape `(n,)`.

        Args:
            dataset: The run's own or another copy of its sketches with the same
                split, as `core.runs.dataset.find_dataset` finds it: of a version the
                version, whose training sketches are not all of its dataset's.

        Raises:
            RunError: If it is another dataset.
        """
        rows = ordered_rows(dataset)
        is_same = dataset.split_fingerprint == self.split_fingerprint
        if not is_same or len(rows) != len(self.labels):
            raise RunError(
                "Dataset {dataset!r} is not the one whose sketches the run's "
                "{neighbours} was made of.",
                dataset=dataset.name,
                neighbours=NEIGHBOURS,
            )
        return rows

    @cached_property
    def _classes(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Labels that occur, and each one's positions in rows of equal length."""
        labels, counts = np.unique(self.labels, return_counts=True)
        members = np.zeros((len(labels), counts.max()), dtype=np.int64)
        is_member = np.arange(counts.max()) < counts[:, None]
        members[is_member] = np.argsort(self.labels, kind="stable")
        return labels, members, is_member

    def _similarity(
        self, embedding: NDArray[np.floating], *, k: int
    ) -> NDArray[np.float32]:
        """Returns cosine similarities of shape `(m, n)`."""
        if k < 1:
            raise ValueError(f"`k` must be at least 1. Received: k={k}")
        if embedding.ndim != 2 or embedding.shape[1] != len(self.mean):
            raise ValueError(
                f"`embedding` must have shape (m, {len(self.mean)}). Received: "
                f"{embedding.shape}"
            )
        reduced = (np.asarray(embedding, np.float32) - self.mean) @ self.components
        # Not `@`: beside a training, its threads wait for cores ten times longer than
        # one thread takes.
        similarity = np.einsum("mc,nc->mn", _to_unit(reduced), self.points)
        return np.asarray(similarity, dtype=np.float32)


def write_neighbours(
    run_dir: Path,
    embedding: NDArray[np.float32],
    labels: NDArray[np.integer],
    *,
    split_fingerprint: str,
) -> None:
    """Replaces a run's index.

    Args:
        run_dir: The run's folder.
        embedding: Shape `(n, width)`, in the order of `Neighbours`.
        labels: Class indices of shape `(n,)`.
        split_fingerprint: That of the dataset.
    """
    mean = embedding.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = embedding - mean
    _, vectors = np.linalg.eigh(centred.T @ centred)
    # Ascending, as `eigh` gives them.
    components = vectors[:, ::-1][:, :COMPONENTS].astype(np.float16)
    points = _to_unit(centred @ components.astype(np.float32))
    # Where a component says nothing, any scale does.
    scales = np.abs(points).max(axis=0) / LEVELS
    scales[scales == 0] = 1
    tensors = {
        "mean": mean,
        "components": components,
        "points": np.rint(points / scales).astype(np.int8),
        "scales": scales.astype(np.float32),
        "labels": labels.astype(np.uint16),
    }
    with replacing(run_dir / NEIGHBOURS) as temporary:
        save_tensors(tensors, temporary, {"split_fingerprint": split_fingerprint})


def read_neighbours(run_dir: Path) -> Neighbours | None:
    """Reads a run's index.

    Returns:
        None if the run has none.

    Raises:
        RunError: If it is damaged.
    """
    num_classes = len(read_config(run_dir).class_names)
    return read_index(
        run_dir / NEIGHBOURS,
        lambda file: _parse(file, num_classes),
        command=f"python -m core runs index {run_dir.name}",
    )


def _parse(file: Any, num_classes: int) -> Neighbours:
    mean, components, points, scales, labels = (
        file.get_tensor(name)
        for name in ("mean", "components", "points", "scales", "labels")
    )
    n, c = points.shape
    arrays = {
        "mean": (mean, np.float32, components.shape[:1]),
        "components": (components, np.float16, (*components.shape[:1], c)),
        "points": (points, np.int8, (n, c)),
        "scales": (scales, np.float32, (c,)),
        "labels": (labels, np.uint16, (n,)),
    }
    for name, (tensor, dtype, shape) in arrays.items():
        if tensor.dtype != dtype or tensor.shape != shape or not tensor.size:
            raise ValueError(f"{name} is {tensor.dtype}{tensor.shape}")
        if not np.isfinite(tensor).all():
            raise ValueError(f"{name} holds NaN")
    if labels.max() >= num_classes:
        raise ValueError("a label is out of range")
    return Neighbours(
        mean=mean,
        components=components.astype(np.float32),
        points=_to_unit(points * scales),
        labels=labels.astype(np.int64),
        split_fingerprint=(file.metadata() or {})["split_fingerprint"],
    )


def ordered_rows(dataset: Dataset) -> NDArray[np.int64]:
    """Returns the rows of the training sketches, in the order of their keys.

    It is the same in every copy with the same split; sketches with equal keys are
    the same picture.
    """
    rows = dataset.indices("train")
    return rows[np.argsort(dataset.keys[rows, 0], kind="stable")]


def _to_unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scales rows to length 1; a row of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1), dtype=np.float32)


def _highest(values: NDArray[np.floating], *, k: int) -> NDArray[np.int64]:
    """Returns the places of each row's `k` highest, highest first, ties by place."""
    n = values.shape[1]
    k = min(k, n)
    if k == 0:
        return np.empty((len(values), 0), dtype=np.int64)
    threshold = np.partition(values, n - k, axis=1)[:, n - k]
    places = np.empty((len(values), k), dtype=np.int64)
    for row, least in enumerate(threshold):
        candidates = np.flatnonzero(values[row] >= least)
        order = np.argsort(-values[row, candidates], kind="stable")
        places[row] = candidates[order[:k]]
    return places
