"""Versions of a dataset: the decisions of a moment applied to its training sketches.

`NAME@VERSION` is dataset NAME with some labels replaced and some sketches left out of
training. It shares the dataset's pictures, its test sketches and their labels, so that
runs on any version are scored alike. Ambiguous sketches stay and are listed.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import count
from pathlib import Path

from core.datasets.decisions import Decisions, read_decisions
from core.datasets.derived import DerivedDataset, derived_fields
from core.datasets.store import (
    Dataset,
    SketchRecord,
    check_name,
    list_datasets,
    open_dataset,
)
from core.errors import DatasetError
from core.files import list_folder, make_folder, read_regular, write_json

FORMAT_VERSION = 1
FOLDER = "versions"
"""In the dataset's folder, a file a version."""

SIGN = "@"


@dataclass(frozen=True)
class DatasetVersion(DerivedDataset):
    """A dataset with decisions applied; its name is `NAME@VERSION`.

    Attributes:
        version: Its own name.
        previous: That of the version before; None for the dataset as installed.
        made_at: ISO 8601, UTC.
        changes: The class of each sketch whose label differs from the dataset's, by
            its id; None for one left out of training.
        ambiguous: The ids of those that people called ambiguous, of train and test.
    """

    version: str
    previous: str | None
    made_at: str
    changes: Mapping[str, str | None]
    ambiguous: frozenset[str]

    @cached_property
    def records(self) -> tuple[SketchRecord, ...]:
        """The index, in the order of `images`."""
        return changed_records(self.base, self.changes)


@dataclass(frozen=True)
class Change:
    """A sketch that two versions hold differently; None is out of training."""

    id: str
    before: str | None
    after: str | None


def changed_records(
    dataset: Dataset, changes: Mapping[str, str | None]
) -> tuple[SketchRecord, ...]:
    """Returns a dataset's index with some labels replaced and sketches left out."""
    label_of = {name: label for label, name in enumerate(dataset.class_names)}

    def changed(record: SketchRecord) -> SketchRecord:
        if record.id not in changes or record.split == "test":
            return record
        name = changes[record.id]
        if name is None:
            return replace(record, split="out")
        return replace(record, label=label_of[name])

    return tuple(map(changed, dataset.records))


def changes_of(decisions: Decisions) -> dict[str, str | None]:
    """Returns what decisions change, by the sketches' ids; None leaves one out."""
    return {
        one.id: None if one.verdict == "not_a_drawing" else one.label
        for one in decisions.standing.values()
        if one.verdict in ("wrong", "not_a_drawing")
    }


def make_version(
    dataset: Dataset, *, at: datetime, name: str | None = None
) -> DatasetVersion:
    """Makes a version of an installed dataset from the decisions that stand.

    Args:
        dataset: The dataset, not a version of it.
        at: When it is made, with its time zone.
        name: Its name; by default `v1`, `v2` and so on.

    Raises:
        DatasetError: If the name is unfit or taken, nothing was decided since the
            version before, a class would have no training sketches left, or the disk
            is full.
    """
    decisions = read_decisions(dataset)
    changes, ambiguous = changes_of(decisions), decisions.ambiguous
    versions = list_versions(dataset)
    latest = versions[-1] if versions else None
    if latest is None:
        is_same = not changes and not ambiguous
    else:
        is_same = (changes, ambiguous) == (latest.changes, latest.ambiguous)
    if is_same:
        raise DatasetError(
            "Nothing was decided about dataset {dataset!r} that {latest} doesn't hold. "
            "Look through its suspects first.",
            dataset=dataset.name,
            latest=latest.name if latest else dataset.name,
        )
    taken = {one.version for one in versions}
    if name is None:
        name = next(n for n in map("v{}".format, count(1)) if n not in taken)
    check_name(name)
    if name in taken:
        raise DatasetError(
            "Dataset {dataset!r} has a version {name!r} already. Choose another name.",
            dataset=dataset.name,
            name=name,
        )
    records = changed_records(dataset, changes)
    had, left = (
        {record.label for record in those if record.split == "train"}
        for those in (dataset.records, records)
    )
    for label in had - left:
        raise DatasetError(
            "Class {name!r} would have no training sketch left. Take back a decision.",
            name=dataset.class_names[label],
        )
    path = dataset.path / FOLDER / f"{name}.json"
    derived = derived_fields(dataset, records)
    content = {
        "format_version": FORMAT_VERSION,
        "dataset_fingerprint": dataset.fingerprint,
        "fingerprint": derived["fingerprint"],
        "num_train": derived["num_train"],
        "previous": latest.version if latest else None,
        "made_at": at.isoformat(timespec="microseconds"),
        "changes": changes,
        "ambiguous": sorted(ambiguous),
    }
    try:
        make_folder(path.parent)
        write_json(path, content)
    except OSError as error:
        raise DatasetError(
            "{path} can't be written: {reason}.",
            path=path,
            reason=error.strerror or error,
        ) from error
    return _open(dataset, path)


