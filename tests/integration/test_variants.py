"""Training with stroke variants: repeated, killed, resumed, refused."""

from pathlib import Path

import pytest

from core.datasets.store import Dataset
from core.datasets.variants import make_variants
from core.runs import WEIGHTS, read_config, read_run, runs_dir
from tests.conftest import Cli
from tests.integration.test_training import (
    start,
    train_words,
    wait_for_step,
    without_times,
)


@pytest.mark.slow
def test_a_training_with_variants_ends_the_same_after_it_was_killed(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    made = make_variants(tiny)
    share = "--set=stroke_variants=0.5"
    epochs = 40
    assert cli(*train_words("plain", epochs=1)).code == 0
    whole = cli(*train_words("whole", epochs=epochs), share)
    assert whole.code == 0, whole.err
    run = read_run(runs_dir(data_dir) / "whole")
    assert read_config(run.path).variants_fingerprint == made.fingerprint
    plain = read_run(runs_dir(data_dir) / "plain")
    assert plain.config is not None
    assert plain.config.variants_fingerprint is None
    often = "--checkpoint-every=0.01"
    run_dir = runs_dir(data_dir) / "killed"
    process = start(data_dir, *train_words("killed", epochs=epochs), share, often)
    for beyond in ((1, 1), (4, 1)):
        while not run_dir.exists():
            assert process.poll() is None
        wait_for_step(run_dir, process, beyond=beyond)
        process.kill()
        process.wait()
        process = start(data_dir, "train", "--resume", "killed", often)
    assert process.wait() == 0
    killed = read_run(run_dir)
    assert without_times(killed.history) == without_times(run.history)
    assert (run_dir / WEIGHTS).read_bytes() == (run.path / WEIGHTS).read_bytes()


@pytest.mark.slow
def test_a_run_goes_on_with_no_other_variants(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    made = make_variants(tiny)
    process = start(data_dir, *train_words("a", epochs=200), "--set=stroke_variants=1")
    while not (runs_dir(data_dir) / "a").exists():
        assert process.poll() is None
    wait_for_step(runs_dir(data_dir) / "a", process)
    process.kill()
    process.wait()
    summary = made.path / "variants.json"
    text = summary.read_text()
    summary.write_text(text.replace(made.fingerprint, "0" * 32))
    refused = cli("train", "--resume", "a")
    assert refused.code == 2
    assert "are not those that run 'a' began with" in refused.err
