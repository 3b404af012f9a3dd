"""Labels that a table or a pattern of file names gives, where no folders do."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from core.datasets.account import ABSENT, BLANK, UNLISTED, Entry
from core.datasets.archives import MAX_FILE_BYTES, Archive
from core.datasets.layout import PARTS, Layout, Located
from core.datasets.names import show_name
from core.datasets.store import Split
from core.errors import DatasetError, quote, unreadable
from core.files import read_regular
from core.paths import expand_home

FILE_COLUMNS = ("file", "filename", "file_name", "path", "image", "picture", "name")
LABEL_COLUMNS = ("label", "class", "class_name", "category", "target", "word")
SPLIT_COLUMNS = ("split", "set", "subset", "part")
SUFFIXES = (".csv", ".tsv", ".json")

Row = Mapping[str, Any]


def is_pattern(labels: str) -> bool:
    """Returns whether labels are given as a pattern of file names."""
    return "{class}" in labels


def locate_by_pattern(files: Sequence[str], pattern: str, *, origin: str) -> Layout:
    """Takes the class of each picture out of its name.

    Args:
        files: Paths with `/`.
        pattern: Such as `{class}-{group}-*`, for the path or for its last part.
            `{class}`, `{split}` and `{group}` are as short as they can be, `*` is
            anything.
        origin: What they lie in, for errors.

    Raises:
        DatasetError: If no name is of that form.
    """
    regex = ""
    for piece in re.split(r"(\{class\}|\{group\}|\{split\}|\*)", pattern):
        if piece == "*":
            regex += ".*"
        elif piece in ("{class}", "{group}", "{split}"):
            regex += f"(?P<{piece[1:-1]}>[^/]+?)"
        else:
            regex += re.escape(piece)
    try:
        compiled = re.compile(regex)
    except re.error as error:
        raise DatasetError(
            "--labels {pattern} names a part twice.", pattern=quote(pattern)
        ) from error
    located, passed_over = [], []
    for file in files:
        path = PurePosixPath(file)
        # Without its ending first: a part that ends a pattern takes all that is left.
        texts = (
            (str(path.with_suffix("")), file)
            if "/" in pattern
            else (path.stem, path.name)
        )
        match = next((m for t in texts if (m := compiled.fullmatch(t))), None)
        if match is None:
            passed_over.append(Entry(file, UNLISTED))
            continue
        found = {"group": "", "split": "", **match.groupdict()}
        split = _split(found["split"], where=show_name(file))
        located.append(Located(file, found["class"], split, found["group"]))
    if not located:
        raise DatasetError(
            "{path}: no picture's name is of the form {pattern}, such as {file!r}.",
            path=origin,
            pattern=quote(pattern),
            file=show_name(files[0]) if files else "",
        )
    return Layout(tuple(located), tuple(passed_over))


def locate_by_table(
    files: Sequence[str],
    table: str,
    *,
    archive: Archive,
    group: str | None = None,
) -> Layout:
    """Takes the class of each picture out of a table.

    Args:
        files: Paths with `/`.
        table: A CSV or JSON file, within the archive or on the disk. It has a column
            of files (paths, their ends, or both without an ending) and one of labels;
            a column `split` is the split. JSON may also be an object from file to
            label.
        archive: What the pictures lie in.
        group: The column of groups, if any.

    Raises:
        DatasetError: If the table is not there or not of that form, lists a file
            under two labels, or names a split that is none.
    """
    rows = _read_rows(table, archive)
    # What stands beyond the last column has no name.
    columns = [column for column in rows[0] if column is not None]
    file_column = _column(columns, FILE_COLUMNS, table)
    label_column = _column(columns, LABEL_COLUMNS, table)
    split_column = _split_column(columns, rows)
    group_column = None
    if group is not None:
        group_column = next((c for c in columns if c.strip() == group.strip()), None)
        if group_column is None:
            raise DatasetError(
                "{table} has no column {group}; it has {columns}.",
                table=table,
                group=quote(group),
                columns=", ".join(columns),
            )
    paths = [_text(row, file_column).replace("\\", "/") for row in rows]
    found: dict[str, Located] = {}
    absent, blank = [], {}
    for number, (row, listed, matches) in enumerate(
        zip(rows, paths, _find(paths, files), strict=True), start=1
    ):
        label = _text(row, label_column)
        if not listed:
            continue
        if not label:
            blank.update(dict.fromkeys(matches, Entry(listed, BLANK)))
            continue
        if not matches:
            absent.append(Entry(listed, ABSENT))
            continue
        if len(matches) > 1:
            raise DatasetError(
                "{table} row {number}: {file} is the name of several pictures. Give "
                "its path.",
                table=table,
                number=number,
                file=quote(listed),
            )
        (file,) = matches
        split = _split(_text(row, split_column), where=f"{table} row {number}")
        located = Located(file, label, split, _text(row, group_column))
        if found.setdefault(file, located).class_name != label:
            raise DatasetError(
                "{table} row {number}: {file} has two labels, {first} and {second}.",
                table=table,
                number=number,
                file=quote(file),
                first=quote(found[file].class_name),
                second=quote(label),
            )
    if not found:
        raise DatasetError(
            "{table} lists none of the pictures in {path}.",
            table=table,
            path=archive.origin,
        )
    unlisted = [
        blank.get(file, Entry(file, UNLISTED)) for file in files if file not in found
    ]
    located_files = tuple(found[file] for file in files if file in found)
    return Layout(located_files, (*unlisted, *absent))


def _find(paths: Sequence[str], files: Sequence[str]) -> list[set[str]]:
    """Returns the files that each of a table's paths may mean.

    A path means the file whose path it ends, or that ends it. Only where none of them
    does, and the files lie elsewhere than they did, the name alone decides.
    """
    of_end: dict[str, set[str]] = {}
    of_whole: dict[str, set[str]] = {}
    for file in files:
        for path in {file, str(PurePosixPath(file).with_suffix(""))}:
            of_whole.setdefault(path, set()).add(file)
            for end in _ends(path):
                of_end.setdefault(end, set()).add(file)

    def find(path: str) -> set[str]:
        if matches := of_end.get(path):
            return {path} if path in matches else matches
        return next((of_whole[end] for end in _ends(path) if end in of_whole), set())

    cleaned = [path.removeprefix("./") for path in paths]
    found = [find(path) for path in cleaned]
    if not any(found):
        found = [of_end.get(PurePosixPath(path).name, set()) for path in cleaned]
    return found


def _ends(path: str) -> list[str]:
    """Returns a path without its first folders: none of them, one, two and so on."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _text(row: Row, column: str | None) -> str:
    """Returns what a table's cell holds; "" if that is nothing. A label may be 0."""
    value = None if column is None else row.get(column)
    return "" if value is None else str(value).strip()


