"""The written report: its numbers, its page, its folder."""

import base64
import csv
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from plotly import graph_objects as go
from sklearn.metrics import confusion_matrix, recall_score

from core.analysis.classes import measure_classes
from core.analysis.statistics import wilson_interval
from core.datasets.store import Dataset
from core.errors import RunError, SketchScopeError
from core.files import write_json
from core.language import translations
from core.paths import TRAINED_DIR
from core.report import Report, make_report
from core.report.blocks import charts_of
from core.report.contents import Contents, Results, read_contents
from core.report.document import make_document
from core.report.examples import choose_examples
from core.report.folder import PAGE, PARTIAL_PREFIX, write_folder
from core.report.page import digest, figure_json, make_page
from core.report.sentences import opening
from core.report.tables import make_tables
from core.runs.config import RunConfig, Settings
from core.runs.evaluation import Evaluation, write_evaluation
from core.runs.folder import CONFIG
from core.runs.reading import Run, write_history
from core.runs.status import Status
from core.sentences.numbers import isolated, percent, sure_words

BOTH = [TRAINED_DIR / "resnet18", TRAINED_DIR / "simple"]
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=http://example.com/x onerror=alert(1)>",
    'a, "quoted"\nline',
    "\u202egnihton",
    "שמש",
    "{name} {{ 7 * 7 }} %s & &lt;",
)
ENGLISH = re.compile(r"\b(the|and|are|with|your|them|networks|taken|which)\b")


def config_of(run_id: str, names: Sequence[str], *, split: str = "s") -> RunConfig:
    return RunConfig(
        run_id=run_id,
        network="simple",
        dataset="tiny",
        dataset_fingerprint="f",
        split_fingerprint=split,
        attribution="",
        class_names=tuple(names),
        recipe="report",
        settings=Settings(epochs=2),
        created_at="2026-01-01T00:00:00+00:00",
    )


def evaluation_of(
    run_id: str,
    names: Sequence[str],
    y_true: Sequence[int],
    y_pred: Sequence[int],
    *,
    ids: Sequence[str] | None = None,
    split: str = "s",
) -> Evaluation:
    """Answers of which each is surer than the one before."""
    n = len(y_true)
    logits = np.zeros((n, len(names)), dtype=np.float16)
    logits[np.arange(n), list(y_pred)] = 2 + np.arange(n) / n
    right = int((np.array(y_true) == np.array(y_pred)).sum())
    metrics = {
        "run_id": run_id,
        "network": "simple",
        "dataset": "tiny",
        "dataset_fingerprint": "f",
        "split_fingerprint": split,
        "n": n,
        "num_classes": len(names),
        "num_parameters": 1000,
        "top1": right / n,
        "top5": 1.0,
        "top1_interval": list(wilson_interval(right, n)),
        "loss": 1.0,
        "ece": 0.1,
        "loss_calibrated": 1.0,
        "ece_calibrated": 0.1,
        "temperature": 1.0,
    }
    return Evaluation(
        metrics=metrics,
        class_names=tuple(names),
        ids=tuple(ids if ids is not None else map(str, range(n))),
        y_true=np.array(y_true, dtype=np.int32),
        y_pred=np.array(y_pred, dtype=np.int32),
        logits=logits,
        embedding=np.zeros((n, 2), dtype=np.float16),
        map_2d=np.zeros((n, 2), dtype=np.float32),
    )


def results_of(
    run_id: str, names: Sequence[str], y_true: Sequence[int], y_pred: Sequence[int]
) -> Results:
    evaluation = evaluation_of(run_id, names, y_true, y_pred)
    config = config_of(run_id, names)
    return Results(
        run=Run(Path(run_id), config, Status(), (), evaluation.metrics, ""),
        config=config,
        evaluation=evaluation,
        class_metrics=tuple(
            measure_classes(
                evaluation.y_true, evaluation.y_pred, class_names=tuple(names)
            )
        ),
    )


def write_run(
    folder: Path,
    names: Sequence[str],
    y_true: Sequence[int],
    y_pred: Sequence[int],
    *,
    split: str = "s",
    ids: Sequence[str] | None = None,
) -> Path:
    """Makes the folder of a run that was trained and scored."""
    folder.mkdir(parents=True)
    config = config_of(folder.name, names, split=split)
    write_json(folder / CONFIG, config.model_dump(mode="json"))
    row = {"loss": 1.5, "top1": 0.25, "val_loss": 1.4, "val_top1": 0.5}
    write_history(
        folder,
        [{"epoch": e, "step": 3 * e, "elapsed_s": 2.0 * e, **row} for e in (1, 2)],
    )
    evaluation = evaluation_of(folder.name, names, y_true, y_pred, split=split, ids=ids)
    write_evaluation(folder, evaluation, class_rows=[{"class_name": names[0]}])
    return folder


