"""What its owner writes of a run: another name, a note, tags and a pin.

They change nothing of the run: its folder's id and its address stay. They may be
written while it is being trained.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.errors import (
    RunError,
    Sentence,
    damaged,
    explain,
    join_sentences,
    unwritable,
)
from core.files import read_regular, write_json
from core.runs.folder import check_there, refuse_shipped

NOTES = "notes.json"

MAX_NAME = 60
MAX_NOTE = 2000
MAX_TAG = 30
MAX_TAGS = 12
WRITING_TRIES = 3

Line = Annotated[str, Field(max_length=MAX_TAG, min_length=1)]


class Notes(BaseModel):
    """What a run's `notes.json` holds; all of it may be empty.

    Attributes:
        format_version: Of the file.
        name: What menus call the run; "" for its id.
        note: Any text.
        tags: Each once, in the order in which they were added.
        is_pinned: Whether it comes before others in the table of runs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format_version: Literal[1] = 1
    name: str = Field("", max_length=MAX_NAME)
    note: str = Field("", max_length=MAX_NOTE)
    tags: Annotated[tuple[Line, ...], Field(max_length=MAX_TAGS, strict=False)] = ()
    is_pinned: bool = False

    @field_validator("name", mode="before")
    @classmethod
    def _one_line(cls, name: Any) -> Any:
        return _line(name)

    @field_validator("note", mode="before")
    @classmethod
    def _lines(cls, note: Any) -> Any:
        if not isinstance(note, str):
            return note
        lines = note.strip().splitlines()
        return "\n".join(_printable(line).rstrip() for line in lines)

    @field_validator("tags", mode="before")
    @classmethod
    def _each_once(cls, tags: Any) -> Any:
        if not isinstance(tags, list | tuple):
            return tags
        return tuple(dict.fromkeys(_line(tag) for tag in tags))

    def changed(self, **fields: Any) -> Self:
        """Returns them with some fields changed.

        Raises:
            RunError: If one is too long, or there are too many tags.
        """
        try:
            return type(self).model_validate({**self.model_dump(), **fields})
        except ValidationError as error:
            raise RunError(explain(error)) from error


def read_notes(path: Path) -> Notes:
    """Reads the notes of a run folder; empty ones where it has no file.

    Raises:
        OSError: If they can't be read.
        ValueError: If they are damaged.
    """
    try:
        return Notes.model_validate_json(read_regular(path / NOTES))
    except FileNotFoundError:
        return Notes()


def read_saved_notes(path: Path) -> Notes:
    """Reads them likewise, but says what is wrong where they can't be read.

    Raises:
        RunError: If they are damaged or can't be read.
    """
    try:
        return read_notes(path)
    except (OSError, ValueError) as error:
        raise RunError(damaged_notes(path, error)) from error


def change_notes(path: Path, **fields: Any) -> Notes:
    """Changes some fields of a run's notes; the others stay.

    Args:
        path: A run folder.
        **fields: Of `Notes`.

    Raises:
        RunError: If the run ships with the program or was removed, a field is too
            long, or the file is damaged or can't be written.
    """
    refuse_shipped(path)
    check_there(path)
    notes = read_saved_notes(path).changed(**fields)
    changed = path.stat()
    for remaining in reversed(range(WRITING_TRIES)):
        try:
            write_json(path / NOTES, notes.model_dump(mode="json"))
            break
        except OSError as error:
            check_there(path)
            # A training that begins or ends deletes what seems a killed write's.
            if isinstance(error, FileNotFoundError) and remaining:
                continue
            raise RunError(unwritable(path / NOTES, error)) from error
    with suppress(OSError):
        # Runs are listed by when they changed, which this did not.
        os.utime(path, ns=(changed.st_atime_ns, changed.st_mtime_ns))
    return notes


def damaged_notes(path: Path, error: BaseException) -> Sentence:
    """Says what is wrong with a run's notes, and what to do."""
    return join_sentences(
        [damaged(path / NOTES, error), Sentence("Mend or delete the file.")]
    )


def _line(text: Any) -> Any:
    """Returns a text as one line without spaces at its ends."""
    return " ".join(_printable(text).split()) if isinstance(text, str) else text


def _printable(text: str) -> str:
    """Returns a line with a space for whatever has no look, such as a tab."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
