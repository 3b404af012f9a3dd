"""What CI makes of the audit of installed packages."""

import json
import sys

import pytest

from tests.audit import audit, judge

FINE = {"name": "fine", "version": "1.0", "vulns": []}
UNKNOWN = {"name": "ours", "skip_reason": "ours is not on the index"}
WEAK = {
    "name": "weak",
    "version": "2.0",
    "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"], "aliases": []}],
}


def answer(*packages: object) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_weakness_is_red_and_named() -> None:
    verdict = judge(answer(FINE, WEAK), "Found 1 known vulnerability")
    assert verdict.is_weak
    assert "weak 2.0: CVE-1, mended in 2.1" in verdict.text


def test_no_weakness_is_green() -> None:
    verdict = judge(answer(FINE, UNKNOWN), "")
    assert not verdict.is_weak
    assert verdict.text == "pip-audit knows no weakness of 1 packages; 1 left out."


@pytest.mark.parametrize(
    ("out", "err", "reason"),
    [
        ("", "INFO:x\nERROR:pip_audit: could not connect\n", "could not connect"),
        ("", "", "it said nothing"),
        ("<html>", "", "it said nothing"),
        (answer(UNKNOWN), "", "ours is not on the index"),
    ],
)
def test_where_nothing_can_be_asked_that_is_said(
    out: str, err: str, reason: str
) -> None:
    verdict = judge(out, err)
    assert not verdict.is_weak
    assert verdict.text.startswith("pip-audit is left out: ")
    assert verdict.text.endswith(reason)


def test_an_audit_that_never_answers_is_left_out() -> None:
    sleep = (sys.executable, "-c", "import time; time.sleep(60)")
    assert "no answer within 0 s" in audit(sleep, patience_s=0.1).text


def test_an_audit_s_own_answer_is_read() -> None:
    program = f"print({answer(WEAK)!r})"
    assert audit((sys.executable, "-c", program)).is_weak
