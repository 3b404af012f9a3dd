"""What a second worker gains and what Ray costs: `python -m tests.sweep_speed`.

Equal trials of one core and about a minute each are trained by `python -m core sweep`
on a Ray cluster on this machine, by one worker and then by two, and one of them by
`python -m core train` in a process of its own. The machine should do nothing else.

    python -m tests.sweep_speed [--trials 4] [--seconds 60]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.runs.folder import runs_dir
from core.runs.reading import read_run
from core.sweeps.record import SITTINGS, sweep_dir
from tests.conftest import REPOSITORY, cli_environment

IMAGE_SIZE = 64
REHEARSED_EPOCHS = 4
"""They tell how long an epoch takes; the first, which begins slowly, is left out."""

MINUTE_S = 60.0
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


@dataclass(frozen=True)
class Measured:
    """How long a sweep took.

    Attributes:
        cluster_s: Until the cluster stood.
        start_s: From the command's start until its first trial began.
        trials_s: From then until the last trial had ended.
        end_s: From then until the command had ended.
        own_s: What the trials took themselves, one by one, evaluation included.
    """

    cluster_s: float
    start_s: float
    trials_s: float
    end_s: float
    own_s: tuple[float, ...]

    @property
    def wall_s(self) -> float:
        """From the command's start to its end."""
        return self.start_s + self.trials_s + self.end_s

    @property
    def mean_s(self) -> float:
        """What a trial took itself, on average."""
        return sum(self.own_s) / len(self.own_s)

    @property
    def gap_s(self) -> float:
        """From one trial's end to the next one's begin, on average, with one worker."""
        return (self.trials_s - sum(self.own_s)) / (len(self.own_s) - 1)


def run(*words: str | Path, data_dir: Path) -> tuple[float, float]:
    """Runs `python -m core …` with one thread; returns when it began and ended."""
    began = time.time()
    subprocess.run(
        [sys.executable, "-m", "core", *map(str, words)],
        cwd=REPOSITORY,
        env={**cli_environment(data_dir), **ONE_THREAD},
        capture_output=True,
        check=True,
    )
    return began, time.time()


def train(run_id: str, *, epochs: int, data_dir: Path) -> float:
    """Trains a run in a process of its own; returns how many seconds it took."""
    words = ["train", "simple", "--dataset=starter", f"--run-id={run_id}"]
    words += [f"--epochs={epochs}", f"--set=image_sizes=[{IMAGE_SIZE}]"]
    began, ended = run(*words, data_dir=data_dir)
    return ended - began


def choose_epochs(seconds: float, *, data_dir: Path) -> int:
    """Returns how many epochs take about so long on one core."""
    train("rehearsed", epochs=REHEARSED_EPOCHS, data_dir=data_dir)
    history = read_run(runs_dir(data_dir) / "rehearsed").history
    passed_s = float(history[-1]["elapsed_s"]) - float(history[0]["elapsed_s"])
    return max(round(seconds * (len(history) - 1) / passed_s), 2)


def sweep(workers: int, *, trials: int, epochs: int, data_dir: Path) -> Measured:
    """Trains equal trials on as many workers of one core each."""
    from ray.cluster_utils import Cluster

    file = data_dir / f"on-{workers}.yaml"
    fields = {"image_sizes": [[IMAGE_SIZE]], "epochs": epochs}
    asked = {"dataset": "starter", "fields": fields, "seeds": list(range(trials))}
    file.write_text(json.dumps(asked))
    asked_at = time.time()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": workers})
    cluster_s = time.time() - asked_at
    try:
        began, ended = run(
            "sweep", file, "--address", cluster.address, data_dir=data_dir
        )
    finally:
        cluster.shutdown()
    begins: dict[str, float] = {}
    ends: dict[str, float] = {}
    path = sweep_dir(file.stem, data_dir=data_dir) / SITTINGS
    for sitting in map(json.loads, path.read_text().splitlines()):
        times = begins if sitting["event"] == "begin" else ends
        times[sitting["run_id"]] = datetime.fromisoformat(sitting["at"]).timestamp()
    first, last = min(begins.values()), max(ends.values())
    return Measured(
        cluster_s=cluster_s,
        start_s=first - began,
        trials_s=last - first,
        end_s=ended - last,
        own_s=tuple(ends[run_id] - begin for run_id, begin in begins.items()),
    )


def main() -> None:
    """Measures and prints it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=MINUTE_S, help="of a trial")
    chosen = parser.parse_args()
    if chosen.trials < 2:
        parser.error("it takes at least two trials")
    with tempfile.TemporaryDirectory() as name:
        data_dir = Path(name)
        run("dataset", "add", "starter", data_dir=data_dir)
        epochs = choose_epochs(chosen.seconds, data_dir=data_dir)
        alone_s = train("alone", epochs=epochs, data_dir=data_dir)
        one, two = (
            sweep(workers, trials=chosen.trials, epochs=epochs, data_dir=data_dir)
            for workers in (1, 2)
        )
    title = f"{chosen.trials} equal trials of {epochs} epochs, one core each"
    table = Table("seconds", "one worker", "two workers", title=title)
    for label, ours, theirs in (
        ("Ray's start", one.cluster_s, two.cluster_s),
        ("the command until its first trial begins", one.start_s, two.start_s),
        ("all trials", one.trials_s, two.trials_s),
        ("the command after its last trial", one.end_s, two.end_s),
        ("the whole command", one.wall_s, two.wall_s),
        ("a trial itself", one.mean_s, two.mean_s),
    ):
        table.add_row(label, f"{ours:.1f}", f"{theirs:.1f}")
    table.add_row("between two trials of a worker", f"{one.gap_s:.2f}", "")
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    console.print(f"`python -m core train` of such a trial: {alone_s:.1f} s")
    console.print(
        f"Speed-up by a second worker: {one.trials_s / two.trials_s:.2f}; with start "
        f"and end of the command {one.wall_s / two.wall_s:.2f}"
    )
    console.print(
        f"Ray's cost a trial: {one.gap_s:.2f} s, {one.gap_s / MINUTE_S:.1%} of a minute"
    )
    console.print(
        f"One worker's sweep less {chosen.trials} times `train`: "
        f"{one.wall_s - chosen.trials * alone_s:+.1f} s"
    )


if __name__ == "__main__":
    main()
