"""Installed datasets: an index and one packed, memory-mapped array each."""

import csv
import hashlib
import io
import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.datasets.account import Account
from core.errors import DatasetError, quote
from core.files import (
    list_folder,
    load_array,
    open_regular,
    read_regular,
    remove_tree,
    rename,
)
from core.sketches.images import IMAGE_SIZE

FORMAT_VERSION = 1
ID_NAMESPACE = "tu-berlin"
"""Where ids name the same sketch in every copy of TU-Berlin's."""

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

PARTIAL_PREFIX = ".partial-"
"""An unfinished import lies in `.partial-<process id>-<random>`."""

UPLOAD_PREFIX = ".upload-"
"""What is being imported from a browser lies in `.upload-<process id>-<random>`."""

Split = Literal["train", "test", "out"]
"""The part that a sketch belongs to; `out` is neither learned nor asked, which only a
dataset derived from another has."""

Progress = Callable[[int, int], None]
"""Called with how many sketches are done and how many there are."""


@dataclass(frozen=True)
class SketchRecord:
    """One sketch of a source: where it is and what it shows.

    Attributes:
        id: Unique in its dataset.
        label: Class index, from 0.
        split: The part it belongs to.
        path: Where it lies in its source, for errors and for the index.
        group: What it has in common with others that stay in its part, such as who
            drew it; "" for nothing.
    """

    id: str
    label: int
    split: Split
    path: str
    group: str = ""


@dataclass(frozen=True)
class SketchSource:
    """What a loader found: everything that `install` needs.

    Attributes:
        kind: The loader's name.
        origin: What was imported, as the user would name it.
        class_names: The class of each label.
        records: Every sketch; each class and both splits occur.
        read: Returns one sketch, gray values of shape `(128, 128)`, `uint8`.
            Called from several threads.
        found: The paths of pictures in which `read` had to find the drawing; it adds
            to them.
        attribution: Author, source and licence, shown wherever sketches are.
        id_namespace: Set where ids name the same sketch in every copy of the
            data, whatever its resolution.
        sha256: Hex digest of the archive, where it was worth computing.
        train_only: Whether all sketches are in train and one class is enough: a
            training on them goes on from a run that knows more.
        account: What there is to tell of what was found.
        may_skip: Whether sketches that can't be read are left out, and told of.
        mending: What becomes of copies and groups that the split tears apart:
            "balance" puts each where its classes lack sketches, "train" into training;
            None leaves them, and tells.
        known_ids: By a record's id, the id in `ID_NAMESPACE` of a sketch that is known
            there.
    """

    kind: str
    origin: str
    class_names: tuple[str, ...]
    records: Sequence[SketchRecord]
    read: Callable[[SketchRecord], NDArray[np.uint8]]
    found: Sequence[str] = ()
    attribution: str = ""
    id_namespace: str | None = None
    sha256: str = ""
    train_only: bool = False
    account: Account = field(default_factory=Account)
    may_skip: bool = False
    mending: Literal["balance", "train"] | None = None
    known_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """An installed dataset; arrays are read when they are first asked for.

    Attributes:
        name: Its folder's name.
        path: Its folder.
        kind: The loader that imported it.
        origin: What was imported.
        attribution: Author, source and licence; may be empty.
        class_names: The class of each label.
        num_train: Number of training sketches, validation included.
        num_test: Number of test sketches; 0 where `SketchSource.train_only`.
        fingerprint: Hex digest of all that a training depends on: pixels, labels,
            order and split.
        split_fingerprint: Hex digest of which sketches are in which split; the same
            for every copy of sketches that are known by their ids.
    """

    name: str
    path: Path
    kind: str
    origin: str
    attribution: str
    class_names: tuple[str, ...]
    num_train: int
    num_test: int
    fingerprint: str
    split_fingerprint: str

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @cached_property
    def records(self) -> tuple[SketchRecord, ...]:
        """The index, in the order of `images`."""
        path = self.path / "index.csv"
        records = _read_index(path, num_classes=self.num_classes)
        expected = self.num_train + self.num_test
        if len(records) != expected:
            raise DatasetError(
                "{path} lists {count} sketches, not {expected}. Remove dataset "
                "{dataset!r} and add it again.",
                path=path,
                count=len(records),
                expected=expected,
                dataset=self.name,
            )
        return records

    @cached_property
    def images(self) -> NDArray[np.uint8]:
        """Gray values of shape `(n, 128, 128)`, memory-mapped; 255 is paper."""
        images = _load_array(self.path / "images.npy")
        expected = (self.num_train + self.num_test, IMAGE_SIZE, IMAGE_SIZE)
        if images.shape != expected or images.dtype != np.uint8:
            raise DatasetError(
                "{path} holds {dtype}{shape}, not uint8{expected}. Remove dataset "
                "{dataset!r} and add it again.",
                path=self.path / "images.npy",
                dtype=images.dtype,
                shape=images.shape,
                expected=expected,
                dataset=self.name,
            )
        return np.asanyarray(images, dtype=np.uint8)

    @cached_property
    def keys(self) -> NDArray[np.uint64]:
        """Digests of shape `(n, 2)` that tell whether two datasets share a sketch.

        The first is of the id, where ids name the same sketch in every copy of the
        data, and else of the pixels; the second is of the pixels.
        """
        keys = _load_array(self.path / "keys.npy")
        if keys.shape != (self.num_train + self.num_test, 2):
            raise DatasetError(
                "{path} has shape {shape}. Remove dataset {dataset!r} and add it "
                "again.",
                path=self.path / "keys.npy",
                shape=keys.shape,
                dataset=self.name,
            )
        return np.asarray(keys, dtype=np.uint64)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Class indices of shape `(n,)`."""
        return np.array([record.label for record in self.records], dtype=np.int64)

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each sketch by its id."""
        return {record.id: row for row, record in enumerate(self.records)}

    def hold(self) -> None:
        """Opens all its parts, after which it may be removed or replaced.

        Raises:
            DatasetError: If a part is damaged, or it was removed or replaced already.
        """
        _ = self.records, self.images, self.keys
        dataset = open_dataset(self.name, data_dir=self.path.parent.parent)
        if dataset != self:
            raise DatasetError(
                "Dataset {dataset!r} was replaced by another of its name.",
                dataset=self.name,
            )

    def indices(self, split: Split) -> NDArray[np.int64]:
        """Returns the rows of one split, ascending."""
        return np.array(
            [row for row, record in enumerate(self.records) if record.split == split],
            dtype=np.int64,
        )