@st.composite
def two_results(draw: st.DrawFn) -> Contents:
    classes = draw(st.integers(2, 6))
    size = draw(st.integers(1, 40))
    labels = st.lists(st.integers(0, classes - 1), min_size=size, max_size=size)
    names = [f"class {label}" for label in range(classes)]
    y_true = draw(labels)
    return Contents(
        tuple(results_of(run, names, y_true, draw(labels)) for run in ("a", "b")), None
    )


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@given(two_results())
def test_the_tables_agree_with_scikit_learn(contents: Contents) -> None:
    tables = make_tables(contents)
    labels = range(len(contents.class_names))
    of_classes = rows_of(tables["classes.csv"])
    of_pairs = rows_of(tables["confusions.csv"])
    for results in contents.results:
        y_true, y_pred = results.evaluation.y_true, results.evaluation.y_pred
        expected = confusion_matrix(y_true, y_pred, labels=labels)
        lines = list(csv.reader(io.StringIO(tables[f"matrix-{results.run_id}.csv"])))
        assert tuple(lines[0][1:]) == contents.class_names
        assert [list(map(int, line[1:])) for line in lines[1:]] == expected.tolist()
        told = [row for row in of_classes if row["run"] == results.run_id]
        recall = recall_score(
            y_true, y_pred, labels=labels, average=None, zero_division=0
        )
        tested = [row for row in told if row["sketches"] != "0"]
        assert [float(row["accuracy"]) for row in tested] == pytest.approx(
            recall[expected.sum(1) > 0]
        )
        assert all(row["accuracy"] == "–" for row in told if row not in tested)
        assert [int(row["sketches"]) for row in told] == expected.sum(1).tolist()
        assert all(float(row["low"]) <= float(row["high"]) for row in tested)
        rest = expected.copy()
        for row in (row for row in of_pairs if row["run"] == results.run_id):
            drawn = contents.class_names.index(row["drawn"])
            guess = contents.class_names.index(row["taken for"])
            assert int(row["count"]) == expected[drawn, guess] > 0
            assert int(row["of"]) == expected[drawn].sum()
            rest[drawn, guess] = 0
        assert (rest == np.diag(np.diag(expected))).all()


@given(two_results())
def test_what_two_runs_say_adds_up_to_all_sketches(contents: Contents) -> None:
    agreement = contents.agreement
    assert agreement is not None
    first, second = (results.evaluation for results in contents.results)
    pairs = list(zip(first.y_true, first.y_pred, second.y_pred, strict=True))
    assert agreement.same == sum(a == b for _, a, b in pairs)
    assert agreement.same_wrong == sum(a == b != y for y, a, b in pairs)
    assert agreement.both_right == sum(a == b == y for y, a, b in pairs)
    assert agreement.both_wrong == sum(a != y != b for y, a, b in pairs)
    assert agreement.same == agreement.both_right + agreement.same_wrong


@given(two_results(), st.sampled_from(["en", "es"]))
@settings(max_examples=10)
def test_a_report_can_be_made_of_any_answers(contents: Contents, language: str) -> None:
    for part in (contents, replace(contents, results=contents.results[:1])):
        document = make_document(part, language=language)
        page = make_page(document)
        assert len(charts_of(document)) == len(parsed(page).class_metrics)
        assert all(document.opening)


@given(two_results(), st.integers(0, 3))
def test_examples_are_of_their_class_and_kind(contents: Contents, limit: int) -> None:
    for results in (contents.results, contents.results[:1]):
        for label in range(len(contents.class_names)):
            right, wrong = choose_examples(results, label, limit=limit)
            assert max(len(right), len(wrong)) <= limit
            assert not set(right) & set(wrong)
            for row in (*right, *wrong):
                assert results[0].evaluation.y_true[row] == label
            assert all(any(r.is_right[row] for r in results) for row in right)
            assert all(any(not r.is_right[row] for r in results) for row in wrong)


