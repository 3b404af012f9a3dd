"""The campaign of bad input, in its quick form."""

from pathlib import Path

import pytest

from tests.faults.bad_input import KINDS, campaign


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_is_bad_is_taken_or_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKETCHSCOPE_DATA", str(tmp_path / "none"))
    rows = list(campaign(tmp_path, cases=60, seed=1))
    assert [row["kind"] for row in rows] == list(KINDS)
    assert [failure for row in rows for failure in row["failures"]] == []
    assert sum(row["tried"] for row in rows) >= 400
    # It feeds what can be taken as well as what can't.
    assert sum(row["taken"] for row in rows) > 50
    assert sum(row["refused"] for row in rows) > 100
