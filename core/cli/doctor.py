"""The command `doctor`."""

from typing import Annotated

import typer
from rich.markup import escape

from core.cli.console import Json, out, print_json
from core.paths import TRAINED_DIR, data_dir


def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what can be mended without loss.")
    ] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read all files whole; compare digests.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look for what is wrong with the installation, the datasets and the runs.

    Exit code 1 if a problem is left.
    """
    from core.cli.examination import examine

    findings = examine(data_dir=data_dir(), trained_dir=TRAINED_DIR, deep=deep)
    mended = []
    if fix:
        for finding in findings:
            if finding.mend is not None:
                finding.mend()
                mended.append(f"{finding.subject}: {finding.detail}")
        findings = examine(data_dir=data_dir(), trained_dir=TRAINED_DIR, deep=deep)
        left = {f"{finding.subject}: {finding.detail}" for finding in findings}
        mended = [what for what in mended if what not in left]
    if as_json:
        print_json(
            {
                "mended": mended,
                "findings": [
                    {
                        "severity": finding.severity,
                        "subject": finding.subject,
                        "detail": finding.detail,
                        "can_be_mended": finding.mend is not None,
                    }
                    for finding in findings
                ],
            }
        )
    else:
        for line in mended:
            out.print(f"[green]mended[/]   {escape(line)}")
        colours = {"fine": "green", "advice": "yellow", "problem": "red"}
        for finding in findings:
            line = escape(f"{finding.subject}: {finding.detail}")
            out.print(f"[{colours[finding.severity]}]{finding.severity:8}[/] {line}")
        if any(finding.mend for finding in findings):
            out.print("`python -m core doctor --fix` mends what can be mended.")
    if any(finding.severity == "problem" for finding in findings):
        raise typer.Exit(1)
