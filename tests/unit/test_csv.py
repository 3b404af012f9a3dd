"""Tables as CSV, as a spreadsheet opens them."""

import csv
import io
import tomllib

import pytest

from core.files import to_csv
from tests.conftest import REPOSITORY


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_column_that_a_row_lacks_stays_empty() -> None:
    text = to_csv([{"Class": "sun", "n": 3}, {"Class": "key", "Top": 0.5}])
    assert read(text) == [["Class", "n", "Top"], ["sun", "3", ""], ["key", "", "0.5"]]


def test_no_rows_are_an_empty_file() -> None:
    assert to_csv([]).strip() == ""


@pytest.mark.parametrize(
    "name", ['=HYPERLINK("a")', "+1", "-sun", "@sum", "\t=1", "\r=1", "\n=1", "＝1"]
)
def test_a_name_that_begins_like_a_formula_is_text(name: str) -> None:
    header, row = read(to_csv([{name: name, "Change": -1.5}]))
    assert header == [f"'{name}", "Change"]
    assert row == [f"'{name}", "-1.5"]


def test_signs_within_a_name_are_left_alone() -> None:
    assert read(to_csv([{"Class": "bear (a-b)"}]))[1] == ["bear (a-b)"]


def test_no_csv_that_people_open_is_written_in_another_way() -> None:
    writers = {
        path.relative_to(REPOSITORY).as_posix()
        for room in ("core", "pages")
        for path in (REPOSITORY / room).rglob("*.py")
        if "csv.writer(" in path.read_text() or "csv.DictWriter(" in path.read_text()
    }
    # A dataset's index is read by this program alone, which would read the apostrophe.
    assert writers == {"core/files.py", "core/datasets/install.py"}
    text = (REPOSITORY / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["client"]["disableDataExport"]
