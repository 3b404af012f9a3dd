"""The pair of files that one kept drawing is, and how they are read."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.errors import DrawingError
from core.files import open_regular

MAX_STROKES_BYTES = 2**20
"""A drawing of an hour takes a tenth of it."""

ORIGINALS = ".originals"
"""Hidden, so that who imports the folder as a dataset passes over it."""

Source = Literal["canvas", "upload"]


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


class Known(BaseModel):
    """The first line of a drawing's JSON file: all but its strokes.

    A listing reads no more of it.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    format_version: Literal[1] = 1
    created_at: str
    source: Source
    guesses: tuple[Guess, ...]


def check_strokes(strokes: str | None) -> None:
    """Raises `DrawingError` unless strokes are JSON text of a size that is kept."""
    if strokes is None:
        return
    if len(strokes.encode("utf-8", errors="replace")) > MAX_STROKES_BYTES:
        raise DrawingError(
            "The drawing's strokes take more than {most:.0f} MB; they can't be kept.",
            most=MAX_STROKES_BYTES / 1000000.0,
        )
    try:
        # Text with half a surrogate pair can be parsed, but not written.
        strokes.encode("utf-8")
        json.loads(strokes, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DrawingError("The drawing's strokes are no JSON text.") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def read_known(path: Path) -> Known:
    """Reads the first line of a drawing's JSON file, which may be long."""
    with open_regular(path) as stream:
        line = stream.readline(MAX_STROKES_BYTES).rstrip()
    try:
        known = json.loads(line.removesuffix(b",") + b"}")["known"]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged") from error
    return Known.model_validate(known)


def describe(path: Path, known: Known) -> KeptDrawing:
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
