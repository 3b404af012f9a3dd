"""What a sweep's file may say, and the trials that it asks for."""

import hashlib
import itertools
import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from core.errors import ConfigError, explain, quote
from core.runs.config import Settings
from core.runs.recipes import make_settings

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")
MAX_TRIALS = 10_000

Value: TypeAlias = bool | int | float | str | tuple[float, ...]


class Range(BaseModel):
    """Values between two ends, drawn at random.

    Attributes:
        low: The least, `from` in a file.
        high: The greatest, `to` in a file.
        log: Whether each factor, not each difference, is as likely as another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    low: float = Field(alias="from")
    high: float = Field(alias="to")
    log: bool = False

    @model_validator(mode="after")
    def _check_ends(self) -> Self:
        if self.low >= self.high:
            raise ValueError("`from` must be less than `to`")
        if self.log and self.low <= 0:
            raise ValueError("with `log`, `from` must be more than 0")
        return self


class Asha(BaseModel):
    """Stops trials that lag behind; Li et al. 2018, asynchronous successive halving.

    Attributes:
        grace_epochs: Epochs that every trial gets.
        reduction: Of how many trials one goes on at each rung.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    grace_epochs: int = Field(1, ge=1)
    reduction: int = Field(3, ge=2, le=100)


class Sweep(BaseModel):
    """What a sweep's file says.

    Attributes:
        name: Of its folder and the beginning of its runs' names.
        dataset: An installed dataset.
        networks: Names of `models.NETWORKS`.
        recipes: Names of `core.runs.recipes.RECIPES`.
        fields: What replaces the recipe's settings: one value, a list to choose
            from, or a range. A field that is a list itself is a list of lists.
        seeds: Each combination is trained once with each.
        folds: Of a cross-validation; None scores on the dataset's own test.
        fold_seed: Of the dealing into folds.
        search: `grid` trains every combination, `random` only `trials` of them, and
            `optuna` those that it learns to propose from their validation.
        trials: How many combinations are tried; None with `grid`.
        search_seed: Of the choice of combinations.
        asha: Whether and how trials that lag behind are stopped.
        cpus: Processor cores a trial.
        checkpoint_every_s: Seconds between checkpoints within an epoch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str
    dataset: str
    networks: tuple[str, ...] = Field(("simple",), min_length=1)
    recipes: tuple[str, ...] = Field(("best",), min_length=1)
    fields: dict[str, Range | tuple[Value, ...] | Value] = Field(default_factory=dict)
    seeds: tuple[int, ...] = Field((0,), min_length=1)
    folds: int | None = Field(None, ge=2, le=100)
    fold_seed: int = Field(0, ge=0, lt=2**31)
    search: Literal["grid", "random", "optuna"] = "grid"
    trials: int | None = Field(None, ge=1, le=MAX_TRIALS)
    search_seed: int = Field(0, ge=0, lt=2**31)
    asha: Asha | None = None
    cpus: int = Field(1, ge=1, le=1024)
    checkpoint_every_s: float = Field(45.0, ge=0)

    @field_validator("fields")
    @classmethod
    def _read_numbers(cls, fields: dict[str, Any]) -> dict[str, Any]:
        # To YAML 1.1, `1e-3` is a word.
        return {field: _to_number(field, value) for field, value in fields.items()}

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if not NAME_PATTERN.fullmatch(self.name):
            raise ValueError(
                "`name` is 1 to 50 letters, digits, '.', '_' or '-', and starts with "
                "a letter or digit"
            )
        for field, value in self.fields.items():
            if field == "seed":
                raise ValueError("`fields` can't hold `seed`; use `seeds`")
            if field not in Settings.model_fields:
                raise ValueError(f"there is no field {quote(field)}")
            if value == ():
                raise ValueError(f"`fields.{field}` has no value to choose from")
            if isinstance(value, Range) and self.search == "grid":
                raise ValueError(
                    f"`fields.{field}` is a range; a grid takes a list. Or set "
                    "`search: random` or `optuna`"
                )
            if isinstance(value, Range) and _type(field) not in (int, float):
                raise ValueError(f"`fields.{field}` is no number; give a list")
        if self.search == "grid" and self.trials is not None:
            raise ValueError("`trials` needs `search: random` or `optuna`")
        if self.search != "grid" and self.trials is None:
            raise ValueError(f"`search: {self.search}` needs `trials`, how many")
        if self.asha and self.folds:
            raise ValueError("`asha` would stop some of the `folds`; leave one out")
        if self.search == "optuna":
            self._check_proposals()
        return self

    def _check_proposals(self) -> None:
        if len(self.seeds) > 1 or self.folds:
            raise ValueError(
                "`search: optuna` learns from one run of each combination; give one "
                "of `seeds` and leave `folds` out"
            )
        for field, value in self.fields.items():
            if (
                isinstance(value, Range)
                and is_integer(field)
                and ends(field, value)[0] > ends(field, value)[1]
            ):
                raise ValueError(f"`fields.{field}` holds no whole number above 0")
        size = count_combinations(self)
        if size is not None and size < (self.trials or 0):
            raise ValueError(
                f"there are only {size} combinations for {self.trials} `trials`"
            )


class Trial(BaseModel):
    """One run that a sweep asks for.

    Attributes:
        run_id: Its run's, which its other attributes decide.
        network: What is trained.
        recipe: What its settings start from.
        fields: What replaces the recipe's settings.
        seed: Of its training.
        fold: Its test part, from 0; None for the dataset's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    network: str
    recipe: str
    fields: dict[str, Value]
    seed: int
    fold: int | None = None

    @property
    def overrides(self) -> dict[str, Any]:
        """What replaces the recipe's settings, the seed included."""
        return {**self.fields, "seed": self.seed}


