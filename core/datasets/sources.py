"""The table of dataset sources, and the one door through which they are added."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.datasets.archives import Archive, open_archive
from core.datasets.eitz import find_eitz, is_eitz
from core.datasets.folders import find_folders
from core.datasets.install import install
from core.datasets.splits import GivenSplit, apply_split
from core.datasets.starter import find_starter
from core.datasets.store import (
    Dataset,
    Progress,
    SketchSource,
    check_new_name,
    list_datasets,
)
from core.datasets.tu_berlin import (
    URL,
    download_tu_berlin,
    find_tu_berlin,
    is_tu_berlin,
)
from core.errors import DatasetError


@dataclass(frozen=True)
class FileForm:
    """One form of sketches on disk.

    Attributes:
        name: What `Dataset.kind` says.
        matches: Whether an archive has the form.
        find: Lists its sketches.
    """

    name: str
    matches: Callable[[Archive], bool]
    find: Callable[[Path], SketchSource]


FILE_FORMS = (
    FileForm("eitz", is_eitz, find_eitz),
    FileForm("tu-berlin", is_tu_berlin, find_tu_berlin),
    FileForm("folders", lambda _archive: True, find_folders),
)
"""In the order in which they are tried on a path."""


def add_dataset(
    what: str,
    *,
    name: str | None = None,
    data_dir: Path,
    url: str = URL,
    progress: Callable[[str], Progress] | None = None,
    find_split: Callable[[], GivenSplit | None] = lambda: None,
) -> Dataset:
    """Adds a dataset.

    Args:
        what: `starter`, `tu-berlin`, or the path of a zip or folder; `./starter`
            is a folder.
        name: What to call it; by default after `what`.
        data_dir: The folder that everything is written to.
        url: Where the official archive lies.
        progress: Given a task's title, returns what to call as it goes on.
        find_split: Returns the split of the networks that ship, which the official
            archive takes over, so that no network is scored on sketches that it was
            trained on.

    Raises:
        DatasetError: If there is nothing usable there, or the name is taken.
        ImageError: If a sketch can't be read.
    """
    if what == "starter" and name in (None, "starter"):
        # It is always the same, so a second time there is nothing to do.
        installed = [d for d in list_datasets(data_dir) if d.name == "starter"]
        if installed and installed[0].kind == "starter":
            return installed[0]
    tell = progress or (lambda _title: _say_nothing)
    try:
        name = name or _default_name(what)
    except (RuntimeError, ValueError) as error:
        raise DatasetError(f"{what!r} is no path on this machine: {error}.") from error
    check_new_name(name, data_dir=data_dir)
    if what == "starter":
        source = find_starter()
    elif what == "tu-berlin":
        path = download_tu_berlin(
            data_dir / "downloads", url=url, progress=tell("Downloading")
        )
        try:
            source = find_tu_berlin(path)
        except DatasetError as error:
            raise DatasetError(f"{error} Delete {path} to download it anew.") from error
    else:
        path = Path(what).expanduser()
        archive = open_archive(path)
        form = next(form for form in FILE_FORMS if form.matches(archive))
        source = form.find(path)
    if source.kind == "tu-berlin":
        given = find_split()
        if given is not None and set(given.class_names) == set(source.class_names):
            source = apply_split(source, given)
    return install(source, name, data_dir=data_dir, progress=tell("Packing sketches"))


def _default_name(what: str) -> str:
    """Returns a name that fits a dataset, made of a path's last part."""
    stem = Path(what).expanduser().resolve().name.removesuffix(".zip")
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:64] or "sketches"


def _say_nothing(_done: int, _total: int) -> None:
    pass
