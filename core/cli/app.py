"""The command line: `python -m core …`.

Results go to standard output, and with `--json` nothing but one JSON document does;
progress and errors go to standard error. A SketchScopeError ends in one line and
exit code 2.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from core.cli import sweeps
from core.errors import SketchScopeError
from core.paths import TRAINED_DIR, data_dir
from core.runs.folder import CHECKPOINT_INTERVAL_S

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Train, evaluate and use sketch classifiers.\n\n"
    "Begin with a dataset that needs no download:\n\n"
    "    python -m core dataset add starter\n\n"
    "    python -m core train simple --dataset starter --recipe best\n\n"
    "Everything is written to `data/`, or to the folder that the environment variable "
    "`SKETCHSCOPE_DATA` names.",
)
dataset_app = typer.Typer(no_args_is_help=True, help="Add, list and remove datasets.")
drawings_app = typer.Typer(
    no_args_is_help=True, help="List, export, remove and learn from kept drawings."
)
runs_app = typer.Typer(
    no_args_is_help=True, help="List, show, stop, export, index and remove runs."
)
owner_app = typer.Typer(
    no_args_is_help=True, help="Set or remove the passphrase of the dashboard's owner."
)
app.add_typer(dataset_app, name="dataset")
app.add_typer(runs_app, name="runs")
app.add_typer(drawings_app, name="drawings")
app.add_typer(owner_app, name="owner")
app.add_typer(sweeps.app)

# Lines are broken for people only, not in a file or a pipe.
out = Console(emoji=False, soft_wrap=not sys.stdout.isatty())
err = Console(stderr=True, emoji=False, soft_wrap=not sys.stderr.isatty())

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run id or folder.")]


def main() -> None:
    """Runs the command line and exits."""
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except SketchScopeError as error:
        _end(str(error))
    except typer.TyperException as error:
        message = error.format_message()
        if not message:  # a group without a command, which has shown its help
            sys.exit(2)
        stop = "" if message.endswith((".", "?", ")")) else "."
        _end(f"{message}{stop} `--help` after a command tells what it takes.")
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _end(f"{error.filename or 'The disk'}: {error.strerror or error}.")


def _end(message: str) -> NoReturn:
    """Prints an error as one line and exits with 2."""
    # Not through Rich, which would wrap the line.
    sys.stderr.write(f"Error: {' '.join(message.split())}\n")
    sys.exit(2)


@dataset_app.command("add")
def dataset_add(
    what: Annotated[
        str,
        typer.Argument(
            metavar="starter|PATH|tu-berlin",
            help="`starter` draws 20 classes of simple things in seconds. `tu-berlin` "
            "downloads the 20,000 sketches of Eitz et al. (525 MB, CC BY 4.0); an "
            "interrupted download goes on. PATH is a zip or folder: Sketch_EITZ, the "
            "official archive, or any folder of class folders.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="What to call it; by default after its source.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="A mirror of the official archive.")
    ] = None,
) -> None:
    """Import sketches and pack them for training."""
    from core.datasets.sources import add_dataset
    from core.datasets.tu_berlin import URL

    with _progress() as bars:

        def start(title: str) -> Callable[[int, int], None]:
            task = bars.add_task(title, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        dataset = add_dataset(
            what, name=name, data_dir=data_dir(), url=url or URL, progress=start
        )
    _print_dataset(dataset)
    if dataset.attribution:
        out.print(escape(dataset.attribution), style="dim")


@dataset_app.command("list")
def dataset_list(as_json: Json = False) -> None:
    """List the installed datasets."""
    from core.datasets.store import list_datasets
    from core.datasets.variants import count_variants

    datasets = list_datasets(data_dir())
    if as_json:
        _print_json(
            [
                {
                    "name": dataset.name,
                    "num_classes": dataset.num_classes,
                    "train": dataset.num_train,
                    "test": dataset.num_test,
                    "variants": count_variants(dataset),
                    "path": str(dataset.path),
                    "kind": dataset.kind,
                    "origin": dataset.origin,
                    "split_fingerprint": dataset.split_fingerprint,
                }
                for dataset in datasets
            ]
        )
        return
    if not datasets:
        out.print("No dataset is installed. `python -m core dataset add starter`")
        return
    _print_table(
        ("name", "classes", "train", "test", "variants", "from"),
        [
            (
                d.name,
                d.num_classes,
                f"{d.num_train:,}",
                f"{d.num_test:,}",
                count_variants(d) or "-",
                d.origin,
            )
            for d in datasets
        ],
    )


@dataset_app.command("variants")
def dataset_variants(
    name: Annotated[str, typer.Argument(help="An installed dataset.")],
) -> None:
    """Make stroke variants of its training sketches, for `stroke_variants`.

    Each training sketch is traced and redrawn as people draw in a hurry: fewer,
    simpler, shakier strokes. A making that was stopped goes on where it was.
    """
    from core.datasets.store import open_dataset
    from core.datasets.variants import make_variants

    dataset = open_dataset(name, data_dir=data_dir())
    begin = time.monotonic()
    with _progress() as bars:
        task = bars.add_task("Stroke variants", total=None)
        variants = make_variants(
            dataset,
            progress=lambda done, total: bars.update(task, completed=done, total=total),
        )
    out.print(
        f"Dataset [bold]{escape(name)}[/]: {variants.count} stroke variants of each of "
        f"{dataset.num_train:,} training sketches, "
        f"{time.monotonic() - begin:,.0f} seconds."
    )


@dataset_app.command("remove")
def dataset_remove(name: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Delete an installed dataset; runs trained on it stay."""
    from core.datasets.store import remove_dataset

    remove_dataset(name, data_dir=data_dir())
    out.print(f"Removed dataset {escape(name)}.")


