"""Infers from the folders of pictures which are classes and which are splits."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from core.datasets.account import (
    NO_CLASS,
    OTHER_FORM,
    PHOTOGRAPH,
    UNLABELLED,
    Entry,
)
from core.datasets.names import match_key, show_name
from core.datasets.store import Split
from core.errors import DatasetError, Sentence

Part = Literal["train", "val", "test"]
PARTS: dict[str, Part] = {
    **dict.fromkeys(("train", "training", "trainset", "train_set"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "testset", "test_set", "eval"), "test"),
}
MIN_KNOWN = 0.5
"""Share of a level's names that must be of known classes to be the classes."""

Folders = tuple[str, ...]


@dataclass(frozen=True)
class Located:
    """A picture and what its place says of it.

    Attributes:
        file: Its path.
        class_name: The class, as it is spelled there.
        split: The part it is given to, if the places tell.
        group: What it has in common with others that must stay in its part.
    """

    file: str
    class_name: str
    split: Split | None = None
    group: str = ""


@dataclass(frozen=True)
class Layout:
    """What the places of pictures say.

    Attributes:
        located: The pictures that have a class, in the order that they were given in.
        passed_over: The others.
        notes: What was made of the folders.
    """

    located: tuple[Located, ...]
    passed_over: tuple[Entry, ...] = ()
    notes: tuple[Sentence, ...] = ()


def infer_layout(
    files: Sequence[str],
    *,
    origin: str,
    class_level: int | None = None,
    group_level: int | None = None,
    known: Collection[str] = (),
) -> Layout:
    """Finds the class, and the split where there is one, of pictures in folders.

    Folders that hold all pictures are passed by; a level whose names are all `train`,
    `test` and the like is the split. Of the others, one level is the classes: not one
    with a single name, nor one whose names only count (`session1`, `session2`), but
    where names repeat under others the one of known classes, and else the folders that
    pictures lie in.

    Args:
        files: Paths with `/`.
        origin: What they lie in, for errors.
        class_level: Which folder of a path is the class: 1 for the first, -1 for the
            one that the picture lies in.
        group_level: Which folder is the group, likewise.
        known: Names of classes, by which a level of classes is known.

    Raises:
        DatasetError: If no picture lies in a class folder.
    """
    passed_over: list[Entry] = []
    notes: list[Sentence] = []
    folders: dict[str, Folders] = {f: PurePosixPath(f).parts[:-1] for f in files}
    _leave_out_photographs(folders, passed_over)
    _strip(folders, passed_over)
    splits = _take_splits(folders, passed_over, notes, origin=origin)
    if class_level is not None:
        classes = _at_level(folders, class_level, passed_over)
    else:
        _strip(folders, passed_over)
        classes = _choose_level(folders, passed_over, notes, known=known)
    if not classes:
        first = next(iter(files))
        raise DatasetError(
            "{path}: {file} lies in no class folder. Put each picture in a folder "
            "named after what it shows, or say with --labels what each shows.",
            path=origin,
            file=show_name(first),
        )
    groups = {
        file: "" if group_level is None else _folder_at(file, group_level) or ""
        for file in classes
    }
    if group_level is not None and not any(groups.values()):
        raise DatasetError(
            "--group {level}: no picture lies in so many folders; {file} doesn't.",
            level=group_level,
            file=show_name(next(iter(classes))),
        )
    located = tuple(
        Located(file, classes[file], splits.get(file), groups[file])
        for file in files
        if file in classes
    )
    return Layout(located, tuple(passed_over), tuple(notes))


def _leave_out(
    folders: dict[str, Folders],
    passed_over: list[Entry],
    kind: str,
    is_out: Callable[[Folders], bool],
) -> None:
    """Takes files out and says of which kind they are."""
    for file in [file for file, parts in folders.items() if is_out(parts)]:
        del folders[file]
        passed_over.append(Entry(file, kind))


def _strip(folders: dict[str, Folders], passed_over: list[Entry]) -> None:
    """Takes off the folders that all pictures share, and leaves out those beside.

    The last folder of each picture stays.
    """
    while len(set(folders.values())) > 1:
        shortest, longest = min(folders.values()), max(folders.values())
        shared = 0
        for one, other in zip(shortest, longest, strict=False):
            if one != other:
                break
            shared += 1
        for file, parts in folders.items():
            folders[file] = parts[shared:]
        if () not in folders.values():
            return
        _leave_out(folders, passed_over, NO_CLASS, lambda parts: not parts)
    for file, parts in folders.items():
        folders[file] = parts[-1:]


def _levels(folders: dict[str, Folders]) -> list[set[str]]:
    """Returns the names of each level of folders, from the top."""
    depth = max(map(len, folders.values()), default=0)
    return [{p[i] for p in folders.values() if len(p) > i} for i in range(depth)]


