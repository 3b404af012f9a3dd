"""Names what pictures show, with a trained run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.datasets.eitz import ATTRIBUTION
from core.errors import RunError
from core.runs.config import RunConfig
from core.runs.evaluation import to_probabilities
from core.runs.folder import WEIGHTS
from core.runs.reading import Run, check_weights, list_runs, read_run
from core.runs.weights import misfit, read_tensors
from core.sketches.images import read_sketch
from core.sketches.photos import read_drawing
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
            RunError: If the network answers with what is no number.
        """
        return self.guesses(self.analyse(sketches), top=top)

    def analyse(self, sketches: NDArray[np.uint8]) -> Analysis:
        """Returns all that the network says of sketches.

        Args:
            sketches: Gray values of shape `(n, 128, 128)`, at least one.

        Raises:
            RunError: If the network answers with what is no number.
        """
        logits, embedding, features = self.inference(sketches)
        if not np.isfinite(logits).all():
            raise RunError(
                f"The network of run {self.run.run_id!r} answers with what is no "
                "number; its training has diverged or its weights are damaged."
            )
        probabilities = to_probabilities(logits, temperature=self._temperature)
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


def read_sketches(files: Sequence[Path], *, config: RunConfig) -> NDArray[np.uint8]:
    """Reads picture files as the sketches of a run's dataset are.

    Those of TU-Berlin are all drawn alike, and so are drawings that were kept: the
    drawing in a picture is found and drawn so too, as on the page Draw. Other datasets
    hold what was imported as it was, and pictures are read so for their runs.

    Returns:
        Gray values of shape `(n, 128, 128)`.

    Raises:
        ImageError: Naming the first file that can't be read or has no drawing.
    """
    is_drawn_alike = config.attribution == ATTRIBUTION or config.drawings is not None
    read = read_drawing if is_drawn_alike else read_sketch
    return np.stack([read(file, name=str(file)) for file in files])
