"""Finds copies of pictures: the very same, under two labels, or nearly the same."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.datasets.account import COPIES, NEAR_COPIES, TWO_LABELS, Account, Entry
from core.datasets.names import show_name
from core.datasets.store import SketchRecord
from core.errors import Sentence
from core.sketches.images import IMAGE_SIZE, PAPER

HASH_SIZE = 16
"""Side of the small picture by which near-copies are found."""

MIN_ALIKE = 0.985
"""Correlation of two small pictures from which they may be one picture, stored anew.

Of 200 sketches of TU-Berlin as JPEGs of quality 30, at 100 pixels and at 70 % of their
ink, the least has 0.991; of its 4,000 test sketches, all drawn anew, 5 have 0.98."""

CHUNK = 256
MAX_NEAR = 10_000
"""Of near-copies that are listed."""


def thumbnail(sketch: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns the ink of a sketch in few large squares, shape `(256,)`."""
    small = Image.fromarray(sketch).reduce(IMAGE_SIZE // HASH_SIZE)
    ink = PAPER - np.asarray(small, dtype=np.float32).ravel()
    ink -= ink.mean()
    norm = float(np.linalg.norm(ink))
    return np.asarray(ink / norm if norm else ink, dtype=np.float32)


def tell_copies(
    account: Account,
    records: Sequence[SketchRecord],
    pictures: NDArray[np.uint64],
    thumbnails: NDArray[np.float32],
    class_names: Sequence[str],
    *,
    is_given: bool,
) -> Account:
    """Adds to an account what copies a dataset has.

    Args:
        account: What is told so far.
        records: The sketches, with the split that they are imported with.
        pictures: Digests of their pixels, shape `(n,)`.
        thumbnails: Of each, shape `(n, 256)`; see `thumbnail`.
        class_names: The class of each label.
        is_given: Whether the split came with the data.
    """
    groups: dict[int, list[SketchRecord]] = {}
    for picture, record in zip(pictures.tolist(), records, strict=True):
        groups.setdefault(picture, []).append(record)
    copied = [group for group in groups.values() if len(group) > 1]
    torn = [group for group in copied if len({r.split for r in group}) > 1]
    double = [group for group in copied if len({r.label for r in group}) > 1]
    notes, listed = [], []
    if copied:
        extra = sum(map(len, copied)) - len(copied)
        notes.append(
            Sentence(
                "Pictures that are there more than once: {count:,}, with {extra:,} "
                "copies.",
                count=len(copied),
                extra=extra,
            )
        )
    if torn:
        one = torn[0][0]
        other = next(r for r in torn[0] if r.split != one.split)
        where = {
            "count": len(torn),
            "path": show_name(one.path),
            "other": show_name(other.path),
        }
        notes.append(
            Sentence(
                "The given split has the same pictures in training and in test: "
                "{count:,}, such as {path} and {other}. They are no test; "
                "--keep-copies-together takes them for training.",
                **where,
            )
            if is_given
            else Sentence(
                "The same pictures are in training and in test: {count:,}, such as "
                "{path} and {other}.",
                **where,
            )
        )
    elif copied:
        notes.append(Sentence("All copies of a picture are in one part."))
    if double:
        notes.append(
            Sentence(
                "Pictures under two labels: {count:,}, such as {path} ({first}) and "
                "{other} ({second}).",
                count=len(double),
                path=show_name(double[0][0].path),
                first=class_names[double[0][0].label],
                other=show_name((odd := _other_label(double[0])).path),
                second=class_names[odd.label],
            )
        )
    for group in copied:
        is_double = len({r.label for r in group}) > 1
        for record in group[1:]:
            detail = f"{show_name(group[0].path)}"
            listed.append(
                Entry(record.path, TWO_LABELS if is_double else COPIES, detail)
            )
    near = near_copies(records, pictures, thumbnails)
    if near:
        test, train = near[0]
        notes.append(
            Sentence(
                "Test sketches that are nearly the same as one to train on: "
                "{count:,}, such as {path} and {other}.",
                count=len(near),
                path=show_name(records[test].path),
                other=show_name(records[train].path),
            )
        )
        listed += [
            Entry(records[a].path, NEAR_COPIES, show_name(records[b].path))
            for a, b in near[:MAX_NEAR]
        ]
    return account.plus(notes=notes, listed=listed)


def _other_label(group: Sequence[SketchRecord]) -> SketchRecord:
    return next(r for r in group if r.label != group[0].label)


def near_copies(
    records: Sequence[SketchRecord],
    pictures: NDArray[np.uint64],
    thumbnails: NDArray[np.float32],
) -> list[tuple[int, int]]:
    """Pairs each test sketch with a training sketch that is nearly the same.

    The same picture, stored anew (smaller, as JPEG, a little lighter), is; what is the
    very same, pixel by pixel, is not told again.

    Returns:
        Rows of test and of training sketches.
    """
    is_test = np.array([record.split == "test" for record in records], dtype=bool)
    test, train = np.flatnonzero(is_test), np.flatnonzero(~is_test)
    if not len(test) or not len(train):
        return []
    candidates = thumbnails[train].T
    pairs = []
    for start in range(0, len(test), CHUNK):
        rows = test[start : start + CHUNK]
        alike = thumbnails[rows] @ candidates
        best = alike.argmax(axis=1)
        highest = alike[np.arange(len(rows)), best]
        for row, other, value in zip(rows, train[best], highest, strict=True):
            if value >= MIN_ALIKE and pictures[row] != pictures[other]:
                pairs.append((int(row), int(other)))
    return pairs
