"""Scores a trained run on the test sketches of a dataset, all of them, once."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from core.analysis.classes import class_figures
from core.analysis.metrics import METRICS, fit_temperature
from core.analysis.statistics import wilson_interval
from core.datasets.store import Dataset
from core.errors import RunError
from core.runs.config import RunConfig
from core.runs.dataset import validation_split
from core.runs.evaluation import Evaluation, to_probabilities
from core.runs.reading import read_train_keys
from core.runs.status import utc_now
from core.sketches.images import PAPER
from core.training.augmentation import SketchInput
from core.training.backend import whole_batches
from core.training.batches import batches
from core.training.networks import load_network

BATCH_SIZE = 128
MAP_SEED = 0
MAP_PERPLEXITY = 30.0
MAP_COMPONENTS = 50
"""The customary reduction before t-SNE (van der Maaten and Hinton 2008)."""

NAMED_OVERLAPS = 3

VIEW_SHIFTS_PX = (0, 5, -5)
"""Of the six views, in pixels of the packed 128. A network that halves the picture
again and again answers differently to a line that lies between two of its cells; so
many pixels are about a third of the 16 that a cell of ResNet-18's last block but one
takes, and no multiple of any step. Whole pixels leave lines as sharp as they are, which
zooming doesn't, and 4 % of the side is less than every recipe with augmentation moves
sketches in training. Chosen by these reasons, not by trial."""

MIN_CALIBRATION_MISTAKES = 10
"""With fewer on validation, the fit knows no bounds; probabilities are left alone."""


def evaluate_run(
    run_dir: Path,
    config: RunConfig,
    dataset: Dataset,
    *,
    calibration: Mapping[str, Any] | None = None,
) -> tuple[Evaluation, list[dict[str, Any]]]:
    """Scores a run on the test part of a dataset.

    Args:
        run_dir: A run with weights.
        config: Its config.
        dataset: The run's own dataset, or another with the same classes in any
            order or some of them, none of whose test sketches the run has seen in
            training.
        calibration: What the figures are to say of the `temperature` to use, and
            `temperature_from`, if that was fitted on the validation part of another
            run, or of none; None fits one on that of the run's own dataset.

    Returns:
        The evaluation, and one row of figures a class.

    Raises:
        RunError: If the weights are missing or damaged, the dataset has other
            classes or no test sketches, or the run has seen some of them.
    """
    started = time.monotonic()
    if not dataset.num_test:
        raise RunError(
            f"Dataset {dataset.name!r} has no test sketches to score run "
            f"{run_dir.name!r} on. Name another with --dataset."
        )
    _refuse_seen(run_dir, dataset)
    own_label = label_map(run_dir, config, dataset)
    network = load_network(run_dir, config)
    # One for all that is asked of it: a new one is traced anew, which takes a second.
    predictor = build_predictor(network, config)
    rows = dataset.indices("test")
    logits, embedding = predict(predictor, config, dataset, rows)
    y_true = own_label[dataset.labels[rows]]
    if calibration is None:
        if dataset.fingerprint != config.dataset_fingerprint:
            raise RunError(
                f"Run {run_dir.name!r} is not calibrated yet; evaluate it on its own "
                f"dataset {config.dataset!r} first."
            )
        _, val_rows = validation_split(dataset, config.settings)
        val_logits, _ = predict(predictor, config, dataset, val_rows)
        val_true = own_label[dataset.labels[val_rows]]
        mistakes = int((val_logits.argmax(axis=1) != val_true).sum())
        temperature = 1.0
        if mistakes >= MIN_CALIBRATION_MISTAKES:
            temperature = fit_temperature(val_true, val_logits)
        calibration = {"temperature": temperature}
    probabilities = to_probabilities(logits)
    calibrated = to_probabilities(logits, temperature=calibration["temperature"])
    averaged = average_views(predictor, config, dataset, rows, probabilities)
    y_pred = logits.argmax(axis=1)
    correct = int((y_pred == y_true).sum())
    metrics: dict[str, Any] = {
        "run_id": run_dir.name,
        "network": config.network,
        "dataset": dataset.name,
        "dataset_fingerprint": dataset.fingerprint,
        "split_fingerprint": dataset.split_fingerprint,
        "split": "test",
        "n": len(rows),
        "num_classes": len(config.class_names),
        **{name: m.compute(y_true, probabilities) for name, m in METRICS.items()},
        "top1_interval": wilson_interval(correct, len(rows)),
        **{
            name: METRICS["top1"].compute(y_true, mean)
            for name, mean in averaged.items()
        },
        **calibration,
        **{
            f"{name}_calibrated": METRICS[name].compute(y_true, calibrated)
            for name in ("loss", "ece")
        },
        "image_size": config.settings.test_image_size,
        "num_parameters": network.count_params(),
        "duration_s": round(time.monotonic() - started, 3),
        "evaluated_at": utc_now().isoformat(timespec="seconds"),
    }
    figures = class_figures(y_true, y_pred, class_names=config.class_names)
    evaluation = Evaluation(
        metrics=metrics,
        class_names=config.class_names,
        ids=tuple(dataset.records[row].id for row in rows),
        y_true=y_true.astype(np.int32),
        y_pred=y_pred.astype(np.int32),
        logits=_to_half(logits),
        embedding=_to_half(embedding),
        map_2d=map_2d(embedding),
    )
    return evaluation, [asdict(figure) for figure in figures]


def average_views(
    predictor: keras.Model,
    config: RunConfig,
    dataset: Dataset,
    rows: NDArray[np.int64],
    probabilities: NDArray[np.floating],
) -> dict[str, NDArray[np.floating]]:
    """Averages a network's answers over several views of each sketch.

    Args:
        predictor: A trained network's; see `build_predictor`.
        config: Its run's.
        dataset: Where the sketches are.
        rows: Which of them.
        probabilities: Its answers to the sketches as they are.

    Returns:
        Mean probabilities over a sketch and its mirror image, by the name
        `top1_flip_averaged`, and over those two at each of `VIEW_SHIFTS_PX`, by the
        name `top1_six_view_averaged`; shapes are that of `probabilities`.
    """

    def answer(*, mirrored: bool, shift_px: int) -> NDArray[np.floating]:
        logits, _ = predict(
            predictor, config, dataset, rows, mirrored=mirrored, shift_px=shift_px
        )
        return to_probabilities(logits)

    both = probabilities + answer(mirrored=True, shift_px=0)
    views = both.copy()
    for shift_px in VIEW_SHIFTS_PX:
        for mirrored in (False, True):
            if shift_px:
                views += answer(mirrored=mirrored, shift_px=shift_px)
    return {
        "top1_flip_averaged": both / 2,
        "top1_six_view_averaged": views / (2 * len(VIEW_SHIFTS_PX)),
    }


def shifted(images: NDArray[np.uint8], shift_px: int) -> NDArray[np.uint8]:
    """Moves sketches right and down, or left and up, over blank paper.

    Args:
        images: Gray values of shape `(n, height, width)`.
        shift_px: How far each way, in whole pixels: lines stay as they are. What is
            moved over the edge is lost.
    """
    moved = np.full_like(images, PAPER)
    height, width = images.shape[1:]
    low, high = max(shift_px, 0), min(shift_px, 0)
    moved[:, low : height + high, low : width + high] = images[
        :, -high : height - low, -high : width - low
    ]
    return moved


def predict(
    predictor: keras.Model,
    config: RunConfig,
    dataset: Dataset,
    rows: NDArray[np.int64],
    *,
    mirrored: bool = False,
    shift_px: int = 0,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Runs a network over rows of a dataset.

    Args:
        predictor: A trained network's; see `build_predictor`.
        config: Its run's.
        dataset: Where the sketches are.
        rows: Which of them.
        mirrored: Whether to swap left and right first.
        shift_px: How far to move them then; see `shifted`.

    Returns:
        Logits of shape `(n, num_classes)` and embeddings of shape `(n, width)`.
    """
    found = answers(
        predictor, config, dataset, rows, mirrored=mirrored, shift_px=shift_px
    )
    parts = zip(*found, strict=True)
    logits, embedding = map(np.concatenate, parts)
    return logits, embedding


