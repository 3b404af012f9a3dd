"""Every sentence that a page shows can be said in every language."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from core import errors
from core.analysis.overview import REFERENCES
from core.language import LANGUAGES, WORDS, translations
from core.runs.config import Settings, field_title
from core.runs.status import State
from tests.conftest import REPOSITORY

SCRIPTS = (
    REPOSITORY / "dashboard.py",
    REPOSITORY / "core/analysis/metrics.py",
    REPOSITORY / "core/datasets/account.py",
    REPOSITORY / "core/datasets/sources.py",
    REPOSITORY / "core/datasets/starter.py",
    *sorted(REPOSITORY.glob("core/charts/*.py")),
    *sorted(REPOSITORY.glob("core/report/**/*.py")),
    *sorted(REPOSITORY.glob("core/sentences/*.py")),
    REPOSITORY / "core/sweeps/charts.py",
    REPOSITORY / "core/sweeps/sentences.py",
    *sorted(REPOSITORY.glob("pages/**/*.py")),
)
SPEAKING = [
    path
    for path in sorted(
        [*REPOSITORY.glob("core/**/*.py"), *REPOSITORY.glob("pages/**/*.py")]
    )
    if not {"cli", "export"} & set(path.parts)
]
"""What fails, or says how it is, where visitors read it."""
ENGLISH = {
    # Only commands come by them.
    *("benchmark.py", "benchmark_report.py", "backend.py", "layers.py", "cluster.py"),
}
KEYWORDS = {
    "_": None,
    "gettext": None,
    "N_": None,
    "noop": None,
    "ngettext": (1, 2),
}
OTHERS = list(LANGUAGES)[1:]

SHOWN_FIRST = {
    *("title", "header", "subheader", "write", "markdown", "caption", "text"),
    *("info", "warning", "error", "success", "toast", "spinner", "badge", "metric"),
    *("button", "toggle", "checkbox", "selectbox", "multiselect", "slider", "radio"),
    *("segmented_control", "pills", "text_input", "number_input", "file_uploader"),
    *("download_button", "form_submit_button", "expander", "popover"),
    *("pick_run", "pick_option", "download_csv"),
}
"""Functions whose first argument is read by the visitor."""
SHOWN_BY_NAME = {"label", "help", "placeholder", "alt", "text", "caption"}
NAMES_OF_OUR_OWN = {"SketchScope"}

Message = str | tuple[str, ...]


def words_of_core() -> set[str]:
    """What pages show of `core` by its own words."""
    fields = Settings.model_fields
    return {
        *get_args(State),
        *REFERENCES,
        *map(field_title, fields),
        *(info.description or "" for info in fields.values()),
    }


def templates(path: Path) -> Iterator[str]:
    """What errors and other messages of `core` say that is translated.

    An f-string stays English, which suits what no visitor meets.
    """
    for call in messages(path):
        match call.args:
            case [ast.Constant(str(text)), *_]:
                yield text


def messages(path: Path) -> Iterator[ast.Call]:
    """The calls that make errors and other messages of `core`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(ast.Name(name)) if name == "Sentence" or (
                name.endswith("Error") and hasattr(errors, name)
            ):
                yield node


@cache
def used() -> set[Message]:
    """Every sentence that the dashboard looks up."""
    found: set[Message] = set(words_of_core())
    for path in SCRIPTS:
        with path.open("rb") as stream:
            for _, message, _, _ in extract("python", stream, keywords=KEYWORDS):
                found.add(message)
    for path in SPEAKING:
        found.update(templates(path))
    return found


