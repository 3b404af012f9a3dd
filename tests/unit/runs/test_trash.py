"""The trash: a run that was removed can be put back until it is emptied."""

from pathlib import Path

import pytest

from core.cli.examination import examine
from core.errors import RunError
from core.paths import TRAINED_DIR
from core.runs.folder import remove_run, restore_run, runs_dir, trash_dir


def make(data_dir: Path, run_id: str, content: str = "{}") -> Path:
    path = runs_dir(data_dir) / run_id
    path.mkdir(parents=True)
    (path / "config.json").write_text(content)
    return path


def test_a_run_comes_back_as_it_was(data_dir: Path) -> None:
    path = make(data_dir, "a-run", "whole")
    removed = remove_run("a-run", data_dir=data_dir)
    assert not path.exists()
    assert restore_run(removed, data_dir=data_dir) == "a-run"
    assert (path / "config.json").read_text() == "whole"
    with pytest.raises(RunError, match="no longer in the trash"):
        restore_run(removed, data_dir=data_dir)


def test_a_run_replaces_none_that_has_its_name_now(data_dir: Path) -> None:
    make(data_dir, "mine", "old")
    removed = remove_run("mine", data_dir=data_dir)
    make(data_dir, "mine", "new")
    with pytest.raises(RunError, match="another run"):
        restore_run(removed, data_dir=data_dir)
    # Both may be in the trash, and the older one can come back then.
    remove_run("mine", data_dir=data_dir)
    restore_run(removed, data_dir=data_dir)
    assert (runs_dir(data_dir) / "mine" / "config.json").read_text() == "old"


def test_nothing_from_elsewhere_is_put_back(data_dir: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "1-elsewhere"
    elsewhere.mkdir()
    with pytest.raises(RunError, match="no longer in the trash"):
        restore_run(elsewhere, data_dir=data_dir)


def test_doctor_empties_the_trash(data_dir: Path) -> None:
    make(data_dir, "mine")
    removed = remove_run("mine", data_dir=data_dir)
    found = [
        finding
        for finding in examine(data_dir=data_dir, trained_dir=TRAINED_DIR)
        if finding.subject == "trash"
    ]
    assert len(found) == 1
    assert found[0].mend is not None
    found[0].mend()
    assert not removed.exists()
    assert not list(trash_dir(data_dir).iterdir())
