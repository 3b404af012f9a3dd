"""Any pictures and drawings of a user's own: folders, archives, tables, Quick, Draw!"""

import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from core.datasets import account
from core.datasets.account import Account, Entry, refuse_passed_over
from core.datasets.archives import Archive
from core.datasets.containers import Item, is_container, read_container
from core.datasets.labels import (
    SUFFIXES,
    is_pattern,
    locate_by_pattern,
    locate_by_table,
)
from core.datasets.layout import Layout, Located, infer_layout
from core.datasets.names import format_name, is_system, show_name, spelling_key
from core.datasets.places import open_places
from core.datasets.splits import TEST_FRACTION, stratified_split
from core.datasets.store import SketchRecord, SketchSource, Split
from core.errors import DatasetError, Sentence, join_sentences, shorten
from core.sketches.formats import EXTENSIONS
from core.sketches.reading import read_picture


@dataclass(frozen=True)
class Reading:
    """How a user's own sketches are to be read; all is inferred by default.

    Attributes:
        class_level: Which folder of a path is the class; see `infer_layout`.
        labels: A table of labels, or a pattern of file names; see
            `core.datasets.labels`.
        group: What stays in one part: the level of a folder, a table's column, or
            `{group}` in a pattern.
        encoding: What an old archive's names are written in.
        keep_copies_together: Whether copies that a given split tears apart all become
            training sketches.
        is_strict: Whether to refuse what would be passed over.
        known: Names of classes that networks know.
    """

    class_level: int | None = None
    labels: str | None = None
    group: str | None = None
    encoding: str | None = None
    keep_copies_together: bool = False
    is_strict: bool = False
    known: Collection[str] = ()

    @property
    def is_said(self) -> bool:
        """Whether anything is said of where classes are."""
        return bool(self.class_level is not None or self.labels or self.group)


def find_folders(
    path: Path | Sequence[Path],
    *,
    seed: int = 0,
    reading: Reading | None = None,
    archive: Archive | None = None,
) -> SketchSource:
    """Lists the sketches of a folder, archive or file, or of several.

    Classes are numbered by name. Where no split is given, a fifth of each class becomes
    the test split, at random; `install` mends it where copies or groups are torn.

    Args:
        path: A folder, zip, tar or file of sketches, or several.
        seed: Of the split.
        reading: How to read it, as far as that is to be said.
        archive: What lies there, if it is open already.

    Raises:
        DatasetError: If there are no sketches, or none with a class, or something
            would be passed over that must not be.
    """
    reading = reading or Reading()
    archive = archive or open_places(_as_paths(path), encoding=reading.encoding)
    names = archive.names()
    pictures, containers, passed_over = _sort_files(archive, names, reading)
    items = {}
    for name in containers:
        for item in read_container(archive, name):
            if item.path in items:
                raise DatasetError(
                    "{path} holds {name} twice.",
                    path=archive.origin,
                    name=shorten(show_name(item.path)),
                )
            items[item.path] = item
    if not pictures and not items:
        raise _nothing(archive, passed_over)
    if not pictures and reading.is_said:
        raise DatasetError(
            "{path} holds no pictures, and its other files tell the class of each "
            "sketch themselves. Leave out --labels, --class-level and --group.",
            path=archive.origin,
        )
    layout = _locate(archive, pictures, reading) if pictures else Layout(())
    located = [*layout.located, *(_place(item) for item in items.values())]
    passed_over += layout.passed_over
    if reading.labels is None:
        passed_over += _folders_without(archive, pictures, containers)
    class_of, notes = _join_spellings([place.class_name for place in located])
    class_names = tuple(sorted(set(class_of.values())))
    label_of = {name: label for label, name in enumerate(class_names)}
    labels = np.array([label_of[class_of[place.class_name]] for place in located])
    is_given = any(place.split for place in located)
    told = Account(
        read=Counter(map(format_name, (place.file for place in located))),
        passed_over=passed_over,
        notes=(*archive.doubts, *layout.notes, *notes),
    )
    if reading.is_strict:
        refuse_passed_over(told, archive.origin)

    found: list[str] = []

    def read(record: SketchRecord) -> NDArray[np.uint8]:
        def on_found() -> None:
            found.append(record.path)

        if record.path in items:
            return items[record.path].read(on_found)
        name = f"{path}: {record.path}" if isinstance(path, Path) else record.path
        return read_picture(
            archive.read(record.path), name=show_name(name), on_found=on_found
        )

    return SketchSource(
        kind="folders",
        origin=", ".join(str(p.resolve()) for p in _as_paths(path)),
        class_names=class_names,
        records=[
            SketchRecord(
                id=show_name(place.file),
                label=int(label),
                split=split,
                path=place.file,
                group=place.group,
            )
            for place, label, split in zip(
                located, labels, _first_split(located, labels, seed=seed), strict=True
            )
        ],
        read=read,
        found=found,
        account=told,
        may_skip=not reading.is_strict,
        mending=None
        if is_given and not reading.keep_copies_together
        else "train"
        if is_given
        else "balance",
    )


def _as_paths(path: Path | Sequence[Path]) -> Sequence[Path]:
    return [path] if isinstance(path, Path) else path


