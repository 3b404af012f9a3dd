"""The page Train where TensorFlow is not installed."""

import sys

import pytest

from tests.ui.conftest import Open


@pytest.mark.usefixtures("tiny")
def test_the_page_train_says_what_to_install_and_starts_nothing(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    app = open_page("train")
    assert "need tensorflow, which is not installed" in app.error[0].value
    assert not [button for button in app.button if button.key == "train_start"]
