"""How runs learned, in words."""

from gettext import NullTranslations

from core.analysis.curves import Figure, is_validated, learning
from core.language import plain
from core.runs.reading import Run


def curves_words(runs: list[Run], figure: Figure, words: NullTranslations) -> str:
    """Returns the end of each curve in words."""
    _, ngettext = words.gettext, words.ngettext
    ends = [
        ngettext(
            "{run} ends at {value:.3g} after {count} epoch",
            "{run} ends at {value:.3g} after {count} epochs",
            len(run.history),
        ).format(
            run=run.run_id,
            value=run.history[-1][f"val_{figure}"],
            count=len(run.history),
        )
        if is_validated(run)
        else _("{run} holds nothing out").format(run=run.run_id)
        for run in runs
        if run.history
    ]
    sentence = (
        _("Loss by epoch. On validation, {ends}.")
        if figure == "loss"
        else _("Top-1 accuracy by epoch. On validation, {ends}.")
    )
    return sentence.format(ends="; ".join(ends) or _("nothing yet"))


def learning_words(run: Run, words: NullTranslations) -> str:
    """Says how a training went, as Markdown; "" where nothing can be said yet."""
    _ = words.gettext
    found = learning(run)
    if found is None:
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
    if found.gap > NOTABLE_GAP:
        sentences.append(
            _("At the end it was right {gap:.0f} points more often in training.")
        )
    if found.lowest_loss_epoch is not None:
        sentences.append(
            _(
                "Its validation loss has risen since epoch {lowest}: it learns its "
                "training sketches by heart."
            )
        )
    return " ".join(sentences).format(
        run=f"**{plain(run.run_id)}**",
        best=found.best_epoch,
        epochs=found.epochs,
        top1=found.val_top1,
        gap=100 * found.gap,
        lowest=found.lowest_loss_epoch,
    )


TOLD_RUNS = 3
NOTABLE_GAP = 0.05
