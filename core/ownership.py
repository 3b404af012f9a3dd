"""Who may change things: the owner, by a passphrase that is kept as a hash only.

Everyone may look and draw. Whoever sits at the machine owns it until a passphrase is
set; who comes from elsewhere has to know it.
"""

import threading
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import OwnerError
from core.files import write_json

OWNER = "owner.json"
MIN_LENGTH = 10
MAX_LENGTH = 1000
"""So that no one makes the server hash a book."""

TRIES = 5
PAUSE_S = 60.0
"""So many wrong passphrases, of all visitors together, within such a time."""

READ_ONLY_VARIABLE = "SKETCHSCOPE_READ_ONLY"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
FORWARDING_HEADERS = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded")


class Access(Enum):
    """What a visitor may do besides looking and drawing."""

    OWNER = "everything"
    LOGIN = "everything, after giving the passphrase"
    UNSET = "nothing, since no passphrase is set"
    READ_ONLY = "nothing, since nobody may"


class _Owner(BaseModel):
    """What `owner.json` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    passphrase: str


def decide_access(
    *, is_read_only: bool, is_local: bool, has_passphrase: bool, is_logged_in: bool
) -> Access:
    """Decides what a visitor may do.

    Args:
        is_read_only: Whether the server was started so that nobody may change things.
        is_local: Whether the visitor sits at the machine; see `is_local`.
        has_passphrase: Whether one is set.
        is_logged_in: Whether the visitor has given it.
    """
    if is_read_only:
        return Access.READ_ONLY
    if has_passphrase:
        return Access.OWNER if is_logged_in else Access.LOGIN
    return Access.OWNER if is_local else Access.UNSET


def is_local(server_address: str | None, host: str | None, forwarded: bool) -> bool:
    """Returns whether only someone at this machine can have sent a request.

    Args:
        server_address: What the server listens on; None for everything.
        host: The request's header `Host`; a page of another site that is made to
            point at this machine gives its own name there.
        forwarded: Whether a proxy has passed the request on.
    """
    if server_address not in LOOPBACK or forwarded:
        return False
    name = (host or LOOPBACK[0]).rpartition("]")[0].removeprefix("[")
    return (name or (host or LOOPBACK[0]).partition(":")[0]) in LOOPBACK


def has_passphrase(data_dir: Path) -> bool:
    """Returns whether a passphrase is set.

    Raises:
        OwnerError: If its file can't be read; then no one may pass for the owner.
    """
    return _read(data_dir) is not None


def set_passphrase(passphrase: str, *, data_dir: Path) -> None:
    """Replaces the owner's passphrase.

    Raises:
        OwnerError: If it is too short or too long, or can't be written.
    """
    if not MIN_LENGTH <= len(passphrase) <= MAX_LENGTH:
        raise OwnerError(
            f"A passphrase has {MIN_LENGTH} to {MAX_LENGTH} characters; four words "
            f"that don't belong together make a good one. Received: {len(passphrase)}."
        )
    owner = _Owner(passphrase=PasswordHasher().hash(passphrase))
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        write_json(data_dir / OWNER, owner.model_dump(), mode=0o600)
    except OSError as error:
        raise OwnerError(
            f"{data_dir / OWNER} can't be written: {error.strerror}."
        ) from error


def remove_passphrase(data_dir: Path) -> None:
    """Forgets the passphrase: only who sits at the machine is the owner then.

    Raises:
        OwnerError: If none is set.
    """
    try:
        (data_dir / OWNER).unlink()
    except FileNotFoundError as error:
        raise OwnerError("No passphrase is set.") from error


class Door:
    """Lets in who knows the passphrase, a few tries a minute.

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
                    f"Too many wrong passphrases. Try again in {wait_s:.0f} seconds."
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
        return _Owner.model_validate_json((data_dir / OWNER).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise _damaged(data_dir) from error


def _damaged(data_dir: Path) -> OwnerError:
    return OwnerError(
        f"{data_dir / OWNER} can't be read. `python -m core owner set` replaces it."
    )
