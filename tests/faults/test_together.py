"""Several people and processes at one data folder at the same time."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from filelock import FileLock

from core.cli.examination import Finding, examine
from core.datasets.drawing_files import KeptDrawing
from core.datasets.drawings import (
    Drawings,
    list_drawings,
    list_leftovers,
    relabel_drawing,
    remove_drawing,
    save_drawing,
)
from core.datasets.folders import find_folders
from core.datasets.install import install
from core.datasets.store import Dataset, list_datasets, open_dataset, remove_dataset
from core.errors import SketchScopeError
from core.files import write_json
from core.paths import TRAINED_DIR
from core.runs.config import ExtraDataset
from core.runs.copies import export_run
from core.runs.create import create_run
from core.runs.dataset import hold_dataset, make_drawings_dataset
from core.runs.evaluation import read_evaluation
from core.runs.folder import (
    CONFIG,
    STOP_REQUEST,
    TRAIN_KEYS,
    WEIGHTS,
    clear_leftovers,
    lock_run,
    remove_run,
)
from core.runs.folder import runs_dir as runs_of
from core.runs.launch import LOG, launch_training
from core.runs.neighbours import NEIGHBOURS
from core.runs.queueing import TURN_LOCK, runs_ahead
from core.runs.reading import Run, list_runs, read_config, read_run
from core.runs.recipes import parse_overrides
from core.runs.status import Status, current_process, read_status, write_status
from core.runs.stopping import request_stop
from core.sketches.images import IMAGE_SIZE, PAPER
from core.training.work import evaluate_run_dir, index_run_dir, train_run_dir
from tests.conftest import (
    REPOSITORY,
    TINY_CLASSES,
    TINY_SETTINGS,
    Cli,
    cli_environment,
    end_pretending,
    pretend,
)
from tests.faults.meeting import Meeting, meetings
from tests.preloaded import preloaded

ROUNDS = 20
SPAWN = multiprocessing.get_context("spawn")


def make_run(data_dir: Path, run_id: str) -> Path:
    """Makes a run that has not begun."""
    return create_run(
        "simple",
        "tiny",
        "report",
        data_dir=data_dir,
        run_id=run_id,
        overrides={"batch_size": 16},
    )


def launch(data_dir: Path, run_id: str) -> None:
    launch_training(runs_of(data_dir) / run_id, data_dir=data_dir)


def stop(data_dir: Path, run_id: str) -> None:
    request_stop(runs_of(data_dir) / run_id)


def remove(data_dir: Path, run_id: str) -> None:
    remove_run(run_id, data_dir=data_dir)


def act(action: Any, data_dir: Path, run_ids: list[str], start: Any, told: Any) -> None:
    """Does one thing to each run, at the same moment as the others do theirs."""
    for run_id in run_ids:
        start.wait()
        try:
            action(data_dir, run_id)
        except SketchScopeError as error:
            told.put((run_id, str(error)))
        except BaseException as error:
            told.put((run_id, f"{type(error).__name__}: {error}"))
        else:
            told.put((run_id, ""))


def together(
    actions: Sequence[Callable[[Path, str], object]], data_dir: Path, run_ids: list[str]
) -> dict[str, list[str]]:
    """Lets processes act on the same runs; returns what each run's were told."""
    start, told = SPAWN.Barrier(len(actions)), SPAWN.Queue()
    processes = [
        SPAWN.Process(target=act, args=(action, data_dir, run_ids, start, told))
        for action in actions
    ]
    for process in processes:
        process.start()
    answers: dict[str, list[str]] = {run_id: [] for run_id in run_ids}
    for _ in range(len(actions) * len(run_ids)):
        run_id, answer = told.get(timeout=600)
        answers[run_id].append(answer)
    for process in processes:
        process.join()
    return answers


def trainings(data_dir: Path) -> list[psutil.Process]:
    """The processes that train runs of a data folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if words[1:5] == ["-m", "core", "train", "--resume"]:
            try:
                environment = process.environ()
            except psutil.Error:
                continue
            if environment.get("SKETCHSCOPE_DATA") == str(data_dir):
                found.append(process)
    return found


def is_clear(problem: str) -> bool:
    """Whether what someone was told is a sentence and no other exception's text."""
    return problem == "" or (problem.endswith((".", "`.")) and "Error: " not in problem)


