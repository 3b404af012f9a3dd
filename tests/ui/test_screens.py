"""Every screen, from the dashboard's entry, in every state of the store."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.datasets.folders import find_folders
from core.datasets.starter import draw, render
from core.datasets.store import Dataset, install
from core.paths import TRAINED_DIR
from core.results import read_evaluation, write_evaluation
from core.runs import (
    CONFIG,
    HISTORY,
    METRICS_FILE,
    Status,
    current_process,
    runs_dir,
    write_status,
)
from core.workflow import create_run, train_run_dir
from pages.shared import reads
from tests.conftest import HISTORY_ROW, REPOSITORY, shipped_confusion

SHIPPED = sorted(path.parent.name for path in TRAINED_DIR.glob("*/config.json"))
PAGES = ("overview", "dataset", "train", "curves", "confusion", "classes", "draw")
TITLES = {"overview": "SketchScope"}
THREE = ("<b>key</b>", "sun_*x*", "$spider$")
"""Class names that would be more than text in HTML, Markdown or mathematics."""

Open = Callable[..., AppTest]


@pytest.fixture
def open_page(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a page at an address, as a fresh session does."""
    monkeypatch.setenv("SKETCHSCOPE_DATA", str(data_dir))

    def run(page: str, **query: str | list[str]) -> AppTest:
        reads.look_again()
        app = AppTest.from_file(str(REPOSITORY / "dashboard.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        if page != "overview":
            app.switch_page(f"pages/{page}.py")
        app.run()
        assert not app.exception, app.exception
        return app

    return run


def words(app: AppTest) -> str:
    """Everything that a page says outside of tables and charts."""
    parts = (app.markdown, app.caption, app.info, app.warning, app.error, app.success)
    return "\n".join(str(element.value) for part in parts for element in part)


@pytest.fixture(scope="module")
def three_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a dataset of three classes and a run trained on it."""
    pictures = tmp_path_factory.mktemp("three")
    for name, drawn in zip(THREE, ("key", "sun", "spider"), strict=True):
        folder = pictures / name.replace("/", "∕")
        folder.mkdir()
        for number in range(12):
            generator = np.random.default_rng([number, len(drawn)])
            sketch = render(draw(drawn, generator), generator)
            Image.fromarray(sketch).save(folder / f"{number}.png")
    data_dir = tmp_path_factory.mktemp("data")
    install(find_folders(pictures), "three", data_dir=data_dir)
    run_dir = create_run(
        "simple",
        "three",
        "report",
        data_dir=data_dir,
        run_id="three",
        overrides={"epochs": 1, "batch_size": 8, "image_sizes": [32]},
    )
    train_run_dir(run_dir, data_dir=data_dir)
    return data_dir


@pytest.fixture
def every_state(three_store: Path, data_dir: Path) -> Path:
    """That folder, with a run in every other state beside it."""
    shutil.copytree(three_store, data_dir)
    runs = runs_dir(data_dir)
    pid, started = current_process()
    half_way = Status(
        "running",
        "training",
        pid,
        started,
        epoch=1,
        epochs=9,
        step=1,
        steps_per_epoch=3,
    )
    half_way = replace(half_way, loss=1.0, top1=0.5, images_per_s=9.0, eta_s=4000.0)
    for name, status in {
        "running": half_way,
        "killed": replace(half_way, process_started=started + 1000),
        "queued": replace(half_way, state="queued", queued_at=1.0),
        "stopped": replace(half_way, state="stopped", message="Stopped on request."),
        "trained": replace(half_way, state="trained"),
    }.items():
        shutil.copytree(runs / "three", runs / name)
        (runs / name / METRICS_FILE).unlink()
        write_status(runs / name, status)
    for name in ("damaged", "half", "empty"):
        (runs / name).mkdir()
    (runs / "damaged" / CONFIG).write_text("{")
    (runs / "half" / HISTORY).write_text(HISTORY_ROW + '\n{"epo')
    return data_dir


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_on_an_empty_store(page: str, open_page: Open) -> None:
    app = open_page(page)
    assert app.title[0].value == TITLES.get(page, page.capitalize())
    assert not app.error


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_beside_runs_in_every_state(
    page: str, every_state: Path, open_page: Open
) -> None:
    assert not open_page(page).error


@pytest.mark.parametrize("page", ["curves", "confusion", "classes", "train"])
def test_a_page_shows_a_run_of_three_classes(
    page: str, every_state: Path, open_page: Open
) -> None:
    assert not open_page(page, run="three", runs="three").error


def test_the_runs_that_ship_are_shown_on_an_empty_store(open_page: Open) -> None:
    app = open_page("overview")
    shown = [card.value for card in app.subheader]
    assert shown == ["Simple", "ResNet-18"]
    assert set(app.dataframe[0].value["Run"]) == set(SHIPPED)
    assert all(metric.value.endswith("%") for metric in app.metric)


def test_a_damaged_and_a_half_written_run_say_so(
    every_state: Path, open_page: Open
) -> None:
    rows = open_page("overview").dataframe[0].value.set_index("Run")
    assert rows.loc["damaged", "State"] == "damaged"
    assert "config.json is damaged" in rows.loc["damaged", "Remark"]
    assert "history.jsonl line 2 is damaged" in rows.loc["half", "Remark"]


@pytest.mark.parametrize("place", ["~nobody-here/x", "a\0b"])
def test_what_can_be_no_path_is_refused_in_one_sentence(
    place: str, open_page: Open
) -> None:
    app = open_page("dataset")
    app.text_input[0].set_value(place)
    next(b for b in app.button if b.label == "Add it").click().run()
    assert not app.exception
    assert "is no path on this machine" in app.error[0].value


@pytest.mark.parametrize(
    ("run", "told"),
    [
        ("running", "Stop"),
        ("queued", "Stop"),
        ("killed", "Resume"),
        ("stopped", "Resume"),
        ("trained", "Evaluate"),
    ],
)
def test_the_training_page_offers_what_fits_a_run_s_state(
    run: str, told: str, every_state: Path, open_page: Open
) -> None:
    app = open_page("train", run=run)
    assert app.selectbox(key="run").value == run
    assert told in {button.label for button in app.button}


def test_a_killed_run_says_where_it_ended(every_state: Path, open_page: Open) -> None:
    assert "ended without a word at epoch 2, step 1" in words(
        open_page("train", run="killed")
    )


def test_a_damaged_run_says_what_is_damaged(every_state: Path, open_page: Open) -> None:
    assert "config.json is damaged" in words(open_page("train", run="damaged"))


@pytest.mark.parametrize("run", ["stopped", "three", "killed"])
def test_removing_a_run_leaves_the_others_in_view(
    run: str, every_state: Path, open_page: Open
) -> None:
    app = open_page("train", run=run)
    next(b for b in app.button if b.label == f"Remove {run}").click().run()
    assert not app.exception
    assert not (runs_dir(every_state) / run).exists()
    assert app.selectbox(key="run").value not in (run, None)


def test_a_name_that_ships_or_is_no_name_is_refused_before_the_start(
    tiny: Dataset, open_page: Open
) -> None:
    app = open_page("train")
    for name in ("resnet18", "../x"):
        app.text_input(key="train_run_id").set_value(name).run()
        assert name in app.error[0].value
        assert "Start" not in {button.label for button in app.button}


def test_what_are_no_numbers_is_told_once(tiny: Dataset, open_page: Open) -> None:
    app = open_page("train")
    sizes = app.text_input(key="train_simple_best_image_sizes")
    sizes.set_value("abc").run()
    assert [error.value for error in app.error] == [
        "`image_sizes` takes numbers, separated by commas. Received: abc"
    ]
    sizes.set_value("9999").run()
    assert app.error[0].value.count("Received") == 1
    sizes.set_value("128.0, ").run()
    assert not app.error
    assert "--set" not in app.code[0].value


def test_a_run_that_was_evaluated_anew_is_read_anew(
    every_state: Path, open_page: Open
) -> None:
    run_dir = runs_dir(every_state) / "three"
    open_page("confusion", run="three")
    found = read_evaluation(run_dir)
    all_wrong = replace(found, y_pred=(found.y_true + 1) % len(THREE))
    write_evaluation(run_dir, all_wrong, class_rows=[{"class_name": "key"}])
    told = words(open_page("confusion", run="three"))
    assert f"recognises **0 of {len(found.ids)}** test sketches" in told
    assert "is taken for" in told
    assert not any(name in told for name in THREE)


def test_training_needs_a_dataset_and_says_so(open_page: Open) -> None:
    assert "Training needs a dataset" in words(open_page("train"))


def test_the_form_shows_the_command_line_it_stands_for(
    tiny: Dataset, open_page: Open
) -> None:
    app = open_page("train")
    app.number_input(key="train_simple_best_epochs").set_value(3).run()
    app.text_input(key="train_simple_best_image_sizes").set_value("64").run()
    # The data folder is not the usual one, so the line names it.
    assert app.code[0].value == (
        f"SKETCHSCOPE_DATA={tiny.path.parent.parent} python -m core train simple "
        "--dataset tiny --recipe best --epochs 3 --set 'image_sizes=[64]'"
    )


def test_a_setting_out_of_range_is_refused_before_it_starts(
    tiny: Dataset, open_page: Open
) -> None:
    app = open_page("train")
    app.number_input(key="train_simple_best_dropout").set_value(7.0).run()
    assert "`dropout`" in words(app)
    assert "Start" not in {button.label for button in app.button}


def test_the_starter_is_added_in_one_click_and_removed_in_two(open_page: Open) -> None:
    app = open_page("dataset")
    app.button[0].click().run(timeout=120)
    assert not app.exception
    assert app.selectbox(key="dataset").value == "starter"
    assert [metric.value for metric in app.metric] == ["20", "800", "400"]
    next(b for b in app.button if b.label == "Remove starter").click().run()
    assert "No dataset is installed yet" in words(app)


def test_a_path_without_sketches_is_refused_in_one_sentence(
    tmp_path: Path, open_page: Open
) -> None:
    app = open_page("dataset")
    app.text_input[0].set_value(str(tmp_path / "nothing"))
    next(b for b in app.button if b.label == "Add it").click().run()
    assert len(app.error) == 1
    assert "nothing" in app.error[0].value


def test_a_class_s_name_is_shown_as_it_is(every_state: Path, open_page: Open) -> None:
    app = open_page("classes", run="three", **{"class": "sun_*x*"})
    assert app.header[0].value == r"sun\_\*x\*"


def test_two_networks_stand_side_by_side_by_default(open_page: Open) -> None:
    app = open_page("classes")
    chosen = [app.selectbox(key=key).value for key in ("run", "beside")]
    assert set(chosen) == {"simple", "resnet18"}


def test_what_is_hidden_is_said_in_words(open_page: Open) -> None:
    app = open_page("confusion", view="Full matrix", hide="true")
    correct = int(read_evaluation(TRAINED_DIR / "resnet18").confusion.trace())
    assert f"The diagonal is hidden: {correct:,} of 4,000 sketches" in words(app)
    assert re.search(
        r"Hidden: \d+ of their \d+ sketches", words(open_page("confusion"))
    )


def test_the_difference_of_two_runs_is_explained(open_page: Open) -> None:
    app = open_page(
        "confusion",
        view="Full matrix",
        run="resnet18",
        other="simple",
        difference="true",
    )
    assert "second run less those in the first" in words(app)


def test_a_cell_without_the_dataset_is_a_table_of_numbers(open_page: Open) -> None:
    app = open_page("confusion", run="resnet18", drawn="barn", guess="house")
    table = app.dataframe[-1].value
    assert len(table) == shipped_confusion("barn", "house")[0] > 0
    assert set(table["Guess"]) == {"house"}
    assert "is not installed" in words(app)


def test_curves_of_several_runs_are_chosen_by_the_address(open_page: Open) -> None:
    app = open_page("curves")
    assert set(app.multiselect(key="runs").value) == {"simple", "resnet18"}
    app = open_page("curves", runs=["simple", "simple-report"])
    assert app.multiselect(key="runs").value == ["simple", "simple-report"]
    table = app.dataframe[0].value
    assert {"simple", "simple-report"} < set(table.columns)
    assert table["Differs"][0] == "differs"
