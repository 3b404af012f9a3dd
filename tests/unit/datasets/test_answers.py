"""Answers that visitors gave, kept if the owner wishes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.datasets.answers import (
    MAX_BYTES,
    Answer,
    allow_answers,
    answers_file,
    keep_answer,
    keeps_answers,
    read_answers,
)
from core.errors import SketchScopeError

ANSWER = Answer(
    sketches="0f",
    sketch="12",
    drawn="cat",
    choices=("cat", "dog"),
    said="dog",
    networks={"simple": "cat"},
)


def test_answers_are_kept_while_the_owner_wants_it(data_dir: Path) -> None:
    keep_answer(ANSWER, data_dir=data_dir)
    assert not data_dir.exists()
    allow_answers(True, data_dir=data_dir)
    keep_answer(ANSWER, data_dir=data_dir)
    allow_answers(False, data_dir=data_dir)
    keep_answer(ANSWER, data_dir=data_dir)
    assert not keeps_answers(data_dir)
    assert read_answers(data_dir).kept == (ANSWER,)


def test_many_at_once_are_kept_a_line_each(data_dir: Path) -> None:
    allow_answers(True, data_dir=data_dir)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: keep_answer(ANSWER, data_dir=data_dir), range(40)))
    assert len(answers_file(data_dir).read_text().splitlines()) == 40
    found = read_answers(data_dir)
    assert (found.kept, found.damaged) == ((ANSWER,) * 40, 0)


def test_damaged_lines_are_passed_over_and_the_next_is_whole(data_dir: Path) -> None:
    allow_answers(True, data_dir=data_dir)
    keep_answer(ANSWER, data_dir=data_dir)
    with answers_file(data_dir).open("ab") as stream:
        stream.write(b'\xff\n{"format_version": 9}\n{"sketches": "0')
    keep_answer(ANSWER, data_dir=data_dir)
    found = read_answers(data_dir)
    assert (found.kept, found.damaged) == ((ANSWER, ANSWER), 3)


def test_a_full_file_grows_no_more(data_dir: Path) -> None:
    allow_answers(True, data_dir=data_dir)
    answers_file(data_dir).write_bytes(b"x" * MAX_BYTES)
    keep_answer(ANSWER, data_dir=data_dir)
    assert answers_file(data_dir).stat().st_size == MAX_BYTES
    assert read_answers(data_dir).is_full


def test_a_file_that_cannot_be_read_or_written_is_told(data_dir: Path) -> None:
    allow_answers(True, data_dir=data_dir)
    answers_file(data_dir).mkdir()
    with pytest.raises(SketchScopeError, match="can't be written"):
        keep_answer(ANSWER, data_dir=data_dir)
    with pytest.raises(SketchScopeError, match="can't be read"):
        read_answers(data_dir)
