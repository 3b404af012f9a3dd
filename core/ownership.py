"""Who may change things: the owner, by a passphrase that is kept as a hash only.

Everyone may look and draw. Whoever sits at the machine owns it until a passphrase is
set; who comes from elsewhere has to know it.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import OwnerError, unwritable
from core.files import read_regular, write_json

OWNER = "owner.json"
MIN_LENGTH = 10
MAX_LENGTH = 1000
"""So that no one makes the server hash a book."""

TRIES = 5
PAUSE_S = 60.0
"""So many wrong passphrases, of all visitors together, within such a time."""

READ_ONLY_VARIABLE = "SKETCHSCOPE_READ_ONLY"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PUBLIC_VARIABLE = "SKETCHSCOPE_PUBLIC"
"""Set where others reach the server, however they do: nobody is local then."""

FORWARDING_HEADERS = (
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port"),
    *("X-Forwarded-Server", "X-Real-Ip", "X-Original-Host", "Forwarded", "Via"),
    *("Cf-Connecting-Ip", "True-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip"),
)
"""Any of which a proxy adds; a browser sends none."""


class Access(Enum):
    """What a visitor may do besides looking and drawing."""

    OWNER = "everything"
    LOGIN = "everything, after giving the passphrase"
    UNSET = "nothing, since no passphrase is set"
    READ_ONLY = "nothing, since nobody may"
    DAMAGED = "nothing, since the passphrase's file can't be read"


class _Owner(BaseModel):
    """What `owner.json` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    passphrase: str


def decide_access(
    *, is_read_only: bool, is_local: bool, mark: str | None, shown: str | None
) -> Access:
    """Decides what a visitor may do.

    Args:
        is_read_only: Whether the server was started so that nobody may change things.
        is_local: Whether the visitor sits at the machine; see `is_local`.
        mark: The passphrase's; see `passphrase_mark`.
        shown: The mark of the passphrase that the visitor has given, if any.
    """
    if is_read_only:
        return Access.READ_ONLY
    if mark is not None:
        return Access.OWNER if shown == mark else Access.LOGIN
    return Access.OWNER if is_local else Access.UNSET


def is_local(
    server_address: str | None,
    host: str | None,
    forwarded: bool,
    origin: str | None = None,
) -> bool:
    """Returns whether only someone at this machine can have sent a request.

    A proxy that passes on bytes, and the name `localhost` with them, can't be told from
    that: `PUBLIC_VARIABLE` is for a server behind one.

    Args:
        server_address: What the server listens on; None for everything.
        host: The request's header `Host`; a page of another site that is made to
            point at this machine gives its own name there.
        forwarded: Whether a proxy has passed the request on.
        origin: The request's header `Origin`; a page of another server, on another
            port of this machine, gives that one's.
    """
    if server_address not in LOOPBACK or forwarded:
        return False
    if origin is not None and urlsplit(origin).netloc != host:
        return False
    name = (host or LOOPBACK[0]).rpartition("]")[0].removeprefix("[")
    return (name or (host or LOOPBACK[0]).partition(":")[0]) in LOOPBACK


def sits_at_machine(
    headers: Mapping[str, str], *, server_address: str | None, is_public: bool
) -> bool:
    """Returns whether who sent a request is taken for somebody at this machine.

    Args:
        headers: The request's; looked up whatever the case of their names.
        server_address: What the server listens on; None for everything.
        is_public: Whether others reach the server, so that nobody is.
    """
    return not is_public and is_local(
        server_address,
        headers.get("Host"),
        any(name in headers for name in FORWARDING_HEADERS),
        headers.get("Origin"),
    )


def passphrase_mark(data_dir: Path) -> str | None:
    """Returns what tells a passphrase from any set before or after; None without one.

    Who has given one is the owner for as long as its mark is the same.

    Raises:
        OwnerError: If its file can't be read; then no one may pass for the owner.
    """
    owner = _read(data_dir)
    if owner is None:
        return None
    # Of the hash with its salt, so that the same words set anew have another.
    return hashlib.sha256(owner.passphrase.encode()).hexdigest()


def set_passphrase(passphrase: str, *, data_dir: Path) -> None:
    """Replaces the owner's passphrase.

    Raises:
        OwnerError: If it is too short or too long, or can't be written.
    """
    if not MIN_LENGTH <= len(passphrase) <= MAX_LENGTH:
        raise OwnerError(
            "A passphrase has {least} to {most} characters; four words that don't "
            "belong together make a good one. Received: {count}.",
            least=MIN_LENGTH,
            most=MAX_LENGTH,
            count=len(passphrase),
        )
    owner = _Owner(passphrase=PasswordHasher().hash(passphrase))
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        write_json(data_dir / OWNER, owner.model_dump(), mode=0o600)
    except OSError as error:
        raise OwnerError(unwritable(data_dir / OWNER, error)) from error


def remove_passphrase(data_dir: Path) -> None:
    """Forgets the passphrase: only who sits at the machine is the owner then.

    Raises:
        OwnerError: If none is set.
    """
    try:
        (data_dir / OWNER).unlink()
    except FileNotFoundError as error:
        raise OwnerError("No passphrase is set.") from error


class PassphraseChecker:
    """Checks passphrases, a few tries a minute.

    Attributes:
        data_dir: Where the passphrase's hash is.
    """

    def __init__(
        self, data_dir: Path, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.data_dir = data_dir
        self._clock = clock
        self._failures: list[float] = []
        # One at a time: a check is made to cost time and memory.
        self._lock = threading.Lock()

    def knows(self, passphrase: str) -> bool:
        """Returns whether a passphrase is the owner's.

        Raises:
            OwnerError: If too many wrong ones were tried lately, none is set, or its
                file is damaged.
        """
        with self._lock:
            now = self._clock()
            self._failures = [at for at in self._failures if now - at < PAUSE_S]
            if len(self._failures) >= TRIES:
                wait_s = PAUSE_S - (now - self._failures[0])
                raise OwnerError(
                    "Too many wrong passphrases. Try again in {wait_s:.0f} seconds.",
                    wait_s=wait_s,
                )
            owner = _read(self.data_dir)
            if owner is None:
                raise OwnerError(
                    "No passphrase is set. `python -m core owner set` sets one."
                )
            try:
                if len(passphrase) <= MAX_LENGTH:
                    return PasswordHasher().verify(owner.passphrase, passphrase)
            except InvalidHashError as error:
                raise _damaged(self.data_dir) from error
            except VerificationError:
                pass
            self._failures.append(now)
            return False


def _read(data_dir: Path) -> _Owner | None:
    try:
        return _Owner.model_validate_json(read_regular(data_dir / OWNER))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise _damaged(data_dir) from error


def _damaged(data_dir: Path) -> OwnerError:
    return OwnerError(
        "{path} can't be read. `python -m core owner set` replaces it.",
        path=data_dir / OWNER,
    )
