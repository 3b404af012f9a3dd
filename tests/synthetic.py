"""Makes up large evaluated runs: `python -m tests.synthetic FOLDER`.

Writes runs into a data folder that could have been trained, of as many classes and test
sketches as wanted, to see how the dashboard bears them:

    python -m tests.synthetic FOLDER --classes 1000 --sketches 100000 --runs 2

Every class is a point in a space of few dimensions, every sketch a point near its
class's; what lies between two classes is taken for either. Some classes are drawn more
carelessly than others, the runs share most of what is hard in a sketch, and a hundredth
of the labels is wrong. There is no dataset to it, so pages show names and numbers.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.calibration import calibration
from core.analysis.classes import measure_classes
from core.analysis.confidences import measure_confidences
from core.analysis.metrics import fit_temperature
from core.analysis.statistics import wilson_interval
from core.datasets.store import Dataset
from core.runs.config import RunConfig
from core.runs.create import create_run_dir
from core.runs.evaluation import Evaluation, write_evaluation
from core.runs.folder import lock_run
from core.runs.reading import write_history
from core.runs.recipes import make_settings
from core.runs.status import Status, utc_now, write_status

WIDTH = 8
"""Dimensions of the embedding."""

NETWORKS = ("resnet18", "simple")
RECIPE = "best"
CARELESS = (0.8, 1.3)
"""How far the sketches of a class scatter, as factors of the mean."""

NEAREST = 3.4
"""Distance to the nearest other class over a sketch's scatter in each dimension; with
it about 7 of 10 are recognised."""

WRONG_LABELS = 0.01
SHARED = 0.8
"""Of a sketch's scatter, what the runs share."""

BOLDNESS = 0.55
"""Logits are multiplied by it, so that runs are underconfident, as ours are."""

CALIBRATED_ON = 2000
EPOCHS = 5
CHUNK = 4096


def embeddings(
    classes: int, sketches: int, *, runs: int, seed: int = 0
) -> tuple[NDArray[np.int32], NDArray[np.float32], list[NDArray[np.float32]], float]:
    """Makes up labels, the classes' places, and each run's places of the sketches.

    Returns:
        Labels of shape `(sketches,)`; places of shape `(classes, WIDTH)`; for each run
        places of shape `(sketches, WIDTH)`; and their mean scatter.
    """
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(classes, WIDTH)).astype(np.float32)
    sample = centres[: min(classes, 500)]
    distance = np.linalg.norm(sample[:, None] - centres[None], axis=2)
    distance[np.arange(len(sample)), np.arange(len(sample))] = np.inf
    scatter = float(distance.min(axis=1).mean()) / NEAREST
    label = np.resize(np.arange(classes, dtype=np.int32), sketches)
    generator.shuffle(label)
    carelessness = generator.uniform(*CARELESS, size=(classes, 1)).astype(np.float32)

    def noise() -> NDArray[np.float32]:
        drawn = generator.normal(size=(sketches, WIDTH)).astype(np.float32)
        return np.asarray(scatter * carelessness[label] * drawn, dtype=np.float32)

    shared = noise()
    places = [
        centres[label]
        + SHARED * shared
        + (1 - SHARED**2) ** 0.5 * (1 + run / 4) * noise()
        for run in range(runs)
    ]
    is_wrong = generator.random(sketches) < WRONG_LABELS
    label[is_wrong] = generator.integers(classes, size=int(is_wrong.sum()))
    return label, centres, places, scatter


def answer(
    place: NDArray[np.float32], centres: NDArray[np.float32], *, scatter: float
) -> tuple[NDArray[np.float16], NDArray[np.int32]]:
    """Returns logits, by distance, and guesses of sketches, chunk by chunk."""
    logits = np.empty((len(place), len(centres)), dtype=np.float16)
    guesses = np.empty(len(place), dtype=np.int32)
    squares = (centres**2).sum(axis=1)
    for start in range(0, len(place), CHUNK):
        part = slice(start, start + CHUNK)
        exact = (place[part] @ centres.T - squares / 2) * (BOLDNESS / scatter**2)
        guesses[part] = exact.argmax(axis=1)
        logits[part] = exact - exact.mean(axis=1, keepdims=True)
    return logits, guesses