def datasets_dir(data_dir: Path) -> Path:
    """Returns the folder of installed datasets."""
    return data_dir / "datasets"


def check_name(name: str) -> None:
    """Raises `DatasetError` unless `name` can be a dataset's folder."""
    if not NAME_PATTERN.fullmatch(name):
        raise DatasetError(
            "A dataset's name is 1 to 64 letters, digits, '.', '_' or '-', and starts "
            "with a letter or digit. Received: {name}",
            name=quote(name),
        )


def check_new_name(name: str, *, data_dir: Path) -> None:
    """Raises `DatasetError` unless `name` is fit and free for a new dataset."""
    check_name(name)
    if (datasets_dir(data_dir) / name).exists():
        raise DatasetError(
            "A dataset {name!r} is installed already. Remove it first (`python -m core "
            "dataset remove {name}`) or choose another --name.",
            name=name,
        )


def list_datasets(data_dir: Path) -> list[Dataset]:
    """Returns the installed datasets by name; damaged ones are left out."""
    datasets = []
    for path in list_folder(datasets_dir(data_dir)):
        try:
            datasets.append(open_dataset(path.name, data_dir=data_dir))
        except DatasetError:
            continue
    return datasets


def open_dataset(name: str, *, data_dir: Path) -> Dataset:
    """Opens an installed dataset.

    Raises:
        DatasetError: If there is none of that name, or it is damaged.
    """
    check_name(name)
    path = datasets_dir(data_dir) / name
    try:
        fields = json.loads(read_regular(path / "dataset.json"))
        if fields["format_version"] != FORMAT_VERSION:
            raise DatasetError(
                "Dataset {name!r} has format {version}, this program reads "
                "{readable}. Remove it and add it again.",
                name=name,
                version=fields["format_version"],
                readable=FORMAT_VERSION,
            )
        return Dataset(
            name=name,
            path=path,
            kind=str(fields["kind"]),
            origin=str(fields["origin"]),
            attribution=str(fields["attribution"]),
            class_names=tuple(map(str, fields["class_names"])),
            num_train=int(fields["num_train"]),
            num_test=int(fields["num_test"]),
            fingerprint=str(fields["fingerprint"]),
            split_fingerprint=str(fields["split_fingerprint"]),
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        installed = [
            path.name
            for path in list_folder(datasets_dir(data_dir))
            if (path / "dataset.json").is_file()
        ]
        if not installed:
            raise DatasetError(
                "There is no dataset {name!r}. None is installed; `python -m core "
                "dataset add starter` draws a small one.",
                name=name,
            ) from error
        raise DatasetError(
            "There is no dataset {name!r}. Installed: {installed}.",
            name=name,
            installed=", ".join(installed),
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            "Dataset {name!r} is damaged ({path}: {reason}). Remove it and add it "
            "again.",
            name=name,
            path=path / "dataset.json",
            reason=error,
        ) from error


def remove_dataset(name: str, *, data_dir: Path) -> None:
    """Deletes an installed dataset; runs trained on it stay.

    Raises:
        DatasetError: If there is none of that name, or the disk is read-only.
    """
    check_name(name)
    path = datasets_dir(data_dir) / name
    if not path.is_dir():
        raise DatasetError("There is no dataset {name!r}.", name=name)
    # Renamed first, so that a reader never meets half a dataset.
    doomed = path.with_name(
        f"{PARTIAL_PREFIX}{os.getpid()}-removed-{time.time_ns()}-{name}"
    )
    try:
        rename(path, doomed)
        remove_tree(doomed)
    except FileNotFoundError as error:
        raise DatasetError(
            "Dataset {name!r} was removed meanwhile.", name=name
        ) from error
    except OSError as error:
        raise DatasetError(
            "{path} can't be removed: {reason}.", path=path, reason=error.strerror
        ) from error


def fingerprints(
    class_names: Sequence[str],
    records: Sequence[SketchRecord],
    keys: NDArray[np.uint64],
) -> tuple[str, str]:
    """Returns `Dataset.fingerprint` and `Dataset.split_fingerprint`."""
    everything = hashlib.blake2b(digest_size=16)
    everything.update(json.dumps(class_names).encode())
    for record, pair in zip(records, keys.tolist(), strict=True):
        everything.update(f"{pair} {record.label} {record.split}\n".encode())
    split = hashlib.blake2b(digest_size=16)
    parts = np.array([record.split for record in records])
    for part in ("train", "test"):
        split.update(np.sort(keys[parts == part, 0]).astype("<u8").tobytes() + b"|")
    return everything.hexdigest(), split.hexdigest()


def _read_index(path: Path, *, num_classes: int) -> tuple[SketchRecord, ...]:
    try:
        with io.TextIOWrapper(
            open_regular(path), encoding="utf-8", newline=""
        ) as stream:
            records = []
            for row in csv.DictReader(stream):
                label, split = int(row["label"]), row["split"]
                if split not in ("train", "test") or not 0 <= label < num_classes:
                    raise ValueError(f"row {row}")
                records.append(
                    SketchRecord(
                        id=row["id"],
                        label=label,
                        split="train" if split == "train" else "test",
                        path=row["path"],
                        group=row.get("group") or "",
                    )
                )
            return tuple(records)
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise DatasetError(
            "{path} is damaged: {reason}. Remove the dataset and add it again.",
            path=path,
            reason=error,
        ) from error


def _load_array(path: Path) -> NDArray[np.generic]:
    try:
        return load_array(path)
    except (OSError, ValueError) as error:
        raise DatasetError(
            "{path} is missing or damaged: {reason}. Remove the dataset and add it "
            "again.",
            path=path,
            reason=error,
        ) from error
