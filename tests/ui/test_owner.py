"""Who is the owner, as the pages take it."""

import tomllib
from pathlib import Path

import pytest
import streamlit as st

from core.errors import OwnerError
from core.ownership import OWNER, PUBLIC_VARIABLE, TRIES, set_passphrase
from pages.shared.owner import _passphrase_checker
from tests.conftest import PAGES, REPOSITORY
from tests.ui.conftest import Open, words

PASSPHRASE = "horse ladder teapot sun"


def log_in(app: object, passphrase: str) -> None:
    app.text_input(key="owner_passphrase").set_value(passphrase)  # type: ignore[attr-defined]
    (button,) = (b for b in app.button if b.label == "Log in")  # type: ignore[attr-defined]
    button.click().run()


def test_emptied_caches_give_no_more_tries(data_dir: Path) -> None:
    set_passphrase(PASSPHRASE, data_dir=data_dir)
    for _ in range(TRIES):
        assert not _passphrase_checker(data_dir).knows("wrong, as it happens")
    st.cache_resource.clear()
    st.cache_data.clear()
    with pytest.raises(OwnerError, match="Too many wrong passphrases"):
        _passphrase_checker(data_dir).knows(PASSPHRASE)


def test_a_changed_passphrase_ends_what_was_opened_with_the_old_one(
    open_page: Open, data_dir: Path
) -> None:
    set_passphrase(PASSPHRASE, data_dir=data_dir)
    app = open_page("train")
    log_in(app, PASSPHRASE)
    assert [b for b in app.button if b.key == "owner_logout"]
    set_passphrase("another one altogether", data_dir=data_dir)
    app.run()
    assert not [b for b in app.button if b.key == "owner_logout"]
    assert [b for b in app.button if b.label == "Log in"]


@pytest.mark.parametrize("page", PAGES)
def test_a_damaged_file_of_the_passphrase_breaks_no_page(
    page: str, open_page: Open, data_dir: Path
) -> None:
    data_dir.mkdir()
    (data_dir / OWNER).write_text("\0\0", encoding="utf-8")
    app = open_page(page)
    assert app.title
    assert "can't be read" not in " ".join(str(e.value) for e in app.error)
    if page == "train":
        assert "owner set" in words(app)


def test_on_a_public_server_nobody_is_local(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "until the owner has set a passphrase" not in words(open_page("train"))
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")
    assert "until the owner has set a passphrase" in words(open_page("train"))


def test_no_error_is_shown_with_its_traceback() -> None:
    text = (REPOSITORY / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["client"]["showErrorDetails"] == "none"
