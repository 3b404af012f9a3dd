"""The page Draw, with the mouse in a real browser."""

import io
import itertools
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    FilePayload,
    Locator,
    Page,
    TimeoutError,
    expect,
)

from core.datasets.drawings import list_drawings
from tests.browser.server import (
    START_TIMEOUT_MS,
    Server,
    draw_stroke,
    faultless_page,
    go_to,
    wait_until_idle,
    wait_until_told,
)
from tests.drawings import EVERYDAY, Stroke, by_hand
from tests.unit.inference.test_everyday import sketches

pytestmark = pytest.mark.slow


def open_canvas(server: Server, page: Page, query: str = "") -> None:
    page.goto(f"{server.address}/draw{query}")
    page.wait_for_selector("canvas.upper-canvas", timeout=START_TIMEOUT_MS)
    wait_until_idle(page)


def named(page: Page) -> list[list[str]]:
    """The five classes of both networks, as they stand on the page."""
    expect(page.locator(".guesses")).to_have_count(2, timeout=START_TIMEOUT_MS)
    return [
        guesses.locator(".name").all_inner_texts()
        for guesses in page.locator(".guesses").all()
    ]


def draw(page: Page, strokes: Sequence[Stroke], *, before: int = 0) -> None:
    """Draws strokes and waits for what the networks say of the last."""
    for stroke in strokes:
        draw_stroke(page, stroke)
        page.wait_for_timeout(300)
    expect_guesses(page, strokes=before + len(strokes))


def expect_guesses(page: Page, *, strokes: int) -> None:
    seen = page.get_by_role("img", name=f"after stroke {strokes}", exact=False)
    expect(seen.first).to_be_visible(timeout=START_TIMEOUT_MS)
    # What the moving pen told is there first, what the canvas tells a little later.
    wait_until_told(page)


def tool(page: Page, name: str) -> Locator:
    """A button of the toolbar; a new canvas shows its own for a moment."""
    tools = page.get_by_role("toolbar", name="Drawing tools")
    return tools.get_by_role("button", name=name, exact=True)


def clear(page: Page) -> None:
    tool(page, "Clear").click()
    expect(page.locator(".guesses")).to_have_count(0)
    wait_until_idle(page)


