"""The command line: `python -m core …`.

Results go to standard output, and with `--json` nothing but one JSON document does;
progress and errors go to standard error. A SketchScopeError ends in one line and
exit code 2.
"""

import io
import os
import sys

import typer

from core.cli import curation, sweeps
from core.cli.console import end
from core.cli.datasets import dataset_app
from core.cli.doctor import doctor
from core.cli.drawings import drawings_app
from core.cli.owner import owner_app
from core.cli.robustness import robustness
from core.cli.runs import runs_app
from core.cli.training import benchmark, evaluate, recipes, train
from core.cli.use import classify, export, report
from core.errors import SketchScopeError
from models import FIRST_NETWORK

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Train, evaluate and use sketch classifiers.\n\n"
    "Begin with a dataset that needs no download:\n\n"
    "    python -m core dataset add starter\n\n"
    f"    python -m core train {FIRST_NETWORK} --dataset starter --recipe best\n\n"
    "Everything is written to `data/`, or to the folder that the environment variable "
    "`SKETCHSCOPE_DATA` names.",
)
app.command("train")(train)
app.command("evaluate")(evaluate)
app.command("classify")(classify)
app.command("robustness")(robustness)
app.command("report")(report)
app.command("export")(export)
app.command("doctor")(doctor)
app.command("recipes")(recipes)
app.command("benchmark")(benchmark)
curation.register(dataset_app)
app.add_typer(dataset_app, name="dataset")
app.add_typer(runs_app, name="runs")
app.add_typer(drawings_app, name="drawings")
app.add_typer(owner_app, name="owner")
app.add_typer(sweeps.app)


def main() -> None:
    """Runs the command line and exits."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What the terminal or file has no signs for is escaped.
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except SketchScopeError as error:
        end(str(error))
    except typer.TyperException as error:
        message = error.format_message()
        if not message:  # a group without a command, which has shown its help
            sys.exit(2)
        stop = "" if message.endswith((".", "?", ")")) else "."
        end(f"{message}{stop} `--help` after a command tells what it takes.")
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        end(f"{error.filename or 'The disk'}: {error.strerror or error}.")
