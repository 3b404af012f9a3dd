"""Which of many runs are listed, in what order and in what groups."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.analysis.curves import is_validated, kept_row
from core.analysis.overview import judged_by, rank_runs
from core.runs.reading import Run
from models import NETWORKS


@dataclass(frozen=True)
class RecipeGroup:
    """Runs of one network, recipe and dataset.

    Attributes:
        key: What tells the group from others, as an address holds it.
        runs: In the order in which they were given.
        best: The run of highest validation top-1; None where none is validated.
        val_top1: Its, a fraction.
    """

    key: str
    runs: tuple[Run, ...]
    best: Run | None
    val_top1: float | None


def find_runs(runs: Sequence[Run], text: str, tags: Collection[str] = ()) -> list[Run]:
    """Returns the runs that say every word of a text and bear every tag.

    Args:
        runs: In any order, which stays.
        text: Words, or parts of them, in any case: of id, name, note, tags, network,
            dataset, recipe.
        tags: Whole ones.
    """
    words = text.casefold().split()
    return [
        run
        for run in runs
        if set(tags) <= set(run.notes.tags)
        and all(word in _said(run) for word in words)
    ]


def pinned_first(runs: Sequence[Run]) -> list[Run]:
    """Returns pinned runs before the others, both in the order in which they were."""
    return sorted(runs, key=lambda run: not run.notes.is_pinned)


def all_tags(runs: Sequence[Run]) -> list[str]:
    """Returns the tags of some runs, each once, in the order of the alphabet."""
    return sorted({tag for run in runs for tag in run.notes.tags}, key=str.casefold)


def best_runs(runs: Sequence[Run]) -> set[str]:
    """Returns the ids of the evaluated runs that validation puts before others.

    One for all that know the same classes and are scored on the same test sketches,
    where there are at least two of them and the first was validated.
    """
    by_id = {run.run_id: run for run in runs}
    rivals: dict[tuple[object, ...], list[Run]] = {}
    for run in rank_runs(runs):
        if run.config is not None and run.config.fold is None:
            same = run.config.split_fingerprint, run.config.class_names
            rivals.setdefault(same, []).append(run)
    return {
        first.run_id
        for first, *others in rivals.values()
        if others and judged_by(first, by_id) is not None
    }


def recipe_groups(runs: Sequence[Run]) -> list[RecipeGroup]:
    """Groups runs by network, recipe and dataset, in the order of their first ones."""
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        if run.config is not None:
            config = run.config
            place = config.network, config.recipe, config.dataset
            groups.setdefault(place, []).append(run)
    found = []
    for place, group in groups.items():
        scores = [(_validated(run), run) for run in group]
        best, val_top1 = None, None
        for score, run in scores:
            if score is not None and (val_top1 is None or score > val_top1):
                best, val_top1 = run, score
        key = hashlib.sha256("\n".join(place).encode()).hexdigest()[:12]
        found.append(RecipeGroup(key, tuple(group), best, val_top1))
    return found


def _validated(run: Run) -> float | None:
    """Returns the validation top-1 of a finished run's weights, if it has any."""
    if run.state != "finished" or not is_validated(run):
        return None
    return (kept_row(run) or {}).get("val_top1")


def _said(run: Run) -> str:
    """Returns what a run can be found by."""
    config = run.config
    parts = [run.run_id, run.notes.name, run.notes.note, *run.notes.tags]
    if config is not None:
        network = NETWORKS[config.network].title
        parts += [config.network, network, config.recipe, *config.datasets]
    return "\n".join(parts).casefold()
