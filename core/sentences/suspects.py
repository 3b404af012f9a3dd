"""Which labels are suspect, in words."""

from collections.abc import Sequence
from gettext import NullTranslations

from core.analysis.suspects import SuspectPair, Suspects
from core.language import class_word, plain
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.numbers import listed

TOLD_PAIRS = 3


def suspects_words(
    runs: Sequence[Run],
    evaluation: Evaluation,
    suspects: Suspects,
    pairs: Sequence[SuspectPair],
    words: NullTranslations,
) -> str:
    """Returns what was found, in a few sentences, as Markdown."""
    _, ngettext = words.gettext, words.ngettext
    count = len(suspects.rows)
    names = listed([plain(run.run_id) for run in runs], words)
    if not count:
        return _(
            "There is no test sketch of {total:,} that {runs} take for the same other "
            "class with confidence."
        ).format(total=suspects.total, runs=names)
    if len(runs) > 1:
        sentence = ngettext(
            "**{count:,} of {total:,} test sketches is suspect**: {runs} agree on "
            "a class other than its label, with at least the confidence they usually "
            "have in sketches of that class.",
            "**{count:,} of {total:,} test sketches are suspect**: for each, {runs} "
            "agree on a class other than its label, with at least the confidence they "
            "usually have in sketches of that class.",
            count,
        )
    else:
        sentence = ngettext(
            "**{count:,} of {total:,} test sketches is suspect**: {runs} takes it for "
            "another class than its label, with at least the confidence it usually "
            "has in sketches of that class.",
            "**{count:,} of {total:,} test sketches are suspect**: {runs} takes each "
            "for another class than its label, with at least the confidence it "
            "usually has in sketches of that class.",
            count,
        )
    sentences = [sentence.format(count=count, total=suspects.total, runs=names)]
    often = [pair for pair in pairs if pair.count > 1][:TOLD_PAIRS]
    if often:
        class_names = evaluation.class_names
        sentences.append(
            _("Most often {pairs}.").format(
                pairs=listed(
                    [
                        _("{label} looks like {other} ({count} of {n})").format(
                            label=plain(class_word(class_names[pair.label], words)),
                            other=plain(class_word(class_names[pair.called], words)),
                            count=pair.count,
                            n=pair.n,
                        )
                        for pair in often
                    ],
                    words,
                )
            )
        )
    sentences.append(
        _(
            "The label may be wrong, the drawing may show something else, or the "
            "networks share a mistake; look and judge. No network has seen these "
            "sketches in training (confident learning, Northcutt et al. 2021), but "
            "networks that learned from the same sketches tend to err alike."
        )
    )
    return " ".join(sentences)
