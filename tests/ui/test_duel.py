"""The page Duel, without a browser."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.datasets.answers import Answer, allow_answers, answers_file, read_answers
from core.datasets.drawings import save_drawing
from core.datasets.store import Dataset
from core.ownership import READ_ONLY_VARIABLE, set_passphrase
from core.runs.evaluation import PREDICTIONS
from core.runs.folder import runs_dir
from pages.parts.duel.people import LEAST_ANSWERS
from tests.synthetic import write_runs_on
from tests.ui.conftest import Open, words

pytestmark = pytest.mark.xdist_group("ui screens")


@pytest.fixture
def duel_store(tiny: Dataset, data_dir: Path) -> Path:
    """A data folder with a dataset of four classes and two made up runs on it."""
    write_runs_on(tiny, data_dir)
    return data_dir


def press(app: AppTest, key: str) -> None:
    app.button(key=key).click().run()
    assert not app.exception


def play(app: AppTest, *, place: int = 1) -> None:
    press(app, "duel_start")
    for number in range(10):
        press(app, f"duel_{number}_{place}")
        assert words(app).count("**: ") == 3
        press(app, f"duel_next_{number}")


def test_without_the_dataset_it_says_where_to_get_it(open_page: Open) -> None:
    app = open_page("duel")
    assert "is not installed" in words(app)
    assert [link.proto.label for link in app.get("page_link")] == ["Add a dataset"]


def test_ten_sketches_are_named_beside_both_networks(
    duel_store: Path, open_page: Open
) -> None:
    app = open_page("duel")
    play(app)
    duel = app.session_state["duel"]
    right = np.array(duel.right())
    assert right.shape == (10, 3)
    table = next(m.value for m in app.markdown if "Right of 10" in m.value)
    for who, count in zip(
        ("You", "Simple", "ResNet-18"), right.sum(axis=0).tolist(), strict=True
    ):
        assert f"| {who} | {count} |" in table.replace("\\", "")
    assert not answers_file(duel_store).exists()
    seen = {question.id for question in duel.questions}
    press(app, "duel_start")
    again = app.session_state["duel"]
    assert again.said == []
    # Six of sixteen sketches are left, too few for ten others.
    assert app.session_state["duel_seen"] == seen | {q.id for q in again.questions}


def test_a_damaged_evaluation_is_told(duel_store: Path, open_page: Open) -> None:
    (runs_dir(duel_store) / "made-up-simple" / PREDICTIONS).write_bytes(b"half")
    app = open_page("duel")
    assert "evaluation of run 'made-up-simple' is damaged" in words(app)


def test_answers_are_kept_from_when_the_owner_wants_it(
    duel_store: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("duel")
    assert "Visitors' answers are not kept" in words(app)
    press(app, "duel_keep")
    assert "Visitors' answers are kept, without any name" in words(app)
    play(app, place=2)
    duel = app.session_state["duel"]
    kept = read_answers(duel_store).kept
    assert [answer.sketch for answer in kept] == [q.id for q in duel.questions]
    assert set(kept[0].networks) == {"made-up-resnet18", "made-up-simple"}
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    play(app)
    assert len(read_answers(duel_store).kept) == 10
    assert not [b for b in app.button if b.key == "duel_keep"]


def test_a_visitor_is_told_and_has_no_say(duel_store: Path, open_page: Open) -> None:
    allow_answers(True, data_dir=duel_store)
    set_passphrase("horse ladder teapot sun", data_dir=duel_store)
    app = open_page("duel", lang="es")
    assert "Las respuestas se guardan, sin ningún nombre" in words(app)
    assert not [b for b in app.button if b.key == "duel_keep"]


def test_enough_answers_tell_how_alike_people_and_networks_err(
    duel_store: Path, tiny: Dataset, open_page: Open
) -> None:
    allow_answers(True, data_dir=duel_store)
    said = {True: "house", False: "key"}
    lines = [
        Answer(
            sketches=tiny.split_fingerprint,
            sketch=str(number),
            drawn="house",
            choices=("house", "key"),
            said=said[number % 2 == 0],
            networks={
                "made-up-simple": said[number % 2 == 0],
                "made-up-resnet18": said[number % 4 < 2],
            },
        ).model_dump_json()
        for number in range(4 * LEAST_ANSWERS)
    ]
    answers_file(duel_store).write_text("\n".join(["{", *lines]), encoding="utf-8")
    app = open_page("duel")
    told = words(app).replace("\\", "")
    assert "| People and Simple | 1.00 | 1.00 to 1.00 |" in told
    assert "| People and ResNet-18 | 0.00 |" in told
    assert "1 line of" in told


def test_the_game_shows_the_best_drawing_beside_kept_ones(
    open_page: Open, data_dir: Path
) -> None:
    sketch = np.full((128, 128), 255, np.uint8)
    sketch[20:90, 30:40] = 0
    save_drawing(sketch, "sun", class_names=["sun"], data_dir=data_dir, source="canvas")
    app = open_page("draw", mode="Game")
    assert "Beat the network" in [e.proto.label for e in app.get("page_link")]
    # Its canvas can be loaded by a page only.
    from pages.parts.draw.game import Game

    app.session_state["game"] = Game(
        ["key", "sun", "house"],
        0.0,
        seconds=[3.0, 9.0, None],
        winners=[["Simple"], ["Simple"], []],
        sketches=[sketch, sketch, None],
        said=[{"Simple": "key"}, {"Simple": "sun"}, {}],
    )
    app.run()
    assert not app.exception
    assert "**Your best, sun, beside others'**" in words(app)
