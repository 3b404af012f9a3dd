"""Installs a dataset: checks its sketches, packs them and writes their index."""

import csv
import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.datasets.account import FOUND, UNREADABLE, Entry, write_account
from core.datasets.copies import HASH_SIZE, tell_copies, thumbnail
from core.datasets.names import format_name, show_name
from core.datasets.splits import (
    TEST_FRACTION,
    mend_split,
    stratified_split,
    units,
)
from core.datasets.store import (
    FORMAT_VERSION,
    ID_NAMESPACE,
    PARTIAL_PREFIX,
    Dataset,
    Progress,
    SketchRecord,
    SketchSource,
    check_new_name,
    datasets_dir,
    fingerprints,
    open_dataset,
)
from core.errors import DatasetError, ImageError, Sentence, SketchScopeError
from core.files import make_folder, new_folder
from core.sketches.images import IMAGE_SIZE

NAMED_CLASSES = 10

BATCH = 64
"""Sketches that a thread reads in one go; one by one, threads wait for each other."""


def install(
    source: SketchSource,
    name: str,
    *,
    data_dir: Path,
    progress: Progress | None = None,
) -> Dataset:
    """Packs a source and makes it an installed dataset, all or nothing.

    The work is done in a folder of its own that is renamed at the end, so that a
    killed import leaves nothing that looks installed.

    Args:
        source: What a loader found.
        name: The dataset's name, unused so far.
        data_dir: The folder that everything is written to.
        progress: Called now and then from this thread.

    Raises:
        DatasetError: If the name is taken or the source is inconsistent.
        ImageError: If a sketch can't be read.
    """
    check_new_name(name, data_dir=data_dir)
    _check_source(source)
    root = datasets_dir(data_dir)
    try:
        make_folder(root)
        with new_folder(root / name, prefix=PARTIAL_PREFIX) as partial:
            was = len(source.records)
            source, keys, thumbnails = _pack(
                source, partial / "images.npy", progress=progress
            )
            source = _finish(source, keys, thumbnails, was=was)
            np.save(partial / "keys.npy", keys)
            _write_index(partial / "index.csv", source.records)
            _write_summary(partial / "dataset.json", source, name=name, keys=keys)
            write_account(source.account, partial)
    except OSError as error:
        # Another import may have taken the name meanwhile.
        check_new_name(name, data_dir=data_dir)
        raise DatasetError(
            "Dataset {name!r} can't be written under {root}: {reason}.",
            name=name,
            root=root,
            reason=error,
        ) from error
    try:
        return open_dataset(name, data_dir=data_dir)
    except DatasetError as error:
        if not (root / name).exists():
            raise DatasetError(
                "Dataset {name!r} was removed meanwhile.", name=name
            ) from error
        raise


