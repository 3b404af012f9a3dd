"""Strikes every command at every file operation, and looks what is left.

`python -m tests.faults.campaign` goes through all of them, which takes an hour on two
cores; `--sample 4` takes four of each, and one of those that need TensorFlow. It prints
a table of what was tried and what held. Each strike gets a data folder of its own.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.datasets.drawings import list_drawings
from core.datasets.starter import draw, render
from core.datasets.store import Dataset, list_datasets
from core.errors import SketchScopeError
from core.paths import DATA_VARIABLE, TRAINED_DIR
from core.runs.evaluation import read_evaluation
from core.runs.reading import Run, list_runs
from core.runs.status import ACTIVE_STATES
from tests.faults.killing import Fault, run_sabotaged

CLASSES = ("house", "key", "spider", "sun")
PER_CLASS = 16
TRAIN = (
    "--epochs=2",
    "--checkpoint-every=0",
    "--set=image_sizes=[32]",
    "--set=batch_size=16",
    "--set=val_fraction=0.25",
    "--set=deterministic=true",
)


class BrokenPromise(AssertionError):
    """What a fault has left and must not have."""


@dataclass(frozen=True)
class Scenario:
    """A command that is struck.

    Attributes:
        name: What the table calls it.
        words: What follows `python -m core`; `{out}` is a folder for its output.
        start: The name of the data folder that it begins with.
        again: The command that must mend everything, whatever was left; None for the
            same one.
        refusals: What `again` may say instead, where the struck command was done.
        check: Looks at the data folder after it has been mended.
        is_slow: Whether it computes with TensorFlow.
    """

    name: str
    words: tuple[str, ...]
    start: str
    check: Callable[["Bench", Path], None]
    again: tuple[str, ...] | None = None
    refusals: tuple[str, ...] = ()
    is_slow: bool = False


class Bench:
    """The data folders that scenarios begin with, and what is true of them.

    Attributes:
        root: Where everything lies.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "log.txt"
        self._pictures()
        self._make("empty")
        self._make("dataset", "dataset", "add", str(root / "pictures"), "--name=tiny")
        words = ("train", "simple", "--dataset=tiny", "--recipe=best", "--run-id=given")
        self._make("run", *words, *TRAIN, base="dataset")
        (self.dataset,) = list_datasets(self.folder("dataset"))
        self.run = self.own_run(self.folder("run"), "given")
        self._make("drawings", base="run")
        self._draw(self.folder("drawings"))

    def folder(self, name: str) -> Path:
        """Returns a folder to begin with."""
        return self.root / "start" / name

    def command(
        self,
        folder: Path,
        words: Sequence[str],
        *,
        strike_at: int = 0,
        fault: Fault = "kill",
    ) -> tuple[int, int]:
        """Runs a command on a data folder; see `run_sabotaged`."""
        os.environ[DATA_VARIABLE] = str(folder)
        given = [word.format(out=folder / "out", root=self.root) for word in words]
        return run_sabotaged(
            given, folder, strike_at=strike_at, fault=fault, log=self.log
        )

    def own_run(self, folder: Path, run_id: str) -> Run:
        """Returns one of a folder's own runs."""
        own = list_runs(data_dir=folder, trained_dir=folder / "none")
        (found,) = [run for run in own if run.run_id == run_id]
        return found

    def _make(self, name: str, *words: str, base: str | None = None) -> None:
        target = self.folder(name)
        if base is None:
            target.mkdir(parents=True)
        else:
            shutil.copytree(self.folder(base), target)
        if words:
            code, _ = self.command(target, words)
            if code:
                raise BrokenPromise(f"{name}: {self.log.read_text()}")

    def _pictures(self) -> None:
        for label, name in enumerate(CLASSES):
            (self.root / "pictures" / name).mkdir(parents=True)
            for number in range(PER_CLASS):
                generator = np.random.default_rng([label, number])
                picture = Image.fromarray(render(draw(name, generator), generator))
                picture.save(self.root / "pictures" / name / f"{number}.png")

    def _draw(self, folder: Path) -> None:
        from core.datasets.drawings import save_drawing

        for number in range(3):
            generator = np.random.default_rng([9, number])
            save_drawing(
                render(draw("key", generator), generator),
                "key",
                class_names=CLASSES,
                data_dir=folder,
                source="canvas",
            )


