"""Train: start a run, watch it learn, stop it, go on with it."""

from typing import Any, Literal, get_args, get_origin

import streamlit as st

from core.analysis.curves import Figure
from core.charts.curves import learning_curves
from core.charts.theme import FIGURE_TITLES
from core.errors import ConfigError, SketchScopeError
from core.language import noop as N_
from core.language import plain
from core.paths import data_dir
from core.runs.config import Settings
from core.runs.create import check_new_run_id
from core.runs.folder import WEIGHTS, is_shipped
from core.runs.launch import read_log, train_command
from core.runs.queueing import runs_ahead
from core.runs.reading import Run
from core.runs.recipes import RECIPES, make_settings
from core.runs.status import ACTIVE_STATES
from models import NETWORKS
from pages.shared import reads
from pages.shared.actions import create_run, launch_training, remove_run, request_stop
from pages.shared.chart import chart
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, words
from pages.shared.owner import is_owner
from pages.shared.told import told

FIRST_FIELDS = ("epochs", "seed")
RECIPE_ORDER = ("best", "report", "refine", "finetune")
ORIGIN_RECIPES = ("refine", "finetune")
"""They are meant to go on from a trained run."""

AT_LEAST_ONE = ("epochs", "batch_size")
STARTING = N_("Starting")
PHASES = {
    "starting": N_("Loading TensorFlow and the network"),
    "validating": N_("Epoch {epoch} of {epochs}: validating"),
    "evaluating": N_("Scoring all test sketches"),
}
LIVE_INTERVAL_S = 1.0
LOG_LINES = 25
STATE_COLOURS: dict[str, Any] = {
    "queued": "orange",
    "running": "blue",
    "stopped": "gray",
    "failed": "red",
    "trained": "violet",
    "finished": "green",
    "damaged": "red",
}


def field_widget(name: str, value: Any, *, key: str) -> Any:
    """Draws the widget of one setting and returns what was entered."""
    info = Settings.model_fields[name]
    label = _(name.replace("_", " ").capitalize())
    help_text = _(info.description or "")
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


def parse_numbers(name: str, text: str) -> list[float]:
    """Reads numbers that are separated by commas.

    Raises:
        ConfigError: If one is no number.
    """
    try:
        numbers = [float(word) for word in text.split(",") if word.strip()]
    except ValueError as error:
        raise ConfigError(
            f"`{name}` takes numbers, separated by commas. Received: {text}"
        ) from error
    return [int(n) if n.is_integer() else n for n in numbers]


def show_form() -> None:
    """Lets one describe a run, shows its command line, and starts it."""
    datasets = [dataset.name for dataset in reads.datasets()]
    dataset = st.selectbox(_("Dataset"), datasets, key="train_dataset")
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
        for name in Settings.model_fields:
            if name not in FIRST_FIELDS:
                value = getattr(base, name)
                entered[name] = field_widget(name, value, key=f"{key}_{name}")
    run_id = st.text_input(_("Name (optional)"), key="train_run_id").strip() or None
    if run_id is not None:
        check_new_run_id(run_id, data_dir=data_dir())
    settings = make_settings(network, recipe, changed(base, entered))
    # Only what differs from the recipe, in the form that was checked.
    overrides = {
        name: value
        for name, value in settings.model_dump(mode="json").items()
        if name in changed(base, entered)
    }
    busy = any(run.state in ACTIVE_STATES for run in reads.runs())
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


def pick_origin(network: str, *, needed: bool) -> Run | None:
    """Lets one choose the trained run whose weights a new one begins with."""
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


def open_run(run_id: str) -> None:
    """Shows a run in the panel from the next run of the page on; "" for any."""
    st.session_state["train_opened"] = run_id
    reads.look_again()
    st.rerun()


def show_actions(run: Run) -> None:
    """Offers what can be done with a run in its state."""
    may_change = is_owner(aloud=False)
    with st.container(horizontal=True):
        can_stop = (
            may_change
            and run.state in ACTIVE_STATES
            and run.status.phase != "evaluating"
        )
        if can_stop and st.button(_("Stop"), icon=":material/stop:", key="train_stop"):
            request_stop(run.path)
            st.toast(_("It saves and stops at its next step."))
            reads.look_again()
        can_go_on = may_change and (
            run.state in ("stopped", "failed")
            or (
                run.state == "trained"
                and run.config is not None
                and run.config.is_tested
            )
        )
        if can_go_on and st.button(
            _("Evaluate") if run.state == "trained" else _("Resume"),
            icon=":material/play_arrow:",
            type="primary",
            key="train_resume",
        ):
            with st.spinner(_("Starting")):
                launch_training(run.path, data_dir=data_dir())
            open_run(run.run_id)
        if run.history:
            st.page_link(
                "pages/curves.py",
                label=_("Compare its curves"),
                icon=":material/show_chart:",
                query_params={"runs": run.run_id},
            )
        if run.state == "finished":
            for page, label, icon in (
                ("confusion", _("What it confuses"), "grid_on"),
                ("classes", _("Best and worst classes"), "category"),
            ):
                st.page_link(
                    f"pages/{page}.py",
                    label=label,
                    icon=f":material/{icon}:",
                    query_params={"run": run.run_id},
                )
        is_ended = run.state not in ACTIVE_STATES
        if may_change and is_ended and not is_shipped(run.path):
            with st.popover(_("Remove"), icon=":material/delete:"):
                st.write(_("Deletes its weights, history and evaluation for good."))
                if st.button(
                    _("Remove {name}").format(name=plain(run.run_id)),
                    key="train_remove",
                ):
                    remove_run(run.run_id, data_dir=data_dir())
                    open_run("")


