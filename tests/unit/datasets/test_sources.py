"""Every source becomes an index and one packed array, or one clear error."""

import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

from core.datasets import archives
from core.datasets.account import read_account
from core.datasets.archives import open_archive
from core.datasets.eitz import find_eitz
from core.datasets.folders import Reading, find_folders
from core.datasets.install import install
from core.datasets.sources import add_dataset
from core.datasets.starter import DRAWINGS_PER_CLASS, find_starter
from core.datasets.store import (
    Dataset,
    datasets_dir,
    list_datasets,
    open_dataset,
    remove_dataset,
)
from core.errors import DatasetError, ImageError, SketchScopeError
from tests.conftest import start_command

# Labels are not in the order of the names, as in the real mapping.
CLASSES = {"swan": 0, "chair": 1, "alarm_clock": 2}


@pytest.fixture
def eitz(tmp_path: Path, tiny_pictures: Path) -> Path:
    """A folder in the course's form: 3 classes of 6, 4 to train and 2 to test."""
    root = tmp_path / "Sketch_EITZ"
    pictures = sorted(tiny_pictures.glob("*/*.png"))
    lines: dict[str, list[str]] = {"train.txt": [], "test.txt": []}
    number = 0
    for name, label in CLASSES.items():
        (root / "png_w256" / name).mkdir(parents=True)
        for position in range(6):
            number += 1
            file = f"png_w256/{name}/{number}.png"
            shutil.copy(pictures[number], root / file)
            split = "test.txt" if position < 2 else "train.txt"
            lines[split].append(f"{file}\t{label}\n")
    for split, split_lines in lines.items():
        (root / split).write_text("".join(reversed(split_lines)))
    mapping = "".join(f"{name}\t{label}\n" for name, label in CLASSES.items())
    (root / "mapping.txt").write_text(mapping)
    return root


def zipped(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", folder.parent, folder.name))


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_the_course_s_form_keeps_labels_and_split(
    form: str, eitz: Path, data_dir: Path
) -> None:
    path = zipped(eitz) if form == "zip" else eitz
    dataset = add_dataset(str(path), data_dir=data_dir)
    assert dataset.name == "Sketch_EITZ"
    assert dataset.class_names == ("swan", "chair", "alarm_clock")
    assert (dataset.num_train, dataset.num_test) == (12, 6)
    # Whoever has 18 pictures of their own in this form owes nobody a credit.
    assert dataset.attribution == ""
    listed = {
        line.split("\t")[0]: (int(line.split("\t")[1]), split)
        for split in ("train", "test")
        for line in (eitz / f"{split}.txt").read_text().splitlines()
    }
    assert {r.path: (r.label, r.split) for r in dataset.records} == listed
    assert [int(r.id) for r in dataset.records] == list(range(1, 19))
    for row, record in enumerate(dataset.records):
        with Image.open(eitz / record.path) as image:
            assert (dataset.images[row] == np.asarray(image)).all()


def _replace(file: str, old: str, new: str) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new, 1))

    return change


def _remove(file: str) -> Callable[[Path], object]:
    return lambda root: (root / file).unlink()


def _write(file: str, content: bytes) -> Callable[[Path], object]:
    return lambda root: (root / file).write_bytes(content)


