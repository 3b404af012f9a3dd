"""The commands of `drawings`: list, export, remove, and make a dataset."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from core.cli.console import Json, err, out, percent, print_json, print_table
from core.cli.datasets import print_dataset
from core.errors import SketchScopeError
from core.paths import data_dir, expand_home

drawings_app = typer.Typer(
    no_args_is_help=True, help="List, export, remove and learn from kept drawings."
)


@drawings_app.command("list")
def drawings_list(as_json: Json = False) -> None:
    """List the kept drawings, latest first."""
    from core.datasets.drawings import list_drawings

    kept = list_drawings(data_dir())
    if as_json:
        print_json(
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
                    for drawing in kept.kept
                ],
                "damaged": [str(path) for path in kept.damaged],
            }
        )
        return
    for path in kept.damaged:
        err.print(f"{escape(str(path))} is damaged or lacks its other half.")
    if not kept.kept:
        out.print("No drawings are kept yet. Keep one on the page Draw.")
        return
    print_table(
        ("id", "label", "kept at", "from", "guesses"),
        [
            (
                drawing.id,
                drawing.label,
                drawing.created_at,
                drawing.source,
                ", ".join(
                    f"{guess.class_name} {percent(guess.probability, digits=0)}"
                    for guess in drawing.guesses
                ),
            )
            for drawing in kept.kept
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
    target = expand_home(file).absolute()
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
    from core.runs.dataset import make_drawings_dataset

    print_dataset(make_drawings_dataset(data_dir()))
