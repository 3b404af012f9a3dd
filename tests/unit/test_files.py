"""Files from elsewhere are read in bounded time and memory."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.datasets.archives import open_archive
from core.errors import DatasetError
from core.files import MAX_READ_BYTES, load_array, open_regular, read_regular, sha256
from core.sketches.images import read_sketch


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def huge(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(MAX_READ_BYTES + 1)


@pytest.mark.parametrize("make", [pipe, endless, folder, huge])
def test_what_is_no_file_or_endless_is_not_read(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path / "x")
    with pytest.raises(OSError, match=r"regular file|larger|directory"):
        read_regular(tmp_path / "x")


@pytest.mark.parametrize("make", [pipe, endless, folder])
@pytest.mark.parametrize("read", [open_regular, load_array, sha256])
def test_no_reader_waits_for_what_is_no_file(
    make: Callable[[Path], None], read: Callable[[Path], object], tmp_path: Path
) -> None:
    make(tmp_path / "x")
    with pytest.raises(OSError, match=r"regular file|directory"):
        read(tmp_path / "x")


def test_a_picture_that_is_a_pipe_is_refused(tmp_path: Path) -> None:
    pipe(tmp_path / "x.png")
    with pytest.raises(Exception, match="regular file"):
        read_sketch(tmp_path / "x.png", name="x.png")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_another_method_than_deflate_is_refused(
    method: int, tmp_path: Path
) -> None:
    # Of bzip2, 3,885 bytes took 6 GB.
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("cat/1.png", bytes(1000))
    with pytest.raises(DatasetError, match="a method that is not read"):
        open_archive(tmp_path / "a.zip")


def test_no_more_is_unpacked_than_an_archive_says(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "a.zip"
    size = 300 * 2**20
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cat/1.png", bytes(size))
    said = (1000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), said))
    tracemalloc.start()
    with pytest.raises(DatasetError, match="damaged"):
        open_archive(path).read("cat/1.png")
    assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    tracemalloc.stop()
