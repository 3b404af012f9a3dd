"""What a sweep's trials say together, in words."""

import json
from gettext import NullTranslations

from core.language import noop as N_
from core.language import plain
from core.sentences.numbers import listed, p_words
from core.sweeps.analysis import Importances, best_trial, varied
from core.sweeps.charts import field_title, value_text
from core.sweeps.pooling import Pooled
from core.sweeps.record import SweepRecord, TrialRecord

POINTS = 100


def progress_words(record: SweepRecord, words: NullTranslations) -> str:
    """Says how many trials have ended, and how."""
    _, ngettext = words.gettext, words.ngettext
    trials = record.trials
    # A search proposes its trials one by one.
    states: list[str] = [trial.state for trial in trials]
    states += ["planned"] * (record.total - len(trials))
    parts = []
    for state, phrase in (
        ("running", N_("{count} in training")),
        ("queued", N_("{count} waiting")),
        ("pruned", N_("{count} stopped early")),
        ("stopped", N_("{count} interrupted")),
        ("failed", N_("{count} failed")),
        ("damaged", N_("{count} damaged")),
        ("planned", N_("{count} not begun")),
    ):
        if count := states.count(state):
            parts.append(_(phrase).format(count=count))
    sentence = ngettext(
        "**{done} of {count} trial is finished**",
        "**{done} of {count} trials are finished**",
        record.total,
    ).format(done=states.count("finished"), count=record.total)
    return f"{sentence} ({listed(parts, words)})." if parts else f"{sentence}."


def settings_words(
    record: SweepRecord, trial: TrialRecord, words: NullTranslations
) -> str:
    """Returns the values of the varied fields of a trial, as text."""
    place = record.trials.index(trial)
    return ", ".join(
        f"{field_title(field, words)} {value_text(field, values[place])}"
        for field, values in varied(record).items()
    )


def sweep_words(
    record: SweepRecord, importances: Importances | None, words: NullTranslations
) -> str:
    """Says what the trials' numbers support, as Markdown."""
    _ = words.gettext
    sentences = [progress_words(record, words)]
    best = best_trial(record)
    if best is not None and best.val_top1 is not None:
        sentences.append(
            _(
                "The best on validation is **{run}** with {top1:.1%} ({settings})."
            ).format(
                run=plain(best.run_id),
                top1=best.val_top1,
                settings=plain(settings_words(record, best, words))
                or _("nothing varied"),
            )
        )
        if best.top1 is not None:
            sentences.append(
                _("On test it has {top1:.1%}; choose nothing by that.").format(
                    top1=best.top1
                )
            )
    if importances is not None and importances.names_one:
        first = importances.fields[0]
        sentences.append(
            _(
                "**{field} tells most of the accuracy**: shuffled among the trials, it "
                "makes a forest's prediction {rise:.1f} points worse (permutation test "
                "of all fields, {p})."
            ).format(
                field=plain(field_title(first.field, words)),
                rise=POINTS * first.rise,
                p=plain(p_words(importances.p_value, words)),
            )
        )
    return " ".join(sentences)


def pooled_words(group: Pooled, words: NullTranslations) -> str:
    """Returns what a group's runs have in common, as text."""
    asked = json.loads(group.settings)
    values = {
        "network": asked["network"],
        "recipe": asked["recipe"],
        **asked["fields"],
        "seed": asked["seed"],
    }
    return ", ".join(
        f"{field_title(field, words)} "
        f"{value_text(field, tuple(value) if isinstance(value, list) else value)}"
        for field, value in values.items()
    )