def translated(language: str) -> Iterator[tuple[Path, Any]]:
    """Every message of a language's catalogs, with its file."""
    for path in sorted((WORDS / language).glob("*.po")):
        with path.open("rb") as stream:
            for message in read_po(stream, locale=language, abort_invalid=True):
                if message.id:
                    yield path, message


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(
    "path",
    [path for path in SPEAKING if path.name not in ENGLISH],
    ids=lambda path: path.stem,
)
def test_an_error_that_a_page_may_show_is_a_template(path: Path) -> None:
    bare = [
        f"{call.lineno}: {ast.unparse(call)}"
        for call in messages(path)
        if call.args and isinstance(call.args[0], ast.JoinedStr | ast.BinOp)
    ]
    assert not bare


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_is_translated(language: str) -> None:
    known = {
        message.id
        for _, message in translated(language)
        if all([message.string] if isinstance(message.string, str) else message.string)
        and not message.fuzzy
    }
    assert not used() - known


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_is_left_that_nobody_reads(language: str) -> None:
    left = {m.id: path.name for path, m in translated(language) if m.id not in used()}
    assert not left


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("number", [0, 1, 2, 12, 1_000_000])
def test_every_number_finds_its_plural(language: str, number: int) -> None:
    plurals = [message for _, message in translated(language) if message.pluralizable]
    assert plurals
    for message in plurals:
        one, many = message.id
        found = translations(language).ngettext(one, many, number)
        assert found == message.string[number != 1]


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_fills_in_the_same_values(language: str) -> None:
    for path, message in translated(language):
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        forms = (
            [message.string]
            if isinstance(message.string, str)
            else list(message.string)
        )
        for form in forms:
            # Of a plural, either form may have lost its number.
            assert placeholders(form) in [placeholders(text) for text in ids], (
                f"{path.name}: {form}"
            )


@pytest.mark.parametrize("language", OTHERS)
def test_a_sentence_is_translated_in_one_way(language: str) -> None:
    strings: dict[Message, Any] = {}
    for path, message in translated(language):
        said = strings.setdefault(message.id, message.string)
        assert said == message.string, f"{path.name}: {message.id}"


def is_words(node: ast.AST) -> bool:
    """Whether an expression is a literal with words in it, outside of `_()`."""
    if isinstance(node, ast.Constant):
        return (
            isinstance(node.value, str)
            and node.value not in NAMES_OF_OUR_OWN
            and re.search(r"[^\W\d_]{2}", re.sub(r":\w+[/\w]*:", "", node.value))
            is not None
        )
    if isinstance(node, ast.JoinedStr):
        return any(is_words(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return is_words(node.left) or is_words(node.right)
    if isinstance(node, ast.IfExp):
        return is_words(node.body) or is_words(node.orelse)
    if isinstance(node, ast.List | ast.Tuple):
        return any(is_words(part) for part in node.elts)
    return isinstance(node, ast.ListComp) and is_words(node.elt)


def bare_words(source: str) -> list[str]:
    """Lines of a page that show words which are looked up in no language."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        shown = [k.value for k in node.keywords if k.arg in SHOWN_BY_NAME]
        if name in SHOWN_FIRST:
            shown += node.args[:1]
        found += [f"{v.lineno}: {ast.unparse(v)}" for v in shown if is_words(v)]
    return found


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_page_shows_no_words_but_those_it_looks_up(path: Path) -> None:
    assert not bare_words(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("source", "is_bare"),
    [
        ('st.title("Words")', True),
        ('left.caption(f"{count} words")', True),
        ('st.image(sketch, alt=[f"Sketch {n}" for n in rows])', True),
        ('st.button(_("Words"), icon=":material/add:")', False),
        ('st.caption(f"**{count}** · {name}")', False),
    ],
)
def test_bare_words_are_found(source: str, is_bare: bool) -> None:
    assert bool(bare_words(source)) is is_bare


def test_no_value_is_put_into_a_sentence_before_it_is_looked_up() -> None:
    for path in SCRIPTS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KEYWORDS:
                assert not any(isinstance(arg, ast.JoinedStr) for arg in node.args), (
                    f"{path.name} {node.lineno}"
                )


def test_the_template_of_the_report_has_no_words_of_its_own() -> None:
    template = (REPOSITORY / "core/report/report.html.j2").read_text(encoding="utf-8")
    text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", template, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>|&\w+;", "", text)
    assert not re.search(r"[^\W\d_]", text), text
    labels = re.findall(r'(?:alt|title|aria-label)="([^"]*)"', template)
    assert labels
    assert all(label.startswith("{{") for label in labels)
