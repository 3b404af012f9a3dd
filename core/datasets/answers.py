"""What visitors took test sketches for, kept without any name if the owner wishes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import SketchScopeError, unreadable, unwritable
from core.files import make_folder, read_regular, write_text

ANSWERS = "answers"
KEPT = "kept.jsonl"
CONSENT = "consent"
"""Answers are kept while this file is there."""

MAX_BYTES = 4 * 2**20
"""At that size, some 10,000 answers, no more are added."""

LOCK_TIMEOUT_S = 5.0


class Answer(BaseModel):
    """What a visitor, and networks, took a test sketch for.

    Attributes:
        format_version: Of the line.
        sketches: `split_fingerprint` of the sketch's dataset.
        sketch: Its id there.
        drawn: Its class.
        choices: The classes to choose from.
        said: Which of them the visitor chose.
        networks: Which of them networks chose, by their runs' ids.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    sketches: str
    sketch: str
    drawn: str
    choices: tuple[str, ...]
    said: str
    networks: dict[str, str]


@dataclass(frozen=True)
class Answers:
    """What the file of answers holds.

    Attributes:
        kept: In the order in which they were given.
        damaged: How many lines are no answers.
        is_full: Whether no more are kept.
    """

    kept: tuple[Answer, ...]
    damaged: int
    is_full: bool


def answers_file(data_dir: Path) -> Path:
    """Returns the file of answers, a JSON object a line."""
    return data_dir / ANSWERS / KEPT


def keeps_answers(data_dir: Path) -> bool:
    """Returns whether the owner wants answers to be kept."""
    return (data_dir / ANSWERS / CONSENT).is_file()


def allow_answers(is_allowed: bool, *, data_dir: Path) -> None:
    """Lets answers be kept from now on, or no more; those that are kept stay.

    Raises:
        SketchScopeError: If that can't be written.
    """
    path = data_dir / ANSWERS / CONSENT
    try:
        if is_allowed:
            make_folder(path.parent)
            write_text(path, "")
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise SketchScopeError(unwritable(path, error)) from error


def keep_answer(answer: Answer, *, data_dir: Path) -> None:
    """Adds an answer to the file, if the owner wants it and there is room.

    Raises:
        SketchScopeError: If it can't be written.
    """
    if not keeps_answers(data_dir):
        return
    path = answers_file(data_dir)
    line = f"{answer.model_dump_json()}\n".encode()
    try:
        with (
            FileLock(path.with_name(".lock"), timeout=LOCK_TIMEOUT_S),
            path.open("a+b") as stream,
        ):
            size = stream.seek(0, 2)
            if size >= MAX_BYTES:
                return
            stream.seek(max(size - 1, 0))
            # A full disk or a power cut may have left half of the line before.
            is_whole = stream.read(1) in (b"", b"\n")
            stream.write(line if is_whole else b"\n" + line)
    except OSError as error:
        raise SketchScopeError(unwritable(path, error)) from error


def read_answers(data_dir: Path) -> Answers:
    """Reads the kept answers; lines that are none are passed over and counted.

    Raises:
        SketchScopeError: If the file can't be read.
    """
    path = answers_file(data_dir)
    try:
        # Nobody but us writes it; a little more is read than we would write.
        content = read_regular(path, limit=2 * MAX_BYTES)
    except FileNotFoundError:
        return Answers((), 0, False)
    except OSError as error:
        raise SketchScopeError(unreadable(path, error)) from error
    kept: list[Answer] = []
    damaged = 0
    for line in filter(None, content.splitlines()):
        try:
            kept.append(Answer.model_validate_json(line))
        except ValidationError:
            damaged += 1
    return Answers(tuple(kept), damaged, len(content) >= MAX_BYTES)
