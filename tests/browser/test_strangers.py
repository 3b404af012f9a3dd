"""What a stranger can't do, on the real server, by page, address or message."""

import asyncio
import hashlib
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import psutil
import pytest
from filelock import FileLock
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from core.datasets.drawings import list_drawings, save_drawing
from core.datasets.folders import find_folders
from core.datasets.install import install
from core.datasets.starter import draw
from core.datasets.store import Dataset, list_datasets
from core.ownership import set_passphrase
from core.runs.create import create_run
from core.runs.folder import runs_dir
from core.runs.launch import launch_training
from core.runs.queueing import TURN_LOCK
from core.runs.status import read_status
from core.runs.stopping import request_stop
from tests.browser.load import CANVAS
from tests.browser.server import serving
from tests.browser.visitors import Drawing, Visitor, visiting
from tests.processes import apart

PASSPHRASE = "horse ladder teapot sun"
CHANGING = {
    "/train?run=given": ("Queue", "Resume", "Remove given"),
    "/train?run=waiting": ("Stop",),
    "/dataset?dataset=other": (
        "Add the starter dataset",
        "Add it",
        "Download TU-Berlin",
        "Remove other",
    ),
    "/draw?mode=My+drawings": ("Fine-tune on them", "Remove"),
    "/draw?detail=Keep": ("Keep",),
}
"""The buttons of each page that change something."""


@pytest.fixture
def store(tiny: Dataset, tiny_pictures: Path, data_dir: Path) -> Iterator[Path]:
    """A data folder with datasets, runs that stopped and wait, and a kept drawing."""
    install(find_folders(tiny_pictures), "other", data_dir=data_dir)
    for run_id in ("given", "waiting"):
        create_run(
            "simple",
            "tiny",
            "best",
            data_dir=data_dir,
            run_id=run_id,
            overrides={"batch_size": 16},
        )
    save_drawing(
        tiny.images[0], "key", class_names=["key"], data_dir=data_dir, source="canvas"
    )
    waiting = runs_dir(data_dir) / "waiting"
    with FileLock(waiting.parent / TURN_LOCK):
        launch_training(waiting, data_dir=data_dir)
        yield data_dir
        request_stop(waiting)
        psutil.wait_procs([psutil.Process(read_status(waiting).pid)], timeout=600)


def snapshot(folder: Path) -> dict[str, str]:
    """Every file of a folder with a digest of its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


async def draw_house(visitor: Visitor, path: str) -> None:
    """Draws, where what can be changed is a drawing."""
    if "Keep" in path:
        drawing = Drawing(visitor.component(CANVAS))
        for stroke in draw("house", np.random.default_rng(0)):
            drawing.add(stroke)
        await visitor.send(CANVAS, drawing.value())


async def log_in(visitor: Visitor) -> None:
    """Gives the passphrase as the page's form does."""
    visitor.type(visitor.inputs["Passphrase"], PASSPHRASE)
    answer = await visitor.press(visitor.buttons["Log in"])
    assert "Log out" in visitor.buttons, answer.texts


def test_a_stranger_changes_nothing_and_the_owner_can(store: Path) -> None:
    set_passphrase(PASSPHRASE, data_dir=store)

    async def play() -> None:
        for path, labels in CHANGING.items():
            page, _, query = path.partition("?")
            async with visiting(server.address, page, query=query) as (owner, _):
                await log_in(owner)
                await draw_house(owner, path)
                known = owner.buttons
                assert set(labels) <= set(known), (path, sorted(known))
            before = snapshot(store)
            async with visiting(server.address, page, query=query) as (stranger, seen):
                await draw_house(stranger, path)
                assert not set(labels) & set(stranger.buttons)
                assert "Only the owner may do that" in " ".join(stranger.texts)
                assert not seen.problems
                for label in labels:
                    answer = await stranger.press(known[label])
                    assert not answer.problems
            assert snapshot(store) == before
        async with visiting(server.address, "/train", query="run=given") as (owner, _):
            await log_in(owner)
            await owner.press(owner.buttons["Remove given"])
        async with visiting(server.address, "/dataset") as (owner, _):
            await log_in(owner)
            await owner.press(owner.buttons["Add the starter dataset"])

    with serving(store) as server:
        apart(lambda: asyncio.run(play()))
    assert not (runs_dir(store) / "given").exists()
    assert {d.name for d in list_datasets(store)} == {"other", "starter", "tiny"}
    assert len(list_drawings(store).kept) == 1


def test_who_guesses_has_to_wait(store: Path) -> None:
    set_passphrase(PASSPHRASE, data_dir=store)

    async def play() -> None:
        async with visiting(server.address, "/train") as (stranger, _):
            for number in range(6):
                stranger.type(stranger.inputs["Passphrase"], f"guess number {number}")
                answer = await stranger.press(stranger.buttons["Log in"])
                said = "That is not" if number < 5 else "Too many wrong passphrases"
                assert said in " ".join(answer.problems)

    with serving(store) as server:
        apart(lambda: asyncio.run(play()))


@pytest.mark.parametrize(
    ("options", "variables", "reason"),
    [
        ([], {"SKETCHSCOPE_READ_ONLY": "1"}, "not changed"),
        (["--server.address=0.0.0.0"], {}, "until the owner has set a passphrase"),
    ],
)
def test_a_server_for_all_offers_no_change_without_a_passphrase(
    options: list[str], variables: dict[str, str], reason: str, store: Path
) -> None:
    async def play() -> None:
        for path, labels in CHANGING.items():
            page, _, query = path.partition("?")
            async with visiting(server.address, page, query=query) as (visitor, seen):
                await draw_house(visitor, path)
                assert reason in " ".join(visitor.texts)
                assert not {*labels, "Log in"} & set(visitor.buttons)
                assert not seen.problems

    with serving(store, options=options, **variables) as server:
        apart(lambda: asyncio.run(play()))


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """The hosts that a server asks, where `asked_of` is its proxy to the world."""
    hosts: list[str] = []

    class World(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hosts.append(self.path)
            self.send_error(503)

        do_CONNECT = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), World) as world:
        Thread(target=world.serve_forever, daemon=True).start()
        hosts.append(f"http://127.0.0.1:{world.server_port}")
        yield hosts
        world.shutdown()


def test_a_page_of_another_server_is_refused_and_the_server_asks_nobody(
    data_dir: Path, asked: list[str]
) -> None:
    async def play() -> None:
        for origin in ("https://evil.example", "http://127.0.0.1:1", "null"):
            with pytest.raises(InvalidStatus):
                async with connect(
                    f"{server.address.replace('http', 'ws', 1)}/_stcore/stream",
                    origin=origin,  # type: ignore[arg-type]
                ):
                    pass

    world = asked.pop()
    with serving(data_dir, HTTP_PROXY=world, HTTPS_PROXY=world) as server:
        apart(lambda: asyncio.run(play()))
        with urllib.request.urlopen(server.address) as page:
            framed = page.headers["Content-Security-Policy"]
    assert not asked
    assert framed == "frame-ancestors 'self'"
