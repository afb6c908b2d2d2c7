"""What a terminal of 80 columns shows: numbers, moments and tables. No decisions are made here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Protocol
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from ethogram.model.event import Moment

WIDTH = 80
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}


@dataclass(frozen=True, slots=True)
class Column:
    """`wraps` is the column that gives way where a row is too long; the others keep their width."""

    title: str
    align: Literal["left", "right"] = "left"
    wraps: bool = False


def console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    found.width = min(found.width, WIDTH)
    return found


def say(text: str = "", *, indent: int = 0) -> None:
    """A paragraph, wrapped at the width of the terminal; every line of it is indented."""
    from rich.padding import Padding
    from rich.text import Text

    _print_trimmed(Padding(Text(text), (0, 0, 0, indent)))


def raw(text: str) -> None:
    """Text that is laid out already: an error with its caret, csv."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def counted(count: int, noun: str, nouns: str = "") -> str:
    """`1 segment`, `2 segments`."""
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"


def heading(text: str) -> None:
    console().print(f"\n{text}", style="bold")


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, indent: int = 0, header: bool = True
) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=header)
    for column in columns:
        drawn.add_column(
            Text(column.title),
            justify=column.align,
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
        )
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    _print_trimmed(Padding(drawn, (0, 0, 0, indent)))


def commands(*lines: tuple[str, str]) -> None:
    """Commands to type, whole, with what each does beside it, wrapped where it is long."""
    width = max(len(command) for command, _ in lines)
    rows = [(command.ljust(width), what) for command, what in lines]
    table((Column(""), Column("", wraps=True)), rows, header=False)


def _print_trimmed(drawn: RenderableType) -> None:
    """Without the blanks that fill lines up, unless a terminal shows styles."""
    target = console()
    if target.is_terminal:
        target.print(drawn)
        return
    with target.capture() as captured:
        target.print(drawn)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def as_json(value: object) -> None:
    """One JSON value on stdout; numbers stay exact, moments are ISO 8601 in UTC."""
    json.dump(plain(value), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
    sys.stdout.flush()


def plain(value: object) -> object:
    """JSON's types for ours."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _:
            return str(value)


def headed(first: str, *others: str) -> tuple[Column, ...]:
    """A column of names that wrap, and columns of figures."""
    return (Column(first, wraps=True), *(Column(title, "right") for title in others))


def span(low: str, high: str) -> str:
    """`2.67–3.06`: from, to."""
    return f"{low}{'–' if can_draw() else '-'}{high}"


def number(value: int) -> str:
    return f"{value:,}"


def signed(value: int) -> str:
    return f"{value:+,}" if value else "0"


def percent(value: float | Decimal | None) -> str:
    return "" if value is None else f"{100 * value:.1f}%"


def money(value: Decimal | float | int, currency: str) -> str:
    symbol = _SYMBOLS.get(currency, f"{currency} " if currency else "")
    return f"{symbol}{value:,.0f}"


def bar(share: float | None, width: int = 10) -> str:
    """A share as a bar; the smallest visible one is not nothing."""
    if not share:
        return ""
    eighths = max(1, round(min(share, 1.0) * width * 8))
    full, rest = divmod(eighths, 8)
    drawn = "█" * full + ("" if rest == 0 else "▏▎▍▌▋▊▉"[rest - 1])
    return drawn if can_draw() else "#" * max(1, round(min(share, 1.0) * width))


def can_draw() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


def local(moment: datetime, zone: str) -> datetime:
    """A table's moment, which is UTC where it does not say so."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone))


def at(moment: Moment, zone: str) -> datetime:
    """A moment as a local time."""
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo(zone))


def day(moment: Moment, zone: str) -> str:
    """`9 Dec 2011`."""
    local = at(moment, zone)
    return f"{local.day} {local:%b %Y}"


def minute(moment: Moment, zone: str) -> str:
    """`9 Dec 2011, 12:50`."""
    return f"{day(moment, zone)}, {at(moment, zone):%H:%M}"


def as_of(moment: Moment, zone: str, newest: Moment) -> str:
    """`9 Dec 2011, 12:50, the newest event`: a listing says what *now* it is about, and what nobody can know yet."""
    if moment > newest > 0:
        return f"{minute(moment, zone)}, after the newest event ({day(newest, zone)})"
    return f"{minute(moment, zone)}{', the newest event' if moment == newest else ''}"


class Report(Protocol):
    """How long work says how far it is: a label, the part done, the whole (0: unknown)."""

    def __call__(self, label: str, done: int, whole: int) -> None: ...


@contextmanager
def progress() -> Iterator[Report]:
    """A progress bar on stderr, if somebody looks at it; it goes away when the work is done."""
    if not sys.stderr.isatty():
        yield lambda label, done, whole: None
        return
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(label: str, done: int, whole: int) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=None)
            bars.update(tasks[label], completed=done, total=whole or None)

        yield report
