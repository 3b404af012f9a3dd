"""The table of dataset sources, and the one door through which they are added."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.datasets.account import refuse_passed_over
from core.datasets.archives import Archive
from core.datasets.eitz import find_eitz, is_eitz
from core.datasets.folders import Reading, find_folders
from core.datasets.install import install
from core.datasets.places import open_places
from core.datasets.splits import GivenSplit, apply_split, know_again
from core.datasets.starter import find_starter
from core.datasets.store import (
    Dataset,
    Progress,
    SketchSource,
    check_new_name,
    list_datasets,
)
from core.datasets.tu_berlin import (
    download_tu_berlin,
    find_tu_berlin,
    is_tu_berlin,
)
from core.errors import DatasetError, Sentence
from core.language import noop as N_
from core.paths import expand_home, follow


@dataclass(frozen=True)
class Source:
    """One row of the table of dataset sources.

    Attributes:
        name: What `Dataset.kind` says, and commands where it needs no path.
        find: Lists the sketches at a path, or its own.
        matches: Whether an archive on disk has its form.
        fetch: Downloads the archive into a folder and returns its path.
        about: For who adds it by its name; "" where only paths are of it.
        title: What the page calls it; by default its name.
        button: What the page's button says.
        is_split_as_shipped: Whether it has the sketches of the networks that ship,
            and no split of its own: theirs is taken, so that none is scored on
            sketches that it was trained on.
        takes_reading: Whether `find` also takes several paths, and a `Reading`.
    """

    name: str
    find: Callable[..., SketchSource]
    matches: Callable[[Archive], bool] = lambda _archive: False
    fetch: Callable[..., Path] | None = None
    about: str = ""
    title: str = ""
    button: str = N_("Add it")
    is_split_as_shipped: bool = False
    takes_reading: bool = False


SOURCES = (
    Source(
        name="starter",
        find=lambda _path: find_starter(),
        about=N_(
            "Twenty simple things, drawn by the program itself in a few seconds. "
            "Enough for a first training of two minutes."
        ),
        title=N_("Starter"),
        button=N_("Add the starter dataset"),
    ),
    Source(name="eitz", find=find_eitz, matches=is_eitz),
    Source(
        name="tu-berlin",
        find=find_tu_berlin,
        matches=is_tu_berlin,
        fetch=download_tu_berlin,
        about=N_(
            "The official archive of 20,000 sketches, downloaded from its home page "
            "(525 MB). A download that was interrupted goes on where it ended. "
            "CC BY 4.0."
        ),
        title="TU-Berlin",
        button=N_("Download TU-Berlin"),
        is_split_as_shipped=True,
    ),
    Source(
        name="folders",
        find=find_folders,
        matches=lambda _archive: True,
        takes_reading=True,
    ),
)
"""In the order in which their forms are tried on a path."""

NAMED = {source.name: source for source in SOURCES if source.about}
"""Those that need no path."""


@dataclass(frozen=True)
class Found:
    """Sketches that were found and not yet imported.

    Attributes:
        source: What there is.
        name: What the dataset is to be called.
    """

    source: SketchSource
    name: str


def find_dataset(
    what: str | Sequence[str],
    *,
    name: str | None = None,
    data_dir: Path,
    url: str | None = None,
    reading: Reading | None = None,
    progress: Callable[[str], Progress] | None = None,
    find_split: Callable[[], GivenSplit | None] = lambda: None,
) -> Found:
    """Looks at what is to be added, and writes nothing but what is downloaded.

    Args:
        what: A name of `NAMED`, or the path of a zip, tar, folder or file, or several
            paths; `./starter` is a folder.
        name: What to call it; by default after `what`.
        data_dir: The folder that everything is written to.
        url: Where the archive of a source lies that is downloaded, if not at home.
        reading: How a user's own sketches are to be read; see `Reading`.
        progress: Given a task's title, returns what to call as it goes on.
        find_split: Returns the split of the networks that ship; see `Source`.

    Raises:
        DatasetError: If there is nothing usable there, or the name is taken.
    """
    places = [what] if isinstance(what, str) else list(what)
    kind = NAMED.get(places[0]) if len(places) == 1 else None
    try:
        name = name or _default_name(places[0])
        paths = [expand_home(place) for place in places]
    except ValueError as error:
        raise DatasetError(
            "{place!r} is no path on this machine: {reason}.",
            place=places[0],
            reason=error,
        ) from error
    check_new_name(name, data_dir=data_dir)
    archive = None
    if kind is None:
        encoding = reading.encoding if reading else None
        archive = open_places(paths, encoding=encoding)
        # Several places, and what is said of how to read them, are for one's own.
        is_own = len(paths) > 1 or (reading is not None and reading.is_said)
        kind = next(
            source
            for source in SOURCES
            if (source.takes_reading or not is_own) and source.matches(archive)
        )
    elif kind.fetch is not None:
        tell = progress or (lambda _title: _say_nothing)
        place = {} if url is None else {"url": url}
        downloads = data_dir / "downloads"
        paths = [kind.fetch(downloads, progress=tell(Sentence("Downloading")), **place)]
    try:
        if kind.takes_reading:
            return Found(_find_own(kind, paths, archive, reading, find_split), name)
        source = kind.find(paths[0])
        if reading is not None and reading.is_strict:
            refuse_passed_over(source.account, source.origin)
        if reading is not None and reading.keep_copies_together:
            source = replace(source, mending="train")
    except DatasetError as error:
        if kind.fetch is None:
            raise
        raise DatasetError(
            "{reason} Delete {path} to download it anew.", reason=error, path=paths[0]
        ) from error
    given = None if kind.about and kind.fetch is None else find_split()
    if given is not None and kind.is_split_as_shipped:
        if set(given.class_names) == set(source.class_names):
            source = apply_split(source, given)
    elif given is not None and source.id_namespace is None:
        source = know_again(source, given)
    return Found(source, name)


def _find_own(
    kind: Source,
    paths: Sequence[Path],
    archive: Archive | None,
    reading: Reading | None,
    find_split: Callable[[], GivenSplit | None],
) -> SketchSource:
    """Lists a user's own sketches, and knows again those that networks ship with."""
    given = find_split()
    reading = reading or Reading()
    if given is not None:
        reading = replace(reading, known=given.class_names)
    place = paths[0] if len(paths) == 1 else tuple(paths)
    source = kind.find(place, reading=reading, archive=archive)
    return source if given is None else know_again(source, given)


