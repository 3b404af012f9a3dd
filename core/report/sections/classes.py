"""The sections on the best and worst classes, and on all of them."""

from collections.abc import Sequence
from gettext import NullTranslations

from core.analysis.classes import (
    ClassMetrics,
    Ranking,
    common_classes,
    rank_classes,
    taken_for,
)
from core.charts.classes import accuracy_chart
from core.language import class_word
from core.report import sentences
from core.report.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Interval,
    Paragraph,
    Sketch,
    Subheading,
    Table,
)
from core.report.contents import Contents, Results
from core.report.examples import choose_examples, picture
from core.report.sections.shared import UNKNOWN
from core.sentences.numbers import isolated, percent, span, sure_words

TOP = 10
"""Classes of a ranking, as in the course report."""
NAMED_TIES = 12
"""Of classes as good as a ranking's last, so many are named."""


def classes(contents: Contents, words: NullTranslations) -> list[Block]:
    """The accuracy of every class with its interval."""
    _ = words.gettext
    runs = [results.run for results in contents.results]
    figure, names = accuracy_chart(
        runs, [results.class_metrics for results in contents.results], words=words
    )
    return [
        Paragraph(sentences.spread(contents, words)),
        Chart(
            figure,
            alt=_(
                "Accuracy of {count} classes with 95 % intervals. Worst: {worst}. "
                "Best: {best}."
            ).format(
                count=len(names),
                worst=", ".join(
                    class_word(name, words) for name in names[: sentences.NAMED]
                ),
                best=", ".join(
                    class_word(name, words) for name in names[-sentences.NAMED :]
                ),
            ),
            caption=_(
                "Accuracy of each class with its 95 % Wilson interval, the classes "
                "that {run} recognises worst first."
            ).format(run=isolated(runs[0].run_id)),
        ),
    ]


def rankings(contents: Contents, words: NullTranslations) -> list[Block]:
    """The ten best and the ten worst classes of each run, with sketches."""
    _ = words.gettext
    blocks: list[Block] = [Paragraph(examples_words(contents, words, runs=1))]
    for results in contents.results:
        run = isolated(results.run_id)
        if len(contents.results) > 1:
            blocks.append(Subheading(run))
        captions = {
            False: _("The {count} best classes of {run}."),
            True: _("The {count} worst classes of {run}."),
        }
        for worst, caption in captions.items():
            ranking = rank_classes(results.class_metrics, limit=TOP, worst=worst)
            blocks.append(
                Table(
                    caption=caption.format(run=run, count=len(ranking.class_metrics)),
                    columns=class_columns((results,), words),
                    rows=[
                        class_cells(contents, (results,), [class_metrics], words)
                        for class_metrics in ranking.class_metrics
                    ],
                    note=ties(ranking, words),
                )
            )
    return blocks


def common(contents: Contents, words: NullTranslations) -> list[Block]:
    """The classes that are hard, and those that are easy, for both runs."""
    _ = words.gettext
    captions = {
        "hard": _("Hard for both: the better of the two accuracies is low."),
        "easy": _("Easy for both: the worse of the two accuracies is high."),
    }
    blocks: list[Block] = [Paragraph(examples_words(contents, words, runs=2))]
    blocks += [
        Table(
            caption=captions[which],
            columns=class_columns(contents.results, words),
            rows=[
                class_cells(
                    contents, contents.results, [pair.first, pair.second], words
                )
                for pair in common_classes(contents.pairs, limit=TOP, which=which)
            ],
        )
        for which in ("hard", "easy")
    ]
    return blocks


def examples_words(contents: Contents, words: NullTranslations, *, runs: int) -> str:
    """Says how to read the sketches that stand beside a class."""
    _ = words.gettext
    shown = (
        _(
            "Beside each class stand up to three sketches that are recognised (✓, with "
            "how sure the network is) and three that are not (✗, with what they are "
            "taken for), those first of which the network is surest."
        )
        if runs == 1
        else _(
            "Beside each class stand up to three sketches that both, or one, recognise "
            "(✓) and three that both, or one, mistake (✗, with what they are taken "
            "for): above what {first} says, below what {second} says."
        ).format(
            first=isolated(contents.results[0].run_id),
            second=isolated(contents.results[-1].run_id),
        )
    )
    if contents.dataset is None:
        return f"{shown} " + _(
            "Their pictures are in dataset {dataset}, which is not installed here: "
            "their numbers stand in for them."
        ).format(dataset=contents.dataset_name)
    return f"{shown} {contents.attribution}".strip()


