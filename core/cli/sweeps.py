"""The commands that train many runs: `sweep` and `cross-validate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from core.cli.console import NETWORK, err, out, percent
from core.errors import ConfigError, SketchScopeError, message_of
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
    wait: Annotated[
        bool,
        typer.Option(
            "--wait", help="One after another, each once no other training runs."
        ),
    ] = False,
) -> None:
    """Train every trial of a sweep's file, or go on with them.

    On Ray where it is installed, as many at once as there are cores, else one after
    another; `asha`, `search: optuna` and `--address` need it.
    """
    from core.sweeps.cluster import is_ray_installed, needs_ray
    from core.sweeps.spec import read_sweep

    asked = read_sweep(file)
    wants_ray = address is not None or needs_ray(asked)
    if wait and wants_ray:
        raise ConfigError(
            "`--wait` trains one trial after another, without Ray, which `--address`, "
            "`asha` and `search: optuna` need."
        )
    if wants_ray or (not wait and is_ray_installed()):
        _show(_on_ray(asked, address))
    else:
        _show(train_here(asked, wait=wait))


@app.command("cross-validate")
def cross_validate(
    network: Annotated[str, typer.Argument(metavar=NETWORK, help="What to train.")],
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
    _show(train_here(asked) if address is None else _on_ray(asked, address))


def _begin(asked: "Sweep") -> "SweepRecord":
    from core.datasets.versions import open_any
    from core.sweeps.plan import plan
    from core.sweeps.record import merge, read_record, sweep_dir, write_record

    open_any(asked.dataset, data_dir=data_dir())
    planned = plan(asked)
    earlier = read_record(sweep_dir(asked.name, data_dir=data_dir()))
    return write_record(merge(asked, planned, earlier), data_dir=data_dir())


def _on_ray(asked: "Sweep", address: str | None) -> "SweepRecord":
    from core.sweeps.cluster import check_ray, run_on_ray
    from core.sweeps.record import sweeping

    check_ray(asked)
    with sweeping(asked.name, data_dir=data_dir()):
        record = _begin(asked)
        if record.ended < record.total:
            record = run_on_ray(
                record, data_dir=data_dir(), address=address, on_change=_tell
            )
        return record


def train_here(asked: "Sweep", *, wait: bool = False) -> "SweepRecord":
    """Trains a sweep's trials one after another in this process.

    One that fails, as where the loss diverges, doesn't keep the others from their
    turn; one that is stopped ends the sweep for now.
    """
    from core.sweeps.record import ENDED, sweeping, write_record
    from core.sweeps.trials import train_trial
    from core.training.backend import clear_backend

    with sweeping(asked.name, data_dir=data_dir()):
        record = _begin(asked)
        for trial in record.trials:
            if trial.state in ENDED:
                continue
            clear_backend()
            try:
                run = train_trial(asked, trial.trial, data_dir=data_dir(), wait=wait)
                is_stopped = run.state != "finished"
            except SketchScopeError as error:
                is_stopped = False
                record = record.fail(trial.run_id, message_of(error))
            record = write_record(record, data_dir=data_dir())
            _tell(record)
            if is_stopped:
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
            "" if trial.val_top1 is None else percent(trial.val_top1),
            "" if trial.top1 is None else percent(trial.top1),
        )
    out.print(table)
    pooled = pool_sweep(record, data_dir=data_dir())
    if pooled:
        write_pooled(pooled, record, data_dir=data_dir())
    for group in pooled:
        low, high = group.interval
        out.print(
            f"{escape(group.settings)}: pooled top-1 {percent(group.top1)} (95 % "
            f"interval with the folds' spread {percent(low)} to {percent(high)}), "
            f"{group.correct:,} of {group.n:,} sketches in {len(group.folds)} of "
            f"{group.k} folds",
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
