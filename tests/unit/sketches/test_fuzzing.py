"""Hundreds of damaged pictures and folders are read or refused in a sentence."""

import io
import os
import zipfile
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from core.datasets.folders import find_folders
from core.errors import SketchScopeError
from core.sketches.reading import as_sketch, read_drawing
from tests.faults.bad_input import mutants
from tests.processes import peak_bytes

CASES = int(os.environ.get("SKETCHSCOPE_FUZZ", "240"))
"""`SKETCHSCOPE_FUZZ=2000 python -m pytest -n 0` with this file tries more."""

MAX_BYTES = 300 * 2**20

SVG = b'<svg viewBox="0 0 9 9"><path d="M1 1 L8 8 C1 2 3 4 5 6z" stroke="red"/></svg>'
NDJSON = b'{"word": "sun", "drawing": [[[0, 9, 20], [4, 30, 1]]]}\n' * 3


def sound() -> list[bytes]:
    """A file of each form of pictures that is read."""
    picture = Image.new("L", (60, 50), 255)
    ImageDraw.Draw(picture).line((8, 8, 50, 40, 20, 44), fill=0, width=3)
    forms = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
    files = [SVG]
    for form in forms:
        picture.save(stream := io.BytesIO(), form)
        files.append(stream.getvalue())
    return files


def test_damaged_pictures_are_read_or_refused() -> None:
    generator = np.random.default_rng(7)
    streams = [mutants(file, generator) for file in sound()]
    contents = [next(s) for _ in range(CASES // len(streams)) for s in streams]
    before = peak_bytes()
    refused = sum(
        not is_held(partial(read_drawing, content, name="x")) for content in contents
    )
    assert peak_bytes() - before < MAX_BYTES
    assert 0 < refused < CASES


def is_held(read: Callable[[], object]) -> bool:
    """Reads; says whether that went well. Any other error than ours is raised."""
    said = None
    try:
        read()
    except SketchScopeError as error:
        said = str(error)
    assert said is None or 0 < len(said) < 1000
    assert "\n" not in (said or "")
    return said is None


def test_boxes_on_pictures_of_any_shape_are_read_or_told_blank() -> None:
    generator = np.random.default_rng(1)
    grays = (255, 254, 250, 200, 128, 0)
    held = 0
    for number in range(CASES):
        height, width = np.exp(generator.uniform(0, 5.5, 2)).astype(int)
        picture = np.full((height, width), grays[number % len(grays)], np.uint8)
        for _ in range(generator.integers(6)):
            top, left = generator.integers(height), generator.integers(width)
            box = (
                slice(top, top + generator.integers(1, height + 1)),
                slice(left, left + generator.integers(1, width + 1)),
            )
            picture[box] = generator.integers(256)
        image = Image.fromarray(picture)
        held += is_held(partial(as_sketch, image, name="x"))
    assert 0 < held < CASES


def bitmaps() -> bytes:
    np.save(stream := io.BytesIO(), np.zeros((3, 784), dtype=np.uint8))
    return stream.getvalue()


def archive(generator: Generator, content: bytes) -> bytes:
    """A zip with a damaged file under some name that archives have."""
    names = ("sun/1.png", "train/sun/2.svg", "q/sun.ndjson", "sun.npy", "a\\b.png")
    odd = ("../x.png", "sun/\ud7ff.png", "sun/.png", "/sun/3.png", "sun//4.gif")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as members:
        for name in generator.choice([*names, *odd], size=3, replace=False):
            members.writestr(str(name), content)
    return stream.getvalue()


def test_damaged_folders_and_archives_are_read_or_refused(tmp_path: Path) -> None:
    generator = np.random.default_rng(8)
    streams = [mutants(f, generator) for f in (*sound(), NDJSON, bitmaps())]
    path = tmp_path / "bad.zip"

    def read() -> None:
        source = find_folders(path)
        for record in source.records:
            is_held(partial(source.read, record))

    refused = 0
    for number in range(CASES // 2):
        content = archive(generator, next(streams[number % len(streams)]))
        if number % 2:
            content = next(islice(mutants(content, generator), 6, None))
        path.write_bytes(content)
        refused += not is_held(read)
    assert 0 < refused < CASES // 2