def test_of_a_class_s_sketches_the_surest_answers_are_shown() -> None:
    names = ("cat", "dog")
    one = results_of("a", names, [0] * 6, [0, 0, 0, 1, 1, 1])
    other = results_of("b", names, [0] * 6, [1, 0, 0, 1, 0, 1])
    assert choose_examples((one,), 0, limit=2) == ([2, 1], [5, 4])
    # Those that both recognise before those that one does, and likewise mistaken.
    assert choose_examples((one, other), 0, limit=3) == ([2, 1, 4], [5, 3, 0])


def test_the_first_sentences_are_the_numbers() -> None:
    names = ("cat", "dog", "ant")
    y_true = [0] * 10 + [1] * 5 + [2] * 5
    first = results_of("a", names, y_true, [1] * 6 + [0] * 4 + [1] * 5 + [2] * 5)
    second = results_of("b", names, y_true, [1] * 6 + [0] * 4 + [1] * 5 + [0] * 5)
    told = "\n".join(opening(Contents((first, second), None), translations("en")))
    assert "a recognises 14 of 20 test sketches, 70.0\N{NO-BREAK SPACE}%" in told
    assert "Most frequent with a: cat is taken for dog 6 times of 10." in told
    assert "agree on 15 of 20 sketches" in told
    assert "9 that both recognise and 6 that both take" in told
    assert "a alone recognises 5 of the sketches, b alone 0." in told
    # Five coins that fall alike, either way, counted half: 1 / 2⁵.
    assert "hardly chance (McNemar's mid-p test, p = 0.031): a is the bett" in told
    close = results_of("b", names, y_true, [1] * 6 + [0] * 4 + [1] * 5 + [0] * 4 + [2])
    told = "\n".join(opening(Contents((first, close), None), translations("en")))
    assert "Chance alone may explain that (McNemar's mid-p test, p = 0.062)" in told
    better = results_of("a", names, y_true * 2, y_true * 2)
    worse = results_of("b", names, y_true * 2, [1] * 20 + [0] * 20)
    told = "\n".join(opening(Contents((worse, better), None), translations("en")))
    assert re.search(r"p < 0\.001\): a is the better one, by \d\d\.\d points", told)


@pytest.mark.parametrize(
    ("probability", "told"),
    [(1.0, "100"), (0.996, ">99"), (0.994, "99"), (0.004, "<1"), (0.0, "0")],
)
def test_nothing_but_certainty_is_called_certain(probability: float, told: str) -> None:
    assert sure_words(probability, translations("en")) == f"{told}\N{NO-BREAK SPACE}%"