def show_progress(run: Run) -> None:
    """Shows how far a run is."""
    status = run.status
    if run.state == "queued":
        ahead = runs_ahead(run.path)
        st.write(
            _("Waits for {runs}.").format(runs=plain(", ".join(ahead)))
            if ahead
            else _("It is its turn now.")
        )
        return
    epoch = min(status.epoch + 1, max(status.epochs, 1))
    steps = status.steps_per_epoch
    if run.state == "running":
        if status.phase == "training" and steps:
            text = _("Epoch {epoch} of {epochs}, step {step} of {steps}").format(
                epoch=epoch, epochs=status.epochs, step=status.step, steps=steps
            )
            st.progress(min(status.step / steps, 1.0), text=text)
        else:
            words = _(PHASES.get(status.phase, STARTING))
            st.progress(1.0, text=words.format(epoch=epoch, epochs=status.epochs))
    figures = {
        _("Epochs done"): _("{done} of {total}").format(
            done=status.epoch, total=status.epochs
        )
        if run.state != "running"
        else None,
        _("Time left"): duration(status.eta_s) if run.state == "running" else None,
        _("Images/s"): number(status.images_per_s, ".0f"),
        _("Training loss"): number(status.loss, ".3f"),
        _("Training top-1"): number(status.top1, ".1%"),
        _("Test top-1"): number((run.metrics or {}).get("top1"), ".1%"),
        _("Trained for"): duration(status.elapsed_s),
    }
    with st.container(horizontal=True, gap="medium"):
        for label, value in figures.items():
            if value is not None:
                st.metric(label, value, width="content")


def number(value: float | None, form: str) -> str | None:
    """Returns a number in words, or None for none."""
    return None if value is None else format(value, form)


def duration(seconds: float | None) -> str | None:
    """Returns a length of time in its two largest units."""
    if seconds is None:
        return None
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def show_run(run_id: str, shown_state: str) -> None:
    """Shows one run as it is now."""
    run = next((run for run in reads.runs() if run.run_id == run_id), None)
    if run is None or run.state != shown_state:
        st.rerun()
    assert run is not None
    st.badge(_(run.state), color=STATE_COLOURS[run.state])
    if run.status.message:
        tell = st.error if run.state in ("failed", "damaged") else st.info
        tell(told(run.status.message))
    if run.problem and run.problem != run.status.message:
        st.warning(told(run.problem))
    show_progress(run)
    try:
        show_actions(run)
    except SketchScopeError as error:
        st.error(told(str(error)), icon=":material/error:")
    if run.history or run.status.step:
        figures: tuple[Figure, ...] = ("loss", "top1")
        for column, figure in zip(st.columns(2), figures, strict=True):
            with column:
                chart(
                    learning_curves([run], figure, words=words()),
                    key=f"train_{figure}",
                    alt=ngettext(
                        "{figure} of {run} by epoch, {count} so far",
                        "{figure} of {run} by epoch, {count} so far",
                        len(run.history),
                    ).format(
                        figure=_(FIGURE_TITLES[figure]),
                        run=run_id,
                        count=len(run.history),
                    ),
                    height=320,
                    uirevision=run_id,
                )
    # It names folders of this machine.
    log = read_log(run.path) if is_owner(aloud=False) else ""
    if log:
        with st.expander(_("End of its log"), expanded=run.state == "failed"):
            st.code("\n".join(log.splitlines()[-LOG_LINES:]), language=None)


require_frame()
st.title(_("Train"))
opened = st.session_state.pop("train_opened", None)
if opened == "":
    st.session_state.pop("run", None)
elif opened is not None:
    st.session_state["run"] = opened
    st.session_state["train_run_id"] = ""
    st.toast(
        _("{run} is on its way.").format(run=plain(opened)),
        icon=":material/play_arrow:",
    )
form, panel = st.columns([2, 3], gap="large")
with form:
    st.subheader(_("New run"))
    if not is_owner():
        pass
    elif reads.datasets():
        try:
            show_form()
        except SketchScopeError as error:
            st.error(told(str(error)), icon=":material/error:")
    else:
        st.info(
            _("Training needs a dataset. Add one first: the starter takes one click."),
            icon=":material/photo_library:",
        )
        st.page_link(
            "pages/dataset.py", label=_("Add a dataset"), icon=":material/add:"
        )
with panel:
    st.subheader(_("Runs"))
    own = [run for run in reads.runs() if not is_shipped(run.path)]
    own.sort(key=lambda run: run.state not in ACTIVE_STATES)
    if own:
        states = {run.run_id: run.state for run in own}
        chosen = st.selectbox(
            _("Run"),
            list(states),
            key="run",
            bind="query-params",
        )
        is_live = states[chosen] in ACTIVE_STATES
        st.fragment(show_run, run_every=LIVE_INTERVAL_S if is_live else None)(
            chosen, states[chosen]
        )
    else:
        st.info(
            _(
                "Nothing has been trained here yet. What you start on the left appears "
                "here, and goes on when you close this page."
            ),
            icon=":material/school:",
        )
