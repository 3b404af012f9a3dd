"""Stroke variants of a dataset's training sketches: made once, read by the row.

They lie in the dataset's folder `variants/`, each compressed by itself, so that any few
of them are read in a millisecond. Test sketches have none.
"""

import dataclasses
import hashlib
import json
import multiprocessing
import os
import shutil
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from core.datasets.folds import FoldedDataset
from core.datasets.store import Dataset, Progress
from core.datasets.versions import DatasetVersion
from core.errors import DatasetError
from core.files import (
    load_array,
    new_folder,
    read_regular,
    replacing,
    write_json,
)
from core.sketches.images import IMAGE_SIZE
from core.sketches.variation import NUM_VARIANTS, VERSION, vary_sketch

FORMAT_VERSION = 1
FOLDER = "variants"
PARTS = ".variants-parts"
"""Where finished parts of an unfinished making lie, in the dataset's folder."""

SEED = 0
PART_SIZE = 32
"""Sketches a part; what a killed making loses of each process, about ten seconds."""

WORKERS = 2
NICENESS = 10
POLL_S = 0.25


@dataclass(frozen=True)
class StrokeVariants:
    """The stroke variants of a dataset; arrays are read when they are first asked for.

    Attributes:
        dataset: Whose they are.
        count: Variants of each training sketch.
        fingerprint: Hex digest of all their pixels and of the dataset's fingerprint.
    """

    dataset: Dataset
    count: int
    fingerprint: str

    @property
    def path(self) -> Path:
        """Their folder."""
        return self.dataset.path / FOLDER

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The dataset's training rows, ascending."""
        return self.dataset.indices("train")

    @cached_property
    def _offsets(self) -> NDArray[np.int64]:
        offsets = _load(self.path / "offsets.npy")
        if offsets.shape != (len(self.rows) * self.count + 1,):
            raise DatasetError(_damaged(self.path / "offsets.npy", "another length"))
        return np.asarray(offsets, dtype=np.int64)

    @cached_property
    def _packed(self) -> NDArray[np.uint8]:
        packed = _load(self.path / "packed.npy")
        if packed.shape != (self._offsets[-1],) or packed.dtype != np.uint8:
            raise DatasetError(_damaged(self.path / "packed.npy", "another length"))
        return np.asanyarray(packed, dtype=np.uint8)

    def hold(self) -> None:
        """Opens all its parts, after which the dataset may be removed."""
        _ = self.rows, self._offsets, self._packed

    def has(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Returns which rows of the dataset have variants."""
        return np.isin(rows, self.rows)

    def read(self, row: int, variant: int) -> NDArray[np.uint8]:
        """Returns one variant, gray values of shape `(128, 128)`; 255 is paper.

        Args:
            row: Of the dataset; a training sketch.
            variant: From 0, the mildest, to `count` - 1.

        Raises:
            DatasetError: If it is damaged.
        """
        at = int(np.searchsorted(self.rows, row)) * self.count + variant
        first, last = self._offsets[at : at + 2]
        try:
            content = zlib.decompress(self._packed[first:last].tobytes())
            sketch = np.frombuffer(content, dtype=np.uint8)
            return sketch.reshape(IMAGE_SIZE, IMAGE_SIZE)
        except (zlib.error, ValueError) as error:
            raise DatasetError(_damaged(self.path / "packed.npy", error)) from error


def count_variants(dataset: Dataset) -> int:
    """Returns how many variants each training sketch of a dataset has, 0 for none."""
    try:
        return open_variants(dataset).count
    except DatasetError:
        return 0


def open_variants(dataset: Dataset) -> StrokeVariants:
    """Opens the stroke variants of an installed dataset.

    Raises:
        DatasetError: If it has none, they are of another dataset or an earlier
            generator, damaged, or the dataset is one fold of another, whose training
            sketches don't all have variants.
    """
    if isinstance(dataset, FoldedDataset):
        raise DatasetError(
            "Stroke variants are of a dataset's own training sketches, and a fold of "
            "{dataset!r} has others. Set `stroke_variants` to 0.",
            dataset=dataset.name,
        )
    if isinstance(dataset, DatasetVersion):
        # They are of pictures, which are the same whatever their labels.
        dataset = dataset.base
    path = dataset.path / FOLDER
    try:
        fields = json.loads(read_regular(path / "variants.json"))
        is_ours = fields["made_with"] == _made_with(dataset)
        count, fingerprint = int(fields["count"]), str(fields["fingerprint"])
    except FileNotFoundError as error:
        raise DatasetError(
            "Dataset {dataset!r} has no stroke variants. Make them with `python -m "
            "core dataset variants {dataset}`.",
            dataset=dataset.name,
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(_damaged(path / "variants.json", repr(error))) from error
    if not is_ours:
        raise DatasetError(
            "The stroke variants of dataset {dataset!r} were made by another release. "
            "Make them anew with `python -m core dataset variants {dataset}`.",
            dataset=dataset.name,
        )
    return StrokeVariants(dataset, count=count, fingerprint=fingerprint)


def make_variants(
    dataset: Dataset, *, workers: int = WORKERS, progress: Progress | None = None
) -> StrokeVariants:
    """Makes the stroke variants of an installed dataset, in processes of their own.

    A making that was stopped or killed goes on where it was. It is all or nothing: the
    folder is renamed into place at the end.

    Args:
        dataset: An installed dataset, not a fold of one.
        workers: How many processes, at a low priority.
        progress: Called now and then with the sketches that are done.

    Returns:
        The variants; those that are there already, if they fit.

    Raises:
        DatasetError: If others are at it, the disk is full, or it can't be done.
    """
    dataset.hold()
    try:
        with _alone(dataset):
            # Others may have made them while we waited to be the only one.
            with suppress(DatasetError):
                variants = open_variants(dataset)
                variants.hold()
                return variants
            parts = _begin(dataset)
            _make_parts(dataset, parts, workers=workers, progress=progress)
            _finish(dataset, parts)
    except OSError as error:
        raise DatasetError(
            "The stroke variants of dataset {dataset!r} can't be written to {path}: "
            "{reason}.",
            dataset=dataset.name,
            path=dataset.path,
            reason=error.strerror or error,
        ) from error
    return open_variants(dataset)


@contextmanager
def _alone(dataset: Dataset) -> Iterator[None]:
    """Holds the lock of a dataset's making."""
    lock = FileLock(dataset.path / ".variants.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise DatasetError(
            "The stroke variants of dataset {dataset!r} are being made already.",
            dataset=dataset.name,
        ) from error
    try:
        yield
    finally:
        lock.release()


def _made_with(dataset: Dataset) -> dict[str, Any]:
    """Returns all that decides how a dataset's variants come out."""
    return {
        "format_version": FORMAT_VERSION,
        "generator_version": VERSION,
        "seed": SEED,
        "dataset_fingerprint": dataset.fingerprint,
    }


def _begin(dataset: Dataset) -> Path:
    """Returns the folder of finished parts, emptied if it is of another making."""
    parts = dataset.path / PARTS
    wanted = _made_with(dataset) | {"part_size": PART_SIZE}
    try:
        made_with = json.loads(read_regular(parts / "made_with.json"))
    except (OSError, ValueError):
        made_with = None
    if made_with != wanted:
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir()
        write_json(parts / "made_with.json", wanted)
    return parts


def _make_parts(
    dataset: Dataset, parts: Path, *, workers: int, progress: Progress | None
) -> None:
    """Starts the processes that make what is missing, and waits for them."""
    total = dataset.num_train
    missing = [
        number
        for number in range(-(-total // PART_SIZE))
        if not _part(parts, number).exists()
    ]
    context = multiprocessing.get_context("spawn")
    # A copy is sent, without the arrays that this one has opened.
    sent = dataclasses.replace(dataset)
    started = [
        context.Process(
            target=_work, args=(sent, parts, missing[first::workers]), daemon=True
        )
        for first in range(min(workers, len(missing)))
    ]
    try:
        for process in started:
            process.start()
        while True:
            is_working = any(process.is_alive() for process in started)
            if any(process.exitcode for process in started):
                raise DatasetError(
                    "The stroke variants of dataset {dataset!r} were not made: a "
                    "process ended early. What is done is kept; the same command goes "
                    "on with it.",
                    dataset=dataset.name,
                )
            if progress:
                done = sum(1 for _ in parts.glob("part-*.npz")) * PART_SIZE
                progress(min(done, total), total)
            if not is_working:
                return
            time.sleep(POLL_S)
    finally:
        for process in started:
            if process.is_alive():
                process.terminate()
                process.join()


def _work(dataset: Dataset, parts: Path, numbers: list[int]) -> None:
    """Makes parts, in a process of its own that ends with the one that started it."""
    process = psutil.Process()
    with suppress(psutil.Error):
        if os.name == "nt":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(max(process.nice(), NICENESS))
    parent = multiprocessing.parent_process()
    rows = dataset.indices("train")
    for number in numbers:
        packed, digests = [], []
        for row in rows[number * PART_SIZE : (number + 1) * PART_SIZE]:
            if parent is not None and not parent.is_alive():
                return
            # By the picture: it has the same variants in every dataset.
            seed = (SEED, int(dataset.keys[row, 1]))
            variants = vary_sketch(np.asarray(dataset.images[row]), seed=seed)
            packed += [zlib.compress(variant.tobytes(), 9) for variant in variants]
            digests.append(hashlib.blake2b(variants.tobytes(), digest_size=16).digest())
        with (
            replacing(_part(parts, number)) as temporary,
            temporary.open("wb") as stream,
        ):
            np.savez(
                stream,
                packed=np.frombuffer(b"".join(packed), dtype=np.uint8),
                lengths=np.array([len(row) for row in packed], dtype=np.int64),
                digests=np.frombuffer(b"".join(digests), dtype=np.uint8),
            )


def _finish(dataset: Dataset, parts: Path) -> None:
    """Puts the parts together and the folder in its place."""
    names = [_part(parts, k) for k in range(-(-dataset.num_train // PART_SIZE))]
    made_with = _made_with(dataset)
    digest = hashlib.blake2b(json.dumps(made_with).encode(), digest_size=16)
    lengths = []
    for name in names:
        with _open_part(name) as part:
            lengths.append(part["lengths"])
            digest.update(part["digests"].tobytes())
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    if len(offsets) != dataset.num_train * NUM_VARIANTS + 1:
        shutil.rmtree(parts, ignore_errors=True)
        raise DatasetError(_damaged(parts, "sketches are missing"))
    target = dataset.path / FOLDER
    with new_folder(target, prefix=".partial-") as partial:
        np.save(partial / "offsets.npy", offsets)
        with (partial / "packed.npy").open("wb") as stream:
            np.lib.format.write_array_header_1_0(
                stream,
                {
                    "descr": "|u1",
                    "fortran_order": False,
                    "shape": (int(offsets[-1]),),
                },
            )
            for name in names:
                with _open_part(name) as part:
                    stream.write(part["packed"].tobytes())
            stream.flush()
            os.fsync(stream.fileno())
        write_json(
            partial / "variants.json",
            {
                "made_with": made_with,
                "count": NUM_VARIANTS,
                "fingerprint": digest.hexdigest(),
            },
        )
        # Those of an earlier release, or damaged.
        shutil.rmtree(target, ignore_errors=True)
    shutil.rmtree(parts, ignore_errors=True)


@contextmanager
def _open_part(path: Path) -> Iterator[Any]:
    """Opens a part; a damaged one is deleted, to be made again."""
    try:
        with np.load(path, allow_pickle=False) as part:
            yield part
    except (OSError, ValueError, KeyError, EOFError, zlib.error) as error:
        path.unlink(missing_ok=True)
        raise DatasetError(_damaged(path, error)) from error


def _part(parts: Path, number: int) -> Path:
    return parts / f"part-{number:06d}.npz"


def _load(path: Path) -> NDArray[np.generic]:
    try:
        return load_array(path)
    except (OSError, ValueError) as error:
        raise DatasetError(_damaged(path, error)) from error


def _damaged(path: Path, why: object) -> str:
    name = path.parent.name if path.parent.name != FOLDER else path.parent.parent.name
    return (
        f"{path} is missing or damaged: {why}. Make the stroke variants anew with "
        f"`python -m core dataset variants {name}`."
    )
