"""Reads what a run folder holds, as far as it can be read."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import (
    RunError,
    Sentence,
    damaged,
    join_sentences,
    message_of,
    quote,
    unreadable,
)
from core.files import list_folder, load_array, read_regular, write_text
from core.runs.config import FORMAT_VERSION, RunConfig
from core.runs.folder import (
    CONFIG,
    DAMAGE,
    ENVIRONMENT,
    HISTORY,
    METRICS_FILE,
    RUN_ID_PATTERN,
    STATUS,
    TRAIN_KEYS,
    WEIGHTS,
    check_there,
    is_ghost,
    read_object,
    runs_dir,
)
from core.runs.notes import NOTES, Notes, damaged_notes, read_notes
from core.runs.status import (
    State,
    Status,
    infer_status,
    present_state,
    read_written_status,
)


@dataclass(frozen=True)
class Run:
    """What is known of one run folder at one moment.

    Attributes:
        path: The folder.
        config: Its settings; None where they can't be read.
        status: Its progress; `state` is what is so now, not what was last written.
        history: A row an epoch, ascending.
        metrics: The evaluation's metrics; None without one.
        problem: What is damaged, in one sentence, or "".
        notes: What its owner wrote of it; empty ones where they can't be read.
    """

    path: Path
    config: RunConfig | None
    status: Status
    history: tuple[dict[str, Any], ...]
    metrics: dict[str, Any] | None
    problem: str
    notes: Notes = field(default_factory=Notes)

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def name(self) -> str:
        """What its owner calls it, or else its id."""
        return self.notes.name or self.run_id

    @property
    def state(self) -> State:
        """What the run is at this moment."""
        return self.status.state


def find_run_dir(run: str, *, data_dir: Path, trained_dir: Path) -> Path:
    """Finds a run by its id, among one's own and the shipped ones, or its folder.

    Raises:
        RunError: If there is none.
    """
    if RUN_ID_PATTERN.fullmatch(run):
        for parent in (runs_dir(data_dir), trained_dir):
            if (parent / run / CONFIG).is_file() or (parent / run / STATUS).is_file():
                return parent / run
    path = Path(run)
    if (path / CONFIG).is_file():
        return path.resolve()
    raise RunError(
        "There is no run {run}: neither an id that `python -m core runs list` shows "
        "nor a folder with a {config}.",
        run=quote(run),
        config=CONFIG,
    )


def write_history(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Replaces a run's history: one JSON object a line, one line an epoch."""
    write_text(path / HISTORY, "".join(json.dumps(row) + "\n" for row in rows))


def check_weights(path: Path) -> None:
    """Raises `RunError` unless a run has weights."""
    if (path / WEIGHTS).exists():
        return
    check_there(path)
    if (path / METRICS_FILE).exists():
        raise RunError(
            "Run {run!r} was exported without its weights; it can be looked at, not "
            "used. Train one like it with `python -m core train`.",
            run=path.name,
        )
    raise RunError(
        "Run {run!r} has no weights yet. Go on with `python -m core train --resume "
        "{run}`.",
        run=path.name,
    )


def read_config(path: Path) -> RunConfig:
    """Reads a run's settings.

    Raises:
        RunError: If they are missing or damaged, or the run has been removed.
    """
    content = b""
    try:
        content = read_regular(path / CONFIG)
        return RunConfig.model_validate_json(content)
    except OSError as error:
        check_there(path)
        raise RunError(unreadable(path / CONFIG, error)) from error
    except ValidationError as error:
        if (version := _later_format(content)) is not None:
            raise RunError(
                "{path} has format {version}, which a later version wrote; this "
                "version reads {format_version}. Update SketchScope.",
                path=path / CONFIG,
                version=version,
                format_version=FORMAT_VERSION,
            ) from error
        raise RunError(damaged(path / CONFIG, error)) from error


def read_run(path: Path) -> Run:
    """Reads a run folder as far as it can be read; never raises for its content."""
    problems: list[str] = []
    config = None
    try:
        config = read_config(path)
    except RunError as error:
        problems.append(message_of(error))
    try:
        status = read_written_status(path)
    except FileNotFoundError:
        status = None
    except DAMAGE as error:
        status = None
        problems.append(damaged(path / STATUS, error))
    history, history_problem = _read_history(path)
    if status is None:
        status = infer_status(path, config, history)
    if history_problem:
        problems.append(history_problem)
    metrics = None
    try:
        metrics = read_metrics(path)
    except FileNotFoundError:
        pass
    except DAMAGE as error:
        problems.append(damaged(path / METRICS_FILE, error))
    state, message = present_state(path, status, evaluated=metrics is not None)
    notes = Notes()
    try:
        notes = read_notes(path)
    except DAMAGE as error:
        problems.append(damaged_notes(path, error))
    if config is None:
        state, message = "damaged", problems[0]
    return Run(
        path=path,
        config=config,
        status=replace(status, state=state, message=message),
        history=history,
        metrics=metrics,
        problem=join_sentences(problems),
        notes=notes,
    )


Known = dict[Path, tuple[tuple[object, ...], Run]]
"""Finished runs that were read before, each with what its files looked like."""


def list_runs(
    *, data_dir: Path, trained_dir: Path, known: Known | None = None
) -> list[Run]:
    """Returns every run, one's own by time of change, latest first, then shipped.

    Args:
        data_dir: The folder that everything is written to.
        trained_dir: That of the shipped ones.
        known: What an earlier call has left there, so that finished runs whose files
            are the same aren't read again: of 1,000 it takes a tenth of the time.
    """
    own = [path for path in list_folder(runs_dir(data_dir)) if not is_ghost(path)]
    own.sort(key=_changed_at, reverse=True)
    paths = (*own, *list_folder(trained_dir))
    if known is None:
        runs = [_read_listed(path) for path in paths]
    else:
        runs = [_read_unless_known(path, known) for path in paths]
        for path in set(known) - set(paths):
            known.pop(path, None)
    return [run for run in runs if run is not None]


