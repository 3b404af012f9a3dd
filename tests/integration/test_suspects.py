"""Suspect labels from the command line: asked of networks that haven't learned them."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.datasets.store import Dataset
from core.errors import DatasetError, RunError
from core.runs.folder import TRAIN_KEYS, runs_dir
from core.runs.out_of_fold import (
    FILE,
    gather,
    read_out_of_fold,
    write_out_of_fold,
)
from core.runs.reading import read_config, read_train_keys
from tests.conftest import Cli


def test_no_answer_is_of_a_network_that_learned_the_sketch(
    tiny: Dataset, cli: Cli, data_dir: Path
) -> None:
    words = ["dataset", "suspects", "tiny", "--folds=2", "--epochs=1", "--json"]
    words += ["--set=image_sizes=[32]", "--set=batch_size=16"]
    first = cli(*words)
    assert first.code == 0, first.err
    found = read_out_of_fold(tiny)
    assert found is not None
    # Every training sketch is asked once, no test sketch is, and none is learned.
    train, test = tiny.indices("train"), tiny.indices("test")
    assert [tiny.rows[one] for one in found.ids] == train.tolist()
    run_dirs = [runs_dir(data_dir) / run_id for run_id in found.runs]
    for place, run_dir in enumerate(run_dirs):
        seen = read_train_keys(run_dir)
        has_seen = np.asarray(np.isin(tiny.keys, seen).any(axis=1))
        assert not has_seen[train[found.asked == place]].any()
        assert has_seen[train[found.asked != place]].all()
        assert not has_seen[test].any()
        assert read_config(run_dir).fold is not None
    # Stored: nothing is trained a second time.
    made = (tiny.path / FILE).stat().st_mtime_ns
    assert cli(*words).out == first.out
    assert (tiny.path / FILE).stat().st_mtime_ns == made
    assert isinstance(json.loads(first.out), list)

    # If a network had learned what it answers to, all of it would say so.
    wrong = replace(found, asked=1 - found.asked)
    write_out_of_fold(tiny, wrong)
    with pytest.raises(DatasetError, match="had learned sketch"):
        read_out_of_fold(tiny)
    one, other = (run_dir / TRAIN_KEYS for run_dir in run_dirs)
    shutil.copy(other, one)
    with pytest.raises(RunError, match="had learned sketch"):
        gather(tiny, run_dirs)


def test_a_version_is_made_trained_on_and_recorded(
    tiny: Dataset, cli: Cli, data_dir: Path
) -> None:
    one = next(r.id for r in tiny.records if r.split == "train" and r.label == 0)
    test = next(r.id for r in tiny.records if r.split == "test")
    decided = cli("dataset", "decide", "tiny", one, "wrong", "--label=key")
    assert decided.code == 0, decided.err
    refused = cli("dataset", "decide", "tiny", test, "not_a_drawing")
    assert refused.code == 2
    assert "its label is fixed" in refused.err
    made = cli("dataset", "version", "tiny", "--json")
    assert made.code == 0, made.err
    version = json.loads(made.out)
    assert version["name"] == "tiny@v1"
    assert version["changes"] == [{"id": one, "before": "house", "after": "key"}]
    assert {"class": "key", "before": 16, "after": 17} in version["classes"]
    words = ["train", "simple", "--dataset=tiny@v1", "--epochs=1", "--run-id=curated"]
    trained = cli(*words, "--set=image_sizes=[32]", "--set=batch_size=16")
    assert trained.code == 0, trained.err
    config = read_config(runs_dir(data_dir) / "curated")
    assert config.dataset == "tiny@v1"
    assert config.dataset_fingerprint == version["fingerprint"]
    assert config.split_fingerprint == tiny.split_fingerprint
