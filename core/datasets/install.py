"""Installs a dataset: checks its sketches, packs them and writes their index."""

import csv
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.datasets.store import (
    FORMAT_VERSION,
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
from core.errors import DatasetError
from core.files import is_abandoned, list_folder
from core.sketches.images import IMAGE_SIZE


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
        root.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(root)
        partial = Path(
            tempfile.mkdtemp(prefix=f"{PARTIAL_PREFIX}{os.getpid()}-", dir=root)
        )
        try:
            keys = _pack(source, partial / "images.npy", progress=progress)
            _check_no_leak(keys, source.records)
            np.save(partial / "keys.npy", keys)
            _write_index(partial / "index.csv", source.records)
            _write_summary(partial / "dataset.json", source, name=name, keys=keys)
            partial.chmod(0o755)
            try:
                # Fails if another import has taken the name meanwhile.
                partial.rename(root / name)
            except OSError:
                check_new_name(name, data_dir=data_dir)
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise DatasetError(
            f"Dataset {name!r} can't be written under {root}: {error}."
        ) from error
    try:
        return open_dataset(name, data_dir=data_dir)
    except DatasetError as error:
        if not (root / name).exists():
            raise DatasetError(f"Dataset {name!r} was removed meanwhile.") from error
        raise


def _digest(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _check_source(source: SketchSource) -> None:
    """Raises `DatasetError` for what would make a dataset of no use."""
    if len(source.class_names) < 2 and not source.train_only:
        raise DatasetError(
            f"{source.origin} has {len(source.class_names)} class; a classifier "
            "needs at least 2."
        )
    for split in ("train", "test"):
        wanted = split == "train" or not source.train_only
        if any(record.split == split for record in source.records) != wanted:
            has = "no" if wanted else "also"
            raise DatasetError(f"{source.origin} has {has} {split} sketches.")
    seen: dict[str, SketchRecord] = {}
    for record in source.records:
        if not 0 <= record.label < len(source.class_names):
            raise DatasetError(
                f"{record.path} has label {record.label}; labels go from 0 to "
                f"{len(source.class_names) - 1}."
            )
        first = seen.setdefault(record.id, record)
        if first is not record:
            raise DatasetError(
                f"{first.path} and {record.path} have the same id {record.id}."
            )


def _check_no_leak(keys: NDArray[np.uint64], records: Sequence[SketchRecord]) -> None:
    """Raises `DatasetError` if the same picture is in train and in test."""
    first_with: dict[int, SketchRecord] = {}
    for key, record in zip(keys[:, 1].tolist(), records, strict=True):
        first = first_with.setdefault(key, record)
        if first.split != record.split:
            raise DatasetError(
                f"{first.path} and {record.path} are the same picture, one in "
                f"{first.split} and one in {record.split}. Remove one of them."
            )


def _pack(
    source: SketchSource, path: Path, *, progress: Progress | None
) -> NDArray[np.uint64]:
    """Reads every sketch in parallel into one array file; returns their keys."""
    total = len(source.records)
    keys = np.empty((total, 2), dtype=np.uint64)
    # Threads suffice: Pillow lets go of the interpreter while it decodes.
    pool = ThreadPoolExecutor(max_workers=os.cpu_count())
    try:
        # Written as a stream: through a memory map, a full disk kills the process.
        with path.open("wb") as stream:
            np.lib.format.write_array_header_1_0(
                stream,
                {
                    "descr": "|u1",
                    "fortran_order": False,
                    "shape": (total, IMAGE_SIZE, IMAGE_SIZE),
                },
            )
            sketches = pool.map(source.read, source.records)
            for row, (record, sketch) in enumerate(
                zip(source.records, sketches, strict=True)
            ):
                content = sketch.tobytes()
                stream.write(content)
                keys[row] = _sketch_keys(content, record, source.id_namespace)
                if progress and (row % 100 == 99 or row == total - 1):
                    progress(row + 1, total)
    finally:
        pool.shutdown(cancel_futures=True)
    return keys


def _sketch_keys(
    content: bytes, record: SketchRecord, id_namespace: str | None
) -> tuple[int, int]:
    """Returns a sketch's two keys; see `Dataset.keys`."""
    by_pixels = _digest(content)
    if id_namespace is None:
        return by_pixels, by_pixels
    return _digest(f"{id_namespace}:{record.id}".encode()), by_pixels


def _write_index(path: Path, records: Sequence[SketchRecord]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "label", "split", "path"])
        writer.writerows([r.id, r.label, r.split, r.path] for r in records)


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
        "origin": source.origin,
        "sha256": source.sha256,
        "attribution": source.attribution,
        "class_names": source.class_names,
        "num_train": int((~is_test).sum()),
        "num_test": int(is_test.sum()),
        "fingerprint": fingerprint,
        "split_fingerprint": split_fingerprint,
    }
    path.write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")


def _remove_abandoned(root: Path) -> None:
    """Deletes what killed imports left behind."""
    for path in list_folder(root, f"{PARTIAL_PREFIX}*"):
        if is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)
