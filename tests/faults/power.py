"""What a power cut leaves of a folder, at the worst.

A file's content is on the disk once the file was synced, a name once its folder was.
What wasn't may be there or not; both extremes are told: every name with what was synced
of its content, and only the names that were synced.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Image = dict[str, bytes]
"""The content of every file by its path from the root."""

STEPS = ("fsync", "rename", "replace", "mkdir", "unlink", "remove", "rmdir")


class Disk:
    """A folder, and what of it a power cut would leave."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._contents: dict[int, bytes] = {}
        self._names: dict[int, dict[str, tuple[int, bool]]] = {}
        for folder, _, names in os.walk(root):
            for name in names:
                self._sync(Path(folder, name))
            self._sync(Path(folder))

    def images(self) -> Iterator[Image]:
        """Yields what is left if the power goes now, in both extremes."""
        yield {
            path.relative_to(self.root).as_posix(): self._contents.get(
                path.stat().st_ino, b""
            )
            for path in self.root.rglob("*")
            if path.is_file()
        }
        yield dict(self._synced(self.root.stat().st_ino, ""))

    def _synced(self, folder: int, where: str) -> Iterator[tuple[str, bytes]]:
        for name, (inode, is_folder) in self._names.get(folder, {}).items():
            if is_folder:
                yield from self._synced(inode, f"{where}{name}/")
            else:
                yield f"{where}{name}", self._contents.get(inode, b"")

    def _sync(self, path: Path) -> None:
        inode = path.stat().st_ino
        if path.is_dir():
            entries = os.scandir(path)
            self._names[inode] = {e.name: (e.inode(), e.is_dir()) for e in entries}
        else:
            self._contents[inode] = path.read_bytes()

    @contextmanager
    def watched(self, check: Callable[[], None]) -> Iterator[None]:
        """Notes what is synced, and calls `check` before and after each step."""
        with pytest.MonkeyPatch.context() as patch:
            for name in STEPS:
                patch.setattr(os, name, self._stepping(getattr(os, name), check))
            yield

    def _stepping(self, step: Callable[..., Any], check: Callable[[], None]) -> Any:
        def stepped(*arguments: Any, **options: Any) -> Any:
            check()
            answer = step(*arguments, **options)
            if step.__name__ == "fsync":
                self._sync(Path(f"/proc/self/fd/{arguments[0]}").readlink())
            check()
            return answer

        return stepped
