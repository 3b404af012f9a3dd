"""Cached reads of the data folder, shared by all pages and visitors."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

import streamlit as st

from core.datasets.answers import Answers, answers_file, read_answers
from core.datasets.store import Dataset, list_datasets
from core.datasets.versions import list_all
from core.paths import TRAINED_DIR, data_dir
from core.runs.evaluation import Evaluation, read_evaluation
from core.runs.folder import METRICS_FILE
from core.runs.neighbours import NEIGHBOURS, Neighbours, read_neighbours
from core.runs.out_of_fold import FILE, read_out_of_fold
from core.runs.reading import Known, Run, list_runs
from core.sweeps.record import ENDED, SweepRecord, list_sweeps, refresh

if TYPE_CHECKING:
    from core.analysis.classes import ClassMetrics
    from core.analysis.label_suspects import LabelSuspect

P = ParamSpec("P")
T = TypeVar("T")

FRESH_S = 1.0
"""For so long a listing is shown again without looking at the disk."""

RESULTS_KEPT = 12
"""Of each computation; a map of 250 classes' similarity takes half a megabyte."""

EVALUATIONS_KEPT = 6
"""Each takes about 10 MB for the sketches of TU-Berlin."""


@st.cache_resource(show_spinner=False)
def _known(data: Path) -> Known:
    del data  # A part of the key.
    return {}


@st.cache_resource(ttl=FRESH_S, show_spinner=False)
def _runs(data: Path) -> tuple[Run, ...]:
    by_id: dict[str, Run] = {}
    for run in list_runs(data_dir=data, trained_dir=TRAINED_DIR, known=_known(data)):
        # An address names a run by its id: one's own goes before one that ships.
        by_id.setdefault(run.run_id, run)
    return tuple(by_id.values())


@st.cache_resource(ttl=FRESH_S, show_spinner=False)
def _datasets(data: Path) -> tuple[Dataset, ...]:
    return tuple(list_datasets(data))


@st.cache_resource(ttl=FRESH_S, show_spinner=False)
def _trainable(data: Path) -> tuple[Dataset, ...]:
    return tuple(list_all(data))


@st.cache_resource(max_entries=4, show_spinner=False)
def _label_suspects(
    path: Path, fingerprint: str, changed_ns: int
) -> "tuple[LabelSuspect, ...] | None":
    del changed_ns
    from core.analysis.label_suspects import find_label_suspects

    found = read_out_of_fold(_opened(path, fingerprint))
    return None if found is None else tuple(find_label_suspects(found))


@st.cache_resource(max_entries=EVALUATIONS_KEPT, show_spinner=False)
def _evaluation(run_dir: Path, changed_ns: int) -> Evaluation:
    del changed_ns  # A part of the key: Streamlit leaves out names that begin with _.
    return read_evaluation(run_dir)


