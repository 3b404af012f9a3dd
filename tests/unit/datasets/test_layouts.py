"""Folders, archives, tables and drawings of every layout become the right classes."""

import csv
import io
import json
import os
import shutil
import tarfile
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.datasets.account import read_account
from core.datasets.folders import Reading
from core.datasets.sources import add_dataset, find_dataset
from core.datasets.starter import draw, render
from core.datasets.store import Dataset, open_dataset
from core.errors import DatasetError
from tests.changed_pictures import CHANGES, scribe
from tests.processes import as_an_ordinary_user

CLASSES = ("fish", "house", "sun")
Import = Callable[..., Dataset]


def picture(name: str, number: int) -> bytes:
    """A drawing that no other class or number has."""
    generator = np.random.default_rng([sum(name.encode()), number])
    sketch = render(draw(name, generator), generator)
    stream = io.BytesIO()
    Image.fromarray(sketch).save(stream, "PNG")
    return stream.getvalue()


def write(root: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    for name, content in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def tree(pattern: str, *, n: int = 6) -> list[tuple[str, bytes]]:
    """Drawings at a pattern of class and number, such as `{c}/{i}.png`."""
    return [
        (pattern.format(c=c, i=i, odd=i % 2), picture(c, i))
        for c in CLASSES
        for i in range(n)
    ]


@pytest.fixture
def add(data_dir: Path) -> Import:
    """Imports what lies at one path, or several, as `it`."""

    def run(*paths: Path, name: str = "it", **reading: object) -> Dataset:
        return add_dataset(
            [str(path) for path in paths],
            name=name,
            data_dir=data_dir,
            reading=Reading(**reading),  # type: ignore[arg-type]
        )

    return run


def told(dataset: Dataset) -> str:
    return " ".join(read_account(dataset.path))


def counts(dataset: Dataset) -> dict[str, int]:
    return dict(Counter(dataset.class_names[r.label] for r in dataset.records))


EACH_SIX = dict.fromkeys(CLASSES, 6)


@pytest.mark.parametrize(
    ("pattern", "known"),
    [
        ("{c}/{i}.png", ()),
        ("repo/data/{c}/{i}.png", ()),
        ("user{odd}/{c}/{i}.png", ()),
        ("anna{odd}/{c}/{i}.png", CLASSES),
        ("{c}/session{odd}/{i}.png", ()),
        ("{c}/by-anna-{odd}x/{i}.png", CLASSES),
        ("set{odd}/{c}/ours/{i}.png", ()),
        ("things/{c}/2024-01-0{odd}/{i}.png", ()),
    ],
)
def test_the_level_of_classes_is_found(
    pattern: str, known: tuple[str, ...], tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree(pattern))
    assert counts(add(root, known=known)) == EACH_SIX


def test_the_level_of_classes_is_shown_and_can_be_said(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("{c}/who{odd}/{i}.png"))
    first = add(root)
    assert "The classes are the folders of level 1, such as 'fish'" in told(first)
    other = add(root, name="other", class_level=2)
    assert counts(other) == {"who0": 9, "who1": 9}
    last = add(root, name="last", class_level=-1)
    assert last.fingerprint == other.fingerprint


def test_folders_inside_a_class_that_holds_pictures_too_are_part_of_it(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png", n=5))
    write(root, [("fish/more/9.png", picture("fish", 9))])
    assert counts(add(root)) == {"fish": 6, "house": 5, "sun": 5}


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Training", "validation", "Test")]
)
def test_a_given_split_is_kept(
    names: tuple[str, ...], tmp_path: Path, add: Import
) -> None:
    numbers = iter(range(100))
    files = [
        (f"{part}/{c}/{i}.png", picture(c, next(numbers)))
        for part, n in zip(names, (4, 2, 3), strict=True)
        for c in CLASSES
        for i in range(n)
    ]
    dataset = add(write(tmp_path / "mine", files))
    assert dataset.class_names == CLASSES
    assert (dataset.num_train, dataset.num_test) == (18, 9)
    tests = {r.path.split("/")[0] for r in dataset.records if r.split == "test"}
    assert tests == {names[2]}
    assert "validation part joined the training part" in told(dataset)


def test_without_a_test_part_validation_is_the_test(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("train/{c}/{i}.png"))
    write(root, [(f"val/{c}/9.png", picture(c, 9)) for c in CLASSES])
    dataset = add(root)
    assert (dataset.num_train, dataset.num_test) == (18, 3)
    assert "validation part became the test part" in told(dataset)


def test_a_test_part_without_labels_is_left_out_with_a_word(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("train/{c}/{i}.png"))
    write(root, [(f"test/{i}.png", picture("sun", 20 + i)) for i in range(4)])
    dataset = add(root)
    assert counts(dataset) == EACH_SIX
    assert dataset.num_test == 4
    assert "Passed over pictures of a part without labels (4): test/0.png" in told(
        dataset
    )


def test_flat_parts_are_no_classes(tmp_path: Path, add: Import) -> None:
    files = [
        (f"{p}/{i}.png", picture("sun", i)) for p in ("train", "test") for i in (1, 2)
    ]
    with pytest.raises(
        DatasetError, match=r"without class folders\. Say with --labels"
    ):
        add(write(tmp_path / "mine", files))


def test_classes_named_like_parts_stay_classes(tmp_path: Path, add: Import) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png"))
    (root / "fish").rename(root / "train")
    assert counts(add(root)) == {"house": 6, "sun": 6, "train": 6}


@pytest.mark.parametrize("form", ["csv", "semicolons", "json", "json map", "elsewhere"])
def test_a_table_labels_flat_pictures(form: str, tmp_path: Path, add: Import) -> None:
    root = write(tmp_path / "mine", tree("images/{c}{i}.png"))
    write(root, [("images/extra.png", picture("sun", 50))])
    rows = [
        {"filename": f"{c}{i}.png", "label": c, "split": "test" if i == 0 else "train"}
        for c in CLASSES
        for i in range(6)
    ]
    rows.append({"filename": "lost.png", "label": "sun", "split": "train"})
    table = root / ("labels.json" if "json" in form else "labels.csv")
    if form == "json":
        table.write_text(json.dumps(rows))
    elif form == "json map":
        table.write_text(json.dumps({r["filename"]: r["label"] for r in rows}))
    else:
        with table.open("w", newline="", encoding="utf-8-sig") as stream:
            delimiter = ";" if form == "semicolons" else ","
            writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
    named = table.name
    if form == "elsewhere":
        named = str(shutil.move(table, tmp_path / "elsewhere.csv"))
    dataset = add(root, labels=named)
    assert counts(dataset) == EACH_SIX
    if form != "json map":
        assert {r.path for r in dataset.records if r.split == "test"} == {
            f"images/{c}0.png" for c in CLASSES
        }
    assert "Passed over pictures that no list names (1): images/extra.png" in told(
        dataset
    )
    assert "Passed over listed pictures that are not there (1): lost.png" in told(
        dataset
    )


def test_a_pattern_labels_flat_pictures_and_groups_them(
    tmp_path: Path, add: Import
) -> None:
    files = [
        (f"images/{c}-user{u}-{i}.png", picture(c, 10 * u + i))
        for c in CLASSES
        for u in range(5)
        for i in range(4)
    ]
    root = write(tmp_path / "mine", [*files, ("logo.png", picture("sun", 99))])
    dataset = add(root, labels="{class}-{group}-*")
    assert counts(dataset) == dict.fromkeys(CLASSES, 20)
    in_test = {r.group for r in dataset.records if r.split == "test"}
    assert in_test
    assert not in_test & {r.group for r in dataset.records if r.split == "train"}
    assert "that no list names (1): logo.png" in told(dataset)
    with pytest.raises(DatasetError, match="no picture's name is of the form"):
        add(root, name="x", labels="{class}+*")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("file,label\na.png,x\na.png,y\n", "needs|lists none|two labels"),
        ("picture\nfish0.png\n", "needs a column of files and one of labels"),
        ("file,label\n", "has no rows"),
        ("file,label\nfish0.png,a\nfish0.png,b\n", "row 2: 'fish0.png' has two labels"),
        ("file,label\nnone.png,a\n", "lists none of the pictures"),
        ('file,label\nfish0.png,"a\nfish1.png,b\n', "can't be read as a table"),
    ],
)
def test_a_table_that_is_wrong_is_one_clear_error(
    table: str, message: str, tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("{c}{i}.png", n=2))
    (root / "labels.csv").write_text(table)
    with pytest.raises(DatasetError, match=message):
        add(root, labels="labels.csv")
    for nothing in ("nothing.csv", "~nobody-at-all/labels.csv", "labels.csv/in.csv"):
        with pytest.raises(DatasetError, match="is no file here"):
            add(root, labels=nothing)


