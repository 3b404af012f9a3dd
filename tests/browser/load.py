"""Many visitors at once: `python -m tests.browser.load --visitors 20 --seconds 120`.

Starts a server on an empty data folder, lets visitors without a browser draw on the
screen Draw, each a stroke every few seconds, and prints one JSON document: how long
the answers took, what went wrong, and how much memory the server held.

`--browsers 10` lets ten more go from screen to screen. `--training` trains meanwhile,
and tells how fast it was beside an idle server and beside these visitors.
"""

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.random import Generator
from websockets.exceptions import WebSocketException

from core.datasets.sources import add_dataset
from core.datasets.starter import draw
from core.runs.create import create_run
from core.runs.launch import launch_training
from core.runs.reading import read_run
from core.runs.status import ACTIVE_STATES
from core.runs.stopping import request_stop
from tests.browser.server import serving
from tests.browser.visitors import Answer, Drawing, Visitor, visiting

PATH = "/draw"
CANVAS = "canvas_0"
"""The canvas's key: all that is known of the page."""

THINGS = ("house", "key", "spider", "sun", "fish", "sailboat")

PAUSE_S = (2.0, 4.0)
"""Between the beginnings of two strokes; longer where the answer takes longer."""

MEMORY_INTERVAL_S = 10.0

BROWSED = ("/", "/classes", "/confusion", "/curves", "/train?run=training", "/dataset")
ALONE_S = 60.0
"""For so long a training's speed is measured beside an idle server."""


@dataclass
class Record:
    """What has happened so far, to all visitors together.

    Attributes:
        strokes_s: How long each stroke's answer took.
        latencies: The numbers that the page showed and the pattern found.
        errors: Exceptions on the page, and connections that broke.
        pages_s: How long each screen that was opened took.
        memory_mb: Seconds since the first stroke, and what the server then held.
    """

    strokes_s: list[float] = field(default_factory=list)
    pages_s: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory_mb: list[tuple[float, float]] = field(default_factory=list)


