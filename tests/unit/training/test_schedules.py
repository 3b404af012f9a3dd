"""The learning rate of each step."""

import math
from typing import Any

import keras
import numpy as np
import pytest

from core.errors import ConfigError
from core.runs.config import Settings
from core.runs.recipes import make_settings
from core.training.schedules import WarmupStableDecay, build_schedule


def rates(steps: int, *, steps_per_epoch: int = 10, **fields: Any) -> list[float]:
    settings = Settings(schedule="wsd", learning_rate=0.5, **fields)
    schedule = build_schedule(settings, steps_per_epoch=steps_per_epoch)
    return [float(schedule(np.int64(step))) for step in range(steps)]


def test_wsd_rises_stays_and_falls_by_one_minus_root() -> None:
    found = rates(100, epochs=10, warmup_epochs=0.4, decay_share=0.3)
    assert found[:4] == pytest.approx([0.125, 0.25, 0.375, 0.5])
    assert found[4:71] == pytest.approx([0.5] * 67)
    fall = [0.5 * (1 - math.sqrt(step / 30)) for step in range(30)]
    assert found[70:] == pytest.approx(fall)
    assert 0 < found[99] < 0.01


def test_wsd_ends_at_zero_and_stays_there() -> None:
    schedule = WarmupStableDecay(1.0, warmup_steps=0, fall_step=2, total_steps=4)
    assert [float(schedule(step)) for step in (0, 1, 2, 4, 9)] == [1, 1, 1, 0, 0]
    again = WarmupStableDecay.from_config(schedule.get_config())
    assert float(again(3)) == float(schedule(3))


def test_the_fall_starts_where_the_kept_checkpoint_is() -> None:
    assert Settings(schedule="wsd", epochs=120).fall_epoch == 84
    assert Settings(schedule="wsd", epochs=4, decay_share=0.01).fall_epoch == 3
    assert Settings(schedule="wsd", epochs=4, decay_share=1).fall_epoch == 0


def test_a_warm_up_must_end_before_the_fall() -> None:
    fields = {"epochs": 10, "schedule": "wsd", "warmup_epochs": 8}
    with pytest.raises(ConfigError, match=r"end before the rate falls.* 7 epochs"):
        make_settings("simple", "report", fields)


def test_what_was_there_before_is_what_it_was() -> None:
    assert build_schedule(Settings(), steps_per_epoch=3) == 1e-3
    cosine = build_schedule(
        Settings(schedule="cosine", epochs=10, warmup_epochs=1), steps_per_epoch=10
    )
    assert isinstance(cosine, keras.optimizers.schedules.CosineDecay)
    assert float(cosine(0)) == 0
    assert float(cosine(10)) == pytest.approx(1e-3)
    assert float(cosine(55)) == pytest.approx(5e-4)
