"""A report's sections, in the order of a course report, in the words of a language."""

from collections.abc import Callable, Sequence
from gettext import NullTranslations

import numpy as np

from core.analysis.classes import (
    ClassFigures,
    Ranking,
    common_classes,
    rank_classes,
    taken_for,
)
from core.analysis.confusions import most_confused_classes, top_confusions
from core.analysis.curves import Figure, is_validated, settings_rows
from core.analysis.metrics import ECE_BINS
from core.analysis.overview import REFERENCES
from core.analysis.statistics import wilson_interval
from core.charts.classes import accuracy_chart
from core.charts.curves import learning_curves
from core.charts.matrix import matrix_heatmap
from core.language import translations
from core.report import sentences
from core.report.blocks import (
    Block,
    Card,
    Cards,
    Cell,
    Chart,
    Charts,
    Column,
    Document,
    Interval,
    Paragraph,
    Section,
    Sketch,
    Subheading,
    Table,
)
from core.report.contents import Contents, Results
from core.report.examples import choose_examples, picture
from core.report.sentences import isolated, listed, percent, span, sure_words
from core.runs.config import RunConfig
from core.runs.reading import read_environment
from models import NETWORKS

TOP = 10
"""Classes of a ranking, as in the course report."""

TOP_CONFUSIONS = 15
SUBMATRIX_CLASSES = 15
UNKNOWN = "–"
NAMED_TIES = 12
"""Of classes as good as a ranking's last, so many are named."""

FIGURES: tuple[Figure, ...] = ("loss", "top1")


def make_document(contents: Contents, *, language: str) -> Document:
    """Says what a report tells, in a language of `core.language.LANGUAGES`."""
    words = translations(language)
    _, ngettext = words.gettext, words.ngettext
    makers: list[tuple[str, str, Callable[..., list[Block]]]] = [
        ("settings", _("Settings and training"), settings),
        ("curves", _("Learning curves"), curves),
        ("accuracy", _("Accuracy on the test sketches"), totals),
        ("confusion", _("What is taken for what"), confusion),
        ("classes", _("Accuracy of each class"), classes),
        ("best-and-worst", _("Best and worst classes"), rankings),
    ]
    if contents.pairs:
        makers.append(("both", _("Hard and easy for both"), common))
    makers += [
        ("all-classes", _("All classes"), all_classes),
        (
            "all-settings",
            _("The other settings") if contents.pairs else _("All settings"),
            all_settings,
        ),
        ("about", _("About this report"), about),
    ]
    names = [isolated(results.run_id) for results in contents.results]
    return Document(
        title=_("Recognising sketches: {runs}").format(runs=listed(names, words)),
        subtitle=ngettext(
            "{count:,} test sketch of {classes} classes, dataset {dataset}",
            "{count:,} test sketches of {classes} classes, dataset {dataset}",
            contents.total,
        ).format(
            count=contents.total,
            classes=len(contents.class_names),
            dataset=contents.dataset_name,
        ),
        opening=tuple(sentences.opening(contents, words)),
        cards=Cards(tuple(card(results, words) for results in contents.results)),
        sections=tuple(
            Section(name, title, tuple(make(contents, words)))
            for name, title, make in makers
        ),
        words={
            "contents": _("Contents"),
            "figure": _("Figure {number}."),
            "table": _("Table {number}."),
            "needs_script": _(
                "The charts need JavaScript; the tables hold their numbers."
            ),
        },
        language=language,
    )


def card(results: Results, words: NullTranslations) -> Card:
    """Shows a run's top-1 accuracy first."""
    _ = words.gettext
    metrics = results.evaluation.metrics
    return Card(
        title=isolated(results.run_id),
        value=percent(metrics["top1"], digits=1),
        details=(
            _("top-1 accuracy; 95 % interval {interval}").format(
                interval=span(*metrics["top1_interval"], digits=1)
            ),
            _("{network}, {million:.1f} million parameters, recipe {recipe}").format(
                network=network_title(results),
                million=metrics["num_parameters"] / 1e6,
                recipe=results.config.recipe,
            ),
        ),
        network=results.config.network,
    )


def network_title(results: Results) -> str:
    """Returns what people call a run's network."""
    return NETWORKS[results.config.network].title


def run_columns(contents: Contents) -> list[Column]:
    """Returns a column of numbers a run."""
    return [Column(isolated(r.run_id), "number") for r in contents.results]


