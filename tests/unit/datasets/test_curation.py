"""Decisions on labels, the file that keeps them, and the versions they make."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from core.datasets.decisions import FILE, decide, read_decisions, undo
from core.datasets.folds import fold_dataset
from core.datasets.sources import add_dataset
from core.datasets.splits import seen_keys
from core.datasets.store import Dataset, remove_dataset
from core.datasets.versions import (
    Change,
    count_classes,
    differences,
    list_versions,
    make_version,
    open_any,
    version_before,
)
from core.errors import DatasetError
from core.runs.create import create_run
from core.runs.dataset import find_dataset
from core.runs.reading import read_config

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def sketches(dataset: Dataset, class_name: str, split: str = "train") -> list[str]:
    """Returns the ids of a class's sketches."""
    label = dataset.class_names.index(class_name)
    return [r.id for r in dataset.records if (r.label, r.split) == (label, split)]


def test_the_latest_decision_stands_and_undo_brings_the_one_before_back(
    tiny: Dataset,
) -> None:
    one = sketches(tiny, "house")[0]
    decide(tiny, one, "ambiguous", at=NOW, who="ann")
    decide(tiny, one, "wrong", label="key", at=NOW, who="bo", why="teeth")
    standing = read_decisions(tiny).standing[one]
    assert (standing.verdict, standing.label, standing.who) == ("wrong", "key", "bo")
    assert (standing.why, standing.at) == ("teeth", "2026-11-28T00:00:00+00:00")
    assert undo(tiny, one, at=NOW).label == "key"
    assert read_decisions(tiny).standing[one].verdict == "ambiguous"
    undo(tiny, one, at=NOW)
    assert not read_decisions(tiny).standing
    with pytest.raises(DatasetError, match="Nothing is decided about sketch"):
        undo(tiny, one, at=NOW)
    assert len((tiny.path / FILE).read_text().splitlines()) == 4


def test_a_test_label_cannot_be_decided_on(tiny: Dataset) -> None:
    one = sketches(tiny, "sun", "test")[0]
    for verdict in ("right", "wrong", "not_a_drawing"):
        with pytest.raises(DatasetError, match="is a test sketch: its label is fixed"):
            decide(tiny, one, verdict, label="key", at=NOW)
    decide(tiny, one, "ambiguous", at=NOW)
    assert read_decisions(tiny).ambiguous == {one}
    # Nor by whoever writes the file by hand.
    with (tiny.path / FILE).open("a") as stream:
        line = {"id": one, "verdict": "not_a_drawing", "label": "", "who": "", "at": ""}
        stream.write(json.dumps(line) + "\n")
    read = read_decisions(tiny)
    assert (read.standing[one].verdict, read.passed_over) == ("ambiguous", 1)


@pytest.mark.parametrize(
    ("sketch", "label", "message"),
    [
        ("nobody", "key", "no sketch"),
        ("", "moon", "no class"),
        ("", "house", "already"),
    ],
)
def test_what_cannot_be_decided_is_refused(
    tiny: Dataset, sketch: str, label: str, message: str
) -> None:
    one = sketch or sketches(tiny, "house")[0]
    with pytest.raises(DatasetError, match=message):
        decide(tiny, one, "wrong", label=label, at=NOW)
    assert not (tiny.path / FILE).exists()


def test_damaged_lines_are_passed_over_with_a_sentence(tiny: Dataset) -> None:
    first, second = sketches(tiny, "house")[:2]
    decide(tiny, first, "wrong", label="key", at=NOW)
    with (tiny.path / FILE).open("ab") as stream:
        stream.write(b'\xff\xfe\n[]\n{"id": 1}\n{"id": "house/1", "verd')
    decide(tiny, second, "right", at=NOW)
    read = read_decisions(tiny)
    assert list(read.standing) == [first, second]
    assert read.passed_over == 4
    assert "4 lines of" in str(read.sentence(tiny))


