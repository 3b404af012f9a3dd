"""Labels: deciding about suspects, taking back, and a version to train on."""

import time
from functools import partial
from pathlib import Path

import pytest

from core.datasets.decisions import decide, read_decisions
from core.datasets.store import Dataset
from core.datasets.versions import make_version, open_any
from core.ownership import READ_ONLY_VARIABLE
from core.runs.out_of_fold import read_out_of_fold
from core.runs.status import utc_now
from core.sweeps.out_of_fold import suspects_sweep
from core.sweeps.record import is_being_trained, list_sweeps
from pages.parts.labels import search
from tests.suspected import suspect_labels
from tests.ui.conftest import Open, words

HANGING_S = 300


def test_suspects_are_decided_one_after_another(
    tiny: Dataset, data_dir: Path, open_page: Open
) -> None:
    assert "python -m core dataset suspects tiny" in open_page("labels").code[0].value
    ids = suspect_labels(tiny, 4)
    app = open_page("labels")
    assert "Label: house" in app.subheader[0].value
    app.button(key="labels_wrong").click().run()
    assert Path(ids[1]).stem in words(app)
    app.button(key="labels_not_a_drawing").click().run()
    app.button(key="labels_ambiguous").click().run()
    app.button(key="labels_right").click().run()
    assert "All suspects are decided." in words(app)
    app.button(key="labels_undo").click().run()
    assert Path(ids[3]).stem in words(app)
    standing = read_decisions(tiny).standing
    verdicts = [(standing[one].verdict, standing[one].label) for one in ids[:3]]
    assert verdicts == [("wrong", "key"), ("not_a_drawing", ""), ("ambiguous", "")]
    assert ids[3] not in standing
    app.button(key="labels_version").click().run()
    assert "**tiny@v1** has 63 training sketches; 2 differ from tiny" in words(app)
    assert open_any("tiny@v1", data_dir=data_dir).num_train == 63
    train = open_page("train", dataset="tiny@v1")
    assert train.selectbox(key="dataset").value == "tiny@v1"
    app.button(key="labels_version").click().run()
    assert "Nothing was decided about dataset" in words(app)


@pytest.mark.slow
def test_a_search_is_started_on_the_page_and_its_suspects_are_shown(
    tiny: Dataset, data_dir: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {"epochs": 1, "image_sizes": [32], "batch_size": 16}
    monkeypatch.setattr(
        search, "suspects_sweep", partial(suspects_sweep, folds=2, fields=quick)
    )
    app = open_page("labels")
    app.button(key="labels_search").click().run()
    assert not app.exception
    (record,) = list_sweeps(data_dir)[0]
    assert "python -m core dataset suspects" not in "".join(c.value for c in app.code)
    deadline = time.monotonic() + HANGING_S
    while is_being_trained(record.sweep.name, data_dir=data_dir):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    app = open_page("labels")
    assert read_out_of_fold(tiny) is not None
    assert "of 2 networks are trained" not in words(app)
    said = [element.value for element in (*app.subheader, *app.success)]
    assert any("Label: " in one or "No training sketch" in one for one in said)


def test_only_the_owner_decides(
    tiny: Dataset, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspect_labels(tiny, 2)
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    app = open_page("labels")
    assert "Label: house" in app.subheader[0].value
    keys = {button.key for button in app.button}
    assert not any(str(key).startswith("labels_") for key in keys)


def test_pages_of_whole_datasets_bear_a_version_in_their_address(
    tiny: Dataset, open_page: Open
) -> None:
    decide(tiny, suspect_labels(tiny, 1)[0], "not_a_drawing", at=utc_now())
    make_version(tiny, at=utc_now())
    for page in ("labels", "dataset"):
        app = open_page(page, dataset="tiny@v1")
        assert app.selectbox(key="dataset").value == "tiny"
    app = open_page("labels")
    app.button(key="labels_train").click().run()
    assert app.selectbox(key="dataset").value == "tiny@v1"
    for page in ("labels", "dataset"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        assert app.selectbox(key="dataset").value == "tiny"
