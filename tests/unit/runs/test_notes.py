"""What its owner notes of a run, and that nothing else depends on it."""

import os
import shutil
from pathlib import Path

import pytest

from core.errors import RunError
from core.paths import TRAINED_DIR
from core.runs.copies import export_run, promote
from core.runs.folder import CONFIG, HISTORY, METRICS_FILE, clear_leftovers
from core.runs.notes import NOTES, Notes, change_notes
from core.runs.reading import Known, Run, list_runs, read_run


@pytest.fixture
def run_dir(data_dir: Path) -> Path:
    """A copy of a run that ships, as one's own."""
    return Path(shutil.copytree(TRAINED_DIR / "simple", data_dir / "runs" / "mine"))


def test_what_is_noted_of_a_run_is_read_with_it(run_dir: Path) -> None:
    assert read_run(run_dir).notes == Notes()
    change_notes(run_dir, name="  My \t first ", tags=["a", "b b", "a"])
    change_notes(run_dir, note="One\r\n\x1b[31mtwo\n", is_pinned=True)
    run = read_run(run_dir)
    assert (run.run_id, run.name) == ("mine", "My first")
    assert run.notes.tags == ("a", "b b")
    assert run.notes.note == "One\n [31mtwo"
    assert run.notes.is_pinned
    change_notes(run_dir, name="")
    assert read_run(run_dir).name == "mine"


def test_damaged_notes_are_one_sentence_and_lose_nothing_else(run_dir: Path) -> None:
    whole = read_run(run_dir)
    (run_dir / NOTES).write_text('{"name": 3', encoding="utf-8")
    run = read_run(run_dir)
    assert run.problem.startswith(f"{run_dir / NOTES} is damaged.")
    assert run.problem.endswith("Mend or delete the file.")
    assert (run.state, run.history, run.metrics, run.config) == (
        *(whole.state, whole.history, whole.metrics, whole.config),
    )
    with pytest.raises(RunError, match=r"damaged.*Mend or delete"):
        change_notes(run_dir, note="lost otherwise")
    assert (run_dir / NOTES).read_text(encoding="utf-8") == '{"name": 3'


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x" * 61},
        {"note": "x" * 2001},
        {"tags": ["x" * 31]},
        {"tags": [" "]},
        {"tags": [f"tag {number}" for number in range(13)]},
        {"note": 3},
    ],
)
def test_what_is_too_long_is_refused_and_changes_nothing(
    run_dir: Path, fields: dict[str, object]
) -> None:
    change_notes(run_dir, name="Kept")
    with pytest.raises(RunError, match=next(iter(fields))):
        change_notes(run_dir, **fields)
    assert read_run(run_dir).notes == Notes(name="Kept")


def test_a_run_that_ships_is_not_noted_upon() -> None:
    with pytest.raises(RunError, match="ships with the program"):
        change_notes(TRAINED_DIR / "simple", name="Mine")
    assert not (TRAINED_DIR / "simple" / NOTES).exists()


def test_copies_keep_what_is_noted(run_dir: Path, data_dir: Path) -> None:
    noted = change_notes(run_dir, note="Kept", tags=["best"])
    copies = [
        export_run(run_dir, data_dir / "exported"),
        promote(run_dir, "kept", data_dir=data_dir),
    ]
    assert [read_run(copy).notes for copy in copies] == [noted, noted]


def test_notes_that_are_written_while_a_training_ends_are_written(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core import files

    rename = files.rename
    spoiled: list[Path] = []

    def rename_after_training(source: Path, target: Path) -> None:
        if not spoiled:
            spoiled.append(source)
            clear_leftovers(run_dir)
        rename(source, target)

    monkeypatch.setattr(files, "rename", rename_after_training)
    change_notes(run_dir, note="Kept")
    assert spoiled
    assert read_run(run_dir).notes.note == "Kept"


def test_noting_something_leaves_the_order_of_runs_as_it_was(
    run_dir: Path, data_dir: Path
) -> None:
    shutil.copytree(run_dir, data_dir / "runs" / "later")
    os.utime(run_dir, (1, 1))
    change_notes(run_dir, note="Old")
    runs = list_runs(data_dir=data_dir, trained_dir=data_dir / "none")
    assert [run.run_id for run in runs] == ["later", "mine"]


@pytest.mark.parametrize("name", [CONFIG, HISTORY, METRICS_FILE, NOTES])
def test_a_run_that_was_read_before_is_read_again_once_a_file_changes(
    run_dir: Path, data_dir: Path, name: str
) -> None:
    change_notes(run_dir, note="First")
    known: Known = {}

    def listed() -> Run:
        return list_runs(data_dir=data_dir, trained_dir=data_dir / "none", known=known)[
            0
        ]

    first = listed()
    assert listed() is first
    text = (run_dir / name).read_text(encoding="utf-8")
    (run_dir / name).write_text(f"{text} ", encoding="utf-8")
    assert listed() is not first
    (run_dir / name).write_text("{", encoding="utf-8")
    assert listed().problem
    assert not known
