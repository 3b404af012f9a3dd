"""What a browser says is chosen need not be there."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.datasets.drawings import list_drawings, save_drawing
from core.datasets.store import Dataset
from core.errors import RunError
from core.paths import TRAINED_DIR
from core.runs.evaluation import read_evaluation
from core.runs.folder import METRICS_FILE
from pages.shared import reads, tables
from tests.conftest import REPOSITORY
from tests.synthetic import embeddings, make_evaluation, write_run
from tests.ui.conftest import Open


@pytest.mark.parametrize("line", [-1, 2, 10**9])
def test_a_line_that_a_shorter_table_lacks_is_not_chosen(
    line: int,
) -> None:
    class Selected:
        class selection:
            cells = ((line, "Class"),)

    assert tables.chosen_line(Selected, 2) is None
    assert (tables.chosen_line(Selected, line + 1) == line) == (line >= 0)


@pytest.mark.parametrize("temperature", [5e-324, 1e-40, 1e308])
def test_a_temperature_that_no_logit_can_be_divided_by_is_damage(
    temperature: float, tmp_path: Path
) -> None:
    path = tmp_path / "runs" / "struck"
    shutil.copytree(TRAINED_DIR / "simple-report", path)
    metrics = json.loads((path / METRICS_FILE).read_text())
    metrics["temperature"] = temperature
    (path / METRICS_FILE).write_text(json.dumps(metrics))
    with pytest.raises(RunError, match="damaged"):
        read_evaluation(path)


@pytest.mark.parametrize("name", ["images.npy", "index.csv", "keys.npy"])
@pytest.mark.parametrize("page", ["failures", "compare", "classes", "confusion"])
def test_a_damaged_dataset_is_a_sentence_on_a_page(
    page: str, name: str, tiny: Dataset, data_dir: Path, open_page: Open
) -> None:
    ids = tuple(one.id for one in tiny.records if one.split == "test")
    y_true, centres, places, scatter = embeddings(4, len(ids), runs=1, seed=0)
    made = make_evaluation(
        "given", "simple", y_true, places[0], centres, scatter=3 * scatter
    )
    known = {
        "dataset": "tiny",
        "dataset_fingerprint": tiny.fingerprint,
        "split_fingerprint": tiny.split_fingerprint,
    }
    write_run(
        data_dir,
        replace(
            made, ids=ids, class_names=tiny.class_names, metrics=made.metrics | known
        ),
    )
    open_page(page, run="given")
    (tiny.path / name).write_bytes(b"damaged")
    # What was read before is in no cache.
    reads._opened.clear()
    app = open_page(page, run="given")
    assert not app.exception


@pytest.mark.parametrize("damaged", [True, False])
def test_a_drawing_that_is_removed_or_damaged_meanwhile_breaks_no_page(
    damaged: bool, data_dir: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    sketch = np.full((128, 128), 255, np.uint8)
    sketch[40:60, 40:60] = 0
    save_drawing(sketch, "key", class_names=["key"], data_dir=data_dir, source="canvas")
    (kept,) = list_drawings(data_dir).kept
    found = list_drawings(data_dir)
    if damaged:
        kept.png.write_bytes(b"damaged")
    else:
        kept.png.unlink()
    # As it was listed, a moment before.
    monkeypatch.setattr("core.datasets.drawings.list_drawings", lambda _: found)
    monkeypatch.setattr(
        "pages.parts.draw.keep.list_drawings", lambda _: found, raising=False
    )
    app = open_page("draw", mode="My drawings")
    assert not app.exception


def test_each_fragment_says_its_errors() -> None:
    for path in (REPOSITORY / "pages").rglob("*.py"):
        if path.name != "fragments.py":
            assert "st.fragment" not in path.read_text(encoding="utf-8"), path
