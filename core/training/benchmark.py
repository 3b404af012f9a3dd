"""Measures training throughput: ours, its upper bound, and the report's way.

*bare* is `train_on_batch` on one batch that stays in memory: what the network alone
allows. *ours* is a step of our training: the packed array, augmented. *report* is
`ImageDataGenerator.flow_from_dataframe` on PNG files in a process of its own, once
as TensorFlow sets itself up on this CPU and once with oneDNN off, which is how it
sets itself up on a CPU without AVX-512.
"""

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from core.datasets.archives import open_archive
from core.datasets.folders import picture_names
from core.datasets.store import Dataset
from core.errors import SketchScopeError
from core.paths import REPOSITORY_DIR
from core.runs.config import Settings
from core.runs.recipes import make_settings
from core.training.backend import load_backend
from models import NETWORKS

BATCH_SIZE = 64
WARM_UP_STEPS = 3


def benchmark_training(
    dataset: Dataset,
    *,
    pngs: Path | None = None,
    steps: int = 12,
    rounds: int = 3,
) -> list[dict[str, Any]]:
    """Measures every network at 128 px and batch 64.

    The ways take turns, so that what else the machine does meets all alike.

    Args:
        dataset: Feeds the training.
        pngs: A zip or folder of PNG files in class folders; None leaves the
            report's way out.
        steps: Steps timed in each round.
        rounds: How often each way has its turn.

    Returns:
        A row each network and way: `network`, `way`, `images_per_s` (median over
        rounds), `ratio` to bare (median of the rounds' ratios), and the rounds.

    Raises:
        SketchScopeError: If there are too few pictures for a batch, or the
            report's way fails.
    """
    if len(dataset.indices("train")) < BATCH_SIZE:
        raise SketchScopeError(
            f"Dataset {dataset.name!r} has fewer than {BATCH_SIZE} training sketches."
        )
    load_backend()
    rows = []
    for network in NETWORKS:
        measured = _measure_ours(network, dataset, steps=steps, rounds=rounds)
        if pngs is not None:
            with tempfile.TemporaryDirectory() as folder:
                _unpack(pngs, Path(folder), count=(steps + WARM_UP_STEPS) * BATCH_SIZE)
                for way, one_dnn in (
                    ("report, TensorFlow's defaults here", "default"),
                    ("report, oneDNN off", "0"),
                ):
                    measured[way] = [
                        _measure_report(
                            Path(folder), network, steps=steps, one_dnn=one_dnn
                        )
                        for _ in range(rounds)
                    ]
        for way, speeds in measured.items():
            ratios = [a / b for a, b in zip(speeds, measured["bare"], strict=True)]
            rows.append(
                {
                    "network": network,
                    "way": way,
                    "images_per_s": statistics.median(speeds),
                    "ratio": statistics.median(ratios),
                    "rounds": [round(speed, 1) for speed in speeds],
                }
            )
    return rows


def _settings(network: str) -> Settings:
    """Returns recipe `best` at one size, 128 px."""
    return make_settings(
        network,
        "best",
        {
            "batch_size": BATCH_SIZE,
            "image_sizes": (128,),
            "image_size_shares": (1.0,),
        },
    )


def _measure_ours(
    network_name: str, dataset: Dataset, *, steps: int, rounds: int
) -> dict[str, list[float]]:
    """Returns images a second of the bare and of our way, a figure a round."""
    from core.training.batches import batches, epoch_order
    from core.training.model import build_training_model, compile_model

    settings = _settings(network_name)
    model = build_training_model(
        network_name, dataset.num_classes, settings, steps_per_epoch=steps
    )
    network = model.network
    bare = compile_model(
        network.__class__(network.input, network.output),
        settings,
        steps_per_epoch=steps,
    )

    def step(images: Any, targets: Any) -> None:
        network.train_on_batch(*model.prepare(images, targets))

    def feed() -> Iterator[tuple[Any, Any]]:
        for epoch in itertools.count():
            order = epoch_order(
                dataset.indices("train"), seed=0, epoch=epoch, batch_size=BATCH_SIZE
            )
            yield from batches(dataset, order, batch_size=BATCH_SIZE)

    images, targets = next(feed())
    ink = (1 - images[..., None] / 255).astype(np.float32)
    ways = {
        "bare": (bare.train_on_batch, itertools.repeat((ink, targets))),
        "ours": (step, feed()),
    }
    speeds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (train, data) in ways.items():
            for batch in itertools.islice(data, WARM_UP_STEPS):
                train(*batch)
            started = time.perf_counter()
            for batch in itertools.islice(data, steps):
                train(*batch)
            seconds = time.perf_counter() - started
            speeds[way].append(steps * BATCH_SIZE / seconds)
    return speeds


def _unpack(pngs: Path, folder: Path, *, count: int) -> None:
    """Copies pictures, taken evenly from all, into class folders."""
    archive = open_archive(pngs)
    names = picture_names(archive)
    if len(names) < count:
        raise SketchScopeError(f"{pngs} holds fewer than {count} pictures.")
    for name in names[:: len(names) // count][:count]:
        path = PurePosixPath(name)
        target = folder / path.parent.name / path.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(archive.read(name))


def _measure_report(folder: Path, network: str, *, steps: int, one_dnn: str) -> float:
    """Runs `core.training.benchmark_report` and returns its images a second."""
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "core.training.benchmark_report",
            str(folder),
            network,
            str(steps),
            one_dnn,
        ],
        cwd=REPOSITORY_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise SketchScopeError(
            f"The report's way failed: {result.stderr.strip().splitlines()[-1:]}"
        )
    return float(json.loads(result.stdout.splitlines()[-1])["images_per_s"])
