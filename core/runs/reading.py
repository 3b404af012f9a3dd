"""Reads what a run folder holds, as far as it can be read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import RunError, explain, quote
from core.files import list_folder, load_array, write_text
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
        metrics: The evaluation's figures; None without one.
        problem: What is damaged, in one sentence, or "".
    """

    path: Path
    config: RunConfig | None
    status: Status
    history: tuple[dict[str, Any], ...]
    metrics: dict[str, Any] | None
    problem: str

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

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
        f"There is no run {quote(run)}: neither an id that `python -m core runs list` "
        f"shows nor a folder with a {CONFIG}."
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
            f"Run {path.name!r} was exported without its weights; it can be looked at, "
            "not used. Train one like it with `python -m core train`."
        )
    raise RunError(
        f"Run {path.name!r} has no weights yet. Go on with "
        f"`python -m core train --resume {path.name}`."
    )


def read_config(path: Path) -> RunConfig:
    """Reads a run's settings.

    Raises:
        RunError: If they are missing or damaged, or the run has been removed.
    """
    content = b""
    try:
        content = (path / CONFIG).read_bytes()
        return RunConfig.model_validate_json(content)
    except OSError as error:
        check_there(path)
        raise RunError(f"{path / CONFIG} can't be read: {error.strerror}.") from error
    except ValidationError as error:
        if (version := _later_format(content)) is not None:
            raise RunError(
                f"{path / CONFIG} has format {version}, which a later version wrote; "
                f"this version reads {FORMAT_VERSION}. Update SketchScope."
            ) from error
        raise RunError(f"{path / CONFIG} is damaged. {explain(error)}") from error


def read_run(path: Path) -> Run:
    """Reads a run folder as far as it can be read; never raises for its content."""
    problems: list[str] = []
    config = None
    try:
        config = read_config(path)
    except RunError as error:
        problems.append(str(error))
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
    if config is None:
        state, message = "damaged", problems[0]
    return Run(
        path=path,
        config=config,
        status=replace(status, state=state, message=message),
        history=history,
        metrics=metrics,
        problem=" ".join(problems),
    )


def list_runs(*, data_dir: Path, trained_dir: Path) -> list[Run]:
    """Returns every run, one's own by time of change, latest first, then shipped."""
    own = [path for path in list_folder(runs_dir(data_dir)) if not is_ghost(path)]
    own.sort(key=_changed_at, reverse=True)
    found = map(_read_listed, (*own, *list_folder(trained_dir)))
    return [run for run in found if run is not None]


def _read_listed(path: Path) -> Run | None:
    """Reads a run that may be removed or made anew meanwhile."""
    run = read_run(path)
    if run.problem:
        run = read_run(path)
    return run if path.is_dir() else None


def read_metrics(path: Path) -> dict[str, Any]:
    """Reads the figures of a run's evaluation.

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
            f"{path / TRAIN_KEYS} is missing or damaged, so nobody knows which "
            f"sketches run {path.name!r} was trained on: {error}."
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
    temperature: Annotated[float, Field(gt=0)]


class _HistoryRow(_Checked):
    epoch: int
    step: int
    loss: float
    top1: _Fraction
    # Both are absent where nothing is held out, but never null.
    val_loss: float = 0.0
    val_top1: _Fraction = 0.0
    elapsed_s: float

    @model_validator(mode="after")
    def _check_validation(self) -> Self:
        if len(self.model_fields_set & {"val_loss", "val_top1"}) == 1:
            raise ValueError("`val_loss` and `val_top1` need each other")
        return self


def damaged(path: Path, error: BaseException) -> str:
    """Returns one sentence on a file that can't be read."""
    if isinstance(error, ValidationError):
        return f"{path} is damaged. {explain(error)}"
    return f"{path} is damaged: {str(error) or type(error).__name__}."


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
        lines = (path / HISTORY).read_bytes().splitlines()
    except FileNotFoundError:
        return (), ""
    except OSError as error:
        return (), f"{path / HISTORY} can't be read: {error.strerror}."
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            _HistoryRow.model_validate(row)
            if row["epoch"] != number:
                raise ValueError(f"it is not the row of epoch {number}")
        except ValidationError as error:
            problem = f"{path / HISTORY} line {number} is damaged. {explain(error)}"
            return tuple(rows), problem
        except DAMAGE as error:
            return tuple(rows), f"{path / HISTORY} line {number} is damaged: {error}."
        rows.append(row)
    return tuple(rows), ""
