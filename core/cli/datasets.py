"""The commands of `dataset`: add, list and remove."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.markup import escape

from core.cli.console import Json, out, print_json, print_table, progress
from core.paths import TRAINED_DIR, data_dir

SHOWN_CLASSES = 12

dataset_app = typer.Typer(no_args_is_help=True, help="Add, list and remove datasets.")


@dataset_app.command("add")
def dataset_add(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME|PATH...",
            help="NAME is a source that needs no path, such as `starter`; without one, "
            "all are listed. PATH is a folder, zip, tar.gz or file, or several: "
            "Sketch_EITZ, the official archive of TU-Berlin, class folders of "
            "pictures, Quick, Draw!'s ndjson, npy or npz.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What to call it; by default after its source.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="A mirror of the official archive.")
    ] = None,
    class_level: Annotated[
        int | None,
        typer.Option(
            help="Which folder of a path is the class: 1 for the first, -1 for the one "
            "that the picture lies in."
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE|PATTERN",
            help="A CSV or JSON table of files and labels, or a pattern of file names "
            "such as `{class}-{group}-*`.",
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="LEVEL|COLUMN",
            help="What stays in one part, such as who drew it: the level of a folder, "
            "or a column of the table.",
        ),
    ] = None,
    keep_copies_together: Annotated[
        bool,
        typer.Option(
            "--keep-copies-together",
            help="Take pictures that a given split has in training and in test for "
            "training.",
        ),
    ] = False,
    encoding: Annotated[
        str | None,
        typer.Option(help="What an old zip's names are written in, such as gbk."),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse rather than pass over any file."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show what would be imported."),
    ] = False,
) -> None:
    """Import sketches and pack them for training."""
    from core.datasets.account import LIST, read_account
    from core.datasets.folders import Reading
    from core.datasets.sources import NAMED, add_dataset, find_dataset
    from core.runs.dataset import shipped_split

    if not what:
        print_table(("name", "what it is"), [(s.name, s.about) for s in NAMED.values()])
        return
    reading = Reading(
        class_level=class_level,
        labels=labels,
        group=group,
        encoding=encoding,
        keep_copies_together=keep_copies_together,
        is_strict=strict,
    )
    wanted = what[0] if len(what) == 1 else what

    def find_split() -> Any:
        return shipped_split(TRAINED_DIR)

    if dry_run:
        found = find_dataset(
            wanted,
            name=name,
            data_dir=data_dir(),
            url=url,
            reading=reading,
            find_split=find_split,
        )
        _print_source(found.source)
        for sentence in found.source.account.sentences():
            out.print(f"  {escape(sentence)}", highlight=False)
        return
    with progress() as bars:

        def start(title: str) -> Callable[[int, int], None]:
            task = bars.add_task(title, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        dataset = add_dataset(
            wanted,
            name=name,
            data_dir=data_dir(),
            url=url,
            reading=reading,
            progress=start,
            find_split=find_split,
            show=_print_source,
        )
    print_dataset(dataset)
    for sentence in read_account(dataset.path):
        out.print(f"  {escape(sentence)}", highlight=False)
    if (dataset.path / LIST).is_file():
        out.print(f"  All files: {escape(str(dataset.path / LIST))}", highlight=False)
    if dataset.attribution:
        out.print(escape(dataset.attribution), style="dim")


def _print_source(source: Any) -> None:
    """Prints which classes were found, before anything is written."""
    counts = Counter(record.label for record in source.records)
    shown = ", ".join(
        f"{name} ({counts[label]:,})"
        for label, name in enumerate(source.class_names[:SHOWN_CLASSES])
    )
    more = len(source.class_names) - SHOWN_CLASSES
    if more > 0:
        shown += f", and {more:,} more"
    out.print(
        f"Found {len(source.records):,} sketches of {len(source.class_names):,} "
        f"classes: {escape(shown)}.",
        highlight=False,
    )


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
