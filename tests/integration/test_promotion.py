"""A sweep's trial is kept as a run of its own."""

import shutil
from pathlib import Path

import pytest

from core.datasets.folders import find_folders
from core.datasets.install import install
from core.errors import RunError
from core.runs.copies import promote
from core.runs.create import create_run
from core.runs.evaluation import read_evaluation
from core.runs.folder import WEIGHTS, runs_dir
from core.runs.reading import list_runs, read_run
from core.training.work import train_run_dir

pytestmark = pytest.mark.xdist_group("promotion")

SETTINGS = {"epochs": 1, "batch_size": 16, "image_sizes": [32]}


@pytest.fixture(scope="module")
def trained(tiny_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a finished run `trial`."""
    data_dir = tmp_path_factory.mktemp("data")
    install(find_folders(tiny_pictures), "tiny", data_dir=data_dir)
    run_dir = create_run(
        "simple",
        "tiny",
        "report",
        data_dir=data_dir,
        run_id="trial",
        overrides=SETTINGS,
    )
    train_run_dir(run_dir, data_dir=data_dir)
    return data_dir


@pytest.fixture
def finished_run(trained: Path, data_dir: Path) -> Path:
    shutil.copytree(trained, data_dir)
    return runs_dir(data_dir) / "trial"


def test_a_promoted_trial_is_a_run_of_its_own(
    finished_run: Path, tmp_path: Path
) -> None:
    data_dir = finished_run.parent.parent
    kept = promote(finished_run, "kept", data_dir=data_dir)
    run = read_run(kept)
    assert (run.run_id, run.state, run.problem) == ("kept", "finished", "")
    assert run.config is not None
    assert run.config.run_id == "kept"
    first, second = read_evaluation(finished_run), read_evaluation(kept)
    assert (first.y_pred == second.y_pred).all()
    assert second.metrics["run_id"] == "kept"
    assert (kept / WEIGHTS).read_bytes() == (finished_run / WEIGHTS).read_bytes()
    with pytest.raises(RunError, match="There is a run 'kept' already"):
        promote(finished_run, "kept", data_dir=data_dir)
    with pytest.raises(RunError):
        promote(finished_run, "../outside", data_dir=data_dir)
    names = {
        run.run_id
        for run in list_runs(data_dir=data_dir, trained_dir=tmp_path / "none")
    }
    assert names == {finished_run.name, "kept"}


def test_an_unfinished_trial_is_not_promoted(finished_run: Path) -> None:
    data_dir = finished_run.parent.parent
    config = read_run(finished_run).config
    assert config is not None
    begun = create_run(
        config.network,
        config.dataset,
        "report",
        data_dir=data_dir,
        run_id="begun",
        overrides=SETTINGS,
    )
    with pytest.raises(RunError, match="only a finished one can be kept"):
        promote(begun, "early", data_dir=data_dir)
    left = {path.name for path in runs_dir(data_dir).iterdir()}
    assert left == {finished_run.name, "begun"}