def examine(bench: Bench, folder: Path) -> None:
    """Checks what must hold at every moment, even before anything is mended.

    Raises:
        BrokenPromise: Naming what doesn't.
    """
    for run in list_runs(data_dir=folder, trained_dir=TRAINED_DIR):
        if run.problem or run.state == "damaged":
            raise BrokenPromise(f"run {run.run_id}: {run.problem}")
        if run.state in ACTIVE_STATES:
            raise BrokenPromise(f"run {run.run_id} is shown as {run.state}")
        if run.metrics:
            read_evaluation(run.path)
        rows = without_times(run.history)
        if run.path.is_relative_to(folder):
            expected = without_times(bench.run.history)[: len(rows)]
            if run.run_id in ("given", "new") and rows != expected:
                raise BrokenPromise(f"run {run.run_id} has another history: {rows}")
    datasets = list_datasets(folder)
    for dataset in datasets:
        check_dataset(bench, dataset)
    hidden = [path for path in (folder / "datasets").glob("[!.]*")]
    if len(datasets) != len(hidden):
        raise BrokenPromise(f"a dataset can't be read: {hidden}")
    if damaged := list_drawings(folder).damaged:
        raise BrokenPromise(f"drawings are damaged: {damaged}")


def check_dataset(bench: Bench, dataset: Dataset) -> None:
    """Checks that a dataset is whole."""
    if dataset.name == "tiny" and not (
        dataset.fingerprint == bench.dataset.fingerprint
        and (dataset.images == bench.dataset.images).all()
        and (dataset.keys == bench.dataset.keys).all()
        and dataset.records == bench.dataset.records
    ):
        raise BrokenPromise("the dataset is another")


def has_dataset(bench: Bench, folder: Path) -> None:
    """Checks that the dataset is there."""
    (found,) = list_datasets(folder)
    check_dataset(bench, found)


def has_no_dataset(bench: Bench, folder: Path) -> None:
    """Checks that the dataset is gone, and nothing of it is left for long."""
    bench.command(folder, ("doctor", "--fix"))
    if any((folder / "datasets").glob("*")):
        raise BrokenPromise("something of the dataset is left")


def has_run(bench: Bench, folder: Path, *, run_id: str) -> None:
    """Checks that a run came to the same end as one that nothing befell."""
    run = bench.own_run(folder, run_id)
    if run.state != "finished":
        raise BrokenPromise(f"run {run_id} is {run.state}: {run.status.message}")
    if without_times(run.history) != without_times(bench.run.history):
        raise BrokenPromise(f"run {run_id} learned something else")
    found, expected = read_evaluation(run.path), read_evaluation(bench.run.path)
    if not (found.logits == expected.logits).all():
        raise BrokenPromise(f"run {run_id} answers something else")


def has_no_run(bench: Bench, folder: Path) -> None:
    """Checks that the run is gone."""
    if any((folder / "runs").glob("given")):
        raise BrokenPromise("the run is still there")


def has_export(bench: Bench, folder: Path) -> None:
    """Checks that the exported run can be read and is complete."""
    if read_evaluation(folder / "out").ids != read_evaluation(bench.run.path).ids:
        raise BrokenPromise("the export is incomplete")


def has_drawings(bench: Bench, folder: Path, *, number: int) -> None:
    """Checks how many drawings are kept."""
    if len(list_drawings(folder).kept) != number:
        raise BrokenPromise("another number of drawings is kept")


def has_drawings_dataset(bench: Bench, folder: Path) -> None:
    """Checks that the kept drawings are a dataset."""
    (found,) = [d for d in list_datasets(folder) if d.name == "my-drawings"]
    if found.num_train != 3:
        raise BrokenPromise("the drawings' dataset is incomplete")


def scenarios(bench: Bench) -> tuple[Scenario, ...]:
    """Returns every command that writes, each with what must come of it."""
    new = ("train", "simple", "--dataset=tiny", "--recipe=best", "--run-id=new")
    drawing_id = list_drawings(bench.folder("drawings")).kept[0].id
    return (
        Scenario(
            "import a dataset",
            ("dataset", "add", "{root}/pictures", "--name=tiny"),
            "empty",
            has_dataset,
            refusals=("is installed already",),
        ),
        Scenario(
            "remove a dataset",
            ("dataset", "remove", "tiny"),
            "dataset",
            has_no_dataset,
            refusals=("There is no dataset",),
        ),
        Scenario(
            "train and evaluate",
            (*new, *TRAIN),
            "dataset",
            partial(has_run, run_id="new"),
            again=("train", "--resume=new"),
            refusals=("is finished",),
            is_slow=True,
        ),
        Scenario(
            "evaluate again",
            ("evaluate", "given"),
            "run",
            partial(has_run, run_id="given"),
            is_slow=True,
        ),
        Scenario(
            "index again",
            ("runs", "index", "given"),
            "run",
            partial(has_run, run_id="given"),
            is_slow=True,
        ),
        Scenario(
            "remove a run",
            ("runs", "remove", "given"),
            "run",
            has_no_run,
            refusals=("There is no run",),
        ),
        Scenario(
            "export a run",
            ("runs", "export", "given", "{out}"),
            "run",
            has_export,
            refusals=("exists already",),
        ),
        Scenario(
            "make drawings a dataset",
            ("drawings", "dataset"),
            "drawings",
            has_drawings_dataset,
        ),
        Scenario(
            "remove a drawing",
            ("drawings", "remove", drawing_id),
            "drawings",
            partial(has_drawings, number=2),
            refusals=("There is no drawing", "no drawing"),
        ),
    )


