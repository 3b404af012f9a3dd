"""Curves are what the history says, and smoothing neither shifts nor invents."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.curves import (
    best_epoch,
    curve,
    has_cross_entropy,
    history_rows,
    is_validated,
    kept_row,
    learning,
    settings_rows,
    smooth,
)
from core.charts.curves import learning_curves
from core.language import translations
from core.runs.config import Origin, RunConfig
from core.runs.reading import Run
from core.runs.recipes import make_settings
from core.runs.status import Status
from core.sentences.curves import curves_words, learning_words

values = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40)


def row(epoch: int, val_top1: float) -> dict[str, Any]:
    return {
        "epoch": epoch,
        "step": 10 * epoch,
        "loss": 1 / epoch,
        "top1": 0.5,
        "val_loss": 2 / epoch,
        "val_top1": val_top1,
        "elapsed_s": 30.0 * epoch,
    }


def run(run_id: str = "a", **settings: Any) -> Run:
    config = RunConfig(
        run_id=run_id,
        network="simple",
        dataset="d",
        dataset_fingerprint="f",
        split_fingerprint="s",
        attribution="",
        class_names=("x", "y"),
        recipe="report",
        settings=make_settings("simple", "report", settings),
        created_at=datetime.now(tz=UTC).isoformat(),
    )
    history = (row(1, 0.2), row(2, 0.6), row(3, 0.6))
    status = Status(state="finished", epoch=3, epochs=3, steps_per_epoch=10)
    return Run(Path(run_id), config, status, history, None, "")


def test_a_curve_is_drawn_against_epochs_steps_or_minutes() -> None:
    for against, x in (
        ("epoch", [1, 2, 3]),
        ("step", [10, 20, 30]),
        ("time", [0.5, 1, 1.5]),
    ):
        found = curve(run(), "loss", split="val", against=against)  # type: ignore[arg-type]
        assert found.x.tolist() == x
        assert found.y.tolist() == [2, 1, pytest.approx(2 / 3)]
        assert found.live_x is None


def test_the_epoch_under_way_is_where_its_step_is() -> None:
    under_way = replace(
        run(),
        status=Status(
            state="running",
            epoch=3,
            epochs=9,
            step=5,
            steps_per_epoch=10,
            loss=0.25,
            top1=0.75,
            elapsed_s=120.0,
        ),
    )
    assert curve(under_way, "loss", split="train").live_x == 3.5
    assert curve(under_way, "top1", split="train", against="step").live_x == 35
    assert curve(under_way, "top1", split="train", against="time").live_y == 0.75
    assert curve(under_way, "top1", split="val").live_x is None


def test_a_curve_begins_with_the_training_s_first_steps() -> None:
    first = ((2, 6.0, 3.0, 0.1), (5, 15.0, 2.0, 0.3))
    status = replace(run().status, first_steps=first)
    begun = replace(run(), status=status)
    found = curve(begun, "top1", split="train")
    assert found.x.tolist() == [0.2, 0.5, 1, 2, 3]
    assert found.y.tolist() == [0.1, 0.3, 0.5, 0.5, 0.5]
    assert curve(begun, "loss", split="train", against="time").x[0] == 0.1
    assert curve(begun, "loss", split="train", against="step").x[1] == 5
    assert curve(begun, "top1", split="val").x.tolist() == [1, 2, 3]
    # Before the first epoch's end, there is nothing else to see.
    assert len(curve(replace(begun, history=()), "top1", split="train").y) == 2


def test_a_figure_that_no_epoch_has_gives_an_empty_curve() -> None:
    assert len(curve(run(), "top5").y) == 0


def test_the_best_epoch_is_the_earliest_of_equals() -> None:
    best = best_epoch(run())
    assert best is not None
    assert best["epoch"] == 2
    assert best_epoch(replace(run(), history=())) is None


def test_a_training_is_summed_up() -> None:
    found = learning(run())
    assert found is not None
    assert (found.epochs, found.best_epoch, found.val_top1) == (3, 2, 0.6)
    assert (found.train_top1, found.gap) == (None, None)
    assert found.lowest_loss_epoch is None
    worse = row(4, 0.5) | {"val_loss": 0.7}
    found = learning(replace(run(), history=(*run().history, worse)))
    assert found is not None
    assert found.lowest_loss_epoch == 3
    assert learning(replace(run(), history=())) is None


def test_the_training_s_accuracy_is_that_of_sketches_as_they_are() -> None:
    # The rows say 50 %, of varied and mixed sketches, and 60 % on validation.
    measured = replace(run(), metrics={"train_top1": 0.98, "train_n": 2000})
    found = learning(measured)
    assert found is not None
    assert (found.train_top1, found.train_n) == (0.98, 2000)
    assert found.gap == pytest.approx(0.38)
    said = learning_words(measured, translations("en"))
    assert (
        "Of 2,000 training sketches as they are it recognises 98.0\u00a0%, +38" in said
    )
    assert "was not measured" in learning_words(
        replace(run(), metrics={"top1": 0.5}), translations("en")
    )


def test_losses_are_compared_without_label_smoothing() -> None:
    # With smoothing by 0.1 the loss is 2, without it 1.2; another smooths nothing.
    smoothed = run("new", label_smoothing=0.1)
    with_both = tuple(
        old | {"cross_entropy": 0.3, "val_cross_entropy": 1.2}
        for old in smoothed.history
    )
    new = replace(smoothed, history=with_both)
    assert curve(new, "loss").y.tolist() == [1.2] * 3
    assert curve(new, "loss", split="train").y.tolist() == [0.3] * 3
    assert has_cross_entropy(new)
    assert has_cross_entropy(run())
    said = curves_words([new, run("plain")], "loss", translations("en"))
    assert "new ends at 1.2" in said
    assert "label smoothing" not in said


def test_a_loss_that_only_smoothing_recorded_is_called_that() -> None:
    old = run("old", label_smoothing=0.1)
    assert not has_cross_entropy(old)
    # Nothing else is there to draw.
    assert curve(old, "loss").y.tolist() == [2, 1, pytest.approx(2 / 3)]
    said = curves_words([old, run("plain")], "loss", translations("en"))
    assert "Of old (0.1) only the loss with label smoothing was recorded" in said
    names = [line.name for line in learning_curves([old], "loss", words=English).data]
    assert "old, validation, with label smoothing 0.1" in names
    # A training that was begun before and goes on has some epochs of each kind.
    mixed = (*old.history[:2], old.history[2] | {"val_cross_entropy": 0.5})
    assert not has_cross_entropy(replace(old, history=mixed))


def test_curves_show_where_a_run_went_on_from_another() -> None:
    assert run().config is not None
    origin = Origin(
        run_id="first", weights_sha256="0" * 64, epoch=2, earlier_epochs=0, earlier_s=0
    )
    config = run().config.model_copy(update={"origin": origin})  # type: ignore[union-attr]
    branch = replace(run(), config=config)
    lines = {
        one.name: one for one in learning_curves([branch], "top1", words=English).data
    }
    mark = lines["a, until here first"]
    assert (list(mark.x), list(mark.y)) == ([2], [0.6])
    assert "It went on from first after epoch 2" in learning_words(branch, English)


def test_weights_of_another_epoch_than_the_best_are_named() -> None:
    last = replace(run(), history=(row(1, 0.2), row(2, 0.6), row(3, 0.5)))
    said = learning_words(last, English)
    assert "best after epoch 2 of 3" in said
    assert "Its weights are those of epoch 3." in said


English = translations("en")


def test_without_validation_the_last_epoch_is_what_counts() -> None:
    bare = tuple(
        {name: value for name, value in row(e, 0.9).items() if not name.startswith("v")}
        for e in (3, 4)
    )
    # A branch that learns what its origin had held out until epoch 2.
    final = replace(run(val_fraction=0), history=(row(1, 0.2), row(2, 0.6), *bare))
    assert is_validated(run())
    assert not is_validated(final)
    assert not is_validated(replace(final, history=final.history[:2]))
    best = best_epoch(final)
    assert best is not None
    assert best["epoch"] == 4
    assert learning(final) is None
    assert curve(final, "top1").x.tolist() == [1, 2]
    assert curve(final, "top1", split="train").x.tolist() == [1, 2, 3, 4]


def test_the_epoch_that_is_kept_is_the_one_that_is_shown() -> None:
    kept = replace(run(keep="best"), history=(row(1, 0.7), row(2, 0.7), row(3, 0.6)))
    # Of equals, keeping prefers the lower loss.
    for found in (kept_row(kept), best_epoch(kept)):
        assert found is not None
        assert found["epoch"] == 2
    last = kept_row(run())
    assert last is not None
    assert last["epoch"] == 3
    assert kept_row(replace(run(), history=())) is None


@given(values, st.floats(0, 0.99))
def test_smoothing_stays_within_what_was_seen(y: list[float], weight: float) -> None:
    smoothed = smooth(np.array(y), weight=weight)
    for end in range(len(y)):
        seen = y[: end + 1]
        assert min(seen) - 1e-6 <= smoothed[end] <= max(seen) + 1e-6


@given(values)
def test_no_smoothing_changes_nothing(y: list[float]) -> None:
    assert np.allclose(smooth(np.array(y), weight=0), y)


@given(st.floats(-1e3, 1e3), st.integers(1, 30), st.floats(0, 0.99))
def test_a_constant_stays_constant(value: float, n: int, weight: float) -> None:
    assert np.allclose(smooth(np.full(n, value), weight=weight), value)


def test_a_weight_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="Received: 1"):
        smooth(np.ones(3), weight=1)


def test_settings_that_differ_come_first_and_say_so() -> None:
    rows = settings_rows([run("a"), run("b", learning_rate=0.01)])
    assert rows[0]["Field"] == "learning_rate"
    assert rows[0]["Differs"] == "differs"
    assert (rows[0]["a"], rows[0]["b"]) == ("0.001", "0.01")
    assert not any(row["Differs"] for row in rows[1:])


def test_the_table_of_histories_names_each_row_s_run() -> None:
    rows = history_rows([run("a"), run("b")])
    assert [r["run"] for r in rows] == ["a"] * 3 + ["b"] * 3
