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
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from core.datasets.store import (
    Dataset,
    Progress,
    SketchRecord,
    SketchSource,
    datasets_dir,
    install,
    open_dataset,
    remove_dataset,
)
from core.errors import DatasetError, DrawingError, ImageError
from core.files import list_folder, replacing, write_text
from core.runs.folder import WEIGHTS, list_runs, utc_now
from core.sketches.images import IMAGE_SIZE, PAPER, read_sketch

DATASET_NAME = "my-drawings"
DATASET_KIND = "drawings"

MAX_DRAWINGS = 10_000
MAX_STROKES_BYTES = 2**20
"""A drawing of an hour takes a tenth of it."""
MAX_ORIGINAL_BYTES = 8 * 2**20
MAX_LABEL_BYTES = 100
"""File systems allow 255 for a folder's name."""
LOCK_TIMEOUT_S = 20.0

ID_PATTERN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{12}")

ORIGINALS = ".originals"
"""Hidden, so that who imports the folder as a dataset passes over it."""

Source = Literal["canvas", "upload"]

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Guess:
    """What a network took a drawing for.

    Attributes:
        run_id: The network's run.
        class_name: Its likeliest class.
        probability: From 0 to 1.
    """

    run_id: str
    class_name: str
    probability: Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class KeptDrawing:
    """One kept drawing.

    Attributes:
        id: Unique, and never given twice.
        label: What its author says it shows; the name of its folder.
        created_at: ISO 8601, UTC.
        source: How it came here.
        guesses: What the networks took it for when it was kept.
        png: The sketch, 128×128.
        strokes: The file with its strokes; see `read_strokes`.
        original: The larger picture that the sketch was made from, if it was kept.
    """

    id: str
    label: str
    created_at: str
    source: Source
    guesses: tuple[Guess, ...]
    png: Path
    strokes: Path
    original: Path | None


@dataclass(frozen=True)
class Drawings:
    """What a listing found.

    Attributes:
        kept: Latest first.
        damaged: Files that belong to no whole drawing.
    """

    kept: tuple[KeptDrawing, ...]
    damaged: tuple[Path, ...]