def _append(file: str, text: str) -> Callable[[Path], object]:
    return lambda root: (root / file).write_text((root / file).read_text() + text)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no mapping": (_remove("mapping.txt"), r"has no mapping\.txt"),
    "no test list": (_remove("test.txt"), r"has no test\.txt"),
    "empty train list": (_write("train.txt", b" \n"), r"train\.txt is empty"),
    "empty mapping": (_write("mapping.txt", b""), r"mapping\.txt is empty"),
    "binary list": (_write("test.txt", b"\xff\xfe\x00"), r"test\.txt is not UTF-8"),
    "no tab": (_append("train.txt", "\nwhat\n"), r"train\.txt line 14 .*'what'"),
    "label is a word": (_append("train.txt", "a.png\tb\n"), "line 13 must be"),
    "negative label": (_append("train.txt", "a.png\t-1\n"), "line 13 must be"),
    "label unknown": (_replace("test.txt", "\t2", "\t3"), r"label 3 is not in mapping"),
    "label twice": (_replace("mapping.txt", "\t1", "\t0"), "twice"),
    "class twice": (_append("mapping.txt", "swan\t3\n"), "'swan'.*twice"),
    "huge label": (_append("train.txt", "a.png\t" + "1" * 5000), "line 13 must be"),
    "gap in labels": (_replace("mapping.txt", "\t2", "\t7"), "without a gap"),
    "file absent": (_remove("png_w256/swan/3.png"), r"swan/3\.png is not in"),
    "listed twice": (
        _append("train.txt", "png_w256/swan/3.png\t0\n"),
        r"swan/3\.png is listed in train\.txt line",
    ),
    "in train and test": (
        _append("test.txt", "png_w256/swan/3.png\t0\n"),
        r"test\.txt line 7: .*swan/3\.png is listed in train\.txt",
    ),
    "truncated picture": (
        _write("png_w256/swan/3.png", b"\x89PNG\r\n\x1a\n\x00\x00"),
        r"swan/3\.png",
    ),
    "not a picture": (_write("png_w256/swan/3.png", b"hello"), r"swan/3\.png is not"),
    "path outside": (
        _append("train.txt", "../../secret.png\t0\n"),
        r"secret\.png is not in the archive",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_course_archive_is_refused_by_name_and_leaves_nothing(
    case: str, eitz: Path, data_dir: Path, tiny: Dataset
) -> None:
    damage, message = BROKEN[case]
    damage(eitz)
    for path in (eitz, zipped(eitz)):
        with pytest.raises(SketchScopeError, match=message) as caught:
            add_dataset(str(path), name="broken", data_dir=data_dir)
        assert "\n" not in str(caught.value)
    assert [path.name for path in datasets_dir(data_dir).iterdir()] == ["tiny"]
    assert open_dataset("tiny", data_dir=data_dir) == tiny


def test_pictures_that_are_numbered_in_each_class_are_known_by_their_paths(
    eitz: Path,
) -> None:
    (eitz / "png_w256/chair/12.png").rename(eitz / "png_w256/chair/3.png")
    _replace("train.txt", "chair/12.png", "chair/3.png")(eitz)
    dataset = install(find_eitz(eitz), "x", data_dir=eitz.parent / "data")
    assert {"png_w256/swan/3.png", "png_w256/chair/3.png"} <= set(dataset.rows)


@pytest.mark.parametrize("change", [("/", "\\"), ("png_w256", "./png_w256")])
def test_lists_made_on_windows_are_read(change: tuple[str, str], eitz: Path) -> None:
    plain = install(find_eitz(eitz), "plain", data_dir=eitz.parent / "data")
    for file in ("train.txt", "test.txt"):
        text = (eitz / file).read_text().replace(*change)
        (eitz / file).write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    dataset = install(find_eitz(eitz), "x", data_dir=eitz.parent / "data")
    assert dataset.fingerprint == plain.fingerprint


def test_the_course_s_form_tells_what_it_read_and_passed_over(eitz: Path) -> None:
    listed = sorted(eitz.rglob("*.png"))
    shutil.copy(listed[0], eitz / "png_w256" / "extra.png")
    for name in (".DS_Store", "notes.md"):
        (eitz / name).write_bytes(b"x")
    told = [str(sentence) for sentence in find_eitz(eitz).account.sentences()]
    assert told == [
        f"Read {len(listed)} sketches: {len(listed)} PNG.",
        "Passed over system files (1): .DS_Store.",
        "Passed over files of other formats (1): 1 .md.",
        "Passed over pictures that no list names (1): png_w256/extra.png.",
    ]


def test_the_same_picture_in_train_and_test_of_a_given_split_is_told(
    eitz: Path,
) -> None:
    # 1 is in test, 3 in train.
    shutil.copy(eitz / "png_w256/swan/3.png", eitz / "png_w256/swan/1.png")
    dataset = install(find_eitz(eitz), "x", data_dir=eitz.parent / "data")
    assert (dataset.num_train, dataset.num_test) == (12, 6)
    (told,) = (s for s in read_account(dataset.path) if "in training and in test" in s)
    assert "swan/1.png" in told
    assert "swan/3.png" in told


def make_zip(
    path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED
) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name", ["../a.png", "a/../../b.png", "/etc/a.png", "..\\b.png", "C:\\b.png"]
)
def test_an_entry_that_points_outside_is_refused(name: str, tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"cat/1.png": b"", name: b""})
    with pytest.raises(DatasetError, match="points outside"):
        open_archive(path)


