"""What all tests share: a small dataset, the command line, the real sketches."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings
from PIL import Image

from core.datasets.folders import find_folders
from core.datasets.install import install
from core.datasets.sources import add_dataset
from core.datasets.starter import draw, render
from core.datasets.store import Dataset, open_dataset
from core.paths import TRAINED_DIR
from core.runs.evaluation import read_evaluation
from core.runs.folder import lock_run
from core.runs.status import Status, write_status
from tests.preloaded import Process, preloaded
from tests.swept import train_two_of_three

# A busy machine is no fault of the code that is tested.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# All that is computed here is tiny and several tests run at once: threads would mostly
# wait for one another, each at all of the thousand steps of a t-SNE of 16 points.
for name in ("OMP_NUM", "OPENBLAS_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
    os.environ.setdefault(f"{name}_THREADS", "1")

# Some hundred processes load TensorFlow. What one has compiled, the others find.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = tuple(
    re.findall(
        r'^    "(\w+)": \(N_',
        (REPOSITORY / "dashboard.py").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
)
"""The pages' scripts, in the order of the navigation."""

TINY_CLASSES = ("house", "key", "spider", "sun")
TINY_PER_CLASS = 20

HISTORY_ROW = (
    '{"epoch": 1, "step": 3, "loss": 1.5, "top1": 0.25, "val_loss": 1.4, '
    '"val_top1": 0.5, "elapsed_s": 2.0}'
)

TINY_SETTINGS = (
    "--set=image_sizes=[32]",
    "--set=batch_size=16",
    "--set=val_fraction=0.25",
    "--set=deterministic=true",
)
"""Settings with which a step takes milliseconds and repeats bit for bit."""

HANGING_S = 600
"""Whoever takes longer hangs; a slow machine takes long for nothing else."""

LONGEST_NAME = 60
"""Characters of a text that a test is named after."""

JAX_FLAGS = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)
"""XLA spends most of its time on making quick what here runs for a moment."""

JAX = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": JAX_FLAGS}
"""What the environment of a training on JAX holds."""

LIBRARIES = "tests.libraries"
"""The module that imports what the commands of the tests find loaded."""


@dataclass(frozen=True)
class Completed:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document."""
        return json.loads(self.out)


Cli = Callable[..., Completed]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two tests at once, but where single files or tests are asked for."""
    is_folder = (Path(word.split("::")[0]).is_dir() for word in config.args)
    return 2 if any(is_folder) else 0


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names a test after the beginning of a long text, not after megabytes of it."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_NAME:
        return f"{val[:LONGEST_NAME]!a} and so on"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts slow tests first and those that want no other beside them last.

    So both workers end at about the same time.
    """

    def place(item: pytest.Item) -> tuple[bool, bool]:
        is_alone, is_slow = (
            item.get_closest_marker(name) is not None for name in ("alone", "slow")
        )
        return is_alone, not is_slow

    items.sort(key=place)


@pytest.fixture(autouse=True)
def turn(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Lets no other test run meanwhile where one measures time."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    import fcntl

    is_alone = request.node.get_closest_marker("alone") is not None
    # The folder that all workers share.
    with (tmp_path_factory.getbasetemp().parent / "turn").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH)
        yield


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """Ends the commands that a test has started and not waited for."""
    yield
    while _started:
        process = _started.pop()
        process.kill()
        process.wait()
    while _held:
        _held.popitem()[1].release()


@pytest.fixture(scope="session")
def tiny_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of four class folders of drawings."""
    folder = tmp_path_factory.mktemp("pictures")
    for label, name in enumerate(TINY_CLASSES):
        (folder / name).mkdir()
        for number in range(TINY_PER_CLASS):
            generator = np.random.default_rng([label, number])
            sketch = render(draw(name, generator), generator)
            Image.fromarray(sketch).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty folder for what the program writes."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def tiny_files(tiny_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds nothing but the tiny dataset."""
    folder = tmp_path_factory.mktemp("tiny")
    install(find_folders(tiny_pictures), "tiny", data_dir=folder)
    return folder