def digest(content: bytes) -> int:
    """Returns the 64-bit digest of a sketch's pixels, or of its id."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _check_source(source: SketchSource) -> None:
    """Raises `DatasetError` for what would make a dataset of no use."""
    if len(source.class_names) < 2 and not source.train_only:
        raise DatasetError(
            "{origin} has {count} class; a classifier needs at least 2.",
            origin=source.origin,
            count=len(source.class_names),
        )
    for split in ("train", "test"):
        wanted = split == "train" or not source.train_only
        has_it = any(record.split == split for record in source.records)
        if wanted and not has_it and source.mending == "balance":
            raise DatasetError(
                "{origin} has no class of two sketches, one to train on and one to "
                "test on. Add some.",
                origin=source.origin,
            )
        if has_it != wanted:
            has = "no" if wanted else "also"
            raise DatasetError(
                "{origin} has {has} {split} sketches.",
                origin=source.origin,
                has=has,
                split=split,
            )
    seen: dict[str, SketchRecord] = {}
    for record in source.records:
        if not 0 <= record.label < len(source.class_names):
            raise DatasetError(
                "{path} has label {label}; labels go from 0 to {last}.",
                path=record.path,
                label=record.label,
                last=len(source.class_names) - 1,
            )
        first = seen.setdefault(record.id, record)
        if first is not record:
            raise DatasetError(
                "{path} and {other} have the same id {id}.",
                path=first.path,
                other=record.path,
                id=record.id,
            )


def _split_anew(source: SketchSource, *, was: int) -> SketchSource:
    """Splits what could be read as if there had been nothing else."""
    if source.mending != "balance" or len(source.records) in (1, was):
        return source
    labels = np.array([record.label for record in source.records])
    _, rows = stratified_split(labels, fraction=TEST_FRACTION, seed=0)
    test = set(rows.tolist())
    records = [
        replace(record, split="test" if row in test else "train")
        for row, record in enumerate(source.records)
    ]
    return replace(source, records=records)


def _finish(
    source: SketchSource,
    keys: NDArray[np.uint64],
    thumbnails: NDArray[np.float32],
    *,
    was: int,
) -> SketchSource:
    """Mends the split of what was read, and tells what there is to tell."""
    source = _split_anew(_without_empty_classes(source), was=was)
    _check_source(source)
    records = list(source.records)
    labels = np.array([record.label for record in records])
    groups = [record.group for record in records]
    is_test = np.array([record.split == "test" for record in records])
    if source.mending:
        unit = units(keys[:, 1], groups)
        fraction = float(is_test.mean()) if source.mending == "balance" else None
        is_test = mend_split(labels, is_test, unit, fraction=fraction)
        records = [
            replace(record, split="test" if tested else "train")
            for record, tested in zip(records, is_test, strict=True)
        ]
        source = replace(source, records=records)
        _check_source(source)
    account = tell_copies(
        source.account,
        records,
        keys[:, 1],
        thumbnails,
        source.class_names,
        is_given=source.mending != "balance",
    )
    untested = sorted(set(labels.tolist()) - set(labels[is_test].tolist()))
    if untested and not source.train_only:
        names = [source.class_names[label] for label in untested]
        note = Sentence(
            "Classes without test sketches: {count:,}: {names}.",
            count=len(names),
            names=enumerate_names(names),
        )
        account = account.plus(notes=[note])
    return replace(source, account=account)


def _without_empty_classes(source: SketchSource) -> SketchSource:
    """Takes away the classes of which no sketch could be read, and says so."""
    held = {record.label for record in source.records}
    lost = [n for label, n in enumerate(source.class_names) if label not in held]
    if not lost or not source.may_skip:
        return source
    place = {label: number for number, label in enumerate(sorted(held))}
    note = Sentence(
        "Classes left out, since none of their sketches can be read: {count:,}: "
        "{names}.",
        count=len(lost),
        names=enumerate_names(lost),
    )
    return replace(
        source,
        class_names=tuple(source.class_names[label] for label in sorted(held)),
        records=[replace(r, label=place[r.label]) for r in source.records],
        account=source.account.plus(notes=[note]),
    )


def enumerate_names(names: Sequence[str]) -> str:
    """Returns the first few of some names, and how many more there are."""
    more = f", … ({len(names):,})" if len(names) > NAMED_CLASSES else ""
    return ", ".join(map(repr, names[:NAMED_CLASSES])) + more


def _pack(
    source: SketchSource, path: Path, *, progress: Progress | None
) -> tuple[SketchSource, NDArray[np.uint64], NDArray[np.float32]]:
    """Reads every sketch in parallel into one array file.

    Returns:
        The source with the sketches that could be read, their keys, and their
        thumbnails of shape `(n, 256)`.

    Raises:
        SketchScopeError: If some can't be read that must be, naming them all.
    """
    total = len(source.records)
    keys = np.empty((total, 2), dtype=np.uint64)
    thumbnails = np.empty((total, HASH_SIZE**2), dtype=np.float32)
    kept: list[SketchRecord] = []
    failed: list[tuple[SketchRecord, SketchScopeError]] = []

    def read(record: SketchRecord) -> NDArray[np.uint8] | SketchScopeError:
        try:
            return source.read(record)
        except SketchScopeError as error:
            return error

    def read_all(
        records: Sequence[SketchRecord],
    ) -> list[NDArray[np.uint8] | SketchScopeError]:
        return [read(record) for record in records]

    batches = [source.records[n : n + BATCH] for n in range(0, total, BATCH)]
    # Threads suffice: Pillow lets go of the interpreter while it decodes.
    pool = ThreadPoolExecutor(max_workers=os.cpu_count())
    try:
        # Written as a stream: through a memory map, a full disk kills the process.
        with path.open("wb") as stream:
            _write_header(stream, total)
            sketches = chain.from_iterable(pool.map(read_all, batches))
            for row, (record, sketch) in enumerate(
                zip(source.records, sketches, strict=True)
            ):
                if isinstance(sketch, SketchScopeError):
                    failed.append((record, sketch))
                else:
                    content = sketch.tobytes()
                    stream.write(content)
                    keys[len(kept)] = _sketch_keys(content, record, source)
                    thumbnails[len(kept)] = thumbnail(sketch)
                    kept.append(record)
                if progress and (row % 100 == 99 or row == total - 1):
                    progress(row + 1, total)
            if failed:
                # As long as the first: NumPy leaves room for the largest number.
                stream.seek(0)
                _write_header(stream, len(kept))
    finally:
        pool.shutdown(cancel_futures=True)
    if failed and (not source.may_skip or not kept):
        raise _unreadable(source, failed)
    unread = [Entry(record.path, UNREADABLE, str(why)) for record, why in failed]
    found = [Entry(path, FOUND) for path in sorted(source.found)]
    said = Sentence(
        "In {count:,} of them the drawing was found as on the page Draw: they are "
        "photographs or scans, or the drawing is small, faint, framed or of thick "
        "lines.",
        count=len(found),
    )
    account = source.account.plus(
        passed_over=unread, listed=found, notes=[said] if found else []
    )
    lost = Counter(format_name(record.path) for record, _ in failed)
    account = replace(account, read=Counter(account.read) - lost)
    source = replace(source, records=kept, account=account)
    return source, keys[: len(kept)], thumbnails[: len(kept)]


def _write_header(stream: BinaryIO, count: int) -> None:
    """Writes the beginning of an array file of so many sketches."""
    shape = (count, IMAGE_SIZE, IMAGE_SIZE)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)


def _unreadable(
    source: SketchSource, failed: Sequence[tuple[SketchRecord, SketchScopeError]]
) -> SketchScopeError:
    """Returns one error that names what can't be read."""
    if len(failed) == 1:
        return failed[0][1]
    return ImageError(
        "{path}: {count:,} pictures can't be read, {names}. The first: {reason}",
        path=source.origin,
        count=len(failed),
        names=enumerate_names([show_name(record.path) for record, _ in failed]),
        reason=failed[0][1],
    )


