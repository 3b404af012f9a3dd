"""The commands of `owner`: set and remove the passphrase."""

import sys

import typer

from core.cli.console import out
from core.errors import SketchScopeError
from core.paths import data_dir

owner_app = typer.Typer(
    no_args_is_help=True, help="Set or remove the passphrase of the dashboard's owner."
)


@owner_app.command("set")
def owner_set() -> None:
    """Ask for a passphrase and keep its hash.

    Read from standard input where that is no terminal.
    """
    from getpass import getpass

    from core.ownership import set_passphrase

    if sys.stdin.isatty():
        passphrase = getpass("Passphrase: ")
        if passphrase != getpass("Once more: "):
            raise SketchScopeError("The two passphrases differ; nothing was changed.")
    else:
        passphrase = sys.stdin.readline().rstrip("\r\n")
    set_passphrase(passphrase, data_dir=data_dir())
    out.print(
        "The passphrase is set. The dashboard asks for it before it starts, stops, "
        "imports, keeps or removes anything."
    )


@owner_app.command("remove")
def owner_remove() -> None:
    """Forget the passphrase; only who sits at the machine is the owner then."""
    from core.ownership import remove_passphrase

    remove_passphrase(data_dir())
    out.print("The passphrase is removed.")
