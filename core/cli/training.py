"""The commands that train and score: train, evaluate, recipes and benchmark."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.progress import Progress

from core.cli.console import (
    NETWORK,
    Json,
    err,
    out,
    percent,
    print_json,
    print_table,
    progress,
)
from core.cli.runs import RunArgument, find_origin, find_run, print_metrics, run_metrics
from core.errors import SketchScopeError
from core.paths import data_dir
from core.runs.folder import CHECKPOINT_INTERVAL_S
from models import FIRST_NETWORK, NETWORKS


def train(
    network: Annotated[
        str | None, typer.Argument(metavar=NETWORK, help="What to train.")
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
        run_dir = find_run(resume)
        if data_parallel:
            share_batches(read_config(run_dir).settings.batch_size)
    else:
        if network is None or dataset is None:
            raise SketchScopeError(
                "Name a network and a --dataset, or a run to --resume. For example: "
                f"python -m core train {FIRST_NETWORK} --dataset starter --recipe best"
            )
        overrides = parse_overrides(assignments or [])
        overrides |= {
            field: value
            for field, value in (("epochs", epochs), ("seed", seed))
            if value is not None
        }
        origin_dir, origin_epoch = find_origin(origin)
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
            teacher=None if teacher is None else find_run(teacher),
            calibration=None if calibration is None else find_run(calibration),
        )
    err.print(f"Run [bold]{escape(run_dir.name)}[/] in {escape(str(run_dir))}")
    with progress() as bars:
        finished = train_run_dir(
            run_dir,
            data_dir=data_dir(),
            wait=wait,
            report=_training_report(bars),
            checkpoint_interval_s=checkpoint_every,
            evaluate=not no_evaluate,
        )
    if finished and read_config(run_dir).is_tested and not no_evaluate:
        print_metrics(run_metrics(run_dir))
    elif finished:
        out.print(
            f"Run [bold]{escape(run_dir.name)}[/] is trained. "
            f"{escape(read_run(run_dir).status.message)}"
        )
    else:
        out.print(
            f"Stopped. Go on with: python -m core train --resume {escape(run_dir.name)}"
        )


def evaluate(
    run: RunArgument,
    dataset: Annotated[
        str | None,
        typer.Option(help="Another dataset than the run's own, of the same classes."),
    ] = None,
    split: Annotated[
        Literal["test", "all"],
        typer.Option(help="`all` scores on every sketch of another dataset."),
    ] = "test",
    as_json: Json = False,
) -> None:
    """Score a trained run on all test sketches."""
    from core.training.work import evaluate_run_dir

    run_dir = find_run(run)
    metrics = evaluate_run_dir(
        run_dir,
        data_dir=data_dir(),
        dataset_name=dataset,
        is_whole=split == "all",
    )
    if as_json:
        print_json(metrics)
    else:
        print_metrics(metrics)


def recipes(as_json: Json = False) -> None:
    """List every setting, with what each recipe gives it."""
    from core.runs.config import Settings
    from core.runs.recipes import RECIPES, make_settings

    settings = {
        (recipe, network): make_settings(network, recipe)
        for recipe in RECIPES
        for network in NETWORKS
    }
    if as_json:
        print_json(
            [
                {"recipe": r, "network": n, **chosen.model_dump(mode="json")}
                for (r, n), chosen in settings.items()
            ]
        )
        return
    print_table(
        ("field", *(f"{r} {n}" for r, n in settings), "meaning"),
        [
            (
                field,
                *(str(getattr(chosen, field)) for chosen in settings.values()),
                info.description or "",
            )
            for field, info in Settings.model_fields.items()
        ],
    )


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
        print_json(rows)
        return
    print_table(
        ("network", "way", "images/s", "ratio to bare"),
        [
            (r["network"], r["way"], f"{r['images_per_s']:.1f}", f"{r['ratio']:.2f}")
            for r in rows
        ],
    )


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
                f"validation loss {row['val_loss']:.3f}, top-1 "
                f"{percent(row['val_top1'])}"
                if "val_top1" in row
                else "without validation"
            )
            err.print(
                f"epoch {row['epoch']}/{status.epochs}: loss {row['loss']:.3f}, "
                f"top-1 {percent(row['top1'])}; {validation}",
                highlight=False,
            )
        shown = len(history)

    return report
