"""The commands that use a trained run: classify, report and export."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.markup import escape

from core.cli.console import Json, complain, out, print_json
from core.cli.runs import RunArgument, find_run
from core.errors import SketchScopeError
from core.paths import TRAINED_DIR, data_dir, expand_home

if TYPE_CHECKING:
    from core.inference.classify import Prediction
    from core.inference.turning import Turned


def classify(
    files: Annotated[
        list[Path],
        typer.Argument(help="Pictures of sketches, in any format; SVG and PDF too."),
    ],
    run: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="By default the best run that ships."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Guesses a picture.")] = 5,
    as_json: Json = False,
    as_jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print a line of JSON for each picture.")
    ] = False,
) -> None:
    """Name what pictures show.

    Of several, those that can't be read are named, the others answered, and the exit
    code is 1.
    """
    from core.inference.classify import Classifier, best_run, read_sketches
    from core.inference.turning import find_turned
    from core.runs.reading import read_config

    if run is None:
        run_dir = best_run(data_dir=data_dir(), trained_dir=TRAINED_DIR)
    else:
        run_dir = find_run(run)
    read = read_sketches(files, config=read_config(run_dir))
    if len(read) == 1 and isinstance(read[0], SketchScopeError):
        raise read[0]
    sketches = [sketch for sketch in read if not isinstance(sketch, SketchScopeError)]
    classifier = Classifier(run_dir)
    several = np.stack(sketches) if sketches else None
    answers = iter([] if several is None else classifier(several, top=top))
    turns = iter([] if several is None else find_turned(classifier, several))
    turned = [None if isinstance(s, SketchScopeError) else next(turns) for s in read]
    results: list[tuple[Path, list[Prediction] | SketchScopeError]] = [
        (file, sketch if isinstance(sketch, SketchScopeError) else next(answers))
        for file, sketch in zip(files, read, strict=True)
    ]
    if as_json or as_jsonl:
        rows = [
            {"file": str(file), **_as_json(result, side)}
            for (file, result), side in zip(results, turned, strict=True)
        ]
        if as_jsonl:
            for row in rows:
                print_json(row, indent=None)
        else:
            print_json(rows)
    shown = [] if as_json or as_jsonl else zip(results, turned, strict=True)
    for (file, result), side in shown:
        if isinstance(result, SketchScopeError):
            complain(str(result))
            continue
        out.print(f"[bold]{escape(str(file))}[/]")
        for guess in result:
            out.print(f"  {guess.probability:6.1%}  {escape(guess.class_name)}")
        if side is not None:
            out.print(
                f"  It may lie on its side. Turned by {abs(side.degrees)}° to the "
                f"{'left' if side.degrees > 0 else 'right'}: "
                f"{escape(side.guess.class_name)}, {side.guess.probability:.1%}.",
                highlight=False,
            )
    if len(sketches) < len(files):
        raise typer.Exit(1)


def _as_json(
    result: "list[Prediction] | SketchScopeError", side: "Turned | None"
) -> dict[str, Any]:
    """Returns what JSON says of one picture, and of it turned if that may be right."""
    if isinstance(result, SketchScopeError):
        return {"error": str(result)}
    told: dict[str, Any] = {"predictions": [_guess(guess) for guess in result]}
    if side is not None:
        told["turned"] = {"degrees_left": side.degrees, **_guess(side.guess)}
    return told


def _guess(guess: "Prediction") -> dict[str, Any]:
    return {"class": guess.class_name, "probability": guess.probability}


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
        [find_run(run) for run in runs], data_dir=data_dir(), language=language
    )
    folder = (
        data_dir() / "reports" / made.name
        if output is None
        else expand_home(output).absolute()
    )
    made.write(folder)
    if as_json:
        print_json(
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
    run_dir = find_run(run)
    folder = (
        data_dir() / "exports" / f"{run_dir.name}-{format_name.replace('_', '-')}"
        if target is None
        else expand_home(target).absolute()
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
        print_json(
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
