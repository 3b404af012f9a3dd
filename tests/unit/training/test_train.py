"""The parts of training that need no network."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runs.recipes import make_settings
from core.training.batches import epoch_order, rehearsed_rows
from core.training.model import compile_model
from core.training.progress import Means


def test_means_weigh_batches_by_their_size() -> None:
    means = Means()
    means.add({"loss": 1.0, "top1": 0.5}, count=10)
    means.add({"loss": 4.0, "top1": 1.0}, count=5)
    assert means.result() == pytest.approx({"loss": 2.0, "top1": 2 / 3})


def test_a_figure_that_an_epoch_began_without_is_none_of_it() -> None:
    means = Means(count=10, sums={"loss": 20.0})
    means.add({"loss": 4.0, "cross_entropy": 1.0}, count=10)
    assert means.result() == {"loss": 3.0}


def test_cross_entropy_is_recorded_without_the_smoothing_that_the_loss_has() -> None:
    # Logits ln 3 and 0 are probabilities of 3/4 and 1/4; smoothed by 0.2 the right
    # answer counts 0.9 and the other 0.1.
    identity = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2, use_bias=False)]
    )
    identity.set_weights([np.eye(2, dtype=np.float32)])
    settings = make_settings("simple", "report", {"label_smoothing": 0.2})
    compile_model(identity, settings, steps_per_epoch=1)
    logits = np.array([[np.log(3), 0]], np.float32)
    logs = identity.test_on_batch(logits, np.array([[1.0, 0.0]]), return_dict=True)
    right, wrong = -np.log(3 / 4), -np.log(1 / 4)
    assert float(logs["cross_entropy"]) == pytest.approx(right)
    assert float(logs["loss"]) == pytest.approx(0.9 * right + 0.1 * wrong)
    # They are no state that a checkpoint holds.
    held = {id(variable) for variable in identity.variables}
    assert not held & {id(variable) for variable in identity.metrics_variables}


@given(st.integers(1, 200), st.integers(1, 50), st.integers(0, 3), st.integers(0, 3))
def test_an_epoch_s_order_has_whole_batches_of_different_rows(
    n: int, batch_size: int, seed: int, epoch: int
) -> None:
    rows = np.arange(n) * 7
    order = epoch_order(rows, seed=seed, epoch=epoch, batch_size=batch_size)
    assert len(order) == n - n % batch_size
    assert len(set(order.tolist())) == len(order)
    assert set(order.tolist()) <= set(rows.tolist())


def test_every_epoch_and_seed_has_its_own_order() -> None:
    rows = np.arange(100)
    orders = [
        epoch_order(rows, seed=seed, epoch=epoch, batch_size=10).tolist()
        for seed, epoch in ((0, 0), (0, 1), (1, 0))
    ]
    assert orders[0] != orders[1]
    assert orders[0] != orders[2]
    again = epoch_order(rows, seed=0, epoch=0, batch_size=10).tolist()
    assert orders[0] == again


def test_every_epoch_rehearses_other_rows_and_no_more_than_there_are() -> None:
    rows = np.arange(50) * 3
    first = rehearsed_rows(rows, count=20, seed=0, epoch=0)
    assert len(set(first.tolist())) == 20
    assert set(first.tolist()) <= set(rows.tolist())
    assert (rehearsed_rows(rows, count=20, seed=0, epoch=0) == first).all()
    assert (rehearsed_rows(rows, count=20, seed=0, epoch=1) != first).any()
    everything = rehearsed_rows(rows, count=80, seed=0, epoch=0)
    assert sorted(everything.tolist()) == rows.tolist()
    assert len(rehearsed_rows(rows, count=0, seed=0, epoch=0)) == 0
