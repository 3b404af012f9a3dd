"""A sweep's file is written, read again, and started by a process of its own."""

from pathlib import Path
from typing import Any

import pytest

from core.errors import RunError
from core.files import free_name
from core.sweeps.spec import parse_sweep, read_sweep
from core.sweeps.starting import (
    FILE,
    LOG,
    MAX_STEM,
    create_sweep,
    free_sweep_name,
    launch_sweep,
    sweep_text,
)

SMALL = {"name": "small", "dataset": "tiny", "fields": {"epochs": 1}}


def test_the_file_says_what_was_given_and_nothing_else() -> None:
    content = {**SMALL, "seeds": [0, 1], "fields": {"learning_rate": [1e-5, 0.003]}}
    assert sweep_text(parse_sweep(content, default_name="")) == (
        "name: small\n"
        "dataset: tiny\n"
        "fields:\n"
        "  learning_rate: [1.0e-05, 0.003]\n"
        "seeds: [0, 1]\n"
    )


@pytest.mark.parametrize(
    "content",
    [
        {**SMALL, "dataset": "yes"},
        {**SMALL, "dataset": "1e3"},
        {**SMALL, "name": "2024-01-01", "networks": ["resnet18", "simple"]},
        {**SMALL, "fields": {"image_sizes": [[32], [64]], "flip": [True, False]}},
        {
            **SMALL,
            "fields": {"learning_rate": {"from": 1e-6, "to": 1e-2, "log": True}},
            "search": "optuna",
            "trials": 7,
            "asha": {"reduction": 4},
        },
    ],
)
def test_a_file_reads_as_it_was_written(
    content: dict[str, Any], data_dir: Path
) -> None:
    sweep = parse_sweep(content, default_name="")
    folder = create_sweep(sweep, data_dir=data_dir)
    assert folder == data_dir / "sweeps" / sweep.name
    assert read_sweep(folder / FILE) == sweep
    assert [path.name for path in folder.parent.iterdir()] == [sweep.name]


def test_a_name_that_is_taken_gets_a_number(data_dir: Path) -> None:
    assert free_sweep_name("small", data_dir=data_dir) == "small"
    sweep = parse_sweep(SMALL, default_name="")
    before = (create_sweep(sweep, data_dir=data_dir) / FILE).read_bytes()
    other = parse_sweep({**SMALL, "seeds": [9]}, default_name="")
    with pytest.raises(RunError, match="There is a sweep 'small' already"):
        create_sweep(other, data_dir=data_dir)
    assert (data_dir / "sweeps/small" / FILE).read_bytes() == before
    assert free_sweep_name("small", data_dir=data_dir) == "small-2"


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("Qué tasa: ¿0,1?", "Que-tasa-0-1"),
        ("..hidden", "hidden"),
        ("¿?", None),
        ("x" * 99, "x" * MAX_STEM),
    ],
)
def test_a_wish_becomes_a_name(wish: str, name: str | None, tmp_path: Path) -> None:
    assert free_name(wish, [tmp_path], max_stem=MAX_STEM) == name


def test_a_sweep_that_can_not_start_says_why(data_dir: Path) -> None:
    folder = create_sweep(parse_sweep(SMALL, default_name=""), data_dir=data_dir)
    # There is no such dataset.
    with pytest.raises(RunError, match=r"Sweep 'small' could not be started: .*tiny"):
        launch_sweep(folder, data_dir=data_dir)
    assert "tiny" in (folder / LOG).read_text(encoding="utf-8")
