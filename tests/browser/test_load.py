"""Visitors without a browser, on a real server."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import numpy as np
import pytest
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection

from core.datasets.starter import draw
from tests.browser.load import CANVAS, PATH, load
from tests.browser.server import Server
from tests.browser.visitors import Answer, Drawing, Visitor, visiting
from tests.processes import apart


@pytest.mark.slow
def test_three_visitors_draw_at_once() -> None:
    result = apart(lambda: load(visitors=3, seconds=10))
    assert result["errors"] == 0, result["first_errors"]
    assert result["strokes"] >= 3
    assert 0 < result["answer_s"]["median"] <= result["answer_s"]["max"]
    assert result["server_mb"][-1][1] > result["server_mb_at_start"] > 0


@pytest.mark.slow
def test_a_visitor_sees_what_a_browser_shows(server: Server) -> None:
    async def visit() -> None:
        async with visiting(server.address, PATH) as (visitor, first):
            assert "Draw" in first.texts
            assert not first.problems
            drawing = Drawing(visitor.component(CANVAS))
            for stroke in draw("house", np.random.default_rng(0)):
                drawing.add(stroke)
            answer = await visitor.send(CANVAS, drawing.value())
            assert not answer.problems
            assert "Both networks say a house." in answer.texts
            with pytest.raises(LookupError, match="no component 'none'"):
                visitor.component("none")

    apart(lambda: asyncio.run(visit()))


class Script:
    """Stands for a server's socket: sends what it was given, then hangs up."""

    def __init__(self, *messages: ForwardMsg) -> None:
        self._messages = list(messages)
        self.asked: list[BackMsg] = []

    async def send(self, content: bytes) -> None:
        self.asked.append(BackMsg.FromString(content))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._messages:
            yield self._messages.pop(0).SerializeToString()


def begin(*fragment_ids: str) -> ForwardMsg:
    message = ForwardMsg()
    message.new_session.page_script_hash = "page"
    message.metadata.run.fragment_ids.extend(fragment_ids)
    return message


def show(place: int, text: str, *, fragment_id: str = "") -> ForwardMsg:
    message = ForwardMsg(hash=text)
    message.metadata.delta_path.extend((0, place))
    message.metadata.cacheable = True
    message.delta.fragment_id = fragment_id
    message.delta.new_element.markdown.body = text
    return message


def show_again(place: int, text: str) -> ForwardMsg:
    message = ForwardMsg(ref_hash=text)
    message.metadata.delta_path.extend((0, place))
    return message


def end() -> ForwardMsg:
    return ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)


def answers(*messages: ForwardMsg, runs: int) -> tuple[Script, list[Answer]]:
    """What a visitor makes of some runs."""
    script = Script(*messages)
    visitor = Visitor(
        cast(ClientConnection, script), "http://here", page="draw", query=""
    )

    async def rerun() -> list[Answer]:
        return [await visitor.rerun() for _ in range(runs)]

    return script, apart(lambda: asyncio.run(rerun()))


def test_a_run_replaces_what_it_does_not_show_again() -> None:
    script, (first, second) = answers(
        *(begin(), show(1, "b"), show(0, "a"), show(2, "c"), end()),
        *(begin(), show(0, "d"), show_again(3, "b"), end()),
        runs=2,
    )
    assert first.texts == ("a", "b", "c")
    assert second.texts == ("d", "b")
    assert script.asked[0].rerun_script.page_name == "draw"
    assert script.asked[1].rerun_script.page_script_hash == "page"
    assert set(script.asked[1].rerun_script.cached_message_hashes) == {"a", "b", "c"}


def test_a_fragment_s_run_leaves_the_rest_of_the_page() -> None:
    _, (_, second) = answers(
        *(begin(), show(0, "a"), show(1, "b", fragment_id="f")),
        *(show(2, "c", fragment_id="f"), end()),
        *(begin("f"), show(1, "d", fragment_id="f"), end()),
        runs=2,
    )
    assert second.texts == ("a", "d")


def test_a_run_that_another_one_follows_is_not_the_end() -> None:
    early = ForwardMsg(script_finished=ForwardMsg.FINISHED_EARLY_FOR_RERUN)
    _, (only,) = answers(
        *(begin(), show(1, "a"), early, begin(), show(0, "b"), end()), runs=1
    )
    assert only.texts == ("b",)


def test_errors_on_the_page_are_problems() -> None:
    broken, red = show(0, ""), show(1, "")
    broken.delta.new_element.exception.message = "it broke"
    red.delta.new_element.alert.body = "no such run"
    red.delta.new_element.alert.format = Alert.ERROR
    _, (only,) = answers(begin(), broken, red, show(2, "fine"), end(), runs=1)
    assert only.problems == ("it broke", "no such run")


def test_a_server_that_hangs_up_is_an_error() -> None:
    with pytest.raises(ConnectionError, match="closed the connection"):
        answers(begin(), show(0, "a"), runs=1)