def test_an_entry_without_a_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", b"")
        # The list at a zip's end is written when it is closed.
        archive.infolist()[0].filename = ""
    with pytest.raises(DatasetError, match="has no name"):
        open_archive(path).names()


def test_an_archive_that_expands_absurdly_is_refused(tmp_path: Path) -> None:
    bomb = {"cat/1.png": bytes(50_000_000)}
    path = make_zip(tmp_path / "a.zip", bomb, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(DatasetError, match=r"would expand from .* bytes"):
        open_archive(path)


def test_an_entry_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"cat/1.png": b"x" * 1000})
    content = path.read_bytes().replace((1000).to_bytes(4, "little"), b"\x09\0\0\0")
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="damaged"):
        open_archive(path).read("cat/1.png")


def test_an_entry_with_broken_content_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(500) + bytes(500)
    path = make_zip(
        tmp_path / "a.zip", {"cat/1.png": noise}, compression=zipfile.ZIP_DEFLATED
    )
    content = bytearray(path.read_bytes())
    start = content.index(b"cat/1.png") + len("cat/1.png")
    content[start : start + 2] = b"\xff\xff"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"cat/1\.png is damaged"):
        open_archive(path).read("cat/1.png")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"\xff.png", "\\udcff.png"),
        (b"a\nb.png", "a\\nb.png"),
        ("17.36.22\u202fPM.png".encode(), "17.36.22 PM.png"),
        ("a\u202egnp.png".encode(), "a\\u202egnp.png"),
    ],
)
def test_any_file_name_is_read_and_shown_safely(
    name: bytes, shown: str, tmp_path: Path, tiny_pictures: Path, data_dir: Path
) -> None:
    shutil.copytree(tiny_pictures, tmp_path / "mine")
    moved = bytes(tmp_path / "mine" / "sun") + b"/" + name
    (tmp_path / "mine/sun/3.png").rename(os.fsdecode(moved))
    dataset = add_dataset(str(tmp_path / "mine"), data_dir=data_dir)
    assert dataset.num_train + dataset.num_test == 80
    assert f"sun/{shown}" in [record.id for record in dataset.records]


def test_other_pictures_with_the_same_ids_are_another_dataset(
    eitz: Path, data_dir: Path
) -> None:
    first = add_dataset(str(eitz), name="first", data_dir=data_dir)
    again = add_dataset(str(eitz), name="again", data_dir=data_dir)
    assert again.fingerprint == first.fingerprint
    picture = eitz / "png_w256/swan/3.png"
    with Image.open(picture) as image:
        Image.fromarray(np.roll(np.asarray(image), 3)).save(picture)
    other = add_dataset(str(eitz), name="other", data_dir=data_dir)
    assert other.fingerprint != first.fingerprint
    _replace("train.txt", "swan/4.png\t0", "swan/4.png\t1")(eitz)
    relabelled = add_dataset(str(eitz), name="relabelled", data_dir=data_dir)
    assert relabelled.fingerprint != other.fingerprint


def test_an_archive_of_too_much_in_all_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 1500)
    path = make_zip(tmp_path / "a.zip", {"a/1.png": bytes(999), "a/2.png": bytes(999)})
    with pytest.raises(DatasetError, match="would expand to more than"):
        open_archive(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 100])
def test_a_file_that_is_no_zip_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(
        DatasetError,
        match=r"a\.zip is neither a folder nor a zip|a\.zip is not a readable zip",
    ):
        open_archive(tmp_path / "a.zip")


