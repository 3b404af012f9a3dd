"""Where the program reads and writes."""

import os
from pathlib import Path

REPOSITORY_DIR = Path(__file__).resolve().parent.parent
TRAINED_DIR = REPOSITORY_DIR / "models" / "trained"
"""The runs that ship with the program; it never writes there."""

DATA_VARIABLE = "SKETCHSCOPE_DATA"


def data_dir() -> Path:
    """Returns the folder that everything is written to, made absolute.

    It is `data/` beside the program unless the environment variable
    `SKETCHSCOPE_DATA` names another.
    """
    named = os.environ.get(DATA_VARIABLE)
    return Path(named).expanduser().resolve() if named else REPOSITORY_DIR / "data"
