"""The card of a network: what it was measured to do, and what not to expect of it.

After Mitchell et al. 2019, Model cards for model reporting.
"""

from gettext import NullTranslations

from core.analysis.classes import ClassMetrics, measure_classes, rank_classes
from core.analysis.robustness import NOTABLE_LOSS, Robustness, read_robustness
from core.errors import RunError
from core.language import class_word
from core.runs.evaluation import Evaluation, read_evaluation
from core.runs.reading import Run
from core.sentences.numbers import span
from core.sentences.robustness import amount_words, kind_title
from models import NETWORKS

EXTREMES = 5
"""Best and worst classes that are named."""

WORDS = NullTranslations()


def make_card(run: Run) -> str:
    """Writes the card of an evaluated run, as Markdown.

    All of its figures are read from the run's folder.

    Raises:
        RunError: If it is not evaluated, or its evaluation is damaged.
    """
    config, metrics = run.config, run.metrics
    if config is None or metrics is None:
        raise RunError(
            "Run {run!r} is not evaluated yet. `python -m core evaluate {run}` does "
            "it.",
            run=run.run_id,
        )
    evaluation = read_evaluation(run.path)
    title = NETWORKS[config.network].title
    parts = [
        f"# {title} on {config.dataset}",
        "A convolutional network that names line drawings: one 128×128 sketch in, dark "
        f"on white, a probability for each of {len(config.class_names)} things out. "
        f"{metrics['num_parameters']:,} parameters.",
        f"Written from the files beside it by `python -m core runs card {run.run_id}`.",
        "## What it was measured to do",
        _measured(run, evaluation),
        "## What it can't bear",
        _bearing(run),
        "## How it was trained",
        _training(run),
        "## What not to expect",
        _limits(len(config.class_names)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _measured(run: Run, evaluation: Evaluation) -> str:
    metrics = run.metrics or {}
    low, high = metrics["top1_interval"]
    rows = [
        ("test sketches", f"{metrics['n']:,}"),
        (
            "top-1 accuracy",
            f"{_percent(metrics['top1'])} ({span(low, high, WORDS, digits=1)})",
        ),
        ("top-5 accuracy", _percent(metrics["top5"])),
        (
            "calibration error",
            f"{metrics['ece_calibrated']:.3f} at temperature "
            f"{metrics['temperature']:.2f}",
        ),
    ]
    table = ["| measured | value |", "|---|---|"]
    table += [f"| {name} | {value} |" for name, value in rows]
    classes = measure_classes(
        evaluation.y_true, evaluation.y_pred, class_names=evaluation.class_names
    )
    best, worst = (
        _named(rank_classes(classes, limit=EXTREMES, worst=is_worst).class_metrics)
        for is_worst in (False, True)
    )
    return (
        "\n".join(table)
        + "\n\nOne view of each sketch, 95 % Wilson interval. It has learned none of "
        "them.\n\n"
        f"Best: {best}. Worst: {worst}."
    )


def _named(classes: tuple[ClassMetrics, ...]) -> str:
    return ", ".join(
        f"{class_word(one.class_name, WORDS)} ({one.correct} of {one.n})"
        for one in classes
    )


def _bearing(run: Run) -> str:
    try:
        robustness = read_robustness(run.path)
    except RunError:
        return "Not measured. `python -m core robustness` does it."
    rows = "\n".join(
        f"| {kind_title(kind, WORDS)} | {_lost(robustness, kind)} |"
        for kind in robustness.kinds
    )
    clean = robustness.clean
    return (
        f"On {clean.n} of the test sketches it has {_percent(clean.accuracy)} "
        f"({span(clean.low, clean.high, WORDS, digits=1)}). Changed so, it loses "
        f"{100 * NOTABLE_LOSS:.0f} points at\n\n"
        f"| change | strength and what is left |\n|---|---|\n{rows}"
    )


def _lost(robustness: Robustness, kind: str) -> str:
    found = robustness.kinds[kind]
    place = found.lost_at(robustness.clean)
    at = len(found.figures) - 1 if place is None else place
    amount = amount_words(kind, found.amounts[at], WORDS)
    left = _percent(found.figures[at].accuracy)
    return f"{amount}: {left}" if place is not None else f"not up to {amount}: {left}"


def _training(run: Run) -> str:
    config = run.config
    assert config is not None
    settings = config.settings
    epochs = run.status.epoch or settings.epochs
    sentences = [
        f"{epochs} epochs of the training sketches of {config.dataset}, recipe "
        f"`{config.recipe}`, seed {settings.seed}, {settings.precision}."
    ]
    if config.origin is not None:
        sentences.append(
            f"It went on from `{config.origin.run_id}`, which had "
            f"{config.origin.earlier_epochs} epochs."
        )
    if config.teacher is not None:
        sentences.append(
            f"{100 * settings.distillation:.0f} % of its targets were the answers of "
            f"`{config.teacher.run_id}` to the same sketch."
        )
    if config.attribution:
        sentences.append(config.attribution)
    sentences.append("All settings stand in `config.json`.")
    return " ".join(sentences)


def _limits(num_classes: int) -> str:
    return (
        f"It answers with one of its {num_classes} things whatever it is shown, a "
        "letter, a photograph or a scribble; a high probability then means nothing. It "
        "knows things as the people of its dataset drew them, in their style: other "
        "hands, ages and ideas of a thing are known to it less well. It is for "
        "learning and play, not for decisions about people. Pictures are to be read as "
        "SketchScope reads them, which finds the drawing first."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
