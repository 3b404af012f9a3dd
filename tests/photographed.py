"""How well one learns from photographs: `python -m tests.photographed FOLDER`.

Draws ten things of the starter's, 30 of each to learn from and 40 to be asked about,
saves them as they are and as a phone takes them, on a table and in a shadow, imports
both folders, trains a network on each, and prints how many each recognises of its own
kind of pictures.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console

from core.datasets.starter import draw
from core.datasets.starter_things import DRAW
from core.paths import DATA_VARIABLE
from tests.changed_pictures import CHANGES, scribe

CLASSES = 10
PARTS = {"train": 30, "test": 40}
PHOTOGRAPHS = ("photo with table", "photo with shadow")

LEAST = -0.03
"""How much fewer may be recognised after photographs."""

out = Console(highlight=False)


def draw_all(folder: Path) -> None:
    """Saves all drawings below `clean` and, as photographs, below `photos`."""
    for thing in sorted(DRAW)[:CLASSES]:
        number = 0
        for part, count in PARTS.items():
            for _ in range(count):
                picture = scribe(draw(thing, np.random.default_rng([7, number])))
                photograph = CHANGES[PHOTOGRAPHS[number % len(PHOTOGRAPHS)]](picture)
                name = f"{part}/{thing}/{number}"
                _save(picture, folder / "clean" / f"{name}.png")
                _save(photograph, folder / "photos" / f"{name}.jpg")
                number += 1


def _save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def train_on(folder: Path, kind: str, *, epochs: str) -> float:
    """Imports one kind and trains on it; returns the share that is recognised."""
    environment = {**os.environ, DATA_VARIABLE: str(folder / "data")}
    for words in (
        ("dataset", "add", str(folder / kind), "--name", kind),
        ("train", "simple", "--dataset", kind, "--run-id", kind, "--epochs", epochs),
    ):
        command = [sys.executable, "-m", "core", *words]
        subprocess.run(command, env=environment, check=True)
    metrics = folder / "data" / "runs" / kind / "metrics.json"
    return float(json.loads(metrics.read_text())["top1"])


def main() -> int:
    """Measures both, and returns 1 where photographs are learned worse."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="an empty one, to work in")
    parser.add_argument("--epochs", default="60")
    arguments = parser.parse_args()
    folder: Path = arguments.folder.resolve()
    draw_all(folder)
    clean, photos = (
        train_on(folder, kind, epochs=arguments.epochs) for kind in ("clean", "photos")
    )
    out.print(f"Drawings {clean:.1%}, photographs {photos:.1%}: {photos - clean:+.1%}.")
    return 0 if photos - clean >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
