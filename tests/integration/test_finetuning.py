"""From kept drawings to a run that has learned them: a run like any other."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from core.datasets.drawing_files import KeptDrawing
from core.datasets.drawings import save_drawing
from core.datasets.drawings_dataset import DATASET_NAME
from core.datasets.starter import draw, render
from core.datasets.store import Dataset, open_dataset, remove_dataset
from core.runs.create import create_run
from core.runs.dataset import make_drawings_dataset
from core.runs.folder import TRAIN_KEYS, WEIGHTS, runs_dir
from core.runs.reading import read_config, read_run
from tests.conftest import TINY_CLASSES, TINY_SETTINGS, Cli, start_command
from tests.integration.test_training import wait_for_step

FINETUNE = (
    "train",
    "simple",
    f"--dataset={DATASET_NAME}",
    "--recipe=finetune",
    "--epochs=2",
)


@pytest.fixture
def origin(tiny: Dataset, cli: Cli) -> str:
    """A trained run whose four classes are not in the alphabet's order."""
    words = ["--dataset=tiny", "--recipe=best", "--epochs=1", "--run-id=origin"]
    result = cli("train", "simple", *words, *TINY_SETTINGS)
    assert result.code == 0, result.err
    return "origin"


def keep_drawings(data_dir: Path, per_class: int = 2) -> list[KeptDrawing]:
    """Keeps drawings of three of the four classes."""
    kept = []
    for label, name in enumerate(("sun", "key", "spider")):
        for number in range(per_class):
            generator = np.random.default_rng([99, label, number])
            kept.append(
                save_drawing(
                    render(draw(name, generator), generator),
                    name,
                    class_names=TINY_CLASSES,
                    data_dir=data_dir,
                    source="canvas",
                    strokes=json.dumps({"objects": []}),
                )
            )
    return kept


@pytest.mark.slow
def test_a_run_goes_on_with_kept_drawings_and_is_scored_on_its_origin_s_test(
    origin: str, tiny: Dataset, data_dir: Path, cli: Cli, tmp_path: Path
) -> None:
    kept = keep_drawings(data_dir)
    listed = cli("drawings", "list", "--json").json
    assert {d["id"] for d in listed["kept"]} == {drawing.id for drawing in kept}
    made = cli("drawings", "dataset")
    assert made.code == 0, made.err
    assert "3 classes, 6 training and 0 test sketches" in made.out

    result = cli(*FINETUNE, f"--from={origin}", "--run-id=mine")
    assert result.code == 0, result.err
    assert "on 16 test sketches of tiny" in result.out
    run = read_run(runs_dir(data_dir) / "mine")
    assert (run.state, run.problem, len(run.history)) == ("finished", "", 2)
    config = run.config
    assert config is not None
    assert config.class_names == tiny.class_names
    assert config.dataset_fingerprint == tiny.fingerprint
    assert config.drawings is not None
    assert config.drawings.dataset == DATASET_NAME
    # The recipe leaves these to the origin; 6 drawings and 24 others make no 32.
    assert config.settings.image_sizes == (32,)
    assert config.settings.val_fraction == 0.25
    assert config.settings.batch_size == 30
    assert run.history[-1]["step"] == 2
    # What it has seen is what its origin has, and the drawings.
    seen = np.load(run.path / TRAIN_KEYS)
    learned = open_dataset(DATASET_NAME, data_dir=data_dir)
    assert np.isin(learned.keys, seen).all()
    assert not np.isin(tiny.keys[tiny.indices("test")], seen).any()

    answers = cli("classify", kept[0].png, "--run=mine", "--top=4", "--json").json
    guesses = {guess["class"] for guess in answers[0]["predictions"]}
    assert guesses == set(TINY_CLASSES)
    shown = cli("runs", "show", "mine", "--json").json
    assert (shown["origin"], shown["drawings"]) == (origin, DATASET_NAME)

    file = tmp_path / "mine.zip"
    assert cli("drawings", "export", file).code == 0
    assert cli("drawings", "remove", kept[0].id).code == 0
    assert len(cli("drawings", "list", "--json").json["kept"]) == 5
    added = cli("dataset", "add", file)
    assert added.code == 0, added.err
    # Drawings that were learned from are no test, not even under another name.
    refused = cli("evaluate", "mine", "--dataset=mine")
    assert refused.code == 2
    assert "was trained on" in refused.err
    refused = cli("evaluate", "mine", f"--dataset={DATASET_NAME}")
    assert refused.code == 2
    assert "has no test sketches" in refused.err


