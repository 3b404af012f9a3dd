"""Drawings are kept whole, listed, relabelled, removed, exported and learned from."""

import errno
import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import core.datasets.drawings
import core.datasets.drawings_dataset
from core.datasets.drawing_files import MAX_STROKES_BYTES, Guess, KeptDrawing
from core.datasets.drawings import (
    Drawings,
    check_label,
    drawings_dir,
    export_drawings,
    list_drawings,
    list_leftovers,
    read_strokes,
    relabel_drawing,
    remove_drawing,
    remove_leftovers,
    save_drawing,
)
from core.datasets.drawings_dataset import DATASET_NAME
from core.datasets.folders import find_folders
from core.datasets.install import install
from core.datasets.joined import join
from core.datasets.starter import draw, render
from core.datasets.store import Dataset, SketchSource, list_datasets, open_dataset
from core.errors import DatasetError, DrawingError
from core.runs.config import RunConfig
from core.runs.create import create_run, create_run_dir
from core.runs.dataset import make_drawings_dataset
from core.runs.recipes import make_settings
from core.sketches.images import read_sketch

CLASSES = ("house", "key", "sun", "bear (animal)")
STROKES = '{"objects": [{"path": [["M", 1, 2.5], ["L", 3, 4]]}]}'


def sketch_of(name: str = "house", seed: int = 0) -> NDArray[np.uint8]:
    generator = np.random.default_rng(seed)
    return render(draw(name, generator), generator)


def keep(
    data_dir: Path, label: str = "house", seed: int = 0, **given: Any
) -> KeptDrawing:
    return save_drawing(
        sketch_of(seed=seed),
        label,
        **{
            "class_names": CLASSES,
            "data_dir": data_dir,
            "source": "canvas",
            "strokes": STROKES,
            **given,
        },
    )


def files_below(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(p.relative_to(folder)) for p in found if p.name != ".lock")


def png_of(side: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(sketch_of()).resize((side, side)).save(stream, format="PNG")
    return stream.getvalue()


def test_a_kept_drawing_is_listed_as_it_was_given(data_dir: Path) -> None:
    guesses = (Guess("resnet18", "key", 0.75), Guess("simple", "sun", 0.5))
    original = png_of(360)
    kept = keep(data_dir, "bear (animal)", guesses=guesses, original=original)
    found = list_drawings(data_dir)
    assert found.kept == (kept,)
    assert found.damaged == ()
    assert (kept.label, kept.source, kept.guesses) == (
        "bear (animal)",
        "canvas",
        guesses,
    )
    assert (read_sketch(kept.png, name="it") == sketch_of()).all()
    assert read_strokes(kept) == json.loads(STROKES)
    assert json.loads(kept.strokes.read_bytes())["strokes"] == json.loads(STROKES)
    assert kept.original is not None
    assert kept.original.read_bytes() == original


def test_an_upload_needs_no_strokes(data_dir: Path) -> None:
    kept = keep(data_dir, source="upload", strokes=None)
    assert read_strokes(kept) is None
    assert list_drawings(data_dir).kept[0].source == "upload"


def test_nothing_kept_is_an_empty_list(data_dir: Path) -> None:
    assert list_drawings(data_dir) == core.datasets.drawings.Drawings((), ())


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"label": "tree"}, "none of the 4 known classes"),
        ({"label": ""}, "none of the"),
        ({"label": "../x", "class_names": ("../x",)}, "can't name a folder"),
        ({"label": ".originals", "class_names": (".originals",)}, "name a folder"),
        ({"label": "a" * 101, "class_names": ("a" * 101,)}, "can't name a folder"),
        ({"label": "a\0", "class_names": ("a\0",)}, "can't name a folder"),
        ({"label": "Thumbs.db", "class_names": ("Thumbs.db",)}, "can't name a folder"),
        ({"label": "nul.x", "class_names": ("nul.x",)}, "can't name a folder"),
        ({"strokes": "{"}, "no JSON"),
        ({"strokes": ""}, "no JSON"),
        ({"strokes": "NaN"}, "no JSON"),
        ({"strokes": '"\ud800"'}, "no JSON"),
        ({"strokes": "[" * 100_000}, "no JSON"),
        ({"strokes": f'"{"a" * MAX_STROKES_BYTES}"'}, "more than"),
        ({"original": b"GIF89a"}, "no PNG"),
        ({"original": b"\x89PNG\r\n\x1a\n"}, "original picture"),
    ],
)
def test_what_can_t_be_kept_is_refused_and_leaves_nothing(
    given: dict[str, Any], word: str, data_dir: Path
) -> None:
    with pytest.raises(DrawingError, match=word):
        keep(data_dir, **given)
    assert files_below(data_dir) == []