def settings(contents: Contents, words: NullTranslations) -> list[Block]:
    """What each run was made with, and in what two of them differ."""
    _ = words.gettext
    blocks: list[Block] = [
        Paragraph(text)
        for results in contents.results
        if (text := sentences.learned(results, words))
    ]
    blocks += [
        Paragraph(f"{isolated(results.run_id)}: {results.run.problem}")
        for results in contents.results
        if results.run.problem
    ]
    facts = [run_facts(results, words) for results in contents.results]
    blocks.append(
        Table(
            caption=_("What was trained."),
            columns=(Column(""), *run_columns(contents)),
            rows=[
                (name, *(of_run[name] or UNKNOWN for of_run in facts))
                for name in facts[0]
                if any(of_run[name] for of_run in facts)
            ],
        )
    )
    differing = [
        row
        for row in settings_rows([results.run for results in contents.results])
        if row["Differs"] and row["Meaning"]
    ]
    if differing:
        blocks.append(
            Table(
                caption=_("Settings in which the runs differ."),
                columns=(
                    Column(_("Field"), "code"),
                    *run_columns(contents),
                    Column(_("Meaning")),
                ),
                rows=setting_cells(contents, differing, words),
            )
        )
    return blocks


def setting_cells(
    contents: Contents, rows: Sequence[dict[str, str]], words: NullTranslations
) -> list[tuple[Cell, ...]]:
    """Returns settings as cells: the field, its value in each run, its meaning."""
    return [
        (
            row["Field"],
            *(row[results.run_id] for results in contents.results),
            words.gettext(row["Meaning"]),
        )
        for row in rows
    ]


def run_facts(results: Results, words: NullTranslations) -> dict[str, str]:
    """Returns what a run is, by the name of each fact; what isn't known is empty."""
    _ = words.gettext
    config, history = results.config, results.run.history
    metrics = results.evaluation.metrics
    machine = read_environment(results.run.path) or {}
    sizes = dict.fromkeys(
        str(row["image_size"]) for row in history if row.get("image_size")
    )
    return {
        _("Network"): network_title(results),
        _("Parameters"): f"{metrics['num_parameters']:,}",
        _("Recipe"): config.recipe,
        _("Began with"): beginning(config, words),
        _("Learned from the answers of"): isolated(config.teacher.run_id)
        if config.teacher
        else "",
        _("Trained on"): ", ".join(config.datasets),
        _("Held out for validation"): percent(config.settings.val_fraction)
        if config.settings.val_fraction
        else _("nothing"),
        _("Image sizes in pixels"): ", ".join(sizes),
        _("Epochs"): str(len(history)) if history else "",
        _("Minutes of training"): f"{history[-1]['elapsed_s'] / 60:.0f}"
        if history
        else "",
        _("Machine"): ", ".join(
            str(part)
            for part in (
                machine.get("cpu"),
                *(machine.get("accelerators") or ()),
                machine.get("backend"),
            )
            if part
        ),
        _("Scored on"): str(metrics.get("evaluated_at", ""))[:10],
    }


def beginning(config: RunConfig, words: NullTranslations) -> str:
    """Returns what a run began with."""
    _ = words.gettext
    if config.origin is None:
        return _("random weights")
    origin = isolated(config.origin.run_id)
    if config.origin.epoch is None:
        return _("the weights of {run}").format(run=origin)
    return _("{run} after epoch {epoch}").format(run=origin, epoch=config.origin.epoch)


def curves(contents: Contents, words: NullTranslations) -> list[Block]:
    """Loss and top-1 over epochs."""
    _, ngettext = words.gettext, words.ngettext
    runs = [results.run for results in contents.results if results.run.history]
    if not runs:
        return [Paragraph(_("Nothing of the training's course is left."))]
    charts = []
    for figure in FIGURES:
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
        ]
        alt = (
            _("Loss by epoch. On validation, {ends}.")
            if figure == "loss"
            else _("Top-1 accuracy by epoch. On validation, {ends}.")
        )
        drawn = learning_curves(runs, figure, words=words)
        charts.append(Chart(drawn, alt.format(ends="; ".join(ends)), "", "half"))
    caption = _(
        "Loss and top-1 accuracy by epoch. Solid: validation, after each epoch. "
        "Dotted: training, the mean over an epoch with dropout and augmentation on. "
        "Star: the epoch of highest validation top-1."
    )
    return [Charts(tuple(charts), caption)]