def add_dataset(
    what: str | Sequence[str],
    *,
    name: str | None = None,
    data_dir: Path,
    url: str | None = None,
    reading: Reading | None = None,
    progress: Callable[[str], Progress] | None = None,
    find_split: Callable[[], GivenSplit | None] = lambda: None,
    show: Callable[[SketchSource], None] = lambda _source: None,
) -> Dataset:
    """Adds a dataset; for what it takes see `find_dataset`.

    Args:
        what: As there.
        name: As there.
        data_dir: As there.
        url: As there.
        reading: As there.
        progress: As there.
        find_split: As there.
        show: Called with what was found before anything is written.

    Raises:
        DatasetError: If there is nothing usable there, or the name is taken.
        ImageError: If a sketch can't be read.
    """
    kind = NAMED.get(what) if isinstance(what, str) else None
    if kind and kind.fetch is None and name in (None, what):
        # It is always the same, so a second time there is nothing to do.
        for dataset in list_datasets(data_dir):
            if (dataset.name, dataset.kind) == (what, what):
                return dataset
    found = find_dataset(
        what,
        name=name,
        data_dir=data_dir,
        url=url,
        reading=reading,
        progress=progress,
        find_split=find_split,
    )
    show(found.source)
    tell = progress or (lambda _title: _say_nothing)
    return install(
        found.source,
        found.name,
        data_dir=data_dir,
        progress=tell(Sentence("Packing sketches")),
    )


def _default_name(what: str) -> str:
    """Returns a name that fits a dataset, made of a path's last part."""
    stem = follow(expand_home(what)).name
    stem = re.sub(r"\.(zip|tgz|tar|tar\.\w+|ndjson|npy|npz)$", "", stem)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:64] or "sketches"


def _say_nothing(_done: int, _total: int) -> None:
    pass
