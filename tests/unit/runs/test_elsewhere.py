"""A run folder from elsewhere holds whatever somebody put there."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.cli.console import out
from core.errors import RunError
from core.language import printable
from core.paths import TRAINED_DIR
from core.runs.copies import export_run, promote
from core.runs.evaluation import CLASSES, PREDICTIONS, read_evaluation
from core.runs.folder import CONFIG, HISTORY, METRICS_FILE, STATUS, WEIGHTS
from core.runs.launch import LOG, read_log
from core.runs.neighbours import NEIGHBOURS, read_neighbours
from core.runs.reading import list_runs, read_run
from core.runs.weights import read_tensors, save_tensors


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


@pytest.fixture
def run_dir(data_dir: Path) -> Path:
    path = data_dir / "runs" / "given"
    shutil.copytree(TRAINED_DIR / "simple", path)
    (path / STATUS).write_text('{"state": "trained"}', encoding="utf-8")
    return path


@pytest.mark.parametrize("make", [pipe, endless, folder])
@pytest.mark.parametrize(
    "name",
    [CONFIG, STATUS, HISTORY, METRICS_FILE, PREDICTIONS, NEIGHBOURS, WEIGHTS, LOG],
)
def test_no_reader_of_a_run_waits_or_fills_the_memory(
    name: str, make: Callable[[Path], None], run_dir: Path, data_dir: Path
) -> None:
    (run_dir / name).unlink(missing_ok=True)
    make(run_dir / name)
    list_runs(data_dir=data_dir, trained_dir=TRAINED_DIR)
    read_log(run_dir / LOG)
    problem = read_run(run_dir).problem
    assert bool(problem) == (name in (CONFIG, STATUS, HISTORY, METRICS_FILE))
    readers: dict[str, Callable[[Path], object]] = {
        PREDICTIONS: read_evaluation,
        NEIGHBOURS: read_neighbours,
        WEIGHTS: lambda path: read_tensors(path / WEIGHTS),
    }
    if name in readers:
        with pytest.raises(RunError):
            readers[name](run_dir)


@pytest.mark.parametrize("name", [CLASSES, "more/secret.txt"])
def test_no_copy_holds_what_a_run_links_to(
    name: str, run_dir: Path, data_dir: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("root:x:0:0", encoding="utf-8")
    link = run_dir / name
    link.unlink(missing_ok=True)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(secret)
    with pytest.raises(RunError, match="is a link or no file"):
        export_run(run_dir, tmp_path / "copy")
    with pytest.raises(RunError, match="is a link or no file"):
        promote(run_dir, "kept", data_dir=data_dir)
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b]0;title\x07b", r"a\x1b]0;title\x07b"),
        ("\x9b31m", r"\x9b31m"),
        ("gnp\u202egpj", r"gnp\u202egpj"),
        ("line\nline\ttab", "line\nline\ttab"),
        ("niño 日本 👩‍🎨", "niño 日本 👩‍🎨"),
    ],
)
def test_what_steers_a_terminal_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown
    with out.capture() as captured:
        out.print(text, highlight=False, markup=False)
    assert captured.get() == f"{shown}\n".expandtabs()


def test_a_full_disk_is_the_system_s_error_for_tensors_too(tmp_path: Path) -> None:
    # Nothing may grow beyond a thousand bytes, which ends a write as a full disk does.
    code = (
        "import resource, signal, sys; from pathlib import Path; import numpy as np;"
        "from core.runs.weights import save_tensors;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: save_tensors({'a': np.zeros(9999)}, Path(sys.argv[1]), {})\n"
        "except OSError as error: sys.exit(error.errno)"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "x.safetensors")]
    assert subprocess.run(words, check=False).returncode == errno.EFBIG


def test_a_variable_without_dimensions_keeps_having_none(tmp_path: Path) -> None:
    save_tensors({"step": np.array(7)}, tmp_path / "x.safetensors", {})
    tensors, _ = read_tensors(tmp_path / "x.safetensors")
    assert tensors["step"].shape == ()
