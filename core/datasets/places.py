"""What sketches come in besides one folder or zip: a tar, a file, several of them."""

import tarfile
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from core.datasets.archives import (
    FILE_SUFFIXES,
    MAX_CONTAINER_BYTES,
    MAX_RATIO,
    MAX_TOTAL_BYTES,
    RATIO_FLOOR_BYTES,
    Archive,
    limit_of,
    open_archive,
    points_outside,
)
from core.datasets.names import show_name
from core.errors import DatasetError, quote, shorten, unreadable


def open_places(paths: Sequence[Path], *, encoding: str | None = None) -> Archive:
    """Opens a folder, zip, tar or file of sketches, or several as one tree.

    Of several, each is a folder of the tree, named after it; files lie beside them.

    Args:
        paths: One or more.
        encoding: What names are written in where an archive doesn't say so itself.

    Raises:
        DatasetError: As `open_archive` does; also if two places have one name.
    """
    if len(paths) == 1:
        return _open(paths[0], encoding=encoding)
    return _Several(paths, encoding=encoding)


def _open(path: Path, *, encoding: str | None) -> Archive:
    try:
        if path.is_file():
            if path.suffix.lower() in FILE_SUFFIXES:
                return _File(path)
            if tarfile.is_tarfile(path):
                return _Tar(path, encoding=encoding)
    except (OSError, ValueError, EOFError):
        pass  # `open_archive` says what is wrong.
    return open_archive(path, encoding=encoding)


class _File(Archive):
    """One file, as a folder that holds nothing else."""

    def __init__(self, path: Path) -> None:
        self.origin = str(path)
        self._path = path

    def names(self) -> list[str]:
        return [self._path.name]

    def read(self, name: str) -> bytes:
        if name != self._path.name:
            raise DatasetError(
                "{origin} has no file {name}.", origin=self.origin, name=shorten(name)
            )
        try:
            if self._path.stat().st_size > MAX_CONTAINER_BYTES:
                raise DatasetError(
                    "{path} is larger than {limit:,} bytes. Cut it: of an ndjson, "
                    "`head -n 10000` keeps the first ten thousand drawings.",
                    path=self._path,
                    limit=MAX_CONTAINER_BYTES,
                )
            return self._path.read_bytes()
        except OSError as error:
            raise DatasetError(unreadable(self._path, error)) from error


class _Tar(Archive):
    """A tar, compressed or not, whose files are unpacked once into one file.

    Compressed ones can't be read in any other order than from their beginning.
    """

    def __init__(self, path: Path, *, encoding: str | None) -> None:
        self.origin = str(path)
        # Gone when nobody reads it any more, whatever happens.
        self._content = tempfile.TemporaryFile()  # noqa: SIM115
        weakref.finalize(self, self._content.close)
        self._lock = threading.Lock()
        self._places: dict[str, tuple[int, int]] = {}
        folders, links = [], []
        limit = max(RATIO_FLOOR_BYTES, MAX_RATIO * path.stat().st_size)
        try:
            with tarfile.open(path, "r|*", encoding=encoding or "utf-8") as tar:
                for member in tar:
                    name = PurePosixPath(member.name.replace("\\", "/")).as_posix()
                    if member.isdir():
                        folders.append(name)
                    elif member.isfile():
                        self._add(tar, member, name, limit=limit)
                    elif member.issym() or member.islnk():
                        links.append(name)
        except (tarfile.TarError, OSError, EOFError, ValueError, LookupError) as error:
            raise DatasetError(
                "{path} is not a readable tar: {reason}.",
                path=path,
                reason=shorten(str(error)) or type(error).__name__,
            ) from error
        self.folders = tuple(sorted(name for name in folders if name != "."))
        self.links = tuple(sorted(links))

    def _add(
        self,
        tar: tarfile.TarFile,
        member: tarfile.TarInfo,
        name: str,
        *,
        limit: int,
    ) -> None:
        """Unpacks one file behind the others."""
        where = f"{self.origin}: {quote(name)}"
        if points_outside(name):
            raise DatasetError("{where} points outside the archive.", where=where)
        if name in self._places:
            raise DatasetError(
                "{origin} holds {name} twice.",
                origin=self.origin,
                name=shorten(show_name(name)),
            )
        start = self._content.tell()
        if member.size > limit_of(name) or start + member.size > limit:
            raise DatasetError(
                "{where} would expand absurdly; no drawing does.", where=where
            )
        if start + member.size > MAX_TOTAL_BYTES:
            raise DatasetError(
                "{origin} would expand to more than {most} GiB.",
                origin=self.origin,
                most=MAX_TOTAL_BYTES // 2**30,
            )
        stream = tar.extractfile(member)
        content = stream.read() if stream else b""
        self._content.write(content)
        self._places[name] = start, len(content)

    def names(self) -> list[str]:
        return sorted(self._places)

    def read(self, name: str) -> bytes:
        try:
            start, size = self._places[name]
        except KeyError as error:
            raise DatasetError(
                "{origin} has no file {name}.", origin=self.origin, name=shorten(name)
            ) from error
        with self._lock:
            self._content.seek(start)
            return self._content.read(size)


class _Several(Archive):
    """Several places, each a folder of one tree."""

    def __init__(self, paths: Sequence[Path], *, encoding: str | None) -> None:
        self.origin = ", ".join(map(str, paths))
        self._of: dict[str, tuple[Archive, str]] = {}
        self._parts: list[tuple[str, Archive]] = []
        self.doubts = ()
        seen: set[str] = set()
        for path in paths:
            part = _open(path, encoding=encoding)
            stem = path.resolve().name
            for suffix in (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz"):
                stem = stem.removesuffix(suffix)
            prefix = "" if isinstance(part, _File) else f"{stem}/"
            key = path.name if isinstance(part, _File) else stem
            if key in seen:
                raise DatasetError(
                    "Two of the places are called {name!r}. Rename one.", name=key
                )
            seen.add(key)
            self._parts.append((prefix, part))
            self.doubts += part.doubts

    def names(self) -> list[str]:
        for prefix, part in self._parts:
            for name in part.names():
                self._of[prefix + name] = part, name
        self.folders, self.links, self.closed = (
            tuple(prefix + n for prefix, part in self._parts for n in getattr(part, of))
            for of in ("folders", "links", "closed")
        )
        return sorted(self._of)

    def read(self, name: str) -> bytes:
        try:
            part, inner = self._of[name]
        except KeyError as error:
            raise DatasetError(
                "{origin} has no file {name}.", origin=self.origin, name=shorten(name)
            ) from error
        return part.read(inner)