def test_a_link_that_leads_outside_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"")
    (tmp_path / "folder" / "cat").mkdir(parents=True)
    (tmp_path / "folder" / "cat" / "1.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DatasetError, match="points outside"):
        open_archive(tmp_path / "folder").read("cat/1.png")


def test_class_folders_are_split_evenly_and_repeatably(
    tiny_pictures: Path, tiny: Dataset
) -> None:
    assert (tiny.num_classes, tiny.num_train, tiny.num_test) == (4, 64, 16)
    test_labels = tiny.labels[tiny.indices("test")]
    assert list(np.bincount(test_labels)) == [4, 4, 4, 4]
    again = find_folders(tiny_pictures)
    assert tuple(again.records) == tiny.records


def test_class_folders_take_every_format_and_pass_other_files_over(
    tmp_path: Path, data_dir: Path, tiny_pictures: Path
) -> None:
    for name in ("sun", "key"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number, extension in enumerate((".png", ".JPG", ".jpeg", ".webp", ".png")):
            with Image.open(tiny_pictures / name / f"{number}.png") as image:
                image.save(tmp_path / "mine" / name / f"{number}{extension}")
    (tmp_path / "mine" / "notes.txt").write_text("hello")
    (tmp_path / "mine" / "sun" / ".hidden.png").write_text("hello")
    dataset = add_dataset(str(tmp_path / "mine"), data_dir=data_dir)
    assert dataset.class_names == ("key", "sun")
    assert dataset.num_train + dataset.num_test == 10


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "holds no"),
        (["a.png"], "lies in no class folder"),
        (["cat/1.png", "cat/2.png"], "at least 2"),
    ],
)
def test_unfit_folders_are_refused(
    files: list[str], message: str, tmp_path: Path, data_dir: Path
) -> None:
    (tmp_path / "mine" / "cat").mkdir(parents=True)
    for file in files:
        Image.new("L", (9, 9), 255).save(tmp_path / "mine" / file)
    with pytest.raises(DatasetError, match=message):
        add_dataset(str(tmp_path / "mine"), data_dir=data_dir)


@pytest.mark.parametrize("path", ["/nowhere/at-all", "~nobody-at-all/pictures"])
def test_a_missing_path_is_named(path: str, data_dir: Path) -> None:
    with pytest.raises(DatasetError, match=f"^{path} does not exist"):
        add_dataset(path, data_dir=data_dir)


def test_unreadable_pictures_are_passed_over_by_name_or_refused(
    tmp_path: Path, tiny_pictures: Path, data_dir: Path
) -> None:
    shutil.copytree(tiny_pictures, tmp_path / "mine")
    (tmp_path / "mine" / "sun" / "3.png").write_bytes(b"")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    (tmp_path / "mine" / "key" / "4.png").write_bytes(pointer)
    strict = Reading(is_strict=True)
    with pytest.raises(ImageError, match=r"2 pictures.*key/4\.png.*sun/3\.png"):
        add_dataset(str(tmp_path / "mine"), data_dir=data_dir, reading=strict)
    assert not any(datasets_dir(data_dir).iterdir())
    dataset = add_dataset(str(tmp_path / "mine"), data_dir=data_dir)
    assert dataset.num_train + dataset.num_test == 78
    assert dataset.images.shape == (78, 128, 128)
    (told,) = (s for s in read_account(dataset.path) if "can't be read" in s)
    assert "(2): " in told
    assert "git lfs pull" in told
    listed = (dataset.path / "import.csv").read_text()
    assert "sun/3.png is empty" in listed


def test_the_starter_is_the_same_whenever_it_is_drawn() -> None:
    one, two = find_starter(), find_starter()
    assert len(one.class_names) == 20
    assert DRAWINGS_PER_CLASS >= 60
    rows = np.random.default_rng(0).integers(0, len(one.records), 30)
    sketches = [one.read(one.records[row]) for row in rows]
    again = [two.read(two.records[row]) for row in reversed(rows)][::-1]
    assert (np.array(sketches) == np.array(again)).all()
    other = find_starter(seed=1)
    assert (other.read(other.records[0]) != one.read(one.records[0])).any()
    ink = np.mean(np.array(sketches) < 128, axis=(1, 2))
    assert ink.min() > 0.01
    assert ink.max() < 0.3


