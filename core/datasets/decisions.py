"""What people decided about the labels of a dataset's sketches: a line a decision.

The file lies in the dataset's folder and only grows; who takes a decision back adds a
line that says so. Pictures and index stay as they are. A test sketch's label is fixed,
so that runs stay comparable; it can only be called ambiguous.
"""

import getpass
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, get_args

from filelock import FileLock

from core.datasets.store import Dataset
from core.errors import DatasetError, Sentence, quote
from core.files import open_regular

FILE = "decisions.jsonl"
LOCK = ".decisions.lock"
MAX_WHY = 500

Verdict = Literal["right", "wrong", "ambiguous", "not_a_drawing"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
UNDO = "undo"


@dataclass(frozen=True)
class Decision:
    """What somebody decided about one sketch.

    Attributes:
        id: The sketch's.
        verdict: What its label or drawing is.
        label: Its right class, where `verdict` is `wrong`; else "".
        who: Who decided.
        at: When, ISO 8601, UTC.
        why: Their reason; may be empty.
    """

    id: str
    verdict: Verdict
    label: str
    who: str
    at: str
    why: str = ""


@dataclass(frozen=True)
class Decisions:
    """The decisions of a dataset that stand.

    Attributes:
        lines: Those taken, oldest first, without those taken back.
        passed_over: Lines of the file that are damaged or fit no sketch.
    """

    lines: tuple[Decision, ...]
    passed_over: int = 0

    @cached_property
    def standing(self) -> Mapping[str, Decision]:
        """The latest decision on each sketch, by its id."""
        return {decision.id: decision for decision in self.lines}

    @property
    def ambiguous(self) -> frozenset[str]:
        """The sketches that people called ambiguous."""
        return frozenset(
            one.id for one in self.standing.values() if one.verdict == "ambiguous"
        )

    def sentence(self, dataset: Dataset) -> Sentence | None:
        """Says what was passed over, if anything."""
        if not self.passed_over:
            return None
        return Sentence(
            "{count} lines of {path} are damaged or name no sketch of dataset "
            "{dataset!r}; they were passed over.",
            count=self.passed_over,
            path=str(dataset.path / FILE),
            dataset=dataset.name,
        )


def read_decisions(dataset: Dataset) -> Decisions:
    """Reads what was decided about a dataset's sketches; damaged lines are counted.

    Raises:
        DatasetError: If the file can't be read.
    """
    try:
        with open_regular(dataset.path / FILE) as stream:
            content = stream.read()
    except FileNotFoundError:
        return Decisions(())
    except OSError as error:
        raise _unreadable(dataset, error) from error
    lines: list[Decision] = []
    passed_over = 0
    for line in content.splitlines():
        try:
            fields = json.loads(line)
            if fields["verdict"] == UNDO:
                taken = [k for k, one in enumerate(lines) if one.id == fields["id"]]
                del lines[taken[-1]]
                continue
            decision = Decision(
                **{name: str(value) for name, value in fields.items()}  # type: ignore[arg-type]
            )
            check_decision(dataset, decision)
            lines.append(decision)
        except (ValueError, KeyError, TypeError, IndexError, DatasetError):
            passed_over += bool(line.strip())
    return Decisions(tuple(lines), passed_over)


def check_decision(dataset: Dataset, decision: Decision) -> None:
    """Raises `DatasetError` unless a decision can be taken on a dataset's sketch."""
    row = dataset.rows.get(decision.id)
    if row is None:
        raise DatasetError(
            "Dataset {dataset!r} has no sketch {sketch}.",
            dataset=dataset.name,
            sketch=quote(decision.id),
        )
    record = dataset.records[row]
    if decision.verdict not in VERDICTS:
        raise DatasetError(
            "A verdict is one of {verdicts}. Received: {verdict}",
            verdicts=", ".join(VERDICTS),
            verdict=quote(decision.verdict),
        )
    if record.split == "test" and decision.verdict != "ambiguous":
        raise DatasetError(
            "Sketch {sketch!r} is a test sketch: its label is fixed, so that runs stay "
            "comparable. It can only be called ambiguous.",
            sketch=decision.id,
        )
    if decision.verdict != "wrong":
        return
    if decision.label not in dataset.class_names:
        raise DatasetError(
            "Dataset {dataset!r} has no class {name}. Choose one of its own.",
            dataset=dataset.name,
            name=quote(decision.label),
        )
    if decision.label == dataset.class_names[record.label]:
        raise DatasetError(
            "Sketch {sketch!r} has the label {name!r} already. Call it right.",
            sketch=decision.id,
            name=decision.label,
        )


def decide(
    dataset: Dataset,
    sketch_id: str,
    verdict: Verdict,
    *,
    at: datetime,
    label: str = "",
    why: str = "",
    who: str | None = None,
) -> Decision:
    """Writes down a decision on a sketch's label.

    Args:
        dataset: An installed dataset.
        sketch_id: The sketch's id.
        verdict: What is decided.
        at: When, with its time zone.
        label: The right class, with `wrong`.
        why: The reason, at most 500 characters.
        who: Who decides; by default the user of this computer.

    Raises:
        DatasetError: If it can't be decided so, as on a test label, or not written.
    """
    decision = Decision(
        id=sketch_id,
        verdict=verdict,
        label=label if verdict == "wrong" else "",
        who=who or _user(),
        at=at.isoformat(timespec="seconds"),
        why=why[:MAX_WHY],
    )
    check_decision(dataset, decision)
    _append(dataset, asdict(decision))
    return decision


def undo(
    dataset: Dataset, sketch_id: str, *, at: datetime, who: str | None = None
) -> Decision:
    """Takes the latest decision on a sketch back; the one before stands again.

    Returns:
        What was taken back.

    Raises:
        DatasetError: If there is none, or the line can't be written.
    """
    standing = read_decisions(dataset).standing.get(sketch_id)
    if standing is None:
        raise DatasetError(
            "Nothing is decided about sketch {sketch} of dataset {dataset!r}.",
            sketch=quote(sketch_id),
            dataset=dataset.name,
        )
    line = {
        "id": sketch_id,
        "verdict": UNDO,
        "who": who or _user(),
        "at": at.isoformat(timespec="seconds"),
    }
    _append(dataset, line)
    return standing


def _append(dataset: Dataset, fields: Mapping[str, Any]) -> None:
    """Adds a line to a dataset's decisions, on the disk when this returns."""
    path = dataset.path / FILE
    text = json.dumps(fields, ensure_ascii=False).encode() + b"\n"
    try:
        with FileLock(dataset.path / LOCK), path.open("a+b", buffering=0) as stream:
            # Whoever was killed while writing left half a line.
            if stream.seek(0, 2):
                stream.seek(-1, 2)
                if stream.read(1) != b"\n":
                    text = b"\n" + text
            stream.write(text)
            os.fsync(stream.fileno())
    except OSError as error:
        raise _unreadable(dataset, error) from error


def _unreadable(dataset: Dataset, error: OSError) -> DatasetError:
    return DatasetError(
        "{path} can't be read or written: {reason}.",
        path=dataset.path / FILE,
        reason=error.strerror or error,
    )


def _user() -> str:
    # Where a computer has no name for its user, Python 3.11 raises what it meets.
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    return "owner"
