"""Reads the pages of the language reference: Markdown whose fenced blocks are run.

A section is one test, from one heading to the next; definitions before the first `##` hold for the whole page.

    ```yaml                    definitions
    ```events                  customers: lists of `{ ago: 2d, do: purchase, total: 20 }` (or `on: "2026-03-29 01:30"`);
                               attributes: at="2026-03-31 12:00" timezone="Europe/London" country="GB" week_starts="6"
    ```expect                  `condition -> anna, ben` (or nobody, everyone); `value -> anna 3, ben missing`;
                               `… @ 2026-02-01 12:00 -> …` asks at another moment than `at`
    ```data                    what the data holds: `Order Completed: { total: number 100, products.sku: text 100 in list }`
    ```errors                  `expression -> E_CODE beginning of the message`
    ```warnings                the same for W_ codes
    ```error or ```warning     the whole message that the definitions above it bring
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from ethogram.language.catalog import DataCatalog, EventUse, PropertyUse, Seen, split_path
from ethogram.language.files import definitions_from_text, gather
from ethogram.language.meaning import Result
from ethogram.language.meaning.local_time import back, parse_moment
from ethogram.language.names import all_definitions
from ethogram.language.tree import Definitions, Duration, TestEvent
from ethogram.language.trials import DEFAULT_MOMENT, plain_value
from ethogram.model.event import Event, Moment, Value
from ethogram.model.settings import Settings

PAGES = Path(__file__).parents[2] / "docs" / "language"

_FENCE = re.compile(r"^```(\w+)[ ]*(.*)$")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_AGO = re.compile(r"(\d+)(s|min|h|d|w|mo|y)")


@dataclass(frozen=True)
class Block:
    kind: str
    attributes: dict[str, str]
    text: str
    line: int


@dataclass(frozen=True)
class Section:
    page: str
    title: str
    blocks: list[Block] = field(default_factory=list)
    shared: list[Block] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.page}: {self.title}"


def sections(path: Path) -> list[Section]:
    """The sections of a page that have something to run."""
    lines = path.read_text(encoding="utf-8").splitlines()
    shared: list[Block] = []
    current = Section(path.stem, "the page itself", shared, shared)
    found = [current]
    index = 0
    while index < len(lines):
        line = lines[index]
        fence = _FENCE.match(line)
        if fence:
            end = next(later for later in range(index + 1, len(lines)) if lines[later].startswith("```"))
            attributes = dict(_ATTRIBUTE.findall(fence[2]))
            current.blocks.append(Block(fence[1], attributes, "\n".join(lines[index + 1 : end]), index + 2))
            index = end
        elif line.startswith("##"):
            current = Section(path.stem, line.lstrip("# ").strip(), [], shared)
            found.append(current)
        index += 1
    return [section for section in found if any(block.kind != "yaml" for block in section.blocks)]


def headings(path: Path) -> list[str]:
    return re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)


# --- definitions, data, people --------------------------------------------------------------------------------------


def merged(texts: list[str]) -> Definitions:
    """Definitions of several blocks; a later one of the same name takes the earlier one's place."""
    by_name = {
        definition.name: definition
        for text in texts
        for definition in all_definitions(definitions_from_text(text))
    }
    return gather(by_name.values())


def settings_of(blocks: list[Block]) -> Settings:
    said = {name: value for block in blocks for name, value in block.attributes.items()}
    return Settings(
        timezone=said.get("timezone", "UTC"),
        week_starts=int(said.get("week_starts", 0)),
        country=said.get("country", ""),
        currency=said.get("currency", ""),
    )


def moment_of(blocks: list[Block], settings: Settings) -> Moment:
    said = next((block.attributes["at"] for block in blocks if "at" in block.attributes), DEFAULT_MOMENT)
    return parsed(said, settings)


def parsed(text: str, settings: Settings) -> Moment:
    moment = parse_moment(ZoneInfo(settings.timezone), text)
    assert moment is not None, text
    return moment


def histories_of(
    block: Block, definitions: Definitions, settings: Settings, at: Moment
) -> dict[str, tuple[Event, ...]]:
    people = yaml.safe_load(block.text) or {}
    return {
        customer: tuple(_events(str(customer), records or [], definitions, settings, at))
        for customer, records in people.items()
    }


def _events(
    customer: str, records: list[dict[str, object]], definitions: Definitions, settings: Settings, at: Moment
) -> Iterator[Event]:
    zone = ZoneInfo(settings.timezone)
    if not records:
        yield Event(at, "", "birth", "test", "identify")
    for index, record in enumerate(records):
        written = dict(record)
        do = str(written.pop("do"))
        if "at" in written:
            moment = parsed(str(written.pop("at")), settings)
        else:
            ago = _AGO.fullmatch(str(written.pop("ago", "0s")))
            assert ago is not None, record
            moment = back(zone, at, Duration(int(ago[1]), ago[2]))  # type: ignore[arg-type]
        identified = bool(written.pop("identified", True))
        message_id = str(written.pop("id", f"{index:06}"))
        values: dict[str, Value] = {name: plain_value(value) for name, value in written.items()}
        if do == "identify":
            yield Event(moment, "", message_id, "test", "identify", traits=values, identified=identified)
            continue
        behavior = definitions.behaviors.get(do)
        name = behavior.events[0] if behavior else do
        yield Event(moment, name, message_id, "test", properties=values, identified=identified)


def data_of(blocks: list[Block]) -> DataCatalog | None:
    found = [block for block in blocks if block.kind == "data"]
    if not found:
        return None
    events: dict[str, EventUse] = {}
    traits: dict[tuple[str, ...], PropertyUse] = {}
    customers = 0
    for block in found:
        for name, uses in (yaml.safe_load(block.text) or {}).items():
            if name == "customers":
                customers = int(uses)
                continue
            uses = dict(uses or {})
            doing = int(uses.pop("customers", 0))
            currencies = tuple(str(uses.pop("currencies", "")).split())
            read = {split_path(path): _use(str(text)) for path, text in uses.items()}
            if name == "given traits":
                traits.update(read)
            else:
                events[name] = EventUse(read, doing, currencies)
    return DataCatalog(events, traits, customers=customers)


def _use(text: str) -> PropertyUse:
    """`number 100, text 3`, `text 5 in list`."""
    types: dict[Seen, int] = {}
    for part in text.removesuffix(" in list").split(", "):
        kind, _, count = part.partition(" ")
        types[kind] = int(count or 1)  # type: ignore[index]
    return PropertyUse(types, text.endswith(" in list"))


# --- expectations ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    text: str
    at: str
    answer: str
    line: int


def lines_of(block: Block) -> list[Line]:
    found = []
    for offset, text in enumerate(block.text.splitlines()):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        left, arrow, answer = text.rpartition("->")
        assert arrow, f"line {block.line + offset}: {text}"
        expression, _, at = left.partition(" @ ")
        found.append(Line(expression.strip(), at.strip(), answer.strip(), block.line + offset))
    return found


def shown(answer: Result, settings: Settings) -> str:
    """An answer as the pages write it."""
    match answer:
        case bool():
            return "yes" if answer else "no"
        case None:
            return "missing"
        case Decimal():
            text = f"{answer:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case int():
            utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=answer)
            local = utc.astimezone(ZoneInfo(settings.timezone))
            return local.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")
        case str():
            return answer
        case _:
            return "{" + " ".join(sorted(shown(one, settings) for _, one in answer)) + "}"


__all__ = [
    "Block",
    "Line",
    "Section",
    "TestEvent",
    "data_of",
    "headings",
    "histories_of",
    "lines_of",
    "merged",
]