def test_a_path_means_no_picture_of_another_folder(tmp_path: Path, add: Import) -> None:
    names = [("x", 0), ("x", 1), ("y", 2), ("y", 3), ("y", 4), ("x", 5), ("y", 6)]
    files = [(f"{d}/{n}.png", picture("fish", n)) for d, n in names]
    root = write(tmp_path / "mine", files)
    rows = ["C:/a/x/0.png,dog", "C:/a/x/1.png,", "C:/a/x/2.png,dog", "y/3.png,cat"]
    rows += ["C:/a/x/5.png,dog", "y/6.png,cat"]
    (root / "l.csv").write_text("\n".join(["file,label", *rows]))
    dataset = add(root, labels="l.csv")
    assert {r.path: dataset.class_names[r.label] for r in dataset.records} == {
        "x/0.png": "dog",
        "x/5.png": "dog",
        "y/3.png": "cat",
        "y/6.png": "cat",
    }
    for sentence in (
        "pictures that no list names (2): y/2.png, y/4.png.",
        "listed pictures that are not there (1): C:/a/x/2.png.",
        "listed pictures without a label (1): C:/a/x/1.png.",
    ):
        assert f"Passed over {sentence}" in told(dataset)


def test_where_all_folders_are_others_the_name_decides(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("here/{c}{i}.png"))
    rows = [f"there/{c}{i}.png,{c}" for c in CLASSES for i in range(6)]
    (root / "l.csv").write_text("\n".join(["file,label", *rows]))
    assert counts(add(root, labels="l.csv")) == EACH_SIX


