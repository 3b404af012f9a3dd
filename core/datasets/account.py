"""What an import read and what it passed over, by kind and count."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.datasets.names import show_name
from core.errors import DatasetError, Sentence, join_sentences
from core.files import to_csv
from core.language import noop as N_

SUMMARY = "import.json"
LIST = "import.csv"

SYSTEM = N_("system files")
OTHER_FORMAT = N_("files of other formats")
EMPTY = N_("folders without pictures")
LINKED = N_("linked folders")
CLOSED = N_("folders that can't be opened")
NO_CLASS = N_("pictures in no class folder")
UNLABELLED = N_("pictures of a part without labels")
UNLISTED = N_("pictures that no list names")
ABSENT = N_("listed pictures that are not there")
BLANK = N_("listed pictures without a label")
PHOTOGRAPH = N_("photographs beside the sketches")
OTHER_FORM = N_("other forms of the same sketches")
UNREADABLE = N_("pictures that can't be read")
FOUND = N_("pictures in which the drawing was found")
COPIES = N_("copies of one picture")
TWO_LABELS = N_("one picture under two labels")
NEAR_COPIES = N_("near-copies in training and test")

KINDS = (
    *(SYSTEM, OTHER_FORMAT, EMPTY, LINKED, CLOSED, NO_CLASS, UNLABELLED, UNLISTED),
    *(ABSENT, BLANK, PHOTOGRAPH, OTHER_FORM, UNREADABLE),
)
"""Of what is passed over, in the order in which they are told."""

HARMLESS = {SYSTEM, PHOTOGRAPH, OTHER_FORM}
"""Kinds that a strict import passes over too."""

NAMED = 3


@dataclass(frozen=True)
class Entry:
    """One line of the list: a file that was passed over, or a copy.

    Attributes:
        path: Where it lies in what was imported.
        kind: One of this module's kinds.
        detail: What more there is to say.
    """

    path: str
    kind: str
    detail: str = ""


@dataclass(frozen=True)
class Account:
    """What an import has to tell.

    Attributes:
        read: How many sketches of each format.
        passed_over: What was not imported.
        listed: What was imported and is worth a look.
        notes: Whole sentences on what was made of it.
    """

    read: Mapping[str, int] = field(default_factory=dict)
    passed_over: Sequence[Entry] = ()
    listed: Sequence[Entry] = ()
    notes: Sequence[Sentence] = ()

    def plus(
        self,
        *,
        passed_over: Sequence[Entry] = (),
        listed: Sequence[Entry] = (),
        notes: Sequence[Sentence] = (),
    ) -> "Account":
        """Returns an account that tells more."""
        return replace(
            self,
            passed_over=(*self.passed_over, *passed_over),
            listed=(*self.listed, *listed),
            notes=(*self.notes, *notes),
        )

    def sentences(self) -> list[Sentence]:
        """Tells all, a sentence a kind; single files stand in the list."""
        told = list(self.notes)
        if self.read:
            formats = Counter(self.read).most_common()
            told.insert(
                0,
                Sentence(
                    "Read {count:,} sketches: {formats}.",
                    count=sum(self.read.values()),
                    formats=", ".join(f"{n:,} {name}" for name, n in formats),
                ),
            )
        for kind in KINDS:
            entries = [entry for entry in self.passed_over if entry.kind == kind]
            if entries:
                told.append(_passed_over(kind, entries))
        return told


def _passed_over(kind: str, entries: Sequence[Entry]) -> Sentence:
    details = Counter(entry.detail for entry in entries if entry.detail)
    if kind == OTHER_FORMAT:
        examples = [f"{n:,} {name}" for name, n in details.most_common(NAMED)]
        more = len(details) > NAMED
    else:
        examples = [show_name(entry.path) for entry in entries[:NAMED]]
        more = len(entries) > NAMED
    shown = ", ".join(examples) + (", …" if more else "")
    if kind == UNREADABLE:
        return Sentence(
            "Passed over {kind} ({count:,}): {examples}. {reason}",
            count=len(entries),
            kind=Sentence(kind),
            examples=shown,
            reason=entries[0].detail,
        )
    return Sentence(
        "Passed over {kind} ({count:,}): {examples}.",
        count=len(entries),
        kind=Sentence(kind),
        examples=shown,
    )


def write_account(account: Account, folder: Path) -> None:
    """Writes what an import tells into its dataset's folder."""
    told = [sentence.pack() for sentence in account.sentences()]
    text = json.dumps({"sentences": told}, ensure_ascii=False, indent=1)
    (folder / SUMMARY).write_text(text, encoding="utf-8")
    if not (account.passed_over or account.listed):
        return
    rows = [
        {"path": show_name(entry.path), "kind": entry.kind, "detail": entry.detail}
        for entry in (*account.passed_over, *account.listed)
    ]
    (folder / LIST).write_text(to_csv(rows), encoding="utf-8", newline="")


def read_account(folder: Path) -> list[Sentence]:
    """Returns what was told of a dataset's import; nothing of an older one."""
    try:
        packed: Any = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        return [Sentence.unpack(told) for told in packed["sentences"]]
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return []


def refuse_passed_over(told: Account, origin: str) -> None:
    """Raises `DatasetError` if anything but system files would be passed over."""
    wrong = [e for e in told.passed_over if e.kind not in HARMLESS]
    if wrong:
        raise DatasetError(
            "{path} holds more than can be imported. {reasons}",
            path=origin,
            reasons=join_sentences(Account(passed_over=wrong).sentences()),
        )
