"""A network, a metric, a page and a dataset source are one file and one row each.

The files and rows are those of CONTRIBUTING.md, added to a copy of the project.
"""

import ast
import json
import re
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from models import NETWORKS
from tests.conftest import REPOSITORY, TINY_SETTINGS, cli_environment

pytestmark = pytest.mark.xdist_group("one row")

BLOCK = re.compile(r"^```python\n# ([\w/.]+)(?:, (\w+))?\n(.*?)^```$", re.M | re.S)
KEPT = "models/trained/simple/"
"""The run that stays in the copy, whose evaluation knows nothing of a new metric."""

LEFT_OUT = ("models/trained/", "tests/", "docs/")

COMMANDS = f"""
import contextlib, io, json, sys
from pathlib import Path
from core.cli.app import app

def run(*words):
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        try:
            app(words, standalone_mode=False)
        except SystemExit as end:
            assert not end.code, (words, end.code)
    return text.getvalue()

said = {{
    "sources": run("dataset", "add"),
    "squares": run("dataset", "add", "squares"),
    "starter": run("dataset", "add", "starter"),
    "datasets": json.loads(run("dataset", "list", "--json")),
    "train": run("train", "tiny", "--dataset", "starter", "--epochs", "1",
                 "--run-id", "tiny", "--no-evaluate", *{TINY_SETTINGS!r}),
    "metrics": json.loads(run("evaluate", "tiny", "--json")),
    "show": run("runs", "show", "tiny"),
    "list": run("runs", "list"),
    "runs": json.loads(run("runs", "list", "--json")),
    "export": json.loads(run("export", "tiny", "--format", "onnx", "--json")),
}}
run("report", "tiny", "--output", sys.argv[1])
said["report"] = (Path(sys.argv[1]) / "report.html").read_text()
print(json.dumps(said))
"""

PAGES = """
import io, json
from streamlit.testing.v1 import AppTest
from core.datasets.starter import find_starter
from PIL import Image

source, picture = find_starter(), io.BytesIO()
Image.fromarray(source.read(source.records[0])).save(picture, "PNG")
app = AppTest.from_file("dashboard.py", default_timeout=120).run()
seen = {}

def look(name):
    assert not app.exception, (name, app.exception)
    nodes, drawn = [app.main], []
    while nodes:
        node = nodes.pop()
        nodes += getattr(node, "children", {}).values()
        drawn.append(str(getattr(node, "proto", "")))
    seen[name] = {
        "title": app.title[0].value,
        "subheaders": [element.value for element in app.subheader],
        "metrics": {element.label: element.value for element in app.metric},
        "choices": [word for one in app.segmented_control for word in one.options],
        "drawn": "".join(drawn).lower(),
    }

look("home")
app.switch_page("pages/runs.py").run()
look("runs page")
table = app.dataframe[0].value
seen["runs"] = json.loads(table.to_json(orient="records"))
for name in ("train", "hours", "dataset"):
    app.switch_page(f"pages/{name}.py").run()
    look(name)
app.query_params["run"] = "tiny"
app.switch_page("pages/classes.py").run()
look("classes")
app.switch_page("pages/inside.py").run()
look("inside")
app.query_params.clear()
app.query_params["networks"] = ["tiny"]
app.switch_page("pages/draw.py").run()
app.file_uploader(key="draw_upload").set_value(
    ("key.png", picture.getvalue(), "image/png")
).run()
look("draw")
print(json.dumps(seen))
"""


def add_row(path: Path, table: str, text: str) -> None:
    """Adds a row at the end of a table of a module, and the imports before it."""
    imports = re.findall(r"^from .*\n", text, re.M)
    row = re.sub(r"^from .*\n+", "", text, flags=re.M).rstrip() + ",\n"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    tree = ast.parse("".join(lines))
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else node
        target = getattr(target, "target", target)
        if isinstance(target, ast.Name) and target.id == table:
            value: Any = node.value  # type: ignore[attr-defined]
            break
    if isinstance(value, ast.DictComp):
        value = value.generators[0].iter
    last = (value.values if isinstance(value, ast.Dict) else value.elts)[-1]
    lines.insert(last.end_lineno or 0, row)
    first = next(n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom))
    lines[first.lineno - 1 : first.lineno - 1] = imports
    path.write_text("".join(lines), encoding="utf-8")