def load(
    *,
    visitors: int,
    seconds: float,
    browsers: int = 0,
    training: bool = False,
    latency: str | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Lets visitors draw on a fresh server.

    Args:
        visitors: How many draw at the same time.
        seconds: For how long they draw, once all have the page open.
        browsers: How many more go from screen to screen.
        training: Whether a network is trained meanwhile.
        latency: A regular expression whose first group is a number that the page
            shows after a stroke, such as `([0-9.]+) ms`.
        seed: Of what they draw and when.

    Returns:
        What `python -m tests.browser.load` prints.
    """
    pattern = None if latency is None else re.compile(latency)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        process = psutil.Process(server.process.pid)
        with _training(Path(folder)) if training else nullcontext() as steps_done:
            alone = _steps_per_s(steps_done, ALONE_S) if steps_done else None
            began, steps = time.monotonic(), steps_done() if steps_done else 0
            result = asyncio.run(
                _load(
                    server.address,
                    process,
                    visitors=visitors,
                    browsers=browsers,
                    seconds=seconds,
                    pattern=pattern,
                    seed=seed,
                )
            )
            if steps_done and alone:
                beside = (steps_done() - steps) / (time.monotonic() - began)
                result["training"] = {
                    "steps_per_s_alone": round(alone, 3),
                    "steps_per_s_beside": round(beside, 3),
                    "ratio": round(beside / alone, 3),
                }
        return result


@contextmanager
def _training(data_dir: Path) -> Iterator[Callable[[], int]]:
    """Trains as the dashboard does, until the end; tells how many steps are done."""
    add_dataset("starter", data_dir=data_dir)
    run_dir = create_run(
        "simple",
        "starter",
        "best",
        data_dir=data_dir,
        run_id="training",
        overrides={"epochs": 1000},
    )
    launch_training(run_dir, data_dir=data_dir)

    def steps_done() -> int:
        status = read_run(run_dir).status
        assert status.state in ACTIVE_STATES, status.message
        return status.epoch * status.steps_per_epoch + status.step

    while steps_done() < 20:
        time.sleep(0.5)
    try:
        yield steps_done
    finally:
        request_stop(run_dir)
        while read_run(run_dir).state == "running":
            time.sleep(0.2)


def _steps_per_s(steps_done: Callable[[], int], seconds: float) -> float:
    before = steps_done()
    time.sleep(seconds)
    return (steps_done() - before) / seconds


async def _load(
    address: str,
    server: psutil.Process,
    *,
    visitors: int,
    browsers: int,
    seconds: float,
    pattern: re.Pattern[str] | None,
    seed: int,
) -> dict[str, Any]:
    record = Record()
    at_start_mb = _memory_mb(server)
    own_cpu = time.process_time()
    async with AsyncExitStack() as stack:
        opened = await asyncio.gather(
            *(
                stack.enter_async_context(visiting(address, PATH))
                for _ in range(visitors)
            )
        )
        for _, first in opened:
            record.errors.extend(first.problems)
        began = time.monotonic()
        watching = asyncio.create_task(_watch_memory(server, record))
        drawing = (
            _draw_strokes(
                visitor,
                record,
                generator=np.random.default_rng([seed, number]),
                until=began + seconds,
                pattern=pattern,
            )
            for number, (visitor, _) in enumerate(opened)
        )
        browsing = (
            _browse(
                address,
                record,
                generator=np.random.default_rng([seed, visitors + number]),
                until=began + seconds,
            )
            for number in range(browsers)
        )
        await asyncio.gather(*drawing, *browsing)
        duration_s = time.monotonic() - began
        watching.cancel()
        record.memory_mb.append((round(duration_s, 1), _memory_mb(server)))
    return {
        "visitors": visitors,
        "browsers": browsers,
        "seconds": round(duration_s, 1),
        "strokes": len(record.strokes_s),
        "errors": len(record.errors),
        "first_errors": record.errors[:5],
        "answer_s": _spread(record.strokes_s),
        "page_s": _spread(record.pages_s),
        "latency": _spread(record.latencies),
        "open_s": _spread([first.duration_s for _, first in opened]),
        "server_mb_at_start": at_start_mb,
        "server_mb": record.memory_mb,
        "client_cpu_s": round(time.process_time() - own_cpu, 1),
    }


async def _draw_strokes(
    visitor: Visitor,
    record: Record,
    *,
    generator: Generator,
    until: float,
    pattern: re.Pattern[str] | None,
) -> None:
    """Draws one thing after the other, on a clean canvas each, until the time is up."""
    # Nobody begins with the others.
    await asyncio.sleep(generator.uniform(0, PAUSE_S[1]))
    while True:
        drawing = Drawing(visitor.component(CANVAS))
        for stroke in draw(generator.choice(THINGS), generator):
            if time.monotonic() >= until:
                return
            began = time.monotonic()
            value = drawing.add(stroke).value()
            try:
                answer = await visitor.send(CANVAS, value)
            except (OSError, LookupError, WebSocketException) as error:
                record.errors.append(repr(error))
                return
            _note(answer, record, pattern)
            pause = generator.uniform(*PAUSE_S) - (time.monotonic() - began)
            await asyncio.sleep(max(pause, 0))


async def _browse(
    address: str, record: Record, *, generator: Generator, until: float
) -> None:
    """Opens one screen after the other until the time is up."""
    while True:
        await asyncio.sleep(generator.uniform(*PAUSE_S))
        if time.monotonic() >= until:
            return
        path, _, query = str(generator.choice(BROWSED)).partition("?")
        try:
            async with visiting(address, path, query=query) as (_, answer):
                record.errors.extend(answer.problems)
                record.pages_s.append(answer.duration_s)
        except (OSError, WebSocketException) as error:
            record.errors.append(repr(error))


def _note(answer: Answer, record: Record, pattern: re.Pattern[str] | None) -> None:
    if answer.problems:
        record.errors.extend(answer.problems)
    else:
        record.strokes_s.append(answer.duration_s)
    if pattern is not None:
        record.latencies.extend(
            float(found[1]) for text in answer.texts for found in pattern.finditer(text)
        )


async def _watch_memory(server: psutil.Process, record: Record) -> None:
    began = time.monotonic()
    while True:
        seconds = round(time.monotonic() - began, 1)
        record.memory_mb.append((seconds, _memory_mb(server)))
        await asyncio.sleep(MEMORY_INTERVAL_S)


def _memory_mb(server: psutil.Process) -> float:
    """Returns what a process and its children hold in memory."""
    processes = [server, *server.children(recursive=True)]
    held: int = sum(p.memory_info().rss for p in processes)
    return round(held / 1e6, 1)


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {
        "median": round(float(np.median(values)), 4),
        "p95": round(float(np.percentile(values, 95)), 4),
        "max": round(max(values), 4),
    }


def _main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--browsers", type=int, default=0)
    parser.add_argument("--training", action="store_true")
    parser.add_argument(
        "--latency", metavar="REGEX", help="such as '([0-9.]+) ms'; see `load`"
    )
    parser.add_argument("--seed", type=int, default=0)
    result = load(**vars(parser.parse_args()))
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    _main()
