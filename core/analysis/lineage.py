"""What a run cost, its own training and all before it, and which runs it came from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.runs.reading import Run


@dataclass(frozen=True)
class Lineage:
    """A run's training and those before it.

    Attributes:
        epochs: Of its own history; a branch has its origin's in it.
        seconds: That these took.
        origin: The run that it went on from; None where it began at random.
        origin_epoch: After which of its epochs, where it is a branch.
        earlier_epochs: Of all trainings before its history; None where not known.
        earlier_s: Seconds of them, likewise.
    """

    epochs: int
    seconds: float
    origin: str | None
    origin_epoch: int | None
    earlier_epochs: int | None
    earlier_s: float | None

    @property
    def total_epochs(self) -> int | None:
        """Epochs of all trainings together; None where not known."""
        return (
            None if self.earlier_epochs is None else self.epochs + self.earlier_epochs
        )

    @property
    def total_s(self) -> float | None:
        """Seconds of all trainings together; None where not known."""
        return None if self.earlier_s is None else self.seconds + self.earlier_s


def lineage(run: Run) -> Lineage:
    """Adds up what led to a run."""
    origin = run.config.origin if run.config else None
    return Lineage(
        epochs=len(run.history),
        seconds=run.history[-1]["elapsed_s"] if run.history else 0.0,
        origin=origin.run_id if origin else None,
        origin_epoch=origin.epoch if origin else None,
        earlier_epochs=origin.earlier_epochs if origin else 0,
        earlier_s=origin.earlier_s if origin else 0.0,
    )


Kin = Literal["root", "weights", "branch", "taught"]
"""How a run came from the one above it in a tree: from none, with its weights, as its
branch, or by its answers."""


@dataclass(frozen=True)
class Relative:
    """A run's place in a tree of those that came from one another.

    Attributes:
        run_id: Its id.
        run: It; None where it is not there any more.
        depth: How many runs stand above it.
        kin: How it came from the one above it.
        epoch: After which epoch of that one, where it is a branch.
        own_s: Seconds of its own training, without what a branch has from its origin;
            None where that is not known.
        total_s: With all trainings before; likewise.
    """

    run_id: str
    run: Run | None
    depth: int
    kin: Kin
    epoch: int | None
    own_s: float | None
    total_s: float | None


def family_tree(run: Run, runs: Sequence[Run]) -> list[Relative]:
    """Returns what a run came from, the run, and what came from it, as lines of a tree.

    Args:
        run: The run.
        runs: All that there are.

    Returns:
        Each run below the one that it came from; a run that went on from one and was
        taught by another stands below the first. Only the run where it is alone.
    """
    by_id = {one.run_id: one for one in runs}
    line, first = [run.run_id], run
    while (above := _above(first)) is not None and above[0] not in line:
        line.insert(0, above[0])
        if (earlier := by_id.get(above[0])) is None:
            break
        first = earlier
    children: dict[str, list[Run]] = {}
    for one in runs:
        if (parent := _above(one)) is not None:
            children.setdefault(parent[0], []).append(one)
    found = [
        _relative(run_id, by_id.get(run_id), depth) for depth, run_id in enumerate(line)
    ]
    seen = set(line)

    def descend(run_id: str, depth: int) -> None:
        for child in children.get(run_id, []):
            if child.run_id not in seen:
                seen.add(child.run_id)
                found.append(_relative(child.run_id, child, depth))
                descend(child.run_id, depth + 1)

    descend(run.run_id, len(line))
    return found


def _above(run: Run) -> tuple[str, Kin] | None:
    """Returns the run that another came from, and how."""
    config = run.config
    if config is not None and config.origin is not None:
        kin: Kin = "weights" if config.origin.epoch is None else "branch"
        return config.origin.run_id, kin
    if config is not None and config.teacher is not None:
        return config.teacher.run_id, "taught"
    return None


def _relative(run_id: str, run: Run | None, depth: int) -> Relative:
    if run is None:
        return Relative(run_id, None, depth, "root", None, None, None)
    above, found = _above(run), lineage(run)
    before = 0.0
    if found.origin_epoch is not None and len(run.history) >= found.origin_epoch:
        before = run.history[found.origin_epoch - 1]["elapsed_s"]
    return Relative(
        run_id=run_id,
        run=run,
        depth=depth,
        kin="root" if above is None else above[1],
        epoch=found.origin_epoch,
        own_s=found.seconds - before,
        total_s=found.total_s,
    )
