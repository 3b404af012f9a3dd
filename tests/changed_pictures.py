"""What happens to drawings before they reach the program: paper, pens and cameras."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps

SIDE = 800
"""Of a drawing that is changed, in pixels."""


def scribe(
    strokes: list[NDArray[np.float64]], *, side: int = SIDE, width: float = 5
) -> Image.Image:
    """Draws strokes on the unit square black on white, softly, with a margin."""
    finer = 2
    image = Image.new("L", (side * finer, side * finer), 255)
    pen = ImageDraw.Draw(image)
    radius = width * finer / 2
    for stroke in strokes:
        points = [(float(x), float(y)) for x, y in (stroke * 0.9 + 0.05) * side * finer]
        pen.line(points, fill=0, width=round(2 * radius), joint="curve")
        for x, y in (points[0], points[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return image.reduce(finer)


def _map(picture: Image.Image, *, paper: float, ink: float) -> Image.Image:
    return picture.point([round(ink + (paper - ink) * n / 255) for n in range(256)])


def _on_page(picture: Image.Image, *, seed: int = 0) -> Image.Image:
    page = Image.new("L", (1240, 1754), 255)
    page.paste(picture.resize((380, 380), Image.Resampling.BOX), (330 + seed, 560))
    return page


def _with(
    draw: Callable[[ImageDraw.ImageDraw], None], picture: Image.Image
) -> Image.Image:
    draw(ImageDraw.Draw(picture := picture.copy()))
    return picture


def _grain(picture: Image.Image, sigma: float) -> Image.Image:
    noise = np.random.default_rng(1).normal(0, sigma, picture.size[::-1])
    values = np.asarray(picture, dtype=np.float64) * 0.96 + noise
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _specks(pen: ImageDraw.ImageDraw, *, count: int, size: int) -> None:
    random = np.random.default_rng(2)
    for x, y in random.uniform(0.03, 0.97, (count, 2)) * (1240, 1754):
        pen.ellipse((x, y, x + size - 1, y + size - 1), fill=40)


def _corner_speck(picture: Image.Image) -> Image.Image:
    page = _on_page(picture)
    return _with(lambda pen: pen.rectangle((1180, 1690, 1184, 1694), fill=0), page)


def _date(pen: ImageDraw.ImageDraw) -> None:
    x = 930
    for digit in ("14", "0 7", "23"):
        for sign in digit:
            if sign != " ":
                pen.line((x, 90, x + 10, 84, x + 10, 112), fill=90, width=3)
                pen.line((x, 112, x + 14, 112), fill=90, width=3)
            x += 22
        pen.line((x - 4, 114, x + 4, 82), fill=90, width=3)
        x += 12


def _rule(picture: Image.Image, *, squared: bool) -> Image.Image:
    paper = Image.new("L", picture.size, 255)
    pen = ImageDraw.Draw(paper)
    for at in range(20, max(picture.size), 40):
        pen.line((0, at, paper.width, at), fill=205, width=2)
        if squared:
            pen.line((at, 0, at, paper.height), fill=205, width=2)
    values = np.minimum(np.asarray(paper), np.asarray(picture))
    return _grain(Image.fromarray(values), 2)


def _shadow(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture, dtype=np.float64) / 255
    y, x = np.mgrid[0 : values.shape[0], 0 : values.shape[1]] / max(values.shape)
    light = 215 - 90 * x - 30 * y
    light = light * np.where(x + 0.4 * y > 0.8, 0.75, 1)
    shade = np.asarray(
        Image.fromarray(light.astype(np.uint8)).filter(ImageFilter.GaussianBlur(20)),
        dtype=np.float64,
    )
    noise = np.random.default_rng(3).normal(0, 3, values.shape)
    shown = shade * (0.25 + 0.75 * values) + noise
    return Image.fromarray(np.clip(shown, 0, 255).astype(np.uint8))


def _on_table(picture: Image.Image, *, degrees: float = 4) -> Image.Image:
    """A sheet on a wooden table, seen from above and a little turned."""
    random = np.random.default_rng(4)
    grain = random.normal(0, 1, (1100, 1))
    y = np.linspace(0, 12, 1100)[:, None]
    table = 115 + 14 * np.sin(y * 6) + 6 * grain + random.normal(0, 5, (1100, 1100))
    sheet = picture.resize((700, 700), Image.Resampling.BOX)
    mask = Image.new("L", sheet.size, 255)
    turned = sheet.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    mask = mask.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    scene = Image.fromarray(np.clip(table, 0, 255).astype(np.uint8))
    scene.paste(turned, (170, 160), mask)
    return _shadow(scene)


def _scanner_edge(picture: Image.Image) -> Image.Image:
    def draw(pen: ImageDraw.ImageDraw) -> None:
        pen.rectangle((0, 0, 13, 1754), fill=30)
        pen.rectangle((0, 1742, 1240, 1754), fill=60)

    return _with(draw, _on_page(picture))


def _frame(picture: Image.Image) -> Image.Image:
    page = ImageOps.expand(picture, 60, 255)
    end = page.width - 20

    def draw(pen: ImageDraw.ImageDraw) -> None:
        corners = ((18, 22), (end, 18), (end - 3, end), (21, end - 4), (18, 22))
        pen.line(corners, fill=0, width=5)

    return _with(draw, page)


def _thick(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.MinFilter(9)).filter(ImageFilter.MinFilter(9))


Change = Callable[[Image.Image], Image.Image]

CHANGES: Mapping[str, Change] = {
    "plain": lambda picture: picture,
    "white on black": ImageOps.invert,
    "gray paper 200": lambda picture: _map(picture, paper=200, ink=0),
    "gray paper 140": lambda picture: _map(picture, paper=140, ink=0),
    "faint pencil 205": lambda picture: _map(picture, paper=255, ink=205),
    "thick": _thick,
    "tiny, 28 pixels": lambda picture: picture.resize((28, 28), Image.Resampling.BOX),
    "small on A4": _on_page,
    "A4 with a date": lambda picture: _with(_date, _on_page(picture)),
    "A4 scan, grain 4": lambda picture: _grain(_on_page(picture), 4),
    "A4 scan, grain 6": lambda picture: _grain(_on_page(picture), 6),
    "A4, 30 specks": lambda picture: _with(
        lambda pen: _specks(pen, count=30, size=3), _on_page(picture)
    ),
    "A4, a speck in a corner": _corner_speck,
    "drawn frame": _frame,
    "scanner's edge": _scanner_edge,
    "lined paper": lambda picture: _rule(picture, squared=False),
    "squared paper": lambda picture: _rule(picture, squared=True),
    "photo with shadow": _shadow,
    "photo with table": _on_table,
    "blackboard": lambda picture: _shadow(_map(picture, paper=70, ink=235)),
}
"""Each makes of a drawing, black on white, what someone brings."""
