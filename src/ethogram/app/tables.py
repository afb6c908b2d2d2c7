"""How the answers of Look are drawn on a terminal, and written to files."""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ethogram.app import render
from ethogram.model.errors import DataError, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from ethogram.membership.explain import Explanation
    from ethogram.membership.over_time import Flow, History
    from ethogram.model.event import Moment
    from ethogram.model.settings import Settings

LINES = 31
"""So many lines a history has at most: a month of days."""


# --- members --------------------------------------------------------------------------------------------------------


def show_rows(table: pa.Table, limit: int, zone: str) -> None:
    """The first rows of a table of customers."""
    numbers = {"decimal128(18, 6)", "int64", "double"}
    columns = [
        render.Column(
            name, "right" if str(kind) in numbers else "left", wraps=str(kind) == "string" and index > 0
        )
        for index, (name, kind) in enumerate(zip(table.column_names, table.schema.types, strict=True))
    ]
    rows = [[cell(value, zone) for value in row.values()] for row in table.slice(0, limit).to_pylist()]
    render.table(columns, rows)


def cell(value: object, zone: str) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:,.2f}".removesuffix(".00")
        case datetime():
            return f"{render.local(value, zone):%Y-%m-%d %H:%M}"
        case list():
            return ", ".join(str(one) for one in value)
        case _:
            return str(value)


def write_table(table: pa.Table, target: str) -> None:
    """As csv, Parquet or JSON lines by the name's ending; `-` is csv on stdout. Raises DataError E_FORMAT."""
    if target == "-":
        _write_csv(table, sys.stdout)
        sys.stdout.flush()
        return
    path = Path(target)
    try:
        match path.suffix.lower():
            case ".csv":
                with path.open("w", encoding="utf-8", newline="") as file:
                    _write_csv(table, file)
            case ".parquet":
                import pyarrow.parquet

                pyarrow.parquet.write_table(table, path)
            case ".jsonl" | ".ndjson":
                _write_lines(table, path)
            case ending:
                hint = "Name it .csv, .parquet or .jsonl; - is csv on stdout."
                raise DataError(
                    "E_FORMAT", f"{target}: '{ending}' is no format that can be written", hint=hint
                )
    except OSError as error:
        raise EnvironmentFault("E_WRITE", f"{target} cannot be written: {error.strerror or error}") from None


def _write_csv(table: pa.Table, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.column_names)
    for batch in table.to_batches():
        writer.writerows([_plain(value) for value in row.values()] for row in batch.to_pylist())


def _plain(value: object) -> object:
    """Csv has no types: moments say that they are UTC, lists become text, decimals lose their last zeros."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return _short(value)
        case datetime():
            return str(render.plain(render.local(value, "UTC")))
        case list():
            return "; ".join(str(_plain(one)) for one in value)
        case _:
            return value


def _short(value: Decimal) -> str:
    """`12.5` for 12.500000; exact."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _write_lines(table: pa.Table, path: Path) -> None:
    import json

    with path.open("w", encoding="utf-8") as file:
        for batch in table.to_batches():
            for row in batch.to_pylist():
                file.write(json.dumps(render.plain(row), ensure_ascii=False) + "\n")


# --- history and flow -----------------------------------------------------------------------------------------------


def show_history(history: History, zone: str) -> None:
    """One line a day, or fewer, always with the last one."""
    step = -(-len(history.moments) // LINES)
    chosen = range((len(history.moments) - 1) % step, len(history.moments), step)
    groups = list(history.sizes)
    columns = [render.Column("at"), *(render.Column(group or history.name, "right") for group in groups)]
    most = max((size for sizes in history.sizes.values() for size in sizes), default=0)
    rows = []
    for index in chosen:
        moment = render.at(history.moments[index], zone)
        row = [f"{moment:%a} {moment.day:2} {moment:%b %Y %H:%M}"]
        row += [render.number(history.sizes[group][index]) for group in groups]
        if len(groups) == 1:
            row.append(render.bar(history.sizes[groups[0]][index] / most if most else 0, 24))
        rows.append(row)
    render.table([*columns, render.Column("")] if len(groups) == 1 else columns, rows)
    for mark in history.marks:
        render.say(f"Edited {render.minute(mark.at, zone)}; the sizes are those of today's definition.")


def flow_rows(flow: Flow) -> list[dict[str, object]]:
    """A row for each pair of groups; None for those who were not customers yet. Who stayed is there too."""
    return [
        {"from_group": before or None, "to_group": after or None, "customers": count}
        for before, counts in zip(flow.groups, flow.counts, strict=True)
        for after, count in zip(flow.groups, counts, strict=True)
        if count
    ]


def show_flow(flow: Flow, zone: str, newest: Moment, limit: int = 40) -> None:
    """Who moved, the most frequent way first."""
    moves = sorted(
        ((count, before, after) for before, after, count in _pairs(flow) if before != after),
        key=lambda move: -move[0],
    )
    stayed = sum(count for before, after, count in _pairs(flow) if before == after)
    came = sum(count for count, before, _ in moves if not before)
    moved = sum(count for count, before, _ in moves if before)
    until = render.as_of(flow.end, zone, newest)
    render.say(
        f"{flow.segmentation} from {render.minute(flow.start, zone)} to {until}: {render.number(moved)} moved, "
        f"{render.number(stayed)} stayed, {render.number(came)} became customers.\n"
    )
    most = moves[0][0] if moves else 0
    columns = [
        render.Column("from"),
        render.Column(""),
        render.Column("to"),
        render.Column("customers", "right"),
        render.Column(""),
    ]
    rows = [
        (
            before or "(not a customer)",
            "→" if render.can_draw() else "->",
            after or "(unknown)",
            render.number(count),
            render.bar(count / most, 20),
        )
        for count, before, after in moves[:limit]
    ]
    render.table(columns, rows)


def _pairs(flow: Flow) -> list[tuple[str, str, int]]:
    return [
        (before, after, count)
        for before, counts in zip(flow.groups, flow.counts, strict=True)
        for after, count in zip(flow.groups, counts, strict=True)
        if count
    ]


# --- explain --------------------------------------------------------------------------------------------------------


def show_explained(explanation: Explanation, settings: Settings, newest: Moment) -> None:
    from ethogram.membership.explain import as_text

    render.raw(as_text(explanation, settings))
    render.say(f"\nAs of {render.as_of(explanation.as_of, settings.timezone, newest)}.")


def show_answers(explanations: Sequence[Explanation], settings: Settings, newest: Moment) -> None:
    """What the customer is in, since when, and when time alone changes it; what not, in one line."""
    zone = settings.timezone
    first = explanations[0]
    render.say(f"{first.customer} as of {render.as_of(first.as_of, zone, newest)}\n")
    rows = [
        (
            one.name if one.kind == "segment" else f"{one.name}.{one.answer}",
            render.day(one.since, zone) if one.since is not None else "",
            f"{render.day(one.time_changes_at, zone)}: {one.time_changes_to}"
            if one.time_changes_at is not None
            else "",
        )
        for one in explanations
        if one.answer not in ("out", None)
    ]
    render.table(
        [render.Column("is in"), render.Column("since"), render.Column("time alone changes it")], rows
    )
    if any(one.since is None for one in explanations if one.answer not in ("out", None)):
        render.say("\nNo date: it depends on all customers, not on the history of this one alone.")
    out = [one.name for one in explanations if one.answer == "out"]
    if out:
        render.say(f"\nIs not in {', '.join(out)}.")
    render.say(f"\nWhy: ethogram explain {first.customer} {rows[0][0].partition('.')[0] if rows else out[0]}")
