"""The trials that a sweep asks for."""

import hashlib
import itertools
import json
import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from core.errors import ConfigError
from core.runs.recipes import make_settings
from core.sweeps.spec import (
    MAX_TRIALS,
    Range,
    Sweep,
    Trial,
    Value,
    choices,
    ends,
    is_integer,
)


def plan(sweep: Sweep) -> tuple[Trial, ...]:
    """Returns all trials of a sweep that can be told beforehand: none with `optuna`.

    Raises:
        ConfigError: If a trial's settings are out of range, or there are too many.
    """
    if sweep.search == "optuna":
        for network, recipe, fields in (*corners(sweep), *sample(sweep)):
            trial = make_trial(sweep, network, recipe, fields, sweep.seeds[0], None)
            _check_trial(trial)
        return ()
    combinations = grid(sweep) if sweep.search == "grid" else sample(sweep)
    trials: dict[str, Trial] = {}
    for network, recipe, fields in combinations:
        for seed in sweep.seeds:
            for fold in (None,) if sweep.folds is None else range(sweep.folds):
                trial = make_trial(sweep, network, recipe, fields, seed, fold)
                _check_trial(trial)
                trials[trial.run_id] = trial
    return tuple(trials.values())


def _check_trial(trial: Trial) -> None:
    """Raises `ConfigError` if a trial's settings are out of range or none for it."""
    settings = make_settings(trial.network, trial.recipe, trial.overrides)
    if not settings.val_fraction:
        raise ConfigError(
            "The trials of a sweep are compared by validation, so each must hold "
            "something out. Received: val_fraction=0"
        )
    if settings.distillation:
        raise ConfigError(
            "The trials of a sweep have no teacher; `python -m core train --teacher "
            "RUN` has. Received: distillation={distillation:g}",
            distillation=settings.distillation,
        )


Combination: TypeAlias = tuple[str, str, dict[str, Value]]
"""A network, a recipe, and what replaces the recipe's settings."""


def corners(sweep: Sweep) -> list[Combination]:
    """Returns combinations that hold every listed value and both ends of each range."""
    known: dict[str, tuple[Value, ...]] = {
        field: ends(field, values) if isinstance(values, Range) else values
        for field, values in choices(sweep).items()
    }
    first = {field: values[0] for field, values in known.items()}
    changed = [{**first, f: v} for f, values in known.items() for v in values]
    return [
        (network, recipe, fields)
        for network in sweep.networks
        for recipe in sweep.recipes
        for fields in (changed or [first])
    ]


def is_of(sweep: Sweep, trial: Trial) -> bool:
    """Returns whether a search without a plan may have proposed a trial."""
    known = choices(sweep)
    if trial.network not in sweep.networks or trial.recipe not in sweep.recipes:
        return False
    if trial.fields.keys() != known.keys():
        return False
    same = make_trial(
        sweep, trial.network, trial.recipe, trial.fields, sweep.seeds[0], None
    )
    return same.run_id == trial.run_id and all(
        _holds(field, values, trial.fields[field]) for field, values in known.items()
    )


def grid(sweep: Sweep) -> list[Combination]:
    """Returns every combination, the last field changing fastest."""
    listed = {f: v for f, v in choices(sweep).items() if isinstance(v, tuple)}
    size = len(sweep.networks) * len(sweep.recipes) * len(sweep.seeds)
    size *= (sweep.folds or 1) * math.prod(map(len, listed.values()))
    if size > MAX_TRIALS:
        raise ConfigError(
            "The sweep asks for {wanted:,} trials, more than {most:,}. Give fewer "
            "values, or set `search: random` and `trials`.",
            wanted=size,
            most=MAX_TRIALS,
        )
    return [
        (network, recipe, dict(zip(listed, values, strict=True)))
        for network in sweep.networks
        for recipe in sweep.recipes
        for values in itertools.product(*listed.values())
    ]


def sample(sweep: Sweep) -> list[Combination]:
    """Returns `trials` combinations drawn at random; the same for the same seed."""
    generator = np.random.default_rng(sweep.search_seed)
    drawn = []
    for _ in range(sweep.trials or 0):
        network = sweep.networks[generator.integers(len(sweep.networks))]
        recipe = sweep.recipes[generator.integers(len(sweep.recipes))]
        fields: dict[str, Value] = {}
        for field, values in choices(sweep).items():
            if isinstance(values, Range):
                fields[field] = _draw(field, values, generator)
            else:
                fields[field] = values[generator.integers(len(values))]
        drawn.append((network, recipe, fields))
    return drawn


def make_trial(
    sweep: Sweep,
    network: str,
    recipe: str,
    fields: Mapping[str, Value],
    seed: int,
    fold: int | None,
) -> Trial:
    """Builds a trial; the same attributes always give the same run id."""
    dealing: list[object] = [sweep.folds, fold, sweep.fold_seed]
    if sweep.dealt != "all":
        dealing.append(sweep.dealt)
    identity = json.dumps(
        [
            sweep.dataset,
            network,
            recipe,
            sorted(fields.items()),
            seed,
            None if fold is None else dealing,
        ]
    )
    digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
    return Trial(
        run_id=f"{sweep.name}-{network}-{digest}",
        network=network,
        recipe=recipe,
        fields=dict(fields),
        seed=seed,
        fold=fold,
    )


def _holds(field: str, values: Range | tuple[Value, ...], value: Value) -> bool:
    if isinstance(values, Range):
        low, high = ends(field, values)
        return isinstance(value, int | float) and low <= value <= high
    return json.dumps(value) in map(json.dumps, values)


def _draw(field: str, values: Range, generator: np.random.Generator) -> Value:
    if values.log:
        low, high = math.log(values.low), math.log(values.high)
        drawn = math.exp(generator.uniform(low, high))
    else:
        drawn = float(generator.uniform(values.low, values.high))
    return round(drawn) if is_integer(field) else float(f"{drawn:.6g}")