@st.cache_resource(max_entries=EVALUATIONS_KEPT, show_spinner=False)
def _class_metrics(run_dir: Path, changed_ns: int) -> "tuple[ClassMetrics, ...]":
    # Imports scikit-learn, for which the first screen does not wait.
    from core.analysis.classes import measure_classes

    evaluation = _evaluation(run_dir, changed_ns)
    return tuple(
        measure_classes(
            evaluation.y_true, evaluation.y_pred, class_names=evaluation.class_names
        )
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _neighbours(run_dir: Path, changed_ns: int) -> Neighbours | None:
    return read_neighbours(run_dir) if changed_ns else None


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(dataset_path: Path, fingerprint: str) -> Dataset:
    """Keeps a dataset's index between runs of a page; reading it takes a while."""
    dataset = next(d for d in _datasets(data_dir()) if d.path == dataset_path)
    assert dataset.fingerprint == fingerprint
    return dataset


@st.cache_resource(ttl=FRESH_S, show_spinner=False)
def _sweeps(data: Path) -> tuple[tuple[SweepRecord, ...], tuple[str, ...]]:
    records, problems = list_sweeps(data)
    return tuple(records), tuple(problems)


@st.cache_resource(ttl=FRESH_S, max_entries=4, show_spinner=False)
def _sweep(name: str, data: Path) -> SweepRecord | None:
    for record in _sweeps(data)[0]:
        if record.sweep.name == name:
            return refresh(record, data_dir=data)
    return None


@st.cache_resource(max_entries=2, show_spinner=False)
def _answers(data: Path, changed_ns: int) -> Answers:
    del changed_ns  # A part of the key.
    return read_answers(data)


def answers() -> Answers:
    """Reads the kept answers to test sketches.

    Raises:
        SketchScopeError: If their file can't be read.
    """
    return _answers(data_dir(), changed_ns(answers_file(data_dir())))


def runs() -> tuple[Run, ...]:
    """Returns all runs as they were within the last second."""
    return _runs(data_dir())


def datasets() -> tuple[Dataset, ...]:
    """Returns the installed datasets, with what was read of them before."""
    listed = _datasets(data_dir())
    return tuple(_opened(d.path, d.fingerprint) for d in listed)


def trainable() -> tuple[Dataset, ...]:
    """Returns the installed datasets, each with its versions after it."""
    return _trainable(data_dir())


def label_suspects(dataset: Dataset) -> "tuple[LabelSuspect, ...] | None":
    """Returns the suspects of a dataset; None where nobody has looked for them.

    Raises:
        DatasetError: If what was found is damaged.
    """
    changed = changed_ns(dataset.path / FILE)
    if not changed:
        return None
    return _label_suspects(dataset.path, dataset.fingerprint, changed)


def sweeps() -> tuple[tuple[SweepRecord, ...], tuple[str, ...]]:
    """Returns the records of all sweeps as last written, and what is damaged."""
    return _sweeps(data_dir())


def sweep(name: str) -> SweepRecord | None:
    """Returns a sweep, with its trials as they were within the last second.

    None once its folder was removed.
    """
    return _sweep(name, data_dir())


def look_again() -> None:
    """Forgets the listings, after something was added, started or removed."""
    _runs.clear()
    _datasets.clear()
    _trainable.clear()
    _sweeps.clear()
    _sweep.clear()


def evaluation(run: Run) -> Evaluation:
    """Reads a run's evaluation.

    Raises:
        RunError: If it has none, or it is damaged.
    """
    return _evaluation(run.path, changed_ns(run.path / METRICS_FILE))


def keep(compute: Callable[P, T]) -> Callable[P, T]:
    """Keeps the last results of what is computed of evaluations or sweeps.

    All visitors share them: they must not be changed.
    """
    cached = st.cache_resource(
        max_entries=RESULTS_KEPT,
        show_spinner=False,
        hash_funcs={Evaluation: _identify_evaluation, SweepRecord: _identify_sweep},
    )
    return cast(Callable[P, T], cached(compute))


def _identify_evaluation(evaluation: Evaluation) -> tuple[str, str, int]:
    metrics = evaluation.metrics
    return metrics["run_id"], metrics["evaluated_at"], hash(evaluation.ids)


def _identify_sweep(record: SweepRecord) -> tuple[object, ...]:
    ended = (t for t in record.trials if t.state in ENDED)
    return record.sweep.name, *((t.run_id, t.state, t.val_top1) for t in ended)


def class_metrics(run: Run) -> "tuple[ClassMetrics, ...]":
    """Computes the metrics of each class of a run.

    Raises:
        RunError: If it has no evaluation, or it is damaged.
    """
    return _class_metrics(run.path, changed_ns(run.path / METRICS_FILE))


def neighbours(run: Run) -> Neighbours | None:
    """Reads the index of a run's training sketches; None if it has none.

    Raises:
        RunError: If it is damaged.
    """
    return _neighbours(run.path, changed_ns(run.path / NEIGHBOURS))


def changed_ns(path: Path) -> int:
    """Returns when a file last changed, 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