def _leave_out_photographs(
    folders: dict[str, Folders], passed_over: list[Entry]
) -> None:
    """Takes of Sketchy's form the sketches, and of these the first form."""
    for level, names in enumerate(_levels(folders)):
        if {"photo", "sketch"} <= names <= {"photo", "sketch", "info"}:
            _leave_out(
                folders,
                passed_over,
                PHOTOGRAPH,
                lambda parts, at=level: parts[at : at + 1] != ("sketch",),  # type: ignore[misc]
            )
            break
    for level, names in enumerate(_levels(folders)):
        if len(names) > 1 and all(re.fullmatch(r"tx_\d{12}", name) for name in names):
            kept = (min(names),)
            _leave_out(
                folders,
                passed_over,
                OTHER_FORM,
                lambda parts, at=level, kept=kept: parts[at : at + 1] != kept,  # type: ignore[misc]
            )
            return


def _take_splits(
    folders: dict[str, Folders],
    passed_over: list[Entry],
    notes: list[Sentence],
    *,
    origin: str,
) -> dict[str, Split]:
    """Takes the level of splits off, if there is one; returns each picture's."""
    levels = [
        (level, names)
        for level, names in enumerate(_levels(folders))
        if len(names) > 1
        and {"train"} < (parts := {PARTS.get(name.lower()) for name in names})
        and None not in parts
    ]
    if not levels:
        return {}
    level, names = levels[0]
    part_of = {
        file: PARTS[path[level].lower()]
        for file, path in folders.items()
        if len(path) > level
    }
    for file, path in folders.items():
        folders[file] = path[:level] + path[level + 1 :]
    labelled = {part for file, part in part_of.items() if folders[file]}
    if not labelled or "train" not in labelled:
        raise DatasetError(
            "{path} has pictures in {parts} without class folders. Say with --labels "
            "what each shows: a table of files and labels, or a pattern such as "
            "'{{class}}-*'.",
            path=origin,
            parts=", ".join(sorted(names)),
        )
    for file in [f for f, path in folders.items() if not path]:
        del folders[file]
        passed_over.append(Entry(file, UNLABELLED))
    test: Part = "test" if "test" in labelled else "val"
    if test == "val":
        notes.append(
            Sentence(
                "Its validation part became the test part; it has no labelled one."
            )
        )
    elif "val" in labelled:
        notes.append(
            Sentence(
                "Its validation part joined the training part, of which each training "
                "sets sketches aside for validation."
            )
        )
    if labelled == {"train"}:
        return {}
    return {file: "test" if part_of.get(file) == test else "train" for file in folders}


def _folder_at(file: str, level: int) -> str | None:
    """Returns one folder of a path, counted from 1, or from -1 backwards."""
    parts = PurePosixPath(file).parts[:-1]
    index = level - 1 if level > 0 else len(parts) + level
    return parts[index] if level and 0 <= index < len(parts) else None


def _at_level(
    folders: dict[str, Folders], level: int, passed_over: list[Entry]
) -> dict[str, str]:
    classes = {}
    for file in folders:
        name = _folder_at(file, level)
        if name is None:
            passed_over.append(Entry(file, NO_CLASS))
        else:
            classes[file] = name
    return classes


def _choose_level(
    folders: dict[str, Folders],
    passed_over: list[Entry],
    notes: list[Sentence],
    *,
    known: Collection[str],
) -> dict[str, str]:
    """Returns each picture's class, of the level that is the classes."""
    levels = _levels(folders)
    places = set(folders.values())
    depths = set(map(len, places))
    if len(levels) < 2:
        return {file: parts[-1] for file, parts in folders.items() if parts}
    if len(depths) == 1:
        chosen = _best_level(levels, known=known)
    elif any(p[:n] in places for p in places for n in range(1, len(p))):
        # A folder that holds pictures as well as folders is a class.
        chosen = min(depths) - 1
    else:
        return {file: parts[-1] for file, parts in folders.items() if parts}
    _leave_out(folders, passed_over, NO_CLASS, lambda parts: len(parts) <= chosen)
    file = next(iter(folders))
    example = PurePosixPath(file).parts[:-1]
    level = len(example) - len(folders[file]) + chosen + 1
    # Without a split's folder on the way, it is the level of the whole path.
    if folders[file][chosen] in example:
        level = example.index(folders[file][chosen]) + 1
    notes.append(
        Sentence(
            "The classes are the folders of level {level}, such as {name!r} in "
            "{example!r}; --class-level takes another.",
            level=level,
            name=show_name(folders[file][chosen]),
            example=show_name(file),
        )
    )
    return {file: parts[chosen] for file, parts in folders.items()}


def _best_level(levels: Sequence[set[str]], *, known: Collection[str]) -> int:
    """Returns the level, from 0, whose names are most likely classes."""
    fit = [i for i, names in enumerate(levels) if len(names) > 1]
    fit = [i for i in fit if not _only_counts(levels[i])] or fit
    known_keys = set(map(match_key, known))
    for i in fit:
        share = sum(match_key(n) in known_keys for n in levels[i]) / len(levels[i])
        if share >= MIN_KNOWN:
            return i
    if not fit:
        return len(levels) - 1
    return fit[-1]


def _only_counts(names: Collection[str]) -> bool:
    """Returns whether names differ in their numbers only, such as `session1`."""
    stems = Counter(re.sub(r"[\d\W_]+", "", name).lower() for name in names)
    return len(stems) == 1 and all(re.search(r"\d", name) for name in names)
