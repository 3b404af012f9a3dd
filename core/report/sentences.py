"""What a report's numbers say, in sentences of a language."""

from gettext import NullTranslations

from core.analysis.classes import (
    ClassMetrics,
    PairedClass,
    common_classes,
    rank_classes,
)
from core.analysis.confusions import Confusion, top_confusions
from core.analysis.curves import best_epoch, is_validated
from core.analysis.statistics import wilson_interval
from core.language import class_word, phrase
from core.report.contents import Contents, Results
from core.sentences.lineage import lineage_words
from core.sentences.numbers import (
    SIGNIFICANCE,
    isolated,
    listed,
    p_words,
    percent,
    span,
)

NAMED = 3
"""Classes or confusions that a sentence names."""


def opening(contents: Contents, words: NullTranslations) -> list[str]:
    """Returns what a report found, a sentence or two a finding."""
    sentences = [recognises(results, words) for results in contents.results]
    if contents.agreement is not None:
        sentences.append(agree(contents, words))
        sentences.append(differ(contents, words))
    sentences += [
        sentence
        for results in contents.results
        if (sentence := confuses(results, words))
    ]
    sentences.append(extremes(contents, words))
    return sentences


def recognises(results: Results, words: NullTranslations) -> str:
    """Says how many test sketches a run recognises."""
    _ = words.gettext
    metrics = results.evaluation.metrics
    low, high = metrics["top1_interval"]
    return _(
        "{run} recognises {right:,} of {total:,} test sketches, {top1} (95 % interval "
        "{interval}); for {top5} the right class is among its first five guesses."
    ).format(
        run=isolated(results.run_id),
        right=results.right,
        total=metrics["n"],
        top1=percent(metrics["top1"], words, digits=1),
        interval=span(low, high, words, digits=1),
        top5=percent(metrics["top5"], words, digits=1),
    )


def agree(contents: Contents, words: NullTranslations) -> str:
    """Says how often two runs give the same answer."""
    agreement = contents.agreement
    assert agreement is not None
    _ = words.gettext
    return _(
        "The two networks agree on {same:,} of {total:,} sketches ({share}): {right:,} "
        "that both recognise and {wrong:,} that both take for the same wrong class."
    ).format(
        same=agreement.same,
        total=agreement.total,
        share=percent(agreement.same / agreement.total, words),
        right=agreement.both_right,
        wrong=agreement.same_wrong,
    )


def differ(contents: Contents, words: NullTranslations) -> str:
    """Says whether one of two runs is better than the other."""
    agreement = contents.agreement
    assert agreement is not None
    _ = words.gettext
    first, second = contents.results
    sentence = _(
        "{first} alone recognises {only_first:,} of the sketches, {second} alone "
        "{only_second:,}."
    )
    if agreement.p_value < SIGNIFICANCE:
        verdict = _(
            "Numbers so unequal are hardly chance (McNemar's mid-p test, {p}): "
            "{better} is the better one, by {points:.1f} points."
        )
    else:
        verdict = _(
            "Chance alone may explain that (McNemar's mid-p test, {p}): neither is "
            "shown to be better."
        )
    gain = agreement.only_first - agreement.only_second
    return phrase(f"{sentence} {verdict}", words).format(
        first=isolated(first.run_id),
        second=isolated(second.run_id),
        only_first=agreement.only_first,
        only_second=agreement.only_second,
        p=p_words(agreement.p_value, words),
        better=isolated((first if gain > 0 else second).run_id),
        points=100 * abs(gain) / agreement.total,
    )


def confuses(results: Results, words: NullTranslations) -> str:
    """Says what a run takes for what most often; "" where it errs never."""
    pairs = top_confusions(results.evaluation.confusion, limit=NAMED)
    if not pairs:
        return ""
    confused = "; ".join(confusion_words(results, pair, words) for pair in pairs)
    return words.gettext("Most frequent with {run}: {pairs}.").format(
        run=isolated(results.run_id), pairs=confused
    )


def confusion_words(results: Results, pair: Confusion, words: NullTranslations) -> str:
    """Says how often one class is taken for another, without a full stop."""
    names = results.evaluation.class_names
    return words.ngettext(
        "{drawn} is taken for {guess} {count} time of {n}",
        "{drawn} is taken for {guess} {count} times of {n}",
        pair.count,
    ).format(
        drawn=isolated(class_word(names[pair.true], words)),
        guess=isolated(class_word(names[pair.predicted], words)),
        count=pair.count,
        n=pair.n,
    )