def totals(contents: Contents, words: NullTranslations) -> list[Block]:
    """The figures of all test sketches, and whether two runs differ."""
    _ = words.gettext
    blocks: list[Block] = [
        Table(
            caption=_("Figures of all {total:,} test sketches.").format(
                total=contents.total
            ),
            columns=(Column(""), *run_columns(contents)),
            rows=total_rows(contents, words),
            note=" ".join(
                [
                    _(
                        "In brackets: 95 % Wilson intervals. The calibration error is "
                        "the mean gap between how sure a network is and how often it "
                        "is right, in {bins} bins; the temperature that mends it was "
                        "fitted on validation."
                    ).format(bins=ECE_BINS),
                    *borrowed_temperatures(contents, words),
                ]
            ),
        )
    ]
    if contents.agreement is not None:
        blocks += [
            Paragraph(sentences.differ(contents, words)),
            agreement_table(contents, words),
        ]
    if contents.is_tu_berlin:
        known = "; ".join(
            f"{_(name)} {percent(top1, digits=1)}" for name, top1 in REFERENCES.items()
        )
        blocks.append(
            Paragraph(
                _(
                    "To compare, top-1 accuracy of others on TU-Berlin sketches, in "
                    "other splits: {figures}."
                ).format(figures=known)
            )
        )
    return blocks


def borrowed_temperatures(contents: Contents, words: NullTranslations) -> list[str]:
    """Says of each run whose temperature it has, if it fitted none of its own."""
    _ = words.gettext
    sentences = []
    for results in contents.results:
        metrics = results.evaluation.metrics
        if "temperature_from" not in metrics:
            continue
        source = metrics["temperature_from"]
        sentence = (
            _("{run} held nothing out to fit one on.")
            if source is None
            else _("{run} held nothing out and has that of {source}.")
        )
        sentences.append(
            sentence.format(run=isolated(results.run_id), source=isolated(str(source)))
        )
    return sentences


def total_rows(contents: Contents, words: NullTranslations) -> list[tuple[str, ...]]:
    """Returns a row a metric; what a run lacks is a dash."""
    _ = words.gettext
    n = contents.total

    def with_interval(share: float) -> str:
        interval = wilson_interval(round(share * n), n)
        return f"{percent(share, digits=1)} ({span(*interval, digits=1)})"

    formats: list[tuple[str, str, Callable[[float], str]]] = [
        (_("Top-1 accuracy"), "top1", with_interval),
        (_("Top-5 accuracy"), "top5", with_interval),
        (
            _("Top-1 accuracy, averaged with the mirror image"),
            "top1_flip_averaged",
            with_interval,
        ),
        (
            _("Top-1 accuracy, averaged over six views"),
            "top1_six_view_averaged",
            with_interval,
        ),
        (_("Cross-entropy in nats"), "loss", "{:.3f}".format),
        (_("Calibration error"), "ece", "{:.3f}".format),
        (_("Temperature"), "temperature", "{:.2f}".format),
        (_("Cross-entropy at that temperature"), "loss_calibrated", "{:.3f}".format),
        (_("Calibration error at that temperature"), "ece_calibrated", "{:.3f}".format),
    ]
    rows = []
    for title, name, tell in formats:
        values = [results.evaluation.metrics.get(name) for results in contents.results]
        if any(value is not None for value in values):
            rows.append((title, *(UNKNOWN if v is None else tell(v) for v in values)))
    return rows


def agreement_table(contents: Contents, words: NullTranslations) -> Table:
    """Counts on how many sketches one, both or none of two runs is right."""
    _ = words.gettext
    agreement = contents.agreement
    assert agreement is not None
    first, second = (isolated(results.run_id) for results in contents.results)
    counts = (
        (agreement.both_right, agreement.only_first),
        (agreement.only_second, agreement.both_wrong),
    )
    return Table(
        caption=_("On how many sketches each run is right."),
        columns=(
            Column(""),
            Column(_("{run} right").format(run=first), "number"),
            Column(_("{run} wrong").format(run=first), "number"),
        ),
        rows=[
            (
                _("{run} right").format(run=second),
                f"{counts[0][0]:,}",
                f"{counts[1][0]:,}",
            ),
            (
                _("{run} wrong").format(run=second),
                f"{counts[0][1]:,}",
                f"{counts[1][1]:,}",
            ),
        ],
    )