def test_an_empty_drawing_is_refused(data_dir: Path) -> None:
    with pytest.raises(DrawingError, match="empty"):
        save_drawing(
            np.full((128, 128), 255, np.uint8),
            "sun",
            class_names=CLASSES,
            data_dir=data_dir,
            source="canvas",
        )


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=150,
)
@given(
    st.one_of(
        st.text(max_size=120),
        st.text("./\\ \0\n~aé", max_size=6),
        st.sampled_from(["..", ".", "a/b", "/etc", "C:x", "été", "雪だるま", "a b"]),
        st.sampled_from(["Thumbs.db", "icon", "@eaDir", "CON", "nul.x"]),
    )
)
def test_a_label_names_one_folder_below_the_drawings_or_is_refused(
    tmp_path: Path, label: str
) -> None:
    try:
        check_label(label, class_names=(label,))
    except DrawingError:
        return
    kept = keep(tmp_path, label, class_names=(label,))
    assert kept.png.resolve().parent.parent == drawings_dir(tmp_path).resolve()
    assert kept in list_drawings(tmp_path).kept
    assert find_folders(drawings_dir(tmp_path)).class_names
    remove_drawing(kept.id, data_dir=tmp_path)
    assert files_below(tmp_path) == []


@pytest.mark.parametrize("identifier", ["", "..", "*", "x/../y", "20261123-101010-zz"])
def test_an_unknown_id_is_refused(identifier: str, data_dir: Path) -> None:
    keep(data_dir)
    for act in (
        lambda: remove_drawing(identifier, data_dir=data_dir),
        lambda: relabel_drawing(
            identifier, "sun", class_names=CLASSES, data_dir=data_dir
        ),
    ):
        with pytest.raises(DrawingError, match="There is no drawing"):
            act()
    assert len(list_drawings(data_dir).kept) == 1


def test_a_relabelled_drawing_is_the_same_elsewhere(data_dir: Path) -> None:
    kept = keep(data_dir, original=png_of(200))
    moved = relabel_drawing(kept.id, "sun", class_names=CLASSES, data_dir=data_dir)
    assert (moved.id, moved.label, moved.created_at) == (
        kept.id,
        "sun",
        kept.created_at,
    )
    assert list_drawings(data_dir).kept == (moved,)
    assert read_strokes(moved) == json.loads(STROKES)
    assert moved.original == kept.original
    assert not kept.png.parent.exists()
    with pytest.raises(DrawingError, match="known classes"):
        relabel_drawing(kept.id, "tree", class_names=CLASSES, data_dir=data_dir)


def test_a_removed_drawing_leaves_nothing(data_dir: Path) -> None:
    kept = keep(data_dir, original=png_of(200))
    remove_drawing(kept.id, data_dir=data_dir)
    assert files_below(data_dir) == []
    with pytest.raises(DrawingError, match="There is no drawing"):
        read_strokes(kept)


def test_damaged_drawings_are_passed_over_and_told(data_dir: Path) -> None:
    whole = keep(data_dir)
    broken = keep(data_dir, seed=1)
    broken.strokes.write_text("{")
    alone = keep(data_dir, seed=2)
    alone.png.unlink()
    stray = whole.png.with_name("stray.png")
    stray.write_bytes(b"")
    found = list_drawings(data_dir)
    assert found.kept == (whole,)
    assert set(found.damaged) == {broken.strokes, alone.strokes, stray}
    for drawing in (broken, alone):
        remove_drawing(drawing.id, data_dir=data_dir)
    assert list_drawings(data_dir).damaged == (stray,)


def test_a_picture_that_a_kill_left_is_no_drawing_and_no_damage(data_dir: Path) -> None:
    whole, killed = keep(data_dir), keep(data_dir, seed=1)
    killed.strokes.unlink()
    assert list_drawings(data_dir) == Drawings((whole,), ())
    assert list_leftovers(data_dir) == [killed.png]
    remove_leftovers(data_dir)
    assert files_below(data_dir) == sorted(
        str(path.relative_to(data_dir)) for path in (whole.png, whole.strokes)
    )


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(core.datasets.drawings, "write_text", full)
    with pytest.raises(DrawingError, match="No space left on device"):
        keep(data_dir, original=png_of(200))
    assert files_below(data_dir) == []
    assert list_drawings(data_dir).kept == ()


def test_there_is_a_limit(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.datasets.drawings, "MAX_DRAWINGS", 2)
    keep(data_dir)
    keep(data_dir)
    with pytest.raises(DrawingError, match="which is the limit"):
        keep(data_dir)


def test_visitors_may_save_relabel_and_remove_at_once(data_dir: Path) -> None:
    def visit(number: int) -> None:
        kept = keep(data_dir, CLASSES[number % 2], seed=number)
        list_drawings(data_dir)
        if number % 4 == 0:
            remove_drawing(kept.id, data_dir=data_dir)
        elif number % 4 == 1:
            relabel_drawing(kept.id, "sun", class_names=CLASSES, data_dir=data_dir)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(visit, range(24)))
    found = list_drawings(data_dir)
    assert found.damaged == ()
    assert sorted(drawing.label for drawing in found.kept) == (
        ["house"] * 6 + ["key"] * 6 + ["sun"] * 6
    )
    assert len({drawing.id for drawing in found.kept}) == 18


