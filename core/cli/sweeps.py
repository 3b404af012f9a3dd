"""The commands that train many runs: `sweep` and `cross-validate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from core.cli.console import err, out
from core.errors import SketchScopeError
from core.paths import data_dir

if TYPE_CHECKING:
    from core.sweeps.record import SweepRecord
    from core.sweeps.spec import Sweep

app = typer.Typer()

Address = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="A Ray cluster's, such as `10.0.0.1:6379`."),
]


@app.command("sweep")
def sweep(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="What to try.")],
    address: Address = None,
) -> None:
    """Train every trial of a sweep's file on Ray, or go on with them."""
    from core.sweeps.cluster import check_ray
    from core.sweeps.spec import read_sweep

    check_ray()
    _show(_on_ray(read_sweep(file), address))


@app.command("cross-validate")
def cross_validate(
    network: Annotated[
        str, typer.Argument(metavar="simple|resnet18", help="What to train.")
    ],
    dataset: Annotated[str, typer.Option(help="An installed dataset.")],
    folds: Annotated[int, typer.Option(min=2, help="Parts of the dataset.")] = 3,
    recipe: Annotated[str, typer.Option(help="As of `train`.")] = "best",
    epochs: Annotated[int | None, typer.Option(help="Passes over train.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="As of `train`."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the sweep's folder.")] = None,
    address: Address = None,
) -> None:
    """Train a network once for each fold, and score all sketches together.

    All sketches, train and test, are dealt into folds by class; each fold's run
    learns from the others. One after another without `--address`, which needs no
    Ray; the same command again goes on.
    """
    from core.runs.recipes import parse_overrides
    from core.sweeps.spec import parse_sweep

    fields = parse_overrides(assignments or [])
    if epochs is not None:
        fields["epochs"] = epochs
    asked = parse_sweep(
        {
            "dataset": dataset,
            "networks": [network],
            "recipes": [recipe],
            # A list is a choice; a field that is a list is a choice of one.
            "fields": {f: [v] if isinstance(v, list) else v for f, v in fields.items()},
            "seeds": [seed],
            "fold_seed": seed,
            "folds": folds,
        },
        default_name=name or f"{folds}-folds-{dataset}"[:50],
    )
    _show(_here(asked) if address is None else _on_ray(asked, address))


def _begin(asked: "Sweep") -> "SweepRecord":
    from core.datasets.store import open_dataset
    from core.sweeps.plan import plan
    from core.sweeps.record import merge, read_record, sweep_dir, write_record

    open_dataset(asked.dataset, data_dir=data_dir())
    planned = plan(asked)
    earlier = read_record(sweep_dir(asked.name, data_dir=data_dir()))
    return write_record(merge(asked, planned, earlier), data_dir=data_dir())


def _on_ray(asked: "Sweep", address: str | None) -> "SweepRecord":
    from core.sweeps.cluster import check_ray, run_on_ray

    check_ray(asked)
    record = _begin(asked)
    if record.ended < record.total:
        record = run_on_ray(
            record, data_dir=data_dir(), address=address, on_change=_tell
        )
    return record


def _here(asked: "Sweep") -> "SweepRecord":
    """Trains a sweep's trials one after another in this process."""
    from core.sweeps.record import ENDED, write_record
    from core.sweeps.trials import train_trial

    record = _begin(asked)
    for trial in record.trials:
        if trial.state in ENDED:
            continue
        run = train_trial(asked, trial.trial, data_dir=data_dir())
        record = write_record(record, data_dir=data_dir())
        _tell(record)
        if run.state != "finished":
            break
    return record


def _tell(record: "SweepRecord") -> None:
    err.print(f"{record.ended} of {record.total} trials have ended.")


def _show(record: "SweepRecord") -> None:
    """Prints a sweep's trials and, with folds, their pooled accuracy."""
    from core.sweeps.pooling import pool_sweep, write_pooled
    from core.sweeps.record import sweep_dir

    table = Table("run", "fold", "state", "validation top-1", "test top-1", box=None)
    for trial in record.trials:
        table.add_row(
            escape(trial.run_id),
            "" if trial.fold is None else str(trial.fold),
            trial.state,
            "" if trial.val_top1 is None else f"{trial.val_top1:.1%}",
            "" if trial.top1 is None else f"{trial.top1:.1%}",
        )
    out.print(table)
    pooled = pool_sweep(record, data_dir=data_dir())
    if pooled:
        write_pooled(pooled, record, data_dir=data_dir())
    for group in pooled:
        low, high = group.interval
        out.print(
            f"{escape(group.settings)}: pooled top-1 {group.top1:.1%} (95 % interval "
            f"{low:.1%} to {high:.1%}), {group.correct:,} of {group.n:,} sketches in "
            f"{len(group.folds)} of {group.k} folds",
            highlight=False,
        )
    folder = sweep_dir(record.sweep.name, data_dir=data_dir())
    out.print(f"Written to {escape(str(folder))}", highlight=False)
    for trial in record.trials:
        if trial.state == "failed":
            raise SketchScopeError(
                f"Trial {trial.run_id!r} failed: {trial.message or 'see its run.'}"
            )
    if left := record.total - record.ended:
        raise SketchScopeError(f"{left} trials are left; the same command goes on.")
