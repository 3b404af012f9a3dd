"""The game: draw what is asked for until a network recognises it."""

import html
import io
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.charts.theme import network_colour
from core.datasets.drawings import list_drawings
from core.errors import ImageError
from core.language import plain
from core.paths import data_dir
from core.sketches.images import IMAGE_SIZE, PAPER, read_sketch
from core.sketches.strokes import guessable_sketch
from pages.parts.draw.canvas import clear_canvas, drawing_canvas
from pages.shared import reads
from pages.shared.fragments import fragment
from pages.shared.guesses import article, show_guesses, speak
from pages.shared.language import gettext as _
from pages.shared.language import listed, thing
from pages.shared.networks import Network, guesses, look
from pages.shared.pictures import to_address
from pages.shared.tries import show_small

ROUNDS = 5
ROUND_S = 40
GRACE_S = 1.5
"""A stroke that ends with the clock still counts when it arrives so much later."""

OTHERS_SHOWN = 5

MIN_ASKED_ACCURACY = 0.6
"""Only classes that every network gets right so often are asked for: it is the
visitor who is tested."""

NOT_ASKED = {
    *("axe", "cannon", "grenade", "revolver", "rifle", "sword", "tank"),
    *("ashtray", "beer-mug", "bottle_opener", "cigarette", "lighter", "syringe"),
    *("pipe_for_smoking", "wine-bottle", "wineglass", "human-skeleton", "skull"),
    *("crane_machine", "power_outlet", "satellite_dish", "flying_saucer", "suv"),
    *("sponge_bob", "ipod", "head", "body"),
}
"""Weapons, what isn't for children, and what not everyone knows by its name."""


@dataclass
class Game:
    """One game of a visitor.

    Attributes:
        asked: The class of each round.
        started: When the current round began, from `time.monotonic()`.
        seconds: What each finished round took; None where time ran out.
        winners: Which networks recognised each finished round's drawing.
        sketches: What was drawn in each finished round, as the networks saw it; None
            for next to nothing.
        said: What each network took it for, by the network's name.
    """

    asked: list[str]
    started: float
    seconds: list[float | None] = field(default_factory=list)
    winners: list[list[str]] = field(default_factory=list)
    sketches: list[NDArray[np.uint8] | None] = field(default_factory=list)
    said: list[dict[str, str]] = field(default_factory=list)
    now: tuple[NDArray[np.uint8] | None, dict[str, str]] = (None, {})

    @property
    def is_over(self) -> bool:
        """Whether all rounds are finished."""
        return len(self.seconds) == len(self.asked)

    @property
    def word(self) -> str:
        """The class that is asked for now."""
        return self.asked[len(self.seconds)]

    def left(self) -> float:
        """Returns the seconds left in this round, perhaps less than 0."""
        return self.started + ROUND_S - time.monotonic()

    def score(self) -> int:
        """Returns the points: up to 100 a round, fewer the longer it took."""
        return sum(
            100 - round(50 * seconds / ROUND_S)
            for seconds in self.seconds
            if seconds is not None
        )


def show_game(networks: list[Network]) -> None:
    """Shows the game in whatever state it is."""
    state = st.session_state
    game: Game | None = state.get("game")
    if game is None:
        st.write(
            _(
                "{rounds} things to draw, {seconds} seconds for each. The sooner a "
                "network recognises yours, the more points."
            ).format(rounds=ROUNDS, seconds=ROUND_S)
        )
        st.button(
            _("Start"),
            type="primary",
            icon=":material/play_arrow:",
            key="game_start",
            on_click=start_game,
            args=(networks,),
        )
        show_way_to_duel()
    elif game.is_over:
        show_result(game)
        st.button(
            _("Play again"),
            type="primary",
            icon=":material/replay:",
            key="game_again",
            on_click=start_game,
            args=(networks,),
        )
        show_way_to_duel()
    else:
        show_round(game, networks)


def show_way_to_duel() -> None:
    """Leads to the game in which the visitor is who recognises."""
    st.page_link("pages/duel.py", label=_("Beat the network"), icon=":material/swords:")


