"""Files that hold many sketches each: Quick, Draw!'s drawings and bitmaps."""

import io
import json
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.datasets.archives import FILE_SUFFIXES, MAX_CONTAINER_BYTES, Archive
from core.datasets.layout import PARTS
from core.datasets.names import show_name
from core.datasets.store import Split
from core.errors import DatasetError, ImageError
from core.sketches.images import PAPER
from core.sketches.reading import as_sketch
from core.sketches.strokes import (
    MAX_POINTS,
    MAX_STROKES,
    Drawing,
    Stroke,
    render_sketch,
)

BITMAP_PREFIX = "full_numpy_bitmap_"
"""How Quick, Draw! names its bitmaps, before the class."""

UNREADABLE = (
    *(ValueError, OSError, EOFError, RuntimeError, MemoryError),
    *(SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What NumPy and zipfile raise at what is damaged; NumPy's headers are Python's."""

Sketch = NDArray[np.uint8]


@dataclass(frozen=True)
class Item:
    """One sketch of such a file.

    Attributes:
        path: The file's, with the sketch's number.
        class_name: What it shows.
        split: The part it is given to, if the file tells.
        read: Returns gray values of shape `(128, 128)`; calls what it is given where
            the drawing had to be found; see `core.sketches.reading.as_sketch`.
    """

    path: str
    class_name: str
    split: Split | None
    read: Callable[[Callable[[], object]], Sketch]


def is_container(name: str) -> bool:
    """Returns whether a file holds many sketches, by its name."""
    return PurePosixPath(name).suffix.lower() in FILE_SUFFIXES


def read_container(archive: Archive, name: str) -> Iterator[Item]:
    """Lists the sketches of an `.ndjson`, `.npy` or `.npz` file.

    `ndjson` has a drawing a line: `word` (or `class`), and `drawing`, for each stroke
    its xs and ys and, in raw files, times. `npy` holds bitmaps of the class that the
    file is named after, white on black, of shape `(n, 784)`, `(n, height, width)` or
    square likewise; `npz` such an array for each class. Nothing is unpickled.

    Raises:
        DatasetError: If the file is damaged or of another form.
    """
    content = archive.read(name)
    if len(content) > MAX_CONTAINER_BYTES:
        raise DatasetError("{path} is too large.", path=name)
    split = _split_of(name)
    if name.lower().endswith(".ndjson"):
        return _read_ndjson(content, name, split)
    try:
        if name.lower().endswith(".npy"):
            stem = PurePosixPath(name).stem.removeprefix(BITMAP_PREFIX)
            return iter(_bitmaps(_load(content), stem, name, split))
        with zipfile.ZipFile(io.BytesIO(content)) as members:
            infos = members.infolist()
            if sum(info.file_size for info in infos) > MAX_CONTAINER_BYTES:
                raise DatasetError("{path} would expand absurdly.", path=name)
            items: list[Item] = []
            for info in infos:
                inner = PurePosixPath(info.filename)
                stem = inner.stem.removeprefix(BITMAP_PREFIX)
                array = _load(members.read(info))
                path = f"{name}/{inner.with_name(stem)}"
                own = split or _split_of(info.filename)
                items += _bitmaps(array, stem, path, own)
        return iter(items)
    except UNREADABLE as error:
        raise DatasetError(
            "{path} holds no bitmaps that can be read: {reason}.",
            path=name,
            reason=error,
        ) from error


def _split_of(path: str) -> Split | None:
    """Returns the split that one of a path's folders names, if any."""
    folders = PurePosixPath(path).parts[:-1]
    part = next((PARTS[f.lower()] for f in folders if f.lower() in PARTS), None)
    return None if part is None else "test" if part == "test" else "train"


def _load(content: bytes) -> NDArray[Any]:
    # Pickled objects could run code.
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ValueError("it is no array")
    return array


def _bitmaps(
    array: NDArray[Any], class_name: str, path: str, split: Split | None
) -> list[Item]:
    if (
        array.ndim == 2
        and (side := round(array.shape[1] ** 0.5)) ** 2 == array.shape[1]
    ):
        array = array.reshape(-1, side, side)
    is_bitmaps = array.ndim == 3 and array.dtype == np.uint8
    if not is_bitmaps or not all(8 <= side <= 4096 for side in array.shape[1:]):
        raise ValueError(f"it has {array.dtype} of shape {array.shape}")
    return [
        Item(
            f"{path}#{n}",
            class_name,
            split,
            partial(_draw_bitmap, bitmap, f"{path}#{n}"),
        )
        for n, bitmap in enumerate(array)
    ]


def _draw_bitmap(bitmap: Sketch, name: str, on_found: Callable[[], object]) -> Sketch:
    # White on black at the centre, whatever touches the edges.
    is_dark = float(np.median(bitmap)) < PAPER / 2
    image = Image.fromarray(PAPER - bitmap if is_dark else bitmap)
    return as_sketch(image, name=show_name(name), on_found=on_found)


def _read_ndjson(content: bytes, name: str, split: Split | None) -> Iterator[Item]:
    stem = PurePosixPath(name).stem.removeprefix("full_raw_")
    stem = stem.removeprefix("full_simplified_")
    for number, line in enumerate(io.BytesIO(content), start=1):
        if not line.strip():
            continue
        path = f"{name}#{number}"
        try:
            row = json.loads(line)
            word = row.get("word") or row.get("class") or stem
            is_drawing = isinstance(row["drawing"], list)
        except (ValueError, KeyError, AttributeError, RecursionError) as error:
            raise DatasetError(
                "{path} line {number} is no drawing of Quick, Draw!'s form.",
                path=name,
                number=number,
            ) from error
        if not is_drawing or not isinstance(word, str):
            raise DatasetError(
                "{path} line {number} is no drawing of Quick, Draw!'s form.",
                path=name,
                number=number,
            )
        yield Item(path, word, split, partial(_draw_strokes, line, path))


def _draw_strokes(line: bytes, path: str, _: Callable[[], object]) -> Sketch:
    """Draws one line of an ndjson as the dataset's sketches are drawn."""
    try:
        strokes = [np.array(s[:2], np.float32).T for s in json.loads(line)["drawing"]]
        strokes = [stroke for stroke in strokes if len(stroke)]
        if any(stroke.ndim != 2 or stroke.shape[1] != 2 for stroke in strokes):
            raise ValueError("a stroke is not made of xs and ys")
        points = np.concatenate(strokes)
        if not np.isfinite(points).all():
            raise ValueError("a point is NaN")
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ImageError(
            "{path} can't be read as a picture: {reason}.", path=path, reason=error
        ) from error
    if len(strokes) > MAX_STROKES or len(points) > MAX_POINTS:
        raise ImageError("{path} has too many lines to read.", path=path)
    low = points.min(axis=0)
    side = max(float((points.max(axis=0) - low).max()), 1.0)
    drawing = Drawing(
        tuple(Stroke((stroke - low) * (1000 / side), width=1.0) for stroke in strokes),
        width=1000,
        height=1000,
    )
    return render_sketch(drawing)