def confusion(contents: Contents, words: NullTranslations) -> list[Block]:
    """The confusion matrix of each run, whole and of its top confusions."""
    _ = words.gettext
    blocks: list[Block] = []
    for results in contents.results:
        run = isolated(results.run_id)
        if len(contents.results) > 1:
            blocks.append(Subheading(run))
        pairs = top_confusions(results.evaluation.confusion, limit=TOP_CONFUSIONS)
        if told := sentences.confuses(results, words):
            blocks.append(Paragraph(told))
        blocks.append(full_matrix(contents, results, words))
        if not pairs:
            blocks.append(
                Paragraph(
                    _("Every test sketch is recognised; there is nothing to confuse.")
                )
            )
            continue
        blocks.append(small_matrix(contents, results, words))
        names = results.evaluation.class_names
        blocks.append(
            Table(
                caption=_("The most frequent confusions of {run}.").format(run=run),
                columns=(
                    Column(_("Drawn")),
                    Column(_("Taken for")),
                    Column(_("Sketches"), "number"),
                    Column(_("Share"), "number"),
                ),
                rows=[
                    (
                        names[pair.true],
                        names[pair.predicted],
                        _("{done} of {total}").format(done=pair.count, total=pair.n),
                        percent(pair.count / pair.n),
                    )
                    for pair in pairs
                ],
            )
        )
    return blocks


def full_matrix(contents: Contents, results: Results, words: NullTranslations) -> Chart:
    """Draws the whole confusion matrix, classes in one order for all runs."""
    _ = words.gettext
    order = list(contents.similarity)
    counts = results.evaluation.confusion[np.ix_(order, order)]
    names = [contents.class_names[label] for label in order]
    return Chart(
        matrix_heatmap(counts.astype(float), counts, names, log=True, words=words),
        alt=_("Confusion matrix of all {count} classes: {pairs}").format(
            count=len(names), pairs=sentences.confuses(results, words)
        ),
        caption=_(
            "Confusion matrix of {run}: what was drawn downwards, what it was taken "
            "for across. Colour counts sketches, on a logarithmic scale. Classes that "
            "{ordered_by} takes for each other stand side by side, so that families "
            "show as blocks. Drag over an area to zoom in, double-click to see all "
            "again."
        ).format(
            run=isolated(results.run_id),
            ordered_by=isolated(contents.results[0].run_id),
        ),
        shape="square",
    )


def small_matrix(
    contents: Contents, results: Results, words: NullTranslations
) -> Chart:
    """Draws the part of the confusion matrix that holds the top confusions."""
    _ = words.gettext
    matrix = results.evaluation.confusion
    chosen = most_confused_classes(matrix, limit=SUBMATRIX_CLASSES)
    order = [label for label in contents.similarity if label in chosen]
    small = matrix[np.ix_(order, order)]
    drawn = int(matrix[order].sum())
    return Chart(
        matrix_heatmap(
            small.astype(float),
            small,
            [contents.class_names[label] for label in order],
            write_counts=True,
            words=words,
        ),
        alt=_(
            "Confusion matrix of the {count} classes of the top confusions: {pairs}"
        ).format(count=len(order), pairs=sentences.confuses(results, words)),
        caption=_(
            "The {count} classes of the most frequent confusions of {run}. Not shown: "
            "{hidden} of their {drawn} sketches, taken for other classes."
        ).format(
            count=len(order),
            run=isolated(results.run_id),
            hidden=drawn - int(small.sum()),
            drawn=drawn,
        ),
        shape="medium",
    )


