"""`ethogram bench`."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import Annotated

import typer


def bench(
    events: Annotated[
        int, typer.Option("--events", min=1_000, help="How many events the world has.")
    ] = 20_000_000,
    segments: Annotated[
        str, typer.Option("--segments", metavar="N,N", help="How many segments.")
    ] = "100,500,1000",
    seed: Annotated[int, typer.Option("--seed", help="Of the world and of the questions.")] = 1,
    only: Annotated[str, typer.Option("--only", metavar="P1,P2", help="These measurements alone.")] = "",
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder", metavar="DIR", help="Keep the data here, and use it again.", show_default="temporary"
        ),
    ] = None,
    rival_sample: Annotated[
        int | None,
        typer.Option(
            "--rival-sample",
            metavar="N",
            min=1,
            help="Rivals answer N questions; their time is extrapolated.",
        ),
    ] = None,
    larger: Annotated[
        int | None, typer.Option("--larger", metavar="N", help="Measure memory at N events too.", min=1_000)
    ] = None,
    repeats: Annotated[
        int, typer.Option("--repeats", min=1, help="Runs of ethogram; the median counts.")
    ] = 3,
    show_queries: Annotated[
        int,
        typer.Option(
            "--show-queries", metavar="N", min=0, help="Print the rivals' queries for N questions and stop."
        ),
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Machine-readable, on stdout.")] = False,
) -> None:
    """The benchmarks on this machine, as ratios. The full size takes 20 minutes or more and 6 GB of disk."""
    from ethogram.bench.figures import Options
    from ethogram.bench.report import lines
    from ethogram.bench.run import rival_queries, run
    from ethogram.bench.scores import NUMBERS

    options = Options(
        events=events,
        segments=_counts(segments),
        seed=seed,
        only=frozenset(only.upper().replace(" ", "").split(",")) if only else frozenset(NUMBERS),
        folder=folder,
        sample=rival_sample,
        larger=larger,
        repeats=repeats,
    )
    if show_queries:
        for query in rival_queries(options, show_queries):
            typer.echo(query)
        return
    outcome = run(options, lambda text: print(text, file=sys.stderr, flush=True))
    typer.echo(json_text.dumps(outcome.as_json(), indent=1) if json else "\n".join(lines(outcome)))
    if outcome.mismatches:
        raise typer.Exit(1)


def _counts(text: str) -> tuple[int, ...]:
    try:
        counts = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        raise typer.BadParameter(f"{text!r}: numbers with commas between them, such as 100,500") from None
    if not counts or counts[0] < 1:
        raise typer.BadParameter("at least one segment")
    return counts
