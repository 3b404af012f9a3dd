"""Stroke variants: what they look like, how they are made, who draws from them."""

import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from core.datasets import variants as store
from core.datasets.folders import find_folders
from core.datasets.folds import fold_dataset
from core.datasets.install import install
from core.datasets.joined import join
from core.datasets.starter import draw, find_starter, render
from core.datasets.store import Dataset, remove_dataset
from core.datasets.variants import (
    StrokeVariants,
    count_variants,
    make_variants,
    open_variants,
)
from core.errors import DatasetError
from core.sketches.images import IMAGE_SIZE, PAPER
from core.sketches.strokes import Drawing, Stroke, is_too_little, render_sketch
from core.sketches.variation import NUM_VARIANTS, find_strokes, vary_sketch
from core.training.batches import DrawnVariants, batches
from tests.conftest import REPOSITORY, Cli

# Together, since they are made once for all.
pytestmark = pytest.mark.xdist_group("variants")

CLASSES = find_starter().class_names


@pytest.fixture(scope="module")
def made_once(
    tiny_pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> StrokeVariants:
    """The variants of a dataset like `tiny`."""
    data_dir = tmp_path_factory.mktemp("made")
    dataset = install(find_folders(tiny_pictures), "tiny", data_dir=data_dir)
    return make_variants(dataset)


@pytest.fixture
def made(tiny: Dataset, made_once: StrokeVariants) -> StrokeVariants:
    """The variants of `tiny`."""
    shutil.copytree(made_once.path, tiny.path / store.FOLDER)
    return open_variants(tiny)


def sketch_of(*lines: list[tuple[float, float]]) -> np.ndarray:
    """Draws polylines on a canvas of 256 pixels."""
    strokes = tuple(Stroke(np.array(line, dtype=np.float32), 1.0) for line in lines)
    return render_sketch(Drawing(strokes, 256, 256))


def starter_sketch(name: str, number: int = 0) -> np.ndarray:
    generator = np.random.default_rng([number, 1])
    return render(draw(name, generator), generator)


def ink(sketches: np.ndarray) -> np.ndarray:
    """Ink of each sketch, in pixels full of it."""
    dark = PAPER - sketches.astype(np.float64)
    return np.asarray(dark.sum(axis=(-2, -1)) / PAPER)


def test_the_same_sketch_and_seed_give_the_same_variants() -> None:
    sketch = starter_sketch("house")
    first = vary_sketch(sketch, seed=(1, 2))
    assert (first == vary_sketch(sketch, seed=(1, 2))).all()
    assert (first != vary_sketch(sketch, seed=(1, 3))).any(axis=(1, 2)).all()


@pytest.mark.parametrize("name", CLASSES)
def test_variants_differ_from_the_sketch_and_are_worth_a_guess(name: str) -> None:
    sketch = starter_sketch(name)
    variants = vary_sketch(sketch, seed=(0, 0))
    assert variants.shape == (NUM_VARIANTS, IMAGE_SIZE, IMAGE_SIZE)
    assert variants.dtype == np.uint8
    for variant in variants:
        assert not is_too_little(variant)
        assert (variant != sketch).any()


def test_later_variants_are_further_from_the_sketch() -> None:
    far = np.zeros(NUM_VARIANTS)
    for name in CLASSES:
        sketch = starter_sketch(name)
        for k, variant in enumerate(vary_sketch(sketch, seed=(0, 0))):
            to_a_line = ndimage.distance_transform_edt(variant > 200)
            far[k] += to_a_line[sketch < 150].mean()
    assert far[:2].mean() < 0.7 * far[-2:].mean()


def test_variants_have_no_more_ink_than_lines_that_are_drawn_once() -> None:
    inks = np.array(
        [
            ink(vary_sketch(sketch, seed=(0, 0))) / ink(sketch)
            for sketch in map(starter_sketch, CLASSES)
        ]
    )
    assert np.median(inks[:, -1]) < np.median(inks[:, 0]) < 1.1


def test_pieces_that_go_on_through_a_crossing_become_one_stroke() -> None:
    cross = sketch_of([(20, 128), (236, 128)], [(128, 20), (128, 236)])
    strokes, fills = find_strokes(cross)
    assert len(strokes) == 2
    assert not fills
    spans = sorted(np.ptp(points, axis=0).round().tolist() for points in strokes)
    assert spans[0][0] < 8 < 190 < spans[0][1]
    assert spans[1][1] < 8 < 190 < spans[1][0]


def test_a_line_drawn_twice_is_drawn_once_in_strong_variants() -> None:
    twice = sketch_of(
        [(20, 20), (236, 20), (236, 236), (20, 236)],
        [(20, 30), (226, 30), (226, 226), (20, 226)],
    )
    inks = ink(np.stack([vary_sketch(twice, seed=(0, k)) for k in range(6)]))
    assert np.median(inks[:, -1]) < 0.9 * ink(twice)


@pytest.mark.parametrize("lines", [[], [[(100, 100), (101, 101)]]])
def test_of_a_blank_sketch_or_a_dot_the_variants_are_itself(
    lines: list[list[tuple[float, float]]],
) -> None:
    sketch = sketch_of(*lines)
    if lines:
        sketch[:] = PAPER
        sketch[60:62, 60:62] = 0
    assert (vary_sketch(sketch, seed=(0, 0)) == sketch).all()


def test_a_solid_area_is_varied_without_an_error() -> None:
    sketch = np.full((IMAGE_SIZE, IMAGE_SIZE), PAPER, dtype=np.uint8)
    sketch[30:100, 30:100] = 0
    for variant in vary_sketch(sketch, seed=(0, 0)):
        assert not is_too_little(variant)


def test_variants_are_made_of_the_training_sketches_alone(tiny: Dataset) -> None:
    with pytest.raises(DatasetError, match="dataset variants tiny"):
        open_variants(tiny)
    assert count_variants(tiny) == 0
    told: list[tuple[int, int]] = []
    variants = make_variants(tiny, progress=lambda *now: told.append(now))
    assert count_variants(tiny) == variants.count == NUM_VARIANTS
    assert told[-1] == (64, 64)
    train = tiny.indices("train")
    assert (variants.rows == train).all()
    assert not variants.has(tiny.indices("test")).any()
    for row in train[[0, 31, 32, 63]].tolist():
        seed = (store.SEED, int(tiny.keys[row, 1]))
        expected = vary_sketch(np.asarray(tiny.images[row]), seed=seed)
        found = [variants.read(row, k) for k in range(NUM_VARIANTS)]
        assert (np.stack(found) == expected).all()
    assert not list(tiny.path.glob(".variants-*"))
    assert not list(tiny.path.glob(".partial-*"))
    remove_dataset("tiny", data_dir=tiny.path.parent.parent)
    assert not tiny.path.exists()


def test_what_was_made_stays(tiny: Dataset, made: StrokeVariants) -> None:
    written = (made.path / "variants.json").stat().st_mtime_ns
    assert make_variants(tiny).fingerprint == made.fingerprint
    assert (made.path / "variants.json").stat().st_mtime_ns == written


def test_damaged_or_outdated_variants_are_refused(
    tiny: Dataset, made: StrokeVariants, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray((made.path / "packed.npy").read_bytes())
    content[200:600] = bytes(400)
    (made.path / "packed.npy").write_bytes(content)
    row = int(tiny.indices("train")[0])
    with pytest.raises(DatasetError, match="anew with `python -m core dataset var"):
        open_variants(tiny).read(row, 0)
    (made.path / "packed.npy").write_bytes(b"no array")
    with pytest.raises(DatasetError, match=r"packed\.npy is missing or damaged"):
        open_variants(tiny).hold()
    monkeypatch.setattr(store, "VERSION", -1)
    with pytest.raises(DatasetError, match="another release"):
        open_variants(tiny)
    (made.path / "variants.json").write_text("[]")
    with pytest.raises(DatasetError, match=r"variants\.json is missing or damaged"):
        open_variants(tiny)
    assert count_variants(tiny) == 0


@pytest.mark.slow
def test_a_making_that_is_killed_goes_on_and_damaged_variants_are_made_anew(
    tiny: Dataset, made: StrokeVariants
) -> None:
    (made.path / "packed.npy").write_bytes(b"no array")
    parts = tiny.path / store.PARTS
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from pathlib import Path; import sys\n"
            "from core.datasets.store import open_dataset\n"
            "from core.datasets.variants import make_variants\n"
            "dataset = open_dataset('tiny', data_dir=Path(sys.argv[1]))\n"
            "make_variants(dataset, workers=1)",
            tiny.path.parent.parent,
        ],
        cwd=REPOSITORY,
    )
    while not list(parts.glob("part-*.npz")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # Its worker notices, and leaves what it was at undone.
    assert len(list(parts.glob("part-*.npz"))) == 1
    told: list[tuple[int, int]] = []
    again = make_variants(tiny, progress=lambda *now: told.append(now))
    assert told[0] == (32, 64)
    assert told[-1] == (64, 64)
    again.hold()
    assert again.fingerprint == made.fingerprint


def test_two_makings_at_once_are_refused(tiny: Dataset) -> None:
    with (
        store._alone(tiny),
        pytest.raises(DatasetError, match="being made already"),
    ):
        make_variants(tiny)


def test_a_fold_is_refused(tiny: Dataset, made: StrokeVariants) -> None:
    with pytest.raises(DatasetError, match="fold"):
        open_variants(fold_dataset(tiny, k=2, index=0, seed=0))


def test_the_share_is_kept_and_every_step_draws_others(
    tiny: Dataset, made: StrokeVariants
) -> None:
    rows = np.tile(tiny.indices("train"), 8)

    def drawn(**fields: float) -> list[np.ndarray]:
        how = {"share": 0.3, "seed": 0, "epoch": 0, **fields}
        return [
            images
            for images, _ in batches(
                tiny,
                rows,
                batch_size=64,
                drawn_variants=DrawnVariants(made, **how),  # type: ignore[arg-type]
            )
        ]

    plain = tiny.images[rows[:64]]
    changed = [(images != plain).any(axis=(1, 2)) for images in drawn()]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.06)
    assert all((changed[0] != later).any() for later in changed[1:])
    first, again = drawn(), drawn()
    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    # Gone on with in the middle of the epoch, it is the same.
    later = drawn(first_step=3)
    assert all((one == two).all() for one, two in zip(first[3:], later, strict=False))
    assert (drawn(epoch=1)[0] != first[0]).any()
    assert all((images == plain).all() for images in drawn(share=0.0))
    everything = drawn(share=1.0)[0]
    for row, image in zip(rows[:64].tolist(), everything, strict=True):
        among = [made.read(row, k) for k in range(NUM_VARIANTS)]
        assert any((image == one).all() for one in among)


