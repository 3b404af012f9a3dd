"""Scores a trained run on the test sketches of a dataset, all of them, once."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from core.analysis.classes import measure_classes
from core.analysis.metrics import METRICS, Answers, fit_temperature
from core.analysis.statistics import wilson_interval
from core.datasets.names import match_key
from core.datasets.store import Dataset
from core.errors import RunError, Sentence
from core.runs.config import RunConfig
from core.runs.dataset import validation_split
from core.runs.evaluation import Evaluation, softmax
from core.runs.reading import read_train_keys
from core.runs.status import utc_now
from core.runs.weights import check_finite
from core.sketches.images import PAPER
from core.training.augmentation import SketchInput
from core.training.backend import whole_batches
from core.training.batches import batches
from core.training.map import map_2d
from core.training.networks import load_network

BATCH_SIZE = 128
NAMED_OVERLAPS = 3

TRAIN_SKETCHES = 2_000
"""Of the training sketches, so many are asked, too: a share of 98 % of them is known
to about ±0.6 points."""

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
    is_whole: bool = False,
) -> tuple[Evaluation, list[dict[str, Any]]]:
    """Scores a run on the test part of a dataset.

    Args:
        run_dir: A run with weights.
        config: Its config.
        dataset: The run's own dataset, or another with the same classes in any
            order or some of them, none of whose test sketches the run has seen in
            training.
        calibration: What the metrics are to say of the `temperature` to use, and
            `temperature_from`, if that was fitted on the validation part of another
            run, or of none; None fits one on that of the run's own dataset.

        is_whole: Whether to score it on all sketches, those to train on among them.

    Returns:
        The evaluation, and one row of metrics a class.

    Raises:
        RunError: If the weights are missing or damaged, the dataset has other
            classes or no test sketches, or the run has seen some of them.
    """
    started = time.monotonic()
    if not dataset.num_test and not is_whole:
        raise RunError(
            "Dataset {dataset!r} has no test sketches to score run {run!r} on. Name "
            "another with --dataset.",
            dataset=dataset.name,
            run=run_dir.name,
        )
    rows, left_out = _unseen(run_dir, config, dataset, is_whole=is_whole)
    own_label = label_map(run_dir, config, dataset)
    network = load_network(run_dir, config)
    # One for all that is asked of it: a new one is traced anew, which takes a second.
    predictor = build_predictor(network, config)
    logits, embedding = predict(predictor, config, dataset, rows)
    y_true = own_label[dataset.labels[rows]]
    if calibration is None:
        if dataset.fingerprint != config.dataset_fingerprint:
            raise RunError(
                "Run {run!r} is not calibrated yet; evaluate it on its own dataset "
                "{dataset!r} first.",
                run=run_dir.name,
                dataset=config.dataset,
            )
        _, val_rows = validation_split(dataset, config.settings)
        val_logits, _ = predict(predictor, config, dataset, val_rows)
        val_true = own_label[dataset.labels[val_rows]]
        mistakes = int((val_logits.argmax(axis=1) != val_true).sum())
        temperature = 1.0
        if mistakes >= MIN_CALIBRATION_MISTAKES:
            temperature = fit_temperature(val_true, val_logits)
        calibration = {"temperature": temperature}
    single = softmax(logits)
    probabilities: dict[Answers, NDArray[np.floating]] = {
        "single": single,
        **average_views(predictor, config, dataset, rows, single),
        "calibrated": softmax(logits, temperature=calibration["temperature"]),
    }
    y_pred = logits.argmax(axis=1)
    correct = int((y_pred == y_true).sum())
    metrics: dict[str, Any] = {
        "run_id": run_dir.name,
        "network": config.network,
        "dataset": dataset.name,
        "dataset_fingerprint": dataset.fingerprint,
        "split_fingerprint": dataset.split_fingerprint,
        "split": "all" if is_whole else "test",
        **({"left_out": left_out} if left_out else {}),
        "n": len(rows),
        "num_classes": len(config.class_names),
        **{
            name: metric.compute(y_true, probabilities[metric.answers])
            for name, metric in METRICS.items()
        },
        "top1_interval": wilson_interval(correct, len(rows)),
        **_score_training(predictor, config, dataset, own_label),
        **calibration,
        "image_size": config.settings.test_image_size,
        "num_parameters": network.count_params(),
        "duration_s": round(time.monotonic() - started, 3),
        "evaluated_at": utc_now().isoformat(timespec="seconds"),
    }
    class_metrics = measure_classes(y_true, y_pred, class_names=config.class_names)
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
    return evaluation, [asdict(figure) for figure in class_metrics]


def _score_training(
    predictor: keras.Model,
    config: RunConfig,
    dataset: Dataset,
    own_label: NDArray[np.int64],
) -> dict[str, Any]:
    """Returns a run's top-1 on training sketches as they are, and on how many.

    The accuracy that training itself records is of varied and mixed sketches, with
    dropout, while the weights still change. Nothing is said where a run has learned
    from drawings besides, or is scored on another dataset than its own.
    """
    if dataset.fingerprint != config.dataset_fingerprint or config.drawings is not None:
        return {}
    learned, _ = validation_split(dataset, config.settings)
    count = min(TRAIN_SKETCHES, len(learned))
    generator = np.random.default_rng([config.settings.seed, count])
    rows = np.sort(generator.permutation(learned)[:count])
    logits, _ = predict(predictor, config, dataset, rows)
    is_right = logits.argmax(axis=1) == own_label[dataset.labels[rows]]
    return {"train_top1": float(is_right.mean()), "train_n": count}


def average_views(
    predictor: keras.Model,
    config: RunConfig,
    dataset: Dataset,
    rows: NDArray[np.int64],
    probabilities: NDArray[np.floating],
) -> dict[Answers, NDArray[np.floating]]:
    """Averages a network's answers over several views of each sketch.

    Args:
        predictor: A trained network's; see `build_predictor`.
        config: Its run's.
        dataset: Where the sketches are.
        rows: Which of them.
        probabilities: Its answers to the sketches as they are.

    Returns:
        Mean probabilities over a sketch and its mirror image, and over those two at
        each of `VIEW_SHIFTS_PX`; shapes are that of `probabilities`.
    """

    def answer(*, mirrored: bool, shift_px: int) -> NDArray[np.floating]:
        logits, _ = predict(
            predictor, config, dataset, rows, mirrored=mirrored, shift_px=shift_px
        )
        return softmax(logits)

    both = probabilities + answer(mirrored=True, shift_px=0)
    views = both.copy()
    for shift_px in VIEW_SHIFTS_PX:
        for mirrored in (False, True):
            if shift_px:
                views += answer(mirrored=mirrored, shift_px=shift_px)
    return {
        "flip_averaged": both / 2,
        "six_view_averaged": views / (2 * len(VIEW_SHIFTS_PX)),
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
    batches = answers(
        predictor, config, dataset, rows, mirrored=mirrored, shift_px=shift_px
    )
    parts = zip(*batches, strict=True)
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
        RunError: If the network answers with NaN.
    """
    for images, _ in batches(dataset, rows, batch_size=BATCH_SIZE):
        if mirrored:
            images = images[..., ::-1]
        if shift_px:
            images = shifted(images, shift_px)
        with whole_batches():
            answer = predictor.predict_on_batch(images)
        logits, embedding = (np.asarray(part, np.float32) for part in answer)
        check_finite(config.run_id, logits, embedding)
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

    Blanks, underscores and case in their names don't matter.

    Raises:
        RunError: If the network doesn't know one of the classes.
    """
    label_of = {match_key(name): n for n, name in enumerate(config.class_names)}
    # One network may tell apart what is spelled alike.
    label_of |= {name: n for n, name in enumerate(config.class_names)}
    labels = [
        label_of.get(name, label_of.get(match_key(name)))
        for name in dataset.class_names
    ]
    missing = sorted(
        name for name, n in zip(dataset.class_names, labels, strict=True) if n is None
    )
    if missing:
        raise RunError(
            "Run {run!r} doesn't know these classes of dataset {dataset!r}: {missing}.",
            run=run_dir.name,
            dataset=dataset.name,
            missing=_enumerate(missing),
        )
    return np.array(labels, dtype=np.int64)


def _to_half(values: NDArray[np.floating]) -> NDArray[np.float16]:
    """Rounds to half precision; what is out of its range goes to its end."""
    limit = np.finfo(np.float16).max
    return np.asarray(np.clip(values, -limit, limit), dtype=np.float16)


def _unseen(
    run_dir: Path, config: RunConfig, dataset: Dataset, *, is_whole: bool
) -> tuple[NDArray[np.int64], int]:
    """Returns the rows to score a run on.

    Test sketches of the run's own dataset that are copies of training ones, as a given
    split may have them, are left out.

    Returns:
        The rows, and how many were left out.

    Raises:
        RunError: If the run was trained on others of them.
    """
    seen = read_train_keys(run_dir)
    rows = np.arange(len(dataset.records)) if is_whole else dataset.indices("test")
    is_known = np.isin(dataset.keys[rows], seen).any(axis=1)
    known = rows[is_known]
    is_own = dataset.fingerprint == config.dataset_fingerprint and not is_whole
    if is_own and len(known) < len(rows):
        return rows[~is_known], len(known)
    if len(known):
        named = ", ".join(dataset.records[row].path for row in known[:NAMED_OVERLAPS])
        values: dict[str, Any] = {
            "run": run_dir.name,
            "known": len(known),
            "total": len(rows),
            "dataset": dataset.name,
            "names": named,
            "more": ", …" if len(known) > NAMED_OVERLAPS else "",
        }
        raise RunError(
            Sentence(
                "Run {run!r} was trained on {known} of the {total} sketches of dataset "
                "{dataset!r} ({names}{more}); a score on them would mean nothing.",
                **values,
            )
            if is_whole
            else Sentence(
                "Run {run!r} was trained on {known} of the {total} test sketches of "
                "dataset {dataset!r} ({names}{more}); a score on them would mean "
                "nothing.",
                **values,
            )
        )
    return rows, 0


def _enumerate(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:NAMED_OVERLAPS])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
