"""A dataset whose sketches are another's, with labels or a split of its own."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets.store import Dataset, SketchRecord, fingerprints


@dataclass(frozen=True)
class DerivedDataset(Dataset):
    """An installed dataset with another index; pictures are its base's own.

    Its rows are those of the base, so some may be in neither part.

    Attributes:
        base: The dataset whose sketches these are.
    """

    base: Dataset

    @cached_property
    def images(self) -> NDArray[np.uint8]:
        """Those of the base; see `Dataset.images`."""
        return self.base.images

    @cached_property
    def keys(self) -> NDArray[np.uint64]:
        """Those of the base; see `Dataset.keys`."""
        return self.base.keys

    def hold(self) -> None:
        """Opens all its parts; see `Dataset.hold`."""
        self.base.hold()
        _ = self.records, self.images, self.keys


def derived_fields(base: Dataset, records: Sequence[SketchRecord]) -> dict[str, Any]:
    """Returns the attributes of a dataset with another index than its base."""
    inherited = {
        field.name: getattr(base, field.name) for field in dataclasses.fields(Dataset)
    }
    both, split = fingerprints(base.class_names, records, base.keys)
    return inherited | {
        "num_train": sum(record.split == "train" for record in records),
        "num_test": sum(record.split == "test" for record in records),
        "fingerprint": both,
        "split_fingerprint": split,
        "base": base,
    }
