"""What a new run takes from others: branches, teachers, temperatures. No network."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.analysis.record import describe_lineage
from core.datasets.folders import find_folders
from core.datasets.install import install
from core.datasets.store import Dataset
from core.errors import ConfigError, RunError
from core.files import sha256
from core.language import translations
from core.runs.ancestry import describe_origin
from core.runs.config import RunConfig
from core.runs.create import create_run
from core.runs.dataset import validation_split
from core.runs.folder import (
    CONFIG,
    INITIAL_CHECKPOINT,
    METRICS_FILE,
    TEACHER_DIR,
    TRAIN_KEYS,
    WEIGHTS,
    kept_checkpoint,
    kept_epochs,
    runs_dir,
)
from core.runs.reading import read_config, read_run, read_train_keys, write_history
from core.sentences.lineage import lineage_words

SMALL = {"image_sizes": [32], "batch_size": 16, "val_fraction": 0.25}


def row(epoch: int, **changes: Any) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "step": 3 * epoch,
        "loss": 1.5,
        "top1": 0.5,
        "val_loss": 1.4,
        "val_top1": 0.5,
        "elapsed_s": 60.0 * epoch,
        **changes,
    }


def metrics(run_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "network": "simple",
        "dataset": "tiny",
        "n": 16,
        "num_classes": 4,
        "num_parameters": 100,
        "top1": 0.5,
        "top5": 1.0,
        "top1_interval": [0.3, 0.7],
        "loss": 1.0,
        "ece": 0.1,
        "loss_calibrated": 1.0,
        "ece_calibrated": 0.1,
        "temperature": 0.75,
        **changes,
    }


def make_run(
    data_dir: Path,
    tiny: Dataset,
    run_id: str = "old",
    *,
    network: str = "simple",
    kept: int | None = 4,
    seen: Any = None,
    is_evaluated: bool = True,
    **settings: Any,
) -> Path:
    """Makes the folder that a training of six epochs would have left."""
    fields = {**SMALL, "epochs": 6, "optimizer": "adamw", **settings}
    run_dir = create_run(
        network, "tiny", "report", data_dir=data_dir, run_id=run_id, overrides=fields
    )
    rows = [row(epoch) for epoch in range(1, 7)]
    write_history(run_dir, rows)
    weights = {"0000/kernel": np.full(3, len(run_id), np.float32)}
    save_file(weights, run_dir / WEIGHTS)
    if kept is not None:
        state = {"epoch": kept, "step": 0, "elapsed_s": 250.0, "history": rows[:kept]}
        metadata = {"metadata": json.dumps(state)}
        save_file(weights, run_dir / kept_checkpoint(kept), metadata)
    keys = tiny.keys[tiny.indices("train")] if seen is None else seen
    np.save(run_dir / TRAIN_KEYS, np.unique(keys))
    if is_evaluated:
        (run_dir / METRICS_FILE).write_text(json.dumps(metrics(run_id)))
    return run_dir


def test_a_branch_has_all_settings_of_its_origin_but_those_that_are_named(
    tiny: Dataset, data_dir: Path
) -> None:
    old = make_run(data_dir, tiny, label_smoothing=0.05, flip=True, seed=3)
    new = create_run(
        "simple",
        "tiny",
        data_dir=data_dir,
        run_id="new",
        overrides={"val_fraction": 0, "learning_rate": 0.5},
        origin=old,
        origin_epoch=4,
    )
    theirs, config = read_config(old), read_config(new)
    assert config.recipe == "report"
    changed = {"val_fraction": 0.0, "learning_rate": 0.5}
    assert config.settings == theirs.settings.model_copy(update=changed)
    assert config.origin is not None
    assert (config.origin.run_id, config.origin.epoch) == ("old", 4)
    kept = old / kept_checkpoint(4)
    assert config.origin.weights_sha256 == sha256(kept)
    assert (new / INITIAL_CHECKPOINT).read_bytes() == kept.read_bytes()
    assert kept_epochs(new) == []
    # It begins with the course that its origin had taken until then.
    run = read_run(new)
    assert [found["epoch"] for found in run.history] == [1, 2, 3, 4]
    assert (run.status.epoch, run.status.epochs, run.status.elapsed_s) == (4, 6, 250.0)
    assert (read_train_keys(new) == read_train_keys(old)).all()


@pytest.mark.parametrize(
    ("arguments", "overrides", "message"),
    [
        ({"origin_epoch": 3}, {}, "kept no checkpoint after epoch 3.*one of: old@4"),
        ({"recipe": "best"}, {}, "the recipe of its origin, 'report'"),
        ({}, {"epochs": 4}, "must have more epochs in all. Received: epochs=4"),
        ({}, {"optimizer": "adam"}, "needs `optimizer=adamw`.*optimizer=adam"),
        ({}, {"image_sizes": [64]}, r"needs `image_sizes=\[32\]`"),
        ({"network": "resnet18"}, {}, "is of network 'simple'"),
        ({}, {"val_fraction": 0.1}, "another part.*val_fraction=0.25"),
        ({}, {"seed": 1}, "another part.*--seed 0"),
    ],
)
def test_a_branch_that_can_t_be_is_refused_in_a_sentence(
    arguments: dict[str, Any],
    overrides: dict[str, Any],
    message: str,
    tiny: Dataset,
    data_dir: Path,
) -> None:
    old = make_run(data_dir, tiny)
    words = {"network": "simple", "origin_epoch": 4, **arguments}
    with pytest.raises((RunError, ConfigError), match=message):
        create_run(
            dataset="tiny",
            data_dir=data_dir,
            overrides=overrides,
            origin=old,
            **words,
        )
    assert [path.name for path in runs_dir(data_dir).iterdir()] == ["old"]


@pytest.mark.parametrize(
    ("field", "value"), [("shortcut", "average_pool"), ("pooling", "averaged")]
)
def test_who_goes_on_from_a_resnet_keeps_its_form(
    field: str, value: str, tiny: Dataset, data_dir: Path
) -> None:
    old = make_run(data_dir, tiny, network="resnet18")
    for epoch, message in ((4, f"needs `{field}="), (None, f"with `{field}=")):
        with pytest.raises(RunError, match=message):
            create_run(
                "resnet18",
                "tiny",
                data_dir=data_dir,
                overrides={field: value},
                origin=old,
                origin_epoch=epoch,
            )


def test_a_run_that_kept_nothing_or_something_else_can_t_be_branched(
    tiny: Dataset, data_dir: Path
) -> None:
    old = make_run(data_dir, tiny, kept=None)

    def branch() -> Path:
        return create_run(
            "simple", "tiny", data_dir=data_dir, origin=old, origin_epoch=4
        )

    with pytest.raises(RunError, match="has kept no checkpoint"):
        branch()
    state = {"metadata": json.dumps({"epoch": 3, "history": [], "elapsed_s": 0})}
    save_file({"a": np.zeros(1)}, old / kept_checkpoint(4), state)
    with pytest.raises(RunError, match="damaged: it is not of epoch 4"):
        branch()
    (old / kept_checkpoint(4)).write_bytes(b"\0" * 20)
    with pytest.raises(RunError, match="missing or damaged"):
        branch()
    assert [path.name for path in runs_dir(data_dir).iterdir()] == ["old"]


def test_no_run_is_validated_on_what_its_origin_has_learned(
    tiny: Dataset, data_dir: Path
) -> None:
    held_out = make_run(data_dir, tiny)
    saw_all = make_run(data_dir, tiny, "all", val_fraction=0)

    def go_on(origin: Path, val_fraction: float) -> RunConfig:
        overrides = {**SMALL, "optimizer": "adamw", "val_fraction": val_fraction}
        return read_config(
            create_run(
                "simple",
                "tiny",
                "report",
                data_dir=data_dir,
                run_id=f"{origin.name}-{val_fraction:g}",
                overrides=overrides,
                origin=origin,
            )
        )

    for origin in (held_out, saw_all):
        assert go_on(origin, 0).settings.val_fraction == 0
    with pytest.raises(RunError, match="learned from all training sketches"):
        go_on(saw_all, 0.25)
    with pytest.raises(RunError, match="held out another part"):
        go_on(held_out, 0.1)


def test_the_same_sketches_in_another_split_validate_no_one_who_learned_them(
    tiny: Dataset, data_dir: Path, tiny_pictures: Path
) -> None:
    origin = make_run(data_dir, tiny)
    again = install(find_folders(tiny_pictures, seed=1), "again", data_dir=data_dir)
    assert again.fingerprint != tiny.fingerprint

    def go_on(val_fraction: float) -> Path:
        overrides = {**SMALL, "val_fraction": val_fraction}
        return create_run(
            "simple",
            "again",
            "report",
            data_dir=data_dir,
            run_id=f"b{val_fraction:g}",
            overrides=overrides,
            origin=origin,
        )

    _, held = validation_split(again, read_config(origin).settings)
    learned = {tiny.records[row].id for row in tiny.indices("train")}
    known = sum(again.records[row].id in learned for row in held)
    assert 0 < known <= len(held) == 16
    with pytest.raises(RunError, match=f"learned from {known} of the 16 sketches"):
        go_on(0.25)
    assert go_on(0).name == "b0"


def test_a_final_fit_takes_the_temperature_that_is_named_or_nearest(
    tiny: Dataset, data_dir: Path
) -> None:
    old = make_run(data_dir, tiny)
    teacher = make_run(data_dir, tiny, "teacher")
    named = make_run(data_dir, tiny, "named")
    no_one = make_run(data_dir, tiny, "no-one", is_evaluated=False)
    for path, temperature in ((teacher, 0.5), (named, 2.0)):
        found = metrics(path.name, temperature=temperature)
        (path / METRICS_FILE).write_text(json.dumps(found))

    def fit(**arguments: Any) -> tuple[str, float] | None:
        is_taught = "teacher" in arguments
        overrides = {"val_fraction": 0, "distillation": 0.5 if is_taught else 0}
        run_dir = create_run(
            "simple", "tiny", data_dir=data_dir, overrides=overrides, **arguments
        )
        found = read_config(run_dir).calibration
        return None if found is None else (found.run_id, found.temperature)

    branch = {"origin": old, "origin_epoch": 4}
    assert fit(**branch) == ("old", 0.75)
    assert fit(**branch, teacher=teacher) == ("teacher", 0.5)
    assert fit(**branch, teacher=teacher, calibration=named) == ("named", 2.0)
    assert fit(origin=no_one, origin_epoch=4) is None
    with pytest.raises(RunError, match="'no-one' has no temperature"):
        fit(**branch, calibration=no_one)
    # A borrowed temperature is still its owner's.
    borrowed = metrics("named", temperature=0.75, temperature_from="old")
    (named / METRICS_FILE).write_text(json.dumps(borrowed))
    assert fit(**branch, calibration=named) == ("old", 0.75)
    (named / METRICS_FILE).write_text(
        json.dumps({**borrowed, "temperature_from": None})
    )
    with pytest.raises(RunError, match="'named' has no temperature"):
        fit(**branch, calibration=named)
    with pytest.raises(ConfigError, match="fits a temperature of its own"):
        create_run(
            "simple", "tiny", data_dir=data_dir, overrides=SMALL, calibration=old
        )


def test_a_student_keeps_its_teacher_and_counts_as_having_seen_what_that_has(
    tiny: Dataset, data_dir: Path
) -> None:
    elsewhere = np.arange(1, 9, dtype=np.uint64)
    teacher = make_run(data_dir, tiny, "teacher", seen=elsewhere)
    overrides = {**SMALL, "distillation": 0.5}
    student = create_run(
        "simple",
        "tiny",
        "report",
        data_dir=data_dir,
        overrides=overrides,
        teacher=teacher,
    )
    found = read_config(student).teacher
    assert found is not None
    assert (found.run_id, found.temperature) == ("teacher", 0.75)
    assert found.weights_sha256 == sha256(teacher / WEIGHTS)
    for name in (CONFIG, WEIGHTS):
        copy = student / TEACHER_DIR / name
        assert copy.read_bytes() == (teacher / name).read_bytes()
    assert (read_train_keys(student) == elsewhere).all()
    # With an origin besides, it is what either has seen.
    old = make_run(data_dir, tiny)
    both = create_run(
        "simple",
        "tiny",
        data_dir=data_dir,
        run_id="both",
        overrides={"distillation": 0.5},
        origin=old,
        origin_epoch=4,
        teacher=teacher,
    )
    union = np.union1d(read_train_keys(old), elsewhere)
    assert (read_train_keys(both) == union).all()
    told = " ".join(lineage_words(read_run(both), translations("en")))
    assert told.startswith(
        "It went on from old after epoch 4. It learned from the answers of teacher."
    )


def test_a_teacher_that_can_t_teach_is_refused_in_a_sentence(
    tiny: Dataset, data_dir: Path
) -> None:
    def learn(teacher: Path | None, distillation: float = 0.5) -> None:
        overrides = {**SMALL, "distillation": distillation}
        create_run(
            "simple",
            "tiny",
            "report",
            data_dir=data_dir,
            run_id="student",
            overrides=overrides,
            teacher=teacher,
        )

    with pytest.raises(ConfigError, match="needs a run to learn from"):
        learn(None)
    teacher = make_run(data_dir, tiny, "teacher")
    with pytest.raises(ConfigError, match="the share `distillation`, which is 0"):
        learn(teacher, 0)
    (teacher / METRICS_FILE).unlink()
    with pytest.raises(RunError, match="'teacher' is not evaluated"):
        learn(teacher)
    test = tiny.keys[tiny.indices("test")]
    cheat = make_run(data_dir, tiny, "cheat", seen=test[:2])
    with pytest.raises(RunError, match="'cheat' was trained on 2 of the 16 test"):
        learn(cheat)
    config = read_config(cheat).model_dump(mode="json")
    config["class_names"] = [*config["class_names"][1:], "house of cards"]
    (cheat / CONFIG).write_text(json.dumps(config))
    with pytest.raises(RunError, match="knows other classes"):
        learn(cheat)
    (cheat / WEIGHTS).unlink()
    (cheat / METRICS_FILE).unlink()
    with pytest.raises(RunError, match="has no weights yet"):
        learn(cheat)
    assert not (runs_dir(data_dir) / "student").exists()


def test_epochs_and_hours_of_all_legs_add_up(tiny: Dataset, data_dir: Path) -> None:
    old = make_run(data_dir, tiny)
    # The weights of six epochs, six minutes; then four of a branch's six.
    again = describe_origin(old, None)
    assert (again.earlier_epochs, again.earlier_s) == (6, 360.0)
    branch = describe_origin(old, 4)
    assert (branch.earlier_epochs, branch.earlier_s) == (0, 0.0)

    def lineage(origin: Any, rows: int) -> tuple[Any, Any]:
        config = read_config(old).model_copy(update={"origin": origin})
        (old / CONFIG).write_text(config.model_dump_json())
        write_history(old, [row(epoch) for epoch in range(1, rows + 1)])
        found = describe_lineage(read_run(old))
        return found["total_epochs"], found["total_hours"]

    assert lineage(again, 60) == (66, 1.1)
    assert lineage(branch, 60) == (60, 1.0)
    # A third leg knows of the first by the second.
    assert lineage(again, 6) == (12, 0.2)
    third = describe_origin(old, None)
    assert (third.earlier_epochs, third.earlier_s) == (12, 720.0)
    # Configs of earlier releases say nothing of it.
    unknown = again.model_copy(update={"earlier_epochs": None, "earlier_s": None})
    assert lineage(unknown, 6) == (None, None)
    assert "is not known" in lineage_words(read_run(old), translations("en"))[-1]
    assert describe_origin(old, None).earlier_s is None
