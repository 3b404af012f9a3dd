"""No screen takes text from elsewhere for more than text."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import RunError
from core.language import plain_but_code
from core.paths import TRAINED_DIR
from core.runs.folder import CONFIG, METRICS_FILE, STATUS
from pages.shared.language import say
from tests.conftest import PAGES
from tests.ui.conftest import Open

IMAGE = "![x](https://elsewhere.example/x.png)"
KINDS = (
    *("markdown", "caption", "info", "warning", "error", "success", "title", "header"),
    *("subheader", "button", "checkbox", "expander", "metric", "toast"),
)


@pytest.fixture
def hostile(data_dir: Path) -> Path:
    """A data folder with runs whose classes, states and errors are Markdown."""
    for name in ("given", "failed", "broken"):
        run_dir = data_dir / "runs" / name
        shutil.copytree(TRAINED_DIR / "simple-report", run_dir)
        config = json.loads((run_dir / CONFIG).read_text())
        config["run_id"] = name
        for number in range(0, len(config["class_names"]), 3):
            config["class_names"][number] = f"{IMAGE} :red[{number}]"
        (run_dir / CONFIG).write_text(json.dumps(config))
    (data_dir / "runs" / "failed" / METRICS_FILE).unlink()
    status = {"state": "failed", "message": f"It ended: {IMAGE}"}
    (data_dir / "runs" / "failed" / STATUS).write_text(json.dumps(status))
    (data_dir / "runs" / "broken" / STATUS).write_text(json.dumps({"state": IMAGE}))
    (data_dir / "sweeps" / "mine").mkdir(parents=True)
    record = json.dumps({"sweep": IMAGE})
    (data_dir / "sweeps" / "mine" / "sweep.json").write_text(record)
    (data_dir / "datasets" / "bad").mkdir(parents=True)
    fields = json.dumps({"format_version": IMAGE})
    (data_dir / "datasets" / "bad" / "dataset.json").write_text(fields)
    return data_dir


def shown(app: AppTest) -> Iterator[str]:
    """All that is read as Markdown."""
    for kind in KINDS:
        for element in app.get(kind):
            for name in ("label", "value", "body"):
                text = getattr(element, name, None)
                if isinstance(text, str):
                    yield text


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("run", ["given", "failed", "broken"])
def test_no_screen_takes_text_from_elsewhere_for_markdown(
    page: str, run: str, hostile: Path, open_page: Open
) -> None:
    app = open_page(page, run=run)
    texts = list(shown(app))
    assert texts
    for text in texts:
        assert "[x](https" not in text, text


def test_what_a_file_says_is_no_markdown() -> None:
    error = RunError(
        "{path} is damaged: {reason}. Try `a {run}`.",
        path="a_b*c",
        reason=f"{IMAGE} $x$ :red[y]\n# z",
        run="n`o`w",
    )
    text = say(error)
    assert "[x](" not in text
    assert text.startswith(r"a\_b\*c is damaged: ")
    for sign in ("$x$", ":red[", "\n"):
        assert sign not in text


def test_our_own_commands_stay_code() -> None:
    sentence = "Go on with `python -m core train --resume a_b`. It's at 3:4 of <i>."
    assert plain_but_code(sentence) == (
        r"Go on with `python -m core train --resume a_b`. It's at 3\:4 of \<i\>."
    )
