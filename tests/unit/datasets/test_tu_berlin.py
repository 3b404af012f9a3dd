"""The official archive, from a local server that serves one of the same form."""

import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.datasets import download as downloads
from core.datasets import eitz
from core.datasets.archives import open_archive
from core.datasets.download import download
from core.datasets.sources import add_dataset
from core.datasets.splits import GivenSplit
from core.datasets.tu_berlin import course_name, find_tu_berlin, is_tu_berlin
from core.errors import DatasetError, ImageError
from core.files import sha256
from core.paths import TRAINED_DIR
from core.runs.dataset import shipped_split
from core.sketches.images import to_sketch


class Server(ThreadingHTTPServer):
    """Serves one file with ranges, as far as it is told to.

    Attributes:
        content: The file.
        etag: Its version.
        cut_at: Bytes after which an answer breaks off, or None.
        ranges: The `Range` of every request.
        knows_ranges: Whether ranges are answered.
        status: An error to answer everything with, or 0.
    """

    def __init__(self) -> None:
        self.content = b""
        self.etag = '"one"'
        self.cut_at: int | None = None
        self.ranges: list[str | None] = []
        self.knows_ranges = True
        self.status = 0
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/sketches_png.zip"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        wanted = self.headers.get("Range")
        server.ranges.append(wanted)
        if server.status:
            self.send_error(server.status)
            return
        start = 0
        fresh = self.headers.get("If-Range") in (None, server.etag)
        if wanted and server.knows_ranges and fresh:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start else 200)
        self.send_header("ETag", server.etag)
        self.send_header("Content-Length", str(len(server.content) - start))
        self.end_headers()
        self.wfile.write(server.content[start : server.cut_at])

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expects 3 classes of 5, since 20,000 large drawings take minutes to make."""
    monkeypatch.setattr(eitz, "NUM_CLASSES", 3)
    monkeypatch.setattr(eitz, "SKETCHES_PER_CLASS", 5)


def picture(number: int, side: int = 1111) -> bytes:
    """A drawing that no other number has."""
    image = Image.new("L", (side, side), 255)
    x = 100 + 50 * number
    ImageDraw.Draw(image).line([(x, 200), (900, 900 - x // 2)], fill=0, width=6)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def archive(side: int = 1111, skip: int | None = None) -> bytes:
    """An archive of 3 classes of 5 in the official form."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zip_file:
        number = 0
        for name in ("alarm clock", "bear (animal)", "computer-mouse"):
            for _ in range(5):
                number += 1
                if number != skip:
                    zip_file.writestr(f"png/{name}/{number}.png", picture(number, side))
        zip_file.writestr("png/filelist.txt", "alarm clock/1.png\n")
    return stream.getvalue()


@pytest.mark.usefixtures("few")
def test_the_archive_is_downloaded_checked_and_packed(
    server: Server, data_dir: Path
) -> None:
    server.content = archive()
    told: dict[str, list[tuple[int, int]]] = {}

    def progress(title: str) -> object:
        return lambda done, total: told.setdefault(title, []).append((done, total))

    dataset = add_dataset(
        "tu-berlin",
        data_dir=data_dir,
        url=server.url,
        progress=progress,  # type: ignore[arg-type]
    )
    assert dataset.kind == "tu-berlin"
    assert dataset.class_names == ("alarm_clock", "bear_animal", "computer-mouse")
    assert (dataset.num_train, dataset.num_test) == (12, 3)
    assert "CC BY 4.0" in dataset.attribution
    assert [record.id for record in dataset.records] == [str(n + 1) for n in range(15)]
    with Image.open(io.BytesIO(picture(7))) as image:
        assert (dataset.images[6] == to_sketch(image)).all()
    assert told["Downloading"][-1] == (len(server.content), len(server.content))
    assert told["Packing sketches"][-1] == (15, 15)
    summary = (dataset.path / "dataset.json").read_text()
    assert sha256(data_dir / "downloads" / "sketches_png.zip") in summary