def list_versions(dataset: Dataset) -> list[DatasetVersion]:
    """Returns a dataset's versions, oldest first; damaged ones are left out."""
    versions = []
    for path in list_folder(dataset.path / FOLDER, "[!.]*.json"):
        try:
            versions.append(_open(dataset, path))
        except DatasetError:
            continue
    return sorted(versions, key=lambda version: (version.made_at, version.version))


def base_name(name: str) -> str:
    """Returns the dataset's name of `NAME` or `NAME@VERSION`."""
    return name.partition(SIGN)[0]


def open_any(name: str, *, data_dir: Path) -> Dataset:
    """Opens an installed dataset `NAME`, or its version `NAME@VERSION`.

    Raises:
        DatasetError: If there is none of that name, or it is damaged.
    """
    of, sign, version = name.partition(SIGN)
    dataset = open_dataset(of, data_dir=data_dir)
    if not sign:
        return dataset
    check_name(version)
    path = dataset.path / FOLDER / f"{version}.json"
    if not path.exists():
        known = ", ".join(one.name for one in list_versions(dataset)) or "none"
        raise DatasetError(
            "Dataset {dataset!r} has no version {version!r}. There are: {known}.",
            dataset=dataset.name,
            version=version,
            known=known,
        )
    return _open(dataset, path)


def list_all(data_dir: Path) -> list[Dataset]:
    """Returns the installed datasets by name, each with its versions after it."""
    return [
        one
        for dataset in list_datasets(data_dir)
        for one in (dataset, *list_versions(dataset))
    ]


def differences(before: Dataset, after: Dataset) -> list[Change]:
    """Lists the sketches that two versions of one dataset hold differently."""

    def held(dataset: Dataset, record: SketchRecord) -> str | None:
        return None if record.split == "out" else dataset.class_names[record.label]

    pairs = zip(before.records, after.records, strict=True)
    return [
        Change(one.id, held(before, one), held(after, other))
        for one, other in pairs
        if held(before, one) != held(after, other)
    ]


def count_classes(dataset: Dataset) -> Counter[str]:
    """Counts the training sketches of each class, by its name."""
    names = dataset.class_names
    return Counter(names[r.label] for r in dataset.records if r.split == "train")


def version_before(version: DatasetVersion) -> Dataset:
    """Returns the version before one: the dataset itself before the first."""
    for other in list_versions(version.base):
        if other.version == version.previous:
            return other
    return version.base


def _open(dataset: Dataset, path: Path) -> DatasetVersion:
    """Opens a version of a dataset by its file."""
    try:
        fields = json.loads(read_regular(path))
        if fields["format_version"] != FORMAT_VERSION:
            raise ValueError(f"it has format {fields['format_version']}")
        if fields["dataset_fingerprint"] != dataset.fingerprint:
            raise ValueError("it is of another dataset")
        changes = {
            str(sketch_id): None if name is None else str(name)
            for sketch_id, name in fields["changes"].items()
        }
        if not set(changes.values()) <= {None, *dataset.class_names}:
            raise ValueError("it names a class that the dataset doesn't have")
        inherited = {
            field.name: getattr(dataset, field.name)
            for field in dataclasses.fields(Dataset)
        }
        # The fingerprint of the split stays: the test part is the same.
        inherited |= {
            "name": f"{dataset.name}{SIGN}{path.stem}",
            "fingerprint": str(fields["fingerprint"]),
            "num_train": int(fields["num_train"]),
        }
        return DatasetVersion(
            **inherited,
            base=dataset,
            version=path.stem,
            previous=fields["previous"],
            made_at=str(fields["made_at"]),
            changes=changes,
            ambiguous=frozenset(map(str, fields["ambiguous"])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            "Version {version!r} of dataset {dataset!r} can't be read ({path}: "
            "{reason}). Make another.",
            version=path.stem,
            dataset=dataset.name,
            path=path,
            reason=error,
        ) from error
