"""Classes as rows of example sketches, right and wrong ones marked."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.classes import ClassMetrics
from core.analysis.examples import example_sketches
from core.charts.theme import network_colour
from core.datasets.store import Dataset
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.numbers import accuracy_words
from core.sketches.thumbnails import SHEET_COLUMNS, SHEET_PX, sketch_sheets
from pages.shared.language import gettext as _
from pages.shared.language import thing, words
from pages.shared.sets import Part
from pages.shared.sketches import sketch_dataset

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
EXAMPLES = 6


@dataclass(frozen=True)
class Scored:
    """A run whose answers are marked.

    Attributes:
        run: The run.
        name: What it is called.
        evaluation: Of the sketches that the page is about.
    """

    run: Run
    name: str
    evaluation: Evaluation


def show_strips(
    classes: Sequence[tuple[ClassMetrics, ...]],
    runs: Sequence[tuple[Run, str]],
    part: Part,
    *,
    key: str,
) -> None:
    """Shows a row a class, which opens it: its figures and example sketches.

    Without the dataset, its accuracy as a bar in place of the sketches.

    Args:
        classes: The metrics of each class in each of the runs.
        runs: These runs with their names, one or two; the first one's sketches are
            shown.
        part: The sketches that the page is about.
        key: Unique on the page.
    """
    dataset = sketch_dataset(runs[0][0])
    scored = [Scored(run, name, part.evaluation(run)) for run, name in runs]
    rows = [
        [] if dataset is None else _examples(scored[0].evaluation, metrics[0])
        for metrics in classes
    ]
    component = st.components.v2.component(
        "strips", html='<ol class="strips"></ol>', js=SCRIPT
    )

    def opened() -> None:
        number = st.session_state[key].get("open")
        # What a browser sends is anything.
        if isinstance(number, int) and 0 <= number < len(classes):
            st.session_state["class"] = classes[number][0].class_name

    starts = np.cumsum([0, *map(len, rows)])
    component(
        key=key,
        data={
            "sheet": dataset and _sheet(dataset, scored[0].evaluation, [*chain(*rows)]),
            "px": SHEET_PX,
            "columns": SHEET_COLUMNS,
            "strips": [
                {
                    "name": thing(metrics[0].class_name),
                    "figures": _figures(metrics, scored),
                    "bars": [
                        {"share": one.recall, "colour": network_colour(of.run)}
                        for one, of in zip(metrics, scored, strict=True)
                    ],
                    "cells": [
                        _cell(int(start) + place, row, scored)
                        for place, row in enumerate(shown)
                    ],
                }
                for metrics, shown, start in zip(
                    classes, rows, starts[:-1], strict=True
                )
            ],
        },
        on_open_change=opened,
    )


def _examples(evaluation: Evaluation, metrics: ClassMetrics) -> list[int]:
    label = evaluation.class_names.index(metrics.class_name)
    return example_sketches(evaluation, label, limit=EXAMPLES)


def _figures(metrics: Sequence[ClassMetrics], scored: Sequence[Scored]) -> list[str]:
    """Returns lines on how many of a class's sketches one run or two recognise."""
    if len(metrics) == 1:
        (one,) = metrics
        return [
            _("{done} of {total}").format(done=one.correct, total=one.n),
            _("95 %: {interval}").format(interval=accuracy_words(one, words())),
        ]
    return [
        _("{run}: {right} of {n}").format(run=of.name, right=one.correct, n=one.n)
        for one, of in zip(metrics, scored, strict=True)
    ]


def _cell(place: int, row: int, scored: Sequence[Scored]) -> dict[str, Any]:
    """Returns a sketch's place on the sheet, and what each run takes it for."""
    told, marks = [], []
    for of in scored:
        names = of.evaluation.class_names
        guess, drawn = of.evaluation.y_pred[row], of.evaluation.y_true[row]
        marks.append(guess == drawn)
        told.append(
            (
                _("{run}: right") if guess == drawn else _("{run}: taken for {guess}")
            ).format(run=of.name, guess=thing(names[guess]))
        )
    return {
        "place": place,
        "mark": "".join("✓" if mark else "✗" for mark in marks),
        "right": all(marks),
        "told": "; ".join(told),
    }


def _sheet(dataset: Dataset, evaluation: Evaluation, rows: list[int]) -> str | None:
    """Returns sketches side by side as the address of one picture."""
    if not rows:
        return None
    places = np.array([dataset.rows[evaluation.ids[row]] for row in rows])
    (sheet,) = sketch_sheets(dataset.images, places)
    return f"data:image/webp;base64,{base64.b64encode(sheet).decode()}"
