"""The cards of the networks that ship say what their files say."""

import shutil
from pathlib import Path

import pytest

from core.errors import RunError
from core.paths import TRAINED_DIR
from core.report.card import make_card
from core.runs.folder import METRICS_FILE, ROBUSTNESS
from core.runs.reading import read_run


@pytest.mark.parametrize("name", ["simple", "resnet18"])
def test_the_card_beside_a_shipped_network_is_up_to_date(name: str) -> None:
    path = TRAINED_DIR / name
    card = (path / "README.md").read_text(encoding="utf-8")
    assert card == make_card(read_run(path)), f"`python -m core runs card {name}`"


def test_a_card_tells_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    shutil.copytree(TRAINED_DIR / "simple", path)
    (path / ROBUSTNESS).unlink()
    assert "Not measured." in make_card(read_run(path))
    (path / METRICS_FILE).unlink()
    with pytest.raises(RunError, match="not evaluated yet"):
        make_card(read_run(path))
