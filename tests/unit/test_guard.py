"""What reaches Streamlit of what a browser sends, and when."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pages.shared import guard, turns
from pages.shared.guard import Guard, address, is_foreign, is_superseded
from pages.shared.turns import AT_ONCE, BURST, Turns
from tests.processes import apart

HOME = [(b"host", b"sketch.example")]


def rerun(*widgets: WidgetState, fragment: str = "", query: str = "") -> BackMsg:
    message = BackMsg()
    message.rerun_script.fragment_id = fragment
    message.rerun_script.query_string = query
    message.rerun_script.widget_states.widgets.extend(widgets)
    return message


def received(message: BackMsg) -> Message:
    return {"type": "websocket.receive", "bytes": message.SerializeToString()}


def finished() -> Message:
    message = ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)
    return {"type": "websocket.send", "bytes": message.SerializeToString()}


def reaching(messages: list[Message], *, answers: bool = True) -> list[Message]:
    """What an application behind the guard gets of a page's messages, to the end."""
    reached: list[Message] = []
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            reached.append(await receive())
            if reached[-1]["type"] == "websocket.disconnect":
                return
            if answers:
                await send(finished())

    async def play() -> None:
        queue = asyncio.Queue[Message]()
        for message in [{"type": "websocket.connect"}, *messages]:
            queue.put_nowait(message)

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            if queue.empty():
                # The page is left when all it sent was seen to.
                await asyncio.sleep(0.2)
                return {"type": "websocket.disconnect", "code": 1000}
            return queue.get_nowait()

        scope = {"type": "websocket", "headers": HOME, "client": ("127.0.0.1", 1)}
        await Guard(app)(scope, receive, send)

    apart(lambda: asyncio.run(play()))
    return reached


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "clear_cache",
            "load_git_info",
            "set_run_on_save",
            "backend_operation_request",
        ),
        *("debug_disconnect_websocket", "debug_shutdown_runtime"),
    ],
)
def test_a_message_that_no_page_needs_does_not_reach_streamlit(kind: str) -> None:
    message = BackMsg()
    if kind == "backend_operation_request":
        message.backend_operation_request.install_skills.SetInParent()
    else:
        setattr(message, kind, True)
    assert message.WhichOneof("type") == kind
    reached = reaching([received(message), received(rerun())])
    assert [one["type"] for one in reached] == [
        *("websocket.connect", "websocket.receive", "websocket.disconnect")
    ]
    assert reached[1] == received(rerun())


def test_a_file_that_is_made_for_its_download_is_asked_for() -> None:
    message = BackMsg()
    message.backend_operation_request.deferred_file.file_id = "made"
    assert received(message) in reaching([received(message)])


def test_of_a_thousand_messages_at_once_the_last_one_runs() -> None:
    sent = [received(rerun(query=f"n={number}")) for number in range(1000)]
    reached = [one for one in reaching(sent) if one["type"] == "websocket.receive"]
    assert len(reached) < 5
    assert reached[-1] == sent[-1]


def test_a_page_that_sends_more_than_can_wait_is_hung_up_on() -> None:
    pressed = WidgetState(id="go", trigger_value=True)
    sent = [received(rerun(pressed)) for _ in range(1000)]
    reached = reaching(sent)
    assert len(reached) <= guard.MOST_WAITING + 2
    assert reached[-1] == {"type": "websocket.disconnect", "code": 1008}


def test_what_is_no_message_hangs_up() -> None:
    reached = reaching([{"type": "websocket.receive", "bytes": b"\xff\xff"}])
    assert reached[-1]["code"] == 1008


def test_a_button_that_was_pressed_is_never_dropped() -> None:
    pressed = WidgetState(id="go", trigger_value=True)
    moved = WidgetState(id="slide", double_value=0.5)
    assert is_superseded(rerun(moved), rerun(pressed))
    assert not is_superseded(rerun(pressed), rerun(moved))
    assert not is_superseded(rerun(moved), rerun(moved, fragment="other"))
    assert not is_superseded(BackMsg(stop_script=True), rerun())
    assert not is_superseded(rerun(), BackMsg(stop_script=True))


@pytest.mark.parametrize(
    ("origin", "host", "foreign"),
    [
        (None, "localhost:8501", False),
        ("http://localhost:8501", "localhost:8501", False),
        ("https://sketch.example", "sketch.example", False),
        ("http://localhost:8502", "localhost:8501", True),
        ("https://evil.example", "sketch.example", True),
        ("https://sketch.example:444", "sketch.example", True),
        ("null", "sketch.example", True),
    ],
)
def test_a_page_of_another_server_gets_no_connection(
    origin: str | None, host: str, foreign: bool
) -> None:
    headers = {"Host": host} | ({"Origin": origin} if origin else {})
    assert is_foreign(Headers(headers)) == foreign


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        ("9.9.9.9", "", "9.9.9.9"),
        ("9.9.9.9", "203.0.113.1", "9.9.9.9"),
        ("127.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("172.18.0.2", "192.0.2.9, 203.0.113.1", "203.0.113.1"),
    ],
)
def test_only_a_near_proxy_says_where_a_visitor_comes_from(
    client: str, forwarded: str, expected: str
) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    scope = {"type": "websocket", "client": (client, 1), "headers": headers}
    assert address(scope) == expected


def test_a_page_runs_so_often_a_second() -> None:
    now = 0.0
    visit = Turns(clock=lambda: now).visit("here")
    assert [visit.runs.take(0.0) for _ in range(BURST)] == [0.0] * BURST
    assert visit.runs.take(0.0) == pytest.approx(1 / turns.PER_SECOND)
    assert visit.runs.take(100.0) == 0.0


