"""Weights that were cut off are named by who needs them, and by `doctor`."""

import shutil
from pathlib import Path

from core.paths import TRAINED_DIR
from core.runs.folder import WEIGHTS
from tests.conftest import Cli


def test_weights_that_are_cut_off_are_named(data_dir: Path, cli: Cli) -> None:
    run_dir = data_dir / "runs" / "half"
    shutil.copytree(TRAINED_DIR / "simple", run_dir)
    weights = run_dir / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:1000])
    told = cli("doctor")
    assert told.code == 1
    assert f"run half: {weights} is missing or damaged" in told.out
    assert "train it again" in told.out
