"""What `core` says in English, in the visitor's language.

Its sentences come from run folders, where they were written long ago, and from errors.
Those that visitors meet often are listed here as templates; any other stays English.
"""

import re
from functools import cache
from string import Formatter

from core.language import noop as N_
from pages.shared.language import gettext as _

TEMPLATES = (
    N_("Downloading"),
    N_("Packing sketches"),
    N_("Stopped on request. Go on with `python -m core train --resume {run}`."),
    N_("Stopped on request."),
    N_("Stopped before it began. It can be resumed."),
    N_("Its training sketches were not indexed. `{command}` does it."),
    N_("It was not evaluated: {reason}"),
    N_(
        "The set in this address is damaged. Copy the whole address, or gather the "
        "sketches anew on the page Map."
    ),
    N_(
        "The set in this address is of other test sketches than this run's. "
        "Choose the run that it was gathered from."
    ),
    N_("{path} can't be read: {reason}."),
    N_("{path} does not exist."),
    N_("{path} is not a PNG, JPEG or WebP picture."),
    N_("{path} can't be read as a picture: {reason}."),
    N_("{path} is blank: there are no lines on it."),
    N_(
        "{path} is {width} × {height} pixels; at most {limit} in all can be read. "
        "Make it smaller."
    ),
    N_("{path} is damaged. {reason}"),
    N_("{path} is damaged: {reason}."),
    N_("{path} line {number} is damaged. {reason}"),
)


def told(sentence: str) -> str:
    """Returns a sentence of `core` in the visitor's language where it is known."""
    for template in TEMPLATES:
        found = pattern(template).fullmatch(sentence)
        if found:
            return _(template).format(**found.groupdict())
    return sentence


@cache
def pattern(template: str) -> re.Pattern[str]:
    """Returns what matches the sentences of a template, its values as groups."""
    parts = [
        re.escape(text) + (f"(?P<{name}>.+)" if name else "")
        for text, name, *_rest in Formatter().parse(template)
    ]
    return re.compile("".join(parts), re.DOTALL)
