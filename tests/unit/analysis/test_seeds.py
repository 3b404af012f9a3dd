"""Groups of seeds: who belongs to one, and figures that SciPy agrees with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.analysis.seeds import (
    band,
    compare_means,
    differing_settings,
    group_of,
    seed_groups,
    spread,
)
from core.paths import TRAINED_DIR
from core.runs.reading import Run, read_run

SHARES = st.lists(
    st.integers(0, 4000).map(lambda right: right / 4000), min_size=2, max_size=8
).filter(lambda shares: len(set(shares)) > 1)
"""Where none differ, SciPy warns and we say nothing."""


def made(name: str, seed: int, *, top1: float = 0.5, **fields: Any) -> Run:
    """A finished run of some seed and settings, begun at random."""
    run = read_run(TRAINED_DIR / "simple")
    assert run.config is not None
    assert run.metrics is not None
    settings = run.config.settings.model_copy(update={"seed": seed, **fields})
    return replace(
        run,
        path=Path(name),
        config=run.config.model_copy(
            update={
                "run_id": name,
                "settings": settings,
                "created_at": name,
                "origin": None,
                "teacher": None,
            }
        ),
        metrics={**run.metrics, "top1": top1},
    )


@given(SHARES, SHARES)
def test_groups_are_compared_as_scipy_does(
    first: list[float], second: list[float]
) -> None:
    found = compare_means(first, second)
    for values in (first, second):
        one = spread(values)
        assert one is not None
        assert one.deviation == pytest.approx(stats.tstd(values), abs=1e-12)
    assert found is not None
    test = stats.ttest_ind(first, second, equal_var=False)
    interval = test.confidence_interval(0.95)
    assert found.change == pytest.approx(np.mean(first) - np.mean(second), abs=1e-12)
    assert (found.low, found.high) == pytest.approx(tuple(interval), abs=1e-9)
    assert found.p_value == pytest.approx(test.pvalue, abs=1e-9)
    assert found.degrees == pytest.approx(test.df, rel=1e-6)


@pytest.mark.parametrize("values", [([0.5], [0.4, 0.6]), ([0.5, 0.5], [0.4, 0.4])])
def test_what_does_not_vary_says_nothing_of_other_seeds(
    values: tuple[list[float], list[float]],
) -> None:
    assert compare_means(*values) is None


def test_runs_that_differ_in_nothing_but_their_seed_are_a_group() -> None:
    runs = [
        made("b", 1, top1=0.6),
        made("other", 2, epochs=3),
        made("a", 0, top1=0.5),
        # Trained again, or copied, with the same seed.
        made("a-copy", 0, top1=0.9),
    ]
    (group,) = seed_groups(runs)
    assert [run.run_id for run in group.runs] == ["a", "b"]
    assert group.seeds == [0, 1]
    told = spread(group.tested)
    assert told is not None
    assert told.n == 2
    assert told.mean == pytest.approx(0.55)
    assert told.deviation == pytest.approx(0.1 / 2**0.5)
    assert group_of(runs[3], [group]) is group
    assert group_of(runs[1], [group]) is None


def test_groups_that_look_alike_are_told_apart_by_their_settings() -> None:
    runs = [made(f"{n}-{e}", n, epochs=e) for e in (3, 4) for n in (0, 1)]
    groups = seed_groups(runs)
    assert differing_settings(groups) == ["epochs=3", "epochs=4"]
    assert differing_settings(groups[:1]) == [""]


def test_a_band_has_the_epochs_that_all_runs_have() -> None:
    history = made("a", 0).history
    shifted = tuple({**row, "val_top1": row["val_top1"] + 0.1} for row in history[:4])
    runs = [made("a", 0), replace(made("b", 1), history=shifted)]
    found = band(runs, "top1")
    assert list(found.x) == [1, 2, 3, 4]
    first = [row["val_top1"] for row in history[:4]]
    assert found.mean == pytest.approx(np.array(first) + 0.05)
    assert found.deviation == pytest.approx(np.full(4, 0.1 / 2**0.5))
    assert len(band([runs[0], replace(runs[1], history=())], "top1").x) == 0
