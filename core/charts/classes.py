"""The charts of classes: the accuracy of each, and its change between two runs."""

from collections.abc import Sequence
from gettext import NullTranslations
from typing import TYPE_CHECKING

import numpy as np
from plotly import graph_objects as go

from core.charts.theme import NEUTRAL, SYMBOLS, network_colour
from core.language import plain_label
from core.runs.reading import Run
from core.sentences.numbers import accuracy_words

if TYPE_CHECKING:
    from core.analysis.classes import ClassFigures
    from core.analysis.comparison import ClassChange


def accuracy_chart(
    runs: Sequence[Run],
    figures_of: "Sequence[Sequence[ClassFigures]]",
    *,
    words: NullTranslations,
) -> tuple[go.Figure, list[str]]:
    """Draws the accuracy of every class with its interval, the first run's worst first.

    Args:
        runs: One or more.
        figures_of: The figures of each one's classes, the same classes in all.
        words: The sentences of a language.

    Returns:
        The figure, and the class at each place.
    """
    _ = words.gettext
    ordered = sorted(figures_of[0], key=lambda f: (f.recall, f.class_name))
    names = [figures.class_name for figures in ordered if figures.n]
    figure = go.Figure()
    for number, run in enumerate(runs):
        by_name = {figures.class_name: figures for figures in figures_of[number]}
        found = [by_name[name] for name in names]
        recall = np.array([figures.recall for figures in found])
        low = np.array([figures.recall_low for figures in found])
        high = np.array([figures.recall_high for figures in found])
        figure.add_scatter(
            x=[plain_label(figures.class_name) for figures in found],
            y=recall,
            error_y={
                "type": "data",
                "array": high - recall,
                "arrayminus": recall - low,
                "width": 0,
                "thickness": 1,
                "color": "rgba(128,128,128,0.45)",
            },
            mode="markers",
            marker={
                "color": network_colour(run),
                "symbol": SYMBOLS[number],
                "size": 7,
            },
            customdata=[
                _("{done} of {total}, {interval}").format(
                    done=figures.correct,
                    total=figures.n,
                    interval=accuracy_words(figures),
                )
                for figures in found
            ],
            hovertemplate="%{x}: %{y:.0%}<br>%{customdata}<extra></extra>",
            name=plain_label(run.run_id),
        )
    figure.update_layout(
        template="none",
        xaxis={"type": "category", "range": [-1, len(names)]},
        yaxis={"title": _("accuracy"), "tickformat": ".0%", "range": [-0.02, 1.02]},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure, names


def change_chart(
    classes: "Sequence[ClassChange]",
    run: Run,
    baseline: Run,
    *,
    found: str | None = None,
    words: NullTranslations,
) -> tuple[go.Figure, list[str]]:
    """Draws by how much each class's accuracy differs between two runs.

    Args:
        classes: Each class in both.
        run: Whose accuracy is above 0 where it is the higher one.
        baseline: What it is compared with.
        found: A class to mark.
        words: The sentences of a language.

    Returns:
        The figure, and the class at each place: the most gained first.
    """
    _ = words.gettext
    ordered = sorted(classes, key=lambda one: (-one.paired.change, one.class_name))
    change = np.array([100 * one.paired.change for one in ordered])
    low = np.array([100 * one.paired.low for one in ordered])
    high = np.array([100 * one.paired.high for one in ordered])
    signs = np.sign(change).astype(int)
    figure = go.Figure()
    figure.add_scatter(
        x=[plain_label(one.class_name) for one in ordered],
        y=change,
        error_y={
            "type": "data",
            "array": high - change,
            "arrayminus": change - low,
            "width": 0,
            "thickness": 1,
            "color": "rgba(128,128,128,0.45)",
        },
        mode="markers",
        marker={
            "color": [
                {1: network_colour(run), -1: network_colour(baseline)}.get(s, NEUTRAL)
                for s in signs
            ],
            "symbol": [
                {1: "triangle-up", -1: "triangle-down"}.get(s, "circle") for s in signs
            ],
            "size": [14 if one.class_name == found else 7 for one in ordered],
            "line": {"width": 0},
        },
        customdata=[
            _(
                "{fixed} fixed, {broken} newly broken of {n}; {low:+.0f} to {high:+.0f}"
            ).format(
                fixed=one.paired.fixed,
                broken=one.paired.broken,
                n=one.paired.n,
                low=100 * one.paired.low,
                high=100 * one.paired.high,
            )
            for one in ordered
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
    return figure, [one.class_name for one in ordered]