def test_groups_by_folder_stay_in_one_part(tmp_path: Path, add: Import) -> None:
    files = [
        (f"user{u}/{c}/{i}.png", picture(c, 10 * u + i))
        for u in range(6)
        for c in CLASSES
        for i in range(3)
    ]
    dataset = add(write(tmp_path / "mine", files), group="1")
    parts: dict[str, set[str]] = {}
    for record in dataset.records:
        parts.setdefault(record.group, set()).add(record.split)
    assert set(parts) == {f"user{u}" for u in range(6)}
    assert all(len(part) == 1 for part in parts.values())
    assert dataset.num_test == 9
    with pytest.raises(DatasetError, match="column only of a table"):
        add(tmp_path / "mine", name="x", group="who")


def packed(root: Path, form: str) -> list[Path]:
    """The folder as an archive, or as one of each class."""
    if form == "folder":
        return [root]
    if form == "zip each":
        return [
            Path(shutil.make_archive(str(root.parent / c), "zip", root / c))
            for c in CLASSES
        ]
    return [Path(shutil.make_archive(str(root), form, root.parent, root.name))]


@pytest.mark.parametrize("form", ["folder", "zip", "tar", "gztar", "xztar", "zip each"])
def test_every_kind_of_archive_gives_the_same_dataset(
    form: str, tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png"))
    whole = add(root, name="whole")
    dataset = add(*packed(root, form))
    assert dataset.fingerprint == whole.fingerprint


def make_tar(path: Path, members: list[tuple[str, int]]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, size in members:
            member = tarfile.TarInfo(name)
            member.size = size
            tar.addfile(member, io.BytesIO(bytes(size)))
    return path


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("../a.png", 1)], "points outside"),
        ([("/etc/a.png", 1)], "points outside"),
        ([("a/1.png", 1), ("a/1.png", 1)], "twice"),
        ([("a/1.png", 60_000_000)], "expand absurdly"),
        ([("a/1.png", 70_000_000)], "expand absurdly"),
    ],
)
def test_a_hostile_tar_is_refused(
    members: list[tuple[str, int]], message: str, tmp_path: Path, add: Import
) -> None:
    with pytest.raises(DatasetError, match=message):
        add(make_tar(tmp_path / "a.tar.gz", members))


def test_a_tar_that_is_cut_is_one_clear_error(tmp_path: Path, add: Import) -> None:
    path = packed(write(tmp_path / "mine", tree("{c}/{i}.png")), "gztar")[0]
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DatasetError, match="is not a readable tar"):
        add(path)


def strokes(c: str, i: int) -> list[list[list[float]]]:
    generator = np.random.default_rng([sum(c.encode()), i])
    return [generator.integers(0, 256, (3, 12)).tolist() for _ in range(3)]


