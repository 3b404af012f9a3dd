"""What changed sketches do to runs, in words."""

from collections.abc import Sequence
from gettext import NullTranslations
from typing import NamedTuple

from core.analysis.robustness import Robustness
from core.language import noop as N_
from core.language import number, phrase, plain
from core.runs.reading import Run
from core.sentences.numbers import percent, span


class _Said(NamedTuple):
    """What a kind of change is called.

    Attributes:
        title: Its name.
        strength: What its strengths are.
        amount: How one is written.
        form: How its number is.
    """

    title: str
    strength: str
    amount: str
    form: str


SHARE = "{amount}"
PIXELS = N_("{amount} px")

SAID = {
    "turned": _Said(N_("Turned"), N_("turned left or right by"), "{amount}°", ".0f"),
    "shifted": _Said(
        N_("Shifted"), N_("moved across and down by, of 128 px"), PIXELS, ".0f"
    ),
    "scaled": _Said(N_("Scaled down"), N_("smaller by"), SHARE, ".0%"),
    "thickened": _Said(
        N_("Thickened"), N_("lines thicker by, of 128 px"), PIXELS, ".3g"
    ),
    "thinned": _Said(N_("Thinned"), N_("ink that is gone"), SHARE, ".0%"),
    "gaps": _Said(N_("Gaps"), N_("lines rubbed out in places"), SHARE, ".0%"),
    "strokes": _Said(
        N_("Strokes missing"), N_("whole strokes gone, of the ink"), SHARE, ".0%"
    ),
    "noise": _Said(
        N_("Noise"), N_("standard deviation, of black to white"), SHARE, ".0%"
    ),
    "photo": _Said(
        N_("As a JPEG photo"), N_("light missing in the darkest corner"), SHARE, ".0%"
    ),
    "quick": _Said(
        N_("As a quick drawing"), N_("strength of the stroke variant"), SHARE, ".0%"
    ),
}


def kind_title(kind: str, words: NullTranslations) -> str:
    """Returns what a kind of change is called."""
    return words.gettext(SAID[kind].title)


def strength_title(kind: str, words: NullTranslations) -> str:
    """Returns what the strengths of a kind of change are."""
    return words.gettext(SAID[kind].strength)


def amount_words(kind: str, amount: float, words: NullTranslations) -> str:
    """Returns a strength, such as `10°`."""
    said = SAID[kind]
    form = number(amount, said.form, words)
    return words.gettext(said.amount).format(amount=form)


def loss_words(
    runs: Sequence[Run],
    measured: Sequence[Robustness],
    kind: str,
    words: NullTranslations,
) -> list[str]:
    """Says where each run loses ten points to a kind of change, as Markdown.

    Args:
        runs: The runs.
        measured: What is known of each.
        kind: A kind that was measured of at least one; others are passed over.
        words: The sentences of a language.
    """
    _ = words.gettext
    sentences = []
    for run, result in zip(runs, measured, strict=True):
        if (found := result.kinds.get(kind)) is None:
            continue
        place = found.lost_at(result.clean)
        sentence = (
            _(
                "{run} loses ten points at {amount}: right {accuracy:.0%} of the time "
                "({interval})."
            )
            if place is not None
            else _(
                "{run} loses less than ten points up to {amount}: there it is right "
                "{accuracy:.0%} of the time ({interval})."
            )
        )
        at = len(found.figures) - 1 if place is None else place
        figure = found.figures[at]
        sentences.append(
            phrase(sentence, words).format(
                run=plain(run.run_id),
                amount=amount_words(kind, found.amounts[at], words),
                accuracy=figure.accuracy,
                interval=span(figure.low, figure.high, words),
            )
        )
    return sentences


def clean_words(
    runs: Sequence[Run], measured: Sequence[Robustness], words: NullTranslations
) -> str:
    """Says how right runs are on the sketches before they were changed, as Markdown."""
    _ = words.gettext
    sentences = [
        _(
            "Test sketches, as many of each class as can be, were changed in {kinds} "
            "ways, each at four strengths."
        ).format(kinds=max(len(result.kinds) for result in measured))
    ]
    for run, result in zip(runs, measured, strict=True):
        clean = result.clean
        sentences.append(
            _(
                "As they are, {run} is right on **{accuracy}** of {n:,} (95 % interval "
                "{interval})."
            ).format(
                run=plain(run.run_id),
                accuracy=percent(clean.accuracy, words),
                n=clean.n,
                interval=span(clean.low, clean.high, words),
            )
        )
    return " ".join(sentences)
