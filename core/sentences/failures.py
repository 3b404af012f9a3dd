"""What a run's mistakes have in common, in words."""

from gettext import NullTranslations

from core.analysis.failures import Tally
from core.analysis.sketch_sets import Gathering
from core.language import class_word, plain
from core.runs.reading import Run
from core.sentences.numbers import listed


def failures_words(
    tally: Tally, everything: Tally, other: Run | None, words: NullTranslations
) -> str:
    """Returns what the failures' numbers say, in two or three sentences."""
    _, ngettext = words.gettext, words.ngettext
    sentences = [
        _("{run_wrong:,} of {total:,} test sketches are wrong.").format(
            run_wrong=everything.wrong, total=everything.total
        )
    ]
    if tally.wrong != everything.wrong:
        sentences.append(
            ngettext(
                "{count:,} of them is shown.",
                "{count:,} of them are shown.",
                tally.wrong,
            ).format(count=tally.wrong)
        )
    if tally.wrong:
        sentences.append(
            _("In {share:.0%} of these the right class came second.").format(
                share=tally.second / tally.wrong
            )
        )
        if tally.both is not None and other is not None:
            sentences.append(
                _("{run} gets {share:.0%} of them wrong, too.").format(
                    run=other.run_id, share=tally.both / tally.wrong
                )
            )
    return plain(" ".join([*sentences, *_pair_words(tally, words)]))


def gathering_words(gathering: Gathering, words: NullTranslations) -> str:
    """Returns what a set's numbers say, in two or three sentences."""
    _, ngettext = words.gettext, words.ngettext
    failures = gathering.failures
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
            usual=gathering.usual,
        )
    ]
    if gathering.num_classes == 1:
        sentences.append(
            _("All are of {name}.").format(name=class_word(gathering.main[0][0], words))
        )
    else:
        sentences.append(
            _("They are of {count} classes, most often {names}.").format(
                count=gathering.num_classes,
                names=listed(
                    [
                        f"{class_word(name, words)} ({count})"
                        for name, count in gathering.main
                    ],
                    words,
                ),
            )
        )
    return plain(" ".join([*sentences, *_pair_words(failures, words)]))


def _pair_words(tally: Tally, words: NullTranslations) -> list[str]:
    """Returns what is most often taken for what, unless each pair stands once."""
    if tally.pair is None or tally.pair_count < 2:
        return []
    sentence = words.gettext(
        "Most often {drawn} is taken for {guess}: {count} times of {total}."
    )
    drawn, guess = (class_word(name, words) for name in tally.pair)
    return [
        sentence.format(
            drawn=drawn, guess=guess, count=tally.pair_count, total=tally.pair_total
        )
    ]
