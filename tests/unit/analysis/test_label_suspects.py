"""The rule by which a training label is suspect, and whether a version helped."""

from dataclasses import replace

import numpy as np
import pytest

from core.analysis.curation import are_versions, curation_effect
from core.analysis.label_suspects import find_label_suspects
from core.language import translations
from core.runs.config import RunConfig
from core.runs.evaluation import Evaluation
from core.runs.out_of_fold import OutOfFold
from core.runs.recipes import make_settings
from core.sentences.curation import curation_words


def found(probabilities: list[list[float]], labels: list[int]) -> OutOfFold:
    n = len(labels)
    asked = np.zeros(n, dtype=np.int32)
    return OutOfFold(
        dataset="d",
        dataset_fingerprint="f",
        class_names=("cat", "dog", "owl"),
        runs=("one", "two"),
        ids=tuple(f"s{k}" for k in range(n)),
        labels=np.array(labels, dtype=np.int32),
        logits=np.log(probabilities).astype(np.float16),
        asked=asked,
        learned=np.stack([asked != 0, asked == 0]),
    )


def test_a_label_is_suspect_by_its_class_s_own_threshold() -> None:
    # Thresholds: cat (0.9 + 0.9 + 0.15 + 0.05) / 4 = 0.5, dog 0.4, owl 0.9.
    suspects = find_label_suspects(
        found(
            [
                [0.90, 0.05, 0.05],
                [0.90, 0.05, 0.05],
                # 0.15 is more than a quarter of 0.5, 0.05 less.
                [0.15, 0.80, 0.05],
                [0.05, 0.35, 0.60],
                [0.20, 0.77, 0.03],
                [0.94, 0.03, 0.03],
                [0.05, 0.05, 0.90],
            ],
            [0, 0, 0, 0, 1, 1, 2],
        )
    )
    assert [(one.id, one.label, one.likely) for one in suspects] == [
        ("s5", "dog", "cat"),
        ("s3", "cat", "owl"),
    ]
    assert suspects[1].label_probability == pytest.approx(0.05, abs=1e-3)
    assert suspects[1].likely_probability == pytest.approx(0.60, abs=1e-3)


def test_an_answer_of_a_network_that_learned_the_sketch_is_refused() -> None:
    answers = found([[0.8, 0.1, 0.1]] * 2, [0, 1])
    answers.check()
    learned = answers.learned.copy()
    learned[0, 1] = True
    with pytest.raises(ValueError, match="run 'one' had learned sketch 's1'"):
        replace(answers, learned=learned).check()


def config(dataset: str, *, seed: int = 0) -> RunConfig:
    return RunConfig(
        run_id=dataset.replace("@", "-"),
        network="simple",
        dataset=dataset,
        dataset_fingerprint=dataset,
        split_fingerprint="s",
        attribution="",
        class_names=("cat", "dog"),
        recipe="best",
        settings=make_settings("simple", "best", {"seed": seed}),
        created_at="2026-11-28",
    )


def evaluation(right: list[bool]) -> Evaluation:
    n = len(right)
    y_pred = np.where(right, 0, 1).astype(np.int32)
    return Evaluation(
        metrics={"run_id": "r", "n": n, "temperature": 1.0},
        class_names=("cat", "dog"),
        ids=tuple(map(str, range(n))),
        y_true=np.zeros(n, dtype=np.int32),
        y_pred=y_pred,
        logits=np.eye(2, dtype=np.float16)[y_pred],
        embedding=np.empty((n, 0), dtype=np.float16),
        map_2d=np.zeros((n, 2), dtype=np.float32),
    )


def test_compare_says_whether_a_version_helped_with_and_without_the_ambiguous() -> None:
    configs = config("d@v1"), config("d")
    assert are_versions(*configs)
    assert not are_versions(config("d"), config("d"))
    assert not are_versions(config("d@v1"), config("e"))
    # Ten are fixed and none broken; four of the fixed are ambiguous, one of the rest.
    effect = curation_effect(
        evaluation([True] * 30),
        evaluation([False] * 10 + [True] * 20),
        configs=configs,
        ambiguous={"0", "1", "2", "3", "29", "of train"},
    )
    assert (effect.paired.n, effect.paired.fixed, effect.paired.broken) == (30, 10, 0)
    assert effect.clear is not None
    assert (effect.clear.n, effect.clear.fixed) == (25, 6)
    assert effect.ambiguous == 5
    # McNemar's mid-p of 10 against none is 2^-10, of 6 against none 2^-6.
    words = curation_words(effect, *configs, translations("en")).replace("\\", "")
    assert words.startswith("**Learning from d@v1 instead of d helped**: 30 instead of")
    assert "30 test sketches are recognised, +33.3 points" in words
    assert "p = 0.00098); without those that people called ambiguous (5), +24" in words
    assert words.endswith("p = 0.016).")


@pytest.mark.parametrize(
    ("right", "before", "told"),
    [
        ([True] * 9 + [False], [True] * 10, "can't be told**: 9 instead of 10 of 10"),
        ([False] * 10, [True] * 10, "did harm**: 0 instead of 10 of 10"),
    ],
)
def test_compare_says_it_as_it_is(
    right: list[bool], before: list[bool], told: str
) -> None:
    configs = config("d@v2"), config("d@v1", seed=1)
    effect = curation_effect(
        evaluation(right), evaluation(before), configs=configs, ambiguous=()
    )
    words = curation_words(effect, *configs, translations("en"))
    assert told in words
    assert "ambiguous" not in words
    assert words.endswith("differ in other settings, too, so it may be due to those.")