FOLLOW = """() => {
    window.verdicts = [];
    new MutationObserver(() => {
        const now = [...document.querySelectorAll(".guesses")]
            .map((list) => list.innerText).join(" ");
        if (now && now !== window.verdicts.at(-1)) window.verdicts.push(now);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def test_everyday_things_are_guessed(lasting_server: Server, page: Page) -> None:
    # All twelve: tests/unit/inference/test_everyday.py, and draw_latency by mouse.
    generator = np.random.default_rng()
    open_canvas(lasting_server, page)
    for name in ("envelope", "fish"):
        strokes = [by_hand(stroke, generator) for stroke in EVERYDAY[name]]
        draw(page, strokes)
        resnet18, simple = named(page)
        assert resnet18[0] == name
        assert name in simple
        clear(page)


def test_undo_and_redo_step_through_the_guesses(
    lasting_server: Server, page: Page
) -> None:
    open_canvas(lasting_server, page)
    seen = []
    for number, stroke in enumerate(EVERYDAY["house"][:3]):
        draw(page, [stroke], before=number)
        seen.append(page.locator(".guesses").all_inner_texts())
    assert seen[0] != seen[1] != seen[2]
    guesses = page.locator(".guesses")
    tool(page, "Undo").click()
    expect(guesses.first).to_have_text(seen[1][0], use_inner_text=True)
    tool(page, "Redo").click()
    expect(guesses.first).to_have_text(seen[2][0], use_inner_text=True)
    clear(page)
    expect(page.get_by_text("appear here as you draw")).to_be_visible()


def test_undo_brings_back_what_was_cleared(lasting_server: Server, page: Page) -> None:
    open_canvas(lasting_server, page)
    draw(page, EVERYDAY["envelope"])
    before = named(page)
    clear(page)
    tool(page, "Undo").click()
    expect_guesses(page, strokes=len(EVERYDAY["envelope"]))
    assert named(page) == before


STANDSTILL = """() => setTimeout(() => {
    const parts = [...document.querySelectorAll("*")];
    const pen = parts.map((part) => part.shadowRoot?.pen ?? part.pen).find(Boolean);
    setTimeout(() => pen.tell(
        "line", { number: ++pen.number, lines: pen.lines, strokes: pen.strokes }));
    const until = performance.now() + 300;
    while (performance.now() < until);
}, 50)"""


def test_a_slow_machine_that_tells_all_at_once_loses_no_line(
    lasting_server: Server, page: Page
) -> None:
    open_canvas(lasting_server, page, "?detail=Replay")
    draw_stroke(page, EVERYDAY["envelope"][0])
    # Pen and canvas tell in one message, as a browser does that comes to both late.
    page.evaluate(STANDSTILL)
    expect(page.get_by_text("Draw a second stroke")).to_be_visible()
    wait_until_told(page)


def test_guesses_follow_the_moving_pen(lasting_server: Server, page: Page) -> None:
    open_canvas(lasting_server, page)
    draw(page, EVERYDAY["envelope"][:1])
    page.evaluate(FOLLOW)
    box = page.locator("canvas.upper-canvas").bounding_box()
    assert box is not None
    x, y, side = box["x"], box["y"], box["width"]
    page.mouse.move(x + 0.2 * side, y + 0.3 * side)
    page.mouse.down()
    # How many a second, `draw_latency` measures on a machine of its own.
    seen: set[str] = set()
    for step in range(400):
        across = 0.2 + 0.6 * (step % 40) / 40
        page.mouse.move(x + across * side, y + (0.3 + step % 8 / 40) * side)
        page.wait_for_timeout(50)
        seen = set(page.evaluate("window.verdicts"))
        if len(seen) >= 4:
            break
    page.mouse.up()
    assert len(seen) >= 4


FIRSTS = """() => {
    const firsts = document.querySelectorAll(".guesses .guess:first-child");
    return firsts.length === 2
        && [...firsts].map((first) => first.getBoundingClientRect().toJSON());
}"""


@pytest.mark.parametrize(
    "window", [(360, 740), (390, 844), (911, 512), (1366, 768), (1920, 1080)]
)
@pytest.mark.parametrize("screen", ["", "draw"])
def test_canvas_and_verdict_are_in_view_together(
    screen: str, window: tuple[int, int], lasting_server: Server, browser: Browser
) -> None:
    width, height = window
    with faultless_page(
        browser, viewport={"width": width, "height": height}, has_touch=width < 400
    ) as page:
        page.goto(f"{lasting_server.address}/{screen}")
        page.wait_for_selector("canvas.upper-canvas", timeout=START_TIMEOUT_MS)
        wait_until_idle(page)
        draw(page, EVERYDAY["envelope"]) if screen else draw_stroke(
            page, EVERYDAY["envelope"][0]
        )
        expect(page.locator(".guesses").first).to_be_visible(timeout=START_TIMEOUT_MS)
        # At once, since the guesses may still follow the pen.
        firsts = page.wait_for_function(FIRSTS).json_value()
        canvas = page.locator("canvas.upper-canvas").bounding_box()
        assert canvas is not None
        assert 280 <= canvas["width"] <= 640
        assert canvas["width"] == pytest.approx(canvas["height"], abs=1)
        for box in (canvas, *firsts):
            assert 0 <= box["x"] <= box["x"] + box["width"] <= width
            assert 0 <= box["y"] <= box["y"] + box["height"] <= height
        # The package's own tools are not seen; ours speak the visitor's language.
        assert page.get_by_role("button", name="Update the app").count() == 0
        assert page.get_by_role("button", name="Eraser").is_visible()


def test_a_drawing_is_still_there_after_a_visit_elsewhere(
    lasting_server: Server, page: Page
) -> None:
    open_canvas(lasting_server, page)
    draw(page, EVERYDAY["envelope"])
    before = named(page)
    go_to(page, "Runs")
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    go_to(page, "Home")
    expect(page.locator(".guesses").first).to_be_visible(timeout=START_TIMEOUT_MS)
    assert named(page) == before
    go_to(page, "Draw")
    expect(page.get_by_role("heading", name="Draw", exact=True)).to_be_visible()
    expect(page.locator(".guesses").first).to_be_visible(timeout=START_TIMEOUT_MS)
    assert named(page) == before


def test_too_little_gets_no_guess(lasting_server: Server, page: Page) -> None:
    open_canvas(lasting_server, page)
    for x in (100, 200):
        draw_stroke(page, ((x, 100), (x + 1, 101)))
    expect(page.get_by_text("too little to be anything")).to_be_visible()
    expect(page.locator(".guesses")).to_have_count(0)


def test_the_replay_goes_back_stroke_by_stroke(
    lasting_server: Server, page: Page
) -> None:
    open_canvas(lasting_server, page, "?detail=Replay")
    draw(page, EVERYDAY["house"][:1])
    first = page.locator(".guesses").first.inner_text()
    expect(page.get_by_text("Draw a second stroke")).to_be_visible()
    draw(page, EVERYDAY["house"][1:3], before=1)
    expect(page.get_by_text("After stroke 3")).to_be_visible()
    slider = page.get_by_role("slider", name=re.compile("^Stroke"))
    slider.focus()
    slider.press("ArrowLeft")
    expect(page.get_by_text("After stroke 2")).to_be_visible()
    slider.press("ArrowLeft")
    expect(page.get_by_text("After stroke 1")).to_be_visible()
    wait_until_idle(page)
    assert page.locator(".guesses").nth(2).inner_text() == first
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.get_by_text("After stroke 3")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_what_they_know_is_looked_up_and_a_guess_is_spoken(
    lasting_server: Server, page: Page
) -> None:
    open_canvas(lasting_server, page, "?lang=es")
    tried = page.locator(".small-sketches").first.get_by_role("img")
    before = {picture.get_attribute("alt") for picture in tried.all()}
    page.get_by_role("button", name="Otras").click()
    expect(tried.first).not_to_have_attribute(
        "alt", re.compile("|".join(map(str, before)))
    )
    assert before.isdisjoint(picture.get_attribute("alt") for picture in tried.all())
    search = page.get_by_role("combobox", name="cosas que conocen")
    # In English too, whatever the page's language.
    search.fill("snowm")
    page.get_by_role("option", name="muñeco de nieve").click()
    expect(page.get_by_role("img", name="Dibujo de muñeco de nieve")).not_to_have_count(
        0
    )
    for stroke in EVERYDAY["envelope"]:
        draw_stroke(page, stroke)
    expect(
        page.get_by_role("status").filter(has_text="ResNet-18: sobre")
    ).to_have_count(1)


def test_why_shows_both_maps_and_what_is_known_of_a_class(
    lasting_server: Server, page: Page
) -> None:
    open_canvas(lasting_server, page, "?detail=Why")
    draw(page, EVERYDAY["fish"])
    heat = page.get_by_role("img", name="what speaks for fish")
    expect(heat).to_be_visible()
    page.get_by_role("radio", name="Which ink counts").click()
    expect(page.get_by_text("a patch is hidden at a time")).to_be_visible()
    expect(page.get_by_text("test sketches of fish")).to_be_visible()
    expect(page.get_by_role("link", name="All about fish")).to_be_visible()
    wait_until_idle(page)


def choose(page: Page, field: Locator, thing: str) -> None:
    """Chooses what is typed; a list closes as its page moves, and is opened again."""
    option = page.get_by_role("option", name=thing)
    for _ in range(10):
        field.fill("")
        field.fill(thing)
        with suppress(TimeoutError):
            option.click(timeout=5000)
            return
    raise AssertionError(f"no list offered {thing}")


def test_a_drawing_is_kept_relabelled_and_removed(
    server: Server, page: Page, data_dir: Path
) -> None:
    open_canvas(server, page, "?detail=Keep")
    draw(page, EVERYDAY["umbrella"])
    # Nothing is chosen beforehand.
    expect(page.get_by_role("button", name="Keep", exact=True).last).to_be_disabled()
    field = page.get_by_role("combobox", name="What did you draw?")
    choose(page, field, "umbrella")
    page.get_by_role("button", name="Keep", exact=True).last.click()
    expect(page.get_by_text("Kept as umbrella")).to_be_visible()
    page.get_by_role("radio", name="My drawings").click()
    expect(page.get_by_role("img", name="Drawing of umbrella")).to_be_visible()
    (kept,) = list_drawings(data_dir).kept
    assert kept.source == "canvas"
    assert kept.guesses[0].class_name == "umbrella"
    page.get_by_test_id("stPopoverButton").filter(has_text="umbrella").click()
    choose(page, field.last, "mushroom")
    expect(page.get_by_role("img", name="Drawing of mushroom")).to_be_visible()
    assert list_drawings(data_dir).kept[0].label == "mushroom"
    # Its menu is still open.
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nothing is kept yet")).to_be_visible()
    assert not list_drawings(data_dir).kept


def test_the_owner_says_whether_a_guess_is_right(
    server: Server, page: Page, data_dir: Path
) -> None:
    open_canvas(server, page)
    draw(page, EVERYDAY["umbrella"])
    expect(page.get_by_text("Is it an umbrella?")).to_be_visible()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("Kept as umbrella")).to_be_visible()
    (kept,) = list_drawings(data_dir).kept
    assert kept.label == "umbrella"
    # An answer is asked for once.
    expect(page.get_by_text("Is it an umbrella?")).to_have_count(0)
    clear(page)
    draw(page, EVERYDAY["envelope"])
    page.get_by_role("button", name="No").click()
    expect(page.get_by_role("combobox", name="What did you draw?")).to_be_visible()
    assert len(list_drawings(data_dir).kept) == 1


def test_a_game_ends_with_a_score(lasting_server: Server, page: Page) -> None:
    page.goto(f"{lasting_server.address}/draw?mode=Game")
    page.get_by_role("button", name="Start").click()
    for number in range(1, 6):
        expect(page.get_by_text(f"Round {number} of 5")).to_be_visible()
        wait_until_idle(page)
        page.get_by_role("button", name="Skip").click()
    expect(page.get_by_text("0 of 500")).to_be_visible()
    expect(page.get_by_text("Nothing drawn")).to_have_count(5)
    expect(page.get_by_role("button", name="Play again")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download as a picture").click()
    with Image.open(downloading.value.path()) as picture:
        assert picture.format == "PNG"
        assert picture.width > 5 * 256


def test_a_finger_draws_too(lasting_server: Server, browser: Browser) -> None:
    with faultless_page(
        browser, has_touch=True, viewport={"width": 400, "height": 860}
    ) as page:
        open_canvas(lasting_server, page)
        box = page.locator("canvas.upper-canvas").bounding_box()
        assert box is not None
        finger = page.context.new_cdp_session(page)
        for stroke in EVERYDAY["envelope"]:
            scale = box["width"] / 360
            points = [
                {"x": box["x"] + scale * x, "y": box["y"] + scale * y}
                for x, y in dense(stroke)
            ]
            finger.send(
                "Input.dispatchTouchEvent",
                {"type": "touchStart", "touchPoints": points[:1]},
            )
            for point in points[1:]:
                finger.send(
                    "Input.dispatchTouchEvent",
                    {"type": "touchMove", "touchPoints": [point]},
                )
            finger.send(
                "Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []}
            )
            page.wait_for_timeout(300)
        expect_guesses(page, strokes=2)
        assert "envelope" in named(page)[0]


def dense(corners: Stroke) -> list[tuple[float, float]]:
    """A stroke's corners and points between them, as a finger passes them."""
    ends = itertools.pairwise(corners)
    points = [
        (x + (u - x) * step / 8, y + (v - y) * step / 8)
        for (x, y), (u, v) in ends
        for step in range(8)
    ]
    return [*points, corners[-1]]


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def pictures() -> dict[str, tuple[bytes, str]]:
    """Uploads, and what the page says of each; "" where it guesses."""
    ink = np.full((300, 300), 255, np.uint8)
    ink[60:240, 60:66] = ink[60:240, 234:240] = 0
    ink[60:66, 60:240] = ink[234:240, 60:240] = 0
    square = Image.fromarray(ink)
    rgb = square.convert("RGB")
    sixteen = Image.fromarray(ink.astype(np.uint16) * 257)
    return {
        "text.png": (b"this is no picture", "is not a picture of a format"),
        "nothing.png": (b"", "is empty"),
        "huge.png": (encoded(Image.new("1", (10_000, 10_001), 1), "PNG"), "at most"),
        "white.png": (encoded(Image.new("L", (300, 300), 255), "PNG"), "white.png"),
        "cut.png": (encoded(square, "PNG")[:200], "can't be read"),
        "cmyk.jpg": (encoded(rgb.convert("CMYK"), "JPEG"), ""),
        "sixteen.png": (encoded(sixteen, "PNG"), ""),
        "moving.webp": (
            encoded(rgb, "WEBP", save_all=True, append_images=[rgb.rotate(90)]),
            "",
        ),
    }


