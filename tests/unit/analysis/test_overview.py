"""Which run is called the best, and what it cost, on cases worked out by hand."""

from dataclasses import replace
from typing import Any

import pytest

from core.analysis.lineage import lineage
from core.analysis.overview import (
    best_of_each_network,
    is_tu_berlin,
    rank_runs,
    run_rows,
)
from core.datasets.folds import Fold
from core.language import translations
from core.paths import TRAINED_DIR
from core.runs.config import Calibration, Origin
from core.runs.reading import Run, read_run
from core.sentences.lineage import duration_words, lineage_words
from tests.unit.analysis.test_curves import row, run

METRICS = {
    "num_classes": 2,
    "top5": 0.9,
    "top1_interval": [0.1, 0.9],
    "n": 100,
    "dataset": "d",
    "num_parameters": 5,
}


def scored(run_id: str, *, val: float | None, test: float, **config: Any) -> Run:
    """An evaluated run with one epoch."""
    rows = {} if val is None else {"val_loss": 1.0, "val_top1": val}
    bare = {k: v for k, v in row(1, 0.0).items() if not k.startswith("val_")}
    made = run(run_id, **({} if val is not None else {"val_fraction": 0}))
    assert made.config is not None
    return replace(
        made,
        config=made.config.model_copy(update=config),
        history=({**bare, **rows},),
        metrics={**METRICS, "top1": test},
    )


def ids(runs: list[Run]) -> list[str]:
    return [shown.run_id for shown in runs]


def test_the_best_run_is_chosen_by_validation_not_by_the_test() -> None:
    lucky = scored("lucky", val=0.70, test=0.80)
    better = scored("better", val=0.72, test=0.75)
    assert ids(rank_runs([lucky, better])) == ["better", "lucky"]
    (card,) = best_of_each_network([lucky, better])
    assert (card.run_id, card.val_top1, card.top1) == ("better", 0.72, 0.75)


def test_folds_don_t_compete() -> None:
    fold = Fold(dataset_fingerprint="f", k=5, index=0, seed=0)
    easy = scored("easy", val=0.9, test=0.9, fold=fold)
    whole = scored("whole", val=0.5, test=0.5)
    assert ids(rank_runs([easy, whole])) == ["whole", "easy"]
    assert [card.run_id for card in best_of_each_network([easy, whole])] == ["whole"]
    assert best_of_each_network([easy]) == []


def test_what_holds_nothing_out_is_judged_by_whose_temperature_it_has() -> None:
    first, other = (scored(n, val=v, test=0.1) for n, v in (("a", 0.6), ("b", 0.5)))
    taken = Calibration(run_id="a", temperature=1.0)
    final = scored("final", val=None, test=0.2, calibration=taken)
    assert ids(rank_runs([other, first, final])) == ["final", "a", "b"]
    # Of what nobody knows how good it is on validation, the test says no more.
    assert ids(rank_runs([final, other])) == ["b", "final"]


def test_more_classes_come_first() -> None:
    few, many = scored("few", val=0.9, test=0.9), scored("many", val=0.1, test=0.1)
    many = replace(many, metrics={**METRICS, "top1": 0.1, "num_classes": 3})
    assert ids(rank_runs([few, many])) == ["many", "few"]


def test_a_table_s_validation_is_of_the_weights_that_the_test_is_of() -> None:
    # Highest after epoch 2, but the run has the weights of its last.
    last = replace(run(), history=(row(1, 0.2), row(2, 0.6), row(3, 0.5)))
    (shown,) = run_rows([last])
    assert (shown["Kept epoch"], shown["Validation top-1"]) == (3, 50)
    assert last.config is not None
    settings = last.config.settings.model_copy(update={"keep": "best"})
    config = last.config.model_copy(update={"settings": settings})
    (shown,) = run_rows([replace(last, config=config)])
    assert (shown["Kept epoch"], shown["Validation top-1"]) == (2, 60)


def test_cost_is_that_of_all_trainings_that_led_to_a_run() -> None:
    origin = Origin(
        run_id="first", weights_sha256="0" * 64, earlier_epochs=40, earlier_s=600
    )
    second = scored("second", val=0.5, test=0.5, origin=origin)
    (card,) = best_of_each_network([second])
    # One epoch of 30 s of its own.
    assert card.trained_s == 630
    said = " ".join(lineage_words(second, translations("en")))
    assert said == (
        "It began with the weights of first. "
        "All trainings that led to it: 41 epochs, 10 minutes."
    )
    unknown = origin.model_copy(update={"earlier_epochs": None, "earlier_s": None})
    (card,) = best_of_each_network([scored("b", val=0.5, test=0.5, origin=unknown)])
    assert card.trained_s is None


@pytest.mark.parametrize(
    ("seconds", "told"), [(60, "1 minute"), (7199, "120 minutes"), (9000, "2.5 hours")]
)
def test_a_time_is_told_in_minutes_or_hours(seconds: float, told: str) -> None:
    assert duration_words(seconds, translations("en")) == told


def test_the_shipped_resnet18_cost_five_trainings() -> None:
    found = lineage(read_run(TRAINED_DIR / "resnet18"))
    # 20 + 11 + 9 + 18 + 32 epochs; 57 + 90 + 82 + 63 + 101 minutes.
    assert (found.epochs, found.total_epochs) == (32, 90)
    assert found.total_s is not None
    assert found.total_s / 60 == pytest.approx(393.6, abs=0.1)


def test_people_s_accuracy_is_of_all_classes() -> None:
    shipped = read_run(TRAINED_DIR / "simple")
    assert is_tu_berlin(shipped)
    assert shipped.config is not None
    few = shipped.config.model_copy(update={"class_names": ("airplane", "alarm_clock")})
    assert not is_tu_berlin(replace(shipped, config=few))
