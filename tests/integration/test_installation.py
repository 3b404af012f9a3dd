"""Installations that lack what trains networks, or in which it can't be loaded."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from core.cli.examination import examine
from core.datasets.store import Dataset
from core.errors import SketchScopeError
from core.paths import TRAINED_DIR
from core.runs.folder import runs_dir
from core.runs.launch import check_installed
from core.runs.status import read_status
from tests.conftest import REPOSITORY, TINY_SETTINGS, Cli, cli_environment

TRAIN = (
    *("train", "simple", "--dataset=tiny", "--recipe=best", "--epochs=1"),
    *("--run-id=a", *TINY_SETTINGS),
)


@pytest.fixture
def without_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes Python look as if TensorFlow had not been installed."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setitem(sys.modules, "tensorflow", None)


def broken(folder: Path) -> Path:
    """Makes a TensorFlow that can't be loaded, as on a processor without AVX."""
    package = folder / "broken" / "tensorflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('DLL load failed')")
    return package.parent


def test_a_training_that_can_not_load_tensorflow_leaves_no_failed_run(
    tiny: Dataset, data_dir: Path, tmp_path: Path, cli: Cli
) -> None:
    environment = cli_environment(data_dir)
    path = os.pathsep.join([str(broken(tmp_path)), environment.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-m", "core", *TRAIN],
        cwd=REPOSITORY,
        env={**environment, "PYTHONPATH": path, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert "DLL load failed" in result.stderr
    assert "Traceback" not in result.stderr
    status = read_status(runs_dir(data_dir) / "a")
    assert status.state == "stopped"
    assert "DLL load failed" in status.message
    assert cli("train", "--resume", "a").code == 0


@pytest.mark.usefixtures("without_tensorflow")
def test_without_tensorflow_it_is_said_what_to_install() -> None:
    with pytest.raises(SketchScopeError, match=r"pip install -r requirements\.txt"):
        check_installed()


def test_doctor_knows_an_installation_for_looking_and_drawing(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def light_version(name: str) -> str:
        if name in ("tensorflow", "keras"):
            raise PackageNotFoundError
        return version(name)

    monkeypatch.setattr("core.cli.examination.version", light_version)
    [packages] = [
        finding
        for finding in examine(data_dir=data_dir, trained_dir=TRAINED_DIR)
        if finding.subject == "packages"
    ]
    assert packages.severity == "advice"
    assert "tensorflow is not installed" in packages.detail
    assert "requirements.txt" in packages.detail
