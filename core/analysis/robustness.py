"""What a run's accuracy is on changed sketches, and the file that holds it."""

from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.analysis.statistics import wilson_interval
from core.errors import RunError
from core.files import write_json
from core.runs.evaluation import Evaluation
from core.runs.folder import DAMAGE, ROBUSTNESS, check_there, read_object

SEED = 0
"""Of the choice of sketches and of every change."""

NOTABLE_LOSS = 0.1
"""Of accuracy: the strength that takes so much is told."""

Share = Annotated[float, Field(ge=0, le=1)]


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Figure(_Stored):
    """An accuracy with its 95 % Wilson interval.

    Attributes:
        n: Sketches.
        accuracy: Fraction of them that is right.
        low: The interval's lower end.
        high: Its upper end.
    """

    n: int = Field(ge=1)
    accuracy: Share
    low: Share
    high: Share

    @classmethod
    def of(cls, is_right: NDArray[np.bool_]) -> Self:
        """Counts which sketches are right, at least one."""
        correct, n = int(is_right.sum()), len(is_right)
        low, high = wilson_interval(correct, n)
        return cls(n=n, accuracy=correct / n, low=low, high=high)


class Kind(_Stored):
    """What a kind of change does to a run.

    Attributes:
        amounts: Its strengths, the least first; see `core.sketches.changes.CHANGES`.
        figures: The accuracy at each.
        num_broken: Sketches that are right as they are and wrong at the least strength.
        broken: Ids of the first of them: those that are wrong at most strengths.
    """

    amounts: tuple[float, ...] = Field(min_length=1)
    figures: tuple[Figure, ...]
    num_broken: int = Field(ge=0)
    broken: tuple[str, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.figures) != len(self.amounts):
            raise ValueError("`figures` must be as many as `amounts`")
        return self

    def lost_at(self, clean: Figure) -> int | None:
        """Returns the place of the least strength that takes `NOTABLE_LOSS`, if any.

        Args:
            clean: The accuracy on the same sketches as they are.
        """
        # What is left of rounding must not decide.
        most = clean.accuracy - NOTABLE_LOSS + 1e-9
        places = range(len(self.figures))
        return next((k for k in places if self.figures[k].accuracy <= most), None)


class Robustness(_Stored):
    """A run's accuracy on changed sketches, as far as it was measured.

    Attributes:
        changes_version: Of `core.sketches.changes`.
        evaluated_at: Of the evaluation whose test sketches they are.
        dataset_fingerprint: Of the dataset whose pixels were changed.
        limit: How many sketches were asked for.
        clean: On the sketches as they are.
        kinds: By the name of each kind that was measured.
    """

    format_version: Literal[1] = 1
    changes_version: int
    evaluated_at: str
    dataset_fingerprint: str
    limit: int = Field(ge=1)
    clean: Figure
    kinds: dict[str, Kind] = {}

    def is_of_same(self, other: "Robustness") -> bool:
        """Returns whether what was measured there holds here."""
        clean = {"clean", "kinds"}
        return self.model_dump(exclude=clean) == other.model_dump(exclude=clean)


def choose_sketches(evaluation: Evaluation, *, limit: int) -> NDArray[np.int64]:
    """Chooses test sketches, as many of each class as can be, always the same ones.

    Args:
        evaluation: Where they are.
        limit: How many, at least 1; all where there are no more.

    Returns:
        Rows of its arrays, ascending.
    """
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(evaluation.y_true))
    labels = evaluation.y_true[order]
    by_class = np.argsort(labels, kind="stable")
    _, counts = np.unique(labels, return_counts=True)
    # Each sketch's place within its class; the first of each class come first.
    turn = np.concatenate([np.arange(count) for count in counts])
    first = np.lexsort((rng.random(len(turn)), turn))[:limit]
    return np.sort(order[by_class[first]])


def read_robustness(run_dir: Path) -> Robustness:
    """Reads how a run bears changes.

    Raises:
        RunError: If it was never measured, or the file is damaged or of another
            release.
    """
    try:
        return Robustness.model_validate(read_object(run_dir / ROBUSTNESS))
    except FileNotFoundError as error:
        check_there(run_dir)
        raise RunError(
            "The robustness of run {run!r} is not measured yet. `python -m core "
            "robustness {run}` does it.",
            run=run_dir.name,
        ) from error
    except DAMAGE as error:
        raise RunError(
            "{path} is damaged or of another release. `python -m core robustness "
            "{run}` measures it anew.",
            path=run_dir / ROBUSTNESS,
            run=run_dir.name,
        ) from error


def read_current(run_dir: Path, evaluation: Evaluation) -> Robustness:
    """Reads how a run bears changes, if that is of its evaluation.

    Args:
        run_dir: Its folder.
        evaluation: What it holds for its evaluation now.

    Raises:
        RunError: As `read_robustness`, or if it is of another evaluation.
    """
    robustness = read_robustness(run_dir)
    told = {i for kind in robustness.kinds.values() for i in kind.broken}
    is_same = robustness.evaluated_at == evaluation.metrics["evaluated_at"]
    if not is_same or not told <= set(evaluation.ids):
        raise RunError(
            "The robustness of run {run!r} is of an earlier evaluation. `python -m "
            "core robustness {run}` measures it anew.",
            run=run_dir.name,
        )
    return robustness


def write_robustness(run_dir: Path, robustness: Robustness) -> None:
    """Replaces how a run bears changes.

    Args:
        run_dir: The run's folder, whose lock the caller holds.
        robustness: What to write.
    """
    write_json(run_dir / ROBUSTNESS, robustness.model_dump(mode="json"))
