"""What the networks take a drawing for, as bars that can be read at a glance."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from core.inference.classify import Prediction
from core.language import plain
from core.runs.reading import Run
from pages.shared.language import gettext as _
from pages.shared.language import percent, thing

NOT_SURE = 0.5
"""Below this calibrated probability, a first guess is more often wrong than right."""

SPOKEN = Path(__file__).with_name("spoken.js")

STYLE = """
<style>
.guess { display: grid; grid-template-columns: minmax(0, 1fr) 3.2rem; gap: 0 0.5rem;
  margin-bottom: 0.5rem; color: inherit; text-decoration: none; }
.guess .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.guess .name a { color: inherit; text-decoration: none; }
.guess .name a:hover { text-decoration: underline; }
.guess .share { text-align: right; font-variant-numeric: tabular-nums; }
.guess .bar { grid-column: 1 / -1; height: 0.45rem; border-radius: 0.25rem;
  background: color-mix(in srgb, currentColor 12%, transparent); }
.guess .bar div { height: 100%; border-radius: 0.25rem; }
.guess.first .name { font-weight: 600; }
.unsure .bar div { opacity: 0.45; }
</style>
"""


def show_guesses(
    title: str, guesses: Sequence[Prediction], *, colour: str, run: Run
) -> None:
    """Shows a network's guesses, each with a link to what is known of its class.

    Args:
        title: The network's name.
        guesses: Likeliest first.
        colour: Of the bars.
        run: The run that the network is of.
    """
    first = guesses[0]
    unsure = first.probability < NOT_SURE
    verdict = (
        _("**{network}**: not sure") if unsure else _("**{network}**: it is {thing}")
    )
    st.markdown(
        verdict.format(network=plain(title), thing=plain(article(first.class_name)))
    )
    rows = "".join(
        _bar(guess, colour=colour, run=run, is_first=position == 0 and not unsure)
        for position, guess in enumerate(guesses)
    )
    kind = "guesses unsure" if unsure else "guesses"
    st.html(f'{STYLE}<div class="{kind}">{rows}</div>')


def article(class_name: str) -> str:
    """Returns a class's name as words, such as "an alarm clock".

    Other languages have articles that depend on the word, and go without.
    """
    word = thing(class_name)
    is_vowel = word[:1].lower() in "aeiou"
    return (_("an {thing}") if is_vowel else _("a {thing}")).format(thing=word)


def speak(firsts: Mapping[str, Prediction]) -> None:
    """Tells screen readers what each network guesses first, by its name."""
    sentences = [
        _("{network}: {thing}, {percent}").format(
            network=network,
            thing=article(guess.class_name),
            percent=percent(guess.probability),
        )
        for network, guess in firsts.items()
    ]
    speak_sentence(". ".join(sentences))


def speak_sentence(sentence: str) -> None:
    """Tells screen readers a sentence, once a page."""
    component = st.components.v2.component(
        "spoken",
        html='<p role="status"></p>',
        # No larger than its element, which would have to be scrolled by keyboard else.
        css="p { position: absolute; width: 1px; height: 1px; overflow: hidden; "
        "clip-path: inset(50%); margin: 0; }",
        js=SPOKEN.read_text(encoding="utf-8"),
    )
    component(key="spoken", data={"sentence": sentence}, height=1)


def agreement(firsts: Sequence[Prediction]) -> str:
    """Returns one sentence on whether the networks say the same."""
    sure = [guess for guess in firsts if guess.probability >= NOT_SURE]
    names = {guess.class_name for guess in firsts}
    if not sure:
        return _("Nobody is sure yet. More strokes help.")
    if len(firsts) == 1:
        return ""
    if len(names) == 1:
        return _("Both networks say {thing}.").format(
            thing=plain(article(firsts[0].class_name))
        )
    return _("The networks disagree.")


def _bar(guess: Prediction, *, colour: str, run: Run, is_first: bool) -> str:
    name = html.escape(thing(guess.class_name))
    address = "classes?" + urlencode({"run": run.run_id, "class": guess.class_name})
    title = html.escape(_("What the network makes of {name}")).format(name=name)
    is_small = guess.probability < 0.005
    share = f"&lt;{percent(0.01)}" if is_small else percent(guess.probability)
    return (
        f'<div class="guess{" first" if is_first else ""}">'
        f'<span class="name"><a href="{html.escape(address)}" target="_blank" '
        f'title="{title}">{name}</a></span>'
        f'<span class="share">{share}</span>'
        f'<div class="bar"><div style="width: {100 * guess.probability:.1f}%; '
        f'background: {colour}"></div></div></div>'
    )
