"""A report as one page that needs nothing beside it: no file, no network."""

import base64
import hashlib
import re
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape
from plotly import graph_objects as go
from plotly.offline import get_plotlyjs

from core.charts import theming
from core.charts.theme import separators
from core.language import translations
from core.report.blocks import Document, charts_of, type_name
from core.sentences.numbers import percent, span
from models import NETWORKS

FOLDER = Path(__file__).parent
TEMPLATE = "report.html.j2"
GENERATOR = "SketchScope"

INTERVAL = re.compile(r"(?<=\d)–(?=\d)")
PERCENT = re.compile(r"(?<=\d) (?=%)")
WORD_JOINER, NO_BREAK = "\u2060", "\u00a0"


def make_page(document: Document) -> str:
    """Returns a report as HTML.

    Whatever comes from a run or a dataset is escaped. Only the two scripts that are
    written here may run, and nothing may be fetched: the page's own policy names
    their digests.
    """
    words = translations(document.language)
    script = theming.SCRIPT + _read("report.js")
    return _template().render(
        document=document,
        words=document.words,
        figures=[
            figure_json(chart.figure.update_layout(separators=separators(words)))
            for chart in charts_of(document)
        ],
        library=Markup(_library()),
        script=Markup(script),
        script_hashes=Markup(" ".join(map(digest, (_library(), script)))),
        style=Markup(_read("report.css") + _network_colours()),
        generator=GENERATOR,
        percent=partial(percent, words=words),
        span=partial(span, words=words),
        type_name=type_name,
    )


def figure_json(figure: go.Figure) -> Markup:
    """Returns a figure as JSON that can stand in a page's script element."""
    text: str = figure.to_json(validate=False)
    # These stand in JSON's strings only, where their codes mean the same.
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def prose(text: str) -> Markup:
    """Escapes a text, and lets lines break in long names and not in numbers."""
    escaped = str(escape(text)).replace("_", "_<wbr>")
    return Markup(PERCENT.sub(NO_BREAK, INTERVAL.sub(f"–{WORD_JOINER}", escaped)))


@cache
def digest(script: str) -> str:
    """Returns what a content security policy calls a script."""
    content = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(content).decode()}'"


@cache
def _library() -> str:
    return str(get_plotlyjs())


def _network_colours() -> str:
    """Returns the rules that give what is of a network its colour."""
    return "".join(
        f".network-{spec.name} {{ --network: {spec.colour}; }}\n"
        for spec in NETWORKS.values()
    )


@cache
def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["prose"] = prose
    return environment.get_template(TEMPLATE)
