"""Who may change things."""

import itertools
import stat
from pathlib import Path

import pytest

from core.errors import OwnerError
from core.ownership import (
    OWNER,
    PAUSE_S,
    TRIES,
    Access,
    PassphraseChecker,
    decide_access,
    is_local,
    passphrase_mark,
    remove_passphrase,
    set_passphrase,
)

PASSPHRASE = "horse ladder teapot sun"


def test_nobody_changes_anything_on_a_read_only_server() -> None:
    for local, known, logged_in in itertools.product((True, False), repeat=3):
        access = decide_access(
            is_read_only=True,
            is_local=local,
            mark="a" if known else None,
            shown="a" if logged_in else None,
        )
        assert access is Access.READ_ONLY


def test_a_passphrase_is_asked_of_everyone_once_it_is_set() -> None:
    for local, logged_in in itertools.product((True, False), repeat=2):
        access = decide_access(
            is_read_only=False,
            is_local=local,
            mark="a",
            shown="a" if logged_in else None,
        )
        assert access is (Access.OWNER if logged_in else Access.LOGIN)


@pytest.mark.parametrize("logged_in", [True, False])
def test_without_one_only_who_sits_at_the_machine_is_the_owner(logged_in: bool) -> None:
    for local, expected in ((True, Access.OWNER), (False, Access.UNSET)):
        access = decide_access(
            is_read_only=False,
            is_local=local,
            mark=None,
            shown="a" if logged_in else None,
        )
        assert access is expected


@pytest.mark.parametrize(
    ("address", "host", "forwarded", "expected"),
    [
        ("127.0.0.1", "127.0.0.1:8501", False, True),
        ("localhost", "localhost", False, True),
        ("::1", "[::1]:8501", False, True),
        ("127.0.0.1", None, False, True),
        (None, "127.0.0.1:8501", False, False),
        ("0.0.0.0", "127.0.0.1", False, False),
        ("127.0.0.1", "sketches.example:8501", False, False),
        ("127.0.0.1", "[::2]:8501", False, False),
        ("127.0.0.1", "localhost.evil.example", False, False),
        ("127.0.0.1", "127.0.0.1:8501", True, False),
    ],
)
def test_only_a_direct_request_to_this_machine_is_local(
    address: str | None, host: str | None, forwarded: bool, expected: bool
) -> None:
    assert is_local(address, host, forwarded) is expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, True),
        ("http://127.0.0.1:8501", True),
        ("http://127.0.0.1:9999", False),
        ("http://localhost:8501", False),
        ("http://evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_page_of_another_server_is_not_local(
    origin: str | None, expected: bool
) -> None:
    assert is_local("127.0.0.1", "127.0.0.1:8501", False, origin) is expected


def test_a_changed_passphrase_is_another_even_of_the_same_words(data_dir: Path) -> None:
    marks = set()
    for _ in range(2):
        set_passphrase(PASSPHRASE, data_dir=data_dir)
        marks.add(passphrase_mark(data_dir))
        assert passphrase_mark(data_dir) in marks
    assert len(marks) == 2


def test_who_gave_the_passphrase_before_it_was_changed_is_no_owner() -> None:
    for mark, shown, expected in (
        ("new", "new", Access.OWNER),
        ("new", "old", Access.LOGIN),
        ("new", True, Access.LOGIN),
    ):
        access = decide_access(
            is_read_only=False,
            is_local=True,
            mark=mark,
            shown=shown,  # type: ignore[arg-type]
        )
        assert access is expected


def test_a_passphrase_is_kept_as_a_hash_that_only_its_owner_can_read(
    data_dir: Path,
) -> None:
    assert passphrase_mark(data_dir) is None
    set_passphrase(PASSPHRASE, data_dir=data_dir)
    assert passphrase_mark(data_dir) is not None
    content = (data_dir / OWNER).read_text()
    assert "$argon2id$" in content
    assert not any(word in content for word in PASSPHRASE.split())
    assert stat.S_IMODE((data_dir / OWNER).stat().st_mode) == 0o600
    assert PassphraseChecker(data_dir).knows(PASSPHRASE)
    assert not PassphraseChecker(data_dir).knows(PASSPHRASE + "!")
    assert not PassphraseChecker(data_dir).knows("")
    remove_passphrase(data_dir)
    with pytest.raises(OwnerError, match="No passphrase is set"):
        remove_passphrase(data_dir)


@pytest.mark.parametrize("passphrase", ["", "too short", "x" * 1001])
def test_a_passphrase_of_no_use_is_refused(passphrase: str, data_dir: Path) -> None:
    with pytest.raises(OwnerError, match="10 to 1000 characters"):
        set_passphrase(passphrase, data_dir=data_dir)
    assert passphrase_mark(data_dir) is None


def test_after_wrong_ones_even_the_right_one_has_to_wait(data_dir: Path) -> None:
    set_passphrase(PASSPHRASE, data_dir=data_dir)
    now = 0.0
    door = PassphraseChecker(data_dir, clock=lambda: now)
    for _ in range(TRIES):
        assert not door.knows("x" * 5000)
    with pytest.raises(OwnerError, match="Try again in 60 seconds"):
        door.knows(PASSPHRASE)
    now = PAUSE_S + 1
    assert door.knows(PASSPHRASE)


@pytest.mark.parametrize(
    "content", ["", "{}", '{"passphrase": 3}', '{"passphrase": "plain"}', "\0\0"]
)
def test_a_damaged_file_lets_no_one_in(content: str, data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / OWNER).write_text(content)
    with pytest.raises(OwnerError, match="owner set"):
        PassphraseChecker(data_dir).knows("plain")
