"""Names what pictures show, with a trained run."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.backend import load_backend
from core.errors import RunError
from core.images import read_sketch
from core.runs import WEIGHTS, Run, check_weights, list_runs, read_run
from models import NETWORKS


@dataclass(frozen=True)
class Prediction:
    """One guess.

    Attributes:
        class_name: What it may be.
        probability: How likely, calibrated where the run was evaluated.
    """

    class_name: str
    probability: float


class Classifier:
    """A trained network, kept in memory; may be called from several threads."""

    def __init__(self, run_dir: Path) -> None:
        """Loads it, which takes seconds the first time.

        Raises:
            RunError: If the run is damaged or has no weights.
        """
        run = read_run(run_dir)
        if run.config is None:
            raise RunError(run.problem)
        check_weights(run_dir)
        load_backend()
        from core.evaluation import build_predictor
        from core.networks import load_network

        self.run = run
        self.title = NETWORKS[run.config.network].title
        self.class_names = run.config.class_names
        self._temperature = float(run.metrics["temperature"]) if run.metrics else 1.0
        self._predictor = build_predictor(load_network(run_dir, run.config), run.config)
        self._lock = threading.Lock()

    def __call__(
        self, sketches: NDArray[np.uint8], *, top: int = 5
    ) -> list[list[Prediction]]:
        """Classifies sketches.

        Args:
            sketches: Gray values of shape `(n, 128, 128)`, as `read_sketch` gives.
            top: How many guesses a sketch, at least 1; no more than there are
                classes are given.

        Returns:
            For each sketch its guesses, likeliest first.

        Raises:
            RunError: If the network answers with what is no number.
        """
        from core.metrics import to_probabilities

        with self._lock:
            logits = np.concatenate(
                [
                    np.asarray(self._predictor.predict_on_batch(batch)[0])
                    for batch in np.split(sketches, range(64, len(sketches), 64))
                ]
            )
        if not np.isfinite(logits).all():
            raise RunError(
                f"The network of run {self.run.run_id!r} answers with what is no "
                "number; its training has diverged or its weights are damaged."
            )
        probabilities = to_probabilities(logits, temperature=self._temperature)
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
        return [
            [Prediction(self.class_names[label], float(row[label])) for label in labels]
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
