"""The commands of `runs`: list, show, note, record, stop, resume, export and more."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from core.cli.console import (
    Json,
    err,
    out,
    percent,
    print_json,
    print_table,
    progress,
)
from core.errors import RunError
from core.paths import TRAINED_DIR, data_dir, expand_home

runs_app = typer.Typer(
    no_args_is_help=True,
    help="List, show, note, stop, resume, export, index and remove runs.",
)
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run id or folder.")]


@runs_app.command("list")
def runs_list(as_json: Json = False) -> None:
    """List all runs, one's own and those that ship."""
    from core.analysis.metrics import COLUMNS
    from core.runs.reading import list_runs

    runs = list_runs(data_dir=data_dir(), trained_dir=TRAINED_DIR)
    if as_json:
        print_json([_summary(run) for run in runs])
        return
    if not runs:
        out.print("There are no runs yet. `python -m core train --help`")
        return
    named = any(run.notes.name for run in runs)
    rows = []
    for run in runs:
        summary = _summary(run)
        rows.append(
            (
                run.run_id,
                *((run.notes.name,) if named else ()),
                run.state,
                summary["network"] or "?",
                summary["dataset"] or "?",
                summary["recipe"] or "?",
                f"{summary['epoch']}/{summary['epochs']}",
                *(
                    "" if summary[name] is None else f"{summary[name]:{metric.format}}"
                    for name, metric in COLUMNS.items()
                ),
            )
        )
    first = ("run", "name") if named else ("run",)
    columns = (*first, "state", "network", "dataset", "recipe", "epoch")
    print_table((*columns, *COLUMNS), rows)


@runs_app.command("show")
def runs_show(run: RunArgument, as_json: Json = False) -> None:
    """Show a run's settings, history and figures."""
    from core.analysis.record import describe_lineage
    from core.language import translations
    from core.runs.folder import kept_epochs
    from core.runs.notes import Notes
    from core.runs.reading import read_run
    from core.sentences.lineage import lineage_words

    shown = read_run(find_run(run))
    size = sum(p.stat().st_size for p in shown.path.rglob("*") if p.is_file())
    if as_json:
        print_json(
            {
                **_summary(shown),
                **(describe_lineage(shown) if shown.config else {}),
                "kept_epochs": kept_epochs(shown.path),
                "bytes": size,
                "settings": (
                    shown.config.settings.model_dump(mode="json")
                    if shown.config
                    else None
                ),
                "history": shown.history,
                "metrics": shown.metrics,
                "path": str(shown.path),
            }
        )
        return
    out.print(f"[bold]{escape(shown.run_id)}[/]: {shown.state}")
    for text in (
        shown.status.message,
        shown.problem,
        *(_noted(shown.run_id, shown.notes)[1:] if shown.notes != Notes() else ()),
        *lineage_words(shown, translations("en")),
    ):
        if text:
            out.print(escape(text), highlight=False)
    if shown.history:
        columns = ("epoch", "loss", "top1", "val_loss", "val_top1")
        print_table(
            columns,
            [
                (row["epoch"], *(_figure(row.get(name)) for name in columns[1:]))
                for row in shown.history
            ],
        )
    if shown.metrics:
        print_metrics(shown.metrics)
    kept = kept_epochs(shown.path)
    places = ", ".join(f"{shown.run_id}@{epoch}" for epoch in kept)
    out.print(
        f"{escape(str(shown.path))}, {size / 1e6:.1f} MB"
        + (f", can be branched at {escape(places)}." if kept else "."),
        highlight=False,
    )


