"""Training with stroke variants: repeated, killed, resumed, refused."""

from pathlib import Path

import pytest

from core.datasets.store import Dataset
from core.datasets.variants import make_variants
from core.runs.folder import WEIGHTS, runs_dir
from core.runs.reading import read_config, read_run
from tests.conftest import Cli, start_command
from tests.integration.test_training import train_words, wait_for_step, without_times

EPOCHS = 40


@pytest.mark.slow
def test_a_training_goes_on_with_the_same_variants_and_no_others(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    made = make_variants(tiny)
    words = ("--set=stroke_variants=0.5", "--checkpoint-every=0.01")
    whole = cli(*train_words("whole", epochs=EPOCHS), *words)
    assert whole.code == 0, whole.err
    run = read_run(runs_dir(data_dir) / "whole")
    assert read_config(run.path).variants_fingerprint == made.fingerprint
    run_dir = runs_dir(data_dir) / "killed"
    process = start_command(data_dir, *train_words("killed", epochs=EPOCHS), *words)
    while not run_dir.exists():
        assert process.poll() is None
    wait_for_step(run_dir, process, beyond=(1, 1))
    process.kill()
    process.wait()
    summary = made.path / "variants.json"
    text = summary.read_text()
    summary.write_text(text.replace(made.fingerprint, "0" * 32))
    refused = cli("train", "--resume", "killed")
    assert refused.code == 2
    assert "are not those that run 'killed' began with" in refused.err
    summary.write_text(text)
    resumed = cli("train", "--resume", "killed")
    assert resumed.code == 0, resumed.err
    killed = read_run(run_dir)
    assert without_times(killed.history) == without_times(run.history)
    assert (run_dir / WEIGHTS).read_bytes() == (run.path / WEIGHTS).read_bytes()
