"""What goes wrong is said in English, and by its template in every language."""

import json
import pickle
from pathlib import Path

import pytest

from core.errors import RunError, Sentence, join_sentences, message_of
from core.language import translate, translations
from core.runs.folder import STATUS
from core.runs.status import Status, read_status, write_status

ENGLISH, SPANISH = translations("en"), translations("es")
REMOVED = RunError("Run {run!r} was removed meanwhile.", run="a {b}")
FAILED = Sentence("Run {run!r} could not be started: {reason}", run="c", reason=REMOVED)


def test_an_error_says_its_template_filled_in() -> None:
    assert str(REMOVED) == "Run 'a {b}' was removed meanwhile."
    assert str(RunError("It holds {braces}.")) == "It holds {braces}."
    assert f"Run 'c' could not be started: {REMOVED}" == FAILED


def test_a_sentence_among_the_values_is_translated_too() -> None:
    assert translate(REMOVED, SPANISH) == (
        "El entrenamiento 'a {b}' se eliminó entretanto."
    )
    assert translate(FAILED, SPANISH) == (
        "No se pudo empezar el entrenamiento 'c': "
        "El entrenamiento 'a {b}' se eliminó entretanto."
    )
    assert translate(FAILED, ENGLISH) == FAILED


def test_a_value_is_no_sentence_even_where_it_reads_like_one() -> None:
    named = RunError("Run {run!r} was removed meanwhile.", run="stopped")
    assert "'stopped'" in translate(named, SPANISH)
    state = RunError(
        "Run {run!r} is not running: {state}.", run="a", state=Sentence("stopped")
    )
    assert translate(state, SPANISH).endswith(": detenido.")


def test_what_nobody_translated_stays_english() -> None:
    assert translate("Something {new} happened.", SPANISH) == (
        "Something {new} happened."
    )
    assert translate("", SPANISH) == ""


def test_several_sentences_are_translated_one_by_one() -> None:
    both = join_sentences([message_of(REMOVED), "No passphrase is set."])
    assert both == f"{REMOVED} No passphrase is set."
    assert translate(both, SPANISH).startswith("El entrenamiento")
    assert join_sentences([]) == ""


def test_an_error_that_says_nothing_is_called_by_its_name() -> None:
    assert message_of(MemoryError()) == "MemoryError"
    assert message_of(OSError("broken")) == "broken"


@pytest.mark.parametrize("value", [REMOVED, FAILED])
def test_a_pickle_keeps_the_template(value: RunError | Sentence) -> None:
    again = pickle.loads(pickle.dumps(value))
    assert str(again) == str(value)
    assert translate(again, SPANISH) == translate(value, SPANISH)


def test_a_status_keeps_the_template(tmp_path: Path) -> None:
    write_status(tmp_path, Status("failed", message=FAILED))
    assert json.loads((tmp_path / STATUS).read_bytes())["message"] == FAILED
    message = read_status(tmp_path).message
    assert message == FAILED
    assert translate(message, SPANISH) == translate(FAILED, SPANISH)


@pytest.mark.parametrize(
    "sentence",
    [
        None,
        "",
        [],
        ["No passphrase is set.", {}],
        ["{}", {}],
        ["{run.path}", {"run": "c"}],
        ["{run:d}", {"run": "c"}],
        ["{run}", {"run": ["{run}", {"run": []}]}],
        ["{run}", {"run": {}}],
        [FAILED.template, {}],
    ],
)
def test_a_status_whose_template_is_damaged_says_it_in_english(
    tmp_path: Path, sentence: object
) -> None:
    write_status(tmp_path, Status("failed", message=FAILED))
    fields = json.loads((tmp_path / STATUS).read_bytes())
    fields["sentence"] = sentence
    (tmp_path / STATUS).write_text(json.dumps(fields), encoding="utf-8")
    message = read_status(tmp_path).message
    assert message == FAILED
    assert translate(message, SPANISH) == FAILED
