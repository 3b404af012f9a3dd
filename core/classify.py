"""Names what pictures show, with a trained run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.backend import load_backend
from core.errors import RunError
from core.images import read_sketch
from core.runs import WEIGHTS, Run, list_runs, read_run


@dataclass(frozen=True)
class Prediction:
    """One guess.

    Attributes:
        class_name: What it may be.
        probability: How likely, calibrated where the run was evaluated.
    """

    class_name: str
    probability: float


def classify(
    sketches: NDArray[np.uint8], run_dir: Path, *, top: int = 5
) -> list[list[Prediction]]:
    """Classifies sketches.

    Args:
        sketches: Gray values of shape `(n, 128, 128)`, as `read_sketch` gives.
        run_dir: A run with weights.
        top: How many guesses a sketch, at least 1; no more than there are classes
            are given.

    Returns:
        For each sketch its guesses, likeliest first.

    Raises:
        RunError: If the run is damaged or has no weights.
    """
    run = read_run(run_dir)
    if run.config is None:
        raise RunError(run.problem)
    if not (run_dir / WEIGHTS).exists():
        raise RunError(
            f"Run {run.run_id!r} has no weights yet. Go on with "
            f"`python -m core train --resume {run.run_id}`."
        )
    load_backend()
    from core.evaluation import build_predictor
    from core.metrics import to_probabilities
    from core.networks import load_network

    predictor = build_predictor(load_network(run_dir, run.config), run.config)
    logits = np.concatenate(
        [
            np.asarray(predictor.predict_on_batch(sketches[start : start + 64])[0])
            for start in range(0, len(sketches), 64)
        ]
    )
    temperature = float(run.metrics["temperature"]) if run.metrics else 1.0
    if not np.isfinite(logits).all():
        raise RunError(
            f"The network of run {run.run_id!r} answers with what is no number; its "
            "training has diverged or its weights are damaged."
        )
    probabilities = to_probabilities(logits, temperature=temperature)
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    return [
        [
            Prediction(run.config.class_names[label], float(row[label]))
            for label in labels
        ]
        for row, labels in zip(probabilities, order, strict=True)
    ]


def best_run(*, data_dir: Path, trained_dir: Path) -> Path:
    """Returns the shipped run of highest top-1, or else one's own.

    Raises:
        RunError: If no run is finished.
    """
    runs = [
        run
        for run in list_runs(data_dir=data_dir, trained_dir=trained_dir)
        if run.metrics and (run.path / WEIGHTS).exists()
    ]
    if not runs:
        raise RunError(
            "No run is finished yet. `python -m core train simple --dataset starter "
            "--recipe best` makes one."
        )

    def worth(run: Run) -> tuple[bool, float]:
        return run.path.parent == trained_dir, float((run.metrics or {})["top1"])

    return max(runs, key=worth).path


def read_sketches(files: Sequence[Path]) -> NDArray[np.uint8]:
    """Reads picture files into sketches of shape `(n, 128, 128)`.

    Raises:
        ImageError: Naming the first file that can't be read.
    """
    return np.stack([read_sketch(file, name=str(file)) for file in files])
