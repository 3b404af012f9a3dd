"""The charts of how far a run's probabilities can be trusted."""

from collections.abc import Sequence
from gettext import NullTranslations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plotly import graph_objects as go
from plotly.colors import hex_to_rgb

from core.analysis.calibration import Bin
from core.analysis.coverage import Answered, Coverage, thin
from core.analysis.statistics import wilson_intervals
from core.analysis.trust import ClassTrust
from core.charts.theme import NEUTRAL, SYMBOLS, network_colour, percent_ticks
from core.language import class_word, plain_label
from core.runs.reading import Run
from core.sentences.numbers import interval_words

POINTS = 400
"""Of a curve over coverage; more can't be told apart."""

FAINT = "rgba(128,128,128,0.45)"
BARS_TOP, BINS_BOTTOM = 0.16, 0.24
"""Where the counts end and the diagram begins, as shares of the height."""

LEGEND = {
    "orientation": "h",
    "y": 1.02,
    "yanchor": "bottom",
    "x": 0,
    "traceorder": "normal",
}


def reliability_chart(
    runs: Sequence[Run],
    bins_of: Sequence[Sequence[Bin]],
    *,
    with_counts: bool,
    words: NullTranslations,
) -> go.Figure:
    """Draws how often runs are right against how sure they are.

    Args:
        runs: One or more.
        bins_of: The bins of each.
        with_counts: Whether bars below tell how many sketches each bin has; to bins of
            equal width they belong, others have about as many each.
        words: The sentences of a language.
    """
    _ = words.gettext
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": NEUTRAL, "width": 1, "dash": "dash"},
        hoverinfo="skip",
        showlegend=False,
    )
    for number, (run, made) in enumerate(zip(runs, bins_of, strict=True)):
        colour = network_colour(run)
        accuracy = np.array([group.accuracy for group in made])
        hover = [
            _("says {share:.0%}, right {accuracy:.0%}").format(
                share=group.confidence, accuracy=group.accuracy
            )
            + "<br>"
            + _("{n:,} sketches, {low:.0%} to {high:.0%} sure; right {right}").format(
                n=group.n,
                low=group.low,
                high=group.high,
                right=interval_words(group, words),
            )
            for group in made
        ]
        figure.add_scatter(
            x=[group.confidence for group in made],
            y=accuracy,
            error_y={
                "type": "data",
                "array": [group.accuracy_high - group.accuracy for group in made],
                "arrayminus": [group.accuracy - group.accuracy_low for group in made],
                "width": 0,
                "thickness": 1.5,
                "color": colour,
            },
            mode="lines+markers",
            line={"color": colour, "width": 1},
            marker={"color": colour, "symbol": SYMBOLS[number], "size": 8},
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            name=run.run_id,
        )
        if with_counts:
            width = np.array([group.high - group.low for group in made]) / len(runs)
            figure.add_bar(
                x=[group.low for group in made],
                y=[group.n for group in made],
                offset=width * number,
                width=0.92 * width,
                marker={"color": colour, "line": {"width": 0}},
                customdata=hover,
                hovertemplate="%{customdata}<extra></extra>",
                yaxis="y2",
                showlegend=False,
            )
    layout: dict[str, Any] = {}
    if with_counts:
        layout["yaxis2"] = {
            "domain": [0, BARS_TOP],
            "anchor": "x",
            "title": _("sketches"),
            "nticks": 3,
            "rangemode": "tozero",
        }
    figure.update_layout(
        template="none",
        xaxis={
            "title": _("how sure it is"),
            **percent_ticks(words),
            "range": [-0.02, 1.02],
            "anchor": "y2" if with_counts else "y",
        },
        yaxis={
            "title": _("how often it is right"),
            **percent_ticks(words),
            "range": [-0.02, 1.02],
            "domain": [BINS_BOTTOM if with_counts else 0, 1],
        },
        legend=LEGEND,
        barmode="overlay",
        **layout,
    )
    return figure


