"""A sweep's file is checked, its trials are planned, its record survives."""

from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError, RunError
from core.metrics import wilson_interval
from core.sweeps.plan import Range, Sweep, parse_sweep, plan, read_sweep, sample
from core.sweeps.pooling import FoldScore, pool
from core.sweeps.record import (
    merge,
    read_record,
    refresh,
    sweep_dir,
    write_record,
)


def parsed(**content: Any) -> Sweep:
    return parse_sweep({"dataset": "starter", **content}, default_name="s")


def test_a_grid_is_every_combination_once() -> None:
    sweep = parsed(
        networks=["simple", "resnet18"],
        recipes=["best", "report"],
        fields={"learning_rate": [0.001, 0.002, 0.002], "epochs": 3},
        seeds=[0, 1],
        folds=3,
    )
    trials = plan(sweep)
    assert len(trials) == len({trial.run_id for trial in trials}) == 2 * 2 * 2 * 2 * 3
    assert plan(sweep) == trials
    assert {trial.fields["epochs"] for trial in trials} == {3}
    assert {trial.fold for trial in trials} == {0, 1, 2}


def test_a_random_search_stays_in_its_ranges() -> None:
    fields = {
        "learning_rate": {"from": 1e-4, "to": 1e-2, "log": True},
        "epochs": {"from": 2, "to": 9},
        "flip": [True, False],
    }
    sweep = parsed(fields=fields, search="random", trials=50)
    drawn = [fields for _, _, fields in sample(sweep)]
    assert len(plan(sweep)) == 50
    assert all(1e-4 <= float(str(d["learning_rate"])) <= 1e-2 for d in drawn)
    assert {type(d["epochs"]) for d in drawn} == {int}
    assert {d["flip"] for d in drawn} == {True, False}
    assert sample(sweep) != sample(sweep.model_copy(update={"search_seed": 1}))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"fields": {"nothing": 1}}, "there is no field 'nothing'"),
        ({"fields": {"seed": 1}}, "use `seeds`"),
        ({"fields": {"epochs": []}}, "no value to choose from"),
        ({"fields": {"dropout": {"from": 0, "to": 0.5}}}, "a grid takes a list"),
        ({"search": "random"}, "needs `trials`"),
        ({"trials": 3}, "needs `search: random`"),
        ({"name": "../up"}, "`name` is 1 to 50"),
        ({"folds": 1}, "folds"),
        ({"folds": 3, "asha": {}}, "leave one out"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_a_file_cannot_ask_is_told(content: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        parsed(**content)


def test_settings_out_of_range_are_told_before_any_training() -> None:
    with pytest.raises(ConfigError, match="learning_rate"):
        plan(parsed(fields={"learning_rate": [0.001, 7]}))
    with pytest.raises(ConfigError, match="no recipe 'worst'"):
        plan(parsed(recipes=["worst"]))
    with pytest.raises(ConfigError, match="more than 10,000"):
        plan(parsed(seeds=list(range(101)), folds=100))


def test_a_file_that_is_no_yaml_is_told(tmp_path: Path) -> None:
    file = tmp_path / "lr.yaml"
    with pytest.raises(ConfigError, match="can't be read"):
        read_sweep(file)
    file.write_text("a: [1")
    with pytest.raises(ConfigError, match="is no YAML"):
        read_sweep(file)
    file.write_text("- a")
    with pytest.raises(ConfigError, match="must hold fields"):
        read_sweep(file)
    file.write_text(
        "dataset: d\nfields: {dropout: {from: 0, to: 0.5}}\nsearch: random\ntrials: 2\n"
    )
    assert read_sweep(file).name == "lr"
    assert isinstance(read_sweep(file).fields["dropout"], Range)


def test_what_yaml_takes_for_words_are_numbers(tmp_path: Path) -> None:
    file = tmp_path / "lr.yaml"
    file.write_text("dataset: d\nfields: {learning_rate: [1e-3, 0.001], epochs: 5}\n")
    [trial] = plan(read_sweep(file))
    assert trial.fields == {"learning_rate": 0.001, "epochs": 5}


def test_a_record_survives_and_goes_on(tmp_path: Path) -> None:
    sweep = parsed(
        fields={"dropout": {"from": 0, "to": 0.5}, "image_sizes": [[32], [64]]},
        search="random",
        trials=3,
    )
    record = write_record(merge(sweep, plan(sweep), None), data_dir=tmp_path)
    folder = sweep_dir("s", data_dir=tmp_path)
    assert read_record(folder) == record
    assert {trial.state for trial in record.trials} == {"planned"}
    first = record.trials[0].model_copy(update={"state": "finished", "top1": 0.5})
    known = record.model_copy(update={"trials": (first, *record.trials[1:])})
    again = merge(sweep, plan(sweep), known)
    assert again.trials[0] == first
    assert refresh(again, data_dir=tmp_path).trials[1].state == "planned"
    (folder / "sweep.json").write_text("{}")
    with pytest.raises(RunError, match="damaged"):
        read_record(folder)


def test_folds_are_pooled_by_sketches() -> None:
    pooled = pool("{}", [FoldScore(0, "a", 9, 10), FoldScore(1, "b", 10, 30)], k=2)
    assert pooled.top1 == 19 / 40
    assert pooled.interval == wilson_interval(19, 40)
