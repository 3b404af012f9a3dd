"""Whether a version of a dataset helped, in words."""

from gettext import NullTranslations

from core.analysis.comparison import LEVEL, Paired
from core.analysis.curation import CurationEffect
from core.language import phrase, plain
from core.runs.config import RunConfig
from core.sentences.comparison import probability_words


def curation_words(
    effect: CurationEffect,
    config: RunConfig,
    baseline: RunConfig,
    words: NullTranslations,
) -> str:
    """Says in a sentence whether learning from another version helped, as Markdown."""
    _ = words.gettext
    paired = effect.paired
    if paired.p_value >= LEVEL:
        sentence = _(
            "**Whether learning from {version} instead of {before} helped can't be "
            "told**: {right:,} instead of {before_right:,} of {n:,} test sketches are "
            "recognised, {figures}"
        )
    elif paired.net > 0:
        sentence = _(
            "**Learning from {version} instead of {before} helped**: {right:,} instead "
            "of {before_right:,} of {n:,} test sketches are recognised, {figures}"
        )
    else:
        sentence = _(
            "**Learning from {version} instead of {before} did harm**: {right:,} "
            "instead of {before_right:,} of {n:,} test sketches are recognised, "
            "{figures}"
        )
    sentences = [sentence]
    if effect.clear is None:
        sentences[0] += "."
    else:
        sentences[0] += _(
            "; without those that people called ambiguous ({count:,}), {clear}."
        )
    if not effect.is_alone:
        sentences.append(
            _("The two runs differ in other settings, too, so it may be due to those.")
        )
    return phrase(" ".join(sentences), words).format(
        version=plain(config.dataset),
        before=plain(baseline.dataset),
        right=paired.right,
        before_right=paired.baseline_right,
        n=paired.n,
        figures=_figures(paired, words),
        count=effect.ambiguous,
        clear="" if effect.clear is None else _figures(effect.clear, words),
    )


def _figures(paired: Paired, words: NullTranslations) -> str:
    """Says by how much two runs differ, and how likely that is by chance."""
    _ = words.gettext
    template = _(
        "{points:+.1f} points (95 % interval {low:+.1f} to {high:+.1f}; McNemar's "
        "mid-p test, p {p})"
    )
    return phrase(template, words).format(
        points=100 * paired.change,
        low=100 * paired.low,
        high=100 * paired.high,
        p=plain(probability_words(paired.p_value, words)),
    )
