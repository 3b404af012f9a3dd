"""The errors that a user can cause and mend, under one base."""

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


class SketchScopeError(Exception):
    """What the world did: one clear sentence that says what to do next."""


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


class OwnerError(SketchScopeError):
    """Something that only the owner may do, or a passphrase that can't be used."""


class SetError(SketchScopeError):
    """A set of sketches that can't be read from an address."""


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
