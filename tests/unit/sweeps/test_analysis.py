"""What a sweep's trials say together, and how they are drawn."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.language import translations
from core.sweeps.analysis import (
    LEAST_TRIALS,
    LEVEL,
    best_trial,
    chance,
    find_importances,
    varied,
)
from core.sweeps.charts import MAX_DRAWN, parallel_coordinates
from core.sweeps.plan import plan
from core.sweeps.record import (
    RECORD,
    SweepRecord,
    TrialRecord,
    list_sweeps,
    sweep_dir,
    write_record,
)
from core.sweeps.spec import Sweep, parse_sweep

WORDS = translations("en")


def grid(**fields: Any) -> Sweep:
    return parse_sweep({"dataset": "starter", "fields": fields}, default_name="grid")


def ended(sweep: Sweep, accuracy: Any) -> SweepRecord:
    """A record whose trials have finished with what `accuracy` says of their fields."""
    trials = [
        TrialRecord(
            **trial.model_dump(), state="finished", epoch=3, val_top1=accuracy(trial)
        )
        for trial in plan(sweep)
    ]
    return SweepRecord(sweep=sweep, trials=tuple(trials))


def test_the_field_that_decides_is_the_most_important() -> None:
    sweep = grid(
        learning_rate=[0.0001, 0.001, 0.01, 0.1], batch_size=[16, 32], dropout=[0, 0.5]
    )
    found = find_importances(
        ended(
            sweep, lambda trial: 0.5 + 0.1 * math.log10(trial.fields["learning_rate"])
        )
    )
    assert found is not None
    assert found.n == 16
    assert found.names_one
    assert found.fields[0].field == "learning_rate"
    assert {one.field for one in found.fields} == {
        "learning_rate",
        "batch_size",
        "dropout",
    }
    # What decides nothing costs nothing when it is shuffled.
    assert found.fields[0].rise > 20 * abs(found.fields[1].rise)


def test_noise_is_not_taken_for_importance() -> None:
    sweep = grid(learning_rate=[0.001, 0.01], dropout=[0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    for seed in range(5):
        noise = iter(np.random.default_rng(seed).uniform(0.4, 0.5, 12))
        found = find_importances(
            ended(sweep, lambda _, noise=noise: float(next(noise)))
        )
        assert found is not None
        assert not found.names_one


def test_the_test_of_the_fields_has_its_level_on_noise() -> None:
    # Three fields are looked at; 200 sweeps of noise are found in 10, give or take 6.
    generator = np.random.default_rng(0)
    x = np.array([(a, b, c) for a in range(2) for b in range(3) for c in range(6)])
    found = [(chance(x, generator.normal(size=36)) < LEVEL).any() for _ in range(200)]
    assert sum(found) <= 16
    y = generator.normal(size=36) + x[:, 2]
    assert chance(x, y)[2] == 1 / 1000


def test_chance_by_hand() -> None:
    # Six ways to deal two right and two wrong; two of them split as the field does.
    x, y = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([1.0, 1.0, 0.0, 0.0])
    assert chance(x, y)[0] == pytest.approx(2 / 6, abs=0.05)


def test_of_few_or_equal_trials_nothing_is_said() -> None:
    few = ended(grid(dropout=[0.1, 0.2]), lambda _: 0.5)
    assert len(few.trials) < LEAST_TRIALS
    assert find_importances(few) is None
    alike = ended(grid(), lambda _: 0.5)
    assert varied(alike) == {}
    assert find_importances(alike) is None


def test_the_best_is_chosen_by_validation_among_the_finished() -> None:
    record = ended(
        grid(dropout=[0.1, 0.2, 0.3]), lambda trial: 1 - trial.fields["dropout"]
    )
    first, second, third = record.trials
    assert best_trial(record) == first
    pruned = first.model_copy(update={"state": "pruned"})
    tested = third.model_copy(update={"top1": 0.99})
    record = record.model_copy(update={"trials": (pruned, second, tested)})
    assert best_trial(record) == second
    folded = record.sweep.model_copy(update={"folds": 3})
    assert best_trial(record.model_copy(update={"sweep": folded})) is None


@given(
    st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=30, unique=True),
    st.lists(st.sampled_from([16, 32, 64]), min_size=1, max_size=3, unique=True),
)
def test_every_line_stays_within_the_axes(rates: list[float], sizes: list[int]) -> None:
    record = ended(
        grid(learning_rate=rates, batch_size=sizes), lambda trial: float(trial.seed)
    )
    chosen = record.trials[-1].run_id
    figure, points = parallel_coordinates(record, chosen=chosen, words=WORDS)
    axes = len(varied(record)) + 1
    for trace, run_ids in zip(figure.data, points, strict=True):
        assert len(trace.x) == len(trace.y) == len(run_ids)
        heights = np.asarray(trace.y, dtype=float)
        # A gap after each trial's last axis.
        assert np.isnan(heights[axes :: axes + 1]).all()
        drawn = heights[~np.isnan(heights)]
        assert ((drawn > -0.05) & (drawn < 1.05)).all()
    drawn_ids = {run_id for run_ids in points for run_id in run_ids}
    assert drawn_ids == {trial.run_id for trial in record.trials}
    assert set(points[-1]) == {chosen}


def test_higher_values_stand_higher() -> None:
    record = ended(
        grid(learning_rate=[0.1, 0.0001, 0.001, 0.02]),
        lambda trial: trial.fields["learning_rate"],
    )
    figure, points = parallel_coordinates(record, chosen=None, words=WORDS)
    place = {
        run_ids[n]: (trace.y[n], trace.y[n + 1])
        for trace, run_ids in zip(figure.data, points, strict=True)
        for n in range(0, len(run_ids), 3)
    }
    ordered = sorted(record.trials, key=lambda trial: trial.fields["learning_rate"])
    heights = [place[trial.run_id] for trial in ordered]
    assert heights == sorted(heights)
    # On a logarithmic axis, 0.001 is a third of the way from 0.0001 to 0.1.
    assert heights[1][0] == pytest.approx(1 / 3)
    assert (heights[0][1], heights[-1][1]) == (0, 1)


def test_of_many_trials_the_most_accurate_are_drawn() -> None:
    record = ended(
        grid(learning_rate=[n / 1000 for n in range(1, MAX_DRAWN + 100)]),
        lambda trial: trial.fields["learning_rate"],
    )
    least = record.trials[0]
    figure, points = parallel_coordinates(record, chosen=None, words=WORDS)
    drawn = {run_id for run_ids in points for run_id in run_ids}
    assert drawn == {trial.run_id for trial in record.trials[-MAX_DRAWN:]}
    assert least.run_id not in drawn
    assert sum(len(trace.x) for trace in figure.data) == 3 * MAX_DRAWN


def test_a_damaged_sweep_hides_no_other(data_dir: Path) -> None:
    kept = write_record(ended(grid(dropout=[0.1]), lambda _: 0.5), data_dir=data_dir)
    damaged = sweep_dir("damaged", data_dir=data_dir)
    damaged.mkdir()
    (damaged / RECORD).write_text("{")
    (damaged.parent / "empty").mkdir()
    # Copied by hand: what goes on under this name would be written to the first.
    (damaged.parent / "copy").mkdir()
    content = (sweep_dir("grid", data_dir=data_dir) / RECORD).read_bytes()
    (damaged.parent / "copy" / RECORD).write_bytes(content)
    records, problems = list_sweeps(data_dir)
    assert records == [kept]
    assert len(problems) == 1
    assert str(damaged / RECORD) in problems[0]
    assert list_sweeps(data_dir / "none") == ([], [])