@pytest.mark.slow
def test_without_its_origin_s_dataset_a_run_is_trained_and_not_scored(
    origin: str, tiny_pictures: Path, tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    remove_dataset("tiny", data_dir=data_dir)
    keep_drawings(data_dir)
    assert cli("drawings", "dataset").code == 0
    result = cli(*FINETUNE, f"--from={origin}", "--run-id=mine")
    assert result.code == 0, result.err
    assert "was not evaluated: the dataset of run 'origin'" in result.out
    run = read_run(runs_dir(data_dir) / "mine")
    assert (run.state, run.metrics, len(run.history)) == ("trained", None, 2)
    assert read_config(run.path).class_names == tiny.class_names
    again = cli("train", "--resume=mine")
    assert again.code == 2
    assert "nothing is left to do" in again.err
    refused = cli("evaluate", "mine")
    assert refused.code == 2
    assert "has no test sketches" in refused.err
    # It can still be scored, once there is something to score it on.
    assert cli("dataset", "add", tiny_pictures, "--name=tiny").code == 0
    assert cli("evaluate", "mine", "--dataset=tiny", "--json").json["n"] == 16


@pytest.mark.slow
def test_drawings_that_can_t_be_learned_are_refused_in_a_sentence(
    origin: str, tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    row = tiny.indices("test")[0]
    name = tiny.class_names[tiny.labels[row]]
    seen = save_drawing(
        np.array(tiny.images[row]),
        name,
        class_names=TINY_CLASSES,
        data_dir=data_dir,
        source="upload",
    )
    assert cli("drawings", "dataset").code == 0
    refused = cli(*FINETUNE, f"--from={origin}")
    assert refused.code == 2
    assert f"Drawing {seen.id} is a test sketch of dataset 'tiny'" in refused.err
    assert cli("drawings", "remove", seen.id).code == 0
    keep_drawings(data_dir, per_class=1)
    assert cli("drawings", "dataset").code == 0
    refused = cli(*FINETUNE, f"--from={origin}", "--seed=3")
    assert refused.code == 2
    assert "held out another part for validation" in refused.err


@pytest.mark.slow
def test_a_stopped_run_goes_on_with_the_same_drawings_and_rehearsal(
    origin: str, data_dir: Path, cli: Cli
) -> None:
    keep_drawings(data_dir)
    make_drawings_dataset(data_dir)
    overrides = {"epochs": 60, "batch_size": 4, "deterministic": True}
    for run_id in ("whole", "stopped"):
        create_run(
            "simple",
            DATASET_NAME,
            "finetune",
            data_dir=data_dir,
            run_id=run_id,
            overrides=overrides,
            origin=runs_dir(data_dir) / origin,
        )
    assert cli("train", "--resume=whole").code == 0
    whole = read_run(runs_dir(data_dir) / "whole")

    # A new drawing and a new dataset: the run that has begun keeps its own.
    save_drawing(
        render(draw("house", np.random.default_rng(5)), np.random.default_rng(5)),
        "house",
        class_names=TINY_CLASSES,
        data_dir=data_dir,
        source="canvas",
    )
    assert make_drawings_dataset(data_dir).num_train == 7
    stopped = runs_dir(data_dir) / "stopped"
    process = start_command(data_dir, "train", "--resume=stopped")
    wait_for_step(stopped, process, beyond=(3, 1))
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    assert read_run(stopped).state == "stopped"
    assert cli("train", "--resume=stopped").code == 0
    after = read_run(stopped)
    losses = [row["loss"] for row in after.history]
    assert losses == [row["loss"] for row in whole.history]
    weights = [(run.path / WEIGHTS).read_bytes() for run in (whole, after)]
    assert weights[0] == weights[1]
