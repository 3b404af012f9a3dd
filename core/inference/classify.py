"""Names what pictures show, with a trained run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.analysis.overview import rank_runs
from core.datasets.eitz import ATTRIBUTION
from core.errors import ImageError, RunError
from core.runs.config import RunConfig
from core.runs.evaluation import softmax
from core.runs.folder import WEIGHTS
from core.runs.reading import check_weights, list_runs, read_run
from core.runs.weights import check_finite, misfit, read_tensors
from core.sketches.reading import read_drawing, read_picture
from models import FIRST_NETWORK, NETWORKS


@dataclass(frozen=True)
class Prediction:
    """One guess.

    Attributes:
        class_name: What it may be.
        probability: How likely, calibrated where the run was evaluated.
    """

    class_name: str
    probability: float


@dataclass(frozen=True)
class Analysis:
    """All that a network says of some sketches, n of them.

    Attributes:
        logits: Shape `(n, num_classes)`.
        probabilities: Shape `(n, num_classes)`, calibrated where the run was
            evaluated.
        embedding: Input of the head, shape `(n, width)`.
        features: What the last convolutional stage sees, of shape
            `(n, height, width, channels)`.
    """

    logits: NDArray[np.float32]
    probabilities: NDArray[np.float64]
    embedding: NDArray[np.float32]
    features: NDArray[np.float32]


class Classifier:
    """A trained network, kept in memory; may be called from several threads.

    Attributes:
        run: The run.
        title: Its network's name.
        class_names: The class of each logit.
        inference: The network.
    """

    def __init__(self, run_dir: Path) -> None:
        """Loads it, in less than a second.

        Raises:
            RunError: If the run is damaged or has no weights.
        """
        run = read_run(run_dir)
        if run.config is None:
            raise RunError(run.problem)
        check_weights(run_dir)
        # Imports ONNX Runtime, for which a list of runs does not wait.
        from core.inference.network import build_inference

        self.run = run
        self.title = NETWORKS[run.config.network].title
        self.class_names = run.config.class_names
        self._temperature = float(run.metrics["temperature"]) if run.metrics else 1.0
        tensors, _ = read_tensors(run_dir / WEIGHTS)
        try:
            self.inference = build_inference(
                run.config.network,
                len(self.class_names),
                run.config.settings,
                # Saved as `0000/stem_conv/kernel`.
                {name.partition("/")[2]: value for name, value in tensors.items()},
            )
        except LookupError as error:
            raise misfit(run_dir / WEIGHTS) from error

    def __call__(
        self, sketches: NDArray[np.uint8], *, top: int = 5
    ) -> list[list[Prediction]]:
        """Classifies sketches.

        Args:
            sketches: Gray values of shape `(n, 128, 128)`, as `read_drawing` and
                `render_sketch` give.
            top: How many guesses a sketch, at least 1; no more than there are
                classes are given.

        Returns:
            For each sketch its guesses, likeliest first.

        Raises:
            RunError: If the network answers with NaN.
        """
        return self.guesses(self.analyse(sketches), top=top)

    def analyse(self, sketches: NDArray[np.uint8]) -> Analysis:
        """Returns all that the network says of sketches.

        Args:
            sketches: Gray values of shape `(n, 128, 128)`, at least one.

        Raises:
            RunError: If the network answers with NaN.
        """
        logits, embedding, features = self.inference(sketches)
        check_finite(self.run.run_id, logits)
        probabilities = softmax(logits, temperature=self._temperature)
        return Analysis(logits, probabilities, embedding, features)

    def guesses(self, analysis: Analysis, *, top: int = 5) -> list[list[Prediction]]:
        """Names the likeliest classes of each sketch, likeliest first.

        Args:
            analysis: What `analyse` returned.
            top: How many; no more than there are classes are given.
        """
        order = np.argsort(-analysis.probabilities, axis=1, kind="stable")[:, :top]
        return [
            [Prediction(self.class_names[label], float(row[label])) for label in labels]
            for row, labels in zip(analysis.probabilities, order, strict=True)
        ]


def best_run(*, data_dir: Path, trained_dir: Path) -> Path:
    """Returns the best run on validation, of those that ship or else one's own.

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
            "No run is finished yet. `python -m core train {network} --dataset "
            "starter --recipe best` makes one.",
            network=FIRST_NETWORK,
        )
    shipped = [run for run in runs if run.path.parent == trained_dir]
    return rank_runs(shipped or runs)[0].path


def read_sketches(
    files: Sequence[Path], *, config: RunConfig
) -> list[NDArray[np.uint8] | ImageError]:
    """Reads picture files as the sketches of a run's dataset are.

    Those of TU-Berlin are all drawn alike, and so are drawings that were kept: the
    drawing in a picture is found and drawn so too, as on the page Draw. Other datasets
    hold pictures as `read_picture` reads them, and so they are read for their runs.

    Returns:
        For each file gray values of shape `(128, 128)`, or why it can't be read or has
        no drawing.
    """
    is_drawn_alike = config.attribution == ATTRIBUTION or config.drawings is not None
    read = read_drawing if is_drawn_alike else read_picture
    sketches: list[NDArray[np.uint8] | ImageError] = []
    for file in files:
        try:
            sketches.append(read(file, name=str(file)))
        except ImageError as error:
            sketches.append(error)
    return sketches
