"""The commands of `dataset` that look through its labels: suspects and versions."""

from typing import Annotated, Literal

import typer
from rich.markup import escape

from core.cli.console import NETWORK, Json, err, out, percent, print_json, print_table
from core.paths import data_dir
from models import FIRST_NETWORK

DatasetName = Annotated[str, typer.Argument(help="An installed dataset.")]


def register(app: typer.Typer) -> None:
    """Adds these commands to those of `dataset`."""
    app.command("suspects")(dataset_suspects)
    app.command("decide")(dataset_decide)
    app.command("version")(dataset_version)


def dataset_suspects(
    name: DatasetName,
    network: Annotated[
        str, typer.Option(metavar=NETWORK, help="What is trained on each fold.")
    ] = FIRST_NETWORK,
    folds: Annotated[int, typer.Option(min=2, help="Parts of train.")] = 4,
    epochs: Annotated[int | None, typer.Option(help="Passes over a fold.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="As of `train`."),
    ] = None,
    anew: Annotated[
        bool,
        typer.Option(
            "--anew",
            help="Ask anew, as with other settings, though answers are stored.",
        ),
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 20,
    as_json: Json = False,
) -> None:
    """List training sketches whose label is suspect.

    Each is judged by a network that has learned the other folds of train, not it. The
    first time they are trained, one after another; the same command goes on with what
    was stopped. The test sketches are neither learned nor judged.
    """
    from core.analysis.label_suspects import find_label_suspects
    from core.cli.sweeps import train_here
    from core.datasets.store import open_dataset
    from core.runs.out_of_fold import read_out_of_fold
    from core.runs.recipes import parse_overrides
    from core.sweeps.out_of_fold import finish_suspects, suspects_sweep

    dataset = open_dataset(name, data_dir=data_dir())
    found = None if anew else read_out_of_fold(dataset)
    if found is None:
        fields = parse_overrides(assignments or [])
        if epochs is not None:
            fields["epochs"] = epochs
        asked = suspects_sweep(
            dataset, network=network, folds=folds, fields=fields, seed=seed
        )
        record = train_here(asked)
        found = finish_suspects(dataset, record, data_dir=data_dir())
    suspects = find_label_suspects(found)
    if as_json:
        print_json([vars(suspect) for suspect in suspects])
        return
    out.print(
        f"{len(suspects):,} of {len(found.ids):,} training sketches of dataset "
        f"[bold]{escape(name)}[/] have a suspect label.",
        highlight=False,
    )
    print_table(
        ("sketch", "label", "", "likely", ""),
        [
            (
                suspect.id,
                suspect.label,
                percent(suspect.label_probability, digits=0),
                suspect.likely,
                percent(suspect.likely_probability, digits=0),
            )
            for suspect in suspects[:limit]
        ],
    )


def dataset_decide(
    name: DatasetName,
    sketch: Annotated[str, typer.Argument(help="The sketch's id.")],
    verdict: Annotated[
        Literal["right", "wrong", "ambiguous", "not_a_drawing", "undo"],
        typer.Argument(help="`wrong` needs --label."),
    ],
    label: Annotated[str, typer.Option(help="The right class, with `wrong`.")] = "",
    why: Annotated[str, typer.Option(help="The reason.")] = "",
) -> None:
    """Decide about a sketch's label, or take the latest decision back.

    Decisions are lines of a file in the dataset's folder; `dataset version` applies
    them. A test sketch can only be called ambiguous: its label stays.
    """
    from core.datasets import decisions
    from core.datasets.store import open_dataset
    from core.runs.status import utc_now

    dataset = open_dataset(name, data_dir=data_dir())
    if verdict == "undo":
        taken = decisions.undo(dataset, sketch, at=utc_now())
        out.print(
            f"Took back {escape(taken.id)}: {taken.verdict} {escape(taken.label)}"
        )
        return
    decisions.decide(dataset, sketch, verdict, at=utc_now(), label=label, why=why)
    out.print(f"{escape(sketch)}: {verdict} {escape(label)}")


def dataset_version(
    name: Annotated[
        str, typer.Argument(help="An installed dataset, or NAME@VERSION to show one.")
    ],
    as_name: Annotated[
        str | None, typer.Option("--as", help="Its name; by default v1, v2, ….")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a version of a dataset from its decisions, and show what differs.

    `train --dataset NAME@VERSION` learns from it. Pictures, test sketches and their
    labels are the dataset's own.
    """
    from core.datasets.decisions import read_decisions
    from core.datasets.store import open_dataset
    from core.datasets.versions import (
        SIGN,
        DatasetVersion,
        count_classes,
        differences,
        make_version,
        open_any,
        version_before,
    )
    from core.runs.status import utc_now

    if SIGN in name:
        version = open_any(name, data_dir=data_dir())
        assert isinstance(version, DatasetVersion)
    else:
        dataset = open_dataset(name, data_dir=data_dir())
        if sentence := read_decisions(dataset).sentence(dataset):
            err.print(escape(sentence), highlight=False)
        version = make_version(dataset, at=utc_now(), name=as_name)
    before = version_before(version)
    changes = differences(before, version)
    counts = count_classes(before), count_classes(version)
    by_class = [
        {"class": one, "before": counts[0][one], "after": counts[1][one]}
        for one in version.class_names
        if any(one in (change.before, change.after) for change in changes)
    ]
    if as_json:
        print_json(
            {
                "name": version.name,
                "fingerprint": version.fingerprint,
                "before": before.name,
                "train": version.num_train,
                "ambiguous": sorted(version.ambiguous),
                "classes": by_class,
                "changes": [vars(change) for change in changes],
            }
        )
        return
    out.print(
        f"Dataset [bold]{escape(version.name)}[/]: {version.num_train:,} training "
        f"sketches; {len(changes):,} differ from {escape(before.name)}, "
        f"{len(version.ambiguous):,} are called ambiguous.",
        highlight=False,
    )
    print_table(
        ("class", before.name, version.name),
        [tuple(row.values()) for row in by_class],
    )
    print_table(
        ("sketch", before.name, version.name),
        [(one.id, one.before or "-", one.after or "-") for one in changes],
    )