def start_game(networks: list[Network]) -> None:
    """Begins a new game with other classes than the last one's."""
    words = askable(networks)
    last: Game | None = st.session_state.get("game")
    fresh = [word for word in words if last is None or word not in last.asked]
    words = fresh if len(fresh) >= ROUNDS else words
    asked = np.random.default_rng().permutation(words)[:ROUNDS]
    clear_canvas("game")
    st.session_state["game"] = Game([str(word) for word in asked], time.monotonic())


def askable(networks: list[Network]) -> list[str]:
    """Returns the classes that may be asked for.

    They are those which every network mostly gets right, or all that all networks
    know where these are too few.
    """
    known = set.intersection(*(set(n.classifier.class_names) for n in networks))
    good = known - NOT_ASKED
    for network in networks:
        good &= {
            figure.class_name
            for figure in reads.class_metrics(network.run)
            if figure.recall >= MIN_ASKED_ACCURACY
        }
    return sorted(good if len(good) >= ROUNDS else known)


def show_round(game: Game, networks: list[Network]) -> None:
    """Asks for a drawing of one thing, and judges it after every stroke."""
    number = len(game.seconds) + 1
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.subheader(_("Draw {thing}").format(thing=plain(article(game.word))))
        show_clock(game, number)
        # In view with the pen, also on a phone, where the guesses are further down.
        st.html("<style>.st-key-game_said { min-height: 1.5rem; }</style>")
        shortly = st.container(key="game_said")
        drawing = drawing_canvas("game", sends_at_once=True)
        with st.container(horizontal=True):
            st.button(
                _("Skip"), key="game_skip", on_click=end_round, args=(game, [], None)
            )
            st.button(_("Give up"), key="game_end", on_click=give_up)
    with right:
        sketch = guessable_sketch(drawing)
        if sketch is None:
            st.info(_("The networks say here what they take your drawing for."))
            return
        analyses = look(networks, sketch)[0]
        winners = []
        firsts = {}
        columns = st.columns(len(networks), gap="medium")
        for column, network, analysis in zip(columns, networks, analyses, strict=True):
            best = guesses(network, analysis.probabilities[0])
            firsts[network.name] = best[0]
            if best[0].class_name == game.word:
                winners.append(network.name)
            with column:
                show_guesses(
                    network.name,
                    best,
                    colour=network_colour(network.run),
                    run=network.run,
                )
        speak(firsts)
        shortly.caption(
            " · ".join(
                f"**{plain(name)}** {plain(thing(best.class_name))}"
                for name, best in firsts.items()
            )
        )
    game.now = (sketch, {name: best.class_name for name, best in firsts.items()})
    if winners and game.left() > -GRACE_S:
        end_round(game, winners, min(ROUND_S - game.left(), ROUND_S))
        st.toast(
            _("{networks} recognised your {thing}.").format(
                networks=plain(listed(winners)),
                thing=plain(thing(game.asked[number - 1])),
            ),
            icon=":material/celebration:",
        )
        st.rerun()


@partial(fragment, run_every=1)
def show_clock(game: Game, number: int) -> None:
    """Counts down, and ends the round when its time is over."""
    if len(game.seconds) + 1 != number:
        return
    left = game.left()
    st.progress(
        min(max(left / ROUND_S, 0.0), 1.0),
        text=_("Round {number} of {total}: {left:.0f} s left, {points} points").format(
            number=number,
            total=len(game.asked),
            left=max(left, 0),
            points=game.score(),
        ),
    )
    if left < -GRACE_S:
        end_round(game, [], None)
        st.rerun()


def end_round(game: Game, winners: list[str], seconds: float | None) -> None:
    """Notes how a round went and begins the next with an empty canvas."""
    if not game.is_over:
        game.seconds.append(seconds)
        game.winners.append(winners)
        sketch, said = game.now
        game.sketches.append(sketch)
        game.said.append(said)
        game.now = (None, {})
        game.started = time.monotonic()
        clear_canvas("game")


def give_up() -> None:
    """Forgets the game."""
    st.session_state["game"] = None


