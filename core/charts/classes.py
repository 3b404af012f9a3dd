"""The charts of classes: the accuracy of each, and its change between two runs."""

from collections.abc import Sequence
from gettext import NullTranslations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from plotly import graph_objects as go

from core.charts.theme import NEUTRAL, SYMBOLS, network_colour, percent_ticks
from core.language import class_word, plain_label
from core.runs.reading import Run
from core.sentences.numbers import accuracy_words, percent

if TYPE_CHECKING:
    from core.analysis.classes import ClassMetrics
    from core.analysis.comparison import ClassChange


def accuracy_chart(
    runs: Sequence[Run],
    metrics_of: "Sequence[Sequence[ClassMetrics]]",
    *,
    words: NullTranslations,
) -> tuple[go.Figure, list[str]]:
    """Draws the accuracy of every class with its interval, the first run's worst first.

    Args:
        runs: One or more.
        metrics_of: The metrics of each one's classes, the same classes in all.
        words: The sentences of a language.

    Returns:
        The figure, and the class at each place.
    """
    _ = words.gettext
    ordered = sorted(metrics_of[0], key=lambda f: (f.recall, f.class_name))
    names = [metrics.class_name for metrics in ordered if metrics.n]
    figure = go.Figure()
    for number, run in enumerate(runs):
        by_name = {metrics.class_name: metrics for metrics in metrics_of[number]}
        of_run = [by_name[name] for name in names]
        _add_intervals(
            figure,
            [class_word(name, words) for name in names],
            *np.array([(m.recall, m.recall_low, m.recall_high) for m in of_run]).T,
            marker={
                "color": network_colour(run),
                "symbol": SYMBOLS[number],
                "size": 7,
            },
            customdata=[
                "{share}<br>{counts}".format(
                    share=percent(m.recall, words),
                    counts=_("{done} of {total}, {interval}").format(
                        done=m.correct, total=m.n, interval=accuracy_words(m, words)
                    ),
                )
                for m in of_run
            ],
            hovertemplate="%{x}: %{customdata}<extra></extra>",
            name=plain_label(run.run_id),
        )
    figure.update_layout(
        template="none",
        xaxis={"type": "category", "range": [-1, len(names)]},
        yaxis={"title": _("accuracy"), **percent_ticks(words), "range": [-0.02, 1.02]},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure, names


def change_chart(
    classes: "Sequence[ClassChange]",
    run: Run,
    baseline: Run,
    *,
    chosen: str | None = None,
    words: NullTranslations,
) -> tuple[go.Figure, list[str]]:
    """Draws by how much each class's accuracy differs between two runs.

    Args:
        classes: Each class in both.
        run: Whose accuracy is above 0 where it is the higher one.
        baseline: What it is compared with.
        chosen: A class to mark.
        words: The sentences of a language.

    Returns:
        The figure, and the class at each place: the most gained first.
    """
    _ = words.gettext
    ordered = sorted(
        classes, key=lambda change: (-change.paired.change, change.class_name)
    )
    points = 100 * np.array(
        [(row.paired.change, row.paired.low, row.paired.high) for row in ordered]
    )
    signs = np.sign(points[:, 0]).astype(int)
    figure = go.Figure()
    _add_intervals(
        figure,
        [class_word(row.class_name, words) for row in ordered],
        *points.T,
        marker={
            "color": [
                {1: network_colour(run), -1: network_colour(baseline)}.get(s, NEUTRAL)
                for s in signs
            ],
            "symbol": [
                {1: "triangle-up", -1: "triangle-down"}.get(s, "circle") for s in signs
            ],
            "size": [14 if change.class_name == chosen else 7 for change in ordered],
            "line": {"width": 0},
        },
        customdata=[
            _(
                "{fixed} fixed, {broken} newly broken of {n}; {low:+.0f} to {high:+.0f}"
            ).format(
                fixed=change.paired.fixed,
                broken=change.paired.broken,
                n=change.paired.n,
                low=100 * change.paired.low,
                high=100 * change.paired.high,
            )
            for change in ordered
        ],
        hovertemplate=_("%{x}: %{y:+.0f} points") + "<br>%{customdata}<extra></extra>",
        showlegend=False,
    )
    figure.update_layout(
        template="none",
        xaxis={"type": "category", "range": [-1, len(ordered)]},
        yaxis={
            "title": _("change in points"),
            "tickformat": "+.0f",
            "zeroline": True,
            "zerolinewidth": 2,
        },
    )
    return figure, [change.class_name for change in ordered]


def _add_intervals(
    figure: go.Figure,
    names: Sequence[str],
    values: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    **options: Any,
) -> None:
    """Adds a dot a class with its interval; `options` are those of a scatter trace."""
    figure.add_scatter(
        x=[plain_label(name) for name in names],
        y=values,
        error_y={
            "type": "data",
            "array": high - values,
            "arrayminus": values - low,
            "width": 0,
            "thickness": 1,
            "color": "rgba(128,128,128,0.45)",
        },
        mode="markers",
        **options,
    )
