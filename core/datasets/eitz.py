"""The course's form of TU-Berlin: class and split lists beside 256×256 PNGs."""

import codecs
from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from core.datasets.account import OTHER_FORMAT, SYSTEM, UNLISTED, Account, Entry
from core.datasets.archives import Archive
from core.datasets.names import format_name, is_system
from core.datasets.places import open_places
from core.datasets.store import ID_NAMESPACE, SketchRecord, SketchSource, Split
from core.errors import DatasetError, quote, shorten
from core.sketches.formats import EXTENSIONS
from core.sketches.images import read_sketch
from core.sketches.reading import read_picture

ATTRIBUTION = (
    "TU-Berlin sketches: Mathias Eitz, James Hays, Marc Alexa, "
    "How Do Humans Sketch Objects?, ACM TOG 31(4), 2012. CC BY 4.0."
)
NUM_CLASSES = 250
SKETCHES_PER_CLASS = 80
LISTS: dict[str, Split] = {"train.txt": "train", "test.txt": "test"}
MAPPING = "mapping.txt"
WANTED = (MAPPING, *LISTS)
MAX_LABEL_DIGITS = 10


def is_eitz(archive: Archive) -> bool:
    """Returns whether a folder has two of the three lists of this form, or all.

    One alone may be a note beside class folders.
    """
    paths = map(PurePosixPath, archive.names())
    lists = Counter(path.parent for path in paths if path.name in WANTED)
    return max(lists.values(), default=0) > 1


def find_eitz(path: Path) -> SketchSource:
    """Reads the lists of a `Sketch_EITZ` zip, tar or folder.

    `mapping.txt` holds `class<TAB>label` lines, `train.txt` and `test.txt` hold
    `path<TAB>label` lines. Labels and split are kept exactly.

    Raises:
        DatasetError: Naming the file and line, for a list that is missing, empty
            or malformed, a label outside the mapping, a listed file that is
            absent, and an id or file that is listed twice.
    """
    archive = open_places([path])
    names = frozenset(archive.names())
    root = _find_root(names, origin=archive.origin)
    class_names = _read_mapping(archive, root)
    records: list[SketchRecord] = []
    listed: dict[str, str] = {}
    for list_name, split in LISTS.items():
        for line_number, listed_file, label in _read_pairs(archive, root, list_name):
            where = f"{list_name} line {line_number}"
            # As lists that were made on Windows write it.
            file = listed_file.replace("\\", "/").removeprefix("./")
            if not 0 <= label < len(class_names):
                raise DatasetError(
                    "{origin}: {where}: label {label} is not in {mapping} (0 to "
                    "{last}).",
                    origin=archive.origin,
                    where=where,
                    label=label,
                    mapping=MAPPING,
                    last=len(class_names) - 1,
                )
            if file in listed:
                raise DatasetError(
                    "{origin}: {where}: {file} is listed in {listed} already.",
                    origin=archive.origin,
                    where=where,
                    file=shorten(file),
                    listed=listed[file],
                )
            listed[file] = where
            if root + file not in names:
                raise DatasetError(
                    "{origin}: {where}: {file} is not in the archive.",
                    origin=archive.origin,
                    where=where,
                    file=shorten(file),
                )
            records.append(
                SketchRecord(
                    id=PurePosixPath(file).stem, label=label, split=split, path=file
                )
            )
    if len({record.id for record in records}) < len(records):
        # Numbered from 1 in each class, as TU-Berlin's are not.
        records = [replace(record, id=record.path) for record in records]
    records.sort(key=lambda record: (len(record.id), record.id))
    used = {root + name for name in (MAPPING, *LISTS, *listed)}
    told = Account(
        read=Counter(map(format_name, listed)),
        passed_over=[_passed_over(name) for name in sorted(names - used)],
    )
    is_complete = _is_complete(records, class_names)
    # TU-Berlin's own need no look at how they are drawn.
    read_one = read_sketch if is_complete else read_picture

    def read(record: SketchRecord) -> NDArray[np.uint8]:
        return read_one(archive.read(root + record.path), name=record.path)

    return SketchSource(
        kind="eitz",
        origin=str(path.resolve()),
        class_names=class_names,
        records=records,
        read=read,
        # Others may use this form too, and their sketch 1 is not TU-Berlin's.
        attribution=ATTRIBUTION if is_complete else "",
        id_namespace=ID_NAMESPACE if is_complete else None,
        account=told,
    )