@pytest.mark.parametrize("is_raw", [True, False])
def test_quick_draw_s_drawings_are_drawn_from_their_strokes(
    is_raw: bool, tmp_path: Path, add: Import
) -> None:
    files = []
    for c in CLASSES:
        drawings = [[s if is_raw else s[:2] for s in strokes(c, i)] for i in range(6)]
        lines = [json.dumps({"word": c, "drawing": d}) for d in drawings]
        files.append((f"full_{c}.ndjson", "\n".join(lines).encode()))
    root = write(tmp_path / "mine", files)
    dataset = add(*sorted(root.iterdir()))
    assert counts(dataset) == EACH_SIX
    assert add(root, name="folder").fingerprint == dataset.fingerprint
    ink = (dataset.images < 200).mean(axis=(1, 2))
    assert ((ink > 0.01) & (ink < 0.3)).all()
    assert "18 NDJSON" in told(dataset)


def test_a_line_that_is_no_drawing_is_named(tmp_path: Path, add: Import) -> None:
    path = write(tmp_path / "mine", [("a.ndjson", b'{"word": "a"}\n')]) / "a.ndjson"
    with pytest.raises(DatasetError, match=r"a\.ndjson line 1 is no drawing"):
        add(path)


@pytest.mark.parametrize("form", ["npy flat", "npy square", "npz"])
def test_bitmaps_are_white_on_black(form: str, tmp_path: Path, add: Import) -> None:
    (tmp_path / "mine").mkdir()
    bitmaps = {c: np.zeros((6, 28, 28), np.uint8) for c in CLASSES}
    for at, c in enumerate(CLASSES):
        for i in range(6):
            bitmaps[c][i, 4 + i : 7 + i, 2 : 20 + 3 * at] = 255
            bitmaps[c][i, 4 + i : 24, 2:4] = 255
    if form == "npz":
        np.savez(tmp_path / "mine/all.npz", **bitmaps)  # type: ignore[arg-type]
    for c in CLASSES if form != "npz" else ():
        array = bitmaps[c].reshape(6, -1) if form == "npy flat" else bitmaps[c]
        np.save(tmp_path / f"mine/full_numpy_bitmap_{c}.npy", array)
    dataset = add(tmp_path / "mine")
    assert counts(dataset) == EACH_SIX
    assert (dataset.images[:, 0, 0] == 255).all()
    # Thin as the dataset's lines are, and so gray.
    assert (dataset.images.min(axis=(1, 2)) < 170).all()


def test_pickled_arrays_are_never_opened(tmp_path: Path, add: Import) -> None:
    (tmp_path / "mine").mkdir()
    np.savez(tmp_path / "mine/cat.npz", train=np.array([{}, {}], dtype=object))
    with pytest.raises(DatasetError, match="holds no bitmaps that can be read"):
        add(tmp_path / "mine")


def test_svgs_are_drawn_from_their_lines(tmp_path: Path, add: Import) -> None:
    files = []
    for at, c in enumerate(CLASSES):
        for i in range(6):
            d = f"M {i} 0 L {100 + 30 * at} 200 C 10 {i} 30 40 50 {60 + at}"
            svg = f'<svg xmlns="http://www.w3.org/2000/svg"><path d="{d}"/></svg>'
            files.append((f"svg/{c}/{i}.svg", svg.encode()))
    dataset = add(write(tmp_path / "mine", files))
    assert counts(dataset) == EACH_SIX
    # Lines as thin as the dataset's, whatever the file's units.
    assert 0.005 < (dataset.images < 200).mean() < 0.1


def test_of_sketchy_s_form_the_sketches_are_taken_once(
    tmp_path: Path, add: Import
) -> None:
    root = tmp_path / "256x256"
    forms = ("tx_000000000000", "tx_000100000000")
    for form in forms:
        write(root, tree(f"sketch/{form}/{{c}}/n0_{{i}}-1.png"))
    write(root, tree("photo/tx_000000000000/{c}/n0_{i}.jpg"))
    dataset = add(root)
    assert counts(dataset) == EACH_SIX
    assert "Passed over photographs beside the sketches (18)" in told(dataset)
    assert "Passed over other forms of the same sketches (18)" in told(dataset)


