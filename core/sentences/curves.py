"""How runs learned, in words."""

from collections.abc import Sequence
from gettext import NullTranslations

from core.analysis.curves import (
    CurveMetric,
    column_of,
    has_cross_entropy,
    is_validated,
    learning,
)
from core.language import number, phrase, plain
from core.runs.reading import Run
from core.sentences.lineage import lineage_words
from core.sentences.numbers import listed


def curves_words(runs: list[Run], metric: CurveMetric, words: NullTranslations) -> str:
    """Returns the end of each curve in words."""
    _, ngettext = words.gettext, words.ngettext
    ends = [
        ngettext(
            "{run} ends at {value:.3g} after {count} epoch",
            "{run} ends at {value:.3g} after {count} epochs",
            len(run.history),
        ).format(
            run=run.run_id,
            value=run.history[-1][column_of(run, metric, "val")],
            count=len(run.history),
        )
        if is_validated(run)
        else _("{run} holds nothing out").format(run=run.run_id)
        for run in runs
        if run.history
    ]
    sentence = (
        _("Cross-entropy by epoch. On validation, {ends}.")
        if metric == "loss"
        else _("Top-1 accuracy by epoch. On validation, {ends}.")
    )
    said = sentence.format(ends="; ".join(ends) or _("nothing yet"))
    smoothed = smoothing_words(runs, words) if metric == "loss" else ""
    return f"{said} {smoothed}".strip()


def smoothing_words(runs: Sequence[Run], words: NullTranslations) -> str:
    """Says which losses contain label smoothing; "" where none does."""
    told = [
        f"{run.run_id} ({number(run.config.settings.label_smoothing, 'g', words)})"
        for run in runs
        if run.history and run.config is not None and not has_cross_entropy(run)
    ]
    if not told:
        return ""
    return words.gettext(
        "Of {runs} only the loss with label smoothing was recorded; it can't be "
        "compared with others."
    ).format(runs=listed(told, words))


def learning_words(run: Run, words: NullTranslations) -> str:
    """Says how a training went, as Markdown; "" where nothing can be said yet."""
    _ = words.gettext
    learned = learning(run)
    if learned is None:
        if not run.history or is_validated(run):
            return ""
        return _(
            "{run} learns from all training sketches, without validation: "
            "what counts is its last epoch, {epoch} so far."
        ).format(run=f"**{plain(run.run_id)}**", epoch=run.history[-1]["epoch"])
    sentences = [
        _(
            "{run} was best after epoch {best} of {epochs}, with "
            "{top1:.1%} of the validation sketches right."
        )
    ]
    if learned.kept_epoch != learned.best_epoch:
        sentences.append(_("Its weights are those of epoch {kept}."))
    if learned.train_top1 is not None:
        sentences.append(
            _(
                "Of {n:,} training sketches as they are it recognises {train:.1%}, "
                "{gap:+.0f} points against validation."
            )
        )
    elif run.metrics:
        sentences.append(
            _("Its accuracy on training sketches as they are was not measured.")
        )
    if learned.lowest_loss_epoch is not None:
        sentences.append(
            _("Its validation loss has risen since epoch {lowest}: it overfits.")
        )
    told = phrase(" ".join(sentences), words).format(
        run=f"**{plain(run.run_id)}**",
        best=learned.best_epoch,
        epochs=learned.epochs,
        top1=learned.val_top1,
        kept=learned.kept_epoch,
        n=learned.train_n,
        train=learned.train_top1,
        gap=None if learned.gap is None else 100 * learned.gap,
        lowest=learned.lowest_loss_epoch,
    )
    return " ".join([told, *(plain(said) for said in lineage_words(run, words))])


TOLD_RUNS = 3
