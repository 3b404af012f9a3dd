"""Many visitors at once: `python -m tests.browser.load --visitors 20 --seconds 120`.

Starts a server on an empty data folder, lets visitors without a browser draw on the
screen Draw, each a stroke every few seconds, and prints one JSON document: how long
the answers took, what went wrong, and how much memory the server held.
"""

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.random import Generator
from websockets.exceptions import WebSocketException

from core.datasets.starter import draw
from tests.browser.server import serving
from tests.browser.visitors import Answer, Drawing, Visitor, visiting

PATH = "/draw"
CANVAS = "canvas_0"
"""The canvas's key: all that is known of the page."""

THINGS = ("house", "key", "spider", "sun", "fish", "sailboat")

PAUSE_S = (2.0, 4.0)
"""Between the beginnings of two strokes; longer where the answer takes longer."""

MEMORY_INTERVAL_S = 10.0


@dataclass
class Record:
    """What has happened so far, to all visitors together.

    Attributes:
        strokes_s: How long each stroke's answer took.
        latencies: The numbers that the page showed and the pattern found.
        errors: Exceptions on the page, and connections that broke.
        memory_mb: Seconds since the first stroke, and what the server then held.
    """

    strokes_s: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory_mb: list[tuple[float, float]] = field(default_factory=list)


def load(
    *, visitors: int, seconds: float, latency: str | None = None, seed: int = 0
) -> dict[str, Any]:
    """Lets visitors draw on a fresh server.

    Args:
        visitors: How many there are at the same time.
        seconds: For how long they draw, once all have the page open.
        latency: A regular expression whose first group is a number that the page
            shows after a stroke, such as `([0-9.]+) ms`.
        seed: Of what they draw and when.

    Returns:
        What `python -m tests.browser.load` prints.
    """
    pattern = None if latency is None else re.compile(latency)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        process = psutil.Process(server.process.pid)
        return asyncio.run(
            _load(
                server.address,
                process,
                visitors=visitors,
                seconds=seconds,
                pattern=pattern,
                seed=seed,
            )
        )


async def _load(
    address: str,
    server: psutil.Process,
    *,
    visitors: int,
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
        await asyncio.gather(*drawing)
        duration_s = time.monotonic() - began
        watching.cancel()
        record.memory_mb.append((round(duration_s, 1), _memory_mb(server)))
    return {
        "visitors": visitors,
        "seconds": round(duration_s, 1),
        "strokes": len(record.strokes_s),
        "errors": len(record.errors),
        "first_errors": record.errors[:5],
        "answer_s": _spread(record.strokes_s),
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
    parser.add_argument(
        "--latency", metavar="REGEX", help="such as '([0-9.]+) ms'; see `load`"
    )
    parser.add_argument("--seed", type=int, default=0)
    result = load(**vars(parser.parse_args()))
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    _main()