def classes(contents: Contents, words: NullTranslations) -> list[Block]:
    """The accuracy of every class with its interval."""
    _ = words.gettext
    runs = [results.run for results in contents.results]
    figure, names = accuracy_chart(
        runs, [results.figures for results in contents.results], words=words
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
                worst=", ".join(names[: sentences.NAMED]),
                best=", ".join(names[-sentences.NAMED :]),
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
            ranking = rank_classes(results.figures, limit=TOP, worst=worst)
            blocks.append(
                Table(
                    caption=caption.format(run=run, count=len(ranking.figures)),
                    columns=class_columns((results,), words),
                    rows=[
                        class_cells(contents, (results,), [figures], words)
                        for figures in ranking.figures
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
                _("Accuracy") if len(results) == 1 else isolated(found.run_id),
                "interval",
            )
            for found in results
        ),
        Column(_("Examples"), "sketches"),
    )


def class_cells(
    contents: Contents,
    results: Sequence[Results],
    figures: Sequence[ClassFigures],
    words: NullTranslations,
) -> tuple[Cell, ...]:
    """Returns a class in one run or two as a row of such a table."""
    _ = words.gettext
    cells: list[Cell] = [figures[0].class_name]
    cells += [
        Interval(
            of_run.recall,
            of_run.recall_low,
            of_run.recall_high,
            told=_("{done} of {total}").format(done=of_run.correct, total=of_run.n),
            network=found.config.network,
        )
        for found, of_run in zip(results, figures, strict=True)
    ]
    right, wrong = choose_examples(tuple(results), figures[0].label)
    sketches = tuple(sketch(contents, results, row, words) for row in (*right, *wrong))
    return (*cells, sketches)


def sketch(
    contents: Contents, results: Sequence[Results], row: int, words: NullTranslations
) -> Sketch:
    """Shows a test sketch with what each run said of it."""
    _ = words.gettext
    first = results[0].evaluation
    verdicts, told = [], []
    for found in results:
        answers = found.evaluation
        is_right = bool(found.is_right[row])
        guess = isolated(answers.class_names[answers.y_pred[row]])
        sure = sure_words(float(answers.confidence[row]))
        verdicts.append((is_right, sure if is_right else f"{guess} {sure}"))
        told.append(f"{isolated(found.run_id)}: {guess}, {sure}")
    return Sketch(
        id=first.ids[row],
        image=picture(contents, row),
        alt=_("Sketch {id} of {drawn}; {answers}").format(
            id=first.ids[row],
            drawn=isolated(first.class_names[first.y_true[row]]),
            answers="; ".join(told),
        ),
        verdicts=tuple(verdicts),
    )


def ties(ranking: Ranking, words: NullTranslations) -> str:
    """Names the classes that are as good as a ranking's last; "" without any."""
    if not ranking.tied:
        return ""
    more = len(ranking.tied)
    names = ", ".join(map(isolated, ranking.tied[:NAMED_TIES]))
    return words.ngettext(
        "{count} more with the same accuracy as the last: {names}",
        "{count} more with the same accuracy as the last: {names}",
        more,
    ).format(count=more, names=f"{names}, …" if more > NAMED_TIES else names)


def all_classes(contents: Contents, words: NullTranslations) -> list[Block]:
    """Every class with its figures in each run."""
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
        key=lambda label: contents.class_names[label].casefold(),
    )
    for label in labels:
        cells = [contents.class_names[label], str(contents.results[0].figures[label].n)]
        for results in contents.results:
            figures = results.figures[label]
            away = taken_for(results.evaluation, label)[:1]
            cells += [
                f"{percent(figures.recall)} "
                f"({span(figures.recall_low, figures.recall_high)})"
                if figures.n
                else UNKNOWN,
                f"{isolated(away[0].class_name)} ({away[0].count})"
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


def all_settings(contents: Contents, words: NullTranslations) -> list[Block]:
    """Every setting, but those that were told because two runs differ in them."""
    _ = words.gettext
    rows = [
        row
        for row in settings_rows([results.run for results in contents.results])
        if row["Meaning"] and not row["Differs"]
    ]
    return [
        Table(
            caption=_("Settings that are the same in both runs.")
            if contents.pairs
            else _("All settings of the run."),
            columns=(
                Column(_("Field"), "code"),
                *run_columns(contents),
                Column(_("Meaning")),
            ),
            rows=setting_cells(contents, rows, words),
            is_long=True,
        )
    ]


def about(contents: Contents, words: NullTranslations) -> list[Block]:
    """How the figures came about, and whose the sketches are."""
    _ = words.gettext
    blocks: list[Block] = [
        Paragraph(
            _(
                "Each of the {total:,} test sketches was scored; none of them was seen "
                "in training. Probabilities are those at the fitted temperature (Guo "
                "et al. 2017, On Calibration of Modern Neural Networks). Intervals are "
                "Wilson's (1927), the test between two networks is McNemar's (1947) in "
                "its exact form. Equal accuracies are ranked by the number of sketches "
                "behind them."
            ).format(total=contents.total)
        ),
        Paragraph(
            _(
                "Made by SketchScope: {command}. The tables lie beside this page as "
                "CSV; it needs no network to be read."
            ).format(
                command="python -m core report "
                + " ".join(results.run_id for results in contents.results)
            )
        ),
    ]
    if contents.attribution:
        blocks.append(Paragraph(contents.attribution))
    return blocks
