"""What a sweep's file may say, and how it is read."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from core.datasets.folds import Dealt
from core.errors import ConfigError, explain, quote
from core.files import read_regular
from core.runs.config import Settings
from models import FIRST_NETWORK

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
        dealt: Which sketches are dealt into folds: all, or those of train alone.
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
    networks: tuple[str, ...] = Field((FIRST_NETWORK,), min_length=1)
    recipes: tuple[str, ...] = Field(("best",), min_length=1)
    fields: dict[str, Range | tuple[Value, ...] | Value] = Field(default_factory=dict)
    seeds: tuple[int, ...] = Field((0,), min_length=1)
    folds: int | None = Field(None, ge=2, le=100)
    fold_seed: int = Field(0, ge=0, lt=2**31)
    dealt: Dealt = "all"
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
                raise ValueError(f"`fields.{field}` is not a number; give a list")
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
        content = yaml.safe_load(read_regular(path))
    except OSError as error:
        raise ConfigError(
            "{path} can't be read: {reason}.", path=path, reason=error.strerror
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" near line {where.line + 1}" if where else ""
        raise ConfigError("{path} is no YAML{line}.", path=path, line=line) from error
    if not isinstance(content, dict) or not all(isinstance(k, str) for k in content):
        raise ConfigError(
            "{path} must hold fields such as `dataset: starter`.", path=path
        )
    return parse_sweep(content, default_name=path.stem)


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


def is_integer(field: str) -> bool:
    """Returns whether a field of the settings takes whole numbers only."""
    return _type(field) is int


def _type(field: str) -> Any:
    return Settings.model_fields[field].annotation


def _to_number(field: str, value: Any) -> Any:
    """Returns a number for its digits, where a field takes numbers only."""
    if isinstance(value, tuple):
        return tuple(_to_number(field, item) for item in value)
    if isinstance(value, str) and field in Settings.model_fields:
        with suppress(ValueError):
            return _type(field)(value) if _type(field) in (int, float) else value
    return value
