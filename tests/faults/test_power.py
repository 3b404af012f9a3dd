"""After a power cut at any step there is all of a thing or nothing, and what was
reported as kept is there."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.datasets.drawings import (
    list_drawings,
    relabel_drawing,
    remove_drawing,
    save_drawing,
)
from core.datasets.folders import find_folders
from core.datasets.install import install
from core.datasets.store import Dataset, remove_dataset
from core.files import write_text
from core.paths import TRAINED_DIR
from core.runs.copies import export_run
from core.runs.create import create_run
from core.runs.folder import remove_run, runs_dir
from core.runs.reading import write_history
from tests.faults.power import Disk, Ext4, Image, can_mount, read_image

NAMES = ("house", "key")


def keep(data_dir: Path) -> None:
    sketch = np.full((128, 128), 255, np.uint8)
    sketch[40:60, 40:60] = 0
    save_drawing(
        sketch,
        "house",
        class_names=NAMES,
        data_dir=data_dir,
        source="canvas",
        strokes="[]",
    )


def relabel(data_dir: Path) -> None:
    (kept,) = list_drawings(data_dir).kept
    relabel_drawing(kept.id, "key", class_names=NAMES, data_dir=data_dir)


def remove(data_dir: Path) -> None:
    (kept,) = list_drawings(data_dir).kept
    remove_drawing(kept.id, data_dir=data_dir)


def add(data_dir: Path) -> None:
    source = find_folders(data_dir.parent / "pictures")
    install(source, "added", data_dir=data_dir)


def make(data_dir: Path) -> None:
    create_run(
        "simple",
        "tiny",
        "report",
        data_dir=data_dir,
        run_id="made",
        overrides={"batch_size": 16},
    )


def export(data_dir: Path) -> None:
    export_run(TRAINED_DIR / "simple", data_dir / "copies" / "copy")


def visible(image: Image) -> Image:
    """What readers see: neither what is in the making nor locks."""
    return {
        path: content
        for path, content in image.items()
        if not any(part.startswith(".") for part in path.split("/"))
    }


def things(image: Image) -> dict[str, Image]:
    """A drawing's files, a run's, a dataset's and a copy's, each together."""
    found: dict[str, Image] = {}
    for path, content in visible(image).items():
        room, name, *rest = path.split("/")
        key = f"{room}/{rest[-1].split('.')[0]}" if room == "drawings" else name
        found.setdefault(key, {})["/".join((name, *rest))] = content
    return found


@pytest.mark.parametrize("act", [keep, add, make, export])
def test_a_power_cut_leaves_all_or_nothing_and_all_that_was_reported(
    act: Callable[[Path], None],
    tiny: Dataset,
    tiny_pictures: Path,
    data_dir: Path,
) -> None:
    shutil.copytree(tiny_pictures, data_dir.parent / "pictures")
    disk = Disk(data_dir)
    images: list[Image] = []
    with disk.watched(lambda: images.extend(disk.images())):
        act(data_dir)
    whole = things(read_image(data_dir))
    assert len(images) > 10
    for image in images:
        check_all_or_nothing(image, whole)
    for image in disk.images():
        assert things(image) == whole


def check_all_or_nothing(image: Image, whole: dict[str, Image]) -> None:
    for name, thing in things(image).items():
        # Of a drawing the picture alone is one that was not kept yet.
        if name.startswith("drawings") and not any(".json" in p for p in thing):
            continue
        assert thing == whole[name], name


@pytest.mark.skipif(not can_mount(), reason="needs the rights to mount a disk")
@pytest.mark.parametrize("act", [keep, add, make, export])
def test_a_power_cut_of_a_real_disk_leaves_all_or_nothing(
    act: Callable[[Path], None],
    tiny: Dataset,
    tiny_pictures: Path,
    data_dir: Path,
    tmp_path: Path,
) -> None:
    shutil.copytree(tiny_pictures, data_dir.parent / "pictures")
    with Ext4(data_dir, tmp_path) as disk:
        with disk.watched():
            act(data_dir)
        whole = things(read_image(data_dir))
        # At the moment at which it is reported, nothing else is synced.
        disk.cut()
    images = list(disk.images())
    assert len(images) > 10
    for image in images:
        check_all_or_nothing(image, whole)
    assert things(images[-1]) == whole
    assert things(images[0]) != whole


@pytest.mark.parametrize("act", [relabel, remove])
def test_a_power_cut_loses_no_kept_drawing(
    act: Callable[[Path], None], data_dir: Path
) -> None:
    data_dir.mkdir()
    keep(data_dir)
    disk = Disk(data_dir)
    images: list[Image] = []
    with disk.watched(lambda: images.extend(disk.images())):
        act(data_dir)
    for image in images:
        kept = [path for path in visible(image) if path.endswith(".json")]
        # On a disk without a journal it may have both labels for a moment.
        assert kept or act is remove
        for path in kept:
            assert visible(image)[path]
            assert visible(image).get(path.removesuffix("json") + "png")
    left = {str(path) for image in disk.images() for path in visible(image)}
    assert len(left) == (0 if act is remove else 2)


def test_a_power_cut_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    write_text(tmp_path / "it.txt", "old")
    disk = Disk(tmp_path)
    images: list[Image] = []
    with disk.watched(lambda: images.extend(disk.images())):
        write_text(tmp_path / "it.txt", "new")
    assert {visible(image)["it.txt"] for image in images} == {b"old", b"new"}
    assert [visible(image) for image in disk.images()] == [{"it.txt": b"new"}] * 2


def test_a_power_cut_brings_no_removed_run_or_dataset_back(
    tiny: Dataset, data_dir: Path
) -> None:
    make(data_dir)
    write_history(runs_dir(data_dir) / "made", [])
    disk = Disk(data_dir)
    with disk.watched(lambda: None):
        remove_run("made", data_dir=data_dir)
        remove_dataset("tiny", data_dir=data_dir)
    # It may be in the trash still, or gone.
    left = {name for image in disk.images() for name in visible(image)}
    assert all(name.startswith("trash/") for name in left)