def parse_sweep(content: Mapping[str, Any], *, default_name: str) -> Sweep:
    """Checks what a sweep's file says.

    Args:
        content: The file's top level.
        default_name: The sweep's name where the file has none.

    Raises:
        ConfigError: Naming the field and what was received.
    """
    try:
        return Sweep.model_validate({"name": default_name, **content})
    except ValidationError as error:
        raise ConfigError(explain(error)) from error


def read_sweep(path: Path) -> Sweep:
    """Reads a sweep's file, YAML or JSON, which YAML includes.

    Raises:
        ConfigError: If it can't be read, is no YAML or says what can't be.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" near line {where.line + 1}" if where else ""
        raise ConfigError(f"{path} is no YAML{line}.") from error
    if not isinstance(content, dict) or not all(isinstance(k, str) for k in content):
        raise ConfigError(f"{path} must hold fields such as `dataset: starter`.")
    return parse_sweep(content, default_name=path.stem)


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
            f"RUN` has. Received: distillation={settings.distillation:g}"
        )


Combination: TypeAlias = tuple[str, str, dict[str, Value]]
"""A network, a recipe, and what replaces the recipe's settings."""


def choices(sweep: Sweep) -> dict[str, Range | tuple[Value, ...]]:
    """Returns what each field is chosen from; one value is a choice of one."""
    return {
        field: value if isinstance(value, Range | tuple) else (value,)
        for field, value in sweep.fields.items()
    }


def ends(field: str, values: Range) -> tuple[float, float]:
    """Returns the least and the greatest value of a range, whole where they must be."""
    if not is_integer(field):
        return values.low, values.high
    return max(round(values.low), int(values.log)), round(values.high)


def count_combinations(sweep: Sweep) -> int | None:
    """Returns how many combinations there are; None if they are countless."""
    size = len(set(sweep.networks)) * len(set(sweep.recipes))
    for field, values in choices(sweep).items():
        if isinstance(values, tuple):
            size *= len(set(map(json.dumps, values)))
        elif is_integer(field):
            low, high = ends(field, values)
            size *= int(high) - int(low) + 1
        else:
            return None
    return size


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
            f"The sweep asks for {size:,} trials, more than {MAX_TRIALS:,}. Give "
            "fewer values, or set `search: random` and `trials`."
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
    identity = json.dumps(
        [
            sweep.dataset,
            network,
            recipe,
            sorted(fields.items()),
            seed,
            None if fold is None else [sweep.folds, fold, sweep.fold_seed],
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


def is_integer(field: str) -> bool:
    """Returns whether a field of the settings takes whole numbers only."""
    return _type(field) is int


def _type(field: str) -> Any:
    return Settings.model_fields[field].annotation


def _holds(field: str, values: Range | tuple[Value, ...], value: Value) -> bool:
    if isinstance(values, Range):
        low, high = ends(field, values)
        return isinstance(value, int | float) and low <= value <= high
    return json.dumps(value) in map(json.dumps, values)


def _to_number(field: str, value: Any) -> Any:
    """Returns a number for its digits, where a field takes numbers only."""
    if isinstance(value, tuple):
        return tuple(_to_number(field, one) for one in value)
    if isinstance(value, str) and field in Settings.model_fields:
        with suppress(ValueError):
            return _type(field)(value) if _type(field) in (int, float) else value
    return value


def _draw(field: str, values: Range, generator: np.random.Generator) -> Value:
    if values.log:
        low, high = math.log(values.low), math.log(values.high)
        drawn = math.exp(generator.uniform(low, high))
    else:
        drawn = float(generator.uniform(values.low, values.high))
    return round(drawn) if is_integer(field) else float(f"{drawn:.6g}")
