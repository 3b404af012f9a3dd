"""Widgets that choose a run or a class, and put the choice into the address."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, overload

import streamlit as st

from core.analysis.overview import rank_runs
from core.language import plain
from core.runs.reading import Run
from models import NETWORKS
from pages.shared import reads
from pages.shared.language import gettext as _
from pages.shared.language import thing

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
    """Shows a choice of a few words that the address holds in no language.

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
    _follow_address(key, words, usual)
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
    _hold_in_address(key, None if chosen == usual else chosen)
    return chosen


def pick_class(
    label: str, names: Sequence[str], *, key: str, placeholder: str, **look: Any
) -> str | None:
    """Shows a menu of classes by what the visitor calls them, in that order.

    As in `pick_option`, the address holds the class's own name.

    Args:
        label: What the menu is called.
        names: The classes.
        key: The widget's key and the address's parameter.
        placeholder: What stands there while none is chosen.
        look: Other options of the menu.
    """
    _follow_address(key, [None, *names], None)
    chosen: str | None = st.selectbox(
        label,
        sorted(names, key=thing),
        index=None,
        format_func=thing,
        key=key,
        placeholder=placeholder,
        **look,
    )
    _hold_in_address(key, chosen)
    return chosen


def pick_classes(
    label: str, names: Sequence[str], *, key: str, limit: int, **look: Any
) -> list[str]:
    """Shows a menu of which some classes are chosen; otherwise as `pick_class`."""
    asked = [name for name in st.query_params.get_all(key) if name in names][:limit]
    if key not in st.session_state or asked != st.session_state.get(
        f"{key} in address"
    ):
        st.session_state[key] = asked
    chosen: list[str] = st.multiselect(
        label,
        sorted(names, key=thing),
        format_func=thing,
        key=key,
        max_selections=limit,
        **look,
    )
    if chosen:
        st.query_params[key] = chosen
    else:
        st.query_params.pop(key, None)
    st.session_state[f"{key} in address"] = chosen
    return chosen


def _follow_address(key: str, words: Sequence[str | None], usual: str | None) -> None:
    """Chooses what the address asks for where that has changed, or is out of range."""
    asked, seen = st.query_params.get(key), st.session_state.get(f"{key} in address")
    if key not in st.session_state or asked != seen:
        # A page that is opened, or someone who goes back in the browser's history.
        st.session_state[key] = asked if asked in words else usual
    else:
        # Said anew: another page's widget of this key would begin with its default.
        held = st.session_state[key]
        st.session_state[key] = held if held in (*words, usual) else usual


def _hold_in_address(key: str, held: str | None) -> None:
    """Puts a choice into the address, or takes it out."""
    if held is None:
        st.query_params.pop(key, None)
    elif held != st.query_params.get(key):
        st.query_params[key] = held
    st.session_state[f"{key} in address"] = held


def evaluated_runs() -> list[Run]:
    """Returns the runs that have an evaluation, in the order of `rank_runs`."""
    return rank_runs(reads.runs())


def run_words(run: Run) -> str:
    """Returns a run's name and what it is, as Markdown."""
    words = run.name
    if run.config is not None:
        network = NETWORKS[run.config.network].title
        words = _("{run} ({network}, recipe {recipe}, {dataset})").format(
            run=run.name,
            network=network,
            recipe=run.config.recipe,
            dataset=run.config.dataset,
        )
    return plain(words)


RUN, BESIDE = "run", "beside"
"""The address's parameters for the run that a page shows and the one beside it."""


