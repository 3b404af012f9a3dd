"""Small files that are replaced whole, so that a reader never meets half of one."""

import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

TEMPORARY_PREFIX = ".writing-"


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[Path]:
    """Gives a temporary path beside `path` and renames it there at the end.

    The content is on the disk before the rename, so that even a power cut leaves
    either the old file or the new one. After an error the old one stays. Nobody else
    can read it before it has its `mode`.
    """
    handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def is_abandoned(path: Path) -> bool:
    """Returns whether the process that a `.<what>-<process id>-…` names has ended."""
    owner = path.name.split("-")[1]
    try:
        return not psutil.pid_exists(int(owner))
    except (ValueError, OverflowError):
        return True


def list_folder(folder: Path, pattern: str = "[!.]*") -> list[Path]:
    """Returns what a folder holds, sorted; nothing where it is not there any more.

    Args:
        folder: A folder that others may remove at any moment.
        pattern: Of the names, in this folder only.
    """
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def remove_tree(path: Path) -> None:
    """Deletes a folder of which others may delete parts at the same time."""

    def pass_over_gone(_function: Any, _path: str, found: Any) -> None:
        if not isinstance(found[1], FileNotFoundError):
            raise found[1]

    shutil.rmtree(path, onerror=pass_over_gone)


def load_array(path: Path) -> NDArray[np.generic]:
    """Memory-maps an array file, which may hold no Python objects.

    Raises:
        OSError: If it can't be read.
        ValueError: If it is damaged.
    """
    try:
        array: NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
    # The header is read by Python's own parser, the file of no bytes by none.
    except (EOFError, SyntaxError, TokenError) as error:
        raise ValueError("it is no array file") from error
    return array


def sha256(path: Path) -> str:
    """Returns the hex digest of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replaces a UTF-8 text file."""
    with replacing(path, mode=mode) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any, *, mode: int = 0o644) -> None:
    """Replaces a JSON file."""
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    write_text(path, text, mode=mode)


FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns rows as CSV with a header; a column that a row lacks stays empty.

    Names of classes and files come from others, and a spreadsheet runs a cell that
    begins like a formula: such text gets an apostrophe before it (OWASP, CSV
    injection). Numbers stay as they are.
    """

    def as_text(value: Any) -> Any:
        is_formula = isinstance(value, str) and value.startswith(FORMULA_SIGNS)
        return f"'{value}" if is_formula else value

    stream = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(stream)
    writer.writerow(map(as_text, names))
    writer.writerows([as_text(row.get(name)) for name in names] for row in rows)
    return stream.getvalue()
