"""Which runs a filter finds, in what order, and which is called the best."""

from dataclasses import replace
from typing import Any

import pytest

from core.analysis.listing import best_runs, find_runs, pinned_first, recipe_groups
from core.runs.notes import Notes
from core.runs.reading import Run
from tests.unit.analysis.test_seeds import made


def noted(run_id: str, **fields: Any) -> Run:
    """A run with notes."""
    return replace(made(run_id, 0), notes=Notes(**fields))


RUNS = [
    noted("a", name="Thin strokes", tags=("ink",)),
    noted("b", note="It overfits", tags=("ink", "long")),
    noted("c", is_pinned=True),
]


@pytest.mark.parametrize(
    ("text", "tags", "found"),
    [
        ("", [], ["a", "b", "c"]),
        ("THIN", [], ["a"]),
        ("overf", [], ["b"]),
        ("long", [], ["b"]),
        ("simple thin", [], ["a"]),
        ("thin overfits", [], []),
        ("", ["ink"], ["a", "b"]),
        ("", ["ink", "long"], ["b"]),
        ("", ["in"], []),
    ],
)
def test_runs_are_found_by_what_is_said_of_them(
    text: str, tags: list[str], found: list[str]
) -> None:
    assert [run.run_id for run in find_runs(RUNS, text, tags)] == found


def test_pinned_runs_come_first_and_the_others_keep_their_order() -> None:
    assert [run.run_id for run in pinned_first(RUNS)] == ["c", "a", "b"]


def test_the_best_is_chosen_by_validation_and_never_by_the_test() -> None:
    runs = [made("low", 0, top1=0.9), made("high", 1, top1=0.1)]
    better = tuple({**row, "val_top1": 0.99} for row in runs[1].history)
    runs[1] = replace(runs[1], history=better)
    assert best_runs(runs) == {"high"}
    assert best_runs(runs[:1]) == set()
    (group,) = recipe_groups(runs)
    assert group.best is runs[1]
    assert group.val_top1 == 0.99


def test_none_is_best_where_nothing_was_validated() -> None:
    runs = [made("low", 0, top1=0.2), made("high", 1, top1=0.9)]
    unseen = [
        replace(
            run,
            config=run.config
            and run.config.model_copy(
                update={
                    "calibration": None,
                    "settings": run.config.settings.model_copy(
                        update={"val_fraction": 0.0}
                    ),
                }
            ),
            history=tuple(
                {k: v for k, v in row.items() if not k.startswith("val_")}
                for row in run.history
            ),
        )
        for run in runs
    ]
    assert best_runs(unseen) == set()