class Parsed(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.class_metrics: list[Any] = []
        self.text: list[str] = []
        self.style = ""
        self._open = ("", "")

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag in ("script", "style"):
            self._open = (tag, attributes.get("type") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open[0]:
            self._open = ("", "")

    def handle_data(self, data: str) -> None:
        tag, kind = self._open
        if kind == "application/json":
            self.class_metrics.append(json.loads(data))
        elif tag == "script":
            self.scripts.append(data)
        elif tag == "style":
            self.style += data
        else:
            self.text.append(data)


def parsed(page: str) -> Parsed:
    found = Parsed()
    found.feed(page)
    found.close()
    return found


def assert_stands_alone(page: Parsed) -> None:
    """Nothing that the page holds makes a browser ask for anything."""
    loading = {"src", "href", "srcset", "data", "action", "poster", "background"}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in loading & attributes.keys():
            assert (attributes[name] or "").startswith(("#", "data:image/png;base64,"))
    assert "url(" not in page.style
    assert "@import" not in page.style
    assert not {"link", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    policy = next(
        attributes["content"] or ""
        for tag, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert len(page.scripts) == 2
    assert all(digest(script) in policy for script in page.scripts)


@pytest.mark.parametrize("language", ["en", "es"])
def test_names_that_are_more_than_text_stay_text(tmp_path: Path, language: str) -> None:
    y_true = [label for label in range(len(HOSTILE)) for _ in range(4)]
    y_pred = [*y_true[1:], 0]
    run = write_run(tmp_path / "<b>run" / "<i>a&b", HOSTILE, y_true, y_pred)
    report = make_report([run], data_dir=tmp_path, language=language)
    page = parsed(report.files[PAGE].decode())
    assert_stands_alone(page)
    assert not {"i", "img"} & {tag for tag, _ in page.tags}
    text = "".join(page.text)
    assert "<i>a&b" in text
    for name in HOSTILE:
        assert name in text
    # Plotly takes tags in names for tags: none may reach it.
    drawn = [
        x
        for figure in page.class_metrics
        for trace in figure["data"]
        for x in trace["x"]
    ]
    assert any("&lt;script&gt;" in str(x) for x in drawn)
    assert not any("<" in str(x) for x in drawn)
    rows = rows_of(report.files["classes.csv"].decode())
    assert {row["class"] for row in rows} == set(HOSTILE)
    assert {row["drawn"] for row in rows_of(report.files["sketches.csv"].decode())} == (
        set(HOSTILE)
    )
    # A folder's name that is no run id makes no file's name.
    assert "matrix-run-1.csv" in report.files


def test_no_figure_ends_the_script_that_holds_it() -> None:
    name = "</script><!--<script>&\u2028"
    text = str(figure_json(go.Figure(layout={"title": {"text": name}})))
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text)["layout"]["title"]["text"] == name


def test_a_name_from_right_to_left_turns_no_words_around_it() -> None:
    assert isolated("cat") == "cat"
    for name in ("\u202egnihton", "שמש"):
        assert isolated(name) == f"\u2068{name}\u2069"


@pytest.fixture(scope="module")
def shipped() -> Report:
    return make_report(BOTH, data_dir=Path("/nowhere"))


def test_the_report_of_the_shipped_runs_holds_everything(shipped: Report) -> None:
    page = parsed(shipped.files[PAGE].decode())
    assert_stands_alone(page)
    assert len(shipped.files[PAGE]) < 15e6
    # Loss, top-1, two matrices a run, and the classes.
    assert len(page.class_metrics) == 2 + 2 * 2 + 1
    headings = [tag for tag, _ in page.tags if tag == "h2"]
    assert len(headings) == 10
    kinds = [trace["type"] for figure in page.class_metrics for trace in figure["data"]]
    assert kinds.count("heatmap") == 4
    assert sum(tag == "img" for tag, _ in page.tags) == 0
    assert {"runs.csv", "agreement.csv", "matrix-simple.csv"} <= shipped.files.keys()
    assert len(rows_of(shipped.files["sketches.csv"].decode())) == 4000


def test_the_same_report_is_the_same_bit_for_bit(shipped: Report) -> None:
    again = make_report(BOTH, data_dir=Path("/nowhere"))
    assert again.files == shipped.files
    assert again.zip() == shipped.zip()


def test_a_report_in_spanish_says_nothing_in_english() -> None:
    report = make_report(BOTH, data_dir=Path("/nowhere"), language="es")
    page = parsed(report.files[PAGE].decode())
    assert ("html", {"lang": "es"}) in page.tags
    spoken = [text for text in page.text if "python -m core" not in text]
    labels = [a.get("aria-label") or "" for _, a in page.tags]
    for text in (*spoken, *labels):
        # The attribution is as its authors wrote it.
        if "Humans Sketch" not in text and "Guo et al." not in text:
            assert not ENGLISH.search(text), text


def test_a_language_that_nobody_speaks_is_refused() -> None:
    with pytest.raises(SketchScopeError, match=r"no language 'xx'.*en, es"):
        make_report(BOTH[:1], data_dir=Path("/nowhere"), language="xx")


def test_the_pictures_are_those_of_the_dataset(
    tiny: Dataset, data_dir: Path, tmp_path: Path
) -> None:
    rows = tiny.indices("test")
    ids = [tiny.records[row].id for row in rows]
    y_true = tiny.labels[rows].tolist()
    y_pred = [*y_true[1:], y_true[0]]
    evaluation = evaluation_of("a", tiny.class_names, y_true, y_pred, ids=ids)
    run = write_run(tmp_path / "a", tiny.class_names, y_true, y_pred, ids=ids)
    evaluation.metrics["dataset_fingerprint"] = tiny.fingerprint
    write_evaluation(run, evaluation, class_rows=[{"class_name": "key"}])
    report = make_report([run], data_dir=data_dir)
    page = parsed(report.files[PAGE].decode())
    assert_stands_alone(page)
    shown = [attributes for tag, attributes in page.tags if tag == "img"]
    assert shown
    for attributes in shown:
        uri, alt = attributes["src"] or "", attributes["alt"] or ""
        sketch_id = re.match(r"Sketch (\S+) of", alt)
        assert sketch_id
        content = base64.b64decode(uri.partition(",")[2])
        pixels = np.array(Image.open(io.BytesIO(content)))
        assert (pixels == tiny.images[tiny.rows[sketch_id[1]]]).all()
    # A dataset of other sketches lends no pictures.
    other = make_report([BOTH[1]], data_dir=data_dir)
    assert b"<img" not in other.files[PAGE]


def test_a_run_that_is_always_right_has_nothing_to_confuse(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", ("cat", "dog"), [0, 1, 1], [0, 1, 1])
    report = make_report([run], data_dir=tmp_path)
    text = report.files[PAGE].decode()
    assert "there is nothing to confuse" in text
    assert len(parsed(text).class_metrics) == 2 + 1 + 1


def test_a_run_without_a_history_has_no_curves(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", ("cat", "dog"), [0, 1, 1], [0, 1, 0])
    (run / "history.jsonl").unlink()
    report = make_report([run], data_dir=tmp_path)
    assert "history.csv" not in report.files
    assert "Nothing of the training" in report.files[PAGE].decode()
    (run / "history.jsonl").write_text("{")
    damaged = make_report([run], data_dir=tmp_path)
    assert "history.jsonl line 1 is damaged" in damaged.files[PAGE].decode()


def test_runs_that_can_not_stand_beside_each_other_are_refused(tmp_path: Path) -> None:
    names, y_true = ("cat", "dog"), [0, 1, 1]
    first = write_run(tmp_path / "a", names, y_true, y_true)
    refused = {
        "same test sketches": [first, write_run(tmp_path / "b", names, [0], [0])],
        "different datasets or splits": [
            first,
            write_run(tmp_path / "c", names, y_true, y_true, split="other"),
        ],
        "Both runs are called 'a'": [first, first],
        "of one run or of two. Received: 3": [first] * 3,
        "of one run or of two. Received: 0": [],
    }
    for words, run_dirs in refused.items():
        with pytest.raises(RunError, match=re.escape(words)):
            read_contents(run_dirs, data_dir=tmp_path)


def test_a_run_without_an_evaluation_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", ("cat", "dog"), [0, 1], [0, 1])
    (run / "metrics.json").unlink()
    with pytest.raises(RunError, match="has no evaluation yet"):
        make_report([run], data_dir=tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Report:
    run = write_run(tmp_path / "runs" / "a", ("cat", "dog"), [0, 1, 1], [0, 1, 0])
    return make_report([run], data_dir=tmp_path)


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_report_is_written_whole_and_over_an_earlier_one(
    small: Report, shipped: Report, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "report"
    shipped.write(folder)
    assert content_of(folder) == shipped.files
    small.write(folder)
    assert content_of(folder) == small.files
    assert [path.name for path in folder.parent.iterdir()] == ["report"]
    empty = tmp_path / "empty"
    empty.mkdir()
    small.write(empty)
    assert content_of(empty) == small.files


@pytest.mark.parametrize("name", ["notes.txt", "runs.csv", "report.html", ".git"])
def test_a_folder_with_other_things_is_left_alone(
    name: str, small: Report, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / name).write_text("mine")
    with pytest.raises(SketchScopeError, match="holds other things than a report"):
        small.write(folder)
    assert content_of(folder) == {name: b"mine"}


def test_what_was_put_beside_an_earlier_report_is_not_lost(
    small: Report, tmp_path: Path
) -> None:
    folder = tmp_path / "report"
    small.write(folder)
    (folder / "notes.txt").write_text("mine")
    before = content_of(folder)
    with pytest.raises(SketchScopeError, match=r"such as 'notes\.txt'"):
        small.write(folder)
    assert content_of(folder) == before
    (folder / "notes.txt").unlink()
    (folder / "classes.csv").unlink()
    (folder / "classes.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(SketchScopeError, match=r"such as 'classes\.csv'"):
        small.write(folder)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SketchScopeError, match="is a file"):
        small.write(tmp_path / "file")


def test_a_report_that_can_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SketchScopeError, match="can't be written"):
        write_folder({"a/b.csv": b""}, tmp_path / "report")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_report_left_behind_is_cleared(
    small: Report, tmp_path: Path
) -> None:
    # No process has this number.
    left = tmp_path / f"{PARTIAL_PREFIX}{2**22 + 1}-abc"
    left.mkdir()
    (left / PAGE).write_text("half")
    small.write(tmp_path / "report")
    assert not left.exists()


def test_the_zip_is_the_folder(small: Report) -> None:
    with zipfile.ZipFile(io.BytesIO(small.zip())) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    assert found == {f"report-a/{name}": data for name, data in small.files.items()}


def test_percent_keeps_its_sign_on_the_line() -> None:
    assert percent(0.5, translations("en")) == "50\N{NO-BREAK SPACE}%"