def answers(
    predictor: keras.Model,
    config: RunConfig,
    dataset: Dataset,
    rows: NDArray[np.int64],
    *,
    mirrored: bool = False,
    shift_px: int = 0,
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yields what `predict` returns, batch by batch.

    Raises:
        RunError: If the network answers with what is no number.
    """
    for images, _ in batches(dataset, rows, batch_size=BATCH_SIZE):
        if mirrored:
            images = images[..., ::-1]
        if shift_px:
            images = shifted(images, shift_px)
        with whole_batches():
            answer = predictor.predict_on_batch(images)
        logits, embedding = (np.asarray(part, np.float32) for part in answer)
        if not (np.isfinite(logits).all() and np.isfinite(embedding).all()):
            raise RunError(
                f"The network of run {config.run_id!r} answers with what is no number; "
                "its training has diverged or its weights are damaged."
            )
        yield logits, embedding


def build_predictor(network: keras.Model, config: RunConfig) -> keras.Model:
    """Builds the model from packed sketches to logits and embedding.

    Its input has shape `(batch, 128, 128)`, `uint8`.
    """
    front = SketchInput(
        config.settings, image_size=config.settings.test_image_size, name="front"
    )
    both = keras.Model(
        network.input, [network.output, network.get_layer("embedding").output]
    )
    images = keras.Input((None, None), dtype="uint8", name="images")
    model = keras.Model(images, both(front(images)), name="predictor")
    # `predict` works uncompiled, but would try XLA, which a CPU gains nothing by.
    model.compile(
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto"
    )
    return model


def label_map(run_dir: Path, config: RunConfig, dataset: Dataset) -> NDArray[np.int64]:
    """Returns the network's label of each of the dataset's, shape `(num_classes,)`.

    Raises:
        RunError: If the network doesn't know one of the classes.
    """
    missing = sorted(set(dataset.class_names) - set(config.class_names))
    if missing:
        raise RunError(
            f"Run {run_dir.name!r} doesn't know these classes of dataset "
            f"{dataset.name!r}: {_enumerate(missing)}."
        )
    return np.array([config.class_names.index(name) for name in dataset.class_names])


def map_2d(embedding: NDArray[np.floating]) -> NDArray[np.float32]:
    """Lays embeddings out in the plane by t-SNE, always the same way.

    Args:
        embedding: Shape `(n, width)`.

    Returns:
        Shape `(n, 2)`; fewer than five points, or points that are all the same,
        are put on a circle.
    """
    n = len(embedding)
    if n < 5 or not np.ptp(embedding, axis=0).max() > 0:
        return _circle(n)
    components = min(MAP_COMPONENTS, n, embedding.shape[1])
    reduced = PCA(components, random_state=MAP_SEED).fit_transform(embedding)
    # Where all points are one, as with a dead layer, t-SNE divides by zero.
    if not np.ptp(reduced, axis=0).max() > 0:
        return _circle(n)
    layout = TSNE(
        perplexity=min(MAP_PERPLEXITY, (n - 1) / 3),
        init="pca",
        random_state=MAP_SEED,
        n_jobs=-1,
    ).fit_transform(reduced)
    return np.asarray(layout, dtype=np.float32)


def _circle(n: int) -> NDArray[np.float32]:
    """Returns n points on the unit circle, shape `(n, 2)`."""
    angle = 2 * np.pi * np.arange(n) / max(n, 1)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def _to_half(values: NDArray[np.floating]) -> NDArray[np.float16]:
    """Rounds to half precision; what is out of its range goes to its end."""
    limit = np.finfo(np.float16).max
    return np.asarray(np.clip(values, -limit, limit), dtype=np.float16)


def _refuse_seen(run_dir: Path, dataset: Dataset) -> None:
    """Raises `RunError` if the run was trained on any of the test sketches."""
    seen = read_train_keys(run_dir)
    rows = dataset.indices("test")
    known = rows[np.isin(dataset.keys[rows], seen).any(axis=1)]
    if len(known):
        named = ", ".join(dataset.records[row].path for row in known[:NAMED_OVERLAPS])
        raise RunError(
            f"Run {run_dir.name!r} was trained on {len(known)} of the {len(rows)} test "
            f"sketches of dataset {dataset.name!r} ({named}"
            f"{', …' if len(known) > NAMED_OVERLAPS else ''}); a score on them would "
            "mean nothing."
        )


def _enumerate(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:NAMED_OVERLAPS])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