def test_a_version_relabels_leaves_out_and_shares_the_pictures(tiny: Dataset) -> None:
    wrong, gone, unclear, kept = sketches(tiny, "house")[:4]
    decide(tiny, wrong, "wrong", label="key", at=NOW)
    decide(tiny, gone, "not_a_drawing", at=NOW)
    decide(tiny, unclear, "ambiguous", at=NOW)
    decide(tiny, kept, "right", at=NOW)
    before = {path.name: path.read_bytes() for path in tiny.path.glob("*.npy")}
    version = make_version(tiny, at=NOW)
    assert version.name == "tiny@v1"
    assert version.num_train == tiny.num_train - 1
    assert version.num_test == tiny.num_test
    rows = tiny.rows
    assert version.class_names[version.labels[rows[wrong]]] == "key"
    assert rows[gone] not in version.indices("train")
    assert rows[unclear] in version.indices("train")
    assert version.ambiguous == {unclear}
    assert np.array_equal(version.indices("test"), tiny.indices("test"))
    test = tiny.indices("test")
    assert np.array_equal(version.labels[test], tiny.labels[test])
    assert version.images is tiny.images
    assert version.fingerprint != tiny.fingerprint
    assert version.split_fingerprint == tiny.split_fingerprint
    assert {p.name: p.read_bytes() for p in tiny.path.glob("*.npy")} == before
    assert not list((tiny.path / "versions").rglob("*.npy"))
    changes = differences(version_before(version), version)
    expected = [Change(wrong, "house", "key"), Change(gone, "house", None)]
    assert sorted(changes, key=lambda c: rows[c.id]) == sorted(
        expected, key=lambda c: rows[c.id]
    )
    counts = count_classes(tiny), count_classes(version)
    assert {n: counts[1][n] - counts[0][n] for n in tiny.class_names} == {
        **dict.fromkeys(tiny.class_names, 0),
        "house": -2,
        "key": 1,
    }


def test_a_version_stays_as_it_was_made(tiny: Dataset) -> None:
    one, two = sketches(tiny, "house")[:2]
    with pytest.raises(DatasetError, match="Nothing was decided"):
        make_version(tiny, at=NOW)
    decide(tiny, one, "wrong", label="key", at=NOW)
    first = make_version(tiny, at=NOW)
    with pytest.raises(DatasetError, match="Nothing was decided"):
        make_version(tiny, at=NOW)
    undo(tiny, one, at=NOW)
    decide(tiny, two, "wrong", label="sun", at=NOW)
    second = make_version(tiny, at=NOW + timedelta(seconds=1), name="clean")
    assert [v.name for v in list_versions(tiny)] == ["tiny@v1", "tiny@clean"]
    again = open_any("tiny@v1", data_dir=tiny.path.parent.parent)
    assert again == first
    assert version_before(second) == first
    assert differences(first, second) == [
        Change(one, "key", "house"),
        Change(two, "house", "sun"),
    ]
    with pytest.raises(DatasetError, match=r"no version 'v2'.*tiny@v1, tiny@clean"):
        open_any("tiny@v2", data_dir=tiny.path.parent.parent)


def test_a_class_is_not_emptied(tiny: Dataset) -> None:
    for one in sketches(tiny, "sun"):
        decide(tiny, one, "not_a_drawing", at=NOW)
    with pytest.raises(DatasetError, match="'sun' would have no training sketch"):
        make_version(tiny, at=NOW)


def test_a_run_finds_its_version_again_and_not_the_dataset(tiny: Dataset) -> None:
    data_dir = tiny.path.parent.parent
    decide(tiny, sketches(tiny, "house")[0], "wrong", label="key", at=NOW)
    version = make_version(tiny, at=NOW)
    run_dir = create_run(
        "simple", "tiny@v1", data_dir=data_dir, overrides={"batch_size": 4}
    )
    config = read_config(run_dir)
    assert config.dataset == "tiny@v1"
    assert config.dataset_fingerprint == version.fingerprint
    found = find_dataset(config, data_dir=data_dir, exact=True)
    assert found == version
    found.hold()
    remove_dataset("tiny", data_dir=data_dir)
    with pytest.raises(DatasetError, match="is not installed"):
        find_dataset(config, data_dir=data_dir)


def test_folds_of_train_neither_learn_nor_ask_what_they_should_not(
    tiny: Dataset,
) -> None:
    folds = [fold_dataset(tiny, k=4, index=i, seed=0, dealt="train") for i in range(4)]
    asked = np.concatenate([fold.indices("test") for fold in folds])
    assert np.array_equal(np.sort(asked), tiny.indices("train"))
    for fold in folds:
        seen = seen_keys(fold)
        assert not np.isin(fold.keys[fold.indices("test")], seen).any()
        assert not np.isin(tiny.keys[tiny.indices("test")], seen).any()


def test_a_class_that_never_had_training_sketches_is_no_hindrance(
    tiny_pictures: Path, tmp_path: Path, data_dir: Path
) -> None:
    for name in ("house", "key", "sun"):
        part = "test" if name == "sun" else "train"
        shutil.copytree(tiny_pictures / name, tmp_path / "d" / part / name)
    (tmp_path / "d/test/key").mkdir()
    shutil.move(tmp_path / "d/train/key/0.png", tmp_path / "d/test/key/0.png")
    dataset = add_dataset(str(tmp_path / "d"), data_dir=data_dir)
    one = sketches(dataset, "house")[0]
    decide(dataset, one, "not_a_drawing", at=NOW)
    assert make_version(dataset, at=NOW).num_train == dataset.num_train - 1
