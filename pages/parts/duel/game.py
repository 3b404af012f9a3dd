"""Ten test sketches, one after the other, and who was right at the end."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core.analysis.duel import Question, make_questions
from core.analysis.statistics import wilson_interval
from core.datasets.answers import Answer, keeps_answers
from core.datasets.store import Dataset
from core.errors import SketchScopeError
from core.language import plain
from core.paths import data_dir
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.numbers import span
from models import NETWORKS
from pages.shared import reads
from pages.shared.actions import keep_answer
from pages.shared.fragments import fragment
from pages.shared.guesses import article, speak_sentence
from pages.shared.language import gettext as _
from pages.shared.language import listed, say, thing, words
from pages.shared.pickers import comparable_runs, short_name
from pages.shared.pictures import to_address
from pages.shared.sketches import sketch_dataset
from pages.shared.tables import small_table
from pages.shared.tries import show_small

SKETCHES = 10
SIDE_PX = 104
"""Of the pictures at the end: three beside each other on a phone."""

STYLE = """
<style>
.st-key-duel { max-width: 44rem; }
.st-key-duel_choices { display: grid; gap: 0.5rem;
  grid-template-columns: repeat(2, minmax(0, 1fr)); }
.st-key-duel .asked { display: block; width: 100%; max-width: 18rem; margin: 0 auto;
  background: white; border-radius: 0.35rem;
  border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
@media (max-width: 40rem) { .st-key-duel .asked { max-width: 15rem; } }
@media (hover: none) { .st-key-duel kbd { display: none; } }
</style>
"""


@dataclass
class Duel:
    """One game of a visitor.

    Attributes:
        runs: The ids of the networks' runs.
        class_names: The class of each label.
        questions: What is asked.
        said: The visitor's labels for the first of them.
        is_told: Whether the last answer's verdict is shown.
        problem: Why the last answer was not kept.
    """

    runs: tuple[str, ...]
    class_names: tuple[str, ...]
    questions: list[Question]
    said: list[int] = field(default_factory=list)
    is_told: bool = False
    problem: SketchScopeError | None = None

    def right(self) -> list[tuple[bool, ...]]:
        """Returns who was right on each answered sketch, the visitor first."""
        return [
            tuple(label == question.label for label in (said, *question.answers))
            for said, question in zip(self.said, self.questions, strict=False)
        ]


def opponents(runs: Sequence[Run]) -> list[Run]:
    """Returns the best run of each network on sketches that are here.

    Args:
        runs: Those that have an evaluation, the best first.
    """
    first = next((run for run in runs if sketch_dataset(run) is not None), None)
    if first is None:
        return []
    best: dict[str, Run] = {}
    for run in (first, *comparable_runs(first, runs)):
        if run.config is not None:
            best.setdefault(run.config.network, run)
    return [best[name] for name in NETWORKS if name in best]


@fragment
def show_duel(runs: Sequence[Run], dataset: Dataset) -> None:
    """Shows the game in whatever state it is.

    Args:
        runs: The networks'.
        dataset: Of their test sketches.
    """
    st.html(STYLE)
    duel: Duel | None = st.session_state.get("duel")
    if duel is not None and duel.runs != tuple(run.run_id for run in runs):
        duel = None
    with st.container(key="duel"):
        if duel is None:
            show_beginning(runs)
        elif duel.is_told:
            show_verdict(duel, runs, dataset)
        elif len(duel.said) < len(duel.questions):
            show_question(duel, runs, dataset)
        else:
            show_end(duel, runs, dataset)


def show_beginning(runs: Sequence[Run]) -> None:
    """Says how it goes."""
    networks = plain(listed([short_name(run) for run in runs]))
    st.write(
        _(
            "Ten drawings, six names for each: can you beat {networks}? They choose "
            "among the same six, and have not learned from these drawings. The wrong "
            "names are those that they find likeliest for other drawings of the same "
            "thing."
        ).format(networks=networks)
    )
    if keeps_answers(data_dir()):
        st.caption(_("Answers are kept, without any name."))
    start_button(_("Start"), runs, icon=":material/play_arrow:")


def start_button(label: str, runs: Sequence[Run], *, icon: str) -> None:
    """Shows the button that begins a game."""
    st.button(
        label,
        type="primary",
        icon=icon,
        key="duel_start",
        on_click=start,
        # Read here, where an error is told.
        args=(runs, [reads.evaluation(run) for run in runs]),
    )


def start(runs: Sequence[Run], evaluations: Sequence[Evaluation]) -> None:
    """Begins a game with sketches that this visitor has not seen."""
    state = st.session_state
    seen: set[str] = state.setdefault("duel_seen", set())
    questions = make_questions(
        evaluations,
        np.random.default_rng(),
        count=SKETCHES,
        seen=frozenset(seen),
    )
    seen.update(question.id for question in questions)
    names = evaluations[0].class_names
    state["duel"] = Duel(tuple(run.run_id for run in runs), names, questions)


def show_question(duel: Duel, runs: Sequence[Run], dataset: Dataset) -> None:
    """Shows a sketch and its names."""
    number = len(duel.said)
    question = duel.questions[number]
    with show_asked(duel, number, dataset, _("A drawing to be named")):
        st.markdown(_("**What is it?**"))
        with st.container(key="duel_choices"):
            for place, label in enumerate(question.choices, start=1):
                st.button(
                    plain(thing(duel.class_names[label])),
                    width="stretch",
                    shortcut=str(place),
                    # Of each sketch its own, else a second tap names the next one.
                    key=f"duel_{number}_{place}",
                    on_click=answer,
                    args=(duel, runs, number, label),
                )
    speak_sentence(progress(duel, number))


def show_asked(duel: Duel, number: int, dataset: Dataset, alt: str) -> DeltaGenerator:
    """Shows how far the game is and a sketch; returns the place beside it."""
    st.progress((number + duel.is_told) / len(duel.questions), progress(duel, number))
    left, right = st.columns([2, 3], gap="medium")
    picture = to_address(sketch_of(duel.questions[number], dataset))
    left.html(f'<img class="asked" src="{picture}" alt="{html.escape(alt)}">')
    return right


def progress(duel: Duel, number: int) -> str:
    """Returns how far the game is."""
    return _("Drawing {number} of {total}").format(
        number=number + 1, total=len(duel.questions)
    )


def answer(duel: Duel, runs: Sequence[Run], number: int, label: int) -> None:
    """Notes the visitor's answer, and keeps it if the owner wants that."""
    if number != len(duel.said):
        return
    duel.said.append(label)
    duel.is_told, duel.problem = True, None
    question, names = duel.questions[number], duel.class_names
    config = runs[0].config
    if config is None:
        return
    try:
        keep_answer(
            Answer(
                sketches=config.split_fingerprint,
                sketch=question.id,
                drawn=names[question.label],
                choices=tuple(names[choice] for choice in question.choices),
                said=names[label],
                networks={
                    run_id: names[said]
                    for run_id, said in zip(duel.runs, question.answers, strict=True)
                },
            ),
            data_dir=data_dir(),
        )
    except SketchScopeError as error:
        duel.problem = error


def show_verdict(duel: Duel, runs: Sequence[Run], dataset: Dataset) -> None:
    """Says what a sketch is and what each took it for."""
    number = len(duel.said) - 1
    question, names = duel.questions[number], duel.class_names
    verdict = _("It is {thing}.").format(thing=article(names[question.label]))
    everyone = (duel.said[number], *question.answers)
    named = dict(zip(players(runs), everyone, strict=True))
    alt = _("Drawing of {label}").format(label=thing(names[question.label]))
    with show_asked(duel, number, dataset, alt):
        st.markdown(f"**{plain(verdict)}**")
        for who, said in named.items():
            mark = "✓" if said == question.label else "✗"
            st.markdown(f"{mark} **{plain(who)}**: {plain(thing(names[said]))}")
        is_last = len(duel.said) == len(duel.questions)
        st.button(
            _("See the result") if is_last else _("Next"),
            type="primary",
            icon=":material/arrow_forward:",
            # Enter would press what has the focus, too.
            shortcut="Right",
            key=f"duel_next_{number}",
            on_click=lambda: setattr(duel, "is_told", False),
        )
    told = [
        _("{who}: {thing}").format(who=who, thing=thing(names[said]))
        for who, said in named.items()
    ]
    speak_sentence(" ".join([verdict, ", ".join(told)]))
    if duel.problem is not None:
        st.error(say(duel.problem), icon=":material/error:")


def players(runs: Sequence[Run]) -> list[str]:
    """Returns what those are called who answer, the visitor first."""
    return [_("You"), *(short_name(run) for run in runs)]


def show_end(duel: Duel, runs: Sequence[Run], dataset: Dataset) -> None:
    """Shows everybody's result side by side, and where they differ, as pictures."""
    right = np.array(duel.right())
    n = len(right)
    head = _("Who"), _("Right of {total}").format(total=n), _("95 % interval")
    rows = [
        (plain(who), str(count), span(*wilson_interval(count, n), words()))
        for who, count in zip(players(runs), right.sum(axis=0).tolist(), strict=True)
    ]
    small_table(head, rows)
    st.caption(
        _(
            "The intervals (Wilson) say how often each would be right on all such "
            "drawings: after ten, that is still wide open."
        )
    )
    start_button(_("Play again"), runs, icon=":material/replay:")
    you, networks = right[:, 0], right[:, 1:]
    wins, losses = you & ~networks.any(axis=1), ~you & networks.all(axis=1)
    for title, chosen in (
        (_("Only you were right"), wins),
        (_("All were right but you"), losses),
        (_("The others"), ~wins & ~losses),
    ):
        if chosen.any():
            st.markdown(f"**{title}**")
            show_small(
                [
                    described(duel, number, runs, dataset)
                    for number in np.flatnonzero(chosen).tolist()
                ],
                side_px=SIDE_PX,
            )


def described(
    duel: Duel, number: int, runs: Sequence[Run], dataset: Dataset
) -> tuple[str, str, str]:
    """Returns a sketch for `show_small`: who took it for something else, and what."""
    question, names = duel.questions[number], duel.class_names
    drawn = thing(names[question.label])
    wrong = [
        _("{who}: {thing}").format(who=who, thing=thing(names[said]))
        for who, said in zip(
            players(runs), (duel.said[number], *question.answers), strict=True
        )
        if said != question.label
    ]
    alt = _("Drawing of {label}").format(label=drawn)
    picture = to_address(sketch_of(question, dataset))
    return picture, alt, "\n".join([drawn, *wrong])


def sketch_of(question: Question, dataset: Dataset) -> NDArray[np.uint8]:
    """Returns a question's sketch, gray values of shape `(128, 128)`."""
    return np.asarray(dataset.images[dataset.rows[question.id]])
