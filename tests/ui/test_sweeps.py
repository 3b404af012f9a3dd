"""The sweeps' screen, from nothing to a finished sweep."""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.runs.folder import runs_dir
from core.runs.reading import read_run
from core.sweeps.plan import plan
from core.sweeps.record import RECORD, sweep_dir
from core.sweeps.spec import parse_sweep
from pages.shared import reads
from tests.swept import FIELDS, NAME, train_two_of_three
from tests.ui.conftest import Open, words

pytestmark = pytest.mark.xdist_group("ui sweeps")


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
    open_page: Open, swept: Path
) -> None:
    app = open_page("sweeps")
    first, second = (read_run(path) for path in sorted(runs_dir(swept).iterdir()))
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
    assert read_run(runs_dir(swept) / "rates-best").state == "finished"
    # Once more: another name is proposed, and a taken one is refused.
    assert app.text_input[0].value == "rates-best-2"
    app.text_input[0].set_value("rates-best")
    app.button(key="sweeps_keep").click().run()
    assert "There is a run 'rates-best' already" in app.error[0].value
    assert len(list(runs_dir(swept).iterdir())) == 3


def test_the_address_opens_a_trial(open_page: Open, swept: Path) -> None:
    ids = sorted(path.name for path in runs_dir(swept).iterdir())
    for run_id in ids:
        app = open_page("sweeps", trial=run_id)
        assert run_id.replace("-", "\\-") in [s.value for s in app.subheader]
    app = open_page("sweeps", trial="../../etc", sweep="<b>none</b>")
    assert app.selectbox(key="sweep").value == NAME
    assert "trial" not in app.query_params


def test_a_visitor_keeps_nothing(
    open_page: Open, swept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKETCHSCOPE_READ_ONLY", "1")
    app = open_page("sweeps")
    assert "2 of 3 trials" in words(app)
    assert "sweeps_keep" not in [button.key for button in app.button]


def test_a_damaged_record_is_told_beside_the_others(
    open_page: Open, swept: Path
) -> None:
    broken = sweep_dir("broken", data_dir=swept)
    broken.mkdir()
    (broken / RECORD).write_text('{"sweep": 1}')
    app = open_page("sweeps")
    assert str(broken / RECORD) in app.warning[0].value
    assert "2 of 3 trials" in words(app)


def test_a_sweep_that_is_removed_leaves_the_page(open_page: Open, swept: Path) -> None:
    app = open_page("sweeps")
    assert "2 of 3 trials" in words(app)
    shutil.rmtree(sweep_dir(NAME, data_dir=swept))
    reads.look_again()
    app.run()
    assert not app.exception
    assert "There is no sweep yet" in words(app)


def test_folds_are_pooled_and_none_is_the_best(open_page: Open, swept: Path) -> None:
    folds = {**FIELDS, "learning_rate": 0.001}
    train_two_of_three(swept, name="folds", folds=3, fields=folds)
    app = open_page("sweeps", sweep="folds")
    said = words(app)
    assert "2 of 3 folds" in said
    assert "Network Simple, Recipe report, Epochs 1, Batch size 16" in said
    assert "best on validation" not in said
    assert "sweeps_keep" not in [button.key for button in app.button]
