"""Kept drawings: a visitor's own sketches with their right labels.

Each is a pair of files in `drawings/<class name>/`: `<id>.png`, the sketch as the
networks saw it, and `<id>.json`, its strokes and what is known of it. They are
learned from, and never scored on.
"""

import io
import json
import re
import secrets
import shutil
import zipfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from PIL import Image

from core.datasets.drawing_files import (
    ORIGINALS,
    Guess,
    KeptDrawing,
    Known,
    Source,
    check_strokes,
    describe,
    read_known,
)
from core.datasets.names import is_device, is_system
from core.errors import DrawingError, ImageError
from core.files import (
    list_folder,
    make_folder,
    read_regular,
    rename,
    replacing,
    sync,
    write_text,
)
from core.sketches.images import IMAGE_SIZE, PAPER, read_sketch

MAX_DRAWINGS = 10_000
MAX_ORIGINAL_BYTES = 8 * 2**20
MAX_LABEL_BYTES = 100
"""File systems allow 255 for a folder's name."""
LOCK_TIMEOUT_S = 20.0

ID_PATTERN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{12}")

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Drawings:
    """What a listing found.

    Attributes:
        kept: Latest first.
        damaged: Files that belong to no whole drawing.
    """

    kept: tuple[KeptDrawing, ...]
    damaged: tuple[Path, ...]


def drawings_dir(data_dir: Path) -> Path:
    """Returns the folder of kept drawings."""
    return data_dir / "drawings"


def save_drawing(
    sketch: NDArray[np.uint8],
    label: str,
    *,
    class_names: Collection[str],
    data_dir: Path,
    source: Source,
    strokes: str | None = None,
    guesses: Sequence[Guess] = (),
    original: bytes | None = None,
) -> KeptDrawing:
    """Keeps a drawing, all or nothing.

    Args:
        sketch: Gray values of shape `(128, 128)`, as `core.sketches.images` makes them.
        label: What it shows.
        class_names: The classes that it may have.
        data_dir: The folder that everything is written to.
        source: How it came here.
        strokes: Its strokes as JSON text, whatever they hold; None without any.
        guesses: What the networks took it for.
        original: The larger picture that it was made from, as PNG.

    Raises:
        DrawingError: If the label is none of the classes or can't name a folder,
            nothing is drawn, the strokes or the original are damaged or too large,
            there are `MAX_DRAWINGS` already, or the disk is full.
        ValueError: If the sketch has another shape or dtype.
    """
    if sketch.shape != (IMAGE_SIZE, IMAGE_SIZE) or sketch.dtype != np.uint8:
        raise ValueError(
            f"A sketch is uint8{(IMAGE_SIZE, IMAGE_SIZE)}. Received: "
            f"{sketch.dtype}{sketch.shape}"
        )
    check_label(label, class_names=class_names)
    if sketch.min() == PAPER:
        raise DrawingError("There is nothing to keep: the drawing is empty.")
    check_strokes(strokes)
    _check_original(original)
    known = Known(
        created_at=datetime.now(tz=UTC).isoformat(timespec="seconds"),
        source=source,
        guesses=tuple(guesses),
    )
    root = drawings_dir(data_dir)
    with writing(root):
        if sum(path.suffix == ".json" for path in _list_files(root)) >= MAX_DRAWINGS:
            raise DrawingError(
                "{limit:,} drawings are kept already, which is the limit. Export and "
                "remove some first.",
                limit=MAX_DRAWINGS,
            )
        drawing_id = _new_id(root)
        folder = root / label
        whole = root / ORIGINALS / f"{drawing_id}.png"
        files = (folder / f"{drawing_id}.png", folder / f"{drawing_id}.json", whole)
        try:
            make_folder(folder)
            if original is not None:
                make_folder(whole.parent)
                with replacing(whole) as temporary:
                    temporary.write_bytes(original)
            with replacing(files[0]) as temporary:
                Image.fromarray(sketch).save(temporary, format="PNG")
            # The last to be written, since it is what makes a drawing.
            write_text(
                files[1],
                f'{{"known": {known.model_dump_json()},\n'
                f'"strokes": {"null" if strokes is None else strokes}}}\n',
            )
        except OSError:
            for path in files:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            _remove_if_empty(folder)
            raise
    return describe(files[1], known)