def run(program: str, *words: str | Path, place: Path, data_dir: Path) -> Any:
    """Runs a program in a folder and returns the JSON of its last line."""
    result = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        cwd=place,
        env=cli_environment(data_dir),
        capture_output=True,
        text=True,
        check=False,
    )
    assert not result.returncode, result.stderr[-3000:]
    return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the four files and rows of CONTRIBUTING.md."""
    place = tmp_path_factory.mktemp("copy")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in listed:
        if name.startswith(KEPT) or not name.startswith(LEFT_OUT):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, place / name)
    blocks = BLOCK.findall((REPOSITORY / "CONTRIBUTING.md").read_text("utf-8"))
    files = [name for name, table, _ in blocks if not table]
    assert len(files) == len(blocks) - len(files) == 4
    for name, table, text in blocks:
        if table:
            add_row(place / name, table, text)
        else:
            assert not (place / name).exists()
            (place / name).write_text(text, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the copy writes to."""
    return tmp_path_factory.mktemp("written")


@pytest.fixture(scope="module")
def said(copy: Path, data_folder: Path) -> Any:
    """What commands print that use all four."""
    return run(COMMANDS, data_folder / "report", place=copy, data_dir=data_folder)


@pytest.fixture(scope="module")
def seen(said: Any, copy: Path, data_folder: Path) -> Any:
    """What the pages show then."""
    return run(PAGES, place=copy, data_dir=data_folder)


@pytest.mark.slow
def test_a_network_is_one_file_and_one_row(said: Any, seen: Any) -> None:
    assert said["metrics"]["network"] == "tiny"
    assert said["metrics"]["n"] == 400
    assert said["export"]["format"] == "onnx"
    colour = "#9b59b6"
    assert all(name in seen["home"]["drawn"] for name in ("tiny", "simple", colour))
    assert "Tiny" in seen["train"]["choices"]
    for page in ("classes", "draw"):
        assert colour in seen[page]["drawn"], page
    assert "416 parameters" in seen["inside"]["drawn"]
    assert re.search(r"channel \d+ of conv", seen["inside"]["drawn"])
    assert f".network-tiny {{ --network: {colour}; }}" in said["report"].lower()


@pytest.mark.slow
def test_a_metric_is_one_file_and_one_row(said: Any, seen: Any) -> None:
    score = said["metrics"]["brier"]
    assert 0 < score < 2
    assert f"Brier score: {score:.3f}" in said["show"]
    assert "brier" in said["list"]
    assert {run["run_id"]: run["brier"] for run in said["runs"]} == {
        "tiny": score,
        "simple": None,
    }
    assert {run["Run"]: run["Test Brier"] for run in seen["runs"]} == {
        "tiny": pytest.approx(score),
        "simple": None,
    }
    assert re.search(rf"Brier score.*?{score:.3f}", said["report"], re.S)


@pytest.mark.slow
def test_a_page_is_one_file_and_one_row(seen: Any) -> None:
    assert seen["hours"]["title"] == "Hours"
    assert float(seen["hours"]["metrics"]["Hours of training"]) > 0


@pytest.mark.slow
def test_a_dataset_source_is_one_file_and_one_row(said: Any, seen: Any) -> None:
    assert "Squares of two sizes." in said["sources"]
    assert "2 classes, 56 training and 8 test sketches" in said["squares"]
    kinds = {row["name"]: row["kind"] for row in said["datasets"]}
    assert kinds == {"squares": "squares", "starter": "starter"}
    assert "squares of two sizes." in seen["dataset"]["drawn"]


def luminance(colour: str) -> float:
    """Relative luminance of a colour, as WCAG 2 has it."""
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_each_network_has_a_colour_that_stands_out() -> None:
    for spec in NETWORKS.values():
        for ground in ("#ffffff", "#0e1117", "#14171b"):
            dark, light = sorted((luminance(spec.colour), luminance(ground)))
            assert (light + 0.05) / (dark + 0.05) >= 3, (spec.name, ground)
    for one, two in combinations(NETWORKS.values(), 2):
        assert one.colour.lower() != two.colour.lower()


def test_nothing_but_its_row_names_a_network() -> None:
    named = re.compile(
        rf"[\"'`|]({'|'.join(NETWORKS)})[\"'`|]|core \S+ ({'|'.join(NETWORKS)})\b"
    )
    paths = [REPOSITORY / "dashboard.py"]
    paths += [
        p for room in ("core", "pages") for p in (REPOSITORY / room).rglob("*.py")
    ]
    for path in paths:
        assert not named.search(path.read_text(encoding="utf-8")), path
