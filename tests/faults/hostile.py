"""Sends what is made to cost, and measures what it costs.

`python -m tests.faults.hostile` sends 2,000 messages and reads 500 things of each kind.

Messages go to a real server, beside a visitor whose answers are timed; pictures,
drawings and archives are read here. One holds if it is taken or refused in a sentence
within `MAX_S` of processor time, and what reads it stays under `MAX_BYTES`; messages
hold if 95 % of the visitor's answers come within `MAX_ANSWER_S`.
"""

import argparse
import asyncio
import io
import math
import os
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.random import Generator
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from core.datasets.sources import add_dataset
from core.errors import SketchScopeError
from core.sketches.canvas import parse_canvas
from core.sketches.images import MAX_VISITOR_PIXELS
from core.sketches.reading import read_drawing
from core.sketches.strokes import guessable_sketch
from tests.browser.server import serving
from tests.browser.visitors import visiting
from tests.faults.bad_input import HOSTILE
from tests.processes import apart, peak_bytes

MAX_S = 20.0
MAX_ANSWER_S = 2.0
MAX_BYTES = 1.5e9
BATCH = 20
"""Messages between two of the visitor's."""

Case = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """What came of one kind.

    Attributes:
        kind: What was tried.
        tried: How many.
        slowest_s: The slowest; of messages what 95 % of answers come within.
        peak_bytes: The most memory that what reads it had.
        failures: What did not hold.
    """

    kind: str
    tried: int
    slowest_s: float
    peak_bytes: int
    failures: tuple[str, ...]


