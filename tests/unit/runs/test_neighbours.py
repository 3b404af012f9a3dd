"""The index of training sketches, on embeddings small enough to check by hand."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from core.datasets.store import Dataset
from core.errors import RunError
from core.files import write_json
from core.runs.config import RunConfig
from core.runs.create import create_run
from core.runs.folder import CONFIG
from core.runs.neighbours import (
    COMPONENTS,
    NEIGHBOURS,
    Neighbours,
    read_neighbours,
    write_neighbours,
)
from core.runs.reading import read_config
from core.runs.recipes import make_settings
from core.training.index import build_neighbours

CLASS_NAMES = ("cat", "dog", "ant")
EMBEDDING = np.array(
    [[4, 0, 0], [3, 1, 0], [0, 4, 0], [0, 3, 1], [0, 0, 4]], dtype=np.float32
)
LABELS = np.array([0, 0, 1, 1, 2])


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    config = RunConfig(
        run_id="a",
        network="simple",
        dataset="tiny",
        dataset_fingerprint="f",
        split_fingerprint="s",
        attribution="",
        class_names=CLASS_NAMES,
        recipe="best",
        settings=make_settings("simple", "best"),
        origin=None,
        created_at="2026-01-01T00:00:00+00:00",
    )
    write_json(tmp_path / CONFIG, config.model_dump(mode="json"))
    return tmp_path


def indexed(
    run_dir: Path,
    embedding: NDArray[np.float32] = EMBEDDING,
    labels: NDArray[np.integer] = LABELS,
) -> Neighbours:
    """What is read back after an index was written."""
    write_neighbours(run_dir, embedding, labels, split_fingerprint="s")
    found = read_neighbours(run_dir)
    assert found is not None
    return found


def clustered(n: int, width: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Positive embeddings around three centres."""
    generator = np.random.default_rng(seed)
    centres = 3 * generator.random((3, width))
    noise = generator.random((n, width))
    return (centres[np.arange(n) % 3] + noise).astype(np.float32)


def test_a_run_without_an_index_has_none(run_dir: Path) -> None:
    assert read_neighbours(run_dir) is None


def test_the_nearest_of_one_class_are_of_no_other(run_dir: Path) -> None:
    index = indexed(run_dir)
    positions, labels, similarity = index.nearest(EMBEDDING, k=5, label=1)
    assert set(labels.flat) == {1}
    assert positions[2].tolist() == [2, 3]
    assert (np.diff(similarity) <= 0).all()
    every, _, _ = index.nearest(EMBEDDING, k=5)
    for row, all_of_row in zip(positions, every, strict=True):
        assert row.tolist() == [place for place in all_of_row if place in (2, 3)]
    assert index.nearest(EMBEDDING, label=9)[0].shape == (5, 0)


