"""The whole shop, written to a folder: settings, definitions, files of events, and the truth about those who were planted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice, zip_longest
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ethogram.simulate import (
    crowd,
    crowd_talk,
    people_buying,
    people_journey,
    people_loyalty,
    people_service,
    ranks,
)
from ethogram.simulate.columns import Pieces
from ethogram.simulate.crowd import Orders, Whole
from ethogram.simulate.definitions import REVENUE, SETTINGS, write_definitions
from ethogram.simulate.goods import DAY, NOW
from ethogram.simulate.life import Life
from ethogram.simulate.planting import Persona
from ethogram.simulate.profile import turned
from ethogram.simulate.ranks import AMONG, CELLS, Buying
from ethogram.simulate.traces import SOURCES, schema
from ethogram.simulate.truth import expected, write_truth

LOT: Final = 25_000
"""So many customers are made and written at a time; memory holds one lot."""

MOST_COPIES: Final = 20
Progress: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Shop:
    """`days` is how far the ordinary customers' history goes back. The same three numbers make the same files."""

    customers: int = 2_000
    days: int = 1_096
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Written:
    """`personas` are those that were planted, `facts` the rows of truth.csv, `lacking` entries that too few did anything for."""

    customers: int
    events: int
    personas: tuple[str, ...]
    facts: int
    entries: tuple[str, ...]
    lacking: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "customers": self.customers,
            "events": self.events,
            "personas": list(self.personas),
            "facts": self.facts,
            "entries": list(self.entries),
            "lacking": list(self.lacking),
        }


@dataclass(frozen=True, slots=True)
class Planted:
    persona: Persona
    life: Life


def personas() -> tuple[Persona, ...]:
    """Of all kinds in turn, so that a small shop has some of each; the one who is here right now comes first."""
    stages = (people_journey, people_buying, people_loyalty, people_service)
    turns = chain.from_iterable(zip_longest(*(stage.STAGE.personas for stage in stages)))
    found = [persona for persona in turns if persona is not None]
    return tuple(sorted(found, key=lambda persona: persona.name != "just_arrived"))


