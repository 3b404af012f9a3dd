"""The dashboard's language in a real browser."""

import re

from playwright.sync_api import Browser, expect

from tests.browser.server import (
    START_TIMEOUT_MS,
    Server,
    faultless_page,
    go_to,
    wait_until_idle,
)


def test_the_browsers_language_decides_until_the_visitor_does(
    lasting_server: Server, browser: Browser
) -> None:
    with faultless_page(browser, locale="es-ES") as page:
        page.goto(f"{lasting_server.address}/confusion?view=Full+matrix")
        heading = page.get_by_role("heading", name="Confusión", exact=True)
        expect(heading).to_be_visible(timeout=START_TIMEOUT_MS)
        wait_until_idle(page)
        expect(page).to_have_title("Confusión · SketchScope")
        expect(page.get_by_text("Matriz completa")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "es")
        page.get_by_role("radio", name="English").click()
        expect(page.get_by_text("Full matrix")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page).to_have_title("Confusion · SketchScope")
        expect(page).to_have_url(re.compile(r"view=Full(\+|%20)matrix"))
        go_to(page, "Curves")
        expect(page.get_by_role("heading", name="Curves", exact=True)).to_be_visible()


def test_an_address_may_name_the_language(
    lasting_server: Server, browser: Browser
) -> None:
    with faultless_page(browser) as page:
        page.goto(f"{lasting_server.address}/draw?lang=es")
        expect(page.get_by_role("heading", name="Dibujar", exact=True)).to_be_visible(
            timeout=START_TIMEOUT_MS
        )
        undo = page.get_by_role("button", name="Deshacer", exact=True)
        expect(undo).to_be_visible(timeout=START_TIMEOUT_MS)