def make_mine(data_dir: Path) -> Path:
    return make_run(data_dir, "mine")


def remove_mine(data_dir: Path) -> None:
    remove(data_dir, "mine")


def finish_run(data_dir: Path) -> Path:
    """Puts a finished run in the data folder."""
    path = runs_of(data_dir) / "mine"
    shutil.copytree(TRAINED_DIR / "simple", path.with_name(".made"))
    write_status(path.with_name(".made"), Status("finished", epochs=1))
    path.with_name(".made").rename(path)
    return path


def train_briefly(data_dir: Path) -> Path:
    """Trains a run to its end, and evaluates it."""
    words = [word.removeprefix("--set=") for word in TINY_SETTINGS]
    overrides = {**parse_overrides(words), "epochs": 1}
    run_dir = create_run(
        "simple", "tiny", "best", data_dir=data_dir, run_id="mine", overrides=overrides
    )
    (run_dir / STOP_REQUEST).touch()
    assert train_run_dir(run_dir, data_dir=data_dir)
    return run_dir


def keep_drawing(data_dir: Path, label: str = "sun") -> KeptDrawing:
    """Keeps a line."""
    sketch = np.full((IMAGE_SIZE, IMAGE_SIZE), PAPER, np.uint8)
    sketch[20] = 0
    return save_drawing(
        sketch, label, class_names=TINY_CLASSES, data_dir=data_dir, source="canvas"
    )


def relabel(data_dir: Path, drawing_id: str) -> None:
    relabel_drawing(drawing_id, "key", class_names=TINY_CLASSES, data_dir=data_dir)


def drop_drawing(data_dir: Path, drawing_id: str) -> None:
    remove_drawing(drawing_id, data_dir=data_dir)


def keep_another(data_dir: Path, _drawing_id: str) -> None:
    keep_drawing(data_dir)


def list_everything(data_dir: Path) -> Drawings:
    assert not list_leftovers(data_dir)
    return list_drawings(data_dir)


def list_whole(data_dir: Path, _drawing_id: str) -> None:
    assert not list_drawings(data_dir).damaged


def learn(data_dir: Path, _name: str) -> None:
    make_drawings_dataset(data_dir)


def mend_all(data_dir: Path) -> None:
    """Does what `doctor --fix` does."""
    for finding in examine(data_dir=data_dir, trained_dir=data_dir / "none"):
        if finding.mend is not None:
            finding.mend()


def check_no_half(meeting: Meeting) -> None:
    """Everybody was told clearly, and what is there of runs is whole."""
    for problem in (meeting.told, meeting.other_told):
        assert is_clear(problem), problem
        assert "No such file" not in problem, problem
    for path in runs_of(meeting.data_dir).iterdir():
        assert not path.name.startswith((".removed-", ".created-")), path
        if path.is_dir():
            assert read_run(path).problem == ""


def test_a_run_whose_making_was_killed_is_no_run(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    runs = runs_of(data_dir)
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.faults.killing import Saboteur\n"
        "from tests.faults.test_together import make_run\n"
        "data_dir, at = Path(sys.argv[1]), int(sys.argv[2])\n"
        "sys.addaudithook(Saboteur(data_dir, strike_at=at, fault='kill'))\n"
        "make_run(data_dir, 'mine')\n"
    )
    killed = 0
    for at in range(1, 40):
        process = preloaded("tests.faults.test_together").start(
            ["-c", program, str(data_dir), str(at)], env=os.environ
        )
        code = process.wait()
        if code == 0:
            break
        assert code == -signal.SIGKILL
        killed += 1
        # All or nothing: the last operation puts it in its place.
        assert not list_runs(data_dir=data_dir, trained_dir=data_dir / "none")
    assert killed > 5
    assert read_run(runs / "mine").problem == ""
    assert cli("doctor", "--fix").code == 0
    assert [path.name for path in runs.iterdir()] == ["mine"]


