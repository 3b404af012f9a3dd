"""The record names every run that was ever scored, each once."""

import json
from pathlib import Path

import pytest

from core.analysis.record import SCORED, make_record, read_scored
from core.errors import RunError
from core.paths import TRAINED_DIR
from core.runs.reading import read_run
from tests.conftest import REPOSITORY


def test_a_record_names_the_runs_of_earlier_ones_once(tmp_path: Path) -> None:
    simple, resnet18 = (read_run(TRAINED_DIR / name) for name in ("simple", "resnet18"))
    first = make_record([simple])["scored"]
    assert [row["run_id"] for row in first] == ["simple"]
    assert set(first[0]) == {*SCORED, "evaluated_at"}
    # A run of the same name that was scored before it, since lost.
    lost = {**first[0], "top1": 0.5, "evaluated_at": "2020-01-01T00:00:00+00:00"}
    file = tmp_path / "record.json"
    file.write_text(json.dumps({"scored": [*first, lost]}))
    record = make_record([simple], others=[resnet18], scored=read_scored(file))
    # In order of time.
    assert [(row["run_id"], row["top1"]) for row in record["scored"]] == [
        ("simple", 0.5),
        ("simple", first[0]["top1"]),
        ("resnet18", resnet18.metrics["top1"]),  # type: ignore[index]
    ]
    assert [row["run_id"] for row in record["runs"]] == ["simple"]
    # The same run under another name is no other score.
    copy = {**first[0], "run_id": "first"}
    assert make_record([simple], scored=[copy])["scored"] == [copy]


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"scored": [{"run_id": "a"}]}'])
def test_a_file_that_is_no_record_is_refused(content: str, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_text(content)
    with pytest.raises(RunError, match="holds no list `scored`"):
        read_scored(file)
    with pytest.raises(RunError, match="holds no list `scored`"):
        read_scored(tmp_path / "nothing.json")


def test_the_shipped_record_is_of_the_shipped_runs() -> None:
    shipped = [path.parent for path in TRAINED_DIR.glob("*/config.json")]
    file = REPOSITORY / "docs" / "trained.json"
    record = json.loads(file.read_text())
    made = make_record([read_run(path) for path in shipped], scored=read_scored(file))
    of_file, of_runs = (
        {row["run_id"]: (row["top1"], row["temperature"]) for row in found["runs"]}
        for found in (record, made)
    )
    assert of_file == of_runs
    assert made["scored"] == record["scored"]
