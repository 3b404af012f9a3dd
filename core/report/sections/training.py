"""The sections on settings and on how the runs learned."""

from collections.abc import Sequence
from gettext import NullTranslations

from core.analysis.curves import CurveMetric, settings_rows
from core.analysis.lineage import lineage
from core.charts.curves import learning_curves
from core.language import number, translate
from core.report import sentences
from core.report.blocks import Block, Cell, Chart, Charts, Column, Paragraph, Table
from core.report.contents import Contents, Results
from core.report.sections.shared import UNKNOWN, network_title, run_columns
from core.runs.config import RunConfig
from core.runs.reading import read_environment
from core.sentences.curves import curves_words
from core.sentences.numbers import isolated, percent

METRICS: tuple[CurveMetric, ...] = ("loss", "top1")


def settings(contents: Contents, words: NullTranslations) -> list[Block]:
    """What each run was made with, and in what two of them differ."""
    _ = words.gettext
    blocks: list[Block] = [
        Paragraph(text)
        for results in contents.results
        if (text := sentences.learned(results, words))
    ]
    blocks += [
        Paragraph(
            f"{isolated(results.run_id)}: {translate(results.run.problem, words)}"
        )
        for results in contents.results
        if results.run.problem
    ]
    facts = [run_facts(results, words) for results in contents.results]
    blocks.append(
        Table(
            caption=_("What was trained."),
            columns=(Column(""), *run_columns(contents)),
            rows=[
                (name, *(of_run[name] or UNKNOWN for of_run in facts))
                for name in facts[0]
                if any(of_run[name] for of_run in facts)
            ],
        )
    )
    differing = [
        row
        for row in settings_rows([results.run for results in contents.results])
        if row["Differs"] and row["Meaning"]
    ]
    if differing:
        blocks.append(
            Table(
                caption=_("Settings in which the runs differ."),
                columns=(
                    Column(_("Field"), "code"),
                    *run_columns(contents),
                    Column(_("Meaning")),
                ),
                rows=setting_cells(contents, differing, words),
            )
        )
    return blocks


def setting_cells(
    contents: Contents, rows: Sequence[dict[str, str]], words: NullTranslations
) -> list[tuple[Cell, ...]]:
    """Returns settings as cells: the field, its value in each run, its meaning."""
    return [
        (
            row["Field"],
            *(row[results.run_id] for results in contents.results),
            words.gettext(row["Meaning"]),
        )
        for row in rows
    ]


def run_facts(results: Results, words: NullTranslations) -> dict[str, str]:
    """Returns what a run is, by the name of each fact; what isn't known is empty."""
    _ = words.gettext
    config, history = results.config, results.run.history
    metrics = results.evaluation.metrics
    machine = read_environment(results.run.path) or {}
    found = lineage(results.run)
    sizes = dict.fromkeys(
        str(row["image_size"]) for row in history if row.get("image_size")
    )
    return {
        _("Network"): network_title(results),
        _("Parameters"): number(metrics["num_parameters"], ",", words),
        _("Recipe"): config.recipe,
        _("Began with"): beginning(config, words),
        _("Learned from the answers of"): isolated(config.teacher.run_id)
        if config.teacher
        else "",
        _("Trained on"): ", ".join(config.datasets),
        _("Held out for validation"): percent(config.settings.val_fraction, words)
        if config.settings.val_fraction
        else _("nothing"),
        _("Image sizes in pixels"): ", ".join(sizes),
        _("Epochs"): _with_earlier(found.epochs, found.total_epochs, words)
        if history
        else "",
        _("Minutes of training"): _with_earlier(
            found.seconds / 60,
            None if found.total_s is None else found.total_s / 60,
            words,
        )
        if history
        else "",
        _("Machine"): ", ".join(
            str(part)
            for part in (
                machine.get("cpu"),
                *(machine.get("accelerators") or ()),
                machine.get("backend"),
            )
            if part
        ),
        _("Scored on"): str(metrics.get("evaluated_at", ""))[:10],
    }


def _with_earlier(own: float, total: float | None, words: NullTranslations) -> str:
    """Returns a cost, and what it is with the runs that a run went on from."""
    if total == own:
        return number(own, ".0f", words)
    if total is None:
        return words.gettext("{own:.0f}, before it unknown").format(own=own)
    return words.gettext("{own:.0f}, with those before it {total:.0f}").format(
        own=own, total=total
    )


def beginning(config: RunConfig, words: NullTranslations) -> str:
    """Returns what a run began with."""
    _ = words.gettext
    if config.origin is None:
        return _("random weights")
    origin = isolated(config.origin.run_id)
    if config.origin.epoch is None:
        return _("the weights of {run}").format(run=origin)
    return _("{run} after epoch {epoch}").format(run=origin, epoch=config.origin.epoch)


def curves(contents: Contents, words: NullTranslations) -> list[Block]:
    """Cross-entropy and top-1 over epochs."""
    _ = words.gettext
    runs = [results.run for results in contents.results if results.run.history]
    if not runs:
        return [Paragraph(_("Nothing of the training's course is left."))]
    charts = [
        Chart(
            learning_curves(runs, metric, words=words),
            curves_words(runs, metric, words),
            "",
            "half",
        )
        for metric in METRICS
    ]
    caption = _(
        "Cross-entropy and top-1 accuracy by epoch. Solid: validation, after each "
        "epoch. Dotted: training, the mean over an epoch of varied and, where the "
        "recipe says so, mixed sketches with dropout on, so lower than on the sketches "
        "as they are. Star: the epoch of highest validation top-1."
    )
    return [Charts(tuple(charts), caption)]


def all_settings(contents: Contents, words: NullTranslations) -> list[Block]:
    """Every setting, but those that were told because two runs differ in them."""
    _ = words.gettext
    rows = [
        row
        for row in settings_rows([results.run for results in contents.results])
        if row["Meaning"] and not row["Differs"]
    ]
    return [
        Table(
            caption=_("Settings that are the same in both runs.")
            if contents.pairs
            else _("All settings of the run."),
            columns=(
                Column(_("Field"), "code"),
                *run_columns(contents),
                Column(_("Meaning")),
            ),
            rows=setting_cells(contents, rows, words),
            is_long=True,
        )
    ]
