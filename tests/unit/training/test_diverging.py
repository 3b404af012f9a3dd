"""A training that diverges says so at once and spoils nothing."""

from pathlib import Path

import keras
import numpy as np
import pytest

from core.errors import RunError
from core.training.networks import load_variables, save_variables
from core.training.progress import check_loss


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_no_number_ends_the_training_in_its_epoch(loss: float) -> None:
    check_loss(1.5, epoch=3)
    with pytest.raises(RunError, match="no longer a number in epoch 4"):
        check_loss(loss, epoch=3)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_of_nan_replace_no_good_ones(value: float, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    variable = keras.Variable(np.ones((3, 2), np.float32), name="kernel")
    count = keras.Variable(7, dtype="int32", name="count")
    save_variables(path, [variable, count])
    before = path.read_bytes()
    variable.assign(np.full((3, 2), value, np.float32))
    with pytest.raises(RunError, match="no longer numbers"):
        save_variables(path, [variable, count])
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    load_variables(path, [variable, count])
    assert float(keras.ops.sum(variable)) == 6
