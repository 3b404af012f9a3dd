"""What a run's mistakes have in common, in words."""

from gettext import NullTranslations

from core.analysis.failures import Tally
from core.analysis.sketch_sets import Gathering
from core.language import plain
from core.runs.reading import Run
from core.sentences.numbers import listed


def failures_words(
    found: Tally, everything: Tally, other: Run | None, words: NullTranslations
) -> str:
    """Returns what the failures' numbers say, in two or three sentences."""
    _, ngettext = words.gettext, words.ngettext
    sentences = [
        _("{run_wrong:,} of {total:,} test sketches are wrong.").format(
            run_wrong=everything.wrong, total=everything.total
        )
    ]
    if found.wrong != everything.wrong:
        sentences.append(
            ngettext(
                "{count:,} of them is shown.",
                "{count:,} of them are shown.",
                found.wrong,
            ).format(count=found.wrong)
        )
    if found.wrong:
        sentences.append(
            _("In {share:.0%} of these the right class came second.").format(
                share=found.second / found.wrong
            )
        )
        if found.both is not None and other is not None:
            sentences.append(
                _("{run} gets {share:.0%} of them wrong, too.").format(
                    run=other.run_id, share=found.both / found.wrong
                )
            )
    if found.pair is not None and found.pair_count > 1:
        sentences.append(
            _(
                "Most often {drawn} is taken for {guess}: {count} times of {total}."
            ).format(
                drawn=found.pair[0],
                guess=found.pair[1],
                count=found.pair_count,
                total=found.pair_total,
            )
        )
    return plain(" ".join(sentences))


def gathering_words(found: Gathering, words: NullTranslations) -> str:
    """Returns what a set's numbers say, in two or three sentences."""
    _, ngettext = words.gettext, words.ngettext
    failures = found.failures
    sentences = [
        ngettext(
            "{wrong:,} of {total:,} is wrong ({share:.0%}; of all test sketches "
            "{usual:.0%}).",
            "{wrong:,} of {total:,} are wrong ({share:.0%}; of all test sketches "
            "{usual:.0%}).",
            failures.wrong,
        ).format(
            wrong=failures.wrong,
            total=failures.total,
            share=failures.wrong / failures.total,
            usual=found.usual,
        )
    ]
    if found.num_classes == 1:
        sentences.append(_("All are of {name}.").format(name=found.main[0][0]))
    else:
        sentences.append(
            _("They are of {count} classes, most often {names}.").format(
                count=found.num_classes,
                names=listed(
                    [f"{name} ({count})" for name, count in found.main], words
                ),
            )
        )
    if failures.pair is not None and failures.pair_count > 1:
        sentences.append(
            _(
                "Most often {drawn} is taken for {guess}: {count} times of {total}."
            ).format(
                drawn=failures.pair[0],
                guess=failures.pair[1],
                count=failures.pair_count,
                total=failures.pair_total,
            )
        )
    return plain(" ".join(sentences))
