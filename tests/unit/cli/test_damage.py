"""`doctor` finds every damaged state, says what to do, and finds none where none is."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from core.cli.examination import examine
from core.datasets.drawings import list_drawings, save_drawing
from core.datasets.folders import find_folders
from core.datasets.install import install
from core.ownership import OWNER, set_passphrase
from core.paths import TRAINED_DIR
from core.runs.evaluation import CLASSES, PREDICTIONS
from core.runs.excitation import EXCITATION
from core.runs.folder import (
    CHECKPOINT,
    ROBUSTNESS,
    TRAIN_KEYS,
    WEIGHTS,
    kept_checkpoint,
)
from core.runs.neighbours import NEIGHBOURS
from core.runs.weights import open_tensors, read_tensors, save_tensors

Damage = Callable[[Path], object]


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def halve(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def garbage(path: Path) -> None:
    path.write_bytes(b"\0garbage" * 9)


def remove(path: Path) -> None:
    path.unlink()


def flip(path: Path) -> None:
    """Changes bits all over a file but its head, so that its form stays."""
    content = bytearray(path.read_bytes())
    head = len(content) // 4
    for place in range(head, len(content) - 9, len(content) // 50_000 + 1):
        content[place] ^= 0x40
    path.write_bytes(content)


def flip_one(path: Path) -> None:
    """Changes one bit of the last number."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


RUN = {
    WEIGHTS: (empty, cut, halve, garbage),
    CHECKPOINT: (empty, garbage),
    kept_checkpoint(3): (empty, garbage),
    NEIGHBOURS: (empty, cut, halve, garbage),
    EXCITATION: (empty, cut, halve, garbage),
    ROBUSTNESS: (empty, halve, garbage),
    CLASSES: (empty, halve, remove),
    TRAIN_KEYS: (empty, halve, garbage, remove),
    PREDICTIONS: (empty, cut, halve, garbage, remove),
    "config.json": (empty, halve, garbage, remove),
    "history.jsonl": (halve, garbage),
    "metrics.json": (empty, halve, garbage),
    "status.json": (garbage,),
}
DATASET = {
    "images.npy": (empty, cut, garbage, remove),
    "keys.npy": (empty, cut, garbage, remove),
    "index.csv": (empty, halve, garbage, remove),
    "dataset.json": (empty, halve, garbage, remove),
}
DEEP = {f"datasets/tiny/{name}": (flip,) for name in ("images.npy", "keys.npy")} | {
    f"runs/given/{name}": (flip, flip_one)
    for name in (
        PREDICTIONS,
        WEIGHTS,
        CHECKPOINT,
        kept_checkpoint(3),
        NEIGHBOURS,
        EXCITATION,
    )
}


def states(files: Mapping[str, Sequence[Damage]]) -> list[tuple[str, Damage]]:
    return [(name, damage) for name, ways in files.items() for damage in ways]