def test_photographs_among_drawings_are_counted_and_listed(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png"))
    for number in (1, 4):
        page = scribe(draw("sun", np.random.default_rng(number)))
        photograph = CHANGES["photo with shadow"](page)
        photograph.save(root / "sun" / f"{number}.png")
    dataset = add(root)
    assert counts(dataset) == EACH_SIX
    assert "Read 18 sketches: 18 PNG. In 2 of them the drawing" in told(dataset)
    with (dataset.path / "import.csv").open() as stream:
        rows = [r for r in csv.DictReader(stream) if "was found" in r["kind"]]
    assert [row["path"] for row in rows] == ["sun/1.png", "sun/4.png"]


IMPORT = """
import sys
from pathlib import Path
from core.datasets.sources import add_dataset
from core.errors import SketchScopeError
try:
    dataset = add_dataset(sys.argv[1], name="it", data_dir=Path(sys.argv[2]))
except SketchScopeError as error:
    sys.exit(f"Refused: {error}")
print(*dataset.class_names)
"""


def test_what_may_not_be_read_is_told_and_spoils_no_more(
    tmp_path: Path, data_dir: Path
) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png"))
    write(root, [("moon/0.png", picture("sun", 7)), ("star/0.png", b"x")])
    write(root, [("lost+found/0.png", b"x"), ("fish/inner/0.png", b"x")])
    modes = {"moon": 0, "lost+found": 0, "fish/inner": 0, "star": 0o444, "sun/0.png": 0}
    for name, mode in modes.items():
        (root / name).chmod(mode)
    try:
        done = as_an_ordinary_user("-c", IMPORT, str(root), str(data_dir))
        root.chmod(0)
        refused = as_an_ordinary_user("-c", IMPORT, str(root), str(tmp_path / "new"))
    finally:
        root.chmod(0o755)
        for name in modes:
            (root / name).chmod(0o755)
    assert done.stdout.split() == list(CLASSES), done.stderr
    dataset = open_dataset("it", data_dir=data_dir)
    assert counts(dataset) == {**EACH_SIX, "sun": 5}
    for kind in (
        "Passed over folders that can't be opened (2): fish/inner, moon.",
        "Passed over system files (1): lost+found.",
        "Passed over pictures that can't be read (2): star/0.png, sun/0.png.",
    ):
        assert kind in told(dataset)
    assert "folders without pictures" not in told(dataset)
    assert f"Refused: {root} can't be read: Permission denied." in refused.stderr


def test_what_is_passed_over_is_told_by_kind_and_listed(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png"))
    system = (".DS_Store", "Thumbs.db", "sun/Icon\r", "sun/._0.png", "__MACOSX/a.png")
    extra = [*system, ".ipynb_checkpoints/x.png", "fish/a.csv", "README.md", "b.md"]
    write(root, [(name, b"x") for name in extra])
    write(root, [("preview.png", picture("sun", 77)), ("only/notes.txt", b"")])
    (root / "moon").mkdir()
    (root / "linked").symlink_to(root / "sun")
    dataset = add(root)
    assert counts(dataset) == EACH_SIX
    for kind in (
        "Read 18 sketches: 18 PNG.",
        "Passed over system files (6)",
        "Passed over files of other formats (4): 2 .md, 1 .csv, 1 .txt.",
        "Passed over folders without pictures (2): moon, only.",
        "Passed over linked folders (1): linked.",
        "Passed over pictures in no class folder (1): preview.png.",
    ):
        assert kind in told(dataset)
    with (dataset.path / "import.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 14
    with pytest.raises(
        DatasetError, match=r"folders without pictures \(2\): moon, only"
    ) as e:
        add(root, name="strict", is_strict=True)
    assert "system files" not in str(e.value)


def test_a_folder_of_nothing_that_can_be_read_says_what_it_holds(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", [(f"a/{i}.xyz", b"") for i in range(3)])
    with pytest.raises(
        DatasetError, match=r"Passed over files of other formats \(3\): 3 .xyz"
    ):
        add(root)


def test_spellings_of_one_name_are_one_class(tmp_path: Path, add: Import) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png"))
    spelled = [unicodedata.normalize(form, "café") for form in ("NFC", "NFD")]
    names = [*spelled, "Café", "café "]
    for at, name in enumerate(names):
        write(root, [(f"{name}/{i}.png", picture("key", 4 * at + i)) for i in range(4)])
    dataset = add(root)
    assert counts(dataset) == {**EACH_SIX, "café": 16}
    assert "4 spellings of 'café' became one class" in told(dataset)


def test_capital_and_small_letters_are_two_classes(tmp_path: Path, add: Import) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png"))
    (root / "fish").rename(root / "A")
    (root / "sun").rename(root / "a")
    assert counts(add(root)) == {"A": 6, "a": 6, "house": 6}


def zip_of(path: Path, names: Iterable[tuple[bytes, bytes]]) -> Path:
    """A zip whose names are raw bytes, without the UTF-8 flag."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, (name, content) in enumerate(names):
            placeholder = f"{number:0{len(name)}d}"
            archive.writestr(placeholder, content)
    raw = path.read_bytes()
    for number, (name, _) in enumerate(names):
        raw = raw.replace(f"{number:0{len(name)}d}".encode(), name)
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    ("encoding", "names", "is_sure"),
    [
        ("gbk", ("房子模型样品", "太阳能面板图"), False),
        ("shift_jis", ("太陽の絵です", "家のかたち図"), False),
        ("cp437", ("für alle Bären", "Häuser und so"), False),
        ("utf-8", ("太陽の絵です", "家のかたち図"), True),
    ],
)
@pytest.mark.parametrize("separator", ["/", "\\"])
def test_names_of_old_archives_are_read_or_doubted_aloud(
    encoding: str,
    names: tuple[str, str],
    is_sure: bool,
    separator: str,
    tmp_path: Path,
    add: Import,
) -> None:
    files = [
        (f"{name}{separator}{i}.png".encode(encoding), picture("sun", 9 * at + i))
        for at, name in enumerate(names)
        for i in range(5)
    ]
    path = zip_of(tmp_path / "old.zip", files)
    dataset = add(path)
    assert set(dataset.class_names) == set(names)
    doubt = f"were read as {encoding}"
    assert (doubt in told(dataset)) is not is_sure
    said = add(path, name="said", encoding=encoding)
    assert "were read as" not in told(said)
    assert said.fingerprint == dataset.fingerprint
    with pytest.raises(DatasetError, match="not written in"):
        add(path, name="wrong", encoding="ascii")


def test_copies_are_counted_and_kept_in_one_part(tmp_path: Path, add: Import) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png", n=15))
    for c in CLASSES:
        for i in range(8):
            shutil.copy(root / f"{c}/{i}.png", root / f"{c}/{i} copy.png")
    dataset = add(root)
    assert dataset.num_train + dataset.num_test == 69
    parts: dict[int, set[str]] = {}
    for key, record in zip(dataset.keys[:, 1].tolist(), dataset.records, strict=True):
        parts.setdefault(key, set()).add(record.split)
    assert all(len(part) == 1 for part in parts.values())
    assert 10 <= dataset.num_test <= 18
    assert "more than once: 24, with 24 copies" in told(dataset)
    assert "All copies of a picture are in one part." in told(dataset)


def test_copies_that_a_given_split_tears_apart_are_told_and_can_be_mended(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("train/{c}/{i}.png"))
    write(root, [(f"test/{c}/{i}.png", picture(c, i)) for c in CLASSES for i in (0, 9)])
    dataset = add(root)
    assert (dataset.num_train, dataset.num_test) == (18, 6)
    assert "in training and in test: 3, such as" in told(dataset)
    mended = add(root, name="mended", keep_copies_together=True)
    assert (mended.num_train, mended.num_test) == (21, 3)
    assert "All copies of a picture are in one part." in told(mended)


def test_one_picture_under_two_labels_is_listed(tmp_path: Path, add: Import) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png"))
    shutil.copy(root / "sun/0.png", root / "fish/odd.png")
    dataset = add(root)
    assert "under two labels: 1, such as fish/odd.png (fish) and sun/0.png (sun)" in (
        told(dataset)
    )
    assert "one picture under two labels" in (dataset.path / "import.csv").read_text()


def test_near_copies_in_both_parts_are_told(tmp_path: Path, add: Import) -> None:
    root = write(tmp_path / "mine", tree("train/{c}/{i}.png"))
    write(root, [(f"test/{c}/9.png", picture(c, 9)) for c in ("fish", "house")])
    with Image.open(root / "train/sun/3.png") as image:
        (root / "test/sun").mkdir()
        image.resize((100, 100)).save(root / "test/sun/again.jpg", quality=60)
    dataset = add(root)
    assert "to train on: 1, such as test/sun/again.jpg and train/sun/3.png" in (
        told(dataset)
    )


def test_each_class_has_a_training_sketch_before_a_test_one(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png", n=10))
    write(root, [(f"rare{i}/0.png", picture("key", i)) for i in range(8)])
    dataset = add(root)
    trained = {r.label for r in dataset.records if r.split == "train"}
    assert trained == set(range(11))
    assert "Classes without test sketches: 8: 'rare0'" in told(dataset)


def test_a_class_of_which_nothing_can_be_read_is_not_lost_without_a_word(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png"))
    write(root, [(f"lost/{i}.png", b"no picture") for i in range(3)])
    dataset = add(root)
    assert counts(dataset) == EACH_SIX
    assert "none of their sketches can be read: 1: 'lost'" in told(dataset)
    assert "Passed over pictures that can't be read (3): lost/0.png" in told(dataset)


def test_looking_writes_nothing(tmp_path: Path, data_dir: Path) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png"))
    found = find_dataset(str(root), data_dir=data_dir)
    assert found.name == "mine"
    assert found.source.class_names == CLASSES
    assert not data_dir.exists()


def test_a_pipe_among_the_pictures_holds_nothing_up(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "mine", tree("{c}/{i}.png"))
    os.mkfifo(root / "sun/pipe.png")
    (root / "sun/broken.png").symlink_to(root / "nothing.png")
    (root / "sun/circle.png").symlink_to(root / "sun/circle.png")
    dataset = add(root)
    assert counts(dataset) == EACH_SIX
    assert "can't be read (2): sun/broken.png, sun/circle.png" in told(dataset)


def test_a_label_may_be_the_number_nought(tmp_path: Path, add: Import) -> None:
    root = write(tmp_path / "d", tree("{c}{i}.png"))
    labels = {f"{c}{i}.png": n for n, c in enumerate(CLASSES) for i in range(6)}
    (root / "l.json").write_text(json.dumps(labels))
    assert counts(add(root, labels="l.json")) == {"0": 6, "1": 6, "2": 6}


@pytest.mark.parametrize(
    ("head", "end"), [("file, label, split", ""), ("file,label,split", ",")]
)
def test_a_table_as_spreadsheets_write_it_is_read(
    head: str, end: str, tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "d", tree("{c}{i}.png"))
    rows = [
        f"{c}{i}.png,{c},{'test' if i < 2 else 'train'}{end}"
        for c in CLASSES
        for i in range(6)
    ]
    (root / "l.csv").write_text("\n".join([head, *rows]))
    dataset = add(root, labels=str(root / "l.csv"), is_strict=True)
    assert {r.id for r in dataset.records if r.split == "test"} == {
        f"{c}{i}.png" for c in CLASSES for i in range(2)
    }


def test_a_split_of_another_name_is_refused_and_another_column_is_none(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "d", tree("{c}{i}.png"))
    rows = [f"{c}{i}.png,{c},red" for c in CLASSES for i in range(6)]
    (root / "l.csv").write_text("\n".join(["file,label,set", *rows]))
    assert counts(add(root, labels="l.csv")) == EACH_SIX
    (root / "l.csv").write_text(
        "\n".join(["file,label,set", "sun0.png,sun,test", *rows])
    )
    with pytest.raises(DatasetError, match="row 2: 'red' is no split"):
        add(root, labels="l.csv", name="other")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("*-{class}", "{odd}{i}-{c}"), ("{class}-{group}", "{c}-u{i}")],
)
def test_an_ending_is_no_part_of_what_a_pattern_finds(
    pattern: str, names: str, tmp_path: Path, add: Import
) -> None:
    files = tree(names)
    endings = [".png", ".PNG"] * len(files)
    root = write(
        tmp_path / "d",
        [(n + e, content) for (n, content), e in zip(files, endings, strict=False)],
    )
    dataset = add(root, labels=pattern)
    assert counts(dataset) == EACH_SIX
    assert not any("." in record.group for record in dataset.records)


@pytest.mark.parametrize(
    ("files", "reading", "said"),
    [
        (tree("u{i}/{c}/0.png"), {"group": "3"}, "in so many folders"),
        (tree("{c}-u{i}.png"), {"group": "1", "labels": "{class}-*"}, "means nothing"),
        (
            [(f"{c}.ndjson", b'{"drawing": [[[0, 9], [0, 9]]]}\n') for c in CLASSES],
            {"group": "1"},
            "Leave out --labels, --class-level and --group",
        ),
    ],
)
def test_groups_that_would_mean_nothing_are_refused(
    files: list[tuple[str, bytes]],
    reading: dict[str, str],
    said: str,
    tmp_path: Path,
    add: Import,
) -> None:
    with pytest.raises(DatasetError, match=said):
        add(write(tmp_path / "d", files), **reading)


def bitmaps(name: str) -> np.ndarray:
    return np.stack(
        [
            255 - np.asarray(Image.open(io.BytesIO(picture(name, i))).resize((28, 28)))
            for i in range(4)
        ]
    )


def test_arrays_in_folders_of_an_npz_lose_nothing(tmp_path: Path, add: Import) -> None:
    file = tmp_path / "q.npz"
    parts = {f"{part}/{c}": bitmaps(c) for part in ("train", "test") for c in CLASSES}
    parts["test/sun"] = parts["test/sun"][:3, ::-1]
    np.savez(file, **parts)  # type: ignore[arg-type]
    dataset = add(file)
    assert counts(dataset) == {"fish": 8, "house": 8, "sun": 7}
    assert sum(record.split == "test" for record in dataset.records) == 11
    assert "23 NPZ" in told(dataset)


@pytest.mark.parametrize("form", ["npy", "npz"])
def test_damaged_bitmaps_are_one_clear_error(
    form: str, tmp_path: Path, add: Import
) -> None:
    whole = tmp_path / f"sun.{form}"
    save = (
        np.save if form == "npy" else partial(np.savez_compressed, moon=bitmaps("sun"))
    )
    save(whole, bitmaps("sun"))
    content = whole.read_bytes()
    generator = np.random.default_rng(0)
    head = 120 if form == "npy" else len(content)
    refused = 0
    for _ in range(150):
        broken = bytearray(content)
        broken[generator.integers(head)] ^= int(generator.integers(1, 256))
        whole.write_bytes(broken)
        try:
            find_dataset([str(whole)], data_dir=tmp_path / "none")
        except DatasetError:
            refused += 1
    assert refused


def test_large_files_of_bitmaps_are_read_from_folders_and_archives(
    tmp_path: Path, add: Import
) -> None:
    root = tmp_path / "q"
    root.mkdir()
    for name in ("sun", "fish"):
        # Sparse: 68 MB that take no space.
        array = np.lib.format.open_memmap(
            root / f"{name}.npy", mode="w+", dtype=np.uint8, shape=(87_000, 784)
        )
        array.flush()
    source = find_dataset([str(root)], data_dir=tmp_path / "none").source
    assert len(source.records) == 174_000
    with zipfile.ZipFile(tmp_path / "q.zip", "w") as packed:
        packed.write(root / "sun.npy", "sun.npy")
        packed.writestr("fish.npy", (root / "sun.npy").read_bytes()[:128])
    with pytest.raises(DatasetError, match=r"fish\.npy holds no bitmaps"):
        add(tmp_path / "q.zip")


def course(root: Path) -> Path:
    """Sketches in the course's form: two in both lists' classes, and one unlisted."""
    write(root, tree("png/{c}/{i}.png"))
    (root / "mapping.txt").write_text(
        "".join(f"{c}\t{n}\n" for n, c in enumerate(CLASSES))
    )
    for name, numbers in (("train", range(4)), ("test", range(4, 5))):
        (root / f"{name}.txt").write_text(
            "".join(
                f"png/{c}/{i}.png\t{n}\n"
                for n, c in enumerate(CLASSES)
                for i in numbers
            )
        )
    return root


def test_the_course_s_form_is_read_from_a_tar_and_as_it_is_asked(
    tmp_path: Path, add: Import
) -> None:
    root = course(tmp_path / "course")
    with tarfile.open(tmp_path / "e.tar.gz", "w:gz") as tar:
        tar.add(root, "course")
    dataset = add(tmp_path / "e.tar.gz", name="tar")
    assert dataset.kind == "eitz"
    assert len(dataset.records) == 15
    shutil.copy(root / "png/sun/0.png", root / "png/sun/4.png")
    kept = add(root, name="kept", keep_copies_together=True)
    assert [r.split for r in kept.records if r.id.endswith("sun/4.png")] == ["train"]
    with pytest.raises(DatasetError, match="holds more than can be imported"):
        add(root, name="strict", is_strict=True)


def test_a_note_called_like_a_list_leaves_class_folders_as_they_are(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / "d", tree("{c}/{i}.png"))
    write(root, [("notes/test.txt", b"hello")])
    assert counts(add(root)) == EACH_SIX


def test_links_in_a_tar_are_told(tmp_path: Path, add: Import) -> None:
    root = write(tmp_path / "d", tree("{c}/{i}.png"))
    (root / "sun" / "again.png").symlink_to("0.png")
    with tarfile.open(tmp_path / "d.tar", "w") as tar:
        tar.add(root, "d")
    assert "d/sun/again.png" in told(add(tmp_path / "d.tar"))


def test_a_folder_whose_name_is_not_utf_8_is_imported(
    tmp_path: Path, add: Import
) -> None:
    root = write(tmp_path / os.fsdecode(b"caf\xe9"), tree("{c}/{i}.png"))
    dataset = add(root, name="it")
    assert counts(dataset) == EACH_SIX
    assert dataset.origin.endswith("caf\\udce9")