def _passed_over(name: str) -> Entry:
    """Tells why a file that no list names is not imported."""
    suffix = PurePosixPath(name).suffix.lower()
    if is_system(name):
        return Entry(name, SYSTEM)
    if suffix in EXTENSIONS:
        return Entry(name, UNLISTED)
    return Entry(name, OTHER_FORMAT, suffix or "no ending")


def expected_ids() -> frozenset[str]:
    """Returns the ids of the complete TU-Berlin sketches, 1 to 20000."""
    return frozenset(map(str, range(1, NUM_CLASSES * SKETCHES_PER_CLASS + 1)))


def _is_complete(records: list[SketchRecord], class_names: tuple[str, ...]) -> bool:
    """Returns whether these are all of the TU-Berlin sketches."""
    ids = {record.id for record in records}
    return len(class_names) == NUM_CLASSES and ids == expected_ids()


def _find_root(names: frozenset[str], *, origin: str) -> str:
    """Returns the prefix of the folder that holds all three lists."""
    roots = {
        name.removesuffix(PurePosixPath(name).name)
        for name in names
        if PurePosixPath(name).name in WANTED
    }
    missing = {
        root: [file for file in WANTED if root + file not in names] for root in roots
    }
    complete = [root for root in roots if not missing[root]]
    if not complete:
        fewest = min(missing.values(), key=len, default=list(WANTED))
        raise DatasetError(
            "{origin} has no {missing}.", origin=origin, missing=" and no ".join(fewest)
        )
    return min(complete, key=len)


def _read_mapping(archive: Archive, root: str) -> tuple[str, ...]:
    pairs = _read_pairs(archive, root, MAPPING)
    class_of: dict[int, str] = {}
    for _, class_name, label in pairs:
        if label in class_of or class_name in class_of.values():
            raise DatasetError(
                "{origin}: {mapping} names class {class_name} or label {label} twice.",
                origin=archive.origin,
                mapping=MAPPING,
                class_name=quote(class_name),
                label=label,
            )
        class_of[label] = class_name
    if sorted(class_of) != list(range(len(class_of))):
        raise DatasetError(
            "{origin}: {mapping} must number its {count} classes from 0 to {last} "
            "without a gap.",
            origin=archive.origin,
            mapping=MAPPING,
            count=len(class_of),
            last=len(class_of) - 1,
        )
    return tuple(class_of[label] for label in range(len(class_of)))


def _read_pairs(archive: Archive, root: str, name: str) -> list[tuple[int, str, int]]:
    """Parses `text<TAB>number` lines into line number, text and number."""
    content = archive.read(root + name).removeprefix(codecs.BOM_UTF8)
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DatasetError(
            "{origin}: {name} is not UTF-8 text.", origin=archive.origin, name=name
        ) from error
    pairs = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        text, tab, label = line.rpartition("\t")
        if not tab or not text.strip() or not _is_label(label.strip()):
            raise DatasetError(
                "{origin}: {name} line {number} must be '{what}<TAB>label'. Received: "
                "{line!r}",
                origin=archive.origin,
                name=name,
                number=number,
                what="class" if name == MAPPING else "file",
                line=line[:80],
            )
        pairs.append((number, text.strip(), int(label)))
    if not pairs:
        raise DatasetError(
            "{origin}: {name} is empty.", origin=archive.origin, name=name
        )
    return pairs


def _is_label(text: str) -> bool:
    """Returns whether a word can be a class's number."""
    return text.isascii() and text.isdecimal() and len(text) < MAX_LABEL_DIGITS
