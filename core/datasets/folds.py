"""Cross-validation: a dataset dealt anew, one part its test, the rest train."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.datasets.derived import DerivedDataset, derived_fields
from core.datasets.splits import units
from core.datasets.store import Dataset, SketchRecord, Split
from core.errors import DatasetError

Dealt = Literal["all", "train"]
"""What is dealt into folds: all sketches, or those of train while test stays out."""


class Fold(BaseModel):
    """Which part of a dataset's sketches is a run's test in a cross-validation.

    Attributes:
        k: How many parts the sketches are dealt into.
        index: The part that is the test, from 0; the others are train.
        seed: Of the dealing.
        dataset_fingerprint: Of the installed dataset whose split this replaces.
        dealt: Which sketches are dealt.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    k: int = Field(ge=2, le=100)
    index: int = Field(ge=0)
    seed: int = Field(0, ge=0, lt=2**31)
    dataset_fingerprint: str
    dealt: Dealt = "all"

    @model_validator(mode="after")
    def _check_index(self) -> Self:
        if self.index >= self.k:
            raise ValueError(f"`index` must be less than `k` ({self.k})")
        return self


@dataclass(frozen=True)
class FoldedDataset(DerivedDataset):
    """An installed dataset with the split of one fold in place of its own.

    Attributes:
        fold: Which of its sketches are the test.
    """

    fold: Fold

    @cached_property
    def records(self) -> tuple[SketchRecord, ...]:
        """The index, in the order of `images`."""
        return folded_records(self.base, self.fold)


def fold_dataset(
    dataset: Dataset, *, k: int, index: int, seed: int, dealt: Dealt = "all"
) -> FoldedDataset:
    """Deals sketches of a dataset into `k` parts and makes one of them the test.

    Args:
        dataset: An installed dataset, or a version of one.
        k: How many parts, at least 2.
        index: The part that is the test, from 0.
        seed: Of the dealing.
        dealt: `all` deals train and test, whose split doesn't matter then; with
            `train`, its test sketches are neither learned nor asked.

    Raises:
        DatasetError: If a class has too few different pictures for `k` parts.
    """
    fold = Fold(
        k=k,
        index=index,
        seed=seed,
        dataset_fingerprint=dataset.fingerprint,
        dealt=dealt,
    )
    records = folded_records(dataset, fold)
    return FoldedDataset(**derived_fields(dataset, records), fold=fold)


def folded_records(dataset: Dataset, fold: Fold) -> tuple[SketchRecord, ...]:
    """Returns a dataset's index with the split of a fold."""
    records = dataset.records
    wanted = ("train",) if fold.dealt == "train" else ("train", "test")
    rows = np.flatnonzero([record.split in wanted for record in records])
    parts = np.full(len(records), -1, dtype=np.int64)
    parts[rows] = deal(
        dataset.labels[rows],
        dataset.keys[rows, 1],
        groups=[records[row].group for row in rows],
        k=fold.k,
        seed=fold.seed,
        name=dataset.name,
    )
    split_of: dict[int, Split] = {-1: "out", fold.index: "test"}
    return tuple(
        dataclasses.replace(record, split=split_of.get(part, "train"))
        for record, part in zip(records, parts.tolist(), strict=True)
    )


def deal(
    labels: NDArray[np.int64],
    pictures: NDArray[np.uint64],
    *,
    groups: Sequence[str] = (),
    k: int,
    seed: int,
    name: str,
) -> NDArray[np.int64]:
    """Deals sketches into parts, each with about the same share of every class.

    Copies of one picture get into the same part, and so do sketches of one group: in
    two, one would be learned and the other asked.

    Args:
        labels: Class indices of shape `(n,)`.
        pictures: What two sketches have in common if they are the same picture,
            shape `(n,)`.
        groups: What else they may have in common, such as who drew them, n of them
            or none; "" is nothing.
        k: How many parts, at least 2.
        seed: Of the random choice.
        name: The dataset's, for errors.

    Returns:
        The part of each sketch, from 0, shape `(n,)`.

    Raises:
        DatasetError: If a class has fewer than `k` different pictures or groups.
    """
    if any(groups):
        return _deal_groups(labels, units(pictures, groups), k=k, seed=seed, name=name)
    # Slow to load, and only asked for where folds are.
    from sklearn.model_selection import StratifiedKFold

    _, first, group = np.unique(pictures, return_index=True, return_inverse=True)
    # In the dataset's order, so that the parts don't depend on the digests.
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    own = labels[first[order]]
    fewest = int(np.bincount(own, minlength=int(labels.max()) + 1).min())
    if fewest < k:
        raise DatasetError(
            "Dataset {name!r} has a class with {count} different sketches; {k} folds "
            "need at least {k} of each. Choose fewer folds.",
            name=name,
            count=fewest,
            k=k,
        )
    splitter = StratifiedKFold(n_splits=k, shuffle=True, random_state=seed)
    parts = np.empty(len(own), dtype=np.int64)
    for index, (_train, test) in enumerate(splitter.split(own, own)):
        parts[test] = index
    return np.asarray(parts[place[group]])


def _deal_groups(
    labels: NDArray[np.int64], unit: NDArray[np.int64], *, k: int, seed: int, name: str
) -> NDArray[np.int64]:
    """Deals sketches, those of one unit into one part; see `deal`."""
    from sklearn.model_selection import StratifiedGroupKFold

    own = np.unique(np.stack([labels, unit]), axis=1)[0]
    fewest = int(np.bincount(own, minlength=int(labels.max()) + 1).min())
    if fewest < k:
        raise DatasetError(
            "Dataset {name!r} has a class with sketches of {count} groups; {k} folds "
            "need at least {k} groups in each. Choose fewer folds.",
            name=name,
            count=fewest,
            k=k,
        )
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    parts = np.empty(len(labels), dtype=np.int64)
    for index, (_train, test) in enumerate(splitter.split(labels, labels, unit)):
        parts[test] = index
    return parts
