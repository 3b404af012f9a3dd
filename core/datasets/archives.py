"""Reads a folder or a zip of files the same way, trusting neither."""

import os
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from pathlib import Path, PurePosixPath

from core.datasets.names import read_zip_names, show_name
from core.errors import DatasetError, Sentence, quote, shorten, unreadable
from core.files import read_regular
from core.paths import follow

MAX_FILE_BYTES = 64 * 2**20
"""No list and no picture of a sketch comes near it."""

FILE_SUFFIXES = (".ndjson", ".npy", ".npz")
"""Files that hold the sketches of a class, or of all, by themselves."""

MAX_CONTAINER_BYTES = 2**30
"""Of these; Quick, Draw!'s largest bitmaps of one class have a quarter of it."""

MAX_TOTAL_BYTES = 16 * 2**30
MAX_RATIO = 200
"""Deflate can't exceed about 1000; drawings on white reach 30 at most."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others unpack in blocks of up to gigabytes, before any size can be checked."""

RATIO_FLOOR_BYTES = 2**20
"""Below this size a high ratio harms no one."""


class Archive(ABC):
    """A tree of files named by relative POSIX paths."""

    origin: str
    folders: tuple[str, ...] = ()
    """Every folder that it tells of, empty ones among them."""

    links: tuple[str, ...] = ()
    """Folders that are links, which are not followed."""

    closed: tuple[str, ...] = ()
    """Folders that can't be listed, most often since this user may not."""

    doubts: tuple[Sentence, ...] = ()
    """What may have been read wrong."""

    @abstractmethod
    def names(self) -> list[str]:
        """Returns every file's path, sorted.

        Raises:
            DatasetError: If what is there can't be listed.
        """

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Returns one file's content; safe to call from several threads.

        Raises:
            DatasetError: If it is absent, unreadable, or larger than
                `limit_of` its name.
        """


def open_archive(path: Path, *, encoding: str | None = None) -> Archive:
    """Opens a folder or a zip file.

    Args:
        path: Where it is.
        encoding: What a zip's names are written in, where it doesn't say so itself.

    Raises:
        DatasetError: If it is neither, or a zip that is damaged, encrypted, or
            has an entry that points outside or expands absurdly.
    """
    try:
        if path.is_dir():
            return _Folder(path)
        path.stat()
    except FileNotFoundError as error:
        raise DatasetError("{path} does not exist.", path=path) from error
    except (OSError, ValueError) as error:
        raise DatasetError(
            "{path} can't be opened: {reason}.", path=path, reason=error
        ) from error
    return _Zip(path, encoding=encoding)


def limit_of(name: str) -> int:
    """Returns how large a file may be, in bytes, by its name."""
    is_container = PurePosixPath(name).suffix.lower() in FILE_SUFFIXES
    return MAX_CONTAINER_BYTES if is_container else MAX_FILE_BYTES


def points_outside(name: str) -> bool:
    """Returns whether a path leads out of the archive that it is in."""
    path = PurePosixPath(name)
    is_drive = bool(path.parts) and path.parts[0].endswith(":")
    return path.is_absolute() or ".." in path.parts or is_drive


def _kind(path: Path) -> int:
    """Returns what lies there, as `stat.S_IFMT` does; 0 where that can't be told.

    That is so of what is in a folder that may be listed and no more.
    """
    try:
        return stat.S_IFMT(path.lstat().st_mode)
    except OSError:
        return 0


class _Folder(Archive):
    def __init__(self, path: Path) -> None:
        self.origin = str(path)
        self._root = path.resolve()

    def names(self) -> list[str]:
        names: list[str] = []
        folders: list[str] = []
        links: list[str] = []
        closed: list[str] = []

        def pass_over(error: OSError) -> None:
            place = Path(error.filename)
            if place == self._root:
                raise DatasetError(unreadable(place, error)) from error
            closed.append(place.relative_to(self._root).as_posix())

        for place, inner, files in os.walk(self._root, onerror=pass_over):
            here = Path(place).relative_to(self._root)
            for name in inner:
                is_link = _kind(self._root / here / name) == stat.S_IFLNK
                (links if is_link else folders).append((here / name).as_posix())
            names += [
                (here / name).as_posix()
                for name in files
                # Neither pipes nor devices; what can't be read is told as that.
                if _kind(self._root / here / name) in (stat.S_IFREG, stat.S_IFLNK, 0)
            ]
        self.folders, self.links, self.closed = (
            tuple(sorted(found)) for found in (folders, links, closed)
        )
        return sorted(names)

    def read(self, name: str) -> bytes:
        path = follow(self._root / name)
        if not path.is_relative_to(self._root):
            raise DatasetError(
                "{name} points outside {origin}.", name=name, origin=self.origin
            )
        try:
            return read_regular(path, limit=limit_of(name))
        except OSError as error:
            raise DatasetError(unreadable(path, error)) from error


class _Zip(Archive):
    def __init__(self, path: Path, *, encoding: str | None) -> None:
        self.origin = str(path)
        try:
            self._zip = zipfile.ZipFile(path)
            entries = self._zip.infolist()
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            if not isinstance(error, OSError) and not zipfile.is_zipfile(path):
                raise DatasetError(
                    "{path} is neither a folder nor a zip or tar that can be read.",
                    path=path,
                ) from error
            raise DatasetError(
                "{path} is not a readable zip: {reason}.", path=path, reason=error
            ) from error
        self._entries: dict[str, zipfile.ZipInfo] = {}
        names, doubts = read_zip_names(entries, origin=self.origin, encoding=encoding)
        self.doubts = tuple(doubts)
        folders = []
        for entry, name in zip(entries, names, strict=True):
            self._check(entry, name)
            if name.endswith("/"):
                folders.append(name.rstrip("/"))
                continue
            if name in self._entries:
                raise DatasetError(
                    "{path} holds {name} twice.",
                    path=path,
                    name=shorten(show_name(name)),
                )
            self._entries[name] = entry
        self.folders = tuple(sorted(folders))
        if sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
            raise DatasetError(
                "{path} would expand to more than {most} GiB.",
                path=path,
                most=MAX_TOTAL_BYTES // 2**30,
            )

    def names(self) -> list[str]:
        return sorted(self._entries)

    def read(self, name: str) -> bytes:
        try:
            entry = self._entries[name]
        except KeyError as error:
            raise DatasetError(
                "{origin} has no file {name}.", origin=self.origin, name=shorten(name)
            ) from error
        try:
            # No more than one byte too many, whatever the archive says of itself.
            with self._zip.open(entry) as stream:
                content = stream.read(entry.file_size + 1)
            if len(content) != entry.file_size:
                raise zipfile.BadZipFile("it is not as long as the archive says")
            return content
        except (
            OSError,
            zipfile.BadZipFile,
            NotImplementedError,
            EOFError,
            RuntimeError,
            zlib.error,
        ) as error:
            raise DatasetError(
                "{origin}: {name} is damaged: {reason}.",
                origin=self.origin,
                name=shorten(name),
                reason=shorten(str(error)),
            ) from error

    def _check(self, entry: zipfile.ZipInfo, name: str) -> None:
        """Refuses an entry that no honest archive of drawings holds."""
        where = f"{self.origin}: {quote(name)}"
        if not name:
            raise DatasetError("{where} has no name.", where=where)
        if points_outside(name):
            raise DatasetError("{where} points outside the archive.", where=where)
        if entry.flag_bits & 0x1:
            raise DatasetError("{where} is encrypted.", where=where)
        if entry.compress_type not in METHODS:
            raise DatasetError(
                "{where} is compressed by a method that is not read. Make the zip "
                "anew, with deflate.",
                where=where,
            )
        if entry.file_size > limit_of(name) or (
            entry.file_size > RATIO_FLOOR_BYTES
            and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
        ):
            raise DatasetError(
                "{where} would expand from {packed:,} to {size:,} bytes; no drawing "
                "does.",
                where=where,
                packed=entry.compress_size,
                size=entry.file_size,
            )
