"""Notes, names, filters and groups of seeds, as a visitor meets them."""

import json
import shutil
from pathlib import Path

import pytest

from core.ownership import READ_ONLY_VARIABLE
from core.paths import TRAINED_DIR
from core.runs.folder import CONFIG, METRICS_FILE, runs_dir
from core.runs.notes import NOTES, change_notes
from core.runs.reading import read_run
from tests.ui.conftest import Open, words


def add(data_dir: Path, network: str, seed: int, top1: float) -> Path:
    """Adds a run of one's own that could have been trained, of some seed."""
    path = runs_dir(data_dir) / f"{network}-{seed}"
    shutil.copytree(TRAINED_DIR / network, path)
    config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    config["settings"]["seed"] = seed
    (path / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    metrics = json.loads((path / METRICS_FILE).read_text(encoding="utf-8"))
    metrics |= {"run_id": path.name, "top1": top1}
    (path / METRICS_FILE).write_text(json.dumps(metrics), encoding="utf-8")
    return path


def test_an_owner_names_a_run_and_menus_call_it_so(
    data_dir: Path, open_page: Open
) -> None:
    path = add(data_dir, "simple", 7, 0.6)
    app = open_page("runs", run=path.name)
    app.text_input(key=f"runs_name_{path.name}").set_value("Thin strokes")
    app.text_area(key=f"runs_note_{path.name}").set_value("It *learns*.")
    app.toggle(key=f"runs_pin_{path.name}").set_value(True)
    next(button for button in app.button if button.label == "Save").click().run()
    assert not app.exception
    assert app.header[0].value == "Thin strokes"
    assert "It \\*learns\\*\\." in words(app)
    assert read_run(path).notes.is_pinned
    menu = open_page("compare", run=path.name).selectbox(key="run")
    assert menu.value == path.name
    assert "Thin strokes" in menu.options
    rows = open_page("runs").dataframe[0].value
    assert tuple(rows.iloc[0][["Run", "Mark"]]) == ("Thin strokes", "pinned")


@pytest.mark.parametrize("run", ["simple-7", "simple"])
def test_who_may_not_write_a_run_is_shown_no_form(
    data_dir: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    path = add(data_dir, "simple", 7, 0.6)
    change_notes(path, note="To be read")
    if run == path.name:
        monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    app = open_page("runs", run=run)
    assert not app.text_area
    assert ("To be read" in words(app)) == (run == path.name)
    assert ("ships with the program" in words(app)) == (run == "simple")


def test_runs_are_found_by_words_and_tags(data_dir: Path, open_page: Open) -> None:
    path = add(data_dir, "simple", 7, 0.6)
    change_notes(path, tags=["thin"])
    shown = open_page("runs", find="THIN").dataframe[0].value
    assert list(shown["Run"]) == [path.name]
    assert "No run says that" in words(open_page("runs", find="thick"))


def test_damaged_notes_leave_the_screen_as_it_is(
    data_dir: Path, open_page: Open
) -> None:
    path = add(data_dir, "simple", 7, 0.6)
    (path / NOTES).write_text("{", encoding="utf-8")
    told = words(open_page("runs", run=path.name)).replace("\\", "")
    assert "is damaged" in told
    assert "Mend or delete the file." in told


def test_seeds_are_a_row_a_band_and_a_comparison_of_groups(
    data_dir: Path, open_page: Open
) -> None:
    for seed, top1 in enumerate((0.60, 0.61, 0.62)):
        add(data_dir, "simple", seed + 10, top1)
        add(data_dir, "resnet18", seed + 10, top1 + 0.1)
    rows = open_page("runs", group="seeds").dataframe[0].value.set_index("Network")
    simple = rows.loc["Simple"]
    n = simple["Test n"]
    assert n >= 3
    chosen = [f"simple-{seed}" for seed in (10, 11, 12)]
    told = words(open_page("curves", runs=chosen))
    told = told.replace("\N{NO-BREAK SPACE}", " ").replace("\\", "")
    assert "61.0 % on average, standard deviation 1.00 points (n = 3)" in told
    told = words(open_page("compare", run="resnet18-10", beside="simple-10"))
    assert "Over seeds ResNet\\-18" in told
    assert "Welch" in told
    assert "McNemar" in told
    told = words(open_page("compare", run="simple-10", beside="simple-11"))
    assert "differ in nothing but their seed" in told
    told = words(open_page("compare", run="resnet18-10", beside="simple-report"))
    assert "Welch" not in told
