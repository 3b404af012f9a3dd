"""The official TU-Berlin archive: 250 classes of 80 drawings, 1111×1111."""

import re
from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from core.datasets import eitz
from core.datasets.archives import Archive
from core.datasets.download import download
from core.datasets.eitz import ATTRIBUTION
from core.datasets.folders import picture_names
from core.datasets.places import open_places
from core.datasets.splits import TEST_FRACTION, stratified_split
from core.datasets.store import (
    ID_NAMESPACE,
    Progress,
    SketchRecord,
    SketchSource,
)
from core.errors import DatasetError
from core.files import sha256
from core.sketches.images import read_sketch

URL = "https://cybertron.cg.tu-berlin.de/eitz/projects/classifysketch/sketches_png.zip"
SKETCH_SIZE = (1111, 1111)


def download_tu_berlin(
    downloads_dir: Path, *, url: str = URL, progress: Progress | None = None
) -> Path:
    """Downloads the archive, or goes on with an earlier try; see `download`."""
    return download(url, downloads_dir / "sketches_png.zip", progress=progress)


def is_tu_berlin(archive: Archive) -> bool:
    """Returns whether an archive is a complete copy of the official one."""
    try:
        _check_structure(archive)
    except DatasetError:
        return False
    return True


def find_tu_berlin(path: Path) -> SketchSource:
    """Lists the drawings of the official archive or its unpacked folder.

    Class names are written as in the course's form (`bear (animal)` becomes
    `bear_animal`). A fifth of each class, chosen at random, is test; `add_dataset`
    replaces that by the split of the networks that ship.

    Args:
        path: `sketches_png.zip` or a folder.

    Raises:
        DatasetError: If it is not 250 classes of 80 drawings with ids 1 to 20000,
            each 1111×1111.
    """
    archive = open_places([path])
    files = _check_structure(archive)
    ids = sorted(files, key=int)
    class_of = [course_name(PurePosixPath(files[i]).parent.name) for i in ids]
    class_names = tuple(sorted(set(class_of)))
    labels = np.array([class_names.index(name) for name in class_of])
    _, rows = stratified_split(labels, fraction=TEST_FRACTION, seed=0)
    test_ids = frozenset(ids[row] for row in rows)

    def read(record: SketchRecord) -> NDArray[np.uint8]:
        return read_sketch(
            archive.read(record.path), name=record.path, size=SKETCH_SIZE
        )

    return SketchSource(
        kind="tu-berlin",
        origin=str(path.resolve()),
        class_names=class_names,
        records=[
            SketchRecord(
                id=sketch_id,
                label=int(label),
                split="test" if sketch_id in test_ids else "train",
                path=files[sketch_id],
            )
            for sketch_id, label in zip(ids, labels, strict=True)
        ],
        read=read,
        attribution=ATTRIBUTION,
        id_namespace=ID_NAMESPACE,
        sha256=sha256(path) if path.is_file() else "",
    )


def course_name(official_name: str) -> str:
    """Returns a class's name as the course writes it, without spaces or brackets."""
    return re.sub(r"[\s()]+", "_", official_name).strip("_")


def _check_structure(archive: Archive) -> dict[str, str]:
    """Returns the file of each id, or raises `DatasetError`."""
    files: dict[str, str] = {}
    for name in picture_names(archive):
        sketch_id = PurePosixPath(name).stem
        if not (sketch_id.isascii() and sketch_id.isdecimal()):
            raise DatasetError(
                "{origin}: {name} has no number for a name.",
                origin=archive.origin,
                name=name,
            )
        if sketch_id in files:
            raise DatasetError(
                "{origin}: {other} and {name} have the same id.",
                origin=archive.origin,
                other=files[sketch_id],
                name=name,
            )
        files[sketch_id] = name
    per_class = Counter(PurePosixPath(name).parent.name for name in files.values())
    expected = eitz.expected_ids()
    if len(per_class) != eitz.NUM_CLASSES or set(per_class.values()) != {
        eitz.SKETCHES_PER_CLASS
    }:
        raise DatasetError(
            "{origin} has {count} drawings in {found} classes; the TU-Berlin archive "
            "has {classes} classes of {per_class}.",
            origin=archive.origin,
            count=len(files),
            found=len(per_class),
            classes=eitz.NUM_CLASSES,
            per_class=eitz.SKETCHES_PER_CLASS,
        )
    if files.keys() != expected:
        odd = min(files.keys() ^ expected, key=int)
        raise DatasetError(
            "{origin}: ids must be 1 to {count}, each once; {odd} is wrong or missing.",
            origin=archive.origin,
            count=len(expected),
            odd=odd,
        )
    return files
