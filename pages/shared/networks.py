"""The networks that look at a drawing, and how each is run."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.overview import best_of_each_network, rank_runs
from core.inference.classify import Analysis, Classifier, Prediction
from core.runs.folder import WEIGHTS
from core.runs.reading import Run
from core.sketches.strokes import Drawing, render_sketch
from pages.shared import reads
from pages.shared.language import gettext as _
from pages.shared.pickers import pick_several_runs

MAX_NETWORKS = 3
MAX_STEPS = 50
MAX_STEPS_S = 1.5
"""So many steps of a replay are looked at, and so long before a page answers."""
REMEMBERED_STEPS = 200
"""Steps of a visitor's drawings whose sketch and guesses are kept, at 17 KB each."""


@dataclass(frozen=True)
class Network:
    """A network on this page.

    Attributes:
        name: What people read, unique on the page.
        run: The run that it is of.
        classifier: It, loaded.
    """

    name: str
    run: Run
    classifier: Classifier


def guessing_runs() -> list[Run]:
    """Returns the best run of each network that has weights, the best first."""
    runs = _able_runs()
    by_id = {run.run_id: run for run in runs}
    return rank_runs([by_id[card.run_id] for card in best_of_each_network(runs)])


def pick_runs() -> list[Run]:
    """Shows the menu of the runs that guess; the address holds their ids."""
    able = _able_runs()
    best = guessing_runs()[:MAX_NETWORKS]
    chosen = pick_several_runs(
        _("Networks"),
        able,
        key="networks",
        default=[run.run_id for run in best],
        max_selections=MAX_NETWORKS,
        placeholder=_("The best of each kind"),
    )
    return chosen or best


def load_networks(runs: Sequence[Run]) -> list[Network]:
    """Loads networks, or returns those that other visitors loaded."""
    loaded = [
        _classifier(run.path, (run.path / WEIGHTS).stat().st_mtime_ns) for run in runs
    ]
    titles = [classifier.title for classifier in loaded]
    return [
        Network(title if titles.count(title) == 1 else run.run_id, run, classifier)
        for title, run, classifier in zip(titles, runs, loaded, strict=True)
    ]


def _able_runs() -> list[Run]:
    return [
        run for run in reads.runs() if run.metrics and (run.path / WEIGHTS).exists()
    ]


@st.cache_resource(max_entries=4, show_spinner=False)
def _classifier(run_dir: Path, changed_ns: int) -> Classifier:
    del changed_ns  # A part of the key.
    return Classifier(run_dir)


def look(
    networks: Sequence[Network], sketch: NDArray[np.uint8]
) -> tuple[list[Analysis], float]:
    """Asks every network what a sketch is.

    Args:
        networks: At least one.
        sketch: Gray values of shape `(128, 128)`.

    Returns:
        Each network's analysis of this one sketch, and the milliseconds they took.
    """
    started = time.perf_counter()
    analyses = [network.classifier.analyse(sketch[None]) for network in networks]
    return analyses, 1000 * (time.perf_counter() - started)


def guesses(network: Network, probabilities: NDArray[np.floating]) -> list[Prediction]:
    """Returns the five best guesses of one row of probabilities, likeliest first."""
    names = network.classifier.class_names
    order = np.argsort(-probabilities, kind="stable")[:5]
    return [Prediction(names[label], float(probabilities[label])) for label in order]


def look_at_steps(
    network: Network, drawing: Drawing
) -> tuple[list[int], NDArray[np.uint8], NDArray[np.float32]]:
    """Asks a network what a drawing was after its strokes.

    After all of few strokes, after every second, fourth and so on of many. What it said
    before of the same strokes is remembered for the session, and what would take longer
    than `MAX_STEPS_S` is left for the next time.

    Args:
        network: Whom to ask.
        drawing: Of at least one stroke.

    Returns:
        The strokes after which it was asked, counted from 1, the last one among them,
        sketches of shape `(steps, 128, 128)` and calibrated probabilities of shape
        `(steps, num_classes)`.
    """
    remembered = st.session_state.setdefault("draw_steps", {})
    digests = list(_digests(drawing))
    every = 1
    while len(digests) > MAX_STEPS * every:
        every *= 2
    numbers = [*range(every, len(digests), every), len(digests)]
    ends_at = time.monotonic() + MAX_STEPS_S
    looks: dict[int, tuple[NDArray[np.uint8], NDArray[np.float32]]] = {}
    for number in reversed(numbers):
        step = (network.run.run_id, digests[number - 1])
        if step not in remembered:
            if looks and time.monotonic() > ends_at:
                continue
            sketch = render_sketch(replace(drawing, strokes=drawing.strokes[:number]))
            answer = network.classifier.analyse(sketch[None]).probabilities[0]
            remembered[step] = sketch, np.asarray(answer, dtype=np.float32)
        looks[number] = remembered[step]
    while len(remembered) > REMEMBERED_STEPS:
        del remembered[next(iter(remembered))]
    steps = sorted(looks)
    seen, answers = zip(*(looks[number] for number in steps), strict=True)
    return steps, np.stack(seen), np.stack(answers)


def _digests(drawing: Drawing) -> Iterator[bytes]:
    """Yields what tells a drawing's state after each stroke from any other."""
    state = hashlib.blake2b(digest_size=16)
    for stroke in drawing.strokes:
        state.update(f"{stroke.width} {stroke.erases} {stroke.points.shape}".encode())
        state.update(stroke.points.tobytes())
        yield state.digest()


def pick_network(networks: list[Network], *, key: str) -> Network:
    """Shows the menu of the networks; the first is the default."""
    by_name = {network.name: network for network in networks}
    if len(by_name) == 1:
        return networks[0]
    name = st.segmented_control(
        _("Network"), list(by_name), default=next(iter(by_name)), required=True, key=key
    )
    return by_name[name]