def extremes(contents: Contents, words: NullTranslations) -> str:
    """Names the hardest and the easiest classes."""
    _ = words.gettext
    if contents.pairs:
        hard = common_classes(contents.pairs, limit=NAMED, which="hard")
        easy = common_classes(contents.pairs, limit=NAMED, which="easy")
        first, second = contents.results
        return _(
            "Hardest for both are {hard}, easiest {easy} (accuracy with {first} and "
            "with {second})."
        ).format(
            hard=listed([_pair_words(pair, words) for pair in hard], words),
            easy=listed([_pair_words(pair, words) for pair in easy], words),
            first=isolated(first.run_id),
            second=isolated(second.run_id),
        )
    class_metrics = contents.results[0].class_metrics
    worst = rank_classes(class_metrics, limit=NAMED, worst=True).class_metrics
    best = rank_classes(class_metrics, limit=NAMED).class_metrics
    return _("Hardest are {hard}, easiest {easy}.").format(
        hard=listed([_class_words(f, words) for f in worst], words),
        easy=listed([_class_words(f, words) for f in best], words),
    )


def _pair_words(pair: PairedClass, words: NullTranslations) -> str:
    return words.gettext("{name} ({first} and {second})").format(
        name=isolated(class_word(pair.first.class_name, words)),
        first=percent(pair.first.recall, words),
        second=percent(pair.second.recall, words),
    )


def _class_words(class_metrics: ClassMetrics, words: NullTranslations) -> str:
    recall = percent(class_metrics.recall, words)
    name = isolated(class_word(class_metrics.class_name, words))
    return f"{name} ({recall})"


def learned(results: Results, words: NullTranslations) -> str:
    """Says how a run's training went; "" where nothing of it is left."""
    _, ngettext = words.gettext, words.ngettext
    history, best = results.run.history, best_epoch(results.run)
    if not history or best is None:
        return ""
    last = history[-1]
    sentence = ngettext(
        "{run} was trained for {count} epoch in {minutes:.0f} minutes.",
        "{run} was trained for {count} epochs in {minutes:.0f} minutes.",
        len(history),
    )
    course = (
        _("Nothing was held out to validate on.")
        if not is_validated(results.run)
        else _("Its top-1 accuracy on validation was highest at the end, {last}.")
        if best["epoch"] == last["epoch"]
        else _(
            "Its top-1 accuracy on validation was highest after epoch {best}, "
            "{highest}, and is {last} at the end."
        )
    )
    metrics = results.evaluation.metrics
    training = (
        _("Of {n:,} training sketches as they are it recognises {train}.")
        if "train_top1" in metrics
        else _("Its accuracy on training sketches as they are was not measured.")
    )
    validation = {
        name: percent(row["val_top1"], words, digits=1)
        for name, row in (("highest", best), ("last", last))
        if "val_top1" in row
    }
    told = phrase(f"{sentence} {course} {training}", words).format(
        run=isolated(results.run_id),
        count=len(history),
        minutes=last["elapsed_s"] / 60,
        best=best["epoch"],
        **validation,
        n=metrics.get("train_n"),
        train=percent(metrics.get("train_top1", 0.0), words, digits=1),
    )
    return " ".join([told, *lineage_words(results.run, words)])


def spread(contents: Contents, words: NullTranslations) -> str:
    """Says how many test sketches a class has, and what that is good for."""
    _ = words.gettext
    counts = [
        class_metrics.n
        for class_metrics in contents.results[0].class_metrics
        if class_metrics.n
    ]
    middle = sorted(counts)[len(counts) // 2]
    low, high = wilson_interval(round(0.7 * middle), middle)
    return _(
        "A class has {counts} test sketches. Of {middle} sketches, an "
        "accuracy near 70 % is known to about ±{points:.0f} points only: neighbours "
        "in a ranking can hardly ever be told apart."
    ).format(
        counts="–".join(dict.fromkeys((str(min(counts)), str(max(counts))))),
        middle=middle,
        points=50 * (high - low),
    )