@runs_app.command("note")
def runs_note(
    run: RunArgument,
    text: Annotated[
        str | None,
        typer.Argument(metavar="[TEXT]", help="The note; an empty one deletes it."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="What menus are to call it; an empty one is its id."),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Add a tag; may be repeated.")
    ] = None,
    untag: Annotated[
        list[str] | None, typer.Option(help="Take a tag away; may be repeated.")
    ] = None,
    pin: Annotated[
        bool | None, typer.Option("--pin/--unpin", help="Show it before other runs.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Note something of a run: a text, another name, tags, a pin.

    Its id stays. Without any, show what is noted.
    """
    from core.runs.notes import change_notes, read_saved_notes

    path = find_run(run)
    notes = read_saved_notes(path)
    asked = {"note": text, "name": name, "is_pinned": pin}
    fields: dict[str, Any] = {k: v for k, v in asked.items() if v is not None}
    if tag or untag:
        left = [known for known in notes.tags if known not in (untag or [])]
        fields["tags"] = [*left, *(tag or [])]
    if fields:
        notes = change_notes(path, **fields)
    if as_json:
        print_json(notes.model_dump(exclude={"format_version"}, mode="json"))
        return
    for line in _noted(path.name, notes):
        out.print(escape(line), highlight=False)


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


@runs_app.command("card")
def runs_card(run: RunArgument) -> None:
    """Print the card of an evaluated network, as Markdown.

    What it is, what it was measured to do, what it can't bear, how it was trained and
    what not to expect. A network that ships has its own in its folder's README.md.
    """
    from core.report.card import make_card
    from core.runs.reading import read_run

    typer.echo(make_card(read_run(find_run(run))), nl=False)


@runs_app.command("stop")
def runs_stop(run: RunArgument) -> None:
    """Ask a running training to save and end at its next step."""
    from core.runs.stopping import request_stop

    run_dir = find_run(run)
    request_stop(run_dir)
    out.print(f"Asked run {escape(run_dir.name)} to stop at its next step.")


@runs_app.command("resume")
def runs_resume() -> None:
    """Go on with all trainings that ended as the machine or its service did.

    They go on in the background, one after the other.
    """
    from core.runs.launch import launch_training, list_interrupted

    interrupted = list_interrupted(data_dir())
    failed = False
    for path in interrupted:
        try:
            launch_training(path, data_dir=data_dir())
        except RunError as error:
            err.print(f"[red]Error:[/] {escape(str(error))}")
            failed = True
        else:
            out.print(f"Run {escape(path.name)} goes on.")
    if not interrupted:
        out.print("No training was interrupted.")
    if failed:
        raise typer.Exit(1)


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

    target = expand_home(folder).absolute()
    export_run(find_run(run), target, with_weights=weights)
    size = sum(path.stat().st_size for path in target.iterdir())
    out.print(f"Wrote {escape(str(target))}, {size / 1e6:.1f} MB.")


@runs_app.command("index")
def runs_index(
    run: RunArgument,
    channels: Annotated[
        bool,
        typer.Option(
            "--channels",
            help="Index which test sketches excite each channel most instead. Ctrl-C "
            "keeps what is done; the same command goes on.",
        ),
    ] = False,
) -> None:
    """Index a run's training sketches anew, to show those nearest to a drawing.

    Every evaluation of a run on its own dataset ends with it.
    """
    run_dir = find_run(run)
    if channels:
        _index_channels(run_dir)
        return
    from core.training.work import index_run_dir

    if index_run_dir(run_dir, data_dir=data_dir()):
        out.print(f"Indexed the training sketches of run {escape(run_dir.name)}.")
    else:
        out.print("Stopped; nothing was changed.")


def _index_channels(run_dir: Path) -> None:
    """Indexes which test sketches excite each channel, with a bar."""
    from core.inference.excitation import index_channels
    from core.runs.stopping import stop_requests

    with progress() as bars, stop_requests(run_dir) as is_stop_requested:
        task = bars.add_task("sketches", total=None)
        finished = index_channels(
            run_dir,
            data_dir=data_dir(),
            report=lambda done, total: bars.update(task, completed=done, total=total),
            is_stop_requested=is_stop_requested,
        )
    if finished:
        out.print(f"Indexed the channels of run {escape(run_dir.name)}.")
    else:
        err.print("Stopped. The same command goes on with what it has kept.")


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
    from core.analysis.metrics import COLUMNS, metric_values

    config, values = run.config, metric_values(run.metrics or {})
    return {
        "run_id": run.run_id,
        **run.notes.model_dump(exclude={"format_version"}, mode="json"),
        "state": run.state,
        "network": config.network if config else None,
        "dataset": config.dataset if config else None,
        "origin": config.origin.run_id if config and config.origin else None,
        "origin_epoch": config.origin.epoch if config and config.origin else None,
        "drawings": config.drawings.dataset if config and config.drawings else None,
        "recipe": config.recipe if config else None,
        "epoch": run.status.epoch,
        "epochs": run.status.epochs,
        **{name: values.get(name) for name in COLUMNS},
        "message": run.status.message,
        "problem": run.problem,
    }


def _noted(run_id: str, notes: Any) -> list[str]:
    """Says what is noted of a run, its id first, then a line each."""
    name, tags = notes.name or run_id, ", ".join(notes.tags) or "none"
    pinned = "pinned" if notes.is_pinned else "not pinned"
    return [
        f"Run {run_id}",
        f"Name: {name}; tags: {tags}; {pinned}.",
        *([f"Note: {notes.note}"] if notes.note else []),
    ]


def print_metrics(metrics: dict[str, Any]) -> None:
    """Prints a run's metrics, a line each."""
    from core.language import translations
    from core.sentences.metrics import metric_rows

    out.print(
        f"Run [bold]{escape(metrics['run_id'])}[/] on {metrics['n']:,} test sketches "
        f"of {escape(metrics['dataset'])}, shares with 95 % intervals:"
    )
    *rows, (title, temperature) = metric_rows([metrics], translations("en"))
    rows.append((title, temperature + _temperature_source(metrics)))
    if "train_top1" in metrics:
        told = f"{percent(metrics['train_top1'])} of {metrics['train_n']:,}"
        rows.append(("Top-1 accuracy on training sketches as they are", told))
    for title, value in rows:
        out.print(f"  {title}: {value}", highlight=False)


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