def strike(bench: Bench, scenario: Scenario, at: int, fault: Fault) -> None:
    """Strikes a command once and checks what is left, and that it can be mended.

    Raises:
        BrokenPromise: Naming what did not hold.
    """
    folder = bench.root / "struck"
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(bench.folder(scenario.start), folder)
        code, done = bench.command(folder, scenario.words, strike_at=at, fault=fault)
        if code or done >= at:
            break
        # How often a training writes its status hangs on the clock: it did less now.
        at = max(done // 2, 1)
    said = bench.log.read_text()
    if fault == "kill" and code != -9:
        raise BrokenPromise(f"it was not killed but ended with {code}")
    if fault == "full disk" and not (
        code == 0 or (code == 2 and said.splitlines()[-1].startswith("Error: "))
    ):
        raise BrokenPromise(f"it ended with {code} and said: {said[-400:]}")
    examine(bench, folder)
    words = scenario.again or scenario.words
    code, _ = bench.command(folder, words)
    said = bench.log.read_text()
    if code == 2 and scenario.again and "There is no run" in said:
        # It was struck before it had made the run.
        code, _ = bench.command(folder, scenario.words)
        said = bench.log.read_text()
    is_done = code == 2 and any(words in said for words in scenario.refusals)
    if code and not is_done:
        raise BrokenPromise(f"it can't be mended: {said[-400:]}")
    examine(bench, folder)
    scenario.check(bench, folder)


def campaign(root: Path, *, sample: int | None, seed: int) -> Iterator[dict[str, Any]]:
    """Strikes all scenarios and yields a row of the table for each and each fault.

    Args:
        root: An empty folder.
        sample: How many operations of each to strike; None for all.
        seed: Decides which.
    """
    bench = Bench(root)
    generator = np.random.default_rng(seed)
    for scenario in scenarios(bench):
        folder = root / "struck"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(bench.folder(scenario.start), folder)
        code, operations = bench.command(folder, scenario.words)
        if code:
            raise BrokenPromise(f"{scenario.name}: {bench.log.read_text()[-400:]}")
        scenario.check(bench, folder)
        for fault in ("kill", "full disk"):
            places = np.arange(1, operations + 1)
            wanted = operations if sample is None else sample
            if scenario.is_slow and sample is not None:
                wanted = max(sample // 4, 1)
            if wanted < operations:
                places = np.sort(generator.choice(places, wanted, replace=False))
            failures = []
            started = time.monotonic()
            for at in places.tolist():
                try:
                    strike(bench, scenario, at, fault)
                except (AssertionError, SketchScopeError, ValueError) as error:
                    failures.append(f"operation {at}: {error}")
            yield {
                "command": scenario.name,
                "fault": fault,
                "operations": operations,
                "tried": len(places),
                "held": len(places) - len(failures),
                "duration_s": round(time.monotonic() - started, 1),
                "failures": failures,
            }


def without_times(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A history without what depends on the clock."""
    return [
        {name: value for name, value in row.items() if name != "elapsed_s"}
        for row in history
    ]


def main() -> None:
    """Prints the table, and ends with 1 if anything did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="operations of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    # Before any fork, so that no strike waits for them; nothing is computed yet.
    import keras
    import tensorflow

    from core.training import evaluate, train

    del keras, tensorflow, evaluate, train
    rows = []
    with tempfile.TemporaryDirectory(prefix="sketchscope-faults-") as root:
        for row in campaign(Path(root), sample=arguments.sample, seed=arguments.seed):
            rows.append(row)
            if not arguments.json:
                sys.stdout.write(
                    f"{row['command']:26} {row['fault']:10} {row['tried']:4} tried of "
                    f"{row['operations']:4}, {row['held']:4} held, "
                    f"{row['duration_s']:6.1f} s\n"
                )
                for failure in row["failures"]:
                    sys.stdout.write(f"  {failure}\n")
                sys.stdout.flush()
    if arguments.json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    sys.exit(any(row["failures"] for row in rows))


if __name__ == "__main__":
    main()
