"""The command line. Every verb's module imports the rooms it needs when the verb runs, so that `--help` is quick."""

from __future__ import annotations

from typing import Annotated

import typer

from ethogram.app import catalog, define, identity, judge, look, measure, operate, run, start
from ethogram.app.boundary import Boundary

app = typer.Typer(
    name="ethogram",
    cls=Boundary,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every verb tells more: ethogram members --help. Exit codes: 0 fine, 1 differences or failures found, "
    "2 definitions or data to mend, 3 the machine.",
)
for verbs in (start, look, identity, measure, judge, define, catalog, run, operate):
    verbs.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ethogram {version('ethogram')}")
        raise typer.Exit


@app.callback()
def ethogram(
    version: Annotated[
        bool,
        typer.Option("--version", help="The version of this program.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Behavioral customer segmentation as code.

    Say what customers did, in files that read like sentences; see who is in which segment at any moment, exactly, and why.
    Try it: ethogram demo
    """


def main() -> None:
    app()
