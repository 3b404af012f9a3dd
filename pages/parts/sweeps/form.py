"""The form that describes a new sweep, writes its file and starts it."""

from typing import Any, Literal, get_args, get_origin

import streamlit as st

from core.inference.speed import training_time_s
from core.language import plain
from core.paths import data_dir
from core.runs.config import Settings, field_title
from core.runs.launch import check_installed
from core.runs.recipes import RECIPES, make_settings
from core.sweeps.plan import plan
from core.sweeps.spec import Sweep, Trial, parse_sweep
from core.sweeps.starting import free_sweep_name, sweep_text
from models import FIRST_NETWORK, NETWORKS
from pages.shared import reads
from pages.shared.actions import create_sweep, launch_sweep
from pages.shared.language import gettext as _
from pages.shared.language import ngettext
from pages.shared.training import (
    ORIGIN_RECIPES,
    RECIPE_ORDER,
    duration,
    measured_rate,
    parse_numbers,
)

OPENED, NAME = "sweeps_opened", "sweeps_new_name"
"""The session's notes of a sweep that has just been started, and of the name that is
wished for the next."""

RECIPE_CHOICES = [
    name
    for name in sorted(RECIPES, key=RECIPE_ORDER.index)
    if name not in ORIGIN_RECIPES
]
VARIABLE = [
    name
    for name, info in Settings.model_fields.items()
    # Asked for besides, or of no use without an origin or a teacher.
    if name not in ("epochs", "seed", "rehearsal", "distillation")
    and get_origin(info.annotation) is not tuple
]
"""The settings of which a sweep may try several values."""

MOST_SEEDS = 20


def show_form() -> None:
    """Shows the form of a new sweep, its runs and its file, and starts it."""
    check_installed()
    datasets = {dataset.name: dataset for dataset in reads.datasets()}
    left, right = st.columns(2)
    with left:
        dataset = st.selectbox(_("Dataset"), list(datasets), key="sweeps_new_dataset")
        recipe = st.segmented_control(
            _("Recipe"),
            RECIPE_CHOICES,
            default=RECIPE_CHOICES[0],
            required=True,
            key="sweeps_new_recipe",
        )
    with right:
        networks = st.multiselect(
            _("Networks"),
            list(NETWORKS),
            default=[FIRST_NETWORK],
            format_func=lambda name: NETWORKS[name].title,
            key="sweeps_new_networks",
            placeholder=_("Choose one or more"),
        )
        wish = st.text_input(_("Name (optional)"), key=NAME).strip()
    base = make_settings(networks[0] if networks else FIRST_NETWORK, recipe)
    with left:
        epochs = st.number_input(
            _(field_title("epochs")),
            value=base.epochs,
            min_value=1,
            key=f"sweeps_new_epochs_{recipe}",
        )
    with right:
        seeds = st.number_input(
            _("Number of seeds"),
            value=1,
            min_value=1,
            max_value=MOST_SEEDS,
            key="sweeps_new_seeds",
            help=_(
                "Each combination is trained once with each seed, which shows how much "
                "is chance."
            ),
        )
    names = st.multiselect(
        _("What to vary"),
        VARIABLE,
        format_func=lambda name: _(field_title(name)),
        key="sweeps_new_fields",
        placeholder=_("Choose one or more"),
        help=_("Every combination of the values is trained."),
    )
    fields: dict[str, Any] = {"epochs": epochs}
    for field in names:
        fields[field] = values_widget(field, base, key=f"sweeps_{recipe}_{field}")
    default = "-".join([*names, dataset])
    name = free_sweep_name(wish or default, data_dir=data_dir())
    if wish and name and name != wish:
        st.caption(_("It will be called {name}.").format(name=plain(name)))
    sweep = parse_sweep(
        {
            "name": name or "",
            "dataset": dataset,
            "networks": networks,
            "recipes": [recipe],
            "fields": fields,
            "seeds": list(range(seeds)),
        },
        default_name="",
    )
    trials = plan(sweep)
    show_extent(trials, num_train=datasets[dataset].num_train)
    st.code(sweep_text(sweep), language="yaml")
    show_start(sweep)


def values_widget(name: str, base: Settings, *, key: str) -> list[Any]:
    """Draws the widget of one setting's values and returns what was entered.

    Raises:
        ConfigError: If one is not a number.
    """
    info = Settings.model_fields[name]
    label = _(field_title(name))
    help_text = _(info.description) if info.description else None
    is_choice = get_origin(info.annotation) is Literal
    if is_choice or info.annotation is bool:
        options = list(get_args(info.annotation)) if is_choice else [False, True]
        return st.multiselect(
            label,
            options,
            default=options,
            key=key,
            help=help_text,
            placeholder=_("Choose one or more"),
        )
    text = st.text_input(
        _("{field}: values, separated by commas").format(field=label),
        f"{getattr(base, name):g}",
        key=key,
        help=help_text,
    )
    return parse_numbers(name, text)


def show_extent(trials: tuple[Trial, ...], *, num_train: int) -> None:
    """Says how many runs a sweep makes, and how long they will take.

    Args:
        trials: All of the sweep.
        num_train: Training sketches of its dataset.
    """
    st.markdown(
        ngettext("**{count} run**", "**{count} runs**", len(trials)).format(
            count=len(trials)
        )
    )
    networks = {trial.network for trial in trials}
    rates = {network: measured_rate(network, data_dir()) for network in networks}
    seconds = [
        training_time_s(
            make_settings(trial.network, trial.recipe, trial.overrides), num_train, rate
        )
        for trial in trials
        if (rate := rates[trial.network])
    ]
    if len(seconds) == len(trials):
        st.caption(
            _("About {time} on this machine, with nothing else at work.").format(
                time=duration(sum(seconds))
            )
        )


def show_start(sweep: Sweep) -> None:
    """Starts a sweep at a click, and opens it."""
    if st.button(
        _("Start the sweep"),
        type="primary",
        icon=":material/play_arrow:",
        key="sweeps_start",
    ):
        with st.spinner(_("Starting")):
            folder = create_sweep(sweep, data_dir=data_dir())
            launch_sweep(folder, data_dir=data_dir())
        st.session_state[OPENED] = sweep.name
        reads.look_again()
        st.rerun()
    st.caption(
        _(
            "The runs are trained one after another, each when no other is in "
            "training, and go on when you close this page. Stopping one of them on "
            "Train stops the sweep."
        )
    )
