"""The charts of what changed sketches do to runs."""

from collections.abc import Sequence
from gettext import NullTranslations

from plotly import graph_objects as go

from core.analysis.robustness import Robustness
from core.charts.theme import SYMBOLS, network_colour
from core.language import number
from core.runs.reading import Run
from core.sentences.numbers import percent, span
from core.sentences.robustness import amount_words, strength_title

APART = 0.08
"""Two runs stand side by side, in steps of strength, so that their intervals do."""

FIFTHS = [fifth / 5 for fifth in range(6)]


def robustness_chart(
    runs: Sequence[Run],
    measured: Sequence[Robustness],
    kind: str,
    *,
    words: NullTranslations,
) -> go.Figure:
    """Draws accuracy against the strength of one kind of change.

    Args:
        runs: One or more; of those that lack the kind nothing is drawn.
        measured: What is known of each.
        kind: A name of `core.sketches.changes.CHANGES`.
        words: The sentences of a language.
    """
    _ = words.gettext
    figure = go.Figure()
    ticks = [number(0, "d", words)]
    for place, (run, result) in enumerate(zip(runs, measured, strict=True)):
        if (found := result.kinds.get(kind)) is None:
            continue
        amounts = [amount_words(kind, amount, words) for amount in found.amounts]
        ticks = [ticks[0], *amounts]
        shown = [result.clean, *found.figures]
        accuracy = [one.accuracy for one in shown]
        colour = network_colour(run)
        figure.add_scatter(
            x=[k + APART * (place - (len(runs) - 1) / 2) for k in range(len(shown))],
            y=accuracy,
            error_y={
                "type": "data",
                "array": [one.high - one.accuracy for one in shown],
                "arrayminus": [one.accuracy - one.low for one in shown],
                "width": 0,
                "thickness": 1.5,
                "color": colour,
            },
            mode="lines+markers",
            line={"color": colour, "width": 1.5},
            marker={"color": colour, "symbol": SYMBOLS[place], "size": 7},
            customdata=[
                _("{amount}: right {accuracy} ({interval}) of {n:,}").format(
                    amount=amount,
                    accuracy=percent(one.accuracy, words, digits=1),
                    interval=span(one.low, one.high, words),
                    n=one.n,
                )
                for amount, one in zip([_("as it is"), *amounts], shown, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
            name=run.run_id,
            showlegend=True,
        )
    figure.update_layout(
        template="none",
        xaxis={
            "title": {"text": strength_title(kind, words), "standoff": 8},
            "tickvals": list(range(len(ticks))),
            "ticktext": ticks,
            "range": [-0.3, len(ticks) - 0.7],
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis={
            "tickvals": FIFTHS,
            "ticktext": [number(share, ".0%", words) for share in FIFTHS],
            "range": [-0.02, 1.02],
            "fixedrange": True,
        },
        legend={
            "orientation": "h",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 0,
            "traceorder": "normal",
        },
    )
    return figure