def test_the_starter_is_not_told_apart_by_pixels_alone() -> None:
    source = find_starter()
    sketches = [Image.fromarray(source.read(record)) for record in source.records]
    small = [
        np.asarray(sketch.resize((32, 32), Image.Resampling.BOX)) for sketch in sketches
    ]
    pixels = np.stack(small).reshape(len(small), -1).astype(np.float32)
    labels = np.array([record.label for record in source.records])
    is_test = np.array([record.split == "test" for record in source.records])
    nearest = KNeighborsClassifier(1).fit(pixels[~is_test], labels[~is_test])
    # A simple network is right on nine of ten.
    assert 0.2 < nearest.score(pixels[is_test], labels[is_test]) < 0.6


def test_the_starter_is_added_only_once(data_dir: Path) -> None:
    first = add_dataset("starter", data_dir=data_dir)
    changed = first.path.stat().st_mtime_ns
    assert add_dataset("starter", data_dir=data_dir) == first
    assert first.path.stat().st_mtime_ns == changed


def test_a_taken_name_is_refused_before_any_work(
    tiny_pictures: Path, tiny: Dataset, data_dir: Path
) -> None:
    with pytest.raises(DatasetError, match="'tiny' is installed already"):
        add_dataset(str(tiny_pictures), name="tiny", data_dir=data_dir)


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a" * 65, "a b"])
def test_an_unfit_name_is_refused(name: str, data_dir: Path) -> None:
    with pytest.raises(DatasetError, match="A dataset's name is"):
        open_dataset(name, data_dir=data_dir)


def test_a_removed_dataset_is_gone(tiny: Dataset, data_dir: Path) -> None:
    remove_dataset("tiny", data_dir=data_dir)
    assert list_datasets(data_dir) == []
    with pytest.raises(DatasetError, match="no dataset 'tiny'"):
        open_dataset("tiny", data_dir=data_dir)
    with pytest.raises(DatasetError, match="no dataset 'tiny'"):
        remove_dataset("tiny", data_dir=data_dir)


@pytest.mark.parametrize(
    "file", ["dataset.json", "index.csv", "images.npy", "keys.npy"]
)
def test_a_damaged_dataset_says_which_file_it_is(
    file: str, tiny: Dataset, data_dir: Path
) -> None:
    content = (tiny.path / file).read_bytes()
    (tiny.path / file).write_bytes(content[: len(content) // 2])

    def read_all() -> None:
        damaged = open_dataset("tiny", data_dir=data_dir)
        _ = damaged.records, damaged.images, damaged.keys

    with pytest.raises(DatasetError, match=file):
        read_all()


def test_an_array_s_header_that_is_no_python_is_damage(tiny: Dataset) -> None:
    for file in ("images.npy", "keys.npy"):
        content = (tiny.path / file).read_bytes()
        (tiny.path / file).write_bytes(content.replace(b")", b" ", 1))
    with pytest.raises(DatasetError, match=r"images\.npy is missing or damaged"):
        _ = tiny.images
    with pytest.raises(DatasetError, match=r"keys\.npy is missing or damaged"):
        _ = tiny.keys


@pytest.mark.slow
def test_a_killed_import_leaves_nothing_half_made(data_dir: Path) -> None:
    process = start_command(data_dir, "dataset", "add", "starter")
    while not any(datasets_dir(data_dir).glob(".partial-*/images.npy")):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert list_datasets(data_dir) == []
    # The next import clears what the killed one left.
    add_dataset("starter", data_dir=data_dir)
    assert [path.name for path in datasets_dir(data_dir).iterdir()] == ["starter"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make a tmpfs")
def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(mount)],
        check=False,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip("may not mount here")
    try:
        with pytest.raises(DatasetError, match="can't be written"):
            add_dataset("starter", data_dir=mount)
        assert list_datasets(mount) == []
    finally:
        subprocess.run(["umount", str(mount)], check=True)
