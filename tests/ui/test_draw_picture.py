"""A picture on the page Draw: told to lie on its side, and turned."""

import io

import numpy as np
from PIL import Image

from core.inference.turning import turn
from tests.drawings import EVERYDAY
from tests.ui.conftest import Open, words
from tests.unit.inference.test_everyday import sketches


def test_a_picture_on_its_side_is_told_and_turned(open_page: Open) -> None:
    place = list(EVERYDAY).index("umbrella")
    lying = turn(sketches(np.random.default_rng(0))[place], 1)
    file = io.BytesIO()
    Image.fromarray(lying).save(file, "PNG")
    app = open_page("draw")
    upload = ("lying.png", file.getvalue(), "image/png")
    app.file_uploader(key="draw_upload").set_value(upload).run()
    assert not app.exception
    assert "on its side. Turned by 90°: umbrella, " in words(app)
    app.button(key="draw_turn").click().run()
    assert not app.exception
    assert "on its side" not in words(app)
    assert "ccw" in app.button(key="draw_turn").icon
