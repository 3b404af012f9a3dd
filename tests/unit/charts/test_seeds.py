"""Seeds of one recipe are drawn as their mean and one deviation around it."""

from dataclasses import replace

import numpy as np
import pytest

from core.analysis.seeds import seed_groups
from core.charts.curves import learning_curves
from core.language import translations
from tests.unit.analysis.test_seeds import made


def test_a_group_is_one_line_with_a_band_and_the_other_runs_stay() -> None:
    first, second, other = made("a", 0), made("b", 1), made("c", 0, epochs=3)
    higher = tuple({**row, "val_top1": row["val_top1"] + 0.1} for row in second.history)
    runs = [first, replace(second, history=higher), other]
    chart = learning_curves(
        runs,
        "top1",
        show_train=False,
        groups=seed_groups(runs),
        words=translations("en"),
    )
    (mean,) = [trace for trace in chart.data if "2 seeds" in str(trace.name)]
    (band,) = [trace for trace in chart.data if trace.fill == "toself"]
    top1 = np.array([row["val_top1"] for row in first.history])
    deviation = 0.1 / 2**0.5
    assert mean.y == pytest.approx(top1 + 0.05)
    edges = [*(top1 + 0.05 + deviation), *(top1 + 0.05 - deviation)[::-1]]
    assert band.y == pytest.approx(edges)
    names = [str(trace.name) for trace in chart.data]
    assert "c, validation" in names
    assert not any(name.startswith(("a,", "b,")) for name in names)
