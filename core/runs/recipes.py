"""Recipes: named settings for each network, and fields that replace them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from core.errors import ConfigError, explain, quote, unknown
from core.runs.config import Settings
from models import NETWORKS

_SKETCHES = {
    "optimizer": "adamw",
    "schedule": "cosine",
    "weight_decay": 0.05,
    "label_smoothing": 0.1,
    "dropout": 0.3,
    "flip": True,
    "ink_gain": (1, 2),
}
"""What all recipes for sketches share."""

RECIPES: dict[str, dict[str, Any]] = {
    "report": {},
    "best": {
        **_SKETCHES,
        "epochs": 15,
        "val_fraction": 0.05,
        "learning_rate": 2e-3,
        "warmup_epochs": 1,
        "rotation_deg": 12,
        "scale": 0.15,
        "aspect": 0.1,
        "shear": 0.1,
        "shift": 0.06,
    },
    "refine": {
        **_SKETCHES,
        "epochs": 20,
        "val_fraction": 0.05,
        "learning_rate": 1e-3,
        "warmup_epochs": 0.5,
        "rotation_deg": 15,
        "scale": 0.2,
        "aspect": 0.15,
        "shear": 0.15,
        "shift": 0.08,
        "perspective": 0.1,
        "thickness": 0.7,
        "erase": 0.2,
    },
    "finetune": {
        **_SKETCHES,
        "epochs": 8,
        "batch_size": 32,
        "learning_rate": 1e-4,
        "rotation_deg": 8,
        "scale": 0.1,
        "aspect": 0.05,
        "shear": 0.05,
        "shift": 0.05,
        "rehearsal": 4,
    },
}
"""What each recipe changes for every network; `models.NetworkSpec.tuning` holds in
what a network differs from that.

`report` is the course report's: Keras's defaults, 50 epochs of batch 64, a fifth of
train held out, no augmentation. `best` is tuned for these sketches. `refine` goes on
from a run of `best`, with sketches varied more. `finetune` goes on
from a trained run with a few drawings; what it leaves out is as the origin's.
"""


def recipe_fields(network: str, recipe: str) -> dict[str, Any]:
    """Returns the settings that a recipe changes for a network.

    Raises:
        ConfigError: If there is no such network or recipe.
    """
    if network not in NETWORKS:
        raise unknown("network", network, NETWORKS)
    if recipe not in RECIPES:
        raise unknown("recipe", recipe, RECIPES)
    return {**RECIPES[recipe], **NETWORKS[network].tuning.get(recipe, {})}


def make_settings(
    network: str, recipe: str, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Builds the settings of a recipe for a network.

    Args:
        network: A name of `models.NETWORKS`.
        recipe: A name of `RECIPES`.
        overrides: Fields of `Settings` to replace.

    Raises:
        ConfigError: Naming the field and what was received.
    """
    fields = {**recipe_fields(network, recipe), **(overrides or {})}
    # Few epochs leave no room for the recipe's warm-up; shorten it alike.
    if "epochs" in (overrides or {}) and "warmup_epochs" not in (overrides or {}):
        epochs = fields["epochs"]
        warmup_epochs = fields.get("warmup_epochs", 0)
        if isinstance(epochs, int) and 1 <= epochs <= warmup_epochs:
            fields["warmup_epochs"] = epochs / 10
    try:
        settings = Settings.model_validate(fields)
    except ValidationError as error:
        raise ConfigError(explain(error)) from error
    if not NETWORKS[network].any_size and len(settings.image_sizes) > 1:
        raise ConfigError(
            "`image_sizes` of {network} must be one size, since its dense layer fits "
            "no other. Received: {image_sizes}",
            network=network,
            image_sizes=list(settings.image_sizes),
        )
    return settings


def network_options(network: str, settings: Settings) -> dict[str, Any]:
    """Returns the keyword arguments that a run's settings give to its network."""
    return {option: getattr(settings, option) for option in NETWORKS[network].options}


def parse_overrides(assignments: Sequence[str]) -> dict[str, Any]:
    """Parses `FIELD=VALUE` words, the value as JSON or else as plain text.

    Raises:
        ConfigError: For a word without `=` or a field that is no setting.
    """
    overrides: dict[str, Any] = {}
    for assignment in assignments:
        field, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(
                "--set takes FIELD=VALUE. Received: {assignment}",
                assignment=quote(assignment),
            )
        if field not in Settings.model_fields:
            raise unknown("field", field, Settings.model_fields)
        try:
            overrides[field] = json.loads(text)
        except ValueError:
            overrides[field] = text
    return overrides
