"""Whether runs are right as often as they say, as charts and numbers."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.analysis.calibration import Binning, calibration, reliability
from core.analysis.trust import Trust, metric_rows
from core.charts.trust import reliability_chart
from core.language import noop as N_
from core.runs.reading import Run
from core.sentences.trust import temperature_words
from pages.shared.chart import chart
from pages.shared.fragments import fragment
from pages.shared.language import gettext as _
from pages.shared.language import words
from pages.shared.pickers import pick_option
from pages.shared.tables import download_csv, number_column, number_table


@fragment
def show_reliability(runs: Sequence[Run], trusts: Sequence[Trust]) -> None:
    """Shows whether the runs are right as often as they say."""
    st.subheader(_("Is it right as often as it says?"))
    st.write(temperature_words(runs[0], trusts[0], words()))
    kinds: dict[Binning, str] = {
        "width": _("of equal width"),
        "mass": _("of equally many sketches"),
    }
    by = pick_option(
        _("Bins"),
        kinds,
        key="bins",
        help=_(
            "Of equal width, bins divide how sure a network is into fifteen equal "
            "parts, some of which hold few sketches. Of equally many sketches, each "
            "says as much as the others."
        ),
    )
    has_temperature = any(trust.after.temperature != 1 for trust in trusts)
    stages = [(_("As trained"), "before")]
    if has_temperature:
        stages.append((_("At its temperature"), "after"))
    for column, (title, stage) in zip(
        st.columns(len(stages), gap="medium"), stages, strict=True
    ):
        bins_of = [reliability(getattr(trust, stage), by=by) for trust in trusts]
        with column:
            st.markdown(f"**{title}**")
            chart(
                reliability_chart(
                    runs,
                    bins_of,
                    with_counts=by == "width",
                    words=words(),
                ),
                key=f"trust_{stage}",
                alt=_("{title}: {told}").format(
                    title=title,
                    told="; ".join(
                        _(
                            "{run} is {confidence:.0%} sure on average, right "
                            "{accuracy:.0%} of the time, calibration error {ece:.3f}"
                        ).format(
                            run=run.run_id,
                            confidence=getattr(trust, stage).mean_confidence,
                            accuracy=getattr(trust, stage).accuracy,
                            ece=calibration(getattr(trust, stage), by=by).ece,
                        )
                        for run, trust in zip(runs, trusts, strict=True)
                    ),
                ),
                height=400,
                uirevision=by,
            )
    st.caption(
        _(
            "On the dashed line a network is right as often as it says; below it, it "
            "is overconfident. Bars are 95 % Wilson intervals of how often it is right."
        )
    )
    rows = metric_rows(
        [(run.run_id, trust) for run, trust in zip(runs, trusts, strict=True)], by=by
    )
    number_table(
        rows,
        hide_index=True,
        column_config={
            "Run": _("Run"),
            "Temperature": st.column_config.NumberColumn(
                _("Temperature"), format="%.2f", help=_("1 is the network as trained")
            ),
            "Mean confidence": number_column(_("Sure on average"), "%.1f %%"),
            "Accuracy": number_column(_("Right"), "%.1f %%"),
            **{
                name: st.column_config.NumberColumn(label, format="%.3f", help=told_by)
                for name, label, told_by in (
                    ("ECE", "ECE", _(ECE_HELP)),
                    ("ECE by chance", _("ECE by chance"), _(CHANCE_HELP)),
                    ("MCE", "MCE", _(MCE_HELP)),
                    ("NLL", "NLL", _(NLL_HELP)),
                    ("Brier", "Brier", _(BRIER_HELP)),
                    ("AURC", "AURC", _(AURC_HELP)),
                    ("E-AURC", "E-AURC", _(E_AURC_HELP)),
                )
            },
        },
        key="trust_metrics",
        alt=_("Calibration of each run before and after its temperature"),
    )
    with st.container(horizontal=True):
        download_csv(_("Metrics as CSV"), rows, "trust", *runs)
        download_csv(_("Bins as CSV"), bin_rows(runs, trusts, by), "trust-bins", *runs)


ECE_HELP = N_(
    "Expected calibration error: mean difference of how sure and how right, weighted "
    "by the sketches of each bin (Guo et al. 2017)"
)
CHANCE_HELP = N_(
    "About what the error would be of a perfectly calibrated network, only because "
    "there are not more sketches"
)
MCE_HELP = N_(
    "Maximum calibration error: the largest difference of a bin; with few sketches in "
    "a bin mostly chance"
)
NLL_HELP = N_("Mean negative log probability of the right class, in nats")
BRIER_HELP = N_(
    "Mean squared error of all probabilities of a sketch, from 0 to 2 (Brier 1950)"
)
AURC_HELP = N_(
    "Area under the curve of error over coverage: its mean error over all shares of "
    "sketches that it may answer (Geifman and El-Yaniv 2017)"
)
E_AURC_HELP = N_(
    "What of AURC is due to being sure of the wrong ones: 0 if all mistakes came last "
    "(Geifman et al. 2019)"
)


def bin_rows(
    runs: Sequence[Run], trusts: Sequence[Trust], by: Binning
) -> list[dict[str, Any]]:
    """Returns each bin as a table row."""
    return [
        {
            "Run": run.run_id,
            "Temperature": confidences.temperature,
            "From": group.low,
            "To": group.high,
            "Sketches": group.n,
            "Mean confidence": group.confidence,
            "Accuracy": group.accuracy,
            "Low": group.accuracy_low,
            "High": group.accuracy_high,
        }
        for run, trusted_run in zip(runs, trusts, strict=True)
        for confidences in (trusted_run.before, trusted_run.after)
        for group in reliability(confidences, by=by)
    ]
