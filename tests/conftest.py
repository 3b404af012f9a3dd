"""What all tests share: a small dataset, the command line, the real sketches."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from core.datasets.folders import find_folders
from core.datasets.install import install
from core.datasets.starter import draw, render
from core.datasets.store import Dataset
from core.paths import TRAINED_DIR
from core.runs.evaluation import read_evaluation
from tests.preloaded import Process, preloaded

# A busy machine is no fault of the code that is tested.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

REPOSITORY = Path(__file__).resolve().parent.parent
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts those that want no other beside them last, where the others are short."""
    items.sort(key=lambda item: item.get_closest_marker("alone") is not None)


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


@pytest.fixture
def tiny(tiny_pictures: Path, data_dir: Path) -> Dataset:
    """A dataset of 4 classes, 64 training and 16 test sketches, installed."""
    return install(find_folders(tiny_pictures), "tiny", data_dir=data_dir)


@pytest.fixture
def cli(data_dir: Path) -> Cli:
    """Runs `python -m core …` in a process of its own."""

    return partial(run_command, data_dir)


def run_command(
    data_dir: Path, *arguments: str | Path, timeout_s: float = 300
) -> Completed:
    """Runs `python -m core …` on a data folder, in a process of its own."""
    result = preloaded(LIBRARIES).run(
        ["-m", "core", *map(str, arguments)],
        env=cli_environment(data_dir),
        timeout=timeout_s,
    )
    return Completed(result.returncode, result.stdout, result.stderr)


def start_command(data_dir: Path, *words: str) -> Process:
    """Starts `python -m core …`, whose output goes nowhere."""
    return preloaded(LIBRARIES).start(
        ["-m", "core", *words], env=cli_environment(data_dir)
    )


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