def picture_names(archive: Archive) -> list[str]:
    """Returns the pictures of an archive, without hidden files and folders."""
    return [
        name for name in archive.names() if _is_picture(name) and not is_system(name)
    ]


def _is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in EXTENSIONS


def _sort_files(
    archive: Archive, names: Sequence[str], reading: Reading
) -> tuple[list[str], list[str], list[Entry]]:
    """Tells pictures, containers, and what is neither."""
    pictures, containers = [], []
    passed_over = [Entry(name, account.LINKED) for name in archive.links]
    passed_over += [
        Entry(name, account.SYSTEM if is_system(name) else account.CLOSED)
        for name in archive.closed
    ]
    for name in names:
        suffix = PurePosixPath(name).suffix.lower()
        if is_system(name):
            passed_over.append(Entry(name, account.SYSTEM))
        elif _is_picture(name):
            pictures.append(name)
        elif is_container(name):
            containers.append(name)
        elif not (suffix in SUFFIXES and _is_table(name, reading.labels)):
            passed_over.append(Entry(name, account.OTHER_FORMAT, suffix or "no ending"))
    return pictures, containers, passed_over


def _is_table(name: str, labels: str | None) -> bool:
    """Returns whether a file is the table of labels, named from here or from there."""
    place = PurePosixPath((labels or "").replace("\\", "/"))
    return place.parts[-len(PurePosixPath(name).parts) :] == PurePosixPath(name).parts


def _nothing(archive: Archive, passed_over: Sequence[Entry]) -> DatasetError:
    """Returns the error of a place that holds no sketches, with what it holds."""
    held = Account(passed_over=passed_over).sentences()[:2]
    nothing = Sentence(
        "{path} holds no pictures and no drawings that can be read. It must be a "
        "folder of class folders with pictures, or hold mapping.txt, train.txt and "
        "test.txt.",
        path=archive.origin,
    )
    return DatasetError(join_sentences([nothing, *held]))


def _locate(archive: Archive, pictures: Sequence[str], reading: Reading) -> Layout:
    """Finds each picture's class, split and group."""
    labels, group = reading.labels, reading.group
    if labels is not None and is_pattern(labels):
        if group is not None:
            raise DatasetError(
                "Beside a pattern, --group {group} means nothing. Say in the pattern "
                "where the group stands, such as {{class}}-{{group}}-*.",
                group=repr(group),
            )
        return locate_by_pattern(pictures, labels, origin=archive.origin)
    if labels is not None:
        return locate_by_table(pictures, labels, archive=archive, group=group)
    try:
        level = None if group is None else int(group)
    except ValueError as error:
        raise DatasetError(
            "--group {group} is a column only of a table that --labels names; else it "
            "is the level of a folder, such as 1.",
            group=repr(group),
        ) from error
    return infer_layout(
        pictures,
        origin=archive.origin,
        class_level=reading.class_level,
        group_level=level,
        known=reading.known,
    )


def _place(item: Item) -> Located:
    return Located(item.path, item.class_name, item.split)


def _folders_without(
    archive: Archive, pictures: Sequence[str], containers: Sequence[str]
) -> list[Entry]:
    """Lists folders with nothing to import, beside others that have something."""
    held = {
        parent.as_posix()
        for name in (*pictures, *containers)
        for parent in PurePosixPath(name).parents
    }
    return [
        Entry(folder, account.EMPTY)
        for folder in archive.folders
        if folder not in held
        and folder not in archive.closed
        and PurePosixPath(folder).parent.as_posix() in held
        and not is_system(folder)
    ]


def _join_spellings(
    spelled: Sequence[str],
) -> tuple[dict[str, str], list[Sentence]]:
    """Gives the spellings of one name one class.

    Returns:
        The class of each spelling, and a note for each class with several.
    """
    counts = Counter(spelled)
    by_key: dict[str, list[str]] = {}
    for name in sorted(counts):
        by_key.setdefault(spelling_key(name), []).append(name)
    class_of, notes = {}, []
    for names in by_key.values():
        chosen = show_name(names[0])
        if len(names) > 1:
            clean = Counter[str]()
            for name in names:
                plain = unicodedata.normalize("NFC", " ".join(name.split()))
                clean[show_name(plain)] += counts[name]
            chosen = clean.most_common(1)[0][0]
            notes.append(
                Sentence(
                    "{count} spellings of {name!r} became one class: {spellings}.",
                    count=len(names),
                    name=chosen,
                    spellings=", ".join(ascii(name) for name in names),
                )
            )
        class_of.update(dict.fromkeys(names, chosen or "unnamed"))
    return class_of, notes


def _first_split(
    located: Sequence[Located], labels: NDArray[np.integer], *, seed: int
) -> list[Split]:
    """Returns the split that is given, or one at random."""
    if any(place.split for place in located):
        return [place.split or "train" for place in located]
    test = frozenset[int]()
    if len(labels) > 1:
        _, rows = stratified_split(labels, fraction=TEST_FRACTION, seed=seed)
        test = frozenset(rows.tolist())
    return ["test" if row in test else "train" for row in range(len(labels))]
