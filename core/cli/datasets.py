"""The commands of `dataset`: add, list and remove."""

import time
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.markup import escape

from core.cli.console import Json, out, print_json, print_table, progress
from core.paths import TRAINED_DIR, data_dir

dataset_app = typer.Typer(no_args_is_help=True, help="Add, list and remove datasets.")


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
    from core.runs.dataset import shipped_split

    with progress() as bars:

        def start(title: str) -> Callable[[int, int], None]:
            task = bars.add_task(title, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        dataset = add_dataset(
            what,
            name=name,
            data_dir=data_dir(),
            url=url or URL,
            progress=start,
            find_split=lambda: shipped_split(TRAINED_DIR),
        )
    print_dataset(dataset)
    if dataset.attribution:
        out.print(escape(dataset.attribution), style="dim")


@dataset_app.command("list")
def dataset_list(as_json: Json = False) -> None:
    """List the installed datasets."""
    from core.datasets.store import list_datasets
    from core.datasets.variants import count_variants

    datasets = list_datasets(data_dir())
    if as_json:
        print_json(
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
    print_table(
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
    with progress() as bars:
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


def print_dataset(dataset: Any) -> None:
    """Prints a dataset's name and size in one line."""
    out.print(
        f"Dataset [bold]{dataset.name}[/]: {dataset.num_classes} classes, "
        f"{dataset.num_train:,} training and {dataset.num_test:,} test sketches."
    )