@pytest.mark.slow
def test_of_two_who_make_the_same_run_one_is_told(
    tiny: Dataset, data_dir: Path
) -> None:
    run_ids = [f"run{number}" for number in range(ROUNDS)]
    answers = together([make_run, make_run], data_dir, run_ids)
    for run_id, told in answers.items():
        assert sorted(map(bool, told)) == [False, True], told
        assert f"There is a run '{run_id}' already" in "".join(told)
    runs = [run for run in list_runs(data_dir=data_dir, trained_dir=data_dir / "none")]
    assert sorted(run.run_id for run in runs) == sorted(run_ids)
    assert {(run.state, run.problem) for run in runs} == {("stopped", "")}
    assert not list(runs_of(data_dir).glob(".*"))


@pytest.mark.slow
def test_whoever_starts_stops_and_removes_a_run_at_once_leaves_no_half(
    tiny: Dataset, data_dir: Path
) -> None:
    run_ids = [f"run{number}" for number in range(4)]
    for run_id in run_ids:
        make_run(data_dir, run_id)
    with FileLock(runs_of(data_dir) / TURN_LOCK):
        answers = together([launch, launch, stop, remove], data_dir, run_ids)
        for told in answers.values():
            assert all(map(is_clear, told)), told
        for run in list_runs(data_dir=data_dir, trained_dir=data_dir / "none"):
            assert run.problem == ""
            if run.state == "queued":
                request_stop(run.path)
        # At most one process a run lives, and none that `doctor` can't end.
        for finding in examine(data_dir=data_dir, trained_dir=TRAINED_DIR):
            if finding.mend is not None:
                finding.mend()
        psutil.wait_procs(trainings(data_dir), timeout=600)
    assert not trainings(data_dir)
    for run in list_runs(data_dir=data_dir, trained_dir=data_dir / "none"):
        assert (run.state, run.problem) in {("stopped", ""), ("failed", "")}
        remove_run(run.run_id, data_dir=data_dir)


@pytest.mark.slow
def test_of_two_who_start_a_run_one_trains_it(tiny: Dataset, data_dir: Path) -> None:
    make_run(data_dir, "mine")
    with FileLock(runs_of(data_dir) / TURN_LOCK):
        told = together([launch, launch], data_dir, ["mine"])["mine"]
        assert all(map(is_clear, told)), told
        assert "" in told
        run_dir = runs_of(data_dir) / "mine"
        assert read_status(run_dir).state == "queued"
        assert [process.pid for process in trainings(data_dir)] == [
            read_status(run_dir).pid
        ]
        request_stop(run_dir)
        psutil.wait_procs(trainings(data_dir), timeout=600)
    assert read_run(run_dir).state == "stopped"


def test_a_dataset_that_is_removed_in_use_is_named_and_still_read(
    tiny: Dataset, data_dir: Path
) -> None:
    run_dir = make_run(data_dir, "mine")
    mapped = open_dataset("tiny", data_dir=data_dir).images
    expected = np.array(mapped)
    remove_dataset("tiny", data_dir=data_dir)
    assert (mapped == expected).all()
    with pytest.raises(SketchScopeError, match="Dataset 'tiny', with the sketches"):
        train_run_dir(run_dir, data_dir=data_dir)
    assert read_run(run_dir).state == "stopped"


