"""Any folder (or zip) of class folders: a user's own sketches."""

from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from core.datasets.archives import Archive, open_archive
from core.datasets.splits import stratified_split
from core.datasets.store import SketchRecord, SketchSource
from core.errors import DatasetError
from core.sketches.images import read_sketch

EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp")
TEST_FRACTION = 0.2


def find_folders(path: Path, *, seed: int = 0) -> SketchSource:
    """Lists the pictures of a folder or zip, one class a folder.

    A picture's class is the folder that it lies in. Classes are numbered by name.
    A fifth of each class becomes the test split, at random.

    Args:
        path: A folder or zip. Hidden files and what is no picture are passed over.
        seed: Of the split.

    Raises:
        DatasetError: If there are no pictures, or one lies in no class folder.
    """
    archive = open_archive(path)
    files = picture_names(archive)
    if not files:
        raise DatasetError(
            f"{path} holds no {', '.join(EXTENSIONS)} pictures. It must be a folder of "
            "class folders, or hold mapping.txt, train.txt and test.txt."
        )
    for file in files:
        if len(PurePosixPath(file).parts) < 2:
            raise DatasetError(
                f"{path}: {file} lies in no class folder. Put each picture in a "
                "folder named after what it shows."
            )
    class_of = [PurePosixPath(file).parent.name for file in files]
    class_names = tuple(sorted(set(class_of)))
    label_of = {name: label for label, name in enumerate(class_names)}
    labels = np.array([label_of[name] for name in class_of])
    test = frozenset[int]()
    if len(labels) > 1:
        _, rows = stratified_split(labels, fraction=TEST_FRACTION, seed=seed)
        test = frozenset(rows.tolist())

    def read(record: SketchRecord) -> NDArray[np.uint8]:
        return read_sketch(archive.read(record.path), name=f"{path}: {record.path}")

    return SketchSource(
        kind="folders",
        origin=str(path.resolve()),
        class_names=class_names,
        records=[
            SketchRecord(
                id=file,
                label=int(label),
                split="test" if row in test else "train",
                path=file,
            )
            for row, (file, label) in enumerate(zip(files, labels, strict=True))
        ],
        read=read,
    )


def picture_names(archive: Archive) -> list[str]:
    """Returns the pictures of an archive, without hidden files and folders."""
    return [
        name
        for name in archive.names()
        if PurePosixPath(name).suffix.lower() in EXTENSIONS
        and not any(
            part.startswith(".") or part == "__MACOSX"
            for part in PurePosixPath(name).parts
        )
    ]
