"""The commands of `runs`: list, show, record, stop, export, index and remove."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from core.cli.console import Json, out, print_json, print_table
from core.paths import TRAINED_DIR, data_dir

runs_app = typer.Typer(
    no_args_is_help=True, help="List, show, stop, export, index and remove runs."
)
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run id or folder.")]


@runs_app.command("list")
def runs_list(as_json: Json = False) -> None:
    """List all runs, one's own and those that ship."""
    from core.runs.reading import list_runs

    runs = list_runs(data_dir=data_dir(), trained_dir=TRAINED_DIR)
    if as_json:
        print_json([_summary(run) for run in runs])
        return
    if not runs:
        out.print("There are no runs yet. `python -m core train --help`")
        return
    rows = []
    for run in runs:
        summary = _summary(run)
        top1 = summary["top1"]
        rows.append(
            (
                run.run_id,
                run.state,
                summary["network"] or "?",
                summary["dataset"] or "?",
                summary["recipe"] or "?",
                f"{summary['epoch']}/{summary['epochs']}",
                "" if top1 is None else f"{top1:.1%}",
            )
        )
    print_table(
        ("run", "state", "network", "dataset", "recipe", "epoch", "test top-1"), rows
    )


@runs_app.command("show")
def runs_show(run: RunArgument, as_json: Json = False) -> None:
    """Show a run's settings, history and figures."""
    from core.analysis.record import describe_lineage, tell_lineage
    from core.runs.folder import kept_epochs
    from core.runs.reading import read_run

    found = read_run(find_run(run))
    size = sum(p.stat().st_size for p in found.path.rglob("*") if p.is_file())
    if as_json:
        print_json(
            {
                **_summary(found),
                **(describe_lineage(found) if found.config else {}),
                "kept_epochs": kept_epochs(found.path),
                "bytes": size,
                "settings": (
                    found.config.settings.model_dump(mode="json")
                    if found.config
                    else None
                ),
                "history": found.history,
                "metrics": found.metrics,
                "path": str(found.path),
            }
        )
        return
    out.print(f"[bold]{escape(found.run_id)}[/]: {found.state}")
    for text in (found.status.message, found.problem, *tell_lineage(found)):
        if text:
            out.print(escape(text), highlight=False)
    if found.history:
        columns = ("epoch", "loss", "top1", "val_loss", "val_top1")
        print_table(
            columns,
            [
                (row["epoch"], *(_figure(row.get(name)) for name in columns[1:]))
                for row in found.history
            ],
        )
    if found.metrics:
        print_metrics(found.metrics)
    kept = kept_epochs(found.path)
    places = ", ".join(f"{found.run_id}@{epoch}" for epoch in kept)
    out.print(
        f"{escape(str(found.path))}, {size / 1e6:.1f} MB"
        + (f", can be branched at {escape(places)}." if kept else "."),
        highlight=False,
    )


@runs_app.command("record")
def runs_record(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Finished runs.")],
    earlier: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An earlier record, whose list of all runs that were ever scored on "
            "test sketches goes on with these.",
        ),
    ] = None,
) -> None:
    """Print what runs were made with and reached, and McNemar's test between them.

    It names every other run here, too, that was scored on the same test sketches.
    """
    from core.analysis.record import make_record, read_scored
    from core.runs.reading import list_runs, read_run

    print_json(
        make_record(
            [read_run(find_run(run)) for run in runs],
            others=list_runs(data_dir=data_dir(), trained_dir=TRAINED_DIR),
            scored=[] if earlier is None else read_scored(earlier),
        )
    )


@runs_app.command("stop")
def runs_stop(run: RunArgument) -> None:
    """Ask a running training to save and end at its next step."""
    from core.runs.stopping import request_stop

    run_dir = find_run(run)
    request_stop(run_dir)
    out.print(f"Asked run {escape(run_dir.name)} to stop at its next step.")