def test_an_address_opens_so_many_pages_and_another_is_not_kept_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)

    async def play() -> None:
        now = 0.0
        all_turns = Turns(clock=lambda: now)
        assert all([await all_turns.open("many") for _ in range(turns.PAGES)])
        assert slept == [0.0] * turns.PAGES
        more = [await all_turns.open("many") for _ in range(100)]
        # Those wait for five seconds at most; the others are refused at once.
        assert more.count(True) == turns.LONGEST_WAIT_S * turns.PAGES_PER_SECOND
        assert max(slept) == turns.LONGEST_WAIT_S
        assert await all_turns.open("one")
        assert slept[-1] == 0.0
        now = 100.0
        assert await all_turns.open("many")
        assert slept[-1] == 0.0

    apart(lambda: asyncio.run(play()))


def test_an_address_has_no_more_than_its_turns_at_once() -> None:
    async def play() -> None:
        all_turns = Turns()
        many = [all_turns.visit("many") for _ in range(AT_ONCE)]
        waiting = [asyncio.create_task(all_turns.take(visit)) for visit in many]
        await asyncio.sleep(0.05)
        begun = [task.done() for task in waiting]
        assert begun.count(True) == turns.AT_ONCE_OF_ADDRESS < AT_ONCE
        other = all_turns.visit("other")
        await asyncio.wait_for(all_turns.take(other), 1)
        all_turns.give_back(other)
        assert [task.done() for task in waiting] == begun
        for visit in many:
            await asyncio.sleep(0.01)
            all_turns.give_back(visit)
        await asyncio.wait_for(asyncio.gather(*waiting), 1)

    apart(lambda: asyncio.run(play()))


def test_of_those_who_wait_whose_address_had_fewest_runs_is_next() -> None:
    async def play() -> list[str]:
        all_turns, order = Turns(), list[str]()

        async def run(name: str) -> None:
            visit = all_turns.visit(name)
            await all_turns.take(visit)
            order.append(name)
            await asyncio.sleep(0.01)
            all_turns.give_back(visit)

        many = [asyncio.create_task(run("many")) for _ in range(3 * AT_ONCE)]
        await asyncio.sleep(0)
        await asyncio.gather(run("one"), *many)
        return order

    assert apart(lambda: asyncio.run(play())).index("one") <= AT_ONCE


@pytest.mark.parametrize("says_how_much", [True, False])
def test_an_address_uploads_so_much_at_once_and_waits_for_more(
    monkeypatch: pytest.MonkeyPatch, *, says_how_much: bool
) -> None:
    slept: list[float] = []
    passed: list[Scope] = []
    size = 20 * 2**20

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope)

    async def play() -> list[Message]:
        answers: list[Message] = []
        guarded = Guard(app)

        async def receive() -> Message:
            raise AssertionError("what is refused is not read")

        async def send(message: Message) -> None:
            answers.append(message)

        async def ask(host: str, method: str, path: str) -> None:
            size_said = [(b"content-length", str(size).encode())]
            scope = {
                "type": "http",
                "method": method,
                "path": path,
                "client": (host, 1),
                "headers": [*HOME, *(size_said if says_how_much else [])],
            }
            await guarded(scope, receive, send)

        for _ in range(20):
            await ask("192.0.2.1", "PUT", "/behind/_stcore/upload_file/page/file")
        many = len(passed)
        await ask("192.0.2.2", "PUT", "/_stcore/upload_file/page/file")
        await ask("192.0.2.1", "DELETE", "/_stcore/upload_file/page/file")
        assert len(passed) == many + 2
        return answers

    monkeypatch.setattr(asyncio, "sleep", sleep)
    answers = apart(lambda: asyncio.run(play()))
    assert slept[:2] == [0.0, 0.0]
    assert max(slept) <= turns.LONGEST_UPLOAD_WAIT_S
    held = (len(passed) - 2) * size
    most = turns.LONGEST_UPLOAD_WAIT_S * turns.UPLOADED_PER_SECOND + turns.UPLOADED
    assert most - size < held < most + size
    assert [one["status"] for one in answers if "status" in one] == [429] * (
        22 - len(passed)
    )
    assert b"Wait a minute" in answers[-1]["body"]


def soon(event: Coroutine[Any, Any, object]) -> bool:
    async def play() -> bool:
        try:
            await asyncio.wait_for(event, 1)
        except TimeoutError:
            return False
        return True

    return apart(lambda: asyncio.run(play()))


def test_a_page_that_is_left_or_runs_for_long_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def play() -> None:
        all_turns = Turns()
        visits = [all_turns.visit(str(number)) for number in range(AT_ONCE + 2)]
        for visit in visits[:AT_ONCE]:
            await all_turns.take(visit)
        left = asyncio.create_task(all_turns.take(visits[-2]))
        await asyncio.sleep(0)
        left.cancel()
        await all_turns.take(visits[-1])
        assert visits[-1].running
        assert not visits[-2].running

    monkeypatch.setattr(turns, "LONGEST_S", 0.05)
    assert soon(play())


def test_a_turn_that_is_free_as_who_waits_for_it_leaves_is_the_next_one_s() -> None:
    async def play() -> None:
        all_turns = Turns()
        visits = [all_turns.visit(str(number)) for number in range(AT_ONCE + 2)]
        for visit in visits[:AT_ONCE]:
            await all_turns.take(visit)
        left, stays = (
            asyncio.create_task(all_turns.take(visit)) for visit in visits[-2:]
        )
        await asyncio.sleep(0)
        left.cancel()
        all_turns.give_back(visits[0])
        await stays

    assert soon(play())