def test_every_sketch_is_nearest_to_itself(run_dir: Path) -> None:
    positions, labels, similarity = indexed(run_dir).nearest(EMBEDDING, k=2)
    assert positions[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert labels[:, 0].tolist() == LABELS.tolist()
    assert labels[:4, 1].tolist() == [0, 0, 1, 1]
    assert similarity[:, 0] == pytest.approx(1, abs=0.01)
    assert (np.diff(similarity) <= 0).all()


def test_similarity_is_the_cosine_of_the_centred_embeddings(run_dir: Path) -> None:
    positions, _, similarity = indexed(run_dir).nearest(EMBEDDING[:1], k=5)
    centred = EMBEDDING - EMBEDDING.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    assert similarity[0] == pytest.approx(unit[positions[0]] @ unit[0], abs=0.02)


def test_more_than_there_are_gives_all(run_dir: Path) -> None:
    found = indexed(run_dir)
    positions, _, _ = found.nearest(EMBEDDING[:2], k=99)
    assert sorted(positions[0]) == sorted(positions[1]) == [0, 1, 2, 3, 4]
    assert found.nearest_classes(EMBEDDING[:2], k=99)[0].shape == (2, 3)


def test_embeddings_that_are_all_the_same_are_equally_near(run_dir: Path) -> None:
    same = np.full((5, 3), 0.7, dtype=np.float32)
    found = indexed(run_dir, same)
    positions, _, similarity = found.nearest(same[:1], k=3)
    assert positions.tolist() == [[0, 1, 2]]
    assert np.isfinite(similarity).all()
    assert np.isfinite(found.nearest_classes(same[:1])[1]).all()


def test_a_single_sketch_is_an_index_too(run_dir: Path) -> None:
    positions, labels, _ = indexed(run_dir, EMBEDDING[:1], LABELS[:1]).nearest(
        EMBEDDING
    )
    assert positions.tolist() == labels.tolist() == [[0]] * 5


def test_a_class_is_as_near_as_its_best_sketches(run_dir: Path) -> None:
    embedding = np.array(
        [[5, 0], [5, 0], [5, 0], [-5, 0], [5, 0], [-5, 0], [-5, 0]], dtype=np.float32
    )
    found = indexed(run_dir, embedding, np.array([0, 0, 0, 0, 2, 2, 2]))
    labels, similarity = found.nearest_classes(embedding[:1])
    # Class 1 has no sketch; the worst of class 0 doesn't count.
    assert labels.tolist() == [[0, 2]]
    assert similarity[0] == pytest.approx([1, -1 / 3], abs=0.01)


@pytest.mark.parametrize("k", [0, -1])
def test_a_count_below_one_is_refused(run_dir: Path, k: int) -> None:
    with pytest.raises(ValueError, match="`k` must be at least 1"):
        indexed(run_dir).nearest(EMBEDDING, k=k)


@pytest.mark.parametrize("embedding", [EMBEDDING[0], EMBEDDING[:, :2]])
def test_an_embedding_of_another_width_is_refused(
    run_dir: Path, embedding: NDArray[np.float32]
) -> None:
    with pytest.raises(ValueError, match=r"must have shape \(m, 3\)"):
        indexed(run_dir).nearest(embedding)


@pytest.mark.alone
def test_sixteen_thousand_are_small_and_quick(run_dir: Path) -> None:
    embedding = clustered(16_000, 512)
    found = indexed(run_dir, embedding, np.arange(16_000) % 3)
    assert found.points.shape == (16_000, COMPONENTS)
    assert (run_dir / NEIGHBOURS).stat().st_size < 1_200_000
    times = []
    for row in range(20):
        started = time.perf_counter()
        found.nearest(embedding[row : row + 1])
        times.append(time.perf_counter() - started)
    assert min(times) < 0.003


def test_few_bytes_find_what_the_whole_embedding_finds(run_dir: Path) -> None:
    embedding = clustered(400, 48)
    positions, _, _ = indexed(run_dir, embedding, np.arange(400) % 3).nearest(embedding)
    centred = embedding - embedding.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    expected = np.argsort(-(unit @ unit.T), axis=1)[:, :5]
    shared = [len(set(a) & set(b)) for a, b in zip(positions, expected, strict=True)]
    assert np.mean(shared) > 4.8


def test_positions_are_rows_of_any_copy_of_the_dataset(
    run_dir: Path, tiny: Dataset
) -> None:
    rows = tiny.indices("train")
    found = indexed(run_dir, np.eye(len(rows), dtype=np.float32), 0 * rows)
    with pytest.raises(RunError, match="'tiny' is not the one"):
        found.train_rows(tiny)
    found = replace(found, split_fingerprint=tiny.split_fingerprint)
    assert sorted(found.train_rows(tiny)) == rows.tolist()
    shuffled = replace(tiny, name="copy")
    order = np.random.default_rng(0).permutation(len(tiny.records))
    # As if read from the files of another copy, where sketches have other rows.
    vars(shuffled)["keys"] = tiny.keys[order]
    vars(shuffled)["records"] = tuple(tiny.records[row] for row in order)
    there = order[found.train_rows(shuffled)]
    assert there.tolist() == found.train_rows(tiny).tolist()
    # As a version, which has the split of its dataset and leaves a sketch out.
    fewer = replace(found, labels=found.labels[1:])
    with pytest.raises(RunError, match="'tiny' is not the one"):
        fewer.train_rows(tiny)


@pytest.mark.slow
def test_a_network_s_index_holds_its_training_sketches_and_survives_a_stop(
    tiny: Dataset, data_dir: Path
) -> None:
    from core.training.evaluate import build_predictor, predict
    from core.training.networks import build_network, save_network

    overrides = {"image_sizes": [32], "batch_size": 16}
    run_dir = create_run(
        "simple", "tiny", "best", data_dir=data_dir, overrides=overrides
    )
    config = read_config(run_dir)
    network = build_network("simple", tiny.num_classes, config.settings)
    save_network(run_dir, network)
    assert build_neighbours(run_dir, config, tiny)
    found = read_neighbours(run_dir)
    assert found is not None
    rows = found.train_rows(tiny)
    assert (found.labels == tiny.labels[rows]).all()
    _, embedding = predict(build_predictor(network, config), config, tiny, rows)
    _, _, similarity = found.nearest(embedding, k=1)
    assert similarity == pytest.approx(1, abs=0.01)
    before = (run_dir / NEIGHBOURS).read_bytes()
    assert not build_neighbours(run_dir, config, tiny, is_stop_requested=lambda: True)
    assert (run_dir / NEIGHBOURS).read_bytes() == before


def test_a_damaged_index_is_refused_in_one_sentence(run_dir: Path) -> None:
    indexed(run_dir)
    whole = (run_dir / NEIGHBOURS).read_bytes()
    for end in (0, 7, 100, len(whole) - 1):
        (run_dir / NEIGHBOURS).write_bytes(whole[:end])
        with pytest.raises(RunError, match=r"is damaged .* runs index"):
            read_neighbours(run_dir)


DAMAGE = {
    "a part is missing": {"mean": None},
    "too few labels": {"labels": LABELS[:3].astype(np.uint16)},
    "a label out of range": {"labels": np.full(5, 3, dtype=np.uint16)},
    "another type": {"points": np.zeros((5, 3), dtype=np.float32)},
    "another width": {"components": np.zeros((4, 3), dtype=np.float16)},
    "no sketches": {"points": np.zeros((0, 3), dtype=np.int8)},
    "no matrix": {"points": np.zeros(3, dtype=np.int8)},
    "no number": {"scales": np.full(3, np.nan, dtype=np.float32)},
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_parts_that_do_not_fit_are_refused(
    run_dir: Path, damage: dict[str, NDArray[np.generic] | None]
) -> None:
    indexed(run_dir)
    parts = {**load_file(run_dir / NEIGHBOURS), **damage}
    save_file(
        {name: part for name, part in parts.items() if part is not None},
        run_dir / NEIGHBOURS,
        {"split_fingerprint": "s"},
    )
    with pytest.raises(RunError, match="is damaged"):
        read_neighbours(run_dir)


def test_an_index_of_unknown_sketches_is_refused(run_dir: Path) -> None:
    indexed(run_dir)
    save_file(load_file(run_dir / NEIGHBOURS), run_dir / NEIGHBOURS)
    with pytest.raises(RunError, match="is damaged"):
        read_neighbours(run_dir)
