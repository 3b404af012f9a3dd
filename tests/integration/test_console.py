"""What commands print where the console has few signs, and of blank paper."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from core.datasets.starter import draw, render
from tests.conftest import REPOSITORY, cli_environment


def classify(data_dir: Path, *words: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "core", "classify", "--run", "simple", *words],
        cwd=REPOSITORY,
        env={**cli_environment(data_dir), "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=False,
    )


def test_names_that_the_console_lacks_are_escaped(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    picture = tmp_path / "日本 🐟é.png"
    Image.fromarray(render(draw("fish", generator), generator)).save(picture)
    blank = tmp_path / "白.png"
    Image.new("L", (300, 200), 255).save(blank)
    plain = classify(tmp_path, os.fspath(picture), os.fspath(blank))
    assert plain.returncode == 1
    assert rb"\u65e5\u672c \U0001f41f" + "é".encode("cp1252") in plain.stdout
    assert rb"\u767d.png is blank" in plain.stderr
    assert b"Traceback" not in plain.stderr
    told = classify(tmp_path, "--json", os.fspath(picture), os.fspath(blank))
    rows = json.loads(told.stdout)
    assert [Path(row["file"]) for row in rows] == [picture, blank]
    assert "is blank" in rows[1]["error"]