def check_label(label: str, *, class_names: Collection[str]) -> None:
    """Raises `DrawingError` unless a drawing may have a label."""
    if label not in class_names:
        shown = label if len(label) <= MAX_LABEL_BYTES else f"{label[:30]}…"
        number = len(class_names)
        raise DrawingError(
            "{shown!r} is none of the {number} known classes.",
            shown=shown,
            number=number,
        )
    encoded = label.encode("utf-8", errors="replace")
    if (
        not label
        or label != label.strip()
        or is_system(label)
        or is_device(label)
        or label.endswith(".")
        or not label.isprintable()
        or any(character in label for character in '/\\:*?"<>|')
        or len(encoded) > MAX_LABEL_BYTES
    ):
        raise DrawingError(
            "A drawing of {label!r} can't be kept, since the class's name can't name a "
            "folder.",
            label=label[:30],
        )


def list_drawings(data_dir: Path) -> Drawings:
    """Lists the kept drawings; those that can't be read are only named.

    A drawing that is removed meanwhile is left out.
    """
    root = drawings_dir(data_dir)
    kept: list[KeptDrawing] = []
    damaged: list[Path] = []
    for path in _list_files(root):
        if path.suffix == ".json":
            try:
                drawing = describe(path, read_known(path))
            except FileNotFoundError:
                continue
            except (OSError, ValueError):
                damaged.append(path)
                continue
            if drawing.png.is_file():
                kept.append(drawing)
            elif path.exists():
                damaged.append(path)
        elif (
            not path.with_suffix(".json").exists()
            and path.exists()
            and not _is_leftover(path)
        ):
            damaged.append(path)
    kept.sort(key=lambda drawing: (drawing.created_at, drawing.id), reverse=True)
    return Drawings(tuple(kept), tuple(sorted(damaged)))


def _list_files(root: Path) -> list[Path]:
    """Lists what the class folders hold; an empty one may vanish meanwhile."""
    return [path for folder in list_folder(root) for path in list_folder(folder)]


def list_leftovers(data_dir: Path) -> list[Path]:
    """Lists pictures that a process left which was killed as it kept or removed one."""
    return [
        path
        for path in _list_files(drawings_dir(data_dir))
        if _is_leftover(path) and not path.with_suffix(".json").exists()
    ]


def remove_leftovers(data_dir: Path) -> None:
    """Deletes what `list_leftovers` lists, once nobody is keeping a drawing."""
    with writing(drawings_dir(data_dir)):
        for path in list_leftovers(data_dir):
            path.unlink(missing_ok=True)


def _is_leftover(path: Path) -> bool:
    """Returns whether a file without its JSON file is what a drawing begins with."""
    return path.suffix == ".png" and bool(ID_PATTERN.fullmatch(path.stem))


def find_drawing(drawing_id: str, *, data_dir: Path) -> KeptDrawing:
    """Finds a kept drawing.

    Raises:
        DrawingError: If there is none of that id, or it is damaged.
    """
    path = _find(drawing_id, data_dir=data_dir)
    try:
        return describe(path, read_known(path))
    except FileNotFoundError as error:
        raise _missing(drawing_id) from error
    except (OSError, ValueError) as error:
        raise DrawingError(
            "Drawing {drawing} is damaged. Remove it with `python -m core drawings "
            "remove {drawing}`.",
            drawing=drawing_id,
        ) from error


def read_strokes(drawing: KeptDrawing) -> Any:
    """Returns a drawing's strokes as they were given, parsed; None without any.

    Raises:
        DrawingError: If it has been removed, or its file is damaged.
    """
    try:
        return json.loads(read_regular(drawing.strokes))["strokes"]
    except FileNotFoundError as error:
        raise _missing(drawing.id) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DrawingError(
            "The strokes of {drawing} are damaged.", drawing=drawing.id
        ) from error


