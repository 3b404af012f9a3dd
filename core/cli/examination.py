"""Looks for what is wrong with an installation and its data, and mends some of it.

What it mends loses nothing but the trash: leftovers of killed writes, processes whose
run is gone. What takes a decision it only names, with the command that would do it.
"""

import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import psutil
from packaging.requirements import Requirement

from core.cli.damage import (
    dataset_problem,
    drawing_problems,
    is_open_to_others,
    room_problems,
    run_problem,
)
from core.datasets.drawings import list_drawings, list_leftovers, remove_leftovers
from core.datasets.store import (
    PARTIAL_PREFIX,
    UPLOAD_PREFIX,
    datasets_dir,
    open_dataset,
)
from core.errors import RunError, SketchScopeError
from core.files import TEMPORARY_PREFIX, is_abandoned, list_folder, remove_tree
from core.ownership import OWNER, passphrase_mark
from core.paths import DATA_VARIABLE, REPOSITORY_DIR
from core.runs.folder import (
    CREATED_PREFIX,
    REMOVED_PREFIX,
    clear_ghost,
    is_ghost,
    runs_dir,
    sitting,
    trash_dir,
)
from core.runs.launch import START_TIMEOUT_S
from core.runs.reading import list_runs
from core.runs.status import ACTIVE_STATES, read_status
from core.sweeps.record import list_sweeps

ONEDNN_VARIABLE = "TF_ENABLE_ONEDNN_OPTS"
LOW_DISK_BYTES = 2 * 2**30
"""TU-Berlin packed, a download of its archive and a checkpoint take about 1 GB."""

CLOCK_TOLERANCE_S = 60.0