def pictures(generator: Generator, _: Path) -> Iterator[Case]:
    """Small files of many pixels, up to the limit and beyond."""
    forms = (("PNG", "L"), ("PNG", "RGBA"), ("PNG", "1"), ("JPEG", "RGB"), ("GIF", "P"))
    while True:
        pixels = MAX_VISITOR_PIXELS * float(generator.uniform(0.05, 1.1))
        shape = math.exp(float(generator.uniform(-3, 3)))
        width, height = max(1, int(math.sqrt(pixels * shape))), 0
        height = max(1, int(pixels / width))
        form, mode = forms[generator.integers(len(forms))]
        image = Image.new("L", (width, height), 255)
        image.paste(0, (width // 4, height // 4, width // 2, height // 4 + 9))
        stream = io.BytesIO()
        image.convert(mode).save(stream, form)
        yield partial(
            read_drawing,
            stream.getvalue(),
            name="It",
            max_pixels=MAX_VISITOR_PIXELS,
        )


def drawings(generator: Generator, _: Path) -> Iterator[Case]:
    """Strokes far beyond the canvas, very wide, very many, and erasers."""
    while True:
        num_paths = int(generator.choice([1, 10, 100, 1000]))
        per_path = 4000 // num_paths
        reach = 10.0 ** float(generator.uniform(1, 6))
        paths = []
        for _number in range(num_paths):
            points = generator.uniform(-reach, reach, (per_path, 2)).tolist()
            paths.append(
                {
                    "type": "path",
                    "path": [
                        ["M" if n == 0 else "L", *p] for n, p in enumerate(points)
                    ],
                    "stroke": str(generator.choice(["#000", "#ffffff", "#fff"])),
                    "strokeWidth": float(generator.choice([1, 5, 40, 1e4])),
                    "left": 0,
                    "top": 0,
                }
            )
        yield partial(_guessed, {"objects": paths})


def _guessed(canvas: dict[str, Any]) -> object:
    return guessable_sketch(parse_canvas(canvas, width=360, height=360))


def archives(generator: Generator, folder: Path) -> Iterator[Case]:
    """Zips that unpack to far more than they are, or than they say, or hold the like.

    Some have lists that name costly pictures, so that those are read.
    """
    path = folder / "costly.zip"
    methods = (zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
    while True:
        size = int(10 ** float(generator.uniform(4, 7.9)))
        # So much of each 20,000 bytes can't be packed: a ratio of 20 to 1,000.
        kept = int(generator.integers(10, 1000))
        block = generator.bytes(kept) + bytes(20_000 - kept)
        filler = (block * (size // len(block) + 1))[:size]
        side = int(generator.integers(1000, 7500))
        stream = io.BytesIO()
        Image.new("L", (side, side), 255).save(stream, "PNG")
        members = {
            "mapping.txt": b"house\t0\nkey\t1\n",
            "train.txt": b"house/1.png\t0\nkey/1.png\t1\n",
            "test.txt": b"house/2.png\t0\nkey/2.png\t1\n",
        } | {
            f"{name}/{number}.png": stream.getvalue()
            for name in ("house", "key")
            for number in (1, 2)
        }
        struck = list(members)[int(generator.integers(len(members)))]
        members[struck] = filler if generator.integers(3) else members[struck]
        with zipfile.ZipFile(path, "w", int(generator.choice(methods))) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        if generator.integers(2):
            said = len(members[struck]).to_bytes(4, "little")
            lie = int(generator.integers(1, 5000)).to_bytes(4, "little")
            path.write_bytes(path.read_bytes().replace(said, lie))
        yield partial(_added, path, folder)


def _added(path: Path, folder: Path) -> object:
    try:
        return add_dataset(str(path), name="costly", data_dir=folder / "data")
    finally:
        shutil.rmtree(folder / "data" / "datasets", ignore_errors=True)


COSTLY = {"pictures": pictures, "drawings": drawings, "archives": archives}


def read_costly(kind: str, *, cases: int, seed: int, folder: Path) -> Row:
    """Reads costly things of one kind, in this process."""
    stream = COSTLY[kind](np.random.default_rng(seed), folder)
    failures: list[str] = []
    slowest_s = 0.0
    for number in range(cases):
        case = next(stream)
        started = time.process_time()
        try:
            case()
        except SketchScopeError:
            pass
        except Exception as error:
            failures.append(f"case {number}: {type(error).__name__}: {error}"[:300])
        duration_s = time.process_time() - started
        slowest_s = max(slowest_s, duration_s)
        if duration_s > MAX_S:
            failures.append(f"case {number}: {duration_s:.1f} s")
    peak = peak_bytes()
    if peak > MAX_BYTES:
        failures.append(f"{peak / 1e6:.0f} MB")
    return Row(kind, cases, slowest_s, peak, tuple(failures))


def hostile_message(generator: Generator) -> bytes:
    """Returns what no browser would send, or not so often."""
    message = BackMsg()
    match int(generator.integers(6)):
        case 0:
            return generator.bytes(int(generator.integers(1, 200)))
        case 1:
            setattr(
                message, str(generator.choice(["clear_cache", "stop_script"])), True
            )
        case 2:
            message.load_git_info = True
        case _:
            state = message.rerun_script
            word = HOSTILE[int(generator.integers(len(HOSTILE)))]
            word = word.encode("utf-8", "replace").decode()
            state.page_name = str(generator.choice(["draw", "runs", word]))
            state.query_string = f"run={word}&class={word}&set={word}"
            state.fragment_id = str(generator.choice(["", word]))
            size = int(10 ** float(generator.uniform(0, 5.5)))
            state.widget_states.widgets.append(
                WidgetState(id=f"$$ID-0-{word}", json_value="[" * size)
            )
            pressed = bool(generator.integers(2))
            state.widget_states.widgets.append(
                WidgetState(id=word, trigger_value=pressed)
            )
    return bytes(message.SerializeToString())


async def _exchange(
    address: str, process: psutil.Process, count: int, seed: int
) -> Row:
    generator = np.random.default_rng(seed)
    durations_s: list[float] = []
    failures: list[str] = []
    peak = 0

    async def open_one() -> ClientConnection:
        return await connect(
            f"{address.replace('http', 'ws', 1)}/_stcore/stream",
            origin=address,  # type: ignore[arg-type]
            max_size=None,
        )

    async with visiting(address, "/draw") as (visitor, _):
        socket = await open_one()
        for number in range(count):
            try:
                await socket.send(hostile_message(generator))
            except ConnectionClosed:
                socket = await open_one()
            if number % BATCH == BATCH - 1:
                answer = await visitor.rerun()
                durations_s.append(answer.duration_s)
                failures += answer.problems
                peak = max(peak, process.memory_info().rss)
        await socket.close()
    within_s = float(np.quantile(durations_s, 0.95))
    if within_s > MAX_ANSWER_S:
        failures.append(f"95 % within {within_s:.1f} s")
    if peak > MAX_BYTES:
        failures.append(f"{peak / 1e6:.0f} MB")
    return Row("messages", count, within_s, peak, tuple(failures))


def send_messages(*, count: int, seed: int, data_dir: Path) -> Row:
    """Sends a real server hostile messages, beside a visitor."""
    with serving(data_dir) as server:
        process = psutil.Process(server.process.pid)
        return apart(
            lambda: asyncio.run(_exchange(server.address, process, count, seed))
        )


def main() -> None:
    """Prints a row of the table for each kind; ends with 1 if anything did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--costly", type=int, default=500, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="sketchscope-hostile-") as root:
        os.environ["SKETCHSCOPE_DATA"] = root
        rows = (
            *(
                partial(
                    read_costly,
                    kind,
                    cases=arguments.costly,
                    seed=arguments.seed,
                    folder=Path(root),
                )
                for kind in COSTLY
            ),
            partial(
                send_messages,
                count=arguments.messages,
                seed=arguments.seed,
                data_dir=Path(root),
            ),
        )
        for make in rows:
            row = make()
            sys.stdout.write(
                f"{row.kind:10} {row.tried:5} tried, {row.slowest_s:6.2f} s, "
                f"{row.peak_bytes / 1e6:6.0f} MB, {len(row.failures)} failed\n"
            )
            for failure in row.failures[:20]:
                sys.stdout.write(f"  {failure!r}\n")
            sys.stdout.flush()
            failed = failed or bool(row.failures)
    sys.exit(failed)


if __name__ == "__main__":
    main()
