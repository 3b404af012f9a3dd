"""What the commands of the tests find loaded already; see `tests/preloaded.py`.

Not `core.cli.app`, which looks as it is loaded where its output goes.
"""

import sys

import rich.progress
import rich.table
import sklearn.manifold

import core.cli.examination
import core.cli.sweeps
import core.datasets.sources
import core.export.models
import core.inference.classify
import core.report
import core.training.evaluate
import core.training.train
import core.training.work

__all__ = ["core", "rich", "sklearn"]

# A command starts TensorFlow itself, without the noise that it makes, if Keras is not
# loaded; all else of Keras stays loaded.
del sys.modules["keras"]