def coverage_chart(
    runs: Sequence[Run],
    curves: Sequence[Coverage],
    chosen: Sequence[Answered],
    *,
    words: NullTranslations,
) -> tuple[go.Figure, dict[int, NDArray[np.float64]]]:
    """Draws accuracy against the share of sketches that are answered.

    Args:
        runs: One or more.
        curves: Of each.
        chosen: What each answers now, which is marked.
        words: The sentences of a language.

    Returns:
        The figure, and by the number of a trace the threshold of each of its points.
    """
    _ = words.gettext
    figure = go.Figure()
    thresholds: dict[int, NDArray[np.float64]] = {}
    lowest = 1.0
    for number, (run, curve) in enumerate(zip(runs, curves, strict=True)):
        colour = network_colour(run)
        places = thin(curve, points=POINTS)
        answered, right = curve.answered[places], curve.right[places]
        share = answered / curve.n
        low, high = wilson_intervals(right, answered)
        for edge, filled in ((high, None), (low, "tonexty")):
            figure.add_scatter(
                x=share,
                y=edge,
                mode="lines",
                line={"width": 0, "color": colour},
                fill=filled,
                fillcolor=f"rgba{(*hex_to_rgb(colour), 0.14)}",
                hoverinfo="skip",
                showlegend=False,
            )
        whole = int(curve.right[-1])
        figure.add_scatter(
            x=share,
            y=np.minimum(1, whole / answered),
            mode="lines",
            line={"color": colour, "width": 1, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
        thresholds[len(figure.data)] = curve.threshold[places]
        figure.add_scatter(
            x=share,
            y=right / answered,
            mode="lines",
            line={"color": colour, "width": 2},
            customdata=[
                _(
                    "answers {share:.0%}, right {accuracy:.1%}<br>where it is at least "
                    "{least:.0%} sure"
                ).format(share=s, accuracy=a, least=least)
                for s, a, least in zip(
                    share, right / answered, curve.threshold[places], strict=True
                )
            ],
            hovertemplate="%{customdata}<extra></extra>",
            name=run.run_id,
        )
        now = chosen[number]
        if now.n:
            figure.add_scatter(
                x=[now.share],
                y=[now.accuracy],
                error_y={
                    "type": "data",
                    "array": [now.high - now.accuracy],
                    "arrayminus": [now.accuracy - now.low],
                    "width": 4,
                    "thickness": 1.5,
                    "color": colour,
                },
                mode="markers",
                marker={
                    "color": colour,
                    "symbol": SYMBOLS[number],
                    "size": 12,
                    "line": {"color": "white", "width": 1},
                },
                hoverinfo="skip",
                showlegend=False,
            )
        lowest = min(lowest, float(low[len(low) // 20 :].min()))
    figure.update_layout(
        template="none",
        xaxis={
            "title": _("sketches that it answers"),
            **percent_ticks(words),
            "range": [0, 1.01],
        },
        yaxis={
            "title": _("of these right"),
            **percent_ticks(words),
            "range": [max(lowest - 0.03, -0.02), 1.01],
        },
        legend=LEGEND,
    )
    return figure, thresholds


def class_trust_chart(
    runs: Sequence[Run],
    classes_of: Sequence[Sequence[ClassTrust]],
    *,
    words: NullTranslations,
) -> tuple[go.Figure, list[list[str]]]:
    """Draws by how much each guess claims more than is true.

    Args:
        runs: One or more.
        classes_of: What each names; of the first, the most under-confident come first.
        words: The sentences of a language.

    Returns:
        The figure, and of each run the class at each of its points.
    """
    _ = words.gettext
    ordered = sorted(classes_of[0], key=lambda row: (row.gap, row.class_name))
    figure = go.Figure()
    shown = []
    for number, (run, classes) in enumerate(zip(runs, classes_of, strict=True)):
        by_name = {row.class_name: row for row in classes}
        of_run = [
            by_name[row.class_name] for row in ordered if row.class_name in by_name
        ]
        shown.append([row.class_name for row in of_run])
        gap = np.array([100 * row.gap for row in of_run])
        symbol = SYMBOLS[number]
        figure.add_scatter(
            x=[plain_label(class_word(row.class_name, words)) for row in of_run],
            y=gap,
            error_y={
                "type": "data",
                "array": np.array([100 * row.gap_high for row in of_run]) - gap,
                "arrayminus": gap - np.array([100 * row.gap_low for row in of_run]),
                "width": 0,
                "thickness": 1,
                "color": FAINT,
            },
            mode="markers",
            marker={
                "color": network_colour(run),
                "symbol": [
                    f"{symbol}-open" if row.verdict == "unknown" else symbol
                    for row in of_run
                ],
                "size": 7,
            },
            customdata=[
                _("says {confidence:.0%}, right {accuracy:.0%} of {n:,}").format(
                    confidence=row.confidence, accuracy=row.accuracy, n=row.n
                )
                for row in of_run
            ],
            hovertemplate=_("%{x}: %{y:+.0f} points")
            + "<br>%{customdata}<extra></extra>",
            name=run.run_id,
        )
    figure.update_layout(
        template="none",
        xaxis={
            "type": "category",
            "range": [-1, len(ordered)],
        },
        yaxis={
            "title": _("says more than is true, points"),
            "tickformat": "+.0f",
            "zeroline": True,
            "zerolinewidth": 2,
        },
        legend=LEGEND,
    )
    return figure, shown
