"""Splits sketches into parts by class, repeatably, and tells which were seen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets.names import match_key
from core.datasets.store import Dataset, SketchRecord, SketchSource
from core.errors import Sentence

BLOCK = 80
"""Sketches of each class of TU-Berlin, whose ids follow one another."""

MOST = 0.9
"""Share of a class's sketches whose numbers must be its."""

TEST_FRACTION = 0.2
"""Of a dataset whose split is the program's own."""


@dataclass(frozen=True)
class GivenSplit:
    """Which labels and test sketches a dataset is to have.

    Attributes:
        class_names: The class of each label.
        test_ids: The ids of the test sketches; all others are train.
        class_of_block: The class of each 80 consecutive ids of TU-Berlin, if known.
        attribution: Author, source and licence of the sketches.
    """

    class_names: tuple[str, ...]
    test_ids: frozenset[str]
    class_of_block: Mapping[int, str] = field(default_factory=dict)
    attribution: str = ""

    def class_of(self, sketch_id: str) -> str | None:
        """Returns the class of a sketch of TU-Berlin by its id."""
        if not (sketch_id.isascii() and sketch_id.isdecimal() and len(sketch_id) < 7):
            return None
        return self.class_of_block.get((int(sketch_id) - 1) // BLOCK)


def apply_split(source: SketchSource, given: GivenSplit) -> SketchSource:
    """Gives the sketches of a source another split of the same classes.

    Raises:
        ValueError: If the classes are others.
    """
    if set(given.class_names) != set(source.class_names):
        raise ValueError("`given` must have the classes of `source`.")
    labels = {name: label for label, name in enumerate(given.class_names)}
    return replace(
        source,
        class_names=given.class_names,
        records=[
            replace(
                record,
                label=labels[source.class_names[record.label]],
                split="test" if record.id in given.test_ids else "train",
            )
            for record in source.records
        ],
    )


def know_again(source: SketchSource, given: GivenSplit) -> SketchSource:
    """Finds TU-Berlin's sketches in another form, and splits them as networks do.

    They are known by their numbers in folders of their class, whatever their size. A
    class counts as TU-Berlin's where most of its sketches have such numbers; where it
    is the only one of several, the numbers are an accident.

    Args:
        source: Class folders, say.
        given: The split of the networks that ship.
    """
    names = {match_key(name): name for name in given.class_names}
    ids: dict[str, str] = {}
    sizes = Counter(record.label for record in source.records)
    matches: dict[int, list[SketchRecord]] = {}
    for record in source.records:
        own = names.get(match_key(source.class_names[record.label]))
        if own and given.class_of(PurePosixPath(record.path).stem) == own:
            matches.setdefault(record.label, []).append(record)
    official = [
        label for label, held in matches.items() if len(held) >= MOST * sizes[label]
    ]
    if len(official) < min(2, len(sizes)):
        return source
    for label in official:
        for record in matches[label]:
            ids[record.id] = PurePosixPath(record.path).stem
    records = [
        replace(record, split="test" if ids[record.id] in given.test_ids else "train")
        if record.id in ids and source.mending == "balance"
        else record
        for record in source.records
    ]
    note = Sentence(
        "{count:,} of the sketches are TU-Berlin's, known by their numbers. Networks "
        "that learned from them are not scored on them.",
        count=len(ids),
    )
    is_all = len(ids) == len(records)
    return replace(
        source,
        records=records,
        known_ids=ids,
        attribution=source.attribution or (given.attribution if is_all else ""),
        account=source.account.plus(notes=[note]),
        # Theirs is the split; it has no copies.
        mending=None if is_all and source.mending == "balance" else source.mending,
    )


def split_size(n: int, *, fraction: float) -> int:
    """Returns how many of `n` rows make the second part.

    Both have at least one; only a fraction of 0 leaves the second empty.
    """
    if not fraction:
        return 0
    return min(max(round(fraction * n), 1), n - 1)


def stratified_split(
    labels: NDArray[np.integer], *, fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Splits rows in two so that every class gives about the same share.

    Args:
        labels: Class indices of shape `(n,)`, n at least 2, or 1 for a fraction of 0.
        fraction: Share of the second part, from 0 to below 1; it is rounded to a
            whole number of rows, at least 1 and at most n - 1. Only 0 leaves the
            second part empty.
        seed: Of the random choice.

    Returns:
        The rows of the first and of the second part, each ascending.

    Raises:
        ValueError: If there are too few rows or `fraction` is out of range.
    """
    if len(labels) < (2 if fraction else 1) or not 0 <= fraction < 1:
        raise ValueError(
            "A split needs at least 2 rows and a fraction from 0 to below 1. "
            f"Received: {len(labels)} rows, fraction={fraction}"
        )
    if not fraction:
        return np.arange(len(labels)), np.arange(0)
    generator = np.random.default_rng([seed, len(labels)])
    # Each row's place within its class, from 0 to 1, offset at random by class so
    # that small classes are not all rounded the same way.
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        place[generator.permutation(rows)] = (
            np.arange(len(rows)) + generator.random()
        ) / len(rows)
    count = split_size(len(labels), fraction=fraction)
    order = np.argsort(place, kind="stable")
    return np.sort(order[count:]), np.sort(order[:count])


def units(pictures: NDArray[np.uint64], groups: Sequence[str]) -> NDArray[np.int64]:
    """Tells which sketches must stay in one part.

    Args:
        pictures: What two sketches have in common if they are the same picture, shape
            `(n,)`.
        groups: What else they may have in common, n of them; "" is nothing.

    Returns:
        The unit of each sketch, shape `(n,)`: copies, and sketches of one group, are
        of one, and so are theirs.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(pictures)
    _, picture = np.unique(pictures, return_inverse=True)
    names = {name: number for number, name in enumerate(sorted(set(groups) - {""}))}
    grouped = [row for row in range(n) if groups[row]]
    # Sketches, then pictures, then groups are the nodes.
    first = n + int(picture.max(initial=-1)) + 1
    group = [first + names[groups[row]] for row in grouped]
    start = np.concatenate([np.arange(n), np.array(grouped, dtype=np.int64)])
    end = np.concatenate([n + picture, np.array(group, dtype=np.int64)])
    size = int(end.max(initial=0)) + 1
    graph = coo_matrix((np.ones(len(start), bool), (start, end)), shape=(size, size))
    _, unit = connected_components(graph, directed=False)
    return np.asarray(unit[:n], dtype=np.int64)


def mend_split(
    labels: NDArray[np.integer],
    is_test: NDArray[np.bool_],
    unit: NDArray[np.int64],
    *,
    fraction: float | None,
    seed: int = 0,
) -> NDArray[np.bool_]:
    """Changes a split as little as it takes for each unit to be in one part.

    Then each class that has a sketch in the test part gets one in the other.

    Args:
        labels: Class indices of shape `(n,)`.
        is_test: Whether a sketch is in the test part, shape `(n,)`.
        unit: What must stay together; see `units`.
        fraction: Share of the test part by which torn units are given to where their
            classes lack sketches; None gives them to the other part.
        seed: Of the order in which they are given.

    Returns:
        Whether a sketch is in the test part then, shape `(n,)`.
    """
    is_test = is_test.copy()
    size = int(unit.max(initial=-1)) + 1
    in_unit = np.bincount(unit, minlength=size)
    tested = np.bincount(unit[is_test], minlength=size)
    torn = np.flatnonzero((tested > 0) & (tested < in_unit))
    is_torn = np.isin(unit, torn)
    is_test[is_torn] = False
    rows_of = dict(zip(torn.tolist(), _rows_by(unit, torn), strict=True))
    if fraction is not None and len(torn):
        classes = int(labels.max()) + 1
        wanted = fraction * np.bincount(labels, minlength=classes)
        have = np.bincount(labels[is_test], minlength=classes).astype(float)
        for one in np.random.default_rng([seed, size]).permutation(torn).tolist():
            own = np.bincount(labels[rows_of[one]], minlength=classes)
            if (own * (2 * (have - wanted) + own)).sum() < 0:
                is_test[rows_of[one]] = True
                have += own
        if not is_test.any() and size > 1:
            # Units too large to be a fifth: the smallest is the test part.
            is_test[unit == np.argmin(in_unit)] = True
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if is_test[rows].all():
            is_test[unit == unit[rows[0]]] = False
    return is_test


def _rows_by(
    unit: NDArray[np.int64], wanted: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Returns the rows of each of some units."""
    order = np.argsort(unit, kind="stable")
    first = np.searchsorted(unit[order], wanted)
    last = np.searchsorted(unit[order], wanted, side="right")
    return [np.sort(order[a:b]) for a, b in zip(first, last, strict=True)]


def seen_keys(dataset: Dataset) -> Any:
    """Returns the keys of all sketches that a training on a dataset may learn from.

    Validation counts as seen, since settings are chosen by it.

    Returns:
        Sorted unique `uint64` keys of shape `(m,)`; see `Dataset.keys`.
    """
    return np.unique(dataset.keys[dataset.indices("train")])