def show_result(game: Game) -> None:
    """Shows the score and how each round went."""
    recognised = sum(seconds is not None for seconds in game.seconds)
    left, right = st.columns(2, width=420)
    left.metric(
        _("Points"),
        _("{done} of {total}").format(done=game.score(), total=100 * len(game.asked)),
    )
    right.metric(
        _("Recognised"),
        _("{done} of {total}").format(done=recognised, total=len(game.asked)),
    )
    columns = st.columns(len(game.asked))
    for number, column in enumerate(columns):
        with column:
            show_round_s_end(game, number)
    show_best(game)
    st.download_button(
        _("Download as a picture"),
        data=result_picture(game),
        file_name="sketchscope-game.png",
        mime="image/png",
        icon=":material/download:",
        on_click="ignore",
        key="game_picture",
    )


def show_round_s_end(game: Game, number: int) -> None:
    """Shows one round's drawing, and what the networks said of it."""
    word, sketch = game.asked[number], game.sketches[number]
    seconds, winners = game.seconds[number], game.winners[number]
    st.markdown(f"**{plain(thing(word))}**")
    if sketch is not None:
        alt = _("Your {thing}").format(thing=thing(word))
        st.html(
            f'<img src="{to_address(sketch)}" alt="{html.escape(alt)}" width="128">'
        )
    if seconds is not None:
        st.caption(
            _("{networks}, after {seconds:.1f} s").format(
                networks=plain(listed(winners)), seconds=seconds
            )
        )
    elif game.said[number]:
        for network, said in game.said[number].items():
            st.caption(
                _("**{network}** took it for {thing}").format(
                    network=plain(network), thing=plain(article(said))
                )
            )
    else:
        st.caption(_("Nothing drawn"))


def show_best(game: Game) -> None:
    """Shows the best drawing of which there are kept ones, and beside it those."""
    done = [n for n, seconds in enumerate(game.seconds) if seconds is not None]
    done.sort(key=lambda n: game.seconds[n] or 0.0)
    kept = list_drawings(data_dir()).kept if done else ()
    for number in done:
        word, sketch = game.asked[number], game.sketches[number]
        others = []
        for drawing in [d for d in kept if d.label == word][:OTHERS_SHOWN]:
            # One may be removed or damaged meanwhile.
            with suppress(ImageError):
                others.append(read_sketch(drawing.png, name=drawing.id))
        if others and sketch is not None:
            name = thing(word)
            st.markdown(
                _("**Your best, {thing}, beside others'**").format(thing=plain(name))
            )
            alt = _("Drawing of {label}").format(label=name)
            show_small(
                [
                    (
                        to_address(sketch),
                        _("Your {thing}").format(thing=name),
                        _("You"),
                    ),
                    *((to_address(other), alt, "") for other in others),
                ]
            )
            return


def result_picture(game: Game) -> bytes:
    """Returns a game's drawings as PNG: what each was to be, and was taken for."""
    side, line, margin = 2 * IMAGE_SIZE, 28, 16
    lines = 1 + max(1, *(len(said) for said in game.said))
    width = len(game.asked) * (side + margin) + margin
    picture = Image.new("L", (width, side + (lines + 2) * line + 2 * margin), PAPER)
    pen = ImageDraw.Draw(picture)
    title, text = ImageFont.load_default(24), ImageFont.load_default(16)
    points = _("{done} of {total}").format(
        done=game.score(), total=100 * len(game.asked)
    )
    pen.text((margin, margin), f"SketchScope · {_('Points')} {points}", 0, title)
    for number, (word, sketch) in enumerate(
        zip(game.asked, game.sketches, strict=True)
    ):
        x, y = margin + number * (side + margin), margin + 2 * line
        if sketch is not None:
            drawn = Image.fromarray(sketch).resize(
                (side, side), Image.Resampling.LANCZOS
            )
            picture.paste(drawn, (x, y))
        said = [f"{who}: {thing(what)}" for who, what in game.said[number].items()]
        for row, words in enumerate((thing(word), *said)):
            place = (x, y + side + row * line)
            pen.text(place, words, 0, title if row == 0 else text)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