@app.command("train")
def train(
    network: Annotated[
        str | None, typer.Argument(metavar="simple|resnet18", help="What to train.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="An installed dataset.")] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="`best`, the default, is tuned for sketches; `report` is the course "
            "report's: 50 epochs with Keras's defaults; `finetune` goes on with a few "
            "drawings."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over train.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
    run_id: Annotated[str | None, typer.Option(help="The new run's name.")] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Override a field of the recipe; may be repeated. "
            "`python -m core recipes` lists them.",
        ),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="RUN[@EPOCH]",
            help="Begin with the weights of a trained run instead of random ones. With "
            "@EPOCH, branch a run: go on from the checkpoint that it kept then, with "
            "its optimizer, history and settings; `runs show` tells which it kept.",
        ),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="A trained run to learn from besides the labels, by the share that "
            "`--set distillation=…` gives its answers.",
        ),
    ] = None,
    calibration: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="With `--set val_fraction=0`: the run whose temperature is taken, "
            "since none can be fitted; by default the teacher's or the origin's.",
        ),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Go on with a run that was stopped or killed."
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until no other training runs.")
    ] = False,
    checkpoint_every: Annotated[
        float,
        typer.Option(min=0, help="Seconds between checkpoints within an epoch."),
    ] = CHECKPOINT_INTERVAL_S,
    no_evaluate: Annotated[
        bool,
        typer.Option(
            "--no-evaluate",
            help="Leave the test sketches alone: settings are chosen by validation.",
        ),
    ] = False,
    backend: Annotated[
        str | None,
        typer.Option(
            metavar="tensorflow|jax",
            help="What Keras computes with; JAX needs requirements-jax.txt.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="cpu|gpu",
            help="`cpu` leaves accelerators alone, `gpu` refuses to do without; by "
            "default what is there. `--set precision=mixed_bfloat16` halves the "
            "memory on those that have it.",
        ),
    ] = None,
    data_parallel: Annotated[
        bool,
        typer.Option(
            "--data-parallel", help="Share each batch among all devices (JAX)."
        ),
    ] = False,
) -> None:
    """Train a network and evaluate it, or go on with `--resume RUN`.

    `--dataset my-drawings --from RUN --recipe finetune` goes on from a trained run
    with kept drawings. `--from RUN@EPOCH --set val_fraction=0` goes on from within a
    run with all training sketches, none held out.

    Ctrl-C stops at the next step and keeps everything.
    """
    from core.runs.ancestry import branch
    from core.runs.create import DEFAULT_RECIPE, create_run
    from core.runs.reading import read_config, read_run
    from core.runs.recipes import make_settings, parse_overrides
    from core.training.backend import choose_backend, share_batches
    from core.training.work import train_run_dir

    choose_backend(backend, device=device)
    if resume is not None:
        given = (
            *(network, dataset, recipe, epochs, seed, run_id, assignments),
            *(origin, teacher, calibration),
        )
        if any(value not in (None, []) for value in given):
            raise SketchScopeError(
                "--resume goes on with a run as it was begun; it takes no other "
                "settings."
            )
        run_dir = _find_run(resume)
        if data_parallel:
            share_batches(read_config(run_dir).settings.batch_size)
    else:
        if network is None or dataset is None:
            raise SketchScopeError(
                "Name a network and a --dataset, or a run to --resume. For example: "
                "python -m core train simple --dataset starter --recipe best"
            )
        overrides = parse_overrides(assignments or [])
        overrides |= {
            field: value
            for field, value in (("epochs", epochs), ("seed", seed))
            if value is not None
        }
        origin_dir, origin_epoch = _find_origin(origin)
        if data_parallel:
            settings = (
                make_settings(network, recipe or DEFAULT_RECIPE, overrides)
                if origin_dir is None or origin_epoch is None
                else branch(origin_dir, origin_epoch, network, recipe, overrides)[1]
            )
            share_batches(settings.batch_size)
        run_dir = create_run(
            network,
            dataset,
            recipe,
            data_dir=data_dir(),
            run_id=run_id,
            overrides=overrides,
            origin=origin_dir,
            origin_epoch=origin_epoch,
            teacher=None if teacher is None else _find_run(teacher),
            calibration=None if calibration is None else _find_run(calibration),
        )
    err.print(f"Run [bold]{escape(run_dir.name)}[/] in {escape(str(run_dir))}")
    with _progress() as bars:
        finished = train_run_dir(
            run_dir,
            data_dir=data_dir(),
            wait=wait,
            report=_training_report(bars),
            checkpoint_interval_s=checkpoint_every,
            evaluate=not no_evaluate,
        )
    if finished and read_config(run_dir).is_tested and not no_evaluate:
        _print_metrics(_metrics(run_dir))
    elif finished:
        out.print(
            f"Run [bold]{escape(run_dir.name)}[/] is trained. "
            f"{escape(read_run(run_dir).status.message)}"
        )
    else:
        out.print(
            f"Stopped. Go on with: python -m core train --resume {escape(run_dir.name)}"
        )


