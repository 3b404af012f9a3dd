"""Starts sweeps as processes that outlive whoever started them."""

from pathlib import Path

from core.errors import RunError, damaged, unwritable
from core.files import free_name, make_folder, new_folder
from core.runs.launch import check_installed, launch_command
from core.sweeps.record import RECORD, sweep_dir, sweeps_dir
from core.sweeps.spec import Sweep, read_sweep

FILE = "sweep.yaml"
LOG = "sweep.log"
MAX_STEM = 40
"""Letters of a mended name; a sweep's has 50, and room for a number."""

MAKING_PREFIX = ".making-"


def free_sweep_name(name: str, *, data_dir: Path) -> str | None:
    """Returns an unused name as near to a wish as can be; None if nothing is left."""
    return free_name(name, [sweeps_dir(data_dir)], max_stem=MAX_STEM)


def sweep_text(sweep: Sweep) -> str:
    """Returns the YAML that asks for a sweep: all of its fields that were given."""
    import yaml

    given = sweep.model_dump(mode="json", by_alias=True, exclude_unset=True)
    text: str = yaml.safe_dump(
        given, sort_keys=False, default_flow_style=None, allow_unicode=True
    )
    return text


def create_sweep(sweep: Sweep, *, data_dir: Path) -> Path:
    """Makes the folder of a new sweep, with its file; returns the folder.

    Raises:
        RunError: If there is one of its name, or it can't be written.
        ConfigError: If the file can't be read again.
    """
    path = sweep_dir(sweep.name, data_dir=data_dir)
    if path.exists():
        raise RunError("There is a sweep {sweep!r} already.", sweep=sweep.name)
    try:
        make_folder(path.parent)
        with new_folder(path, prefix=MAKING_PREFIX, is_shared=True) as made:
            (made / FILE).write_text(sweep_text(sweep), encoding="utf-8")
            if read_sweep(made / FILE) != sweep:
                error = ValueError("it doesn't say what was asked for")
                raise RunError(damaged(path / FILE, error))
    except OSError as error:
        raise RunError(unwritable(path, error)) from error
    return path


def launch_sweep(path: Path, *, data_dir: Path) -> None:
    """Starts the process that trains a sweep's trials, one after another.

    Each waits until no other training runs. Returns once the sweep's record is
    written, within seconds; what is printed is appended to its log.

    Args:
        path: The sweep's folder, with its file.
        data_dir: Where its dataset is installed and its runs are written.

    Raises:
        SketchScopeError: If what Keras computes with is not installed.
        RunError: If its process ends before, as where another trains the sweep.
    """
    check_installed()
    before = _written_ns(path)
    try:
        launch_command(
            ["sweep", str(path / FILE), "--wait"],
            path / LOG,
            data_dir=data_dir,
            has_spoken=lambda _pid: _written_ns(path) != before,
        )
    except RunError as error:
        raise RunError(
            "Sweep {sweep!r} could not be started: {reason}",
            sweep=path.name,
            reason=error,
        ) from error


def _written_ns(path: Path) -> int | None:
    """Returns when a sweep's record was written; None if it was not."""
    try:
        return (path / RECORD).stat().st_mtime_ns
    except OSError:
        return None
