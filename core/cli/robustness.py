"""The command that measures what changed sketches do to runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from core.cli.console import Json, err, out, percent, print_json, print_table, progress
from core.cli.runs import find_run
from core.paths import data_dir

if TYPE_CHECKING:
    from core.analysis.robustness import Robustness


def robustness(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Evaluated runs: ids or folders."),
    ],
    limit: Annotated[
        int,
        typer.Option(min=1, max=1000, help="Test sketches, evenly of all classes."),
    ] = 500,
    as_json: Json = False,
) -> None:
    """Measure runs on test sketches turned, thinned, with gaps and changed otherwise.

    Ctrl-C stops soon and keeps the kinds of change that are done; the same command
    goes on with the others. The page Trust shows the figures.
    """
    from core.inference.robustness import measure_robustness
    from core.runs.stopping import stop_requests

    run_dirs = [find_run(run) for run in runs]
    with progress() as bars, stop_requests(run_dirs[0]) as is_stop_requested:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(escape(what), total=total)
            bars.update(tasks[what], completed=done)

        known, finished = measure_robustness(
            run_dirs,
            data_dir=data_dir(),
            limit=limit,
            report=report,
            is_stop_requested=is_stop_requested,
        )
    if as_json:
        print_json(
            [
                {"run_id": run_dir.name, **result.model_dump(mode="json")}
                for run_dir, result in known.items()
            ]
        )
    else:
        for run_dir, result in known.items():
            _print(run_dir, result)
    if not finished:
        err.print("Stopped. The same command goes on with what it has kept.")


def _print(run_dir: Path, result: "Robustness") -> None:
    """Prints what is known of a run: a line for each kind of change."""
    from core.language import translations
    from core.sentences.robustness import amount_words, kind_title

    words = translations("en")
    clean = result.clean
    out.print(
        f"Run [bold]{escape(run_dir.name)}[/] on {clean.n:,} test sketches: "
        f"{percent(clean.accuracy)} ({percent(clean.low)} to {percent(clean.high)})",
        highlight=False,
    )
    rows = []
    for name, kind in result.kinds.items():
        place = kind.lost_at(clean)
        cells = [
            f"{amount_words(name, amount, words)}: {percent(figure.accuracy, digits=0)}"
            for amount, figure in zip(kind.amounts, kind.figures, strict=True)
        ]
        lost = "" if place is None else amount_words(name, kind.amounts[place], words)
        rows.append((kind_title(name, words), *cells, lost))
    if rows:
        print_table(("change", *("",) * (len(rows[0]) - 2), "lost 10 at"), rows)
