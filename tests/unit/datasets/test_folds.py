"""Cross-validation deals every sketch once, evenly by class, the same way again."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.folds import Fold, deal, fold_dataset
from core.datasets.store import Dataset
from core.errors import ConfigError, DatasetError
from core.runs.create import create_run
from core.runs.dataset import find_dataset
from core.runs.reading import read_config


@given(st.integers(2, 5), st.integers(0, 99), st.lists(st.integers(5, 9), min_size=2))
def test_every_part_has_its_share_of_every_class(
    k: int, seed: int, sizes: list[int]
) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    pictures = np.arange(len(labels)).astype(np.uint64)
    parts = deal(labels, pictures, k=k, seed=seed, name="d")
    assert np.array_equal(parts, deal(labels, pictures, k=k, seed=seed, name="d"))
    for label, size in enumerate(sizes):
        counts = np.bincount(parts[labels == label], minlength=k)
        assert counts.sum() == size
        assert counts.max() - counts.min() <= 1


def test_copies_of_a_picture_stay_together() -> None:
    labels = np.repeat([0, 1], 20)
    pictures = (np.arange(40) // 2).astype(np.uint64)
    parts = deal(labels, pictures, k=3, seed=0, name="d")
    assert (parts[::2] == parts[1::2]).all()
    assert set(parts) == {0, 1, 2}


def test_sketches_of_one_group_stay_together() -> None:
    labels = np.tile([0, 1, 2], 24)
    pictures = np.arange(72).astype(np.uint64)
    # Copies join two drawers; one sketch is nobody's.
    pictures[7] = pictures[43]
    groups = [f"drawer {row // 6}" for row in range(72)]
    groups[71] = ""
    parts = deal(labels, pictures, groups=groups, k=3, seed=2, name="d")
    for group in set(groups) - {""}:
        assert len({parts[row] for row in range(72) if groups[row] == group}) == 1
    assert parts[7] == parts[43]
    for label in range(3):
        assert np.bincount(parts[labels == label], minlength=3).min() >= 4


def test_a_class_of_too_few_groups_is_refused() -> None:
    labels = np.repeat([0, 1], 6)
    pictures = np.arange(12).astype(np.uint64)
    groups = [f"drawer {row % 2}" for row in range(12)]
    with pytest.raises(DatasetError, match="sketches of 2 groups; 3 folds"):
        deal(labels, pictures, groups=groups, k=3, seed=0, name="d")


def test_too_small_a_class_is_refused() -> None:
    labels = np.array([0, 0, 0, 1, 1])
    with pytest.raises(DatasetError, match="2 different sketches; 3 folds"):
        deal(labels, np.arange(5).astype(np.uint64), k=3, seed=0, name="d")


def test_a_fold_must_be_one_of_its_k() -> None:
    with pytest.raises(ValueError, match="less than `k`"):
        Fold(k=3, index=3, dataset_fingerprint="f")


def test_the_folds_of_a_dataset_test_each_sketch_once(tiny: Dataset) -> None:
    folds = [fold_dataset(tiny, k=4, index=index, seed=1) for index in range(4)]
    tested = np.concatenate([fold.indices("test") for fold in folds])
    assert sorted(tested) == list(range(len(tiny.labels)))
    assert len({fold.fingerprint for fold in folds}) == 4
    assert tiny.fingerprint not in {fold.fingerprint for fold in folds}
    for fold in folds:
        assert fold.num_test == len(fold.indices("test"))
        assert fold.num_train == len(fold.indices("train"))
        fold.hold()


def test_a_run_finds_its_fold_again(tiny: Dataset) -> None:
    data_dir = tiny.path.parent.parent
    run_dir = create_run(
        "simple",
        fold_dataset(tiny, k=4, index=2, seed=7),
        "best",
        data_dir=data_dir,
        run_id="fold-found",
        overrides={"batch_size": 4},
    )
    config = read_config(run_dir)
    assert config.fold is not None
    assert config.fold.dataset_fingerprint == tiny.fingerprint
    found = find_dataset(config, data_dir=data_dir, exact=True)
    assert found == fold_dataset(tiny, k=4, index=2, seed=7)
    assert config.dataset_fingerprint == found.fingerprint != tiny.fingerprint


def test_a_fold_goes_on_from_no_run(tiny: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="begins with random weights"):
        create_run(
            "simple",
            fold_dataset(tiny, k=4, index=0, seed=0),
            "best",
            data_dir=tiny.path.parent.parent,
            origin=tmp_path,
        )
