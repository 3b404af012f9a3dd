"""The sweeps' screen, from nothing to a finished sweep."""

import importlib.util
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from core.language import plain, plain_but_code, translations
from core.runs.folder import runs_dir
from core.runs.reading import read_run
from core.runs.status import Status, current_process
from core.runs.stopping import request_stop
from core.sentences.numbers import percent
from core.sweeps.plan import plan
from core.sweeps.record import RECORD, is_being_trained, read_record, sweep_dir
from core.sweeps.spec import read_sweep
from core.sweeps.starting import FILE
from pages.shared import reads
from tests.conftest import HANGING_S, pretend
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
    assert "There is no sweep yet" in words(app)
    assert "Training needs a dataset" in words(app)
    assert "pip install -r requirements-ray.txt" in words(app)
    command, folds = (code.value for code in app.code)
    assert command == "python -m core sweep FILE.yaml"
    assert "cross-validate simple --dataset starter" in folds
    monkeypatch.setattr("importlib.util.find_spec", found_but("ray", object()))
    assert "requirements-ray.txt" not in words(open_page("sweeps"))


@pytest.mark.usefixtures("tiny")
def test_the_form_writes_a_sweep_s_file(open_page: Open, data_dir: Path) -> None:
    app = open_page("sweeps")
    assert "**1 run**" in words(app)
    app.multiselect(key="sweeps_new_networks").set_value(["simple", "resnet18"])
    app.number_input(key="sweeps_new_epochs_best").set_value(2)
    app.number_input(key="sweeps_new_seeds").set_value(3)
    app.multiselect(key="sweeps_new_fields").set_value(
        ["learning_rate", "flip", "schedule"]
    ).run()
    app.text_input(key="sweeps_best_learning_rate").set_value("1e-3, 0.003,")
    app.multiselect(key="sweeps_best_schedule").set_value(["cosine"]).run()
    assert not app.error
    # Two networks, two rates, mirrored or not, and three seeds.
    assert "**24 runs**" in words(app)
    assert "on this machine, with nothing else at work" in words(app)
    assert app.code[0].value == (
        "name: learning_rate-flip-schedule-tiny\n"
        "dataset: tiny\n"
        "networks: [simple, resnet18]\n"
        "recipes: [best]\n"
        "fields:\n"
        "  epochs: 2\n"
        "  learning_rate: [0.001, 0.003]\n"
        "  flip: [false, true]\n"
        "  schedule: [cosine]\n"
        "seeds: [0, 1, 2]"
    )
    app.text_input(key="sweeps_new_name").set_value("Qué tasa").run()
    assert app.code[0].value.startswith("name: Que-tasa\n")
    assert "It will be called Que\\-tasa." in words(app)
    assert not (data_dir / "sweeps").exists()


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("learning_rate", "0.1 0.2", "takes numbers, separated by commas"),
        ("learning_rate", "0.1, 7", "less than or equal to 1"),
        ("dropout", " ", "has no value to choose from"),
    ],
)
def test_what_can_not_be_tried_is_one_sentence(
    field: str, text: str, said: str, open_page: Open
) -> None:
    app = open_page("sweeps")
    app.multiselect(key="sweeps_new_fields").set_value([field]).run()
    app.text_input(key=f"sweeps_best_{field}").set_value(text).run()
    [error] = app.error
    assert said in error.value
    assert "sweeps_start" not in [button.key for button in app.button]


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_a_started_sweep_opens_and_what_was_stopped_goes_on(
    open_page: Open, data_dir: Path
) -> None:
    app = open_page("sweeps")
    # It waits for this one, so that nothing is trained here.
    busy = runs_dir(data_dir) / "busy"
    busy.mkdir(parents=True)
    pretend(busy, Status("running", "training", **current_process()))
    app.multiselect(key="sweeps_new_fields").set_value(["dropout"]).run()
    app.text_input(key="sweeps_best_dropout").set_value("0, 0.5").run()
    app.text_input(key="sweeps_new_name").set_value("drops").run()
    app.button(key="sweeps_start").click().run()
    assert not app.error
    assert app.selectbox(key="sweep").value == "drops"
    assert "**0 of 2 trials are finished**" in words(app)
    assert app.text_input(key="sweeps_new_name").value == ""
    folder = sweep_dir("drops", data_dir=data_dir)
    assert len(plan(read_sweep(folder / FILE))) == 2
    assert "sweeps_go_on" not in [button.key for button in app.button]
    record = read_record(folder)
    assert record is not None
    first = runs_dir(data_dir) / record.trials[0].run_id
    deadline = time.monotonic() + HANGING_S
    while not first.exists() or read_run(first).state != "queued":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    request_stop(first)
    while is_being_trained("drops", data_dir=data_dir):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    app = open_page("sweeps")
    assert "sweeps_go_on" in [button.key for button in app.button]
    assert any("0 of 2 trials have ended." in code.value for code in app.code)


def name_field(app: AppTest) -> TextInput:
    """The field of the name under which a trial's run is kept."""
    [field] = [t for t in app.text_input if t.label == "Keep it as the run"]
    return field


def test_a_sweep_tells_its_best_and_keeps_it_under_a_name(
    open_page: Open, swept: Path
) -> None:
    app = open_page("sweeps")
    first, second = (read_run(path) for path in sorted(runs_dir(swept).iterdir()))
    best = max(first, second, key=lambda run: run.history[-1]["val_top1"])
    said = words(app)
    assert "**2 of 3 trials are finished** (1 not begun)" in said
    assert percent(best.history[-1]["val_top1"], translations("en"), digits=1) in said
    assert "Told once 8 trials" in said
    table = app.dataframe[0].value
    assert list(table["State"]) == ["finished", "finished", "planned"]
    assert sorted(table["learning_rate"]) == ["0.001", "0.01", "0.1"]
    shown = table["Validation top-1"].dropna()
    assert list(shown) == sorted(shown, reverse=True)
    assert name_field(app).value == "rates-best"
    app.button(key="sweeps_keep").click().run()
    assert "Kept as rates\\-best" in words(app)
    assert read_run(runs_dir(swept) / "rates-best").state == "finished"
    # Once more: another name is proposed, and a taken one is refused.
    assert name_field(app).value == "rates-best-2"
    name_field(app).set_value("rates-best")
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
    assert "can be looked at and drawn on, not changed" in words(app)
    keys = {"sweeps_keep", "sweeps_start", "sweeps_go_on"}
    assert not keys & {button.key for button in app.button}


def test_a_damaged_record_is_told_beside_the_others(
    open_page: Open, swept: Path
) -> None:
    broken = sweep_dir("broken", data_dir=swept)
    broken.mkdir()
    (broken / RECORD).write_text('{"sweep": 1}')
    app = open_page("sweeps")
    assert plain_but_code(str(broken / RECORD)) in app.warning[0].value
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
    settings = "Network Simple, Recipe report, Epochs 1, Batch size (sketches) 16"
    assert plain(settings) in said
    assert "best on validation" not in said
    assert "sweeps_keep" not in [button.key for button in app.button]
