"""What a training will take is told from what this machine has done before."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.inference.speed import training_rate, training_time_s
from core.paths import TRAINED_DIR
from core.runs.reading import list_runs
from core.runs.recipes import make_settings


def test_the_time_of_a_training_counts_the_pixels_of_each_phase() -> None:
    changes = {
        "epochs": 10,
        "val_fraction": 0.2,
        "image_sizes": [64, 128],
        "image_size_shares": [0.5, 0.5],
    }
    settings = make_settings("resnet18", "report", changes)
    # 800 sketches: five epochs of 64 px and five of 128, which cost four times as much.
    rate = 100 * 64.0**2
    assert training_time_s(settings, 1000, rate) == pytest.approx(5 * 8 + 5 * 32)


def test_the_last_run_s_speed_is_that_of_the_machine(tmp_path: Path) -> None:
    shipped = list_runs(data_dir=tmp_path, trained_dir=TRAINED_DIR)
    own = next(run for run in shipped if run.run_id == "simple")
    told = replace(own, path=tmp_path / "mine")
    told = replace(told, status=replace(own.status, images_per_s=100.0, epoch=0))
    assert own.config is not None
    size = own.config.settings.image_size_at(0)
    assert training_rate("simple", [told, *shipped]) == 100 * size**2
    # Without one, what ships is timed: some ten to some thousand sketches a second.
    rate = training_rate("simple", shipped)
    assert rate is not None
    assert 1 < rate / 128**2 < 10_000
    assert training_rate("simple", []) is None
