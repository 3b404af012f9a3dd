"""Reads a folder or a zip of files the same way, trusting neither."""

import lzma
import zipfile
import zlib
from abc import ABC, abstractmethod
from pathlib import Path, PurePosixPath

from core.errors import DatasetError, quote, shorten

MAX_FILE_BYTES = 64 * 2**20
"""No list and no picture of a sketch comes near it."""

MAX_TOTAL_BYTES = 16 * 2**30
MAX_RATIO = 200
"""Deflate can't exceed about 1000; drawings on white reach 30 at most."""

RATIO_FLOOR_BYTES = 2**20
"""Below this size a high ratio harms no one."""


class Archive(ABC):
    """A tree of files named by relative POSIX paths."""

    origin: str

    @abstractmethod
    def names(self) -> list[str]:
        """Returns every file's path, sorted."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Returns one file's content; safe to call from several threads.

        Raises:
            DatasetError: If it is absent, unreadable, or larger than
                `MAX_FILE_BYTES`.
        """


def open_archive(path: Path) -> Archive:
    """Opens a folder or a zip file.

    Raises:
        DatasetError: If it is neither, or a zip that is damaged, encrypted, or
            has an entry that points outside or expands absurdly.
    """
    try:
        if path.is_dir():
            return _Folder(path)
        path.stat()
    except FileNotFoundError as error:
        raise DatasetError(f"{path} does not exist.") from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} can't be opened: {error}.") from error
    return _Zip(path)


class _Folder(Archive):
    def __init__(self, path: Path) -> None:
        self.origin = str(path)
        self._root = path.resolve()

    def names(self) -> list[str]:
        names = sorted(
            path.relative_to(self._root).as_posix()
            for path in self._root.rglob("*")
            if path.is_file()
        )
        for name in names:
            if not name.isprintable():
                raise DatasetError(
                    f"{self.origin} has a file whose name can't be shown: {name!a}. "
                    "Rename it."
                )
        return names

    def read(self, name: str) -> bytes:
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            raise DatasetError(f"{name} points outside {self.origin}.")
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                raise DatasetError(f"{path} is larger than {MAX_FILE_BYTES:,} bytes.")
            return path.read_bytes()
        except OSError as error:
            raise DatasetError(f"{path} can't be read: {error.strerror}.") from error


class _Zip(Archive):
    def __init__(self, path: Path) -> None:
        self.origin = str(path)
        try:
            self._zip = zipfile.ZipFile(path)
            entries = self._zip.infolist()
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise DatasetError(f"{path} is not a readable zip: {error}.") from error
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            self._check(entry)
            if entry.is_dir():
                continue
            if entry.filename in self._entries:
                raise DatasetError(f"{path} holds {shorten(entry.filename)} twice.")
            self._entries[entry.filename] = entry
        if sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
            raise DatasetError(
                f"{path} would expand to more than {MAX_TOTAL_BYTES // 2**30} GiB."
            )

    def names(self) -> list[str]:
        return sorted(self._entries)

    def read(self, name: str) -> bytes:
        try:
            entry = self._entries[name]
        except KeyError as error:
            raise DatasetError(f"{self.origin} has no file {shorten(name)}.") from error
        try:
            return self._zip.read(entry)
        except (
            OSError,
            zipfile.BadZipFile,
            NotImplementedError,
            EOFError,
            RuntimeError,
            zlib.error,
            lzma.LZMAError,
        ) as error:
            raise DatasetError(
                f"{self.origin}: {shorten(name)} is damaged: {shorten(str(error))}."
            ) from error

    def _check(self, entry: zipfile.ZipInfo) -> None:
        """Refuses an entry that no honest archive of drawings holds."""
        where = f"{self.origin}: {quote(entry.filename)}"
        if not (entry.filename and entry.filename.isprintable()):
            raise DatasetError(f"{where} has a name that can't be shown. Rename it.")
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
            raise DatasetError(f"{where} points outside the archive.")
        if entry.flag_bits & 0x1:
            raise DatasetError(f"{where} is encrypted.")
        if entry.file_size > MAX_FILE_BYTES or (
            entry.file_size > RATIO_FLOOR_BYTES
            and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
        ):
            raise DatasetError(
                f"{where} would expand from {entry.compress_size:,} to "
                f"{entry.file_size:,} bytes; no drawing does."
            )