def write_shop(folder: Path, shop: Shop, progress: Progress) -> Written:
    """Writes into a folder that is there; OSError where that is not possible."""
    (folder / "data").mkdir(exist_ok=True)
    names = pc.binary_join_element_wise(
        "C", pa.array(np.arange(10_001, 10_001 + shop.customers)).cast(pa.string()), ""
    )
    planting = _Planting(shop)
    ordinary = np.setdiff1d(np.arange(shop.customers), planting.numbers, assume_unique=True)
    lots = np.array_split(ordinary, max(1, -(-len(ordinary) // LOT)))
    files = _Files(folder, names, len(lots))
    for turn, numbers in enumerate(lots):
        progress("Simulating", turn, len(lots))
        rng = np.random.default_rng(np.random.SeedSequence([shop.seed, 2, turn]))
        pieces = Pieces()
        everyone, orders = _ordinary(rng, numbers, shop.days, pieces)
        if turn == 0:
            planting.finish(_buying(orders, len(numbers)), len(lots))
            for one in planting.planted:
                pieces.add_rows(one.life.number, one.life.rows)
            everyone = pa.concat_tables([everyone, planting.people()])
        files.write(turn, pieces, everyone)
    served = write_definitions(folder, files.carried, files.traits)
    facts = [
        row
        for one in planting.planted
        for row in expected(names[one.life.number].as_py(), one.persona, one.life.profile, shop.customers)
        if served.has(row.name)
    ]
    write_truth(folder, facts)
    (folder / "ethogram.toml").write_text(_settings(shop), encoding="utf-8")
    progress("Simulating", len(lots), len(lots))
    known = tuple(dict.fromkeys(one.persona.name for one in planting.planted))
    return Written(shop.customers, files.events, known, len(facts), served.entries, served.lacking)


def _ordinary(rng: np.random.Generator, numbers: Whole, days: int, pieces: Pieces) -> tuple[pa.Table, Orders]:
    """A lot of the crowd: their file of customers, and their orders."""
    drawn = crowd.drawn(rng, numbers, days)
    seen = crowd.visits(rng, drawn, days)
    orders = crowd.browse(rng, drawn, seen, pieces)
    everyone, language = crowd_talk.people(rng, drawn)
    crowd_talk.messages(rng, drawn, days, pieces)
    crowd_talk.service(rng, drawn, seen, orders, language, pieces)
    crowd_talk.club(rng, drawn, orders, pieces)
    return everyone, orders


def _buying(orders: Orders, size: int) -> Buying:
    """Of the crowd's buyers."""
    count = np.bincount(orders.owner, minlength=size)
    last = np.zeros(size, np.int64)
    np.maximum.at(last, orders.owner, orders.time)
    paid = np.bincount(orders.owner, orders.total, minlength=size) / 100
    bought = count > 0
    return Buying((NOW - last[bought]) / DAY, count[bought].astype(np.float64), paid[bought])


class _Planting:
    """Who is planted, under which numbers. `finish` adds those whose place among all others matters."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.copies = min(max(1, shop.customers // 1_000), MOST_COPIES)
        told = [persona for persona in personas() if persona.days <= shop.days]
        self.ranked = self.copies if shop.customers >= AMONG and shop.days >= 700 else 0
        wanted = [(persona, copy) for copy in range(self.copies) for persona in told]
        self.wanted = wanted[: max(1, shop.customers // 2)]
        count = len(self.wanted) + self.ranked * len(CELLS)
        self.rng = np.random.default_rng(np.random.SeedSequence([shop.seed, 0]))
        self.numbers = self.rng.choice(shop.customers, count, replace=False)
        self.planted: list[Planted] = []
        for persona, copy in self.wanted:
            self._plant(persona, copy)

    def _plant(self, persona: Persona, copy: int) -> None:
        turn = len(self.planted)
        rng = np.random.default_rng(np.random.SeedSequence([self.shop.seed, 1, turn]))
        life = Life(int(self.numbers[turn]), copy, rng, turned(turn, rng))
        persona.recipe(life)
        self.planted.append(Planted(persona, life))

    def finish(self, ordinary: Buying, lots: int) -> None:
        """`ordinary` are the buyers of the first lot; the others are like them."""
        lives = [one.life for one in self.planted]
        found = tuple(ranks.personas(_together(ordinary, lots, lives))) if self.ranked else ()
        for copy in range(self.ranked):
            for persona in found:
                self._plant(persona, copy)
        # a place in no cell is left to somebody of whom nothing of the kind is said
        for persona, _ in islice(cycle(self.wanted), len(self.numbers) - len(self.planted)):
            self._plant(persona, self.copies)

    def people(self) -> pa.Table:
        """Their rows of the file of customers."""
        kinds = {"customer": pa.int64(), "time": pa.int64()}
        traits = {name.removeprefix("traits."): kind for name, kind in _traits().items()}
        rows = [
            {
                "customer": one.life.number,
                "time": NOW - _first_day(one.life) * DAY,
                **one.life.profile.traits(),
            }
            for one in self.planted
        ]
        return pa.Table.from_pylist(rows, pa.schema({**kinds, **traits}))


def _first_day(life: Life) -> int:
    """Days ago, not later than the first event."""
    times = [row["time"] for rows in life.rows.values() for row in rows]
    return int(-(-(NOW - min(times, default=NOW)) // DAY)) + 1


def _together(ordinary: Buying, lots: int, lives: Sequence[Life]) -> Buying:
    """All buyers, planted and not."""
    added = list(_bought(lives))
    age, orders, paid = (np.array([row[place] for row in added], np.float64) for place in range(3))
    return Buying(
        np.concatenate([np.tile(ordinary.age, lots), age]),
        np.concatenate([np.tile(ordinary.orders, lots), orders]),
        np.concatenate([np.tile(ordinary.paid, lots), paid]),
    )


def _bought(lives: Sequence[Life]) -> Iterator[tuple[float, float, float]]:
    for life in lives:
        mine = [row for row in life.rows.get("orders", ()) if row["event"] == "Order Completed"]
        if mine:
            last = max(row["time"] for row in mine)
            yield (NOW - last) / DAY, float(len(mine)), sum(row["total"] for row in mine)


# --- files ----------------------------------------------------------------------------------------------------------


class _Files:
    """Parquet files in data/, one of each source for each lot."""

    def __init__(self, folder: Path, names: pa.Array, lots: int) -> None:
        self.folder, self.names, self.lots = folder, names, lots
        self.events = 0
        self.carried: dict[str, set[str]] = {}
        self.traits: set[str] = set()
        self.firsts = dict.fromkeys(SOURCES, 1)

    def write(self, turn: int, pieces: Pieces, everyone: pa.Table) -> None:
        for source in SOURCES:
            table = pieces.table(source, self.names, self.firsts[source])
            self.firsts[source] += table.num_rows
            self.events += table.num_rows
            self._write(source, turn, table)
            pieces.found[source].clear()
        for event, names in pieces.carried.items():
            self.carried.setdefault(event, set()).update(names)
        self._write("customers", turn, self._customers(everyone))

    def _customers(self, everyone: pa.Table) -> pa.Table:
        everyone = everyone.sort_by([("time", "ascending"), ("customer", "ascending")]).combine_chunks()
        customer = self.names.take(everyone["customer"])
        head = {
            "message_id": pc.binary_join_element_wise("i", customer, ""),
            "customer": customer,
            "time": everyone["time"].cast(pa.timestamp("us", "UTC")),
        }
        rest = {name: everyone[name.removeprefix("traits.")] for name in _traits()}
        self.traits |= {
            name.removeprefix("traits.") for name in rest if rest[name].null_count < len(customer)
        }
        return pa.table({**head, **rest}).cast(schema("customers"))

    def _write(self, source: str, turn: int, table: pa.Table) -> None:
        number = "" if self.lots == 1 else f"-{turn + 1:03}"
        pq.write_table(table, self.folder / "data" / f"{source}{number}.parquet", compression="zstd")


def _traits() -> dict[str, pa.DataType]:
    return {field.name: field.type for field in schema("customers") if field.name.startswith("traits.")}


def _settings(shop: Shop) -> str:
    sources = "".join(f'\n[sources.{source}]\nfiles = "data/{source}*.parquet"\n' for source in SOURCES)
    return f"""\
# A department store that never was, made by: ethogram simulate --customers {shop.customers} --days {shop.days} --seed {shop.seed}
# truth.csv says of some of its customers where they belong.

name = "{SETTINGS.name}"
timezone = "{SETTINGS.timezone}"
currency = "{SETTINGS.currency}"
country = "{SETTINGS.country}"
revenue = "{REVENUE}"

[sources.customers]
files = "data/customers*.parquet"
kind = "identify"
{sources}"""