class _Known(BaseModel):
    """The first line of a drawing's JSON file: all but its strokes.

    A listing reads no more of it.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    format_version: Literal[1] = 1
    created_at: str
    source: Source
    guesses: tuple[Guess, ...]


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
    _check_strokes(strokes)
    _check_original(original)
    known = _Known(
        created_at=utc_now().isoformat(timespec="seconds"),
        source=source,
        guesses=tuple(guesses),
    )
    root = drawings_dir(data_dir)
    with _writing(root):
        if sum(path.suffix == ".json" for path in _list_files(root)) >= MAX_DRAWINGS:
            raise DrawingError(
                f"{MAX_DRAWINGS:,} drawings are kept already, which is the limit. "
                "Export and remove some first."
            )
        drawing_id = _new_id(root)
        folder = root / label
        whole = root / ORIGINALS / f"{drawing_id}.png"
        files = (folder / f"{drawing_id}.png", folder / f"{drawing_id}.json", whole)
        try:
            folder.mkdir(exist_ok=True)
            if original is not None:
                whole.parent.mkdir(exist_ok=True)
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
    return _describe(files[1], known)


def check_label(label: str, *, class_names: Collection[str]) -> None:
    """Raises `DrawingError` unless a drawing may have a label."""
    if label not in class_names:
        shown = label if len(label) <= MAX_LABEL_BYTES else f"{label[:30]}…"
        number = len(class_names)
        raise DrawingError(f"{shown!r} is none of the {number} known classes.")
    encoded = label.encode("utf-8", errors="replace")
    if (
        not label
        or label != label.strip()
        or label.startswith(".")
        or label.endswith(".")
        or not label.isprintable()
        or any(character in label for character in '/\\:*?"<>|')
        or len(encoded) > MAX_LABEL_BYTES
    ):
        raise DrawingError(
            f"A drawing of {label[:30]!r} can't be kept, since the class's name can't "
            "name a folder."
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
                drawing = _describe(path, _read_known(path))
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
    with _writing(drawings_dir(data_dir)):
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
        return _describe(path, _read_known(path))
    except FileNotFoundError as error:
        raise _missing(drawing_id) from error
    except (OSError, ValueError) as error:
        raise DrawingError(
            f"Drawing {drawing_id} is damaged. Remove it with `python -m core drawings "
            f"remove {drawing_id}`."
        ) from error


def read_strokes(drawing: KeptDrawing) -> Any:
    """Returns a drawing's strokes as they were given, parsed; None without any.

    Raises:
        DrawingError: If it has been removed, or its file is damaged.
    """
    try:
        return json.loads(drawing.strokes.read_bytes())["strokes"]
    except FileNotFoundError as error:
        raise _missing(drawing.id) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DrawingError(f"The strokes of {drawing.id} are damaged.") from error


def relabel_drawing(
    drawing_id: str, label: str, *, class_names: Collection[str], data_dir: Path
) -> KeptDrawing:
    """Gives a kept drawing another label.

    Raises:
        DrawingError: If there is no such drawing, or the label is unfit.
    """
    check_label(label, class_names=class_names)
    root = drawings_dir(data_dir)
    with _writing(root):
        drawing = find_drawing(drawing_id, data_dir=data_dir)
        if drawing.label == label:
            return drawing
        folder = root / label
        folder.mkdir(exist_ok=True)
        # At every moment the JSON file, which makes the drawing, has its picture.
        moved = folder / drawing.png.name
        try:
            with replacing(moved) as temporary:
                shutil.copyfile(drawing.png, temporary)
            drawing.strokes.rename(folder / drawing.strokes.name)
        except OSError:
            with suppress(OSError):
                moved.unlink(missing_ok=True)
            _remove_if_empty(folder)
            raise
        drawing.png.unlink(missing_ok=True)
        _remove_if_empty(drawing.png.parent)
    return find_drawing(drawing_id, data_dir=data_dir)


def remove_drawing(drawing_id: str, *, data_dir: Path) -> None:
    """Deletes a kept drawing, whole or damaged.

    Raises:
        DrawingError: If there is none of that id.
    """
    root = drawings_dir(data_dir)
    with _writing(root):
        path = _find(drawing_id, data_dir=data_dir)
        path.unlink(missing_ok=True)
        path.with_suffix(".png").unlink(missing_ok=True)
        (root / ORIGINALS / f"{drawing_id}.png").unlink(missing_ok=True)
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
                files = [(p, p.read_bytes()) for p in (drawing.png, drawing.strokes)]
            except FileNotFoundError:
                continue  # It has just been removed.
            except OSError as error:
                raise DrawingError(
                    f"Drawing {drawing.id} can't be read: {error.strerror}."
                ) from error
            count += 1
            for path, content in files:
                archive.writestr(f"{drawing.label}/{path.name}", content)
    if not count:
        raise DrawingError("No drawings are kept yet, so there is nothing to export.")
    return stream.getvalue()


def make_drawings_dataset(
    data_dir: Path, *, progress: Progress | None = None
) -> Dataset:
    """Makes the kept drawings the dataset `my-drawings`, anew if they have changed.

    All of them are training sketches: a run goes on from another with them and is
    scored on the other's test sketches. An earlier `my-drawings` that a run still
    needs to go on is kept under another name.

    Raises:
        DrawingError: If no drawings are kept.
        DatasetError: If a dataset of that name holds something else, or the disk is
            full.
        ImageError: If a picture is damaged.
    """
    root = drawings_dir(data_dir)
    with _writing(root):
        # Another who learns from them may have made it anew until now.
        old = _present_dataset(data_dir)
        source = _find_drawings(data_dir)
        if old is None:
            return install(source, DATASET_NAME, data_dir=data_dir, progress=progress)
        aside = f"{DATASET_NAME}-{old.fingerprint[:8]}"
        if (datasets_dir(data_dir) / aside).exists():
            remove_dataset(aside, data_dir=data_dir)
        old.path.rename(old.path.with_name(aside))
        try:
            new = install(source, DATASET_NAME, data_dir=data_dir, progress=progress)
        except BaseException:
            old.path.with_name(aside).rename(old.path)
            raise
        if new.fingerprint == old.fingerprint or not _is_needed(old, data_dir=data_dir):
            remove_dataset(aside, data_dir=data_dir)
    return new


def _present_dataset(data_dir: Path) -> Dataset | None:
    if not (datasets_dir(data_dir) / DATASET_NAME).exists():
        return None
    old = open_dataset(DATASET_NAME, data_dir=data_dir)
    if old.kind != DATASET_KIND:
        raise DatasetError(
            f"Dataset {DATASET_NAME!r} was not made of kept drawings. Remove it first "
            f"(`python -m core dataset remove {DATASET_NAME}`) and add it again under "
            "another --name."
        )
    return old


def _is_needed(dataset: Dataset, *, data_dir: Path) -> bool:
    """Returns whether a run that is not trained yet learns from a dataset."""
    return any(
        run.config is not None
        and run.config.drawings is not None
        and run.config.drawings.fingerprint == dataset.fingerprint
        and not (run.path / WEIGHTS).exists()
        for run in list_runs(data_dir=data_dir, trained_dir=data_dir / "none")
    )


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


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Lets one process or thread at a time change the folder of drawings."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".lock").acquire(timeout=LOCK_TIMEOUT_S):
            yield
    except Timeout as error:
        raise DrawingError(
            "The kept drawings are in use by another visitor. Try again in a moment."
        ) from error
    except OSError as error:
        raise DrawingError(
            f"The drawings in {root} can't be written: {error.strerror or error}."
        ) from error


def _new_id(root: Path) -> str:
    """Returns an id by time and chance that no drawing has."""
    while True:
        drawing_id = f"{utc_now():%Y%m%d-%H%M%S}-{secrets.token_hex(6)}"
        if not any(root.glob(f"*/{drawing_id}.*")):
            return drawing_id


def _check_strokes(strokes: str | None) -> None:
    if strokes is None:
        return
    if len(strokes.encode("utf-8", errors="replace")) > MAX_STROKES_BYTES:
        raise DrawingError(
            f"The drawing's strokes take more than {MAX_STROKES_BYTES / 1e6:.0f} MB; "
            "they can't be kept."
        )
    try:
        # Text with half a surrogate pair can be parsed, but not written.
        strokes.encode("utf-8")
        json.loads(strokes, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DrawingError("The drawing's strokes are no JSON text.") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _check_original(original: bytes | None) -> None:
    if original is None:
        return
    if len(original) > MAX_ORIGINAL_BYTES:
        raise DrawingError(
            f"The original picture takes more than {MAX_ORIGINAL_BYTES / 1e6:.0f} MB; "
            "it can't be kept."
        )
    if not original.startswith(_PNG_SIGNATURE):
        raise DrawingError("The original picture is no PNG.")
    try:
        read_sketch(original, name="The original picture")
    except ImageError as error:
        raise DrawingError(str(error)) from error


def _read_known(path: Path) -> _Known:
    """Reads the first line of a drawing's JSON file, which may be long."""
    with path.open("rb") as stream:
        line = stream.readline(MAX_STROKES_BYTES).rstrip()
    try:
        known = json.loads(line.removesuffix(b",") + b"}")["known"]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged") from error
    return _Known.model_validate(known)


def _describe(path: Path, known: _Known) -> KeptDrawing:
    """Returns the drawing of a JSON file."""
    original = path.parent.parent / ORIGINALS / f"{path.stem}.png"
    return KeptDrawing(
        id=path.stem,
        label=path.parent.name,
        created_at=known.created_at,
        source=known.source,
        guesses=known.guesses,
        png=path.with_suffix(".png"),
        strokes=path,
        original=original if original.is_file() else None,
    )


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
        f"There is no drawing {drawing_id[:40]!r}. `python -m core drawings list` "
        "shows what is kept."
    )