@pytest.fixture
def tiny(tiny_files: Path, data_dir: Path) -> Dataset:
    """A dataset of 4 classes, 64 training and 16 test sketches, installed."""
    shutil.copytree(tiny_files, data_dir, dirs_exist_ok=True)
    return open_dataset("tiny", data_dir=data_dir)


@pytest.fixture(scope="session")
def starter_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds nothing but the starter dataset."""
    folder = tmp_path_factory.mktemp("starter")
    add_dataset("starter", data_dir=folder)
    return folder


@pytest.fixture
def starter(starter_files: Path, data_dir: Path) -> Dataset:
    """The starter dataset, installed."""
    shutil.copytree(starter_files, data_dir, dirs_exist_ok=True)
    return open_dataset("starter", data_dir=data_dir)


@pytest.fixture(scope="session")
def swept_files(tiny_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a sweep of three trials, two of them finished."""
    folder = tmp_path_factory.mktemp("swept")
    install(find_folders(tiny_pictures), "tiny", data_dir=folder)
    train_two_of_three(folder)
    return folder


@pytest.fixture
def swept(swept_files: Path, data_dir: Path) -> Path:
    """The data folder with that sweep."""
    shutil.copytree(swept_files, data_dir)
    return data_dir


@pytest.fixture
def cli(data_dir: Path) -> Cli:
    """Runs `python -m core …` in a process of its own."""

    return partial(run_command, data_dir)


def run_command(
    data_dir: Path, *arguments: str | Path, timeout_s: float = HANGING_S
) -> Completed:
    """Runs `python -m core …` on a data folder, in a process of its own."""
    result = preloaded(LIBRARIES).run(
        ["-m", "core", *map(str, arguments)],
        env=cli_environment(data_dir),
        timeout=timeout_s,
    )
    return Completed(result.returncode, result.stdout, result.stderr)


def start_command(data_dir: Path, *words: str) -> Process:
    """Starts `python -m core …`, whose output goes nowhere, for as long as a test."""
    process = preloaded(LIBRARIES).start(
        ["-m", "core", *words], env=cli_environment(data_dir)
    )
    _started.append(process)
    return process


_started: list[Process] = []


def pretend(run_dir: Path, status: Status) -> None:
    """Says that this process is at work on a run, and holds its lock for the test."""
    write_status(run_dir, status)
    _held[run_dir] = lock_run(run_dir)


def end_pretending(run_dir: Path, status: Status) -> None:
    """Says what became of a run, and lets its lock go."""
    write_status(run_dir, status)
    _held.pop(run_dir).release()


_held: dict[Path, FileLock] = {}


def hurry(pid: int) -> None:
    """Lets a training that leaves the processor to others have its share.

    A busy machine would hardly let it learn; only root may ask for it.
    """
    if os.geteuid() == 0:
        os.setpriority(os.PRIO_PROCESS, pid, 0)
        with suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text("0", encoding="ascii")


def cli_environment(data_dir: Path) -> dict[str, str]:
    """Returns the environment of a command that writes to `data_dir`."""
    return {**os.environ, "SKETCHSCOPE_DATA": str(data_dir)}


def shipped_confusion(drawn: str, guess: str) -> tuple[int, int]:
    """How often the shipped ResNet-18 takes one class for another, and of how many."""
    evaluation = read_evaluation(TRAINED_DIR / "resnet18")
    row = evaluation.confusion[evaluation.class_names.index(drawn)]
    return int(row[evaluation.class_names.index(guess)]), int(row.sum())


@pytest.fixture(scope="session")
def real_zip() -> Path:
    """The course's `Sketch_EITZ.zip`; skips the test where it is not."""
    named = os.environ.get("SKETCHSCOPE_EITZ")
    path = Path(named) if named else REPOSITORY.parent / "shared/data/Sketch_EITZ.zip"
    if not path.is_file():
        pytest.skip("needs Sketch_EITZ.zip; SKETCHSCOPE_EITZ names its place")
    return path
