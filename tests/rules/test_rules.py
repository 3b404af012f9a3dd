"""The rules that the code promises to keep."""

import ast
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.runs.recipes import RECIPES
from models import NETWORKS
from tests.conftest import PAGES, REPOSITORY, Cli, cli_environment

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def loaded_modules(program: str, data_dir: Path) -> set[str]:
    """Runs a program and returns the modules that it has loaded."""
    result = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        cwd=REPOSITORY,
        env=cli_environment(data_dir),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(result.stdout.split())


def test_core_never_imports_streamlit(data_dir: Path) -> None:
    program = (
        "import importlib, pkgutil, core\n"
        "for module in pkgutil.walk_packages(core.__path__, 'core.'):\n"
        "    if module.name != 'core.__main__':\n"
        "        importlib.import_module(module.name)"
    )
    loaded = loaded_modules(program, data_dir)
    assert "core.training.train" in loaded
    assert "streamlit" not in loaded


@pytest.mark.parametrize(
    "module",
    [
        "core.cli.app",
        "core.runs.folder",
        "core.runs.reading",
        "core.runs.create",
        "core.runs.evaluation",
        "core.runs.config",
        "core.datasets.drawings",
        "core.inference.classify",
        "core.inference.explain",
        "core.training.work",
        "core.runs.copies",
        "core.runs.neighbours",
        "core.inference.excitation",
        "core.datasets.sources",
        "models",
    ],
)
def test_reading_needs_no_tensorflow(module: str, data_dir: Path) -> None:
    loaded = loaded_modules(f"import {module}", data_dir)
    assert not {"tensorflow", "keras", "jax", "sklearn"} & loaded


def test_pages_change_things_through_actions_only() -> None:
    guarded = re.findall(
        r"^(\w+) = _for_the_owner",
        (REPOSITORY / "pages/shared/actions.py").read_text(),
        flags=re.MULTILINE,
    )
    assert {"create_run", "launch_training", "launch_sweep", "save_drawing"} <= set(
        guarded
    )
    # What else changes the data folder and is no page's business.
    hidden = {"train_run_dir", "evaluate_run_dir", "index_run_dir", "install"}
    # What visitors may, with the owner's consent.
    hidden.add("keep_answer")
    for path in (REPOSITORY / "pages").rglob("*.py"):
        if path.name == "actions.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "")[:4] == "core":
                names = {alias.name for alias in node.names}
                assert not names & {*guarded, *hidden}, path


def test_no_page_loads_tensorflow(data_dir: Path) -> None:
    program = (
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('dashboard.py', default_timeout=600).run()\n"
        f"for name in {PAGES[1:]}:\n"
        "    app.switch_page(f'pages/{name}.py').run()\n"
        "    assert app.title[0].value == name.capitalize() and not app.exception"
    )
    loaded = loaded_modules(program, data_dir)
    assert {"pages.shared.chart", "onnxruntime"} <= loaded
    # A report is made for those who ask for it.
    assert not {"tensorflow", "keras", "jax", "core.report"} & loaded


def test_the_first_guess_waits_for_no_library_of_figures(data_dir: Path) -> None:
    program = (
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('dashboard.py', default_timeout=600)\n"
        "app.switch_page('pages/draw.py').run()\n"
        "assert app.title[0].value == 'Draw' and not app.exception"
    )
    loaded = loaded_modules(program, data_dir)
    assert {"pages.shared.why", "onnxruntime"} <= loaded
    assert not {"sklearn", "scipy.stats", "skimage"} & loaded


def test_classifying_loads_no_tensorflow(data_dir: Path) -> None:
    program = (
        "import numpy as np\n"
        "from core.inference.classify import Classifier, best_run\n"
        "from core.inference.explain import heat_map, occlusion_map\n"
        "from core.paths import TRAINED_DIR, data_dir\n"
        "classifier = Classifier(\n"
        "    best_run(data_dir=data_dir(), trained_dir=TRAINED_DIR))\n"
        "sketch = np.tri(128, dtype=np.uint8) * 255\n"
        "analysis = classifier.analyse(sketch[None])\n"
        "heat_map(classifier, analysis, label=0)\n"
        "occlusion_map(classifier, sketch, label=0)"
    )
    loaded = loaded_modules(program, data_dir)
    assert "onnxruntime" in loaded
    assert not {"tensorflow", "keras", "jax", "sklearn", "scipy"} & loaded


LISTING_LIBRARIES = "numpy, pydantic, typer, rich.progress, psutil, filelock, PIL.Image"


@pytest.mark.alone
def test_listing_runs_takes_little_longer_than_its_libraries(data_dir: Path) -> None:
    def seconds(*words: str) -> float:
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, *words],
            cwd=REPOSITORY,
            env=cli_environment(data_dir),
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - started

    # In turn: how fast this machine is just now meets both alike.
    pairs = [
        (
            seconds("-c", f"import {LISTING_LIBRARIES}"),
            seconds("-m", "core", "runs", "list"),
        )
        for _ in range(4)
    ]
    assert min(listing / libraries for libraries, listing in pairs) < 1.75, pairs


def test_one_dnn_is_on_before_tensorflow_is_loaded(data_dir: Path) -> None:
    program = "import core, os; assert os.environ['TF_ENABLE_ONEDNN_OPTS'] == '1'"
    assert "core" in loaded_modules(program, data_dir)


@pytest.mark.parametrize("name", [*NETWORKS, *RECIPES])
def test_every_network_and_recipe_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


def test_every_command_of_the_documents_exists(cli: Cli) -> None:
    documents = [README, *(path.read_text() for path in REPOSITORY.glob("docs/*.md"))]
    named = re.findall(r"python -m core ([a-z-]+) ?([a-z]*)", "\n".join(documents))
    groups = ("dataset", "drawings", "owner", "runs")
    commands = {(word, part) if word in groups else (word,) for word, part in named}
    assert len(commands) > 8
    for command in commands:
        assert cli(*command, "--help").code == 0, command


def test_ci_runs_the_readme_s_test_command() -> None:
    command = "python -m pytest"
    assert command in README
    assert f"\n{command}\n" in (REPOSITORY / ".ci" / "run").read_text()


def test_no_number_of_classes_is_written_into_the_core() -> None:
    for path in (REPOSITORY / "core").rglob("*.py"):
        if path.name not in ("eitz.py", "tu_berlin.py"):
            assert not re.search(r"\b250\b", path.read_text()), path