def _sketch_keys(
    content: bytes, record: SketchRecord, source: SketchSource
) -> tuple[int, int]:
    """Returns a sketch's two keys; see `Dataset.keys`."""
    by_pixels = digest(content)
    if record.id in source.known_ids:
        known = f"{ID_NAMESPACE}:{source.known_ids[record.id]}"
        return digest(known.encode()), by_pixels
    if source.id_namespace is None:
        return by_pixels, by_pixels
    return digest(f"{source.id_namespace}:{record.id}".encode()), by_pixels


def _write_index(path: Path, records: Sequence[SketchRecord]) -> None:
    has_groups = any(record.group for record in records)
    columns = ["id", "label", "split", "path", *(["group"] if has_groups else [])]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for r in records:
            row = [r.id, r.label, r.split, show_name(r.path), show_name(r.group)]
            writer.writerow(row[: len(columns)])


def _write_summary(
    path: Path, source: SketchSource, *, name: str, keys: NDArray[np.uint64]
) -> None:
    is_test = np.array([record.split == "test" for record in source.records])
    fingerprint, split_fingerprint = fingerprints(
        source.class_names, source.records, keys
    )
    summary = {
        "format_version": FORMAT_VERSION,
        "name": name,
        "kind": source.kind,
        "origin": show_name(source.origin),
        "sha256": source.sha256,
        "attribution": source.attribution,
        "class_names": source.class_names,
        "num_train": int((~is_test).sum()),
        "num_test": int(is_test.sum()),
        "fingerprint": fingerprint,
        "split_fingerprint": split_fingerprint,
    }
    path.write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")
