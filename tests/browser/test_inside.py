"""Inside, from a drawing to a channel of it, and a tour to its end."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import (
    Server,
    draw_stroke,
    go_to,
    wait_until_idle,
    wait_until_told,
)
from tests.drawings import EVERYDAY

pytestmark = pytest.mark.slow


def test_a_drawing_is_looked_into_and_the_tour_ends_in_spanish(
    lasting_server: Server, page: Page
) -> None:
    page.goto(f"{lasting_server.address}/draw")
    page.wait_for_selector("canvas.upper-canvas")
    wait_until_idle(page)
    for stroke in EVERYDAY["envelope"]:
        draw_stroke(page, stroke)
        page.wait_for_timeout(300)
    expect(page.locator(".guesses").first).to_be_visible()
    wait_until_told(page)
    go_to(page, "Inside")
    expect(page.get_by_role("img", name="Your drawing")).to_be_visible()
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="of stem").first.click()
    expect(dialog.get_by_text("Its kernel")).to_be_visible()
    expect(dialog.locator(".numbers td")).to_have_count(49)
    expect(dialog.get_by_text("a receptive field of 11 × 11")).to_be_visible()
    expect(dialog.get_by_text("Test sketches that excite it most")).to_be_visible()
    # Their names alone, since their dataset is not here.
    expect(dialog.get_by_text("is not installed")).to_be_visible()
    page.keyboard.press("Escape")
    page.goto(f"{lasting_server.address}/inside?lang=es&tour=1")
    for number in range(1, 6):
        expect(page.get_by_text(f"Recorrido, paso {number} de 5")).to_be_visible()
        wait_until_idle(page)
        name = "Siguiente" if number < 5 else "Terminar el recorrido"
        page.get_by_role("button", name=name).click()
    expect(page.get_by_role("button", name="Hacer el recorrido")).to_be_visible()
