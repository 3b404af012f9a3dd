"""What a power cut leaves of a folder.

At the worst: a file's content is on the disk once the file was synced, a name once its
folder was. What wasn't may be there or not; `Disk` tells both extremes: every name with
what was synced of its content, and only the names that were synced.

And on a real file system: `Ext4` copies the disk under a folder while it is written to,
which is what a cut leaves of it, and lets the kernel repair the copy as after a cut.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

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
        with watched(check, self._sync):
            yield


class Ext4:
    """A folder on a disk of its own, with what is in it now, while the context lasts.

    Needs the rights to mount. When the context ends, the folder is as it was before.
    """

    SIZE = "48M"

    def __init__(self, root: Path, scratch: Path) -> None:
        self.root = root
        self._disk = scratch / "disk"
        self._copy = scratch / "copy"
        self._mounted = scratch / "mounted"
        self._mounted.mkdir()
        self._copies = 0

    def __enter__(self) -> Self:
        _run("mkfs.ext4", "-q", "-d", str(self.root), str(self._disk), self.SIZE)
        _run("mount", "-o", "loop", str(self._disk), str(self.root))
        return self

    def __exit__(self, *_: object) -> None:
        _run("umount", str(self.root))

    def cut(self) -> None:
        """Keeps the disk as a power cut would leave it now."""
        # Copies no holes.
        _run("cp", "--sparse=always", str(self._disk), f"{self._copy}{self._copies}")
        self._copies += 1

    def images(self) -> Iterator[Image]:
        """Yields what the kernel finds on the disks that were kept, in order."""
        for number in range(self._copies):
            copy = f"{self._copy}{number}"
            _run("mount", "-o", "loop", copy, str(self._mounted))
            try:
                yield read_image(self._mounted)
            finally:
                _run("umount", str(self._mounted))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Cuts before and after each step."""
        with watched(self.cut, lambda _: None):
            yield


def can_mount() -> bool:
    """Returns whether `Ext4` works here."""
    return (
        os.geteuid() == 0
        and shutil.which("mkfs.ext4") is not None
        and Path("/dev/loop-control").exists()
    )


def read_image(root: Path) -> Image:
    """Reads all files of a folder."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


@contextmanager
def watched(
    check: Callable[[], None], on_sync: Callable[[Path], None]
) -> Iterator[None]:
    """Calls `check` before and after each step, and `on_sync` with what was synced."""
    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(os, name, _stepping(getattr(os, name), check, on_sync))
        yield


def _stepping(
    step: Callable[..., Any],
    check: Callable[[], None],
    on_sync: Callable[[Path], None],
) -> Any:
    def stepped(*arguments: Any, **options: Any) -> Any:
        check()
        answer = step(*arguments, **options)
        if step.__name__ == "fsync":
            on_sync(Path(f"/proc/self/fd/{arguments[0]}").readlink())
        check()
        return answer

    return stepped


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
