"""What several sections share: a column a run, and a network's title."""

from core.report.blocks import Column
from core.report.contents import Contents, Results
from core.sentences.numbers import isolated
from models import NETWORKS

UNKNOWN = "–"


def network_title(results: Results) -> str:
    """Returns what people call a run's network."""
    return NETWORKS[results.config.network].title


def run_columns(contents: Contents) -> list[Column]:
    """Returns a column of numbers a run."""
    return [Column(isolated(r.run_id), "number") for r in contents.results]
