"""Makes the kept drawings a dataset to learn from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.datasets.drawings import drawings_dir, list_drawings, writing
from core.datasets.install import install
from core.datasets.store import (
    Dataset,
    Progress,
    SketchRecord,
    SketchSource,
    datasets_dir,
    open_dataset,
    remove_dataset,
)
from core.errors import DatasetError, DrawingError
from core.files import rename
from core.sketches.images import read_sketch

DATASET_NAME = "my-drawings"
DATASET_KIND = "drawings"


def install_drawings(
    data_dir: Path,
    *,
    is_needed: Callable[[Dataset], bool],
    progress: Progress | None = None,
) -> Dataset:
    """Makes the kept drawings the dataset `my-drawings`, anew if they have changed.

    All of them are training sketches: a run goes on from another with them and is
    scored on the other's test sketches.

    Args:
        data_dir: The folder that everything is written to.
        is_needed: Whether an earlier `my-drawings` is to be kept, under another name.
        progress: Called as it goes on.

    Raises:
        DrawingError: If no drawings are kept.
        DatasetError: If a dataset of that name holds something else, or the disk is
            full.
        ImageError: If a picture is damaged.
    """
    root = drawings_dir(data_dir)
    with writing(root):
        # Another who learns from them may have made it anew until now.
        old = _present_dataset(data_dir)
        source = _find_drawings(data_dir)
        if old is None:
            return install(source, DATASET_NAME, data_dir=data_dir, progress=progress)
        aside = f"{DATASET_NAME}-{old.fingerprint[:8]}"
        if (datasets_dir(data_dir) / aside).exists():
            remove_dataset(aside, data_dir=data_dir)
        rename(old.path, old.path.with_name(aside))
        try:
            new = install(source, DATASET_NAME, data_dir=data_dir, progress=progress)
        except BaseException:
            rename(old.path.with_name(aside), old.path)
            raise
        if new.fingerprint == old.fingerprint or not is_needed(old):
            remove_dataset(aside, data_dir=data_dir)
    return new


def _present_dataset(data_dir: Path) -> Dataset | None:
    if not (datasets_dir(data_dir) / DATASET_NAME).exists():
        return None
    old = open_dataset(DATASET_NAME, data_dir=data_dir)
    if old.kind != DATASET_KIND:
        raise DatasetError(
            "Dataset {dataset!r} was not made of kept drawings. Remove it first "
            "(`python -m core dataset remove {dataset}`) and add it again under "
            "another --name.",
            dataset=DATASET_NAME,
        )
    return old


def _find_drawings(data_dir: Path) -> SketchSource:
    """Describes the kept drawings as a source of training sketches."""
    root = drawings_dir(data_dir)
    # In the order in which they were made, so that the same drawings are the same
    # dataset.
    drawings = sorted(list_drawings(data_dir).kept, key=lambda drawing: drawing.id)
    if not drawings:
        raise DrawingError("No drawings are kept yet. Draw one and keep it first.")
    class_names = tuple(sorted({drawing.label for drawing in drawings}))

    def read(record: SketchRecord) -> NDArray[np.uint8]:
        return read_sketch(root / record.path, name=f"Drawing {record.path}")

    return SketchSource(
        kind=DATASET_KIND,
        origin=str(root),
        class_names=class_names,
        records=[
            SketchRecord(
                id=drawing.id,
                label=class_names.index(drawing.label),
                split="train",
                path=f"{drawing.label}/{drawing.png.name}",
            )
            for drawing in drawings
        ],
        read=read,
        train_only=True,
    )
