"""Whatever picture a visitor sends, reading it is bounded."""

import io
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from core.errors import ImageError
from core.sketches import images
from core.sketches.images import MAX_VISITOR_PIXELS, to_gray
from core.sketches.reading import read_drawing
from pages.parts.draw import picture
from pages.parts.draw.picture import MAX_UPLOAD_MB, read_once
from tests.conftest import REPOSITORY

MAX_MB = 450
"""It was more than three times that."""

SIDE = int(MAX_VISITOR_PIXELS**0.5)
LARGE: dict[str, tuple[Callable[[], Image.Image], str]] = {
    "16 bits": (lambda: Image.fromarray(np.full((SIDE, SIDE), 9, np.uint16)), "PNG"),
    "RGBA": (lambda: Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 9)), "PNG"),
    "LA": (lambda: Image.new("LA", (SIDE, SIDE), (0, 9)), "PNG"),
    "WebP": (lambda: Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 9)), "WEBP"),
    "CMYK": (lambda: Image.new("CMYK", (SIDE, SIDE)), "JPEG"),
}

READ = """
import sys
from pathlib import Path
import scipy.ndimage, skimage.morphology
from core.errors import ImageError
from core.sketches.images import MAX_VISITOR_PIXELS
from core.sketches.reading import read_drawing
from tests.processes import peak_bytes
before = peak_bytes()
try:
    content = Path(sys.argv[1]).read_bytes()
    read_drawing(content, name="It", max_pixels=MAX_VISITOR_PIXELS)
except ImageError:
    pass
print((peak_bytes() - before) // 2**20)
"""


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def square(side: int = 400) -> Image.Image:
    image = Image.new("L", (side, side), 255)
    image.paste(0, (side // 4, side // 4, side // 2, side // 4 + 8))
    image.paste(0, (side // 4, side // 4, side // 4 + 8, side // 2))
    return image


def uploaded(content: bytes, *, file_id: str) -> UploadedFile:
    record = UploadedFileRec(file_id, "it.png", "image/png", content)
    return UploadedFile(record, FileURLs())


@pytest.mark.slow
@pytest.mark.parametrize("kind", LARGE)
def test_no_picture_takes_much_memory(kind: str, tmp_path: Path) -> None:
    make, form = LARGE[kind]
    options = {"lossless": True} if form == "WEBP" else {"progressive": True}
    make().save(tmp_path / "large", form, **options)
    words = [sys.executable, "-c", READ, str(tmp_path / "large")]
    done = subprocess.run(words, check=True, capture_output=True, cwd=REPOSITORY)
    assert int(done.stdout) < MAX_MB


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("reduce", [1, 3])
def test_a_picture_in_bands_is_the_picture(
    mode: str, reduce: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (101, 67, 4), dtype=np.uint8)
    image = Image.fromarray(noise[..., 0].astype(np.uint16) * 200)
    if mode != "I;16":
        image = Image.fromarray(noise).convert(mode)
    whole = to_gray(image, reduce=reduce)
    monkeypatch.setattr(images, "BAND_PIXELS", 500)
    assert (np.asarray(to_gray(image, reduce=reduce)) == np.asarray(whole)).all()
    plain = to_gray(image).reduce(reduce)
    assert (np.asarray(plain) == np.asarray(whole)).all()


def test_a_visitor_s_picture_has_fewer_pixels() -> None:
    content = png(Image.new("1", (SIDE + 1, SIDE + 1)))
    with pytest.raises(ImageError, match="pixels; at most"):
        read_drawing(content, name="It", max_pixels=MAX_VISITOR_PIXELS)


def test_an_upload_is_read_once_and_one_at_a_time() -> None:
    first = read_once(uploaded(png(square()), file_id="a"))
    # Of the same upload nothing is read any more.
    assert (read_once(uploaded(b"no picture", file_id="a")) == first).all()
    with pytest.raises(ImageError):
        read_once(uploaded(b"no picture", file_id="b"))
    thread = threading.Thread(
        target=read_once, args=(uploaded(png(square()), file_id="c"),)
    )
    with picture.one_at_a_time:
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(60)
    assert not thread.is_alive()


def test_an_upload_of_more_than_the_page_says_is_refused() -> None:
    content = bytes(MAX_UPLOAD_MB * 2**20 + 1)
    with pytest.raises(ImageError, match="more than 20 MB"):
        read_once(uploaded(content, file_id="d"))


def test_the_server_takes_no_more_than_the_pages_say() -> None:
    text = (REPOSITORY / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    server = tomllib.loads(text)["server"]
    assert server["maxUploadSize"] == MAX_UPLOAD_MB
    assert server["maxMessageSize"] <= 20
    assert server["maxWidgetStateSize"] <= 5
