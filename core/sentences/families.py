"""What families of classes say of a run's mistakes, in words."""

from gettext import NullTranslations
from typing import Any

from core.analysis.families import Family, Measured, Similarity
from core.language import class_word, phrase, plain
from core.runs.reading import Run
from core.sentences.numbers import listed


def family_name(names: tuple[str, ...], family: Family, words: NullTranslations) -> str:
    """Returns what a family is called: after its two classes most taken for each other.

    It is no Markdown, so this is for `plain` or a table.
    """
    ngettext = words.ngettext
    heads = [class_word(names[label], words) for label in family.heads]
    more = len(family.labels) - len(heads)
    if not more:
        return listed(heads, words)
    return ngettext(
        "{names} and {count} more", "{names} and {count} more", more
    ).format(names=", ".join(heads), count=more)


def families_words(
    measured: Measured,
    run: Run,
    finder: Run,
    words: NullTranslations,
    *,
    has_other: bool,
) -> str:
    """Returns what the numbers say in a few sentences, as Markdown."""
    _ = words.gettext
    low, high = measured.interval
    values: dict[str, Any] = {
        "run": plain(run.run_id),
        "finder": plain(finder.run_id),
        "accuracy": measured.family_accuracy,
        "low": 100 * low,
        "high": 100 * high,
        "n": measured.n,
        "top1": measured.correct / measured.n if measured.n else 0.0,
        "count": len(measured.families),
        "classes": len(measured.family_of),
        "wrong": measured.near + measured.wild,
        "share": measured.near_share,
        "chance": measured.near_by_chance,
    }
    sentences = [
        _(
            "**{run} finds the right one of {count} families for {accuracy:.1%}** of "
            "{n:,} test sketches (95 % interval {low:.1f}–{high:.1f} %), and the right "
            "class for {top1:.1%}."
        )
    ]
    if measured.near_share is not None:
        sentences.append(
            _(
                "Of its {wrong:,} mistakes **{share:.0%} are near misses**, within the "
                "family; were the {classes} classes dealt to families of these sizes "
                "at random, {chance:.0%} would be."
            )
        )
    if finder.run_id != run.run_id:
        sentences.append(
            _(
                "The families were found in the confusions of {finder} and not fitted "
                "to those of {run}; both runs met the same sketches, though."
            )
        )
    else:
        sentences.append(
            _(
                "The families were found in the very confusions that they are measured "
                "on, which flatters them; let another run find them for a fairer look."
            )
            if has_other
            else _(
                "The families were found in the very confusions that they are measured "
                "on, which flatters them; no other run was scored on these sketches."
            )
        )
    return phrase(" ".join(sentences), words).format(**values)


def family_count_words(
    similarity: Similarity, count: int, words: NullTranslations
) -> str:
    """Says how good a number of families is."""
    _ = words.gettext
    best = similarity.best_count
    sentence = (
        _(
            "In the tree's order. {count} families are the default: with them the "
            "share of confusions that stays within families is furthest above chance "
            "(modularity {here:.2f})."
        )
        if count == best
        else _(
            "In the tree's order. With {best} families the share of confusions that "
            "stays within families is furthest above chance (modularity {most:.2f}); "
            "with {count} it is {here:.2f}."
        )
    )
    return sentence.format(
        here=round(float(similarity.modularities[count - 1]), 2) + 0.0,
        count=count,
        most=similarity.modularities[best - 1],
        best=best,
    )
