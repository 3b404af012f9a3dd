"""The form that describes a new run and starts it."""

from typing import Any, Literal, get_args, get_origin

import streamlit as st

from core.inference.speed import training_time_s
from core.language import noop as N_
from core.language import plain
from core.paths import data_dir
from core.runs.config import Settings, field_title
from core.runs.create import free_run_id
from core.runs.folder import WEIGHTS
from core.runs.launch import check_installed, train_command
from core.runs.reading import Run
from core.runs.recipes import RECIPES, make_settings
from core.runs.status import ACTIVE_STATES
from models import NETWORKS
from pages.parts.train.panel import open_run
from pages.shared import reads
from pages.shared.actions import create_run, launch_training
from pages.shared.language import gettext as _
from pages.shared.pickers import run_names
from pages.shared.training import (
    ORIGIN_RECIPES,
    RECIPE_ORDER,
    duration,
    measured_rate,
    parse_numbers,
)

FIRST_FIELDS = ("epochs", "seed")
GROUPS = {
    N_("Data"): ("batch_size", "val_fraction", "rehearsal", "stroke_variants"),
    N_("Optimization"): (
        *("optimizer", "learning_rate", "schedule", "decay_share", "warmup_epochs"),
        *("weight_decay", "label_smoothing", "ema", "keep", "patience"),
    ),
    N_("Architecture"): ("dropout", "shortcut", "zero_last_gamma", "pooling"),
    N_("Image size"): ("image_sizes", "image_size_shares"),
    N_("Augmentation"): (
        *("flip", "rotation_deg", "scale", "aspect", "shear", "shift", "perspective"),
        *("ink_gain", "thickness", "erase"),
    ),
    N_("Mixing and distillation"): (
        *("mixup", "cutmix", "mixing", "unmixed_epochs", "distillation", "views"),
    ),
    N_("Computation"): ("precision", "deterministic"),
}
"""The other settings, in the order in which they are read."""

AT_LEAST_ONE = ("epochs", "batch_size")


def field_widget(name: str, value: Any, *, key: str) -> Any:
    """Draws the widget of one setting and returns what was entered."""
    info = Settings.model_fields[name]
    label = _(field_title(name))
    help_text = _(info.description) if info.description else None
    if get_origin(info.annotation) is Literal:
        options = list(get_args(info.annotation))
        index = options.index(value)
        return st.selectbox(label, options, index=index, key=key, help=help_text)
    if isinstance(value, bool):
        return st.toggle(label, value=value, key=key, help=help_text)
    if isinstance(value, tuple):
        text = st.text_input(
            label, ", ".join(f"{v:g}" for v in value), key=key, help=help_text
        )
        return parse_numbers(name, text)
    if isinstance(value, int):
        lowest = 1 if name in AT_LEAST_ONE else 0
        return st.number_input(
            label, value=value, min_value=lowest, key=key, help=help_text
        )
    return st.number_input(
        label,
        value=value,
        min_value=0.0,
        step=value / 10 or 0.01,
        format="%g",
        key=key,
        help=help_text,
    )


def show_form() -> None:
    """Shows the form of a new run and its command line, and starts it."""
    check_installed()
    datasets = [dataset.name for dataset in reads.trainable()]
    data_column, network_column = st.columns([2, 3])
    with data_column:
        dataset = st.selectbox(
            _("Dataset"), datasets, key="dataset", bind="query-params"
        )
    with network_column:
        network = st.segmented_control(
            _("Network"),
            list(NETWORKS),
            default=next(iter(NETWORKS)),
            required=True,
            format_func=lambda name: NETWORKS[name].title,
            key="train_network",
        )
    recipe = st.segmented_control(
        _("Recipe"),
        sorted(RECIPES, key=RECIPE_ORDER.index),
        default="best",
        required=True,
        key="train_recipe",
        help=_(
            "best is tuned for sketches; report is the course report's: 50 epochs with "
            "Keras's defaults. refine goes on from a run of best with sketches varied "
            "more, finetune with drawings of your own."
        ),
    )
    origin = pick_origin(network, needed=recipe in ORIGIN_RECIPES)
    base = make_settings(network, recipe)
    entered = {}
    # A recipe's defaults are its own: its widgets are too.
    key = f"train_{network}_{recipe}"
    for column, name in zip(st.columns(2), FIRST_FIELDS, strict=True):
        with column:
            entered[name] = field_widget(name, getattr(base, name), key=f"{key}_{name}")
    with st.expander(_("All settings")):
        for title, names in GROUPS.items():
            st.markdown(f"**{_(title)}**")
            for first in range(0, len(names), 2):
                columns = st.columns(2, vertical_alignment="bottom")
                for column, name in zip(
                    columns, names[first : first + 2], strict=False
                ):
                    with column:
                        value = getattr(base, name)
                        entered[name] = field_widget(name, value, key=f"{key}_{name}")
    asked = st.text_input(_("Name (optional)"), key="train_run_id").strip()
    run_id = free_run_id(asked, data_dir=data_dir())
    if asked and not run_id:
        st.caption(
            _("A name has Latin letters or digits; this run gets the usual one.")
        )
    elif run_id and run_id != asked:
        st.caption(_("It will be called {name}.").format(name=plain(run_id)))
    settings = make_settings(network, recipe, changed(base, entered))
    # Only what differs from the recipe, in the form that was checked.
    overrides = {
        name: value
        for name, value in settings.model_dump(mode="json").items()
        if name in changed(base, entered)
    }
    busy = any(run.state in ACTIVE_STATES for run in reads.runs())
    if st.button(
        _("Queue") if busy else _("Start"),
        type="primary",
        icon=":material/play_arrow:",
        help=_("It begins when the runs before it have ended.") if busy else None,
        key="train_start",
    ):
        with st.spinner(_("Starting")):
            run_dir = create_run(
                network,
                dataset,
                recipe,
                data_dir=data_dir(),
                run_id=run_id,
                overrides=overrides,
                origin=None if origin is None else origin.path,
            )
            launch_training(run_dir, data_dir=data_dir())
        open_run(run_dir.name)
    if rate := measured_rate(network, data_dir()):
        num_train = next(d.num_train for d in reads.trainable() if d.name == dataset)
        seconds = training_time_s(settings, num_train, rate)
        st.caption(
            _("About {time} on this machine, with nothing else at work.").format(
                time=duration(seconds)
            )
        )
    st.caption(_("The same from a terminal:"))
    st.code(
        train_command(
            network,
            dataset,
            recipe,
            overrides=overrides,
            run_id=run_id,
            origin=None if origin is None else origin.run_id,
            wait=busy,
            data_dir=data_dir(),
        ),
        language="sh",
        wrap_lines=True,
    )


def pick_origin(network: str, *, needed: bool) -> Run | None:
    """Shows the menu of trained runs whose weights a new one may begin with."""
    trained = {
        run.run_id: run
        for run in reads.runs()
        if run.config is not None
        and run.config.network == network
        and (run.path / WEIGHTS).exists()
    }
    chosen = st.selectbox(
        _("Begin with the weights of"),
        list(trained),
        format_func=run_names(list(trained.values())).__getitem__,
        index=0 if needed and trained else None,
        placeholder=_("None: random weights"),
        key=f"train_origin_{network}_{needed}",
    )
    return trained[chosen] if chosen is not None else None


def changed(base: Settings, entered: dict[str, Any]) -> dict[str, Any]:
    """Returns the entered fields that differ from the recipe's."""
    changes = {}
    for name, value in entered.items():
        standard = getattr(base, name)
        if value != (list(standard) if isinstance(standard, tuple) else standard):
            changes[name] = value
    return changes