@app.command("evaluate")
def evaluate(
    run: RunArgument,
    dataset: Annotated[
        str | None,
        typer.Option(help="Another dataset than the run's own, of the same classes."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Score a trained run on all test sketches."""
    from core.training.work import evaluate_run_dir

    run_dir = _find_run(run)
    metrics = evaluate_run_dir(run_dir, data_dir=data_dir(), dataset_name=dataset)
    if as_json:
        _print_json(metrics)
    else:
        _print_metrics(metrics)


@app.command("classify")
def classify(
    files: Annotated[
        list[Path], typer.Argument(help="PNG, JPEG or WebP pictures of sketches.")
    ],
    run: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="By default the best run that ships."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Guesses a picture.")] = 5,
    as_json: Json = False,
) -> None:
    """Name what pictures show."""
    from core.inference.classify import Classifier, best_run, read_sketches

    sketches = read_sketches(files)
    if run is None:
        run_dir = best_run(data_dir=data_dir(), trained_dir=TRAINED_DIR)
    else:
        run_dir = _find_run(run)
    answers = Classifier(run_dir)(sketches, top=top)
    if as_json:
        _print_json(
            [
                {
                    "file": str(file),
                    "predictions": [
                        {"class": guess.class_name, "probability": guess.probability}
                        for guess in guesses
                    ],
                }
                for file, guesses in zip(files, answers, strict=True)
            ]
        )
        return
    for file, guesses in zip(files, answers, strict=True):
        out.print(f"[bold]{escape(str(file))}[/]")
        for guess in guesses:
            out.print(f"  {guess.probability:6.1%}  {escape(guess.class_name)}")


@app.command("report")
def report(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="An evaluated run, or two that were scored on the same sketches.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where to write it: a new folder, or an earlier report's. By default "
            "under `data/reports/`.",
        ),
    ] = None,
    language: Annotated[
        str, typer.Option(metavar="en|es", help="What it is written in.")
    ] = "en",
    as_json: Json = False,
) -> None:
    """Write a report: one page that works offline, and its tables as CSV."""
    from core.report import make_report

    made = make_report(
        [_find_run(run) for run in runs], data_dir=data_dir(), language=language
    )
    folder = (
        data_dir() / "reports" / made.name
        if output is None
        else output.expanduser().absolute()
    )
    made.write(folder)
    if as_json:
        _print_json(
            {
                "folder": str(folder),
                "files": sorted(made.files),
                "title": made.title,
                "opening": list(made.opening),
            }
        )
        return
    size = sum(map(len, made.files.values()))
    out.print(f"Wrote {escape(str(folder))}, {size / 1e6:.1f} MB:", highlight=False)
    for sentence in made.opening:
        out.print(f"  {escape(sentence)}", highlight=False)


@app.command("export")
def export(
    run: RunArgument,
    target: Annotated[
        Path | None,
        typer.Argument(help="A folder to make; by default under `data/exports/`."),
    ] = None,
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="run|onnx|openvino|tf_saved_model|litert",
            help="`run` is a small copy of a finished run, for this program. The "
            "others are one model, from sketches to probabilities, for other programs; "
            "each is compared with Keras before it is handed out.",
        ),
    ] = "run",
    as_json: Json = False,
) -> None:
    """Write a trained network in a form that leaves this program."""
    run_dir = _find_run(run)
    folder = (
        data_dir() / "exports" / f"{run_dir.name}-{format_name.replace('_', '-')}"
        if target is None
        else target.expanduser().absolute()
    )
    if format_name == "run":
        from core.runs.copies import export_run

        export_run(run_dir, folder)
        model, difference = folder, None
    else:
        from core.export.models import export_model

        exported = export_model(run_dir, folder, format_name=format_name)
        model, difference = exported.model, exported.difference
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if as_json:
        _print_json(
            {
                "format": format_name,
                "folder": str(folder),
                "model": str(model),
                "bytes": size,
                "largest_difference": difference,
            }
        )
        return
    out.print(f"Wrote {escape(str(folder))}, {size / 1e6:.1f} MB.", highlight=False)
    if difference is not None:
        from core.export.models import MAX_DIFFERENCE, PARITY_SKETCHES

        out.print(
            f"{escape(model.name)} answers as Keras does: on {PARITY_SKETCHES} "
            "sketches the likeliest class is the same and no probability differs by "
            f"more than {difference:.1g} ({MAX_DIFFERENCE:g} is allowed).",
            highlight=False,
        )


@runs_app.command("list")
def runs_list(as_json: Json = False) -> None:
    """List all runs, one's own and those that ship."""
    from core.runs.reading import list_runs

    runs = list_runs(data_dir=data_dir(), trained_dir=TRAINED_DIR)
    if as_json:
        _print_json([_summary(run) for run in runs])
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
    _print_table(
        ("run", "state", "network", "dataset", "recipe", "epoch", "test top-1"), rows
    )


@runs_app.command("show")
def runs_show(run: RunArgument, as_json: Json = False) -> None:
    """Show a run's settings, history and figures."""
    from core.analysis.record import describe_lineage, tell_lineage
    from core.runs.folder import kept_epochs
    from core.runs.reading import read_run

    found = read_run(_find_run(run))
    size = sum(p.stat().st_size for p in found.path.rglob("*") if p.is_file())
    if as_json:
        _print_json(
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
        _print_table(
            columns,
            [
                (row["epoch"], *(_figure(row.get(name)) for name in columns[1:]))
                for row in found.history
            ],
        )
    if found.metrics:
        _print_metrics(found.metrics)
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

    _print_json(
        make_record(
            [read_run(_find_run(run)) for run in runs],
            others=list_runs(data_dir=data_dir(), trained_dir=TRAINED_DIR),
            scored=[] if earlier is None else read_scored(earlier),
        )
    )


@runs_app.command("stop")
def runs_stop(run: RunArgument) -> None:
    """Ask a running training to save and end at its next step."""
    from core.runs.stopping import request_stop

    run_dir = _find_run(run)
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
    export_run(_find_run(run), target, with_weights=weights)
    size = sum(path.stat().st_size for path in target.iterdir())
    out.print(f"Wrote {escape(str(target))}, {size / 1e6:.1f} MB.")


@runs_app.command("index")
def runs_index(run: RunArgument) -> None:
    """Index a run's training sketches anew, to show those nearest to a drawing.

    Every evaluation of a run on its own dataset ends with it.
    """
    from core.training.work import index_run_dir

    run_dir = _find_run(run)
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


@drawings_app.command("list")
def drawings_list(as_json: Json = False) -> None:
    """List the kept drawings, latest first."""
    from core.datasets.drawings import list_drawings

    found = list_drawings(data_dir())
    if as_json:
        _print_json(
            {
                "kept": [
                    {
                        "id": drawing.id,
                        "label": drawing.label,
                        "created_at": drawing.created_at,
                        "source": drawing.source,
                        "guesses": [
                            {
                                "run_id": guess.run_id,
                                "class": guess.class_name,
                                "probability": guess.probability,
                            }
                            for guess in drawing.guesses
                        ],
                        "png": str(drawing.png),
                        "strokes": str(drawing.strokes),
                    }
                    for drawing in found.kept
                ],
                "damaged": [str(path) for path in found.damaged],
            }
        )
        return
    for path in found.damaged:
        err.print(f"{escape(str(path))} is damaged or lacks its other half.")
    if not found.kept:
        out.print("No drawings are kept yet. Keep one on the page Draw.")
        return
    _print_table(
        ("id", "label", "kept at", "from", "guesses"),
        [
            (
                drawing.id,
                drawing.label,
                drawing.created_at,
                drawing.source,
                ", ".join(
                    f"{guess.class_name} {guess.probability:.0%}"
                    for guess in drawing.guesses
                ),
            )
            for drawing in found.kept
        ],
    )


@drawings_app.command("export")
def drawings_export(
    file: Annotated[Path, typer.Argument(help="A zip to write.")],
) -> None:
    """Pack the kept drawings into a zip that `dataset add` can read."""
    from core.datasets.drawings import export_drawings
    from core.files import replacing

    content = export_drawings(data_dir())
    target = file.expanduser().absolute()
    if target.exists():
        raise SketchScopeError(f"{target} exists already. Choose another name.")
    with replacing(target) as temporary:
        temporary.write_bytes(content)
    out.print(f"Wrote {escape(str(target))}, {len(content) / 1e6:.1f} MB.")


@drawings_app.command("remove")
def drawings_remove(
    drawing_id: Annotated[str, typer.Argument(metavar="ID", help="Its id.")],
) -> None:
    """Delete a kept drawing."""
    from core.datasets.drawings import remove_drawing

    remove_drawing(drawing_id, data_dir=data_dir())
    out.print(f"Removed drawing {escape(drawing_id)}.")


@drawings_app.command("dataset")
def drawings_dataset() -> None:
    """Make the kept drawings the dataset `my-drawings`, for `train --from`."""
    from core.datasets.drawings_dataset import make_drawings_dataset

    _print_dataset(make_drawings_dataset(data_dir()))


@app.command("doctor")
def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what can be mended without loss.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look for what is wrong with the installation, the datasets and the runs.

    Exit code 1 if a problem is left.
    """
    from core.cli.examination import examine

    findings = examine(data_dir=data_dir(), trained_dir=TRAINED_DIR)
    mended = []
    if fix:
        for finding in findings:
            if finding.mend is not None:
                finding.mend()
                mended.append(f"{finding.subject}: {finding.detail}")
        findings = examine(data_dir=data_dir(), trained_dir=TRAINED_DIR)
        left = {f"{finding.subject}: {finding.detail}" for finding in findings}
        mended = [what for what in mended if what not in left]
    if as_json:
        _print_json(
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


@owner_app.command("set")
def owner_set() -> None:
    """Ask for a passphrase and keep its hash.

    Read from standard input where that is no terminal.
    """
    from getpass import getpass

    from core.ownership import set_passphrase

    if sys.stdin.isatty():
        passphrase = getpass("Passphrase: ")
        if passphrase != getpass("Once more: "):
            raise SketchScopeError("The two passphrases differ; nothing was changed.")
    else:
        passphrase = sys.stdin.readline().rstrip("\r\n")
    set_passphrase(passphrase, data_dir=data_dir())
    out.print(
        "The passphrase is set. The dashboard asks for it before it starts, stops, "
        "imports, keeps or removes anything."
    )


@owner_app.command("remove")
def owner_remove() -> None:
    """Forget the passphrase; only who sits at the machine is the owner then."""
    from core.ownership import remove_passphrase

    remove_passphrase(data_dir())
    out.print("The passphrase is removed.")


@app.command("recipes")
def recipes(as_json: Json = False) -> None:
    """List every setting, with what each recipe gives it."""
    from core.runs.config import Settings
    from core.runs.recipes import RECIPES, make_settings
    from models import NETWORKS

    settings = {
        (recipe, network): make_settings(network, recipe)
        for recipe in RECIPES
        for network in NETWORKS
    }
    if as_json:
        _print_json(
            [
                {"recipe": r, "network": n, **found.model_dump(mode="json")}
                for (r, n), found in settings.items()
            ]
        )
        return
    _print_table(
        ("field", *(f"{r} {n}" for r, n in settings), "meaning"),
        [
            (
                field,
                *(str(getattr(found, field)) for found in settings.values()),
                info.description or "",
            )
            for field, info in Settings.model_fields.items()
        ],
    )


@app.command("benchmark")
def benchmark(
    dataset: Annotated[str, typer.Option(help="An installed dataset.")],
    pngs: Annotated[
        Path | None,
        typer.Option(
            help="The dataset's zip or folder of PNGs, to measure the report's way of "
            "reading them as well."
        ),
    ] = None,
    steps: Annotated[int, typer.Option(min=2, help="Steps a measurement.")] = 12,
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of each.")] = 3,
    as_json: Json = False,
) -> None:
    """Measure training throughput beside its upper bound and the report's way.

    Let nothing else run meanwhile; machines are noisy, so trust the ratios.
    """
    from core.datasets.store import open_dataset
    from core.training.benchmark import benchmark_training

    rows = benchmark_training(
        open_dataset(dataset, data_dir=data_dir()),
        pngs=pngs,
        steps=steps,
        rounds=rounds,
    )
    if as_json:
        _print_json(rows)
        return
    _print_table(
        ("network", "way", "images/s", "ratio to bare"),
        [
            (r["network"], r["way"], f"{r['images_per_s']:.1f}", f"{r['ratio']:.2f}")
            for r in rows
        ],
    )


def _find_run(run: str) -> Path:
    from core.runs.reading import find_run_dir

    return find_run_dir(run, data_dir=data_dir(), trained_dir=TRAINED_DIR)


def _find_origin(origin: str | None) -> tuple[Path | None, int | None]:
    """Finds the run that another goes on from, and where it is branched, if it is."""
    if origin is None:
        return None, None
    run, at, epoch = origin.rpartition("@")
    if at and epoch.isdecimal():
        return _find_run(run), int(epoch)
    return _find_run(origin), None


def _print_dataset(dataset: Any) -> None:
    out.print(
        f"Dataset [bold]{dataset.name}[/]: {dataset.num_classes} classes, "
        f"{dataset.num_train:,} training and {dataset.num_test:,} test sketches."
    )


def _metrics(run_dir: Path) -> dict[str, Any]:
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


def _print_metrics(metrics: dict[str, Any]) -> None:
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


def _print_json(value: Any) -> None:
    """Prints one JSON document, on standard output and unwrapped."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = Table(*columns, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    out.print(table)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Shows progress bars on standard error, where that is a terminal."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as bars:
        yield bars


def _training_report(bars: Progress) -> Callable[[Any, Any], None]:
    """Returns what shows a training's progress: a bar, and a line an epoch."""
    task = bars.add_task("Starting", total=None)
    shown = -1

    def report(status: Any, history: Sequence[dict[str, Any]]) -> None:
        nonlocal shown
        total = status.epochs * status.steps_per_epoch
        done = status.epoch * status.steps_per_epoch + status.step
        loss = "" if status.loss is None else f" loss {status.loss:.3f}"
        speed = "" if status.images_per_s is None else f" {status.images_per_s:.0f}/s"
        bars.update(
            task,
            completed=done,
            total=total or None,
            description=f"{status.phase}{loss}{speed}",
        )
        # What an earlier sitting did is not told again.
        if shown < 0:
            shown = len(history)
        for row in history[shown:]:
            validation = (
                f"validation loss {row['val_loss']:.3f}, top-1 {row['val_top1']:.1%}"
                if "val_top1" in row
                else "without validation"
            )
            err.print(
                f"epoch {row['epoch']}/{status.epochs}: loss {row['loss']:.3f}, "
                f"top-1 {row['top1']:.1%}; {validation}",
                highlight=False,
            )
        shown = len(history)

    return report
