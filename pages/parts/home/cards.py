"""Three ways on from Home: what they get wrong, train your own, compare them."""

import html
from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.analysis.overview import (
    NetworkCard,
    against_people,
    best_of_each_network,
)
from core.charts.theme import network_colour
from core.datasets.store import Dataset
from core.language import noop as N_
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.numbers import span
from pages.shared import reads
from pages.shared.attribution import show_attribution
from pages.shared.guesses import STYLE
from pages.shared.language import gettext as _
from pages.shared.language import percent, thing, words
from pages.shared.owner import is_owner
from pages.shared.pictures import to_address
from pages.shared.sketches import ADD, sketch_dataset
from pages.shared.tries import show_small, starter_picture

SHOWN = 4
STARTER = ("apple", "sailboat", "snowman", "flower")
AGAINST_PEOPLE = {
    "below": N_("People still recognise more."),
    "alike": N_("Between it and people the results show no difference."),
    "above": N_("People recognise fewer."),
}


def show_cards(runs: Sequence[Run]) -> None:
    """Shows the three cards.

    Args:
        runs: The best of each network, the best first.
    """
    wrong, own, both = st.columns(3, gap="medium")
    with wrong.container(border=True, height="stretch"):
        st.subheader(_("What they get wrong"))
        show_wrong(runs[0])
    with own.container(border=True, height="stretch"):
        st.subheader(_("Train your own"))
        show_own()
    with both.container(border=True, height="stretch"):
        st.subheader(_("Compare the networks"))
        show_both(runs)


def show_wrong(run: Run) -> None:
    """Shows a mistake in each of the worst classes, or how bad they are."""
    evaluation, dataset = reads.evaluation(run), sketch_dataset(run)
    worst = worst_classes(evaluation)
    if dataset is None:
        show_shares(
            [
                (thing(evaluation.class_names[label]), share, network_colour(run))
                for label, share in worst
            ]
        )
        st.caption(
            _("The worst classes, and how many of their sketches are recognised.")
        )
    else:
        show_small(mistakes(evaluation, dataset, [label for label, _share in worst]))
        show_attribution(dataset)
    st.page_link(
        "pages/classes.py",
        label=_("Best and worst classes"),
        icon=":material/category:",
    )
    if dataset is None and is_owner(explain=False):
        offer("tu-berlin", _("Download the drawings (525 MB)"), "download")


def show_own() -> None:
    """Shows the dataset that the program draws itself, and the way to train on it."""
    show_small([starter_picture(name) for name in STARTER])
    st.write(
        _(
            "The program draws a small dataset itself, and a network learns it in "
            "about two minutes, on this machine."
        )
    )
    if reads.datasets() or not is_owner(explain=False):
        st.page_link("pages/train.py", label=_("Train"), icon=":material/school:")
    else:
        offer("starter", _("Add the starter dataset"), "add")


def show_both(runs: Sequence[Run]) -> None:
    """Shows how many test sketches each network recognises."""
    cards = {card.run_id: card for card in best_of_each_network(list(runs))}
    shown = [cards[run.run_id] for run in runs if run.run_id in cards]
    by_id = {run.run_id: run for run in runs}
    show_shares(
        [(card.title, card.top1, network_colour(by_id[card.run_id])) for card in shown],
        digits=1,
    )
    st.caption(
        _("95 % intervals: {intervals}").format(
            intervals=" · ".join(
                f"{card.title} {span(card.low, card.high, words(), digits=1)}"
                for card in shown
            )
        )
    )
    st.write(comparison(shown))
    if len(shown) > 1:
        st.page_link("pages/compare.py", label=_("Compare"), icon=":material/compare:")
    st.page_link(
        "pages/inside.py",
        label=_("See inside, stage by stage"),
        icon=":material/layers:",
    )


def comparison(cards: Sequence[NetworkCard]) -> str:
    """Returns what the figures of the best network say, and how far the next is."""
    best, *rest = cards
    sentences = [
        _("{network} recognises {right:,} of {n:,} test sketches.").format(
            network=best.title, right=round(best.top1 * best.n), n=best.n
        )
    ]
    if rest and rest[0].n == best.n and rest[0].dataset == best.dataset:
        more = round(best.top1 * best.n) - round(rest[0].top1 * best.n)
        # Validation has chosen it: on the test the other may be better.
        if more > 0:
            sentence = _("That is {count:,} more than {other}.")
        elif more < 0:
            sentence = _("That is {count:,} fewer than {other}.")
        else:
            sentence = _("{other} recognises as many.")
        sentences.append(sentence.format(count=abs(more), other=rest[0].title))
    if best.is_tu_berlin:
        sentences.append(_(AGAINST_PEOPLE[against_people(best)]))
    return " ".join(sentences)


def offer(source: str, label: str, icon: str) -> None:
    """Offers to add a dataset, which begins with this one click."""
    if st.button(label, icon=f":material/{icon}:", key=f"home_add_{source}"):
        st.session_state[ADD] = source
        st.switch_page("pages/dataset.py")


def show_shares(rows: Sequence[tuple[str, float, str]], *, digits: int = 0) -> None:
    """Shows names with a share each, as bars in a colour."""
    bars = "".join(
        f'<div class="guess"><span class="name">{html.escape(name)}</span>'
        f'<span class="share">{percent(share, digits=digits)}</span><div class="bar">'
        f'<div style="width: {100 * share:.1f}%; background: {colour}"></div></div>'
        "</div>"
        for name, share, colour in rows
    )
    st.html(f"{STYLE}{bars}")


def worst_classes(evaluation: Evaluation) -> list[tuple[int, float]]:
    """Returns the labels of the classes of lowest accuracy, and that."""
    right = np.diag(evaluation.confusion)
    total = evaluation.confusion.sum(axis=1)
    share = np.where(total > 0, right / np.maximum(total, 1), np.inf)
    labels = np.argsort(share, kind="stable")[:SHOWN]
    return [(int(label), float(share[label])) for label in labels if total[label]]


def mistakes(
    evaluation: Evaluation, dataset: Dataset, labels: Sequence[int]
) -> list[tuple[str, str, str]]:
    """Returns the surest mistake in each of some classes, for `show_small`."""
    shown = []
    for label in labels:
        rows = np.flatnonzero(
            (evaluation.y_true == label) & (evaluation.y_pred != label)
        )
        if len(rows):
            row = int(rows[np.argmax(evaluation.confidence[rows])])
            drawn = thing(evaluation.class_names[label])
            guess = thing(evaluation.class_names[evaluation.y_pred[row]])
            words = _("Sketch of {drawn}, taken for {guess}")
            sketch = np.asarray(dataset.images[dataset.rows[evaluation.ids[row]]])
            shown.append(
                (
                    to_address(sketch),
                    words.format(drawn=drawn, guess=guess),
                    f"{drawn} ✗ {guess}",
                )
            )
    return shown
