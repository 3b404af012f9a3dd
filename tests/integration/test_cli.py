"""The command line keeps its promises: documents, exit codes, one clear line."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

from core.datasets.starter import draw, render
from core.datasets.store import Dataset
from core.paths import TRAINED_DIR
from core.runs.evaluation import read_evaluation
from core.runs.folder import CONFIG, METRICS_FILE, STATUS, WEIGHTS, runs_dir
from core.runs.neighbours import NEIGHBOURS, read_neighbours
from core.runs.reading import read_run
from core.runs.weights import tensor_names
from tests.conftest import HISTORY_ROW, TINY_CLASSES, TINY_SETTINGS, Cli, Completed


def assert_refused(result: Completed, *words: str) -> None:
    """A refusal is one line on standard error, nothing else, and exit code 2."""
    assert result.code == 2, result.err
    assert result.out == ""
    assert result.err.count("\n") == 1, result.err
    assert "Traceback" not in result.err
    for word in words:
        assert word in result.err


@pytest.fixture
def trained(tiny: Dataset, cli: Cli) -> str:
    """A finished run."""
    words = ["--dataset=tiny", "--recipe=best", "--epochs=10", "--run-id=a"]
    result = cli("train", "simple", *words, *TINY_SETTINGS)
    assert result.code == 0, result.err
    return "a"


def test_nothing_there_yet_is_no_error(cli: Cli) -> None:
    assert cli("dataset", "list", "--json").json == []
    assert "dataset add starter" in cli("dataset", "list").out
    shipped = cli("runs", "list", "--json")
    assert all(run["state"] == "finished" for run in shipped.json)


def test_datasets_are_added_listed_and_removed(tiny_pictures: Path, cli: Cli) -> None:
    added = cli("dataset", "add", tiny_pictures, "--name", "mine")
    assert (added.code, added.err) == (0, "")
    assert "4 classes, 64 training and 16 test sketches" in added.out
    listed = cli("dataset", "list", "--json").json
    assert [(d["name"], d["num_classes"], d["train"], d["test"]) for d in listed] == [
        ("mine", 4, 64, 16)
    ]
    assert Path(listed[0]["path"]).is_dir()
    assert cli("dataset", "remove", "mine").code == 0
    assert cli("dataset", "list", "--json").json == []


@pytest.mark.slow
def test_a_trained_run_is_listed_shown_evaluated_used_and_removed(
    trained: str, data_dir: Path, cli: Cli, tmp_path: Path
) -> None:
    run_dir = runs_dir(data_dir) / trained
    listed = [r for r in cli("runs", "list", "--json").json if r["run_id"] == trained]
    assert [r["state"] for r in listed] == ["finished"]
    shown = cli("runs", "show", trained, "--json").json
    assert (shown["network"], shown["dataset"], shown["recipe"]) == (
        "simple",
        "tiny",
        "best",
    )
    assert (shown["epoch"], shown["epochs"], len(shown["history"])) == (10, 10, 10)
    assert {"epoch", "loss", "top1", "val_loss", "val_top1"} <= shown["history"][
        0
    ].keys()

    evaluated = cli("evaluate", str(run_dir), "--json").json
    assert evaluated["run_id"] == trained
    assert (evaluated["network"], evaluated["dataset"]) == ("simple", "tiny")
    assert (evaluated["split"], evaluated["n"]) == ("test", 16)
    assert evaluated["top1"] == shown["metrics"]["top1"]
    assert 0 <= evaluated["top1"] <= evaluated["top5"] <= 1
    assert {"loss", "ece"} <= evaluated.keys()

    found = read_neighbours(run_dir)
    assert found is not None
    assert len(found.labels) == 64
    (run_dir / NEIGHBOURS).unlink()
    assert cli("runs", "index", trained).code == 0
    again = read_neighbours(run_dir)
    assert again is not None
    assert (again.labels == found.labels).all()

    files = []
    for label, name in enumerate(TINY_CLASSES):
        generator = np.random.default_rng([label, 0])
        sketch = Image.fromarray(render(draw(name, generator), generator))
        for extension in ("png", "jpg", "webp"):
            files.append(tmp_path / f"{name}.{extension}")
            sketch.resize((400, 400)).convert("RGB").save(files[-1])
    answers = cli("classify", *files, "--run", trained, "--top=3", "--json").json
    assert [answer["file"] for answer in answers] == [str(file) for file in files]
    for answer in answers:
        probabilities = [guess["probability"] for guess in answer["predictions"]]
        assert len(probabilities) == 3
        assert probabilities == sorted(probabilities, reverse=True)
    right = [
        answer["predictions"][0]["class"] == Path(answer["file"]).stem
        for answer in answers
    ]
    assert np.mean(right) > 0.6

    reported = cli("report", trained, "--output", tmp_path / "report", "--json")
    assert reported.code == 0, reported.err
    assert reported.json["folder"] == str(tmp_path / "report")
    written = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert reported.json["files"] == written
    assert f"{trained} recognises" in reported.json["opening"][0]
    # The dataset is installed, so its sketches are in the page.
    assert "data:image/png" in (tmp_path / "report/report.html").read_text()
    assert_refused(cli("report", trained, "simple"), "not scored on the same test")

    exported = cli("runs", "export", trained, tmp_path / "small")
    assert exported.code == 0, exported.err
    small = read_run(tmp_path / "small")
    assert small.state == "finished"
    assert small.run_id == "small"
    assert not (small.path / STATUS).exists()
    assert (small.path / NEIGHBOURS).exists()
    again = cli("evaluate", tmp_path / "small", "--json").json
    assert again["run_id"] == "small"
    assert again["loss"] == pytest.approx(evaluated["loss"], abs=5e-3)

    to_look_at = tmp_path / "to-look-at"
    assert cli("runs", "export", trained, to_look_at, "--no-weights").code == 0
    assert read_run(to_look_at).state == "finished"
    assert read_evaluation(to_look_at).metrics["loss"] == evaluated["loss"]
    assert not (to_look_at / WEIGHTS).exists()
    assert not (to_look_at / NEIGHBOURS).exists()
    without = "exported without its weights"
    assert_refused(cli("evaluate", to_look_at), without)
    assert_refused(cli("classify", files[0], "--run", to_look_at), without)

    assert cli("runs", "remove", trained).code == 0
    assert not run_dir.exists()


@pytest.mark.slow
def test_a_damaged_run_says_so_and_spoils_nothing_else(
    trained: str, data_dir: Path, cli: Cli
) -> None:
    run_dir = runs_dir(data_dir) / trained
    other = runs_dir(data_dir) / "other"
    other.mkdir()
    (other / CONFIG).write_text("{")
    (other / STATUS).write_text("{}")
    states = {r["run_id"]: r for r in cli("runs", "list", "--json").json}
    assert states["other"]["state"] == "damaged"
    assert "config.json is damaged" in states["other"]["problem"]
    assert states[trained]["state"] == "finished"
    (run_dir / METRICS_FILE).write_text("[]")
    shown = cli("runs", "show", trained, "--json")
    assert shown.code == 0
    assert "metrics.json is damaged" in shown.json["problem"]
    assert_refused(cli("evaluate", "other"), "config.json is damaged")


DAMAGE: dict[str, tuple[str, str]] = {
    "status of another kind": ("status.json", "[]"),
    "status with a word for a process": ("status.json", '{"pid": "abc"}'),
    "status without an epoch": ("status.json", '{"epoch": null}'),
    "status with an unknown state": ("status.json", '{"state": "dreaming"}'),
    "status too deep": ("status.json", "[" * 100_000),
    "history of words": ("history.jsonl", HISTORY_ROW.replace("1.5", '"x"')),
    "history without a loss": ("history.jsonl", '{"epoch": 1}'),
    "history out of order": ("history.jsonl", HISTORY_ROW.replace(": 1,", ": 7,")),
    "metrics of words": ("metrics.json", '{"top1": "abc"}'),
    "metrics of nothing": ("metrics.json", "{}"),
    "metrics too deep": ("metrics.json", "[" * 100_000),
    "metrics not a number": ("metrics.json", '{"top1": NaN}'),
    "empty config": ("config.json", ""),
    "config with a hostile network": ("config.json", '{"network": "os.system"}'),
}


def test_a_damaged_file_of_a_run_is_named_by_every_command(
    data_dir: Path, cli: Cli
) -> None:
    for number, (file, content) in enumerate(DAMAGE.values()):
        path = runs_dir(data_dir) / f"run{number}"
        path.mkdir(parents=True)
        (path / file).write_text(content)
        if file != STATUS:
            (path / STATUS).write_text("{}")
    listed = cli("runs", "list", "--json")
    assert listed.code == 0, listed.err
    problems = {run["run_id"]: run["problem"] for run in listed.json}
    table = cli("runs", "list")
    assert table.code == 0
    assert all(f"{run['run_id']} " in table.out for run in listed.json)
    for number, (file, _) in enumerate(DAMAGE.values()):
        assert f"{file}" in problems[f"run{number}"], (file, number)
        assert "\n" not in problems[f"run{number}"]
        assert cli("runs", "show", f"run{number}").code == 0


@pytest.mark.slow
def test_a_network_that_answers_nonsense_is_refused_and_spoils_no_record(
    trained: str, data_dir: Path, cli: Cli, tmp_path: Path
) -> None:
    run_dir = runs_dir(data_dir) / trained
    before = read_run(run_dir)
    with safe_open(run_dir / WEIGHTS, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in tensor_names(file)}
    head = max(tensors)
    save_file({**tensors, head: np.full_like(tensors[head], np.nan)}, run_dir / WEIGHTS)
    strokes = 255 - 255 * np.eye(50, dtype=np.uint8)
    Image.fromarray(strokes).save(tmp_path / "a.png")
    for words in (
        ["evaluate", trained],
        ["runs", "index", trained],
        ["classify", tmp_path / "a.png", "--run=a"],
    ):
        assert_refused(cli(*words), "answers with NaN")
    assert read_neighbours(run_dir) is not None
    after = read_run(run_dir)
    assert (after.state, after.metrics) == ("finished", before.metrics)
    assert "It was not evaluated" in after.status.message
    # Keys that are no keys let nobody through.
    save_file(tensors, run_dir / WEIGHTS)
    np.save(run_dir / "train_keys.npy", np.array(["a"]))
    assert_refused(cli("evaluate", trained), "train_keys.npy is missing or damaged")


def test_a_dataset_too_small_to_train_on_is_refused_before_a_run_is_made(
    tmp_path: Path, data_dir: Path, cli: Cli
) -> None:
    for label, name in enumerate(("train/a", "test/b")):
        (tmp_path / "two" / name).mkdir(parents=True)
        sketch = render(
            draw("sun", np.random.default_rng(label)), np.random.default_rng(0)
        )
        Image.fromarray(sketch).save(tmp_path / "two" / name / "1.png")
    assert cli("dataset", "add", tmp_path / "two").code == 0
    assert_refused(cli("train", "simple", "--dataset=two"), "takes at least one")
    assert not runs_dir(data_dir).exists()


def test_what_is_not_training_can_not_be_stopped(data_dir: Path, cli: Cli) -> None:
    (runs_dir(data_dir) / "a").mkdir(parents=True)
    (runs_dir(data_dir) / "a" / STATUS).write_text('{"state": "stopped"}')
    assert_refused(cli("runs", "stop", "a"), "is not running")


REFUSED: dict[str, tuple[list[str], list[str]]] = {
    "no such dataset": (
        ["train", "simple", "--dataset", "none"],
        ["no dataset 'none'", "dataset add starter"],
    ),
    "no such network": (
        ["train", "vgg", "--dataset", "tiny"],
        ["no network 'vgg'", "simple, resnet18"],
    ),
    "no such recipe": (
        ["train", "simple", "--dataset", "tiny", "--recipe", "x"],
        ["no recipe 'x'", "report, best"],
    ),
    "no network": (["train"], ["Name a network", "--resume"]),
    "bad field": (
        ["train", "simple", "--dataset", "tiny", "--set", "epoch=1"],
        ["no field 'epoch'"],
    ),
    "bad value": (
        ["train", "simple", "--dataset", "tiny", "--epochs", "0"],
        ["`epochs`", "Received: epochs=0"],
    ),
    "bad run id": (
        ["train", "simple", "--dataset", "tiny", "--run-id", "../x"],
        ["A run id is", "'../x'"],
    ),
    "a shipped run": (["runs", "index", "simple"], ["ships with the program"]),
    "no such run": (["evaluate", "none"], ["no run 'none'", "runs list"]),
    "report of no such run": (["report", "none"], ["no run 'none'", "runs list"]),
    "report of too many runs": (
        ["report", "simple", "resnet18", "simple-report"],
        ["one run or of two", "Received: 3"],
    ),
    "report of one run twice": (
        ["report", "simple", "simple"],
        ["Both runs are called 'simple'"],
    ),
    "report in no language": (
        ["report", "simple", "--language", "xx"],
        ["no language 'xx'", "en, es"],
    ),
    "run outside": (["runs", "remove", "../../etc"], ["A run id is"]),
    "no such run to remove": (["runs", "remove", "none"], ["no run 'none'"]),
    "nothing to resume": (["train", "--resume", "none"], ["no run 'none'"]),
    "resume with settings": (
        ["train", "--resume", "a", "--epochs", "3"],
        ["takes no other settings"],
    ),
    "no such file": (["classify", "/nowhere/cat.png"], ["/nowhere/cat.png does not"]),
    "no such path": (["dataset", "add", "/nowhere"], ["/nowhere does not exist"]),
    "bad dataset name": (
        ["dataset", "add", "starter", "--name", "a/b"],
        ["A dataset's name", "'a/b'"],
    ),
    "unknown option": (["train", "--nonsense"], ["--nonsense", "--help"]),
    "unknown command": (["trian"], ["trian", "--help"]),
    "no file": (["classify"], ["--help"]),
    "word for a number": (["train", "simple", "--epochs", "x"], ["--epochs", "--help"]),
    "no dataset to remove": (["dataset", "remove", "none"], ["no dataset 'none'"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_ends_in_one_clear_line_and_exit_code_2(
    case: str, cli: Cli, request: pytest.FixtureRequest
) -> None:
    words, expected = REFUSED[case]
    if "tiny" in words:
        request.getfixturevalue("tiny")
    assert_refused(cli(*words), *expected)


def test_the_report_of_the_runs_that_ship(
    cli: Cli, data_dir: Path, tmp_path: Path
) -> None:
    result = cli("report", "resnet18", "simple")
    assert (result.code, result.err) == (0, "")
    folder = data_dir / "reports" / "report-resnet18-simple"
    assert f"Wrote {folder}" in result.out
    right = int(read_evaluation(TRAINED_DIR / "resnet18").confusion.trace())
    assert f"resnet18 recognises {right:,} of 4,000 test sketches" in result.out
    # Again, in another language, to the same place.
    result = cli("report", "resnet18", "simple", "--language", "es")
    assert result.code == 0, result.err
    assert '<html lang="es">' in (folder / "report.html").read_text(encoding="utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    refused = cli("report", "simple", "--output", tmp_path / "mine")
    assert_refused(refused, "holds other things than a report", "notes.txt")


def test_a_run_that_was_not_scored_has_no_report(data_dir: Path, cli: Cli) -> None:
    path = runs_dir(data_dir) / "a"
    path.mkdir(parents=True)
    shutil.copy(TRAINED_DIR / "simple" / CONFIG, path)
    assert_refused(cli("report", "a"), "has no evaluation yet", "core evaluate a")


def test_a_file_that_is_no_picture_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("hello")
    assert_refused(cli("classify", tmp_path / "a.png"), "a.png is not a picture of")


@pytest.mark.parametrize("option", ["", "--json", "--jsonl"])
def test_of_several_pictures_the_good_ones_are_answered(
    option: str, cli: Cli, tmp_path: Path
) -> None:
    generator = np.random.default_rng(0)
    sketch = Image.fromarray(render(draw("sun", generator), generator))
    files = [tmp_path / name for name in ("a.png", "b.png", "c.bmp", "d.png")]
    sketch.save(files[0])
    files[1].write_text("hello")
    sketch.resize((300, 300)).save(files[2])
    result = cli("classify", *files, "--run", "simple", *([option] if option else []))
    assert result.code == 1, result.err
    if not option:
        assert str(files[2]) in result.out
        assert "b.png is not a picture of" in result.err
        assert "d.png does not exist" in result.err
        assert "Traceback" not in result.err
        return
    rows = (
        result.json
        if option == "--json"
        else [json.loads(line) for line in result.out.splitlines()]
    )
    assert [row["file"] for row in rows] == [str(file) for file in files]
    assert ["error" in row for row in rows] == [False, True, False, True]
    assert len(rows[2]["predictions"]) == 5


def test_a_blank_picture_is_no_drawing_of_anything(cli: Cli, tmp_path: Path) -> None:
    Image.new("L", (400, 400), 255).save(tmp_path / "a.png")
    assert_refused(cli("classify", tmp_path / "a.png"), "a.png is blank")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["train"],
        ["evaluate"],
        ["classify"],
        ["report"],
        ["dataset", "add"],
        ["runs", "show"],
        ["recipes"],
    ],
)
def test_help_teaches(words: list[str], cli: Cli) -> None:
    result = cli(*words, "--help")
    assert result.code == 0
    assert "Usage" in result.out


def test_recipes_lists_every_field(cli: Cli) -> None:
    from core.runs.config import Settings
    from core.runs.recipes import RECIPES
    from models import NETWORKS

    rows = cli("recipes", "--json").json
    assert len(rows) == len(RECIPES) * len(NETWORKS)
    assert Settings.model_fields.keys() <= rows[0].keys()
    assert json.dumps(rows)
