"""Looks up known weaknesses of what is installed: `python tests/audit.py COMMAND…`.

The command is pip-audit's. What it answers decides: a weakness ends this with 1; where
nothing can be asked from here, that is said and ends it with 0.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

PATIENCE_S = 120.0


@dataclass(frozen=True)
class Verdict:
    """What an audit came to.

    Attributes:
        text: What is printed.
        is_weak: Whether it found a weakness.
    """

    text: str
    is_weak: bool = False


def judge(answer: str, complaint: str) -> Verdict:
    """Returns what pip-audit's answer comes to.

    Args:
        answer: Its standard output, a JSON document if it could ask.
        complaint: Its standard error.
    """
    try:
        packages = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        said = complaint.strip().splitlines()[-1:] or ["it said nothing"]
        return Verdict(f"pip-audit is left out: {said[0]}")
    asked = [package for package in packages if "skip_reason" not in package]
    if not asked:
        said = [package["skip_reason"] for package in packages] or ["nothing to ask"]
        return Verdict(f"pip-audit is left out: {said[0]}")
    weak = [
        f"{package['name']} {package['version']}: {weakness['id']}, mended in "
        f"{', '.join(weakness['fix_versions']) or 'no version yet'}"
        for package in asked
        for weakness in package["vulns"]
    ]
    if weak:
        return Verdict("\n".join(["Known weaknesses:", *weak]), is_weak=True)
    return Verdict(
        f"pip-audit knows no weakness of {len(asked)} packages"
        + (
            f"; {len(packages) - len(asked)} left out."
            if len(asked) < len(packages)
            else "."
        )
    )


def audit(command: Sequence[str], *, patience_s: float = PATIENCE_S) -> Verdict:
    """Runs pip-audit and returns what its answer comes to."""
    try:
        result = subprocess.run(
            [*command, "--format=json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=patience_s,
        )
    except subprocess.TimeoutExpired:
        return judge("", f"no answer within {patience_s:.0f} s")
    return judge(result.stdout, result.stderr)


if __name__ == "__main__":
    verdict = audit(sys.argv[1:])
    sys.stdout.write(f"{verdict.text}\n")
    sys.exit(verdict.is_weak)
