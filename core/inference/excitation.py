"""Finds the test sketches that excite each channel of a network most."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import RunError
from core.inference.classify import Classifier
from core.runs.dataset import hold_dataset, rows_of
from core.runs.evaluation import read_evaluation
from core.runs.excitation import Excitation, read_excitation, write_excitation
from core.runs.folder import refuse_shipped, sitting
from core.runs.reading import read_config
from core.runs.stopping import StopCheck
from core.runs.weights import check_finite

CHUNK = 16
"""Sketches at a time; a request to stop is heard after each."""

WIDEST = 1024
"""A wider flat stage is another's maps in one row, and has no channels of its own."""


def channel_peaks(
    classifier: Classifier, sketches: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    """Returns each channel's largest value, by the name of its stage.

    Args:
        classifier: The network.
        sketches: Gray values of shape `(n, 128, 128)`.

    Returns:
        Arrays of shape `(n, channels)`. The head, whose channels are the classes, is
        left out, and so is what has no channels of its own.

    Raises:
        RunError: If the network answers with NaN.
    """
    _, outputs = classifier.inference.look_inside(sketches)
    stages = classifier.inference.anatomy.stages
    check_finite(classifier.run.run_id, outputs[-1])
    return {
        stage.name: values.max(axis=(2, 3)) if values.ndim == 4 else values
        for stage, values in zip(stages[:-1], outputs[:-1], strict=True)
        if values.ndim == 4 or values.shape[1] <= WIDEST
    }


def index_channels(
    run_dir: Path,
    *,
    data_dir: Path,
    report: Callable[[int, int], None] = lambda *_: None,
    is_stop_requested: StopCheck = lambda: False,
) -> bool:
    """Indexes which test sketches excite each channel of a run most.

    What was looked at is kept where it is stopped, and the next call goes on there. An
    index that is whole and of the run's evaluation is left as it is.

    Args:
        run_dir: An evaluated run with weights.
        data_dir: Where its dataset is installed.
        report: Told how many sketches were looked at, and of how many.
        is_stop_requested: Asked after every few sketches.

    Returns:
        Whether it came to its end; False if it was asked to stop.

    Raises:
        RunError: If the run has no evaluation or weights, is busy or damaged, or
            ships.
        DatasetError: If the dataset is not installed, or damaged.
    """
    refuse_shipped(run_dir)
    evaluation = read_evaluation(run_dir)
    dataset = hold_dataset(read_config(run_dir), data_dir=data_dir)
    rows = rows_of(dataset, evaluation.ids)
    made_from = evaluation.metrics["evaluated_at"], dataset.fingerprint
    found = None
    with sitting(run_dir):
        with suppress(RunError):
            found = read_excitation(run_dir)
        if (
            found is None
            or (found.evaluated_at, found.dataset_fingerprint) != made_from
        ):
            found = Excitation(*made_from, done=0, rows={}, values={})
        begun = found.done
        classifier = Classifier(run_dir) if begun < len(rows) else None
        report(begun, len(rows))
        try:
            for start in range(begun, len(rows), CHUNK):
                assert classifier is not None
                sketches = np.stack(
                    [dataset.images[row] for row in rows[start : start + CHUNK]]
                )
                found = found.add(start, channel_peaks(classifier, sketches))
                report(found.done, len(rows))
                if is_stop_requested():
                    break
        finally:
            if found.done > begun:
                write_excitation(run_dir, found)
    return found.done == len(rows)
