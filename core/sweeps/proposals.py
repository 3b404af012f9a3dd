"""A sweep's choices as Optuna takes them, and trials from what it proposes."""

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from core.sweeps.plan import make_trial, sample
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

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

NETWORK = "network"
RECIPE = "recipe"


def distributions(sweep: Sweep) -> "dict[str, BaseDistribution]":
    """Returns what each parameter is chosen from; listed values are JSON."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    by_field: dict[str, BaseDistribution] = {
        NETWORK: CategoricalDistribution(tuple(dict.fromkeys(sweep.networks))),
        RECIPE: CategoricalDistribution(tuple(dict.fromkeys(sweep.recipes))),
    }
    for field, values in choices(sweep).items():
        if not isinstance(values, Range):
            listed = tuple(dict.fromkeys(map(json.dumps, values)))
            by_field[field] = CategoricalDistribution(listed)
            continue
        low, high = ends(field, values)
        if is_integer(field):
            by_field[field] = IntDistribution(int(low), int(high), log=values.log)
        else:
            by_field[field] = FloatDistribution(low, high, log=values.log)
    return by_field


def to_parameters(sweep: Sweep, trial: Trial) -> dict[str, Any]:
    """Returns a trial in Optuna's words."""
    known = choices(sweep)
    return {
        NETWORK: trial.network,
        RECIPE: trial.recipe,
        **{
            field: value if isinstance(known[field], Range) else json.dumps(value)
            for field, value in trial.fields.items()
        },
    }


def to_trial(sweep: Sweep, parameters: Mapping[str, Any]) -> Trial:
    """Returns the trial that Optuna's words ask for."""
    fields: dict[str, Value] = {}
    for field, values in choices(sweep).items():
        proposed = parameters[field]
        if not isinstance(values, Range):
            fields[field] = {json.dumps(value): value for value in values}[proposed]
        elif is_integer(field):
            fields[field] = int(proposed)
        else:
            # No more digits than can be read, and none beyond an end.
            low, high = ends(field, values)
            fields[field] = min(max(float(f"{proposed:.6g}"), low), high)
    network, recipe = str(parameters[NETWORK]), str(parameters[RECIPE])
    return make_trial(sweep, network, recipe, fields, sweep.seeds[0], None)


def draw_unseen(sweep: Sweep, seen: Collection[str]) -> Trial | None:
    """Draws a trial at random whose run is not among those seen; None for none."""
    many = sweep.model_copy(update={"trials": MAX_TRIALS})
    for network, recipe, fields in sample(many):
        trial = make_trial(sweep, network, recipe, fields, sweep.seeds[0], None)
        if trial.run_id not in seen:
            return trial
    return None