def test_drawings_that_were_joined_stay_as_they_are(
    tiny: Dataset, made: StrokeVariants
) -> None:
    joined = join(tiny, tiny, class_names=tiny.class_names)
    train = tiny.indices("train")
    rows = np.concatenate([train[:8] + len(tiny.labels), train[:8]])
    how = DrawnVariants(made, share=1.0, seed=0, epoch=0)
    images, _ = next(batches(joined, rows, batch_size=16, drawn_variants=how))
    assert (images[:8] == tiny.images[train[:8]]).all()
    assert (images[8:] != tiny.images[train[:8]]).any(axis=(1, 2)).all()


@pytest.mark.slow
def test_the_command_makes_them_and_the_list_shows_them(
    tiny: Dataset, cli: Cli
) -> None:
    made = cli("dataset", "variants", "tiny")
    assert made.code == 0, made.err
    assert "8 stroke variants of each of 64 training sketches" in made.out
    assert cli("dataset", "list", "--json").json[0]["variants"] == NUM_VARIANTS


@pytest.mark.slow
def test_a_training_without_variants_says_how_to_make_them(
    tiny: Dataset, cli: Cli
) -> None:
    words = ("train", "simple", "--dataset=tiny", "--set=stroke_variants=0.5")
    refused = cli(*words, "--set=batch_size=16")
    assert refused.code == 2
    assert "python -m core dataset variants tiny" in refused.err


def test_the_summary_holds_what_they_were_made_with(
    tiny: Dataset, made: StrokeVariants
) -> None:
    summary = json.loads((made.path / "variants.json").read_text())
    assert summary["made_with"]["dataset_fingerprint"] == tiny.fingerprint
    other = dataclasses.replace(tiny, fingerprint="another")
    with pytest.raises(DatasetError, match="another"):
        open_variants(other)