@runs_app.command("export")
def runs_export(
    run: RunArgument,
    folder: Annotated[Path, typer.Argument(help="A folder to make.")],
    weights: Annotated[
        bool, typer.Option(help="Without them it can be looked at, but not used.")
    ] = True,
) -> None:
    """Copy a finished run in a small form: weights in half precision."""
    from core.runs.copies import export_run

    target = folder.expanduser().absolute()
    export_run(find_run(run), target, with_weights=weights)
    size = sum(path.stat().st_size for path in target.iterdir())
    out.print(f"Wrote {escape(str(target))}, {size / 1e6:.1f} MB.")


@runs_app.command("index")
def runs_index(run: RunArgument) -> None:
    """Index a run's training sketches anew, to show those nearest to a drawing.

    Every evaluation of a run on its own dataset ends with it.
    """
    from core.training.work import index_run_dir

    run_dir = find_run(run)
    if index_run_dir(run_dir, data_dir=data_dir()):
        out.print(f"Indexed the training sketches of run {escape(run_dir.name)}.")
    else:
        out.print("Stopped; nothing was changed.")


@runs_app.command("remove")
def runs_remove(run: RunArgument) -> None:
    """Delete one of your own runs."""
    from core.runs.folder import remove_run

    remove_run(run, data_dir=data_dir())
    out.print(f"Removed run {escape(run)}.")


def find_run(run: str) -> Path:
    """Finds a run by its id, among one's own and the shipped ones, or its folder."""
    from core.runs.reading import find_run_dir

    return find_run_dir(run, data_dir=data_dir(), trained_dir=TRAINED_DIR)


def find_origin(origin: str | None) -> tuple[Path | None, int | None]:
    """Finds the run that another goes on from, and where it is branched, if it is."""
    if origin is None:
        return None, None
    run, at, epoch = origin.rpartition("@")
    if at and epoch.isdecimal():
        return find_run(run), int(epoch)
    return find_run(origin), None


def run_metrics(run_dir: Path) -> dict[str, Any]:
    """Reads the metrics of a run's evaluation."""
    from core.runs.evaluation import read_evaluation

    return read_evaluation(run_dir).metrics


def _summary(run: Any) -> dict[str, Any]:
    """Returns what a list shows of a run."""
    config, metrics = run.config, run.metrics or {}
    return {
        "run_id": run.run_id,
        "state": run.state,
        "network": config.network if config else None,
        "dataset": config.dataset if config else None,
        "origin": config.origin.run_id if config and config.origin else None,
        "origin_epoch": config.origin.epoch if config and config.origin else None,
        "drawings": config.drawings.dataset if config and config.drawings else None,
        "recipe": config.recipe if config else None,
        "epoch": run.status.epoch,
        "epochs": run.status.epochs,
        "top1": metrics.get("top1"),
        "top5": metrics.get("top5"),
        "message": run.status.message,
        "problem": run.problem,
    }


def print_metrics(metrics: dict[str, Any]) -> None:
    """Prints a run's metrics in a few lines."""
    low, high = metrics["top1_interval"]
    out.print(
        f"Run [bold]{escape(metrics['run_id'])}[/] on {metrics['n']:,} test sketches "
        f"of {escape(metrics['dataset'])}:\n"
        f"  top-1 {metrics['top1']:.1%} (95 % interval {low:.1%} to {high:.1%})\n"
        f"  top-5 {metrics['top5']:.1%}\n"
        f"  loss {metrics['loss']:.3f}, calibration error {metrics['ece']:.3f}; "
        f"{metrics['loss_calibrated']:.3f} and {metrics['ece_calibrated']:.3f} at "
        f"temperature {metrics['temperature']:.2f}{_temperature_source(metrics)}"
    )


def _temperature_source(metrics: dict[str, Any]) -> str:
    """Says whose temperature an evaluation used, if not the run's own."""
    if "temperature_from" not in metrics:
        return ""
    source = metrics["temperature_from"]
    if source is None:
        return ", since there was nothing to fit one on"
    return f", which is that of run {escape(source)}"


def _figure(value: float | None) -> str:
    """Returns a figure of a history, "" where it has none."""
    return "" if value is None else f"{value:.4f}"
