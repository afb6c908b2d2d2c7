"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Here: TypeAlias = Annotated[
    Path, typer.Option("--project", metavar="DIR", help="The project's folder.", show_default="this folder")
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Machine-readable, on stdout.")]
AsOf: TypeAlias = Annotated[
    str,
    typer.Option(
        "--as-of",
        metavar="TIME",
        help="As it was then: 2011-11-09 or '2011-11-09 18:30'.",
        show_default="now",
    ),
]
Drawn: TypeAlias = Annotated[
    str, typer.Option("--chart", metavar="FILE", help="Draw it: .svg or .png.", show_default=False)
]
HERE = Path()