def test_any_upload_is_guessed_or_refused_in_a_sentence(
    server: Server, page: Page, data_dir: Path
) -> None:
    open_canvas(server, page)
    page.get_by_text("Use a picture instead").click()
    for name, (content, refusal) in pictures().items():
        page.locator('input[type="file"]').set_input_files(
            FilePayload(name=name, mimeType="image/png", buffer=content)
        )
        if refusal:
            alert = page.get_by_test_id("stAlert")
            expect(alert.filter(has_text=refusal)).to_be_visible()
            expect(alert.filter(has_text=name)).to_be_visible()
            expect(page.locator(".guesses")).to_have_count(0)
        else:
            expect(page.locator(".guesses")).to_have_count(2)
        remove = page.get_by_role("button", name=f"Remove {name}")
        remove.click()
        expect(remove).to_have_count(0)
        # What is given while the page still shows the last one gets lost.
        expect(page.get_by_test_id("stAlert").filter(has_text=name)).to_have_count(0)
        expect(page.locator(".guesses")).to_have_count(0)
        wait_until_idle(page)
    assert not (data_dir / "drawings").exists()


def test_a_box_on_a_picture_says_which_drawing_is_meant(
    lasting_server: Server, page: Page
) -> None:
    names = list(EVERYDAY)
    drawn = sketches(np.random.default_rng(0))
    sheet = np.hstack([drawn[names.index(name)] for name in ("umbrella", "sun")])
    open_canvas(lasting_server, page)
    page.get_by_text("Use a picture instead").click()
    page.locator('input[type="file"]').set_input_files(
        FilePayload(
            name="two.png",
            mimeType="image/png",
            buffer=encoded(Image.fromarray(sheet).resize((768, 384)), "PNG"),
        )
    )
    expect(page.locator(".guesses")).to_have_count(2)
    page.get_by_text("The drawing is only a part of it").click()
    picture = page.locator(".part")
    expect(picture.locator("img")).to_have_js_property("naturalWidth", 280)
    box = picture.bounding_box()
    assert box is not None
    width, height = box["width"], box["height"]
    for name, left in (("umbrella", 0.02), ("sun", 0.52)):
        # It waits until the page stands still.
        picture.hover(position={"x": left * width, "y": 3})
        page.mouse.down()
        picture.hover(position={"x": (left + 0.46) * width, "y": height - 3})
        page.mouse.up()
        expect(page.locator(".guess").first).to_contain_text(name)
    # Arrow keys move it, to the other drawing in the end; a tap takes it away.
    picture.focus()
    for _ in range(25):
        page.keyboard.press("ArrowLeft")
    expect(page.locator(".guess").first).to_contain_text("umbrella")
    frame = picture.locator("span")
    picture.click()
    expect(frame).to_have_attribute("style", re.compile(r"^inset: 0%;"))
