"""From a config to a run folder: stopped, killed, resumed, repeated."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from core.datasets.store import Dataset
from core.runs.create import create_run
from core.runs.dataset import validation_split
from core.runs.evaluation import read_evaluation
from core.runs.folder import (
    CHECKPOINT,
    HISTORY,
    STATUS,
    WEIGHTS,
    kept_checkpoint,
    kept_epochs,
    lock_run,
    runs_dir,
)
from core.runs.keeping import best_epoch, kept_epoch
from core.runs.reading import read_config, read_run
from core.runs.status import Status, current_process, read_status, write_status
from core.runs.weights import read_tensors
from core.training.augmentation import SketchInput
from core.training.networks import load_network
from tests.conftest import (
    HISTORY_ROW,
    JAX,
    REPOSITORY,
    TINY_SETTINGS,
    Cli,
    cli_environment,
    start_command,
)
from tests.preloaded import Process

EPOCHS = 6


def without_times(history: Any) -> list[dict[str, Any]]:
    """A history without what depends on the clock."""
    return [
        {name: value for name, value in row.items() if name != "elapsed_s"}
        for row in history
    ]


def train_words(
    run_id: str, network: str = "simple", epochs: int = EPOCHS
) -> list[str]:
    return [
        "train",
        network,
        "--dataset=tiny",
        "--recipe=best",
        f"--epochs={epochs}",
        f"--run-id={run_id}",
        *TINY_SETTINGS,
        *(["--set=image_size_shares=[1]"] if network == "resnet18" else []),
    ]


def wait_for_step(
    run_dir: Path,
    process: Process,
    *,
    beyond: tuple[int, int] = (0, 0),
) -> None:
    """Waits until a process has trained beyond an epoch and step."""
    while True:
        status = read_run(run_dir).status
        if status.pid == process.pid and (status.epoch, status.step) > beyond:
            return
        assert process.poll() is None, "the training ended early"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_run_goes_from_nothing_to_an_evaluation(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    result = cli(*train_words("a"))
    assert result.code == 0, result.err
    run = read_run(runs_dir(data_dir) / "a")
    assert run.state == "finished"
    assert run.problem == ""
    assert [row["epoch"] for row in run.history] == list(range(1, EPOCHS + 1))
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    assert run.history[-1]["step"] == EPOCHS * 3
    # The loss contains label smoothing.
    last = run.history[-1]
    assert 0 < last["cross_entropy"] < last["loss"]
    assert 0 < last["val_cross_entropy"] != last["val_loss"]
    # All sketches that it learned, without those held out, as they are.
    assert run.metrics is not None
    assert run.metrics["train_n"] == 48
    right = 48 * run.metrics["train_top1"]
    assert right == pytest.approx(round(right))
    # Means over the epoch's 48 sketches, not over its last batch of 16.
    hits = np.array([row["top1"] for row in run.history]) * 48
    assert hits == pytest.approx(hits.round(), abs=1e-4)
    assert (hits.round() % 3 != 0).any()
    assert run.history[-1]["learning_rate"] < run.history[2]["learning_rate"]
    assert not (run.path / CHECKPOINT).exists()
    evaluation = read_evaluation(run.path)
    test = tiny.indices("test")
    assert evaluation.ids == tuple(tiny.records[row].id for row in test)
    assert (evaluation.y_true == tiny.labels[test]).all()
    assert evaluation.logits.shape == (16, 4)
    assert evaluation.confusion.sum() == 16
    assert evaluation.metrics["top1"] == np.mean(evaluation.y_pred == evaluation.y_true)
    assert evaluation.probabilities.sum(axis=1) == pytest.approx(np.ones(16))
    # The same seed gives the same run; another gives another.
    assert cli(*train_words("b")).code == 0
    again = read_run(runs_dir(data_dir) / "b")
    assert without_times(again.history) == without_times(run.history)
    assert (again.path / WEIGHTS).read_bytes() == (run.path / WEIGHTS).read_bytes()
    assert cli(*train_words("c", epochs=1), "--seed=1").code == 0
    other = read_run(runs_dir(data_dir) / "c")
    assert other.history[0]["loss"] != run.history[0]["loss"]


EVERYTHING = (
    "--set=schedule=wsd",
    "--set=decay_share=0.4",
    "--set=ema=0.95",
    "--set=mixing=sketch",
    "--set=mixup=0.3",
    "--set=cutmix=0.3",
    "--set=unmixed_epochs=10",
    "--set=keep=best",
    "--set=patience=50",
)
"""All fields of how a training spends its time."""


@pytest.mark.slow
@pytest.mark.parametrize("fields", [(), EVERYTHING], ids=["plain", "everything"])
def test_killed_at_ten_random_moments_a_run_ends_like_one_never_interrupted(
    fields: tuple[str, ...], tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    words = ["--set=dropout=0.3", *fields]
    epochs = 60
    assert cli(*train_words("whole", epochs=epochs), *words).code == 0
    whole = read_run(runs_dir(data_dir) / "whole")
    run_dir = runs_dir(data_dir) / "killed"
    chance = random.Random(0)
    often = "--checkpoint-every=0.05"
    process = start_command(
        data_dir, *train_words("killed", epochs=epochs), *words, often
    )
    seen = 0
    reached = [(0, 0)]
    for attempt in range(10):
        # Now and then it is killed before it gets on.
        if attempt % 4 != 3:
            wait_for_step(run_dir, process, beyond=max(reached))
        time.sleep(chance.uniform(0, 0.5))
        assert process.poll() is None, "it ended before it was killed ten times"
        process.send_signal(signal.SIGKILL)
        process.wait()
        run = read_run(run_dir)
        assert run.state == "failed"
        assert "Its process ended without a word" in run.status.message
        assert run.problem == ""
        # No row that was shown is lost.
        assert len(run.history) >= seen
        seen = len(run.history)
        reached.append((run.status.epoch, run.status.step))
        process = start_command(data_dir, "train", "--resume=killed", often)
    assert process.wait() == 0
    run = read_run(run_dir)
    assert run.state == "finished"
    assert len(set(reached)) > 5, f"it hardly got on between the kills: {reached}"
    assert without_times(run.history) == without_times(whole.history), reached
    assert (run_dir / WEIGHTS).read_bytes() == (whole.path / WEIGHTS).read_bytes()
    assert sorted(path.name for path in run_dir.iterdir()) == sorted(
        path.name for path in whole.path.iterdir()
    )


@pytest.mark.slow
def test_wsd_keeps_the_checkpoint_before_the_fall(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    words = ["--set=schedule=wsd", "--set=decay_share=0.5", "--set=warmup_epochs=1"]
    assert cli(*train_words("a", epochs=4), *words).code == 0
    run = read_run(runs_dir(data_dir) / "a")
    rates = [row["learning_rate"] for row in run.history]
    assert rates == pytest.approx([2e-3, 2e-3, 2e-3 * (1 - 0.5**0.5), 0])
    # It outlives the run, complete and of that moment.
    assert kept_epochs(run.path) == [2]
    assert not (run.path / CHECKPOINT).exists()
    tensors, state = read_tensors(run.path / kept_checkpoint(2))
    assert (state["epoch"], state["step"]) == (2, 0)
    assert without_times(state["history"]) == without_times(run.history[:2])
    assert any("momentum" in name or "_m" in name for name in tensors)


@pytest.mark.slow
def test_the_best_epoch_is_kept_and_patience_ends_a_run(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    words = ["--set=keep=best", "--set=patience=3", "--set=learning_rate=0.05"]
    assert cli(*train_words("a", epochs=40), *words).code == 0
    run = read_run(runs_dir(data_dir) / "a")
    assert run.config is not None
    best = best_epoch(run.history)
    assert best is not None
    assert len(run.history) == best + 3 < 40
    assert run.state == "finished"
    assert run.status.kept_epoch == kept_epoch(run.config, run.history) == best
    # Those weights, not the last ones: they score on validation what they did then.
    network = load_network(run.path, run.config)
    _, rows = validation_split(tiny, run.config.settings)
    ink = SketchInput(run.config.settings, image_size=32)(np.array(tiny.images[rows]))
    hits = np.argmax(np.asarray(network(ink)), axis=1) == tiny.labels[rows]
    assert hits.mean() == pytest.approx(run.history[best - 1]["val_top1"])
    assert not list(run.path.glob("best-*"))


@pytest.mark.slow
def test_averaged_weights_are_judged_and_kept_and_training_goes_on_without(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    for run_id, words in (("raw", []), ("averaged", ["--set=ema=0.9"])):
        assert cli(*train_words(run_id), *words).code == 0
    raw, averaged = (read_run(runs_dir(data_dir) / n) for n in ("raw", "averaged"))
    for figure in ("loss", "top1", "learning_rate"):
        ours, theirs = ([r[figure] for r in x.history] for x in (raw, averaged))
        assert ours == theirs
    assert raw.history[-1]["val_loss"] != averaged.history[-1]["val_loss"]
    assert averaged.config is not None
    network = load_network(averaged.path, averaged.config)
    train, rows = validation_split(tiny, averaged.config.settings)
    front = SketchInput(averaged.config.settings, image_size=32)
    # All 48 training sketches fit in one batch, so its statistics are theirs.
    first = network.get_layer("conv1")
    seen = np.asarray(first(front(np.array(tiny.images[train]))))
    norm = network.get_layer("conv1_bn")
    assert np.asarray(norm.moving_mean) == pytest.approx(seen.mean((0, 1, 2)), abs=1e-4)
    hits = (
        np.argmax(np.asarray(network(front(np.array(tiny.images[rows])))), axis=1)
        == tiny.labels[rows]
    )
    assert hits.mean() == pytest.approx(averaged.history[-1]["val_top1"])


@pytest.mark.slow
@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGINT, "runs stop"])
def test_a_stop_request_keeps_everything(
    way: signal.Signals | str, tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    words = train_words("a", epochs=3000)
    process = start_command(data_dir, *words)
    run_dir = runs_dir(data_dir) / "a"
    wait_for_step(run_dir, process)
    if isinstance(way, str):
        assert cli("runs", "stop", "a").code == 0
    else:
        process.send_signal(way)
    assert process.wait(timeout=600) == 0
    run = read_run(run_dir)
    assert run.state == "stopped"
    assert "--resume a" in run.status.message
    assert (run_dir / CHECKPOINT).exists()
    assert not (run_dir / "stop").exists()
    assert len(run.history) == run.status.epoch


@pytest.mark.slow
def test_resnet18_changes_its_image_size_on_the_way(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    words = train_words("a", "resnet18", epochs=2)
    words += ["--set=image_sizes=[32,48]", "--set=image_size_shares=[0.5,0.5]"]
    assert cli(*words).code == 0
    run = read_run(runs_dir(data_dir) / "a")
    assert [row["image_size"] for row in run.history] == [32, 48]
    assert run.metrics is not None
    assert run.metrics["image_size"] == 48


@pytest.mark.slow
def test_the_same_run_trains_on_jax(tiny: Dataset, data_dir: Path, cli: Cli) -> None:
    pytest.importorskip("jax")
    assert cli(*train_words("tf", epochs=1)).code == 0
    environment = {**cli_environment(data_dir), **JAX}
    often = "--checkpoint-every=0"
    result = subprocess.run(
        [sys.executable, "-m", "core", *train_words("jax", epochs=1), often],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    # Random numbers differ between backends; weights and their answers do not.
    before = read_run(runs_dir(data_dir) / "jax").metrics
    assert before is not None
    logits = read_evaluation(runs_dir(data_dir) / "jax").logits
    result_tf = cli("evaluate", "jax", "--json")
    assert result_tf.code == 0, result_tf.err
    assert result_tf.json["top1"] == before["top1"]
    again = read_evaluation(runs_dir(data_dir) / "jax").logits
    assert again.astype(float) == pytest.approx(logits.astype(float), abs=0.02)


@pytest.mark.slow
def test_two_trainings_never_write_one_run(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    process = start_command(data_dir, *train_words("a", epochs=3000))
    run_dir = runs_dir(data_dir) / "a"
    wait_for_step(run_dir, process)
    assert read_run(run_dir).state == "running"
    for words in (["train", "--resume=a"], ["runs", "remove", "a"]):
        refused = cli(*words)
        assert refused.code == 2
        assert "by another process" in refused.err
    taken = cli(*train_words("a"))
    assert taken.code == 2
    assert "There is a run 'a' already" in taken.err
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    lock_run(run_dir).release()
    assert cli("runs", "remove", "a").code == 0
    assert not run_dir.exists()


@pytest.mark.slow
def test_a_damaged_checkpoint_is_one_clear_error_and_is_kept(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    process = start_command(data_dir, *train_words("a", epochs=3000))
    run_dir = runs_dir(data_dir) / "a"
    wait_for_step(run_dir, process)
    process.send_signal(signal.SIGTERM)
    process.wait()
    before = read_run(run_dir)
    content = (run_dir / CHECKPOINT).read_bytes()
    (run_dir / CHECKPOINT).write_bytes(content[: len(content) // 2])
    result = cli("train", "--resume=a")
    assert result.code == 2
    assert "checkpoint.safetensors is missing or damaged" in result.err
    after = read_run(run_dir)
    assert after.state == "failed"
    # What was shown is shown still.
    assert after.history == before.history
    assert (after.status.epoch, after.status.step) == (
        before.status.epoch,
        before.status.step,
    )


@pytest.mark.slow
def test_a_dataset_that_changed_is_refused(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    assert cli(*train_words("a", epochs=1)).code == 0
    summary = tiny.path / "dataset.json"
    fields = json.loads(summary.read_text())
    # Another copy of the same sketches and split is scored, but not written.
    before = read_run(runs_dir(data_dir) / "a").metrics
    summary.write_text(json.dumps({**fields, "fingerprint": "another"}))
    assert cli("evaluate", "a").code == 0
    assert read_run(runs_dir(data_dir) / "a").metrics == before
    fields |= {"fingerprint": "another", "split_fingerprint": "another"}
    summary.write_text(json.dumps(fields))
    result = cli("evaluate", "a")
    assert result.code == 2
    assert "Dataset 'tiny', with the sketches and the split" in result.err


@pytest.mark.slow
def test_scoring_on_sketches_seen_in_training_is_refused_by_name(
    tiny: Dataset, tiny_pictures: Path, data_dir: Path, cli: Cli, tmp_path: Path
) -> None:
    assert cli(*train_words("a", epochs=1)).code == 0
    # The same pictures in other folders, so that the split falls differently.
    other = tmp_path / "other"
    for record in tiny.records:
        target = other / record.path.replace(
            "/", "/z" if int(Path(record.path).stem) % 3 else "/a"
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((tiny_pictures / record.path).read_bytes())
    assert cli("dataset", "add", other, "--name=other").code == 0
    result = cli("evaluate", "a", "--dataset=other")
    assert result.code == 2
    assert "was trained on" in result.err
    assert ".png" in result.err
    # On sketches that it has not seen, it is scored; its own evaluation stays.
    fresh = tmp_path / "fresh"
    for row in tiny.indices("test"):
        record = tiny.records[row]
        for copy, content in enumerate(
            ((tiny_pictures / record.path).read_bytes(), None)
        ):
            target = fresh / record.path.replace(".png", f"-{copy}.png")
            target.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                _shift(tiny_pictures / record.path, target)
            else:
                target.write_bytes(content)
    assert cli("dataset", "add", fresh, "--name=fresh").code == 0
    result = cli("evaluate", "a", "--dataset=fresh", "--json")
    assert result.code == 0, result.err
    assert result.json["dataset"] == "fresh"
    kept = read_run(runs_dir(data_dir) / "a").metrics
    assert kept is not None
    assert kept["dataset"] == "tiny"


def _shift(picture: Path, target: Path) -> None:
    """Saves a picture moved by two pixels."""
    from PIL import Image

    with Image.open(picture) as image:
        Image.fromarray(np.roll(np.asarray(image), 2, axis=0)).save(target)


def test_a_dataset_smaller_than_a_batch_trains_with_one_that_fits(
    tiny: Dataset, data_dir: Path
) -> None:
    run_dir = create_run("simple", "tiny", data_dir=data_dir)
    settings = read_config(run_dir).settings
    assert settings.batch_size == len(validation_split(tiny, settings)[0]) < 64


@pytest.mark.slow
def test_a_batch_that_is_said_and_larger_than_the_dataset_is_refused(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    result = cli(*train_words("a"), "--set=batch_size=999")
    assert result.code == 2
    assert "fewer than one batch of 999. Add `--set batch_size=48`" in result.err
    assert not (runs_dir(data_dir) / "a").exists()


def test_rows_after_a_broken_line_are_not_shown(tiny: Dataset, data_dir: Path) -> None:
    run_dir = runs_dir(data_dir) / "a"
    run_dir.mkdir(parents=True)
    second = HISTORY_ROW.replace('"epoch": 1', '"epoch": 2')
    (run_dir / HISTORY).write_text(f'{HISTORY_ROW}\n{second}\n{{"epo')
    run = read_run(run_dir)
    assert [row["epoch"] for row in run.history] == [1, 2]
    assert "history.jsonl line 3 is damaged" in run.problem
    assert run.state == "damaged"


def test_a_process_number_taken_over_is_not_the_training(data_dir: Path) -> None:
    run_dir = runs_dir(data_dir) / "a"
    run_dir.mkdir(parents=True)
    status = {"state": "running", "pid": os.getpid(), "process_started": 1.0}
    (run_dir / STATUS).write_text(json.dumps(status))
    assert read_run(run_dir).status.state != "running"


@pytest.mark.parametrize("seconds", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_ends_no_training(
    seconds: float, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = runs_dir(data_dir) / "a"
    run_dir.mkdir(parents=True)
    write_status(run_dir, Status("running", "training", **current_process()))
    # What a system tells after its clock was set anew: it moves its own start along.
    create_time, boot_time = psutil.Process.create_time, psutil.boot_time()
    monkeypatch.setattr(
        psutil.Process, "create_time", lambda self: create_time(self) + seconds
    )
    monkeypatch.setattr(psutil, "boot_time", lambda: boot_time + seconds)
    with lock_run(run_dir):
        assert read_status(run_dir).state == "running"
        # After a restart the number is another process's.
        monkeypatch.setattr(psutil, "boot_time", lambda: boot_time + seconds + 100)
        assert read_status(run_dir).state == "failed"


def test_a_status_of_an_earlier_start_of_the_machine_runs_no_more(
    data_dir: Path,
) -> None:
    run_dir = runs_dir(data_dir) / "a"
    run_dir.mkdir(parents=True)
    # The same number, at the same time since the machine's start.
    write_status(run_dir, Status("running", "training", **current_process()))
    with lock_run(run_dir):
        assert read_status(run_dir).state == "running"
    assert read_status(run_dir).state == "failed"
    lock_run(run_dir).release()


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999"])
def test_a_status_with_what_is_no_number_is_damaged(
    number: str, data_dir: Path
) -> None:
    run_dir = runs_dir(data_dir) / "a"
    run_dir.mkdir(parents=True)
    (run_dir / STATUS).write_text(f'{{"state": "stopped", "eta_s": {number}}}')
    assert "status.json is damaged" in read_run(run_dir).problem
    assert math.isfinite(read_run(run_dir).status.eta_s or 0)


@pytest.mark.slow
def test_the_starter_s_command_reaches_ninety_percent(cli: Cli) -> None:
    assert cli("dataset", "add", "starter").code == 0
    words = ["train", "simple", "--dataset=starter", "--recipe=best", "--run-id=a"]
    result = cli(*words)
    assert result.code == 0, result.err
    top1 = [r["top1"] for r in cli("runs", "list", "--json").json if r["run_id"] == "a"]
    assert np.min(top1) >= 0.9


@pytest.mark.slow
def test_what_is_only_compared_by_validation_leaves_the_test_sketches_alone(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    trained = cli(*train_words("a", epochs=1), "--no-evaluate")
    assert trained.code == 0, trained.err
    assert "It is not scored; `python -m core evaluate a` does that." in trained.out
    run = read_run(runs_dir(data_dir) / "a")
    assert (run.state, run.metrics) == ("trained", None)
    assert cli("evaluate", "a").code == 0
    assert read_run(run.path).state == "finished"
