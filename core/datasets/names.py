"""Names as file systems and old archives hold them, read right and shown safely."""

import re
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from core.errors import DatasetError, Sentence

JOINERS = "\u200c\u200d"
"""They hold an emoji, or letters of Persian and Hindi, together."""

SYSTEM_NAMES = {
    *("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon", "icon\r"),
    *("$recycle.bin", "system volume information", "@eadir", "lost+found"),
}
DEVICE_NAMES = {"con", "prn", "aux", "nul"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)
}
"""What Windows lets no file or folder be called, whatever the ending."""
UTF8_FLAG = 0x800
FORMAT_NAMES = {"jpg": "JPEG", "jpe": "JPEG", "jfif": "JPEG", "tif": "TIFF"}
EXAMPLES = 3


def show_name(name: str) -> str:
    """Returns a name as it can be shown: no line break, no change of direction.

    The odd blanks of macOS's screenshots become plain ones, joiners stay, and what
    else can't be shown is escaped.
    """
    if name.isprintable():
        return name
    return "".join(
        character
        if character.isprintable() or character in JOINERS
        else " "
        if unicodedata.category(character) == "Zs"
        else character.encode("unicode_escape").decode()
        for character in name
    )


def format_name(file: str) -> str:
    """Returns what people call a file's format, by its name's ending."""
    # Of a sketch in a file that holds many, that file's.
    inside = re.search(r"\.(npz|npy|ndjson)(?=[/#])", file.lower())
    suffix = inside[1] if inside else PurePosixPath(file).suffix.lower().lstrip(".")
    return FORMAT_NAMES.get(suffix, suffix.upper())


def match_key(name: str) -> str:
    """Returns what the spellings of one class in two datasets have in common.

    Blanks, underscores, brackets and case don't matter: `alarm clock` is
    `alarm_clock`, and `bear (animal)` is `bear_animal`.
    """
    folded = unicodedata.normalize("NFC", name).casefold()
    return re.sub(r"[\s_()]+", "_", folded).strip("_")


def spelling_key(name: str) -> str:
    """Returns what the spellings of one folder's name have in common.

    They differ in how accents are composed, in case, and in blanks; a single letter
    in capitals is another letter.
    """
    plain = unicodedata.normalize("NFC", " ".join(name.split()))
    return plain if len(plain) == 1 else plain.casefold()


def is_system(name: str) -> bool:
    """Returns whether a path is of a file that people don't know they have."""
    return any(
        part.startswith(".") or part.lower() in SYSTEM_NAMES
        for part in PurePosixPath(name).parts
    )


def is_device(name: str) -> bool:
    """Returns whether a folder can't be called so on Windows."""
    return name.partition(".")[0].strip().lower() in DEVICE_NAMES


def read_zip_names(
    entries: Sequence[zipfile.ZipInfo], *, origin: str, encoding: str | None
) -> tuple[list[str], list[Sentence]]:
    r"""Reads the paths of a zip's entries.

    Old tools of Windows write `\` between folders, and names in the alphabet of the
    machine, which the zip doesn't say.

    Args:
        entries: The zip's.
        origin: Its name, for errors.
        encoding: What names without the UTF-8 flag are written in, if it is known.

    Returns:
        A path each, and what is doubtful.

    Raises:
        DatasetError: If the names are not of that encoding.
    """
    unsaid = [
        entry.filename.encode("cp437", "replace")
        for entry in entries
        if not entry.flag_bits & UTF8_FLAG and not entry.filename.isascii()
    ]
    doubts = []
    chosen = encoding
    if unsaid and chosen is None:
        chosen = guess_encoding(unsaid)
        if chosen != "utf-8":
            names = sorted({_class_part(raw.decode(chosen)) for raw in unsaid})
            doubts.append(
                Sentence(
                    "{path} doesn't say how its names are written; they were read as "
                    "{encoding}: {names}. If that is wrong, say --encoding, such as "
                    "gbk, shift_jis, big5, euc_kr or cp1252.",
                    path=origin,
                    encoding=chosen,
                    names=", ".join(map(show_name, names[:EXAMPLES])),
                )
            )
    names = []
    for entry in entries:
        name = entry.filename
        if chosen and not entry.flag_bits & UTF8_FLAG and not name.isascii():
            try:
                name = name.encode("cp437", "replace").decode(chosen)
            except (UnicodeError, LookupError) as error:
                raise DatasetError(
                    "{path}: its names are not written in {encoding}.",
                    path=origin,
                    encoding=chosen,
                ) from error
        # Only Windows makes such names, and there it parts folders.
        names.append(name.replace("\\", "/"))
    return names, doubts


def _class_part(name: str) -> str:
    """Returns the part of a path that is likely to be read."""
    parts = name.replace("\\", "/").rstrip("/").split("/")
    return next((part for part in parts if not part.isascii()), name)


def guess_encoding(names: Sequence[bytes]) -> str:
    """Guesses what names are written in, by which letters are usual."""
    best, highest = "cp437", -1.0
    for encoding, weigh in WEIGHTS.items():
        try:
            texts = [name.decode(encoding) for name in names]
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8":
            return encoding
        weights = [
            weigh(letter, letter.encode(encoding))
            for text in texts
            for letter in text
            if not letter.isascii()
        ]
        mean = sum(weights) / max(len(weights), 1)
        if mean > highest:
            best, highest = encoding, mean
    return best


def _weigh_japanese(letter: str, raw: bytes) -> float:
    if len(raw) < 2:
        return 0.1  # Half a letter's width: hardly used in names.
    is_usual = "\u3040" <= letter <= "\u30ff" or 0x88 <= raw[0] <= 0x97
    return 1.0 if is_usual else 0.3 if letter >= "\u4e00" else 0.1


def _weigh_chinese(_letter: str, raw: bytes) -> float:
    if len(raw) < 2 or raw[1] < 0xA1:
        return 0.1
    return 0.95 if 0xB0 <= raw[0] <= 0xD7 else 0.4 if raw[0] >= 0xB0 else 0.1


def _weigh_taiwanese(_letter: str, raw: bytes) -> float:
    return 0.8 if len(raw) == 2 and 0xA4 <= raw[0] <= 0xC6 else 0.1


def _weigh_korean(letter: str, _raw: bytes) -> float:
    return 0.9 if "\uac00" <= letter <= "\ud7a3" else 0.1


def _weigh_european(letter: str, _raw: bytes) -> float:
    return 0.6 if letter.isalpha() and "\u00c0" <= letter <= "\u017f" else 0.0


WEIGHTS: dict[str, Callable[[str, bytes], float]] = {
    "utf-8": _weigh_european,
    "gbk": _weigh_chinese,
    "shift_jis": _weigh_japanese,
    "big5": _weigh_taiwanese,
    "euc_kr": _weigh_korean,
    "cp437": _weigh_european,
    "cp1252": _weigh_european,
}
