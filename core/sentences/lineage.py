"""From where a run went on, and what it cost in all, in words."""

from collections.abc import Sequence
from gettext import NullTranslations

from core.analysis.lineage import Relative, lineage
from core.language import noop as N_
from core.language import plain
from core.runs.reading import Run
from core.sentences.numbers import isolated

SHORT_S = 2 * 3600
"""What takes less is told in minutes."""


def duration_words(seconds: float, words: NullTranslations) -> str:
    """Returns how long a training took, in minutes or hours."""
    if seconds < SHORT_S:
        minutes = round(seconds / 60)
        return words.ngettext("{count} minute", "{count} minutes", minutes).format(
            count=minutes
        )
    return words.gettext("{hours:.1f} hours").format(hours=seconds / 3600)


def lineage_words(run: Run, words: NullTranslations) -> list[str]:
    """Says where a run went on and what all trainings took; nothing of a first one."""
    _ = words.gettext
    config = run.config
    if config is None or (config.origin is None and config.teacher is None):
        return []
    found = lineage(run)
    sentences = []
    if found.origin is not None:
        sentence = (
            _("It began with the weights of {run}.")
            if found.origin_epoch is None
            else _("It went on from {run} after epoch {epoch}.")
        )
        sentences.append(
            sentence.format(run=isolated(found.origin), epoch=found.origin_epoch)
        )
    if config.teacher is not None:
        sentences.append(
            _("It learned from the answers of {run}.").format(
                run=isolated(config.teacher.run_id)
            )
        )
    if found.total_epochs is None or found.total_s is None:
        sentences.append(_("What the runs before it took is not known."))
    elif found.origin is not None:
        sentences.append(
            _("All trainings that led to it: {count} epochs, {time}.").format(
                count=found.total_epochs, time=duration_words(found.total_s, words)
            )
        )
    return sentences


KINS = {
    "root": N_("**{run}**, begun at random"),
    "weights": N_("**{run}**, begun with its weights"),
    "branch": N_("**{run}**, branched after epoch {epoch}"),
    "taught": N_("**{run}**, taught by it"),
}


def tree_words(tree: Sequence[Relative], words: NullTranslations) -> str:
    """Returns a tree of runs as a Markdown list, with what each training took."""
    _ = words.gettext
    lines = []
    for relative in tree:
        run = relative.run
        name = plain(relative.run_id if run is None else run.name)
        if run is None or relative.own_s is None:
            told = _("**{run}**, which is not here any more").format(run=name)
        else:
            said = _(KINS[relative.kin]).format(run=name, epoch=relative.epoch)
            own = duration_words(relative.own_s, words)
            if relative.kin in ("weights", "branch") and relative.total_s is not None:
                total = duration_words(relative.total_s, words)
                told = _("{said}: {own}, with all before it {total}").format(
                    said=said, own=own, total=total
                )
            else:
                told = _("{said}: {own}").format(said=said, own=own)
        lines.append(f"{'    ' * relative.depth}- {told}")
    return "\n".join(lines)
