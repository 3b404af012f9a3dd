"""The errors that a user can cause and mend, under one base."""

from collections.abc import Iterable, Sequence
from numbers import Number
from pathlib import Path
from typing import Any

from pydantic import ValidationError

MAX_QUOTED = 200
"""Characters of what was received that an error repeats."""

MAX_EXPLAINED = 3


def quote(value: object) -> str:
    """Returns what was received as an error tells it: as Python does, if not all."""
    return shorten(repr(value))


def shorten(text: str) -> str:
    """Returns the beginning of a text that may be a book."""
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"


class Sentence(str):
    """An English sentence that knows its template, by which it is translated.

    Attributes:
        template: The sentence, with the names of its values in braces.
        values: What fills it in: text, numbers and other sentences.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> "Sentence":
        """Fills in a template; an error among the values becomes its sentence."""
        values = {
            name: value if isinstance(value, str | Number) else message_of(value)
            for name, value in values.items()
        }
        text = template.format(**values) if values else template
        sentence = super().__new__(cls, text)
        sentence.template, sentence.values = template, values
        return sentence

    def pack(self) -> list[Any]:
        """Returns template and values as JSON can hold them."""
        pairs = self.values.items()
        packed = {k: v.pack() if isinstance(v, Sentence) else v for k, v in pairs}
        return [self.template, packed]

    @classmethod
    def unpack(cls, packed: list[Any]) -> "Sentence":
        """Returns the sentence that was packed."""
        template, pairs = packed[0], packed[1].items()
        values = {k: cls.unpack(v) if isinstance(v, list) else v for k, v in pairs}
        return cls(template, **values)


class SketchScopeError(Exception):
    """What the world did: one clear sentence that says what to do next."""

    def __init__(self, template: str, /, **values: Any) -> None:
        """Makes a `Sentence` of a template and its values, unless it is one."""
        if not isinstance(template, Sentence):
            template = Sentence(template, **values)
        super().__init__(template)


class ImageError(SketchScopeError):
    """A picture that can't become a network input."""


class DatasetError(SketchScopeError):
    """A dataset that is missing, damaged, or can't be imported."""


class DrawingError(SketchScopeError):
    """A drawing that can't be kept, or is missing or damaged."""


class RunError(SketchScopeError):
    """A run that is missing, damaged, busy, or doesn't fit the request."""


class BusyError(RunError):
    """A run that another process is at work on."""


class ConfigError(SketchScopeError):
    """A setting that is unknown or out of its range."""


class LayerError(SketchScopeError, TypeError):
    """A layer of a network that can't be run without Keras."""


class OwnerError(SketchScopeError):
    """Something that only the owner may do, or a passphrase that can't be used."""


class SetError(SketchScopeError):
    """A set of sketches that can't be read from an address."""


def join_sentences(sentences: Sequence[str]) -> Sentence:
    """Returns several sentences as one."""
    values = {f"part{number}": part for number, part in enumerate(sentences)}
    return Sentence(" ".join(f"{{{name}}}" for name in values), **values)


def message_of(error: object) -> str:
    """Returns what an error says, or its name where it says nothing."""
    message = error.args[0] if isinstance(error, SketchScopeError) else str(error)
    return message or type(error).__name__


def unreadable(path: Path, error: OSError) -> Sentence:
    """Returns one sentence on what can't be read."""
    reason = error.strerror or error
    return Sentence("{path} can't be read: {reason}.", path=path, reason=reason)


def unwritable(path: Path, error: OSError) -> Sentence:
    """Returns one sentence on what can't be written."""
    reason = error.strerror or error
    return Sentence("{path} can't be written: {reason}.", path=path, reason=reason)


def damaged(path: Path | str, error: BaseException) -> Sentence:
    """Returns one sentence on a file, or a place in one, that holds something else."""
    if isinstance(error, ValidationError):
        return Sentence("{path} is damaged. {reason}", path=path, reason=explain(error))
    return Sentence("{path} is damaged: {reason}.", path=path, reason=error)


KINDS = (Sentence("network"), Sentence("recipe"), Sentence("field"))
"""What a page may ask for by name."""


def unknown(kind: str, name: object, options: Iterable[str]) -> ConfigError:
    """Returns the error that says that a name is none of some options."""
    return ConfigError(
        "There is no {kind} {name}. Choose one of: {options}.",
        kind=next((known for known in KINDS if known == kind), kind),
        name=quote(name),
        options=", ".join(options),
    )


def explain(error: ValidationError) -> str:
    """Turns a validation error into one sentence a field, for the first few."""
    sentences = []
    details = error.errors()
    # What is wrong with an item makes its list too short besides.
    spoiled = {detail["loc"][:1] for detail in details if len(detail["loc"]) > 1}
    for detail in details:
        if detail["type"] == "too_short" and detail["loc"] in spoiled:
            continue
        field = ".".join(map(str, detail["loc"]))
        message = detail["msg"].removeprefix("Value error, ")
        received = f" Received: {field}={quote(detail['input'])}" if field else ""
        sentences.append(f"`{field}`: {message}.{received}" if field else f"{message}.")
    if len(sentences) > MAX_EXPLAINED:
        more = len(sentences) - MAX_EXPLAINED
        sentences[MAX_EXPLAINED:] = [f"There are {more} more faults."]
    return " ".join(sentences)
