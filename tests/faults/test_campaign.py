"""The campaign against faults, in its quick form."""

import json
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.slow
def test_no_command_leaves_anything_that_the_next_can_not_mend() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tests.faults.campaign", "--sample=4", "--json"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    rows = json.loads(result.stdout)
    failures = [failure for row in rows for failure in row["failures"]]
    assert not failures, (failures, result.stderr[-2000:])
    assert result.returncode == 0
    assert {row["fault"] for row in rows} == {"kill", "full disk"}
    assert sum(row["tried"] for row in rows) >= 50