def test_a_download_that_broke_off_goes_on_where_it_was(
    server: Server, tmp_path: Path
) -> None:
    server.content = np.random.default_rng(0).bytes(2_000_000)
    server.cut_at = 700_000
    with pytest.raises(DatasetError, match="again to go on"):
        download(server.url, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()
    have = (tmp_path / "a.zip.part").stat().st_size
    assert 0 < have <= 700_000
    server.cut_at = None
    download(server.url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == server.content
    assert server.ranges[-1] == f"bytes={have}-"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    # The second time nothing is asked.
    asked = len(server.ranges)
    download(server.url, tmp_path / "a.zip")
    assert len(server.ranges) == asked


@pytest.mark.parametrize("change", ["etag", "no ranges"])
def test_a_file_that_changed_meanwhile_is_downloaded_whole(
    change: str, server: Server, tmp_path: Path
) -> None:
    server.content = b"a" * 1_000_000
    server.cut_at = 500_000
    with pytest.raises(DatasetError):
        download(server.url, tmp_path / "a.zip")
    server.cut_at = None
    server.content = b"b" * 1_100_000
    if change == "etag":
        server.etag = '"two"'
    else:
        server.knows_ranges = False
    download(server.url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == server.content


def test_a_server_that_refuses_or_is_absent_is_one_clear_error(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = downloads.RETRIES.new(backoff_factor=0.01)
    monkeypatch.setattr(downloads, "RETRIES", hurried)
    server.status = 404
    with pytest.raises(DatasetError, match="the server answered 404"):
        download(server.url, tmp_path / "a.zip")
    with pytest.raises(DatasetError, match="can't be reached"):
        download("http://127.0.0.1:9/a.zip", tmp_path / "a.zip")


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("skip", [1, 9])
def test_an_incomplete_archive_is_refused(skip: int, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(archive(side=20, skip=skip))
    with pytest.raises(DatasetError, match="14 drawings in 3 classes"):
        find_tu_berlin(tmp_path / "a.zip")


@pytest.mark.usefixtures("few")
def test_drawings_of_another_size_are_refused_by_name(
    tmp_path: Path, data_dir: Path
) -> None:
    (tmp_path / "a.zip").write_bytes(archive(side=256))
    with pytest.raises(ImageError, match=r"1\.png is 256 × 256 pixels, not 1111"):
        add_dataset(str(tmp_path / "a.zip"), data_dir=data_dir)


def test_the_full_form_is_250_classes_of_80(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zip_file:
        for number in range(20_000):
            zip_file.writestr(f"png/class {number // 80}/{number + 1}.png", b"")
    source = find_tu_berlin(tmp_path / "a.zip")
    assert len(source.class_names) == 250
    assert [record.id for record in source.records] == [
        str(number + 1) for number in range(20_000)
    ]
    splits = [record.split for record in source.records]
    assert (splits.count("train"), splits.count("test")) == (16_000, 4_000)
    assert is_tu_berlin(open_archive(tmp_path / "a.zip"))


@pytest.mark.usefixtures("few")
def test_the_split_of_networks_that_ship_is_taken_over(
    tmp_path: Path, data_dir: Path
) -> None:
    (tmp_path / "a.zip").write_bytes(archive())
    names = ("computer-mouse", "alarm_clock", "bear_animal")
    given = GivenSplit(names, frozenset({"2", "8", "9", "15"}))
    dataset = add_dataset(
        str(tmp_path / "a.zip"), data_dir=data_dir, find_split=lambda: given
    )
    assert dataset.class_names == names
    assert {r.id for r in dataset.records if r.split == "test"} == given.test_ids
    classes = [names[record.label] for record in dataset.records]
    assert classes == ["alarm_clock"] * 5 + ["bear_animal"] * 5 + ["computer-mouse"] * 5
    others = GivenSplit(("cat", "dog"), frozenset({"1"}))
    plain = add_dataset(
        str(tmp_path / "a.zip"),
        name="plain",
        data_dir=data_dir,
        find_split=lambda: others,
    )
    assert plain.num_test == 3


def test_networks_that_ship_have_one_split() -> None:
    split = shipped_split(TRAINED_DIR)
    assert split is not None
    assert (len(split.class_names), len(split.test_ids)) == (250, 4_000)


@pytest.mark.parametrize(
    ("official", "course"),
    [
        ("alarm clock", "alarm_clock"),
        ("bear (animal)", "bear_animal"),
        ("t-shirt", "t-shirt"),
        ("person walking", "person_walking"),
    ],
)
def test_class_names_are_written_as_in_the_course(official: str, course: str) -> None:
    assert course_name(official) == course