Severity = Literal["fine", "advice", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        severity: Whether something is wrong with it.
        subject: What was looked at.
        detail: What was found, and what to do about it.
        mend: Mends it; None where that takes a decision or nothing is wrong.
    """

    severity: Severity
    subject: str
    detail: str
    mend: Callable[[], None] | None = None


def examine(*, data_dir: Path, trained_dir: Path, deep: bool = False) -> list[Finding]:
    """Looks at everything, and changes nothing.

    Args:
        data_dir: The folder that everything is written to; it need not exist.
        trained_dir: The folder of the runs that ship.
        deep: Whether to read every file whole and compare digests.
    """
    return [
        *_versions(),
        *_processor(),
        *_data_folder(data_dir),
        *_leftovers(data_dir),
        *_runs(data_dir, trained_dir, deep=deep),
        *_processes(data_dir),
        *_datasets(data_dir, deep=deep),
        *_sweeps(data_dir),
        *_drawings(data_dir),
    ]


def _versions() -> Iterator[Finding]:
    wanted = _requirements("requirements.txt")
    light = {requirement.name for requirement in _requirements("requirements-view.txt")}
    wrong: list[str] = []
    absent: list[str] = []
    for requirement in wanted:
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            is_light = requirement.name in light
            (wrong if is_light else absent).append(
                f"{requirement.name} is not installed"
            )
        else:
            if installed not in requirement.specifier:
                wrong.append(f"{requirement} is needed and {installed} is installed")
    if wrong:
        yield Finding(
            "problem",
            "packages",
            f"{'; '.join(wrong + absent)}. `pip install -r requirements.txt` mends it.",
        )
    elif absent:
        yield Finding(
            "advice",
            "packages",
            f"{'; '.join(absent)}: runs can be looked at and drawn for, and not "
            "trained. `pip install -r requirements.txt` adds what training needs.",
        )
    else:
        yield Finding(
            "fine",
            "packages",
            f"Python {platform.python_version()} and all {len(wanted)} packages fit.",
        )


def _requirements(name: str) -> list[Requirement]:
    """Reads the packages that a file asks for on this machine."""
    lines = (REPOSITORY_DIR / name).read_text(encoding="utf-8").splitlines()
    words = [line.partition("#")[0].strip() for line in lines]
    # An option names another file.
    asked = [Requirement(word) for word in words if word and not word.startswith("-")]
    return [r for r in asked if r.marker is None or r.marker.evaluate()]


def _processor() -> Iterator[Finding]:
    """Looks at what decides TensorFlow's speed: a third of it hangs on oneDNN."""
    cores = psutil.cpu_count() or 1
    if os.environ.get(ONEDNN_VARIABLE) == "1":
        yield Finding("fine", "processor", f"{cores} cores, oneDNN on.")
    else:
        yield Finding(
            "advice",
            "processor",
            f"oneDNN is off ({ONEDNN_VARIABLE} is "
            f"{os.environ.get(ONEDNN_VARIABLE)!r}); training on a CPU is several times "
            f"slower. Unset the variable.",
        )


def _data_folder(data_dir: Path) -> Iterator[Finding]:
    place = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    if not os.access(place, os.W_OK):
        yield Finding(
            "problem",
            "data folder",
            f"{place} can't be written. Give yourself the right to, or name another "
            f"folder by {DATA_VARIABLE}.",
        )
    for problem in room_problems(data_dir):
        yield Finding("problem", "data folder", problem)
    if is_open_to_others(data_dir):
        yield Finding(
            "problem",
            "owner",
            f"Others on this machine can read {data_dir / OWNER}.",
            lambda: (data_dir / OWNER).chmod(0o600),
        )
    free = shutil.disk_usage(place).free
    low = free < LOW_DISK_BYTES
    yield Finding(
        "advice" if low else "fine",
        "disk",
        f"{free / 2**30:.1f} GiB are free at {place}."
        + (" Remove runs or datasets that you don't need." if low else ""),
    )
    try:
        asks = passphrase_mark(data_dir) is not None
    except SketchScopeError as error:
        yield Finding("problem", "owner", str(error))
    else:
        yield Finding(
            "fine", "owner", "A passphrase is set." if asks else "No passphrase is set."
        )


def _leftovers(data_dir: Path) -> Iterator[Finding]:
    """Finds what killed imports, removals and uploads left behind."""
    working = [
        *list_folder(datasets_dir(data_dir), f"{PARTIAL_PREFIX}*"),
        *list_folder(data_dir, f"{UPLOAD_PREFIX}*"),
        *list_folder(runs_dir(data_dir), f"{CREATED_PREFIX}*"),
        *list_folder(runs_dir(data_dir), f"{REMOVED_PREFIX}*"),
    ]
    for path in working:
        if not is_abandoned(path):
            if _is_older_than_its_process(path):
                yield Finding(
                    "advice",
                    "leftover",
                    f"{path} is older than the process whose number it has. Unless "
                    "something is being made there, delete it.",
                )
            continue
        yield Finding(
            "advice",
            "leftover",
            f"{path} was left by a process that was killed.",
            lambda path=path: remove_tree(path),  # type: ignore[misc]
        )
    for path in list_folder(trash_dir(data_dir)):
        yield Finding(
            "advice",
            "trash",
            f"{path} was removed and can be put back until the trash is emptied.",
            lambda path=path: remove_tree(path),  # type: ignore[misc]
        )
    for path in list_folder(runs_dir(data_dir)):
        if is_ghost(path):
            yield Finding(
                "advice",
                "leftover",
                f"{path} is empty: its run was removed.",
                lambda path=path: clear_ghost(path),  # type: ignore[misc]
            )


def _is_older_than_its_process(path: Path) -> bool:
    """Returns whether a folder was left before its process's number was given anew.

    A clock that is set anew can make it seem so, so that nothing is deleted by it.
    """
    try:
        started = psutil.Process(int(path.name.split("-")[1])).create_time()
        return bool(started > path.stat().st_mtime + CLOCK_TOLERANCE_S)
    except (psutil.Error, OSError, ValueError):
        return False


def _drawings(data_dir: Path) -> Iterator[Finding]:
    for path in list_leftovers(data_dir):
        yield Finding(
            "advice",
            "leftover",
            f"{path} was left by a process that was killed.",
            lambda: remove_leftovers(data_dir),
        )
    kept = list_drawings(data_dir)
    for path in kept.damaged:
        yield Finding(
            "problem",
            "drawing",
            f"{path} is damaged or lacks its other half. Delete it if you don't need "
            "it.",
        )
    for problem in drawing_problems(kept):
        yield Finding("problem", "drawing", problem)
    yield Finding("fine", "drawings", f"Whole: {len(kept.kept)}.")


def _runs(data_dir: Path, trained_dir: Path, *, deep: bool) -> Iterator[Finding]:
    runs = list_runs(data_dir=data_dir, trained_dir=trained_dir)
    fine = 0
    for run in runs:
        problem = run_problem(run, deep=deep)
        is_idle = run.state not in ACTIVE_STATES
        if problem:
            yield Finding("problem", f"run {run.run_id}", problem)
        elif run.state == "failed":
            yield Finding("advice", f"run {run.run_id}", run.status.message)
        else:
            fine += 1
        if is_idle and list_folder(run.path, f"{TEMPORARY_PREFIX}*"):
            yield Finding(
                "advice",
                f"run {run.run_id}",
                "A write was killed half-way; what it was to replace is whole.",
                lambda path=run.path: _clear(path),  # type: ignore[misc]
            )
    yield Finding("fine", "runs", f"{fine} of {len(runs)} runs are whole.")


def _clear(path: Path) -> None:
    # Who is at work on it clears it; a removed one needs no clearing.
    with suppress(RunError), sitting(path):
        pass


def _processes(data_dir: Path) -> Iterator[Finding]:
    """Finds trainings of this data folder that no run knows of."""
    is_fine = True
    for process in psutil.process_iter(["cmdline"]):
        run_id = _trained_run(process.info["cmdline"] or [])
        if run_id is None or not _writes_to(process, data_dir):
            continue
        run_dir = runs_dir(data_dir) / run_id
        if _is_stray(process, run_dir):
            is_fine = False
            yield Finding(
                "problem",
                "stray process",
                f"Process {process.pid} trains run {run_id!r}, which is gone or "
                "trained by another.",
                lambda process=process, run_dir=run_dir: (  # type: ignore[misc]
                    _end_stray(process, run_dir)
                ),
            )
    if is_fine:
        yield Finding("fine", "processes", "None trains a run that is gone.")


def _is_stray(process: psutil.Process, run_dir: Path) -> bool:
    """Returns whether a process trains a run that doesn't know of it."""
    try:
        if read_status(run_dir).pid == process.pid:
            return False
        # It takes a while to say which run it is at, or that it may not.
        return bool(time.time() - process.create_time() > START_TIMEOUT_S)
    except FileNotFoundError:
        return run_dir.parent.is_dir()
    except (OSError, ValueError, psutil.NoSuchProcess):
        return False


def _end_stray(process: psutil.Process, run_dir: Path) -> None:
    with suppress(psutil.NoSuchProcess):
        if _is_stray(process, run_dir):
            process.terminate()


def _trained_run(words: list[str]) -> str | None:
    """Returns the run that a command line goes on with, if it is one of ours."""
    match words[1:]:
        case ["-m", "core", "train", "--resume", run_id, *_]:
            return run_id
    return None


def _writes_to(process: psutil.Process, data_dir: Path) -> bool:
    try:
        named = process.environ().get(DATA_VARIABLE)
    except psutil.Error:
        return False
    return named is not None and Path(named).resolve() == data_dir.resolve()


def _sweeps(data_dir: Path) -> Iterator[Finding]:
    for problem in list_sweeps(data_dir)[1]:
        yield Finding("problem", "sweep", f"{problem} Delete the file; its runs stay.")


def _datasets(data_dir: Path, *, deep: bool) -> Iterator[Finding]:
    fine = []
    for path in list_folder(datasets_dir(data_dir)):
        try:
            dataset = open_dataset(path.name, data_dir=data_dir)
            # Each checks itself when it is first asked for.
            _ = dataset.images, dataset.records, dataset.keys
            problem = dataset_problem(dataset) if deep else ""
        except SketchScopeError as error:
            yield Finding("problem", f"dataset {path.name}", str(error))
        else:
            if problem:
                yield Finding("problem", f"dataset {path.name}", problem)
            else:
                fine.append(path.name)
    yield Finding("fine", "datasets", f"Whole: {', '.join(fine) or 'none'}.")
