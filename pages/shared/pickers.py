"""Widgets that choose a run or a class, and put the choice into the address."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar, overload

import streamlit as st

from core.language import plain
from core.runs.reading import Run
from models import NETWORKS
from pages.shared import reads
from pages.shared.language import gettext as _

Word = TypeVar("Word", bound=str)

MENU_WIDTH = 180
"""In pixels; holds a few words."""


@overload
def pick_option(
    label: str,
    options: Mapping[Word, str],
    *,
    key: str,
    look: Literal["segments", "menu"] = "segments",
    default: Word | None = None,
    optional: Literal[False] = False,
    disabled: bool = False,
    show_label: bool = True,
    help: str | None = None,
) -> Word: ...


@overload
def pick_option(
    label: str,
    options: Mapping[Word, str],
    *,
    key: str,
    look: Literal["segments", "menu"] = "segments",
    default: Word | None = None,
    optional: Literal[True],
    disabled: bool = False,
    show_label: bool = True,
    help: str | None = None,
) -> Word | None: ...


def pick_option(
    label: str,
    options: Mapping[Word, str],
    *,
    key: str,
    look: Literal["segments", "menu"] = "segments",
    default: Word | None = None,
    optional: bool = False,
    disabled: bool = False,
    show_label: bool = True,
    help: str | None = None,
) -> Word | None:
    """Lets one choose among a few words that the address holds in no language.

    `bind="query-params"` would put the words that the visitor reads into the address.

    Args:
        label: What the widget is called.
        options: The address's word of each option and the visitor's.
        key: The widget's key and the address's parameter, which is left out while the
            default is chosen.
        look: Segments side by side, or a menu.
        default: The address's word of what is chosen at first; None for the first.
        optional: Whether nothing may be chosen, as at first.
        disabled: Whether it can't be changed now.
        show_label: Whether more than screen readers need its label.
        help: What it is for, shown on request.

    Returns:
        The address's word of the chosen option, None for none.
    """
    words = list(options)
    usual = None if optional else default if default in words else words[0]
    asked, seen = st.query_params.get(key), st.session_state.get(f"{key} in address")
    if key not in st.session_state or asked != seen:
        # A page that is opened, or someone who goes back in the browser's history.
        st.session_state[key] = asked if asked in words else usual
    elif st.session_state[key] not in (*words, usual):
        st.session_state[key] = usual
    if look == "segments":
        chosen = st.segmented_control(
            label,
            words,
            format_func=options.__getitem__,
            required=not optional,
            key=key,
            disabled=disabled,
            help=help,
            label_visibility="visible" if show_label else "collapsed",
        )
    else:
        chosen = st.selectbox(
            label,
            words,
            format_func=options.__getitem__,
            key=key,
            disabled=disabled,
            help=help,
            width=MENU_WIDTH,
        )
    chosen = chosen or usual
    held = None if chosen == usual else chosen
    if held is None:
        st.query_params.pop(key, None)
    elif held != asked:
        st.query_params[key] = held
    st.session_state[f"{key} in address"] = held
    return chosen


def evaluated_runs() -> list[Run]:
    """Returns the runs that have an evaluation, the best of most classes first."""
    runs = [run for run in reads.runs() if run.metrics and run.config]

    def worth(run: Run) -> tuple[int, float]:
        metrics = run.metrics or {}
        return metrics["num_classes"], metrics["top1"]

    return sorted(runs, key=worth, reverse=True)


def run_words(run: Run) -> str:
    """Returns a run's id and what it is, as Markdown."""
    words = run.run_id
    if run.config is not None:
        network = NETWORKS[run.config.network].title
        words = _("{run} ({network}, recipe {recipe}, {dataset})").format(
            run=run.run_id,
            network=network,
            recipe=run.config.recipe,
            dataset=run.config.dataset,
        )
    return plain(words)


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
        placeholder=_("None"),
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


def other_network_first(run: Run, others: list[Run]) -> list[Run]:
    """Orders runs to compare with: those of another network first."""
    network = run.config.network if run.config else ""
    return sorted(
        others, key=lambda other: bool(other.config and other.config.network == network)
    )


def short_name(run: Run) -> str:
    """Returns what a table's column calls a run."""
    return NETWORKS[run.config.network].title if run.config else run.run_id


def column_names(run: Run, other: Run) -> tuple[str, str]:
    """Returns two different names for two runs."""
    names = short_name(run), short_name(other)
    return names if names[0] != names[1] else (run.run_id, other.run_id)


def no_evaluation_yet() -> None:
    """Says what to do where there is no evaluated run."""
    st.info(_("There is no finished run yet. Train one; it takes about two minutes."))
    st.page_link("pages/train.py", label=_("Train"), icon=":material/school:")
