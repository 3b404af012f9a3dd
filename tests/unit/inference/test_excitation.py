"""The index of the sketches that excite channels: made, stopped, damaged, stale."""

from pathlib import Path

import numpy as np
import pytest

from core.datasets.store import Dataset
from core.errors import RunError
from core.files import write_json
from core.inference.classify import Classifier
from core.inference.excitation import CHUNK, channel_peaks, index_channels
from core.paths import TRAINED_DIR
from core.runs.evaluation import read_evaluation
from core.runs.excitation import (
    EXCITATION,
    KEPT,
    read_current_excitation,
    read_excitation,
)
from core.runs.folder import METRICS_FILE
from core.runs.reading import read_metrics
from tests.unit.inference.test_robustness import run_dir

__all__ = ["run_dir"]


def test_the_index_goes_on_where_it_was_stopped(
    run_dir: Path, tiny: Dataset, data_dir: Path
) -> None:
    (run_dir / EXCITATION).unlink()
    evaluation = read_evaluation(run_dir)
    total = len(evaluation.ids)
    with pytest.raises(RunError, match="not indexed yet"):
        read_current_excitation(run_dir, evaluation)
    told: list[int] = []

    def index(*, stops: bool) -> bool:
        told.clear()
        return index_channels(
            run_dir,
            data_dir=data_dir,
            report=lambda done, _total: told.append(done),
            is_stop_requested=lambda: stops,
        )

    is_long = total > CHUNK
    assert index(stops=True) is not is_long
    if is_long:
        with pytest.raises(RunError, match=f"not finished: {CHUNK} of {total}"):
            read_current_excitation(run_dir, evaluation)
    assert index(stops=False)
    assert told[0] == min(CHUNK, total)
    found = read_current_excitation(run_dir, evaluation)
    images = np.stack([tiny.images[tiny.rows[name]] for name in evaluation.ids])
    peaks = channel_peaks(Classifier(run_dir), images)
    assert found.rows.keys() == peaks.keys() == {"conv1", "conv2", "conv3", "hidden"}
    for stage, peak in peaks.items():
        highest = -np.sort(-peak.T, axis=1)[:, :KEPT]
        np.testing.assert_allclose(found.values[stage], highest, rtol=1e-4, atol=1e-4)
    best = found.best("conv3", 5)
    assert best[0] == peaks["conv3"][:, 5].argmax()
    assert index(stops=False)
    assert told == [total]
    # Another evaluation, and all begins anew.
    metrics = read_metrics(run_dir) | {"evaluated_at": "2026-02-02T00:00:00+00:00"}
    write_json(run_dir / METRICS_FILE, metrics)
    with pytest.raises(RunError, match="of an earlier evaluation"):
        read_current_excitation(run_dir, read_evaluation(run_dir))
    assert index(stops=False)
    assert told[0] == 0
    # And a damaged one is told in a sentence and made anew.
    whole = (run_dir / EXCITATION).read_bytes()
    for content in (b"", whole[:-9], whole[: len(whole) // 2], bytes(99)):
        (run_dir / EXCITATION).write_bytes(content)
        with pytest.raises(RunError, match=r"damaged.*--channels` makes it") as error:
            read_excitation(run_dir)
        assert "\n" not in str(error.value)
    assert index(stops=False)
    assert read_current_excitation(run_dir, read_evaluation(run_dir)).done == total


@pytest.mark.parametrize("run", ["simple", "resnet18"])
def test_shipped_runs_are_indexed(run: str) -> None:
    evaluation = read_evaluation(TRAINED_DIR / run)
    found = read_current_excitation(TRAINED_DIR / run, evaluation)
    assert found.dataset_fingerprint == evaluation.metrics["dataset_fingerprint"]
    stages = Classifier(TRAINED_DIR / run).inference.anatomy.stages
    assert found.rows.keys() <= {stage.name for stage in stages}
    assert (TRAINED_DIR / run / EXCITATION).stat().st_size < 3_000_000
