"""Small files that are replaced whole, so that a reader never meets half of one."""

import csv
import errno
import hashlib
import io
import json
import os
import re
import shutil
import stat
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

TEMPORARY_PREFIX = ".writing-"
REMOVING_TRIES = 5

MAX_READ_BYTES = 256 * 2**20
"""Of a file that is read at once; those of a run or dataset have some megabytes."""


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[Path]:
    """Gives a temporary path beside `path` and renames it there at the end.

    The content is on the disk before the rename, so that even a power cut leaves
    either the old file or the new one, and the new one once this has ended. After an
    error the old one stays. Nobody else can read it before it has its `mode`.
    """
    handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(mode)
        sync(temporary)
        rename(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path, *, prefix: str, is_shared: bool = False) -> Iterator[Path]:
    """Makes a folder, all or nothing: it is renamed to `path` at the end.

    All that it holds is on the disk before, as by `replacing`.

    Until then it is `<prefix><process id>-<random>` beside it, and nothing is left of
    it after an error. What killed processes have left of theirs is deleted first.

    Args:
        path: Where it is to be, in a folder that is there; an empty one is replaced.
        prefix: Of the hidden name; it has one `-`, at its end.
        is_shared: Whether other machines write there, whose processes nobody knows
            here; then leftovers stay.

    Raises:
        OSError: If it can't be made, or another has taken its place meanwhile.
    """
    for left in () if is_shared else list_folder(path.parent, f"{prefix}*"):
        if is_abandoned(left):
            shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=path.parent))
    try:
        yield made
        made.chmod(0o755)
        for folder, _, names in os.walk(made, topdown=False):
            for name in names:
                sync(Path(folder, name))
            sync(Path(folder))
        rename(made, path)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def free_name(wish: str, folders: Sequence[Path], *, max_stem: int) -> str | None:
    """Returns a name as near to a wish as can be that nothing in some folders has.

    Accents go, whatever else stands in no name of ours becomes a hyphen, and a name
    that is taken gets a number; None if nothing is left.

    Args:
        wish: Any text.
        folders: Where the name is to be unused; one need not be there.
        max_stem: Letters that are kept, before the number.
    """
    plain = unicodedata.normalize("NFKD", wish).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).lstrip("._-")[:max_stem].rstrip("-")
    if not stem:
        return None
    name, number = stem, 2
    while any((folder / name).exists() for folder in folders):
        name, number = f"{stem}-{number}", number + 1
    return name


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, so that a power cut leaves them there."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def rename(source: Path, target: Path) -> None:
    """Renames a file over another or a folder, so that a power cut leaves it there."""
    source.replace(target)
    # In this order, it has two names for a moment rather than none.
    sync(target.parent)
    if source.parent != target.parent:
        sync(source.parent)


def sync(path: Path) -> None:
    """Waits until a file's content, or a folder's list of names, is on the disk."""
    is_windows = os.name == "nt"
    if is_windows and path.is_dir():
        # There a folder can't be opened, and is written with its files.
        return
    handle = os.open(path, os.O_RDWR if is_windows else os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network drives can't do so for a folder.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir():
            raise
    finally:
        os.close(handle)


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
    """Deletes a folder of which others may delete parts at the same time.

    Who had looked it up before it was renamed may write one more file into it.
    """

    def pass_over_gone(_function: Any, _path: str, error: Any) -> None:
        if not isinstance(error[1], FileNotFoundError):
            raise error[1]

    for tries_left in reversed(range(REMOVING_TRIES)):
        try:
            shutil.rmtree(path, onerror=pass_over_gone)
            return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY or not tries_left:
                raise


def open_regular(path: Path) -> io.BufferedReader:
    """Opens a file for reading that may have come from anywhere.

    A pipe would wait for ever and a device never end; a folder from elsewhere may hold
    either, or a link to one.

    Raises:
        OSError: If it can't be read, or is no regular file.
    """
    # Else opening a pipe waits for somebody to write.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    stream = open(handle, "rb")  # noqa: PTH123, SIM115
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return stream


def read_regular(path: Path, *, limit: int = MAX_READ_BYTES) -> bytes:
    """Reads a regular file that is no larger than a limit.

    Raises:
        OSError: If it can't be read, is no regular file, or is larger.
    """
    with open_regular(path) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit:,} bytes", str(path))
    return content


def load_array(path: Path) -> NDArray[np.generic]:
    """Memory-maps an array file, which may hold no Python objects.

    Raises:
        OSError: If it can't be read.
        ValueError: If it is damaged.
    """
    open_regular(path).close()
    try:
        array: NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
    # The header is read by Python's own parser, the file of no bytes by none.
    except (EOFError, SyntaxError, TokenError) as error:
        raise ValueError("it is no array file") from error
    return array


def sha256(path: Path) -> str:
    """Returns the hex digest of a file's content."""
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replaces a UTF-8 text file."""
    with replacing(path, mode=mode) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any, *, mode: int = 0o644) -> None:
    """Replaces a JSON file."""
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    write_text(path, text, mode=mode)


FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


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
