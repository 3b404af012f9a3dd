"""The sweeps' screen, from nothing to a finished sweep."""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.datasets.folders import find_folders
from core.datasets.install import install
from core.runs.folder import runs_dir
from core.runs.reading import read_run
from core.sweeps.plan import plan
from core.sweeps.record import RECORD, SweepRecord, merge, sweep_dir, write_record
from core.sweeps.spec import parse_sweep
from core.sweeps.trials import train_trial
from pages.shared import reads
from tests.ui.conftest import Open, words

pytestmark = pytest.mark.xdist_group("ui sweeps")

NAME = "rates"
FILE = {
    "dataset": "tiny",
    "recipes": ["report"],
    "fields": {
        "epochs": 1,
        "batch_size": 16,
        "image_sizes": [[32]],
        "learning_rate": [0.001, 0.01, 0.1],
    },
}


def train_two_of_three(data_dir: Path, **changes: object) -> SweepRecord:
    """Trains all trials of a sweep but the last, without Ray."""
    sweep = parse_sweep({**FILE, **changes}, default_name=NAME)
    record = write_record(merge(sweep, plan(sweep), None), data_dir=data_dir)
    for trial in record.trials[:-1]:
        train_trial(sweep, trial.trial, data_dir=data_dir)
    return write_record(record, data_dir=data_dir)


@pytest.fixture(scope="module")
def trained(tiny_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a sweep of three trials, two of them finished."""
    data_dir = tmp_path_factory.mktemp("data")
    install(find_folders(tiny_pictures), "tiny", data_dir=data_dir)
    train_two_of_three(data_dir)
    return data_dir


@pytest.fixture
def store(trained: Path, data_dir: Path) -> Path:
    shutil.copytree(trained, data_dir)
    return data_dir


def found_but(missing: str, answer: object) -> Callable[..., object]:
    """Returns `find_spec` with an answer of its own for one module."""
    find = importlib.util.find_spec
    return lambda name, *rest: answer if name == missing else find(name, *rest)


def test_without_sweeps_the_page_says_how_to_begin_one(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", found_but("ray", None))
    app = open_page("sweeps")
    assert "pip install -r requirements-ray.txt" in app.warning[0].value
    example, command, folds = (code.value for code in app.code)
    assert "python -m core sweep first-sweep.yaml" in command
    assert "cross-validate simple --dataset starter" in folds
    # What it shows may be copied as it is.
    yaml = pytest.importorskip("yaml")
    sweep = parse_sweep(yaml.safe_load(example), default_name="first-sweep")
    assert len(plan(sweep)) == 8
    monkeypatch.setattr("importlib.util.find_spec", found_but("ray", object()))
    assert not open_page("sweeps").warning


def test_a_sweep_tells_its_best_and_keeps_it_under_a_name(
    open_page: Open, store: Path
) -> None:
    app = open_page("sweeps")
    first, second = (read_run(path) for path in sorted(runs_dir(store).iterdir()))
    best = max(first, second, key=lambda run: run.history[-1]["val_top1"])
    said = words(app)
    assert "**2 of 3 trials are finished** (1 not begun)" in said
    assert f"{best.history[-1]['val_top1']:.1%}" in said
    assert "Told once 8 trials" in said
    table = app.dataframe[0].value
    assert list(table["State"]) == ["finished", "finished", "planned"]
    assert sorted(table["learning_rate"]) == ["0.001", "0.01", "0.1"]
    shown = table["Validation top-1"].dropna()
    assert list(shown) == sorted(shown, reverse=True)
    assert app.text_input[0].value == "rates-best"
    app.button(key="sweeps_keep").click().run()
    assert "Kept as rates\\-best" in words(app)
    assert read_run(runs_dir(store) / "rates-best").state == "finished"
    # Once more: another name is proposed, and a taken one is refused.
    assert app.text_input[0].value == "rates-best-2"
    app.text_input[0].set_value("rates-best")
    app.button(key="sweeps_keep").click().run()
    assert "There is a run 'rates-best' already" in app.error[0].value
    assert len(list(runs_dir(store).iterdir())) == 3


def test_the_address_opens_a_trial(open_page: Open, store: Path) -> None:
    ids = sorted(path.name for path in runs_dir(store).iterdir())
    for run_id in ids:
        app = open_page("sweeps", trial=run_id)
        assert run_id.replace("-", "\\-") in [s.value for s in app.subheader]
    app = open_page("sweeps", trial="../../etc", sweep="<b>none</b>")
    assert app.selectbox(key="sweep").value == NAME
    assert "trial" not in app.query_params


def test_a_visitor_keeps_nothing(
    open_page: Open, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKETCHSCOPE_READ_ONLY", "1")
    app = open_page("sweeps")
    assert "2 of 3 trials" in words(app)
    assert "sweeps_keep" not in [button.key for button in app.button]


def test_a_damaged_record_is_told_beside_the_others(
    open_page: Open, store: Path
) -> None:
    broken = sweep_dir("broken", data_dir=store)
    broken.mkdir()
    (broken / RECORD).write_text('{"sweep": 1}')
    app = open_page("sweeps")
    assert str(broken / RECORD) in app.warning[0].value
    assert "2 of 3 trials" in words(app)


def test_a_sweep_that_is_removed_leaves_the_page(open_page: Open, store: Path) -> None:
    app = open_page("sweeps")
    assert "2 of 3 trials" in words(app)
    shutil.rmtree(sweep_dir(NAME, data_dir=store))
    reads.look_again()
    app.run()
    assert not app.exception
    assert "There is no sweep yet" in words(app)


def test_folds_are_pooled_and_none_is_the_best(open_page: Open, store: Path) -> None:
    folds = {**FILE["fields"], "learning_rate": 0.001}  # type: ignore[dict-item]
    train_two_of_three(store, name="folds", folds=3, fields=folds)
    app = open_page("sweeps", sweep="folds")
    said = words(app)
    assert "2 of 3 folds" in said
    assert "Network Simple, Recipe report, Epochs 1, Batch size 16" in said
    assert "best on validation" not in said
    assert "sweeps_keep" not in [button.key for button in app.button]
