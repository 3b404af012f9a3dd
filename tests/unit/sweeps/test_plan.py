"""A sweep's file is checked, its trials are planned, its record survives."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.analysis.statistics import wilson_interval
from core.errors import ConfigError, RunError
from core.sweeps.plan import grid, is_of, make_trial, plan, sample
from core.sweeps.pooling import FoldScore, pool
from core.sweeps.record import (
    SweepRecord,
    TrialRecord,
    merge,
    read_record,
    refresh,
    sweep_dir,
    write_record,
)
from core.sweeps.spec import Range, Sweep, Trial, parse_sweep, read_sweep


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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"fields": {"val_fraction": [0.1, 0]}}, "each must hold something out"),
        (
            {
                "fields": {"val_fraction": {"from": 0, "to": 0.2}},
                "search": "optuna",
                "trials": 5,
            },
            "each must hold something out",
        ),
        ({"fields": {"distillation": 0.5}}, "have no teacher"),
    ],
)
def test_what_a_trial_can_t_be_compared_or_taught_by_is_refused(
    content: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        plan(parsed(**content))


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
        ({"search": "optuna"}, "needs `trials`"),
        ({"search": "optuna", "trials": 2, "seeds": [0, 1]}, "give one of `seeds`"),
        ({"search": "optuna", "trials": 2, "folds": 3}, "leave `folds` out"),
        (
            {
                "search": "optuna",
                "trials": 9,
                "fields": {"epochs": {"from": 2, "to": 3}, "flip": [True, False]},
            },
            "only 4 combinations for 9 `trials`",
        ),
        (
            {
                "search": "optuna",
                "trials": 1,
                "fields": {"epochs": {"from": 0.1, "to": 0.4, "log": True}},
            },
            "no whole number",
        ),
        ({"name": "../up"}, "`name` is 1 to 50"),
        ({"folds": 1}, "folds"),
        ({"folds": 3, "asha": {}}, "leave one out"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_a_file_cannot_ask_is_told(content: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        parsed(**content)


ONE_PROPOSAL: dict[str, Any] = {"search": "optuna", "trials": 1}


def test_settings_out_of_range_are_told_before_any_training() -> None:
    with pytest.raises(ConfigError, match="learning_rate"):
        plan(parsed(fields={"learning_rate": [0.001, 7]}))
    with pytest.raises(ConfigError, match="no recipe 'worst'"):
        plan(parsed(recipes=["worst"]))
    # With `optuna`, which proposes later, both ends and every listed value count.
    too_far = parsed(fields={"dropout": {"from": 0, "to": 7}}, **ONE_PROPOSAL)
    with pytest.raises(ConfigError, match="dropout"):
        plan(too_far)
    unknown = parsed(fields={"schedule": ["constant", "worst"]}, **ONE_PROPOSAL)
    with pytest.raises(ConfigError, match="schedule"):
        plan(unknown)
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


LEARNED: dict[str, Any] = {
    "search": "optuna",
    "recipes": ["report"],
    "fields": {"flip": [True, False], "image_sizes": [[32], [64]]},
}


def trained(sweep: Sweep, val_top1s: Sequence[float | None]) -> SweepRecord:
    """Returns a record of the first combinations, some of which are finished."""
    trials = [
        TrialRecord(
            **make_trial(sweep, network, recipe, fields, 0, None).model_dump(),
            state="planned" if val_top1 is None else "finished",
            val_top1=val_top1,
            top1=None if val_top1 is None else 1 - val_top1,
        )
        for (network, recipe, fields), val_top1 in zip(
            grid(sweep), val_top1s, strict=False
        )
    ]
    return SweepRecord(sweep=sweep, trials=tuple(trials))


def test_a_search_that_learns_has_no_plan_and_keeps_what_it_proposed() -> None:
    sweep = parsed(**LEARNED, trials=4)
    assert plan(sweep) == ()
    record = trained(sweep, [None, 0.5, 0.25])
    again = merge(sweep, plan(sweep), record)
    assert again.trials == record.trials
    assert (again.ended, again.total) == (2, 4)
    # Of too many, those count that have ended.
    fewer = parsed(**LEARNED, trials=2)
    assert merge(fewer, (), record).trials == record.trials[1:]
    # What the file no longer asks for is none of it.
    fields = {**LEARNED["fields"], "flip": [False]}
    other = parsed(**{**LEARNED, "fields": fields}, trials=2)
    assert merge(other, (), record).trials == record.trials[2:]
    assert not merge(parsed(**LEARNED, trials=4, seeds=[1]), (), record).trials
    moved = parse_sweep({**LEARNED, "dataset": "x", "trials": 4}, default_name="s")
    assert not merge(moved, (), record).trials


def test_a_proposal_of_a_range_stays_in_it_and_is_known_again() -> None:
    pytest.importorskip("optuna")
    from core.sweeps.proposals import to_parameters, to_trial

    fields = {
        "dropout": {"from": 0.1, "to": 0.12345678},
        "epochs": {"from": 2, "to": 9, "log": True},
        "image_sizes": [[32], [64]],
    }
    sweep = parsed(search="optuna", trials=3, fields=fields)
    proposed = {"network": "simple", "recipe": "best", "image_sizes": "[64.0]"}
    trial = to_trial(sweep, {**proposed, "dropout": 0.12345678, "epochs": 9})
    assert trial.fields["dropout"] == 0.12345678
    assert trial.fields["image_sizes"] == (64,)
    assert is_of(sweep, trial)
    assert to_trial(sweep, to_parameters(sweep, trial)) == trial
    assert not is_of(sweep, trial.model_copy(update={"seed": 1, "run_id": "x"}))


def test_proposals_begin_with_what_is_left_and_never_repeat(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    pytest.importorskip("ray")
    from core.sweeps import cluster

    sweep = parsed(**LEARNED, trials=4)
    record = trained(sweep, [0.5, None, 0.25])
    recorder = cluster._make_callback(record, data_dir=tmp_path, on_change=None)
    proposer = cluster._make_proposer(recorder)
    first = Trial.model_validate_json(proposer.suggest("1")["trial"])
    assert first == record.trials[1].trial
    second = Trial.model_validate_json(proposer.suggest("2")["trial"])
    assert second.run_id not in {trial.run_id for trial in record.trials}
    assert [t.run_id for t in recorder.record.trials[3:]] == [second.run_id]
    assert proposer.suggest("3") == proposer.FINISHED
    proposer.on_trial_complete("1", {"val_top1": 0.75, "failed": ""})
    proposer.on_trial_complete("2", {"val_top1": 0.0, "failed": "It diverged."})
    # It learns from validation; nothing failed counts as bad.
    learned = [t.value for t in proposer._optuna._ot_study.trials if t.values]
    assert sorted(learned) == [0.25, 0.5, 0.75]


def test_folds_are_pooled_by_sketches() -> None:
    pooled = pool("{}", [FoldScore(0, "a", 9, 10), FoldScore(1, "b", 10, 30)], k=2)
    assert pooled.top1 == 19 / 40
    alone = pool("{}", [FoldScore(0, "a", 9, 10)], k=2)
    assert (alone.interval, alone.spread) == (wilson_interval(9, 10), None)


def test_the_interval_of_folds_knows_that_their_runs_differ() -> None:
    # 0.6, 0.7 and 0.8: deviation 0.1; Student's t with 2 degrees of freedom 4.3027.
    spread = [FoldScore(fold, "a", right, 10) for fold, right in enumerate((6, 7, 8))]
    pooled = pool("{}", spread, k=3)
    assert pooled.spread == pytest.approx(0.1)
    reach = 4.302653 * 0.1 / 3**0.5
    assert pooled.interval == pytest.approx((0.7 - reach, 0.7 + reach))
    # Folds that happen to agree don't make it narrower than one run's.
    alike = [FoldScore(fold, "a", 7, 10) for fold in range(3)]
    assert pool("{}", alike, k=3).interval == wilson_interval(21, 30)