def _read_unless_known(path: Path, known: Known) -> Run | None:
    """Returns a run as it was read before, where it is finished and the same."""
    look = _look(path)
    if path in known and known[path][0] == look:
        return known[path][1]
    run = _read_listed(path)
    if run is not None and run.state == "finished" and not run.problem:
        known[path] = look, run
    else:
        known.pop(path, None)
    return run


def _look(path: Path) -> tuple[object, ...]:
    """Returns what changes with any of the files that `read_run` reads."""
    look: list[object] = []
    for name in (CONFIG, STATUS, HISTORY, METRICS_FILE, NOTES):
        try:
            stat = os.stat(f"{path}/{name}")  # noqa: PTH116  Thousands of paths a second.
            look.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
        except OSError:
            look.append(None)
    return tuple(look)


def _read_listed(path: Path) -> Run | None:
    """Reads a run that may be removed or made anew meanwhile, or be closed to us."""
    try:
        run = read_run(path)
        if run.problem:
            run = read_run(path)
        return run if path.is_dir() else None
    except OSError as error:
        problem = unreadable(path, error)
        status = Status(state="damaged", message=problem)
        return Run(path, None, status, history=(), metrics=None, problem=problem)


def read_metrics(path: Path) -> dict[str, Any]:
    """Reads the metrics of a run's evaluation.

    Raises:
        FileNotFoundError: If it has none.
        OSError: If they can't be read.
        ValueError: If they are not what an evaluation writes.
    """
    metrics = read_object(path / METRICS_FILE)
    _Metrics.model_validate(metrics)
    return metrics


def read_train_keys(path: Path) -> NDArray[np.uint64]:
    """Reads the keys of all sketches that a run has seen in training.

    Returns:
        Shape `(m,)`; see `core.datasets.store.Dataset.keys`.

    Raises:
        RunError: If they are missing or damaged.
    """
    try:
        seen = load_array(path / TRAIN_KEYS)
        if seen.dtype != np.uint64 or not seen.size:
            raise ValueError("it holds no keys")
    except (OSError, ValueError, AttributeError) as error:
        raise RunError(
            "{path} is missing or damaged, so nobody knows which sketches run {run!r} "
            "was trained on: {reason}.",
            path=path / TRAIN_KEYS,
            run=path.name,
            reason=error,
        ) from error
    return np.asarray(seen, dtype=np.uint64)


def read_environment(path: Path) -> dict[str, Any] | None:
    """Returns on what a run was trained, or None where that is not known."""
    try:
        return read_object(path / ENVIRONMENT)
    except (OSError, ValueError):
        return None


class _Checked(BaseModel):
    """What of a file's content others rely on; it may hold more."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


MIN_TEMPERATURE = 1e-4
"""Far below any that fits; divided by less, logits overflow."""

_Fraction = Annotated[float, Field(ge=0, le=1)]


class _Metrics(_Checked):
    run_id: str
    network: str
    dataset: str
    n: Annotated[int, Field(ge=1)]
    num_classes: Annotated[int, Field(ge=2)]
    num_parameters: int
    top1: _Fraction
    top5: _Fraction
    top1_interval: Annotated[list[_Fraction], Field(min_length=2, max_length=2)]
    loss: float
    ece: _Fraction
    loss_calibrated: float
    ece_calibrated: _Fraction
    temperature: Annotated[float, Field(ge=MIN_TEMPERATURE, le=1 / MIN_TEMPERATURE)]
    # Of training sketches as they are; evaluations of earlier versions lack both.
    train_top1: _Fraction = 0.0
    train_n: Annotated[int, Field(ge=1)] = 1


class _HistoryRow(_Checked):
    epoch: int
    step: int
    loss: float
    top1: _Fraction
    # Both are absent where nothing is held out, but never null.
    val_loss: float = 0.0
    val_top1: _Fraction = 0.0
    # Without label smoothing; runs of earlier versions lack both.
    cross_entropy: float = 0.0
    val_cross_entropy: float = 0.0
    elapsed_s: float

    @model_validator(mode="after")
    def _check_validation(self) -> Self:
        if len(self.model_fields_set & {"val_loss", "val_top1"}) == 1:
            raise ValueError("`val_loss` and `val_top1` need each other")
        return self


def _later_format(content: bytes) -> int | None:
    """Returns the format of a config that this version is too old for."""
    try:
        version = json.loads(content)["format_version"]
    except DAMAGE:
        return None
    return version if isinstance(version, int) and version > FORMAT_VERSION else None


def _changed_at(path: Path) -> float:
    """Returns when a folder last changed, or 0 where it has just been removed."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read_history(path: Path) -> tuple[tuple[dict[str, Any], ...], str]:
    """Returns the rows up to the first damaged one, and what is wrong with it."""
    try:
        lines = read_regular(path / HISTORY).splitlines()
    except FileNotFoundError:
        return (), ""
    except OSError as error:
        return (), unreadable(path / HISTORY, error)
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            _HistoryRow.model_validate(row)
            if row["epoch"] != number:
                raise ValueError(f"it is not the row of epoch {number}")
        except DAMAGE as error:
            place = Sentence("{path} line {number}", path=path / HISTORY, number=number)
            return tuple(rows), damaged(place, error)
        rows.append(row)
    return tuple(rows), ""