def _split_column(columns: Sequence[str], rows: Sequence[Row]) -> str | None:
    """Returns the column of splits; one that holds no split's name means others."""
    for column in columns:
        if column.strip().lower() in SPLIT_COLUMNS and any(
            _text(row, column).lower() in PARTS for row in rows
        ):
            return column
    return None


def _split(word: str, *, where: str) -> Split | None:
    """Returns the split that a word names; validation is drawn from train.

    Raises:
        DatasetError: If it names none.
    """
    if not word:
        return None
    part = PARTS.get(word.lower())
    if part is None:
        raise DatasetError(
            "{where}: {word} is no split. It must be one of {words}.",
            where=where,
            word=quote(word),
            words=", ".join(PARTS),
        )
    return "test" if part == "test" else "train"


def _column(columns: Sequence[str], names: Sequence[str], table: str) -> str:
    for name in names:
        for column in columns:
            if column.strip().lower() == name:
                return column
    raise DatasetError(
        "{table} needs a column of files and one of labels, called {names}. It has "
        "{columns}.",
        table=table,
        names=" or ".join(names[:3]),
        columns=quote(", ".join(columns)),
    )


def _read_rows(table: str, archive: Archive) -> list[Row]:
    """Reads a table's rows, at least one."""
    text = _read_text(table, archive)
    try:
        if table.lower().endswith(".json"):
            rows = _json_rows(json.loads(text))
        else:
            head = text.partition("\n")[0]
            delimiter = max("\t;,", key=head.count)
            rows = list(
                csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
            )
    except (ValueError, RecursionError, csv.Error) as error:
        raise DatasetError(
            "{table} can't be read as a table: {reason}.", table=table, reason=error
        ) from error
    if not rows:
        raise DatasetError("{table} has no rows.", table=table)
    return rows


def _json_rows(value: Any) -> list[Row]:
    if isinstance(value, dict) and all(
        isinstance(v, str | int) for v in value.values()
    ):
        return [{"file": file, "label": label} for file, label in value.items()]
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return value
    raise ValueError("it must be a list of objects, or an object from file to label")


def _read_text(table: str, archive: Archive) -> str:
    name = table.replace("\\", "/").removeprefix("./")
    if name in archive.names():
        content = archive.read(name)
    else:
        path = expand_home(table)
        try:
            content = read_regular(path, limit=MAX_FILE_BYTES)
        except (FileNotFoundError, NotADirectoryError, ValueError) as error:
            raise DatasetError(
                "--labels {table} is no file here or in {path}, and no pattern with "
                "{{class}}.",
                table=quote(table),
                path=archive.origin,
            ) from error
        except OSError as error:
            raise DatasetError(unreadable(path, error)) from error
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DatasetError(
            "{table} is not UTF-8 text. Save it as UTF-8.", table=table
        ) from error
