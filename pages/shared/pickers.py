"""Widgets that choose a run or a class, and put the choice into the address."""

from collections.abc import Sequence

import streamlit as st

from core.runs import Run
from models import NETWORKS
from pages.shared import reads
from pages.shared.text import plain


def evaluated_runs() -> list[Run]:
    """Returns the runs that have an evaluation, the best of most classes first."""
    runs = [run for run in reads.runs() if run.metrics and run.config]

    def worth(run: Run) -> tuple[int, float]:
        metrics = run.metrics or {}
        return metrics["num_classes"], metrics["top1"]

    return sorted(runs, key=worth, reverse=True)


def run_words(run: Run) -> str:
    """Returns a run's id and what it is, as Markdown."""
    words = ""
    if run.config is not None:
        network = NETWORKS[run.config.network].title
        words = f" ({network}, recipe {run.config.recipe}, {run.config.dataset})"
    return plain(run.run_id + words)


def pick_run(
    label: str, runs: Sequence[Run], *, key: str, optional: bool = False
) -> Run | None:
    """Lets one choose a run; the address holds its id under `key`.

    Args:
        label: What the menu is called.
        runs: What there is to choose from; the first is the default.
        key: The widget's key and the address's parameter.
        optional: Whether the default is no run.
    """
    by_id = {run.run_id: run for run in runs}
    # An address holds what the menu shows, so the menu shows ids alone.
    chosen = st.selectbox(
        label,
        list(by_id),
        index=None if optional else 0,
        key=key,
        bind="query-params",
        placeholder="None",
    )
    return by_id[chosen] if chosen is not None else None


def comparable_runs(run: Run, runs: Sequence[Run]) -> list[Run]:
    """Returns the other runs that were scored on the same test sketches."""
    return [
        other
        for other in runs
        if other.run_id != run.run_id
        and other.config is not None
        and run.config is not None
        and other.config.split_fingerprint == run.config.split_fingerprint
        and other.config.class_names == run.config.class_names
    ]


def no_evaluation_yet() -> None:
    """Says what to do where there is no evaluated run."""
    st.info("There is no finished run yet. Train one; it takes about two minutes.")
    st.page_link("pages/train.py", label="Train", icon=":material/school:")
