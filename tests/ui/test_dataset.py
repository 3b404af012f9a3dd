"""What lies at a path is shown on the page Dataset before it is imported."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.datasets.store import list_datasets
from tests.conftest import REPOSITORY


def test_a_folder_is_shown_before_it_is_imported(
    tiny_pictures: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKETCHSCOPE_DATA", str(data_dir))
    app = AppTest.from_file(str(REPOSITORY / "dashboard.py"), default_timeout=120)
    app.switch_page("pages/dataset.py").run()
    place = next(field for field in app.text_input if "Path" in field.label)
    place.set_value(str(tiny_pictures))
    next(b for b in app.button if b.label == "Look at it").click().run()
    assert not app.exception
    assert any("80 sketches of 4 classes" in text.value for text in app.markdown)
    assert list_datasets(data_dir) == []
    app.button(key="dataset_import").click().run()
    assert not app.exception
    (dataset,) = list_datasets(data_dir)
    assert dataset.num_classes == 4
    assert any("Read 80 sketches" in text.value for text in app.caption)