def pick_networks(runs: Sequence[Run]) -> tuple[Run, Run | None]:
    """Shows the menus of a run and of what it is compared with, alike on every page.

    What is chosen stays from page to page, and the address holds it.

    Args:
        runs: What there is to choose from, at least one; the first is the default.

    Returns:
        The run, and another of the same test sketches, if there is any: by default
        the other network's best.
    """
    run_column, other_column, _rest = st.columns([2, 2, 3])
    with run_column:
        _keep(RUN, runs)
        run = pick_run(_("Network"), runs, key=RUN)
    others = other_network_first(run, comparable_runs(run, runs))
    st.session_state[f"{RUN} chosen"] = run.run_id
    with other_column:
        if others:
            _keep(BESIDE, others)
            other = pick_run(_("Compare with"), others, key=BESIDE)
            st.session_state[f"{BESIDE} chosen"] = other.run_id
            return run, other
        st.selectbox(
            _("Compare with"),
            [],
            disabled=True,
            placeholder=_("No other run of the same test sketches"),
        )
    return run, None


def pick_run(label: str, runs: Sequence[Run], *, key: str) -> Run:
    """Shows a menu of runs by their names; the address holds the chosen one's id.

    Args:
        label: What the menu is called.
        runs: What there is to choose from; the first is the default.
        key: The widget's key and the address's parameter. If it asks for a run that
            is not there, that is said.
    """
    by_id = {run.run_id: run for run in runs}
    names, usual = run_names(runs), next(iter(by_id))
    asked = st.query_params.get(key)
    _follow_address(key, list(by_id), usual)
    chosen = st.selectbox(label, list(by_id), format_func=names.__getitem__, key=key)
    _hold_in_address(key, None if chosen == usual else chosen)
    if asked is not None and asked not in by_id:
        is_there = asked in {run.run_id for run in reads.runs()}
        # Why a run that is there can't be compared, the page knows better.
        if not is_there or key != BESIDE:
            sentence = (
                _("{asked} can't be shown here; {other} is shown instead.")
                if is_there
                else _("There is no run {asked}; {other} is shown instead.")
            )
            other = plain(names[chosen])
            st.warning(sentence.format(asked=plain(asked), other=other))
    return by_id[chosen]


def pick_several_runs(
    label: str, runs: Sequence[Run], *, key: str, default: Sequence[str], **look: Any
) -> list[Run]:
    """Shows a menu of runs of which any number may be chosen, as `pick_run` does.

    Args:
        label: What the menu is called.
        runs: What there is to choose from.
        key: The widget's key and the address's parameter.
        default: The ids of those that are chosen at first.
        look: Other options of the menu.
    """
    by_id, usual = {run.run_id: run for run in runs}, list(default)
    asked = st.query_params.get_all(key)
    if key not in st.session_state or asked != st.session_state.get(
        f"{key} in address"
    ):
        known = [run_id for run_id in asked if run_id in by_id]
        st.session_state[key] = known if known or asked == [""] else usual
    else:
        held = st.session_state[key]
        st.session_state[key] = [run_id for run_id in held if run_id in by_id]
    names = run_names(runs)
    chosen: list[str] = st.multiselect(
        label, list(by_id), format_func=names.__getitem__, key=key, **look
    )
    if chosen == usual:
        st.query_params.pop(key, None)
    elif (wanted := chosen or [""]) != asked:
        st.query_params[key] = wanted
    st.session_state[f"{key} in address"] = st.query_params.get_all(key)
    return [by_id[run_id] for run_id in chosen]


def run_names(runs: Sequence[Run]) -> dict[str, str]:
    """Returns what menus call each run by its id: its name, and its id if need be."""
    often = Counter(run.name for run in runs)
    return {
        run.run_id: run.name
        if often[run.name] == 1
        else f"{run.name} ({run.run_id})"
        if run.notes.name
        else run.run_id
        for run in runs
    }


def _keep(key: str, runs: Sequence[Run]) -> None:
    """Chooses what was chosen on another page, unless the address says otherwise."""
    kept = st.session_state.get(f"{key} chosen")
    in_address = f"{key} in address"
    is_new = key not in st.session_state or st.session_state.get(in_address)
    if is_new and key not in st.query_params and kept in {run.run_id for run in runs}:
        st.session_state[key] = kept
        # Or the menu would follow an address that it was in before.
        st.session_state[in_address] = None


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