def make_evaluation(
    run_id: str,
    network: str,
    y_true: NDArray[np.int32],
    place: NDArray[np.float32],
    centres: NDArray[np.float32],
    *,
    scatter: float,
) -> Evaluation:
    """Makes up what an evaluation would have left, metrics included."""
    logits, y_pred = answer(place, centres, scatter=scatter)
    n, classes = logits.shape
    centred = place - place.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    evaluation = Evaluation(
        metrics={
            "temperature": fit_temperature(
                y_true[:CALIBRATED_ON], logits[:CALIBRATED_ON].astype(np.float32)
            )
        },
        class_names=tuple(
            f"thing {label:0{len(str(classes))}}" for label in range(classes)
        ),
        ids=tuple(map(str, range(1, n + 1))),
        y_true=y_true,
        y_pred=y_pred,
        logits=logits,
        embedding=place.astype(np.float16),
        map_2d=np.asarray(centred @ axes.T, dtype=np.float32),
    )
    temperature = evaluation.metrics["temperature"]
    before, after = measure_confidences(evaluation, [1.0, temperature])
    right = int(before.is_right.sum())
    metrics: dict[str, Any] = {
        "run_id": run_id,
        "network": network,
        "dataset": "synthetic",
        "dataset_fingerprint": f"{classes} {n}",
        "split_fingerprint": f"{classes} {n}",
        "split": "test",
        "n": n,
        "num_classes": classes,
        "top1": right / n,
        "top5": float((evaluation.true_rank <= 5).mean()),
        "loss": before.nll,
        "ece": calibration(before).ece,
        "top1_interval": list(wilson_interval(right, n)),
        "temperature": temperature,
        "loss_calibrated": after.nll,
        "ece_calibrated": calibration(after).ece,
        "image_size": 128,
        "num_parameters": 1_000_000,
        "duration_s": 1.0,
        "evaluated_at": utc_now().isoformat(timespec="seconds"),
    }
    return replace(evaluation, metrics=metrics)


def write_run(data_dir: Path, evaluation: Evaluation) -> Path:
    """Writes the whole folder of a run that has this evaluation."""
    metrics = evaluation.metrics
    network = metrics["network"]
    config = RunConfig(
        run_id=metrics["run_id"],
        network=network,
        dataset=metrics["dataset"],
        dataset_fingerprint=metrics["dataset_fingerprint"],
        split_fingerprint=metrics["split_fingerprint"],
        attribution="Made up.",
        class_names=evaluation.class_names,
        recipe=RECIPE,
        settings=make_settings(network, RECIPE, {"epochs": EPOCHS}),
        created_at=metrics["evaluated_at"],
    )
    run_dir = create_run_dir(config, data_dir=data_dir)
    lock = lock_run(run_dir)
    try:
        write_history(run_dir, history(metrics))
        class_metrics = measure_classes(
            evaluation.y_true, evaluation.y_pred, class_names=evaluation.class_names
        )
        write_evaluation(
            run_dir, evaluation, class_rows=[asdict(figure) for figure in class_metrics]
        )
        write_status(
            run_dir,
            Status("finished", epoch=EPOCHS, epochs=EPOCHS, elapsed_s=60.0 * EPOCHS),
        )
    finally:
        lock.release()
    return run_dir


def history(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Makes up epochs that end at an evaluation's figures."""
    rows = []
    for epoch in range(1, EPOCHS + 1):
        share = epoch / EPOCHS
        top1, loss = share * metrics["top1"], metrics["loss"] / share
        rows.append(
            {
                "epoch": epoch,
                "step": 100 * epoch,
                "loss": loss,
                "top1": top1,
                "val_loss": loss,
                "val_top1": top1,
                "elapsed_s": 60.0 * epoch,
            }
        )
    return rows


def write_runs(
    data_dir: Path, *, classes: int, sketches: int, runs: int, seed: int = 0
) -> list[Path]:
    """Writes made up runs into a data folder and returns their folders."""
    y_true, centres, places, scatter = embeddings(
        classes, sketches, runs=runs, seed=seed
    )
    return [
        write_run(
            data_dir,
            make_evaluation(
                f"synthetic-{number + 1}",
                NETWORKS[number % len(NETWORKS)],
                y_true,
                place,
                centres,
                scatter=scatter,
            ),
        )
        for number, place in enumerate(places)
    ]


def write_runs_on(dataset: Dataset, data_dir: Path) -> list[Path]:
    """Writes a made up run of each network on the test sketches of a dataset."""
    rows = dataset.indices("test")
    y_true, centres, places, scatter = embeddings(
        dataset.num_classes, len(rows), runs=2, seed=0
    )
    written = []
    for network, place in zip(NETWORKS, places, strict=True):
        evaluation = make_evaluation(
            f"made-up-{network}", network, y_true, place, centres, scatter=scatter
        )
        metrics = {
            **evaluation.metrics,
            "dataset": dataset.name,
            "dataset_fingerprint": dataset.fingerprint,
            "split_fingerprint": dataset.split_fingerprint,
        }
        evaluation = replace(
            evaluation,
            metrics=metrics,
            class_names=dataset.class_names,
            ids=tuple(dataset.records[row].id for row in rows),
            y_true=dataset.labels[rows].astype(np.int32),
        )
        written.append(write_run(data_dir, evaluation))
    return written


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.synthetic")
    parser.add_argument("folder", type=Path, help="a data folder, made if need be")
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--sketches", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=2)
    chosen = parser.parse_args(arguments)
    for run_dir in write_runs(
        chosen.folder,
        classes=chosen.classes,
        sketches=chosen.sketches,
        runs=chosen.runs,
    ):
        print(run_dir)  # noqa: T201


if __name__ == "__main__":
    main()
