"""The parts of an evaluation that need no trained network."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.datasets.folders import find_folders
from core.datasets.install import install
from core.datasets.starter import draw, render
from core.datasets.store import Dataset
from core.errors import RunError
from core.paths import TRAINED_DIR
from core.runs.reading import read_config
from core.training.evaluate import VIEW_SHIFTS_PX, label_map, shifted
from core.training.map import map_2d
from core.training.work import evaluate_run_dir


@pytest.mark.parametrize("n", [1, 2, 4, 5, 6, 40])
def test_any_number_of_points_is_laid_out(n: int) -> None:
    embedding = np.random.default_rng(0).normal(size=(n, 8)).astype(np.float32)
    layout = map_2d(embedding)
    assert layout.shape == (n, 2)
    assert np.isfinite(layout).all()
    assert (layout == map_2d(embedding)).all()


def test_points_that_are_all_the_same_are_laid_out_too() -> None:
    assert np.isfinite(map_2d(np.zeros((6, 256), np.float32))).all()
    assert np.isfinite(map_2d(np.full((60, 16), 0.7, np.float32))).all()


def test_near_points_stay_near() -> None:
    generator = np.random.default_rng(0)
    label = np.arange(60) % 3
    embedding = generator.normal(size=(60, 16)) * 0.1 + np.eye(3, 16)[label] * 5
    layout = map_2d(embedding.astype(np.float32))
    centres = np.stack([layout[label == k].mean(axis=0) for k in range(3)])
    nearest = ((layout[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == label).all()


@pytest.mark.parametrize("shift_px", VIEW_SHIFTS_PX)
def test_a_shifted_sketch_is_the_same_ink_elsewhere(shift_px: int) -> None:
    images = np.full((2, 20, 24), 255, dtype=np.uint8)
    images[0, 10, 12] = 3
    images[1, 8:11, 7] = 100
    moved = shifted(images, shift_px)
    assert moved.dtype == np.uint8
    assert moved[0, 10 + shift_px, 12 + shift_px] == 3
    assert sorted(moved.ravel()) == sorted(images.ravel())
    # What leaves the picture is lost, and paper comes in.
    full = shifted(np.zeros((1, 20, 24), dtype=np.uint8), shift_px)
    assert (full == 0).sum() == (20 - abs(shift_px)) * (24 - abs(shift_px))


def test_the_six_views_are_six() -> None:
    assert len(set(VIEW_SHIFTS_PX)) == 3
    assert VIEW_SHIFTS_PX[0] == 0


def foreign(tmp_path: Path, *names: str) -> Dataset:
    """A dataset of five drawings a class, of classes so spelled."""
    for name in names:
        for number in range(5):
            generator = np.random.default_rng([sum(name.encode()), number])
            file = tmp_path / "pictures" / name / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            sketch = render(draw("fish", generator), generator)
            Image.fromarray(sketch).save(file)
    source = find_folders(tmp_path / "pictures")
    return install(source, "foreign", data_dir=tmp_path / "data")


def test_classes_are_matched_whatever_their_blanks_and_case(tmp_path: Path) -> None:
    dataset = foreign(tmp_path, "Ice_Cream", "FISH")
    run_dir = TRAINED_DIR / "simple"
    config = read_config(run_dir)
    names = ("fish", "ice cream", "sun")
    some = config.model_copy(update={"class_names": names})
    assert dataset.class_names == ("FISH", "Ice_Cream")
    assert label_map(run_dir, some, dataset).tolist() == [0, 1]
    with pytest.raises(RunError, match=r"doesn't know .*Ice_Cream"):
        label_map(
            run_dir, config.model_copy(update={"class_names": ("fish",)}), dataset
        )


def test_a_foreign_set_is_scored_whole_when_that_is_asked(tmp_path: Path) -> None:
    dataset = foreign(tmp_path, "Fish", "house")
    for is_whole, n in ((False, dataset.num_test), (True, 10)):
        metrics = evaluate_run_dir(
            TRAINED_DIR / "simple",
            data_dir=tmp_path / "data",
            dataset_name="foreign",
            is_whole=is_whole,
        )
        assert metrics["n"] == n
        assert metrics["split"] == ("all" if is_whole else "test")
