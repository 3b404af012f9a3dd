"""Trees of runs that came from one another, and what each training took."""

from dataclasses import replace
from typing import Any

from core.analysis.lineage import family_tree
from core.language import translations
from core.runs.config import Origin, Teacher
from core.runs.reading import Run
from core.sentences.lineage import tree_words
from tests.unit.analysis.test_seeds import made


def after(name: str, above: str, **fields: Any) -> Run:
    """A run that went on from another, perhaps as its branch."""
    run = made(name, 0)
    origin = Origin(run_id=above, weights_sha256="0" * 64, **fields)
    assert run.config is not None
    return replace(run, config=run.config.model_copy(update={"origin": origin}))


def taught(name: str, above: str) -> Run:
    """A run that learned from the answers of another."""
    run = made(name, 0)
    teacher = Teacher(run_id=above, weights_sha256="0" * 64, temperature=1.0)
    assert run.config is not None
    return replace(run, config=run.config.model_copy(update={"teacher": teacher}))


ROOT = made("root", 0)
HOURS = ROOT.history[-1]["elapsed_s"]
RUNS = [
    ROOT,
    after("second", "root", earlier_epochs=15, earlier_s=HOURS),
    after("branch", "second", epoch=5, earlier_epochs=15, earlier_s=HOURS),
    taught("pupil", "second"),
    after("sibling", "root", earlier_epochs=15, earlier_s=HOURS),
    made("stranger", 0),
]


def test_a_run_stands_between_what_it_came_from_and_what_came_from_it() -> None:
    tree = family_tree(RUNS[1], RUNS)
    assert [(one.run_id, one.depth, one.kin) for one in tree] == [
        ("root", 0, "root"),
        ("second", 1, "weights"),
        ("branch", 2, "branch"),
        ("pupil", 2, "taught"),
    ]
    assert tree[1].own_s == HOURS
    assert tree[1].total_s == 2 * HOURS
    # A branch has its origin's first epochs in its own history.
    assert tree[2].own_s == HOURS - ROOT.history[4]["elapsed_s"]
    told = tree_words(tree, translations("en")).splitlines()
    assert told[0].startswith("- **root**, begun at random: ")
    assert told[2].startswith("        - **branch**, branched after epoch 5: ")


def test_a_run_that_was_removed_is_named_and_no_circle_goes_on_for_ever() -> None:
    orphan = after("orphan", "gone")
    gone, own = family_tree(orphan, [orphan])
    assert (gone.run, gone.own_s, own.depth) == (None, None, 1)
    circle = [after("a", "b"), after("b", "a")]
    assert [one.run_id for one in family_tree(circle[0], circle)] == ["b", "a"]
    assert len(family_tree(RUNS[5], RUNS)) == 1