def class_columns(
    results: Sequence[Results], words: NullTranslations
) -> tuple[Column, ...]:
    """Returns the columns of a table of classes with sketches."""
    _ = words.gettext
    return (
        Column(_("Class")),
        *(
            Column(
                _("Accuracy") if len(results) == 1 else isolated(scored.run_id),
                "interval",
            )
            for scored in results
        ),
        Column(_("Examples"), "sketches"),
    )


def class_cells(
    contents: Contents,
    results: Sequence[Results],
    class_metrics: Sequence[ClassMetrics],
    words: NullTranslations,
) -> tuple[Cell, ...]:
    """Returns a class in one run or two as a row of such a table."""
    _ = words.gettext
    cells: list[Cell] = [class_word(class_metrics[0].class_name, words)]
    cells += [
        Interval(
            of_run.recall,
            of_run.recall_low,
            of_run.recall_high,
            text=_("{done} of {total}").format(done=of_run.correct, total=of_run.n),
            network=scored.config.network,
        )
        for scored, of_run in zip(results, class_metrics, strict=True)
    ]
    right, wrong = choose_examples(tuple(results), class_metrics[0].label)
    sketches = tuple(sketch(contents, results, row, words) for row in (*right, *wrong))
    return (*cells, sketches)


def sketch(
    contents: Contents, results: Sequence[Results], row: int, words: NullTranslations
) -> Sketch:
    """Shows a test sketch with what each run said of it."""
    _ = words.gettext
    first = results[0].evaluation
    verdicts, lines = [], []
    for scored in results:
        answers = scored.evaluation
        is_right = bool(scored.is_right[row])
        guess = isolated(class_word(answers.class_names[answers.y_pred[row]], words))
        sure = sure_words(float(answers.confidence[row]), words)
        verdicts.append((is_right, sure if is_right else f"{guess} {sure}"))
        lines.append(f"{isolated(scored.run_id)}: {guess}, {sure}")
    return Sketch(
        id=first.ids[row],
        image=picture(contents, row),
        alt=_("Sketch {id} of {drawn}; {answers}").format(
            id=first.ids[row],
            drawn=isolated(class_word(first.class_names[first.y_true[row]], words)),
            answers="; ".join(lines),
        ),
        verdicts=tuple(verdicts),
    )


def ties(ranking: Ranking, words: NullTranslations) -> str:
    """Names the classes that are as good as a ranking's last; "" without any."""
    if not ranking.tied:
        return ""
    more = len(ranking.tied)
    names = ", ".join(isolated(class_word(n, words)) for n in ranking.tied[:NAMED_TIES])
    return words.ngettext(
        "{count} more with the same accuracy as the last: {names}",
        "{count} more with the same accuracy as the last: {names}",
        more,
    ).format(count=more, names=f"{names}, …" if more > NAMED_TIES else names)


def all_classes(contents: Contents, words: NullTranslations) -> list[Block]:
    """Every class with its metrics in each run."""
    _ = words.gettext
    columns = [Column(_("Class")), Column(_("Sketches"), "number")]
    for results in contents.results:
        columns += [
            Column(_("{run}: accuracy").format(run=isolated(results.run_id)), "number"),
            Column(_("mostly taken for")),
        ]
    rows = []
    labels = sorted(
        range(len(contents.class_names)),
        key=lambda label: class_word(contents.class_names[label], words).casefold(),
    )
    for label in labels:
        cells = [
            class_word(contents.class_names[label], words),
            str(contents.results[0].class_metrics[label].n),
        ]
        for results in contents.results:
            class_metrics = results.class_metrics[label]
            away = taken_for(results.evaluation, label)[:1]
            cells += [
                f"{percent(class_metrics.recall, words)} "
                f"({span(class_metrics.recall_low, class_metrics.recall_high, words)})"
                if class_metrics.n
                else UNKNOWN,
                f"{isolated(class_word(away[0].class_name, words))} ({away[0].count})"
                if away
                else UNKNOWN,
            ]
        rows.append(tuple(cells))
    return [
        Table(
            caption=_("Accuracy of each class with its 95 % interval."),
            columns=tuple(columns),
            rows=rows,
            is_long=True,
        )
    ]
