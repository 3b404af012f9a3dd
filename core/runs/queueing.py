"""Whose turn it is: trainings that wait for one another, without a scheduler.

A training that waits is a process of its own that looks around once a second, so
that the queue goes on whether or not a dashboard is open.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from core.files import list_folder
from core.runs.status import ACTIVE_STATES, Status, read_status

POLL_INTERVAL_S = 1.0
TURN_LOCK = ".turn.lock"


def wait_for_turn(
    run_dir: Path,
    *,
    is_stop_requested: Callable[[], bool],
    poll_interval_s: float = POLL_INTERVAL_S,
) -> FileLock | None:
    """Waits until nothing trains and nothing has waited longer.

    Args:
        run_dir: A run whose status says since when it waits.
        is_stop_requested: Asked between looks.
        poll_interval_s: Seconds between looks.

    Returns:
        The held right to train, to be released at the end; None if the run was
        asked to stop first.
    """
    turn = FileLock(run_dir.parent / TURN_LOCK)
    while not is_stop_requested():
        if not runs_ahead(run_dir):
            try:
                turn.acquire(timeout=0)
            except Timeout:
                pass  # A clock that was set back can make two believe it's theirs.
            else:
                return turn
        time.sleep(poll_interval_s)
    return None


def runs_ahead(run_dir: Path) -> list[str]:
    """Returns the ids of the runs that a waiting run waits for, next to end first."""
    statuses = dict(_active_runs(run_dir.parent))
    mine = statuses.pop(run_dir.name, Status(queued_at=time.time()))
    ahead = [
        (status.state == "queued", status.queued_at, name)
        for name, status in statuses.items()
        if status.state == "running"
        or (status.queued_at, name) < (mine.queued_at, run_dir.name)
    ]
    return [name for _, _, name in sorted(ahead)]


def _active_runs(runs_dir: Path) -> Iterator[tuple[str, Status]]:
    for path in list_folder(runs_dir):
        try:
            status = read_status(path)
        except (OSError, ValueError, TypeError):
            continue
        if status.state in ACTIVE_STATES:
            yield path.name, status