def test_a_read_only_folder_can_be_read_and_says_so_when_written(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    make_run(data_dir, "mine")
    mount = ["mount", "--bind", str(data_dir), str(data_dir)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("may not mount here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(data_dir)], check=True)
        for reading in ("runs list", "dataset list", "runs show mine"):
            assert cli(*reading.split()).code == 0
        for words in (
            ("train", "--resume", "mine"),
            ("train", "simple", "--dataset=tiny", "--set=batch_size=16"),
            ("dataset", "add", "starter"),
            ("dataset", "remove", "tiny"),
            ("runs", "remove", "mine"),
        ):
            result = cli(*words)
            assert result.code == 2, (words, result)
            assert result.err.splitlines()[-1].startswith("Error: ")
            assert "Traceback" not in result.err
        doctor = cli("doctor")
        assert doctor.code == 1
        assert "can't be written" in doctor.out
    finally:
        subprocess.run(["umount", str(data_dir)], check=True)


def test_the_lock_of_a_run_that_is_removed_meanwhile_makes_no_ghost(
    tiny: Dataset, data_dir: Path
) -> None:
    def take(folder: Path) -> None:
        lock_run(runs_of(folder) / "mine").release()

    refused = 0
    for meeting in meetings(data_dir, make_mine, take, remove_mine):
        check_no_half(meeting)
        is_left = (runs_of(meeting.data_dir) / "mine").exists()
        assert (meeting.told == "", bool(meeting.other_told)) == (is_left, is_left)
        refused += meeting.told == "Run 'mine' was removed meanwhile."
    assert refused >= 3


def test_a_lock_s_ghost_is_no_run_and_takes_no_name(
    tiny: Dataset, data_dir: Path
) -> None:
    # As an earlier version, or one that was killed at the wrong moment, left it.
    ghost = runs_of(data_dir) / "mine"
    ghost.mkdir(parents=True)
    (ghost / "run.lock").touch()
    assert not list_runs(data_dir=data_dir, trained_dir=data_dir / "none")
    (finding,) = [
        finding
        for finding in examine(data_dir=data_dir, trained_dir=TRAINED_DIR)
        if finding.subject == "leftover"
    ]
    assert finding.mend is not None
    finding.mend()
    assert not ghost.exists()
    make_mine(data_dir)


def test_of_two_who_remove_the_same_run_one_is_told(
    tiny: Dataset, data_dir: Path
) -> None:
    told = set()
    for meeting in meetings(data_dir, make_mine, remove_mine, remove_mine):
        check_no_half(meeting)
        assert "" in (meeting.told, meeting.other_told)
        told |= {meeting.told, meeting.other_told}
    assert "Run 'mine' was removed meanwhile." in told


def test_doctor_spares_a_run_that_a_living_process_removes(
    tiny: Dataset, data_dir: Path
) -> None:
    for meeting in meetings(data_dir, make_mine, remove_mine, mend_all):
        check_no_half(meeting)
        assert not (runs_of(meeting.data_dir) / "mine").exists()
        assert (meeting.told, meeting.other_told) == ("", "")


def test_two_doctors_mend_at_once(tiny: Dataset, data_dir: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()

    def leave(folder: Path) -> None:
        run_dir = make_mine(folder)
        (run_dir / ".writing-abc").touch()
        run_dir.rename(run_dir.with_name(f".removed-{gone.pid}-mine-1"))
        shutil.copytree(folder / "datasets/tiny", folder / f".upload-{gone.pid}-abc")
        (make_mine(folder) / ".writing-abc").touch()

    for meeting in meetings(data_dir, leave, mend_all, mend_all):
        check_no_half(meeting)
        assert [path.name for path in meeting.data_dir.iterdir()] == [
            path.name for path in meeting.data_dir.glob("[!.]*")
        ]


def own_runs(data_dir: Path) -> list[Run]:
    return list_runs(data_dir=data_dir, trained_dir=data_dir / "none")


def test_a_listing_shows_no_run_that_is_removed_or_made_meanwhile_by_halves(
    tiny: Dataset, data_dir: Path
) -> None:
    def prepare(folder: Path) -> None:
        make_mine(folder)
        make_run(folder, "other")

    def replace_mine(folder: Path) -> None:
        remove_mine(folder)
        finish_run(folder)

    def make_third(folder: Path) -> None:
        make_run(folder, "third")

    for others in (remove_mine, replace_mine, make_third):
        for meeting in meetings(data_dir, prepare, own_runs, others):
            assert (meeting.told, meeting.other_told) == ("", "")
            assert "other" in {run.run_id for run in meeting.result}
            for run in meeting.result:
                assert run.problem == ""


def test_a_data_folder_that_goes_away_in_a_listing_is_empty(
    tiny: Dataset, data_dir: Path
) -> None:
    def list_all(folder: Path) -> None:
        own_runs(folder)
        list_datasets(folder)
        list_drawings(folder)
        list_leftovers(folder)
        runs_ahead(runs_of(folder) / "mine")
        examine(data_dir=folder, trained_dir=folder / "none")

    def prepare(folder: Path) -> None:
        finish_run(folder)
        keep_drawing(folder)

    def take_away(folder: Path) -> None:
        # As if it were unmounted, and mounted again when all is over.
        folder.rename(folder.with_name("away"))

    for meeting in meetings(data_dir, prepare, list_all, take_away):
        assert (meeting.told, meeting.other_told) == ("", "")
        assert not meeting.data_dir.exists()
        data_dir.with_name("away").rename(meeting.data_dir)


def of_data(run_dir: Path) -> Path:
    return run_dir.parent.parent


USES: dict[str, tuple[Callable[[Path], object], int]] = {
    "export": (lambda run: export_run(run, of_data(run) / "out"), 40),
    "look": (
        lambda run: export_run(run, of_data(run) / "out", with_weights=False),
        500,
    ),
    "read": (read_evaluation, 500),
    "index": (lambda run: index_run_dir(run, data_dir=of_data(run)), 6),
    "evaluate": (lambda run: evaluate_run_dir(run, data_dir=of_data(run)), 8),
    "train": (lambda run: train_run_dir(run, data_dir=of_data(run)), 4),
    "stop": (request_stop, 500),
    "launch": (lambda run: launch_training(run, data_dir=of_data(run)), 2),
    "go on": (
        lambda run: create_run(
            "simple",
            "tiny",
            "best",
            data_dir=of_data(run),
            run_id="next",
            origin=run,
            overrides={"batch_size": 16},
        ),
        500,
    ),
}
"""What can be done with a run, and at how many of its first moments it is tried:
after them it holds the lock or takes long."""


@pytest.mark.parametrize("name", USES)
def test_who_uses_a_run_that_is_removed_meanwhile_is_told_so(
    tiny: Dataset, data_dir: Path, name: str
) -> None:
    use, most = USES[name]

    def prepare(folder: Path) -> None:
        # A damaged run is told as such, a removed one isn't.
        run_dir = finish_run(folder)
        config = json.loads((run_dir / CONFIG).read_text())
        config |= {
            "dataset_fingerprint": tiny.fingerprint,
            "split_fingerprint": tiny.split_fingerprint,
        }
        (run_dir / CONFIG).write_text(json.dumps(config))
        if name == "stop":
            pretend(run_dir, Status("running", "training", **current_process()))

    def use_mine(folder: Path) -> object:
        return use(runs_of(folder) / "mine")

    def end_and_remove(folder: Path) -> None:
        if name == "stop":
            end_pretending(runs_of(folder) / "mine", Status("stopped"))
        remove_mine(folder)

    removed = "Run 'mine' was removed meanwhile."
    told = set()
    for meeting in meetings(data_dir, prepare, use_mine, end_and_remove, most=most):
        if not (runs_of(meeting.data_dir) / "mine").exists():
            told.add(meeting.told)
    assert removed in told
    assert told <= {removed, ""}


def test_a_request_to_stop_a_run_that_just_ended_stops_nothing_later(
    tiny: Dataset, data_dir: Path
) -> None:
    def prepare(folder: Path) -> None:
        run_dir = finish_run(folder)
        pretend(run_dir, Status("running", "training", **current_process()))

    def stop_mine(folder: Path) -> None:
        stop(folder, "mine")

    def end(folder: Path) -> None:
        run_dir = runs_of(folder) / "mine"
        write_status(run_dir, Status("finished"))
        clear_leftovers(run_dir)
        end_pretending(run_dir, Status("finished"))

    told = set()
    for meeting in meetings(data_dir, prepare, stop_mine, end):
        told.add(meeting.told)
        assert not (runs_of(meeting.data_dir) / "mine" / STOP_REQUEST).exists()
    assert told == {"", "Run 'mine' is not running: finished."}


@pytest.mark.slow
def test_a_stop_that_was_left_over_stops_neither_training_nor_index(
    tiny: Dataset, data_dir: Path
) -> None:
    run_dir = train_briefly(data_dir)
    assert read_run(run_dir).state == "finished"
    assert (run_dir / NEIGHBOURS).exists()
    (run_dir / STOP_REQUEST).touch()
    (run_dir / NEIGHBOURS).unlink()
    evaluate_run_dir(run_dir, data_dir=data_dir)
    assert (run_dir / NEIGHBOURS).exists()
    assert read_run(run_dir).status.message == ""
    (run_dir / STOP_REQUEST).touch()
    assert index_run_dir(run_dir, data_dir=data_dir)
    assert not (run_dir / STOP_REQUEST).exists()


def replace_tiny(data_dir: Path, pictures: Path) -> None:
    """Puts another dataset of as many sketches in the place of one."""
    source = find_folders(pictures)
    other = replace(source, records=source.records[::-1])
    remove_dataset("tiny", data_dir=data_dir)
    install(other, "tiny", data_dir=data_dir)


@pytest.mark.slow
@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_training_that_waits_does_not_begin_with_other_sketches(
    tiny: Dataset, data_dir: Path, tiny_pictures: Path, *, is_replaced: bool
) -> None:
    run_dir = make_mine(data_dir)
    with FileLock(runs_of(data_dir) / TURN_LOCK):
        launch(data_dir, "mine")
        (process,) = trainings(data_dir)
        if is_replaced:
            replace_tiny(data_dir, tiny_pictures)
        else:
            remove_dataset("tiny", data_dir=data_dir)
        assert read_run(run_dir).state == "queued"
    psutil.wait_procs([process], timeout=600)
    run = read_run(run_dir)
    assert (run.state, run.problem, run.history) == ("failed", "", ())
    assert run.status.message.startswith("Dataset 'tiny', with the sketches")
    assert not (run_dir / TRAIN_KEYS).exists()


def test_a_dataset_that_is_held_is_never_another_of_its_name(
    tiny: Dataset, data_dir: Path, tiny_pictures: Path
) -> None:
    config = read_config(make_mine(data_dir))
    expected = np.array(tiny.images), tiny.records, np.array(tiny.keys)
    told = set()

    def find(folder: Path) -> Dataset:
        return hold_dataset(config, data_dir=folder, exact=True)

    def swap(folder: Path) -> None:
        replace_tiny(folder, tiny_pictures)

    for meeting in meetings(data_dir, lambda _folder: None, find, swap):
        told.add(meeting.told[:33])
    assert told == {"Dataset 'tiny', with the sketches"}
    held = find(data_dir)
    swap(data_dir)
    assert (held.images == expected[0]).all()
    assert held.records == expected[1]
    assert (held.keys == expected[2]).all()


def test_of_two_who_add_or_remove_a_dataset_of_one_name_one_is_told(
    data_dir: Path, tiny_pictures: Path
) -> None:
    source = find_folders(tiny_pictures)
    few = replace(source, records=[*source.records[::8]])
    data_dir.mkdir()

    def add(folder: Path) -> None:
        install(few, "few", data_dir=folder)

    def drop(folder: Path) -> None:
        remove_dataset("few", data_dir=folder)

    def change(folder: Path) -> None:
        drop(folder)
        add(folder)

    def nothing(_folder: Path) -> None:
        pass

    allowed = {
        "",
        "A dataset 'few' is installed already. Remove it first "
        "(`python -m core dataset remove few`) or choose another --name.",
        "There is no dataset 'few'.",
        "Dataset 'few' was removed meanwhile.",
    }
    told = set()
    for before, mine, others in (
        (nothing, add, add),
        (add, drop, drop),
        (add, drop, change),
        (nothing, add, drop),
    ):
        for meeting in meetings(data_dir, before, mine, others):
            told |= {meeting.told, meeting.other_told}
            assert told <= allowed
            if mine == others:
                assert sorted(map(bool, (meeting.told, meeting.other_told))) == [0, 1]
            assert not list((meeting.data_dir / "datasets").glob(".*"))
            for dataset in list_datasets(meeting.data_dir):
                dataset.hold()
    assert told == allowed


def strays(data_dir: Path) -> list[Finding]:
    found = examine(data_dir=data_dir, trained_dir=data_dir / "none")
    return [finding for finding in found if finding.subject == "stray process"]


def test_doctor_spares_a_training_that_has_not_spoken_yet(
    tiny: Dataset, data_dir: Path
) -> None:
    run_dir = make_mine(data_dir)
    with FileLock(runs_of(data_dir) / TURN_LOCK):
        # As another server starts it, which has the same data folder.
        process = subprocess.Popen(
            [sys.executable, "-m", "core", "train", "--resume", "mine", "--wait"],
            cwd=REPOSITORY,
            env=cli_environment(data_dir),
        )
        try:
            while not trainings(data_dir):
                time.sleep(0.001)
            # Held still, or it might speak meanwhile.
            process.send_signal(signal.SIGSTOP)
            for _ in range(5):
                assert not strays(data_dir)
                mend_all(data_dir)
            assert read_status(run_dir).pid == 0, "it was too quick for this test"
            process.send_signal(signal.SIGCONT)
            while read_status(run_dir).pid != process.pid:
                assert process.poll() is None
                time.sleep(0.05)
            assert not strays(data_dir)
            # One whose run is gone is none to wait for, however young.
            shutil.rmtree(run_dir)
            first, second = strays(data_dir), strays(data_dir)
            for finding in (*first, *second):
                assert finding.mend is not None
                finding.mend()
                process.wait(timeout=600)
            assert first
        finally:
            process.kill()
            process.wait()


def test_a_drawing_that_several_change_at_once_is_whole_or_gone(
    data_dir: Path,
) -> None:
    ids = [keep_drawing(data_dir).id for _ in range(12)]
    actions = [drop_drawing, drop_drawing, relabel, keep_another, list_whole]
    answers = together(actions, data_dir, ids)
    for told in answers.values():
        assert all(map(is_clear, told)), told
        assert sum("There is no drawing" in problem for problem in told) >= 1
    found = list_drawings(data_dir)
    assert not found.damaged
    assert len(found.kept) == len(ids)
    assert not {drawing.id for drawing in found.kept} & set(ids)


def test_a_listing_of_drawings_misses_those_that_are_removed_meanwhile(
    data_dir: Path,
) -> None:
    kept = keep_drawing(data_dir)

    def drop(folder: Path) -> None:
        drop_drawing(folder, kept.id)

    def move(folder: Path) -> None:
        relabel(folder, kept.id)

    for others in (drop, move):
        for meeting in meetings(
            data_dir, lambda _folder: None, list_everything, others
        ):
            assert (meeting.told, meeting.other_told) == ("", "")
            assert not meeting.result.damaged


def test_who_learns_from_drawings_at_once_gets_one_dataset_and_loses_none(
    tiny: Dataset, data_dir: Path
) -> None:
    keep_drawing(data_dir)
    old = make_drawings_dataset(data_dir)
    run_dir = finish_run(data_dir)
    config = read_config(run_dir)
    needing = config.model_copy(
        update={"drawings": ExtraDataset(dataset=old.name, fingerprint=old.fingerprint)}
    )
    write_json(run_dir / CONFIG, needing.model_dump(mode="json"))
    (run_dir / WEIGHTS).unlink()
    keep_drawing(data_dir, "key")
    answers = together([learn, learn, learn], data_dir, ["once"])
    assert answers["once"] == ["", "", ""]
    found = {d.name: d for d in list_datasets(data_dir) if d.kind == "drawings"}
    assert found["my-drawings"].num_train == 2
    # A run that is not trained yet still needs the sketches that it began with.
    assert old.fingerprint in {dataset.fingerprint for dataset in found.values()}


def test_why_a_run_can_not_start_is_told_whatever_others_print_meanwhile(
    tiny: Dataset, data_dir: Path
) -> None:
    run_dir = make_mine(data_dir)
    (run_dir / LOG).write_text("Error: The disk was full yesterday.\n")
    (run_dir / CONFIG).write_text("{")
    is_over = threading.Event()

    def print_on() -> None:
        # As others do who try to start the same run.
        while not is_over.wait(0.001):
            with (run_dir / LOG).open("a") as log:
                log.write("Run mine in a folder\n")

    other = threading.Thread(target=print_on)
    other.start()
    try:
        with pytest.raises(SketchScopeError, match=r"started: .*config\.json is dam"):
            launch(data_dir, "mine")
    finally:
        is_over.set()
        other.join()


def test_of_two_who_export_to_one_folder_one_is_told(
    tiny: Dataset, data_dir: Path
) -> None:
    def export(folder: Path) -> None:
        export_run(runs_of(folder) / "mine", folder / "out", with_weights=False)

    for meeting in meetings(data_dir, finish_run, export, export):
        told = (meeting.told, meeting.other_told)
        assert sorted(map(bool, told)) == [False, True]
        assert "out exists already. Remove it or choose another folder." in str(told)
        assert read_run(meeting.data_dir / "out").problem == ""
