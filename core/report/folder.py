"""A report as a folder, or as a zip of one."""

import io
import re
import zipfile
from pathlib import Path

from core.errors import SketchScopeError, unreadable, unwritable
from core.files import TEMPORARY_PREFIX, new_folder, replacing
from core.report.page import GENERATOR

PAGE = "report.html"
MARK = f'<meta name="generator" content="{GENERATOR}">'
MARK_REACH = 4096
"""Bytes of a page that hold its mark."""

PARTIAL_PREFIX = ".report-"
"""A report that is being written lies in `.report-<process id>-<random>`."""

TABLE = re.compile(
    r"(runs|settings|classes|confusions|sketches|history|agreement|matrix-.+)\.csv"
)
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The same report is the same zip, bit for bit."""


def write_folder(files: dict[str, bytes], folder: Path) -> None:
    """Writes a report's files into a new or empty folder, or over an earlier report.

    Args:
        files: The content of each by its name.
        folder: Where to.

    Raises:
        SketchScopeError: If it holds anything that no report has written, or can't be
            written.
    """
    _check(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.is_dir() and any(folder.iterdir()):
            _replace(files, folder)
        else:
            with new_folder(folder, prefix=PARTIAL_PREFIX) as partial:
                for name, content in files.items():
                    (partial / name).write_bytes(content)
    except OSError as error:
        raise SketchScopeError(unwritable(folder, error)) from error


def zip_folder(files: dict[str, bytes], name: str) -> bytes:
    """Returns a report's files as a zip of one folder."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in files.items():
            entry = zipfile.ZipInfo(f"{name}/{file}", ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return stream.getvalue()


def _check(folder: Path) -> None:
    """Raises `SketchScopeError` if a folder holds what no report has written."""
    try:
        if not folder.exists():
            return
        if not folder.is_dir():
            raise SketchScopeError(
                "{folder} is a file. Choose another --output.", folder=folder
            )
        names = sorted(path.name for path in folder.iterdir())
        others = [name for name in names if not _is_ours(folder / name)]
        has_page = PAGE in names and PAGE not in others
    except OSError as error:
        raise SketchScopeError(unreadable(folder, error)) from error
    if others or (names and not has_page):
        unexpected = (others or names)[0]
        raise SketchScopeError(
            "{folder} holds other things than a report, such as {unexpected!r}. "
            "Choose another --output.",
            folder=folder,
            unexpected=unexpected,
        )


def _is_ours(path: Path) -> bool:
    """Returns whether a report has written a file."""
    if path.is_symlink() or not path.is_file():
        return False
    if path.name == PAGE:
        with path.open("rb") as stream:
            return MARK.encode() in stream.read(MARK_REACH)
    return bool(TABLE.fullmatch(path.name)) or path.name.startswith(TEMPORARY_PREFIX)


def _replace(files: dict[str, bytes], folder: Path) -> None:
    """Writes over an earlier report, file by file and the page last."""
    for name in sorted(files, key=lambda name: name == PAGE):
        with replacing(folder / name) as temporary:
            temporary.write_bytes(files[name])
    for path in folder.iterdir():
        if path.name not in files and _is_ours(path):
            path.unlink()
