"""A report's sections, in the order of a course report, in the words of a language."""

from collections.abc import Callable
from gettext import NullTranslations

from core.language import translations
from core.report import sentences
from core.report.blocks import Block, Card, Cards, Document, Paragraph, Section
from core.report.contents import Contents, Results
from core.report.sections.accuracy import totals
from core.report.sections.classes import all_classes, classes, common, rankings
from core.report.sections.confusion import confusion
from core.report.sections.shared import network_title
from core.report.sections.training import all_settings, curves, settings
from core.sentences.numbers import isolated, listed, percent, span


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
    low, high = metrics["top1_interval"]
    return Card(
        title=isolated(results.run_id),
        value=percent(metrics["top1"], words, digits=1),
        details=(
            _("top-1 accuracy; 95 % interval {interval}").format(
                interval=span(low, high, words, digits=1)
            ),
            _("{network}, {million:.1f} million parameters, recipe {recipe}").format(
                network=network_title(results),
                million=metrics["num_parameters"] / 1e6,
                recipe=results.config.recipe,
            ),
        ),
        network=results.config.network,
    )


def about(contents: Contents, words: NullTranslations) -> list[Block]:
    """How the metrics came about, and whose the sketches are."""
    _ = words.gettext
    blocks: list[Block] = [
        Paragraph(
            _(
                "Each of the {total:,} test sketches was scored; none of them was seen "
                "in training. Probabilities are those at the fitted temperature (Guo "
                "et al. 2017, On Calibration of Modern Neural Networks). Intervals are "
                "Wilson's (1927), the test between two networks is McNemar's (1947) "
                "with mid-p. Equal accuracies are ranked by the number of sketches "
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
