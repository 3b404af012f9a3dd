"""Folders that are made and removed while others look at them."""

import os
from pathlib import Path
from typing import Any

import pytest

from core.files import new_folder, remove_tree


def test_a_folder_goes_although_a_file_is_written_into_it_at_the_last_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    rmdir = os.rmdir
    late = [folder / "log", folder / "status"]

    def interrupted(path: Any, *arguments: Any, **options: Any) -> None:
        if late:
            late.pop().touch()
        rmdir(path, *arguments, **options)

    monkeypatch.setattr(os, "rmdir", interrupted)
    remove_tree(folder)
    assert not late
    assert not folder.exists()


def test_a_folder_that_could_not_be_made_leaves_nothing(tmp_path: Path) -> None:
    def make_half() -> None:
        with new_folder(tmp_path / "made", prefix=".making-") as made:
            (made / "part").touch()
            raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        make_half()
    assert not list(tmp_path.iterdir())
