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
    if not named:
        return REPOSITORY_DIR / "data"
    return follow(expand_home(named))


def expand_home(path: Path | str) -> Path:
    """Returns a path as the shell would: `~` is a home, that of no one is itself."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 (it refuses no one's)


def follow(path: Path) -> Path:
    """Returns an absolute path without links, but for those that lead in a circle."""
    return Path(os.path.realpath(path))
