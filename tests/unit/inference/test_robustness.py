"""What changed sketches do to a run, measured, stored and told."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from core.analysis.robustness import (
    Figure,
    Kind,
    Robustness,
    choose_sketches,
    read_current,
    read_robustness,
    write_robustness,
)
from core.datasets.store import Dataset
from core.errors import RunError
from core.files import write_json
from core.inference.robustness import measure_robustness
from core.language import LANGUAGES, translations
from core.paths import TRAINED_DIR
from core.runs.evaluation import (
    PREDICTIONS,
    Evaluation,
    read_evaluation,
    write_predictions,
)
from core.runs.folder import CONFIG, METRICS_FILE, ROBUSTNESS, runs_dir
from core.runs.reading import read_config, read_metrics, read_run
from core.sentences.robustness import SAID, clean_words, loss_words
from core.sketches.changes import CHANGES
from tests.unit.runs.test_evaluation import make_evaluation

LIMIT = 2


@pytest.fixture
def run_dir(tiny: Dataset, data_dir: Path) -> Path:
    """The shipped Simple as if it had been scored on the tiny dataset."""
    run_dir = runs_dir(data_dir) / "a"
    left_out = shutil.ignore_patterns(ROBUSTNESS, PREDICTIONS)
    shutil.copytree(TRAINED_DIR / "simple", run_dir, ignore=left_out)
    config = read_config(run_dir)
    fields = {
        "dataset_fingerprint": tiny.fingerprint,
        "split_fingerprint": tiny.split_fingerprint,
    }
    config = config.model_copy(update={"run_id": "a", "dataset": "tiny", **fields})
    write_json(run_dir / CONFIG, config.model_dump(mode="json"))
    rows = tiny.indices("test")
    names = [tiny.class_names[label] for label in tiny.labels[rows]]
    y_true = np.array([config.class_names.index(name) for name in names], np.int32)
    metrics = {**read_metrics(run_dir), **fields, "n": len(rows)}
    evaluation = Evaluation(
        metrics=metrics,
        class_names=config.class_names,
        ids=tuple(tiny.records[row].id for row in rows),
        y_true=y_true,
        y_pred=y_true,
        logits=np.zeros((len(rows), 250), np.float16),
        embedding=np.zeros((len(rows), 0), np.float16),
        map_2d=np.zeros((len(rows), 2), np.float32),
    )
    write_predictions(run_dir, evaluation)
    write_json(run_dir / METRICS_FILE, metrics)
    return run_dir


def test_a_stopped_measurement_goes_on_where_it_was(
    run_dir: Path, data_dir: Path
) -> None:
    told: list[str] = []

    def measure(stop_at: str = "") -> tuple[Robustness | None, bool]:
        told.clear()
        known, finished = measure_robustness(
            [run_dir],
            data_dir=data_dir,
            limit=LIMIT,
            report=lambda what, *_: told.append(what),
            is_stop_requested=lambda: told[-1] == stop_at,
        )
        return known.get(run_dir), finished

    kinds = list(CHANGES)
    first, finished = measure(stop_at=kinds[2])
    assert first is not None
    assert not finished
    assert list(first.kinds) == kinds[:2]
    assert read_robustness(run_dir) == first
    second, finished = measure()
    assert second is not None
    assert finished
    # What is clean is asked again; what was done of the changes is not.
    assert set(told) == {"a", *kinds[2:]}
    assert {name: second.kinds[name] for name in kinds[:2]} == first.kinds
    for kind in second.kinds.values():
        assert all(f.n == LIMIT and f.low <= f.accuracy <= f.high for f in kind.figures)
        assert len(kind.broken) == kind.num_broken
    assert measure() == (second, True)
    assert told == []
    assert read_current(run_dir, read_evaluation(run_dir)) == second
    # Another evaluation, and all begins anew.
    metrics = read_metrics(run_dir) | {"evaluated_at": "2026-02-02T00:00:00+00:00"}
    write_json(run_dir / METRICS_FILE, metrics)
    with pytest.raises(RunError, match="of an earlier evaluation"):
        read_current(run_dir, read_evaluation(run_dir))
    third, _ = measure(stop_at=kinds[1])
    assert third is not None
    assert list(third.kinds) == kinds[:1]
    assert third.kinds[kinds[0]] == second.kinds[kinds[0]]


def test_a_damaged_file_is_told_in_one_sentence_and_measured_anew(
    run_dir: Path, data_dir: Path
) -> None:
    with pytest.raises(RunError, match="'a' is not measured yet"):
        read_robustness(run_dir)
    for content in ("", "{}", '{"format_version": 2}', "[1]"):
        (run_dir / ROBUSTNESS).write_text(content)
        with pytest.raises(RunError, match="damaged or of another release") as error:
            read_robustness(run_dir)
        assert "\n" not in str(error.value)
    known, _ = measure_robustness(
        [run_dir],
        data_dir=data_dir,
        limit=1,
        is_stop_requested=lambda: (run_dir / ROBUSTNESS).stat().st_size > 99,
    )
    assert read_robustness(run_dir) == known[run_dir]


def test_sketches_are_chosen_evenly_and_always_alike() -> None:
    evaluation = make_evaluation(60, 5, seed=0)
    counts = np.bincount(evaluation.y_true)
    rows = choose_sketches(evaluation, limit=12)
    chosen = np.bincount(evaluation.y_true[rows], minlength=5)
    assert len(set(rows.tolist())) == 12
    assert np.ptp(chosen[counts > 3]) <= 1
    np.testing.assert_array_equal(rows, choose_sketches(evaluation, limit=12))
    assert len(choose_sketches(evaluation, limit=1000)) == 60


def figure(right: int) -> Figure:
    return Figure.of(np.arange(100) < right)


def test_ten_points_are_lost_at_the_first_strength_that_takes_them(
    tmp_path: Path,
) -> None:
    kind = Kind(
        amounts=(10, 20, 30, 45),
        figures=(figure(71), figure(70), figure(69), figure(20)),
        num_broken=0,
        broken=(),
    )
    assert kind.lost_at(figure(80)) == 1
    assert kind.lost_at(figure(79)) == 2
    assert kind.lost_at(figure(20)) is None
    result = Robustness(
        changes_version=1,
        evaluated_at="now",
        dataset_fingerprint="f",
        limit=100,
        clean=figure(80),
        kinds={"turned": kind},
    )
    write_robustness(tmp_path, result)
    assert read_robustness(tmp_path) == result
    run = read_run(TRAINED_DIR / "simple")
    said = loss_words([run], [result], "turned", translations("en"))
    assert said == [
        "simple loses ten points at 20°: right 70\N{NO-BREAK SPACE}% of the time "
        "(60–78\N{NO-BREAK SPACE}%)."
    ]
    for language in LANGUAGES:
        words = translations(language)
        assert "80" in clean_words([run], [result], words)


@pytest.mark.parametrize("run", ["resnet18", "simple"])
def test_what_ships_is_complete_and_small(run: str) -> None:
    result = read_robustness(TRAINED_DIR / run)
    assert set(result.kinds) == set(CHANGES) == set(SAID)
    metrics = read_metrics(TRAINED_DIR / run)
    assert result.evaluated_at == metrics["evaluated_at"]
    assert abs(result.clean.accuracy - metrics["top1"]) < 0.05
    assert (TRAINED_DIR / run / ROBUSTNESS).stat().st_size < 30_000
