"""Every screen, from the dashboard's entry, in every state of the store."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.analysis.families import cut, find_similarity, measure
from core.analysis.overview import best_of_each_network
from core.analysis.robustness import read_robustness
from core.analysis.sketch_sets import name_set
from core.datasets.folders import find_folders
from core.datasets.install import install
from core.datasets.starter import draw, render
from core.datasets.store import Dataset
from core.language import class_word, plain, translations
from core.paths import TRAINED_DIR
from core.runs.config import Settings
from core.runs.create import create_run
from core.runs.evaluation import read_evaluation, write_evaluation
from core.runs.folder import CONFIG, HISTORY, METRICS_FILE, runs_dir
from core.runs.reading import list_runs
from core.runs.status import Status, current_process, write_status
from core.sentences.numbers import percent
from core.training.work import train_run_dir
from pages.parts.home.cards import comparison
from pages.parts.train.form import FIRST_FIELDS, GROUPS
from tests.conftest import HISTORY_ROW, PAGES, pretend, shipped_confusion
from tests.ui.conftest import Open, words

pytestmark = pytest.mark.xdist_group("ui screens")

SHIPPED = sorted(path.parent.name for path in TRAINED_DIR.glob("*/config.json"))
TITLES = {"home": "SketchScope"}
THREE = ("<b>key</b>", "sun_*x*", "$spider$")
"""Class names that would be more than text in HTML, Markdown or mathematics."""

EN = translations("en")


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
    half_way = Status(
        "running",
        "training",
        **current_process(),
        epoch=1,
        epochs=9,
        step=1,
        steps_per_epoch=3,
    )
    half_way = replace(half_way, loss=1.0, top1=0.5, images_per_s=9.0, eta_s=4000.0)
    for name, status in {
        "running": half_way,
        "killed": replace(half_way, process_started=1.0, process_uptime_s=0.0),
        "queued": replace(half_way, state="queued", queued_at=1.0),
        "stopped": replace(half_way, state="stopped", message="Stopped on request."),
        "trained": replace(half_way, state="trained"),
    }.items():
        shutil.copytree(runs / "three", runs / name)
        (runs / name / METRICS_FILE).unlink()
        if name in ("running", "queued"):
            pretend(runs / name, status)
        else:
            write_status(runs / name, status)
    for name in ("damaged", "half", "empty"):
        (runs / name).mkdir()
    (runs / "damaged" / CONFIG).write_text("{")
    (runs / "half" / HISTORY).write_text(HISTORY_ROW + '\n{"epo')
    return data_dir


def test_failures_follow_the_address_and_tell_their_numbers(open_page: Open) -> None:
    evaluation = read_evaluation(TRAINED_DIR / "resnet18")
    other = read_evaluation(TRAINED_DIR / "simple")
    wrong = evaluation.y_pred != evaluation.y_true
    both = wrong & (other.y_pred != other.y_true)
    seagull = evaluation.y_true == evaluation.class_names.index("seagull")
    app = open_page("failures")
    assert f"{wrong.sum():,} of 4,000 test sketches are wrong" in words(app)
    share = both.sum() / wrong.sum()
    assert f"simple gets {percent(share, EN)} of them wrong" in words(app).replace(
        "\\", ""
    )
    app = open_page("failures", drawn="seagull", which="both", sort="surprise")
    assert f"{(both & seagull).sum()} of them are shown" in words(app)
    row = int(np.flatnonzero(both & seagull)[0])
    app = open_page("failures", drawn="seagull", sketch=evaluation.ids[row])
    assert app.subheader[0].value == f"seagull, sketch {evaluation.ids[row]}"
    rank = f"The right class is number {evaluation.true_rank[row]}"
    assert rank in words(app).replace("\\", "")
    # Without the dataset, what there is to see is one click away.
    assert "not installed" in words(app).replace("\\", "")


@pytest.mark.parametrize(
    "query",
    [{"sketch": "no such"}, {"which": "<b>", "sort": "x", "drawn": "y", "sure": "z"}],
)
def test_failures_survive_an_address_that_nobody_wrote(
    query: dict[str, str], open_page: Open
) -> None:
    app = open_page("failures", **query)
    assert "test sketches are wrong" in words(app)


def test_two_runs_are_compared_in_words_that_their_numbers_bear_out(
    open_page: Open,
) -> None:
    run = read_evaluation(TRAINED_DIR / "resnet18")
    other = read_evaluation(TRAINED_DIR / "simple")
    right, before = (one.y_pred == one.y_true for one in (run, other))
    fixed, broken = (right & ~before).sum(), (~right & before).sum()
    app = open_page("compare")
    said = words(app).replace("\\", "")
    points = 100 * ((fixed - broken) / len(right))
    assert f"resnet18 is better than simple by {points:.1f} points" in said
    assert f"fixes {fixed:,}" in said
    assert f"newly breaks {broken:,}" in said
    table = app.dataframe[0].value
    assert table["wrong"].tolist()[0] == broken
    assert table["right"].tolist()[1] == fixed
    # The other way round, wins are losses.
    said = words(open_page("compare", run="simple", beside="resnet18"))
    assert f"worse than resnet18 by {points:.1f} points" in said
    assert f"fixes {broken:,}" in said


def test_swapping_two_runs_turns_their_comparison_round(open_page: Open) -> None:
    app = open_page("compare", run="simple-report", beside="simple")
    app.button(key="compare_swap").click().run()
    chosen = [app.selectbox(key=key).value for key in ("run", "beside")]
    assert chosen == ["simple", "simple-report"]
    assert "simple is better than simple-report" in words(app).replace("\\", "")


def test_a_class_and_an_outcome_are_chosen_by_the_address(open_page: Open) -> None:
    run = read_evaluation(TRAINED_DIR / "resnet18")
    other = read_evaluation(TRAINED_DIR / "simple")
    crab = run.y_true == run.class_names.index("crab")
    broken = crab & (run.y_pred != run.y_true) & (other.y_pred == other.y_true)
    app = open_page("compare", show="broken", **{"class": "crab"})
    recognised = (crab & (run.y_pred == run.y_true)).sum()
    sentence = f"**crab**: resnet18 recognises {recognised} of {crab.sum()}"
    assert sentence in words(app)
    table = next(one.value for one in app.dataframe if "Baseline guess" in one.value)
    assert set(table["Drawn"]) == {"crab"}
    assert len(table) == broken.sum() > 0
    row = int(np.flatnonzero(broken)[0])
    app = open_page("compare", show="broken", sketch=run.ids[row])
    assert app.subheader[0].value == f"crab, sketch {run.ids[row]}"
    assert app.button(key="sketch_back").label == "All sketches"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"run": "simple", "beside": "simple"}, "compared with itself"),
        ({"beside": "three"}, "three was not scored on the same test sketches"),
        ({"beside": "nobody"}, "There is no run nobody"),
        ({"run": "three"}, "No other run was scored on the test sketches of three"),
    ],
)
def test_what_can_t_be_compared_is_said(
    query: dict[str, str], said: str, three_store: Path, data_dir: Path, open_page: Open
) -> None:
    shutil.copytree(three_store, data_dir)
    app = open_page("compare", **query)
    assert said in words(app).replace("\\", "")
    assert not app.error


@pytest.mark.parametrize(
    "query",
    [{"sketch": "no such"}, {"show": "<b>", "run": "x", "class": "y"}],
)
def test_a_comparison_survives_an_address_that_nobody_wrote(
    query: dict[str, str], open_page: Open
) -> None:
    assert "resnet18 is better" in words(open_page("compare", **query))


def test_families_are_found_by_the_other_network_and_measured(open_page: Open) -> None:
    app = open_page("families")
    assert app.selectbox(key="run").value == "resnet18"
    assert app.selectbox(key="by").value == "simple"
    finder = find_similarity(read_evaluation(TRAINED_DIR / "simple"))
    assert app.slider(key="families").value == finder.best_count
    run = read_evaluation(TRAINED_DIR / "resnet18")
    found = measure(run.confusion, finder, cut(finder.tree, finder.best_count))
    said = words(app)
    share = percent(found.family_accuracy, EN, digits=1)
    assert f"{finder.best_count} families for {share}" in said
    assert found.near_share is not None
    assert f"{percent(found.near_share, EN)} are near misses" in said
    assert "not fitted to those of resnet18" in said
    assert len(app.dataframe[-1].value) == finder.best_count
    app.slider(key="families").set_value(40).run()
    assert app.query_params["families"] in ("40", ["40"])
    assert len(app.dataframe[-1].value) == 40
    app.selectbox(key="by").set_value("resnet18").run()
    assert "which flatters them" in words(app)
    assert app.slider(key="families").value == 40


def test_the_usual_number_of_families_is_that_of_who_finds_them(
    open_page: Open,
) -> None:
    app = open_page("families", by="simple-report", families="many")
    similarity = find_similarity(read_evaluation(TRAINED_DIR / "simple-report"))
    assert app.slider(key="families").value == similarity.best_count
    app.selectbox(key="by").set_value("simple").run()
    similarity = find_similarity(read_evaluation(TRAINED_DIR / "simple"))
    assert app.slider(key="families").value == similarity.best_count
    assert "families" not in app.query_params


def test_a_family_is_chosen_by_one_of_its_classes(open_page: Open) -> None:
    app = open_page("families", families="40", **{"class": "seagull"})
    table = next(one.value for one in app.dataframe if "near" in one.value)
    assert {"seagull", "pigeon"} <= set(table["class"])
    assert f"has {len(table)} classes" in words(app)


def test_trust_follows_the_address_and_tells_its_numbers(open_page: Open) -> None:
    evaluation = read_evaluation(TRAINED_DIR / "resnet18")
    is_right = evaluation.y_pred == evaluation.y_true
    sure = evaluation.confidence >= 0.8
    app = open_page("trust", least="80", bins="mass")
    assert app.segmented_control(key="bins").value == "mass"
    said = words(app).replace("\\", "")
    assert "When resnet18 is at least 80\N{NO-BREAK SPACE}% sure" in said
    assert f"right {percent(is_right[sure].mean(), EN)} of the time" in said
    assert f"that is so for {percent(sure.mean(), EN)} of the sketches" in said
    metrics = evaluation.metrics
    assert f"from {metrics['ece']:.3f} to {metrics['ece_calibrated']:.3f}" in said
    table = next(d.value for d in app.dataframe if "ECE" in d.value)
    assert set(table["Run"]) == {"resnet18", "simple"}
    # Stored answers are rounded, so that a few change their bin.
    assert table["ECE"][0] == pytest.approx(metrics["ece"], abs=1e-3)
    assert table["NLL"][1] == pytest.approx(metrics["loss_calibrated"], abs=1e-3)


def test_suspect_sketches_are_told_and_listed(open_page: Open) -> None:
    app = open_page("trust", view="suspects", sort="label")
    found = re.search(r"\*\*(\d+) of 4,000 test sketches are suspect", words(app))
    assert found is not None
    table = app.dataframe[0].value
    assert len(table) == int(found[1])
    assert (table["Label"] != table["Suspected"]).all()
    assert (table["resnet18 guess"] == table["Suspected"]).mean() > 0.9
    assert (np.diff(table["Score"]) >= 0).all()
    # One run may be looked at alone, too.
    alone = open_page("trust", view="suspects", run="simple-report")
    assert "test sketches are suspect" in words(alone)


def test_robustness_is_told_of_both_networks_or_how_to_measure_it(
    open_page: Open,
) -> None:
    app = open_page("trust", view="robustness", change="noise", broken="simple")
    said = words(app)
    for run in ("resnet18", "simple"):
        result = read_robustness(TRAINED_DIR / run)
        clean = percent(result.clean.accuracy, EN)
        assert f"{run} is right on **{clean}** of {result.clean.n}" in said
        for kind in result.kinds.values():
            place = kind.lost_at(result.clean)
            figure = kind.figures[-1 if place is None else place]
            assert f"right {percent(figure.accuracy, EN)} of the time" in said
    broken = read_robustness(TRAINED_DIR / "simple").kinds["noise"].num_broken
    assert f"{broken} sketches that simple gets right as they are" in said
    app = open_page("trust", view="robustness", run="simple-report", lang="es")
    assert "aún no se ha medido" in words(app)
    assert "`python -m core robustness simple-report`" in words(app)


@pytest.mark.parametrize(
    "query", [{"least": "x"}, {"view": "<b>", "bins": "y"}, {"least": "400"}]
)
def test_trust_survives_an_address_that_nobody_wrote(
    query: dict[str, str], open_page: Open
) -> None:
    assert "at least 90\N{NO-BREAK SPACE}% sure" in words(open_page("trust", **query))


def test_a_set_in_the_address_limits_each_page_to_it(open_page: Open) -> None:
    evaluation = read_evaluation(TRAINED_DIR / "resnet18")
    other = read_evaluation(TRAINED_DIR / "simple")
    rows = np.flatnonzero(np.isin(evaluation.y_true, [3, 40, 41]))
    name = name_set(evaluation, rows)
    wrong = int((evaluation.y_pred != evaluation.y_true)[rows].sum())
    wrong_there = int((other.y_pred != other.y_true)[rows].sum())
    told = words(open_page("failures", set=name))
    assert f"{wrong} of {len(rows)} test sketches are wrong" in told
    # The same sketches in another run.
    told = words(open_page("failures", set=name, run="simple"))
    assert f"{wrong_there} of {len(rows)} test sketches are wrong" in told
    right = f"recognises **{len(rows) - wrong} of {len(rows)}** test sketches"
    for view in ("Top confusions", "Full matrix"):
        app = open_page("confusion", set=name, view=view, other="simple")
        assert right in words(app)
    app = open_page("classes", set=name)
    table = app.dataframe[-1].value
    assert sorted(table["Class"]) == sorted(
        class_word(evaluation.class_names[i], EN) for i in (3, 40, 41)
    )
    assert table["Sketches"].sum() == len(rows)
    # Those of the whole run are as they were.
    assert len(open_page("classes").dataframe[-1].value) == len(evaluation.class_names)
    app = open_page("map", set=name)
    assert app.subheader[0].value == f"{len(rows)} sketches gathered"
    assert f"{wrong} of {len(rows)} are wrong" in words(app)


def test_a_class_that_is_seldom_recognised_gets_advice(open_page: Open) -> None:
    said = words(open_page("classes", **{"class": "barn"}))
    assert "What would help" in said
    assert "as one class it would be" in said
    assert "What would help" not in words(open_page("classes", **{"class": "bicycle"}))


@pytest.mark.parametrize("page", ["failures", "confusion", "classes", "map"])
@pytest.mark.parametrize("name", ["../../x", "A" * 50_000, "7cORznja", "kept"])
def test_a_set_that_is_none_is_told_in_one_sentence_and_left_out(
    page: str, name: str, open_page: Open
) -> None:
    app = open_page(page, set=name)
    assert len(app.warning) == 1
    assert not any("Set of" in button.label for button in app.button)
    assert app.title[0].value == page.capitalize()


def test_a_set_is_left_by_its_button(open_page: Open) -> None:
    evaluation = read_evaluation(TRAINED_DIR / "resnet18")
    name = name_set(evaluation, np.array([5, 9]))
    for page, label in (("failures", "Set of 2 sketches"), ("map", "Leave the set")):
        app = open_page(page, set=name)
        next(b for b in app.button if b.label == label).click().run()
        assert not app.exception
        assert "set" not in app.query_params


def test_what_the_map_shows_is_gathered_without_a_mouse(open_page: Open) -> None:
    evaluation = read_evaluation(TRAINED_DIR / "resnet18")
    label = evaluation.class_names.index("seagull")
    is_wrong = evaluation.y_pred != evaluation.y_true
    rows = np.flatnonzero(is_wrong & (evaluation.y_true == label))
    app = open_page("map", classes=["seagull"], show="wrong")
    assert app.multiselect(key="classes").value == ["seagull"]
    app.button(key="map_gather").click().run()
    name = name_set(evaluation, rows)
    assert app.query_params["set"] in (name, [name])
    assert f"{len(rows)} of {len(rows)} are wrong" in words(app)
    assert "All are of seagull" in words(app)


def test_a_set_too_large_for_an_address_is_kept_in_the_window(
    every_state: Path, open_page: Open
) -> None:
    run_dir = runs_dir(every_state) / "three"
    found = read_evaluation(run_dir)
    many = np.random.default_rng(0).integers(len(found.ids), size=60_000)
    large = replace(
        found.subset(many),
        metrics={**found.metrics, "n": len(many)},
        ids=tuple(map(str, range(len(many)))),
    )
    write_evaluation(run_dir, large, class_rows=[{"class_name": "key"}])
    shutil.rmtree(every_state / "datasets")  # It has no such sketches.
    app = open_page("map", run="three", classes=[THREE[1]])
    app.button(key="map_gather").click().run()
    assert not app.exception
    assert app.query_params["set"] in ("kept", ["kept"])
    count = int((large.y_true == large.class_names.index(THREE[1])).sum())
    assert app.subheader[0].value == f"{count:,} sketches gathered"
    assert "kept in this window only" in words(app)
    app.switch_page("pages/failures.py")
    app.query_params["set"] = "kept"
    app.run()
    app.selectbox(key="run").set_value("three").run()
    assert f"Set of {count:,} sketches" in {button.label for button in app.button}


def test_the_map_survives_an_address_that_nobody_wrote(open_page: Open) -> None:
    app = open_page("map", colour="<b>", show="x", classes=["../..", "cat"], run="?")
    assert app.button(key="map_gather").label.startswith("Gather")


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


@pytest.mark.parametrize(
    "page",
    [
        *("curves", "confusion", "classes", "map", "compare", "families", "trust"),
        "train",
    ],
)
def test_a_page_shows_a_run_of_three_classes(
    page: str, every_state: Path, open_page: Open
) -> None:
    assert not open_page(page, run="three", runs="three").error


def test_the_runs_that_ship_are_shown_on_an_empty_store(open_page: Open) -> None:
    cards = [card.value for card in open_page("home").subheader]
    assert cards == ["What they get wrong", "Train your own", "Compare the networks"]
    app = open_page("runs")
    assert set(app.dataframe[0].value["Run"]) == set(SHIPPED)


def test_a_run_opens_by_its_address(every_state: Path, open_page: Open) -> None:
    app = open_page("runs", run="simple")
    assert app.header[0].value == "simple"
    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["State"] == "finished"
    assert metrics["Test top-1"].endswith("%")
    told = words(open_page("runs", run="damaged")).replace("\\", "")
    assert "config.json is damaged" in told
    app = open_page("runs", run="<b>")
    assert app.warning[0].value == "There is no run of that name."
    assert "simple" in set(app.dataframe[0].value["Run"])


def test_what_is_chosen_stays_from_page_to_page(open_page: Open) -> None:
    app = open_page("classes")
    app.selectbox(key="run").set_value("simple").run()
    app.selectbox(key="beside").set_value("resnet18-report").run()
    app.query_params.clear()
    for page in ("draw", "confusion", "failures", "home", "compare", "trust", "map"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        if page not in ("draw", "home"):
            chosen = {box.label: box.value for box in app.selectbox[:2]}
            assert chosen == {"Network": "simple", "Compare with": "resnet18-report"}


def test_a_damaged_and_a_half_written_run_say_so(
    every_state: Path, open_page: Open
) -> None:
    rows = open_page("runs").dataframe[0].value.set_index("Run")
    assert rows.loc["damaged", "State"] == "damaged"
    assert "config.json is damaged" in rows.loc["damaged", "Remark"]
    assert "history.jsonl line 2 is damaged" in rows.loc["half", "Remark"]


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("~nobody_here/x", r"\~nobody\_here/x does not exist."),
        ("a\0b", "is no path on this machine"),
    ],
)
def test_what_can_be_no_path_is_refused_in_one_sentence(
    place: str, told: str, open_page: Open
) -> None:
    app = open_page("dataset")
    app.text_input[0].set_value(place)
    next(b for b in app.button if b.label == "Look at it").click().run()
    assert not app.exception
    # Each sign escaped once.
    assert told in app.error[0].value.replace(r"\\", "twice")


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
    app.button(key="train_undo").click().run()
    assert not app.exception
    assert (runs_dir(every_state) / run / CONFIG).exists()
    assert app.selectbox(key="run").value == run
    assert "train_undo" not in {button.key for button in app.button}


def test_a_name_that_does_not_fit_is_mended(tiny: Dataset, open_page: Open) -> None:
    app = open_page("train")
    for name, mended in (("resnet18", "resnet18-2"), ("../Mi año 2", "Mi-ano-2")):
        app.text_input(key="train_run_id").set_value(name).run()
        assert not app.error
        assert plain(mended) in words(app)
        assert f"--run-id {mended}" in app.code[0].value
    app.text_input(key="train_run_id").set_value("猫").run()
    assert "gets the usual one" in words(app)
    assert "--run-id" not in app.code[0].value


def test_every_setting_is_in_one_group_of_the_form() -> None:
    shown = [*FIRST_FIELDS, *(name for group in GROUPS.values() for name in group)]
    assert sorted(shown) == sorted(Settings.model_fields)


def test_the_time_that_a_training_takes_is_told_before_it_starts(
    tiny: Dataset, open_page: Open
) -> None:
    assert re.search(r"About \d+ (s|min|h)", words(open_page("train")))


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
    app.button[0].click().run(timeout=600)
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
    next(b for b in app.button if b.label == "Look at it").click().run()
    assert len(app.error) == 1
    assert "nothing" in app.error[0].value


def test_a_class_s_name_is_shown_as_it_is(every_state: Path, open_page: Open) -> None:
    app = open_page("classes", run="three", **{"class": "sun_*x*"})
    assert app.header[0].value == r"sun \*x\*"


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
    assert "first run less those in the second" in words(app)


@pytest.mark.parametrize("page", ["confusion", "classes"])
def test_a_bar_writes_its_number_in_percent(page: str, open_page: Open) -> None:
    bars = [
        column["type_config"]
        for table in open_page(page).dataframe
        for column in json.loads(table.proto.columns).values()
        if column.get("type_config", {}).get("type") == "progress"
    ]
    assert bars
    assert all(bar["format"] == "%.0f %%" for bar in bars)


def test_a_cell_without_the_dataset_is_a_table_of_numbers(open_page: Open) -> None:
    app = open_page("confusion", run="resnet18", drawn="barn", guess="house")
    table = app.dataframe[1].value
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


def test_classes_offers_the_report_of_one_run_and_of_two(
    every_state: Path, open_page: Open
) -> None:
    for run in ("resnet18", "three"):
        button = open_page("classes", run=run).download_button(key="classes_report")
        assert button.label == "Report"
        assert not button.disabled


@pytest.mark.parametrize("page", ["failures", "classes", "inside", "duel", "home"])
def test_pictures_by_other_names_are_not_taken_for_a_run_s(
    page: str, three_store: Path, data_dir: Path, open_page: Open
) -> None:
    shutil.copytree(three_store, data_dir)
    index = data_dir / "datasets" / "three" / "index.csv"
    head, *rows = index.read_text(encoding="utf-8").splitlines()
    index.write_text("\n".join([head, *(f"again/{row}" for row in rows)]), "utf-8")
    app = open_page(page, run="three")
    assert not app.exception
    assert not app.error
    if page == "failures":
        assert "is not installed" in words(app)


def test_an_address_of_a_run_that_is_gone_is_told(open_page: Open) -> None:
    app = open_page("classes", run="gone")
    assert app.warning[0].value == "There is no run gone; resnet18 is shown instead."
    assert not open_page("classes", run="simple").warning


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.5, "That is 500 more than Simple."),
        (0.625, "Simple recognises as many."),
        (0.75, "That is 500 fewer than Simple."),
    ],
)
def test_home_tells_which_network_recognises_more(share: float, said: str) -> None:
    runs = list_runs(data_dir=TRAINED_DIR / "none", trained_dir=TRAINED_DIR)
    simple, resnet18 = best_of_each_network(runs)
    cards = [replace(resnet18, top1=0.625), replace(simple, top1=share)]
    assert said in comparison(cards)