@pytest.fixture(scope="module")
def store_files(tiny_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one of each."""
    data_dir = tmp_path_factory.mktemp("one-of-each")
    install(find_folders(tiny_pictures), "tiny", data_dir=data_dir)
    run_dir = data_dir / "runs" / "given"
    shutil.copytree(TRAINED_DIR / "simple", run_dir)
    for name in (WEIGHTS, PREDICTIONS, NEIGHBOURS, EXCITATION):
        # As this release writes them: those that ship hold no digest.
        with open_tensors(run_dir / name) as file:
            known = file.metadata()
        save_tensors(read_tensors(run_dir / name)[0], run_dir / name, known)
    for name in (CHECKPOINT, kept_checkpoint(3)):
        shutil.copy(run_dir / WEIGHTS, run_dir / name)
    (run_dir / "status.json").write_text('{"state": "trained"}', encoding="utf-8")
    sketch = np.full((128, 128), 255, np.uint8)
    sketch[40:60, 40:60] = 0
    save_drawing(
        sketch,
        "house",
        class_names=("house",),
        data_dir=data_dir,
        source="canvas",
        strokes="[]",
    )
    set_passphrase("horse ladder teapot sun", data_dir=data_dir)
    return data_dir


@pytest.fixture
def store(store_files: Path, data_dir: Path) -> Path:
    """A copy of it, to be damaged."""
    shutil.copytree(store_files, data_dir)
    return data_dir


def problems(data_dir: Path, tmp_path: Path, *, deep: bool = False) -> dict[str, str]:
    found = examine(data_dir=data_dir, trained_dir=tmp_path / "none", deep=deep)
    return {f.subject: f.detail for f in found if f.severity == "problem"}


@pytest.mark.parametrize("deep", [False, True])
def test_it_finds_nothing_where_nothing_is_wrong(
    deep: bool, store: Path, tmp_path: Path
) -> None:
    assert problems(store, tmp_path, deep=deep) == {}


@pytest.mark.parametrize(("name", "damage"), states(RUN))
def test_it_finds_what_is_wrong_with_a_run(
    name: str, damage: Damage, store: Path, tmp_path: Path
) -> None:
    damage(store / "runs" / "given" / name)
    assert set(problems(store, tmp_path)) == {"run given"}


@pytest.mark.parametrize(("name", "damage"), states(DATASET))
def test_it_finds_what_is_wrong_with_a_dataset(
    name: str, damage: Damage, store: Path, tmp_path: Path
) -> None:
    damage(store / "datasets" / "tiny" / name)
    found = problems(store, tmp_path)
    assert set(found) == {"dataset tiny"}
    assert "add it again" in found["dataset tiny"] or "dataset add" in str(found)


@pytest.mark.parametrize(("name", "damage"), states(DEEP))
def test_it_finds_flipped_bits_by_their_digests(
    name: str, damage: Damage, store: Path, tmp_path: Path
) -> None:
    damage(store / name)
    assert len(problems(store, tmp_path, deep=True)) == 1


@pytest.mark.parametrize("damage", [empty, halve, garbage, remove])
@pytest.mark.parametrize("part", ["png", "strokes"])
def test_it_finds_what_is_wrong_with_a_drawing(
    part: str, damage: Damage, store: Path, tmp_path: Path
) -> None:
    (kept,) = list_drawings(store).kept
    damage(getattr(kept, part))
    if (part, damage) == ("strokes", remove):
        # That is what a kill leaves, and no drawing.
        return
    assert set(problems(store, tmp_path)) == {"drawing"}


def test_it_finds_a_sweep_s_damaged_record(store: Path, tmp_path: Path) -> None:
    (store / "sweeps" / "mine").mkdir(parents=True)
    garbage(store / "sweeps" / "mine" / "sweep.json")
    assert set(problems(store, tmp_path)) == {"sweep"}


@pytest.mark.parametrize("room", ["runs", "datasets", "drawings", "sweeps"])
def test_it_finds_a_file_where_a_folder_belongs(
    room: str, store: Path, tmp_path: Path
) -> None:
    shutil.rmtree(store / room, ignore_errors=True)
    (store / room).write_bytes(b"")
    assert "is no folder" in problems(store, tmp_path)["data folder"]


def test_it_closes_the_passphrase_s_file_to_others(store: Path, tmp_path: Path) -> None:
    (store / OWNER).chmod(0o644)
    found = examine(data_dir=store, trained_dir=tmp_path / "none")
    (finding,) = (f for f in found if f.severity == "problem")
    assert "Others on this machine can read" in finding.detail
    assert finding.mend is not None
    finding.mend()
    assert problems(store, tmp_path) == {}


def test_it_names_a_leftover_whose_number_another_process_has(
    store: Path, tmp_path: Path
) -> None:
    left = store / "runs" / f".created-{os.getpid()}-abc"
    left.mkdir()
    # Made long before this process.
    os.utime(left, (1, 1))
    found = examine(data_dir=store, trained_dir=tmp_path / "none")
    assert any(str(left) in f.detail and f.severity == "advice" for f in found)
    assert left.exists()