def relabel_drawing(
    drawing_id: str, label: str, *, class_names: Collection[str], data_dir: Path
) -> KeptDrawing:
    """Gives a kept drawing another label.

    Raises:
        DrawingError: If there is no such drawing, or the label is unfit.
    """
    check_label(label, class_names=class_names)
    root = drawings_dir(data_dir)
    with writing(root):
        drawing = find_drawing(drawing_id, data_dir=data_dir)
        if drawing.label == label:
            return drawing
        folder = root / label
        make_folder(folder)
        # At every moment the JSON file, which makes the drawing, has its picture.
        moved = folder / drawing.png.name
        try:
            with replacing(moved) as temporary:
                shutil.copyfile(drawing.png, temporary)
            rename(drawing.strokes, folder / drawing.strokes.name)
        except OSError:
            with suppress(OSError):
                moved.unlink(missing_ok=True)
            _remove_if_empty(folder)
            raise
        drawing.png.unlink(missing_ok=True)
        sync(drawing.png.parent)
        _remove_if_empty(drawing.png.parent)
    return find_drawing(drawing_id, data_dir=data_dir)


def remove_drawing(drawing_id: str, *, data_dir: Path) -> None:
    """Deletes a kept drawing, whole or damaged.

    Raises:
        DrawingError: If there is none of that id.
    """
    root = drawings_dir(data_dir)
    with writing(root):
        path = _find(drawing_id, data_dir=data_dir)
        path.unlink(missing_ok=True)
        path.with_suffix(".png").unlink(missing_ok=True)
        (root / ORIGINALS / f"{drawing_id}.png").unlink(missing_ok=True)
        sync(path.parent)
        _remove_if_empty(path.parent)


def export_drawings(data_dir: Path) -> bytes:
    """Packs the kept drawings into a zip of class folders.

    `dataset add` reads it as a dataset of one's own; the strokes lie beside the
    pictures.

    Raises:
        DrawingError: If there are none.
    """
    stream = io.BytesIO()
    count = 0
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for drawing in list_drawings(data_dir).kept:
            try:
                files = [(p, read_regular(p)) for p in (drawing.png, drawing.strokes)]
            except FileNotFoundError:
                continue  # It has just been removed.
            except OSError as error:
                raise DrawingError(
                    "Drawing {drawing} can't be read: {reason}.",
                    drawing=drawing.id,
                    reason=error.strerror,
                ) from error
            count += 1
            for path, content in files:
                archive.writestr(f"{drawing.label}/{path.name}", content)
    if not count:
        raise DrawingError("No drawings are kept yet, so there is nothing to export.")
    return stream.getvalue()


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Locks the folder of drawings: one process or thread at a time changes it."""
    try:
        make_folder(root)
        with FileLock(root / ".lock").acquire(timeout=LOCK_TIMEOUT_S):
            yield
    except Timeout as error:
        raise DrawingError(
            "The kept drawings are in use by another visitor. Try again in a moment."
        ) from error
    except OSError as error:
        raise DrawingError(
            "The drawings in {path} can't be written: {reason}.",
            path=root,
            reason=error.strerror or error,
        ) from error


def _new_id(root: Path) -> str:
    """Returns an id by time and chance that no drawing has."""
    while True:
        drawing_id = f"{datetime.now(tz=UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(6)}"
        if not any(root.glob(f"*/{drawing_id}.*")):
            return drawing_id


def _check_original(original: bytes | None) -> None:
    if original is None:
        return
    if len(original) > MAX_ORIGINAL_BYTES:
        raise DrawingError(
            "The original picture takes more than {most:.0f} MB; it can't be kept.",
            most=MAX_ORIGINAL_BYTES / 1000000.0,
        )
    if not original.startswith(_PNG_SIGNATURE):
        raise DrawingError("The original picture is no PNG.")
    try:
        read_sketch(original, name="The original picture")
    except ImageError as error:
        raise DrawingError(str(error)) from error


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _find(drawing_id: str, *, data_dir: Path) -> Path:
    """Returns the JSON file of a drawing, or where it would be."""
    if ID_PATTERN.fullmatch(drawing_id):
        for suffix in (".json", ".png"):
            for folder in list_folder(drawings_dir(data_dir)):
                if (folder / f"{drawing_id}{suffix}").exists():
                    return folder / f"{drawing_id}.json"
    raise _missing(drawing_id)


def _missing(drawing_id: str) -> DrawingError:
    return DrawingError(
        "There is no drawing {drawing!r}. `python -m core drawings list` shows what is "
        "kept.",
        drawing=drawing_id[:40],
    )
