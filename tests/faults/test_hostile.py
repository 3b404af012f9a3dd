"""The campaign of costly things and hostile messages, in its quick form."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.faults.hostile import COSTLY, read_costly, send_messages
from tests.faults.strangers import KINDS, meet


@pytest.mark.slow
@pytest.mark.parametrize("kind", COSTLY)
def test_what_costs_is_taken_or_refused_in_time(kind: str, tmp_path: Path) -> None:
    # In a process of its own, whose memory is measured.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        row = pool.submit(read_costly, kind, cases=4, seed=1, folder=tmp_path).result()
    assert not row.failures


@pytest.mark.slow
@pytest.mark.alone
def test_hostile_messages_keep_no_visitor_waiting(data_dir: Path) -> None:
    assert not send_messages(count=60, seed=1, data_dir=data_dir).failures


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("kind", KINDS)
def test_whoever_floods_the_server_keeps_nobody_waiting(
    kind: str, data_dir: Path
) -> None:
    held = meet(kind, seconds=3, data_dir=data_dir)
    assert held.is_good, held
