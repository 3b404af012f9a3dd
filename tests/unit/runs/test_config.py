"""Settings are checked, recipes are data, and nothing is lost in JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.errors import ConfigError, explain
from core.runs.config import RunConfig, Settings
from core.runs.recipes import RECIPES, make_settings, parse_overrides
from models import NETWORKS

settings_strategy = st.builds(
    Settings,
    epochs=st.integers(1, 1000),
    seed=st.integers(0, 2**31 - 1),
    learning_rate=st.floats(1e-6, 1),
    label_smoothing=st.floats(0, 0.99),
    flip=st.booleans(),
    rotation_deg=st.floats(0, 180),
)


def test_an_error_repeats_no_more_than_one_can_read() -> None:
    long = "a" * 5000
    for words in ([long], [f"{long}=1"], [f"seed={long}"]):
        with pytest.raises(ConfigError) as error:
            make_settings("simple", "best", parse_overrides(words))
        assert "aaa…" in str(error.value)
        assert len(str(error.value)) < 1500
    for network, recipe in ((long, "best"), ("simple", long)):
        with pytest.raises(ConfigError, match="aaa…"):
            make_settings(network, recipe)


def test_of_many_faults_the_first_few_are_told() -> None:
    with pytest.raises(ValidationError) as error:
        RunConfig.model_validate({})
    assert "There are" in explain(error.value)
    assert explain(error.value).count("Field required") == 3


@given(settings_strategy)
def test_a_config_survives_json(settings: Settings) -> None:
    config = RunConfig(
        run_id="a",
        network="simple",
        dataset="d",
        dataset_fingerprint="f",
        split_fingerprint="s",
        attribution="",
        class_names=("ä", "日本"),
        recipe="best",
        settings=settings,
        created_at="2026-01-01T00:00:00+00:00",
    )
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_recipe_fits_every_network(recipe: str, network: str) -> None:
    assert make_settings(network, recipe).test_image_size == 128


def test_the_report_s_recipe_is_the_report_s() -> None:
    settings = make_settings("resnet18", "report")
    assert (settings.epochs, settings.batch_size, settings.val_fraction) == (
        50,
        64,
        0.2,
    )
    assert (settings.optimizer, settings.learning_rate) == ("adam", 1e-3)
    augmentation = (settings.flip, settings.rotation_deg, settings.ink_gain)
    assert augmentation == (False, 0, (1, 1))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("epochs=0", "`epochs`.*Received: epochs=0"),
        ("epochs=many", "`epochs`.*Received: epochs='many'"),
        ("learning_rate=NaN", "`learning_rate`"),
        ("optimizer=sgdd", "`optimizer`"),
        ("image_sizes=[64,128]", "same length"),
        ("image_sizes=[4]", "`image_sizes"),
        ("ema=1", "`ema`"),
        ("decay_share=0", "`decay_share`"),
        ("warmup_epochs=99", "less than `epochs`"),
        ("ink_gain=11", "`ink_gain`.*Received: ink_gain=11"),
        ("ink_gain=[2,1]", "`ink_gain` must be the lower"),
        ("views=4", "`views` needs a single size"),
        ("epoch=3", "no field 'epoch'.*epochs"),
        ("epochs", "FIELD=VALUE"),
    ],
)
def test_a_bad_setting_is_named_with_what_was_received(word: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_settings("resnet18", "best", parse_overrides([word]))


@pytest.mark.parametrize(
    ("word", "gains"),
    [
        ("ink_gain=1", (1, 2)),
        ("ink_gain=0", (1, 1)),
        ("ink_gain=[0.7,1.6]", (0.7, 1.6)),
    ],
)
def test_ink_gain_is_a_range_and_was_one_number_beyond_1(
    word: str, gains: tuple[float, float]
) -> None:
    settings = make_settings("simple", "report", parse_overrides([word]))
    assert settings.ink_gain == gains


def test_teacher_and_distillation_need_each_other() -> None:
    fields = {
        "run_id": "a",
        "network": "simple",
        "dataset": "d",
        "dataset_fingerprint": "f",
        "split_fingerprint": "s",
        "attribution": "",
        "class_names": ("a", "b"),
        "recipe": "best",
        "created_at": "2026-01-01T00:00:00+00:00",
    }
    teacher = {"run_id": "t", "weights_sha256": "0" * 64, "temperature": 0.8}
    RunConfig(**fields, settings=Settings(distillation=0.5), teacher=teacher)
    for settings, named in ((Settings(distillation=0.5), None), (Settings(), teacher)):
        with pytest.raises(ValidationError, match="need each other"):
            RunConfig(**fields, settings=settings, teacher=named)


def test_simple_takes_one_image_size_only() -> None:
    overrides = {"image_sizes": [64, 128], "image_size_shares": [0.5, 0.5]}
    with pytest.raises(ConfigError, match="one size"):
        make_settings("simple", "best", overrides)


def test_an_unknown_network_or_recipe_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="simple, resnet18"):
        make_settings("vgg", "best")
    with pytest.raises(ConfigError, match="report, best"):
        make_settings("simple", "worst")


def test_few_epochs_shorten_the_recipe_s_warm_up() -> None:
    assert make_settings("resnet18", "best", {"epochs": 1}).warmup_epochs < 1


def test_image_sizes_take_their_shares_of_the_epochs() -> None:
    settings = make_settings("resnet18", "best", {"epochs": 10})
    sizes = [settings.image_size_at(epoch) for epoch in range(10)]
    assert sizes == [64] * 6 + [96] * 2 + [128] * 2


@given(st.integers(1, 60))
def test_every_epoch_has_a_size_and_the_last_is_the_test_s(epochs: int) -> None:
    settings = make_settings("resnet18", "best", {"epochs": epochs})
    sizes = [settings.image_size_at(epoch) for epoch in range(epochs)]
    assert sizes == sorted(sizes)
    assert settings.image_size_at(epochs) == 128


@pytest.mark.parametrize("word", ["keep=best", "patience=3"])
def test_without_validation_nothing_is_chosen_by_it(word: str) -> None:
    words = parse_overrides(["val_fraction=0", word])
    with pytest.raises(ConfigError, match="need a `val_fraction` above 0"):
        make_settings("simple", "best", words)
    assert make_settings("simple", "best", {"val_fraction": 0}).val_fraction == 0


def test_mixing_ends_before_the_last_epochs() -> None:
    settings = Settings(epochs=5, mixup=0.2, unmixed_epochs=2)
    assert [settings.is_mixed_at(e) for e in range(5)] == [True] * 3 + [False] * 2
    assert Settings(epochs=5, cutmix=0.2).is_mixed_at(4)
    assert not Settings(epochs=5).is_mixed_at(0)