def test_an_export_can_be_added_as_a_dataset(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(DrawingError, match="nothing to export"):
        export_drawings(data_dir)
    kept = [keep(data_dir, name, seed=s) for s in range(3) for name in CLASSES[:2]]
    file = tmp_path / "drawings.zip"
    file.write_bytes(export_drawings(data_dir))
    with zipfile.ZipFile(file) as archive:
        assert len(archive.namelist()) == 2 * len(kept)
    source = find_folders(file)
    assert source.class_names == ("house", "key")
    assert len(source.records) == len(kept)
    # The same picture under two labels falls into both parts: that is not for here.
    assert {record.id for record in source.records} == {
        f"{drawing.label}/{drawing.id}.png" for drawing in kept
    }


def test_the_drawings_dataset_has_train_sketches_only(data_dir: Path) -> None:
    with pytest.raises(DrawingError, match="No drawings are kept"):
        make_drawings_dataset(data_dir)
    kept = [keep(data_dir, name, seed=s) for s, name in enumerate(("sun", "house"))]
    dataset = make_drawings_dataset(data_dir)
    assert (dataset.name, dataset.num_train, dataset.num_test) == (DATASET_NAME, 2, 0)
    assert dataset.class_names == ("house", "sun")
    by_id = {record.id: row for row, record in enumerate(dataset.records)}
    for seed, drawing in enumerate(kept):
        assert (dataset.images[by_id[drawing.id]] == sketch_of(seed=seed)).all()
    assert [dataset.labels[by_id[d.id]] for d in kept] == [1, 0]
    joined = join(dataset, dataset, class_names=("sun", "key", "house"))
    assert sorted(joined.labels.tolist()) == [0, 0, 2, 2]
    assert (joined.images[np.array([3, 0])] == dataset.images[[1, 0]]).all()


def test_the_drawings_dataset_follows_the_drawings(data_dir: Path) -> None:
    keep(data_dir)
    first = make_drawings_dataset(data_dir)
    assert make_drawings_dataset(data_dir).fingerprint == first.fingerprint
    keep(data_dir, "sun", seed=1)
    second = make_drawings_dataset(data_dir)
    assert second.num_train == 2
    assert [dataset.name for dataset in list_datasets(data_dir)] == [DATASET_NAME]
    # A run that has yet to be trained on the second keeps it.
    config = RunConfig(
        run_id="a",
        network="simple",
        dataset=second.name,
        dataset_fingerprint=second.fingerprint,
        split_fingerprint=second.split_fingerprint,
        attribution="",
        class_names=CLASSES,
        recipe="finetune",
        settings=make_settings("simple", "finetune"),
        drawings={"dataset": second.name, "fingerprint": second.fingerprint},
        created_at="2026-11-23T10:00:00+00:00",
    )
    create_run_dir(config, data_dir=data_dir)
    keep(data_dir, "key", seed=2)
    third = make_drawings_dataset(data_dir)
    fingerprints = {dataset.fingerprint for dataset in list_datasets(data_dir)}
    assert fingerprints == {second.fingerprint, third.fingerprint}
    assert open_dataset(DATASET_NAME, data_dir=data_dir).num_train == 3


def test_a_failed_dataset_leaves_the_earlier_one(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(data_dir)
    first = make_drawings_dataset(data_dir)
    keep(data_dir, seed=1)

    def fail(*_arguments: Any, **_named: Any) -> Dataset:
        raise DatasetError("The disk is full.")

    monkeypatch.setattr(core.datasets.drawings_dataset, "install", fail)
    with pytest.raises(DatasetError, match="full"):
        make_drawings_dataset(data_dir)
    kept = open_dataset(DATASET_NAME, data_dir=data_dir)
    assert kept.fingerprint == first.fingerprint


def test_a_dataset_of_that_name_that_is_none_of_drawings_stays(
    tiny_pictures: Path, data_dir: Path
) -> None:
    install(find_folders(tiny_pictures), DATASET_NAME, data_dir=data_dir)
    keep(data_dir)
    with pytest.raises(DatasetError, match="was not made of kept drawings"):
        make_drawings_dataset(data_dir)


def test_only_train_sketches_are_no_dataset_of_their_own(
    tiny_pictures: Path, data_dir: Path
) -> None:
    found = find_folders(tiny_pictures)
    source = SketchSource(**{**vars(found), "train_only": True})
    with pytest.raises(DatasetError, match="has also test sketches"):
        install(source, "a", data_dir=data_dir)
    keep(data_dir)
    make_drawings_dataset(data_dir)
    with pytest.raises(DatasetError, match="Add `--from RUN`"):
        create_run("simple", DATASET_NAME, "finetune", data_dir=data_dir)
