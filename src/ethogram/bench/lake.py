"""The world's events in a project's store, as a load would have left them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.bench.world import CATEGORIES, CHANNELS, EVENTS, Block, World, arrivals, blocks

if TYPE_CHECKING:
    import pyarrow as pa

SOURCE = "bench"

SETTINGS = 'name = "bench"\ntimezone = "UTC"\n'


def fill(project: Path, world: World) -> int:
    """Makes the project with all events of the world, in one transaction; the ledger sequence it is complete to."""
    from ethogram.store.store import Store

    project.mkdir(parents=True, exist_ok=True)
    (project / "ethogram.toml").write_text(SETTINGS, encoding="utf-8")
    with Store.open(project, create=True) as store:
        with store.writing("load") as transaction:
            for block in blocks(world):
                transaction.append(event_table(block))
        return store.sequence


def append(project: Path, world: World, count: int) -> int:
    """Adds `count` arrivals; the ledger sequence before them."""
    from ethogram.store.store import Store

    with Store.open(project) as store:
        before = store.sequence
        with store.writing("load") as transaction:
            transaction.append(event_table(arrivals(world, count)))
        return before


def customer_of(number: int) -> str:
    """
    >>> customer_of(41)
    'c00000041'
    """
    return f"c{number:08}"


def event_table(block: Block) -> pa.Table:
    """The columns that every event has, and the properties category, channel and revenue."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    size = len(block)

    def numbered(prefix: str, numbers: pa.Array, width: int) -> pa.Array:
        return pc.binary_join_element_wise(prefix, pc.utf8_lpad(numbers.cast(pa.string()), width, "0"), "")

    def named(codes: np.ndarray[tuple[int], np.dtype[np.uint8]], names: tuple[str, ...]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names)).dictionary_decode()

    cents = pa.array(block.revenue).cast(pa.decimal128(19, 0))
    return pa.table(
        {
            "customer": numbered("c", pa.array(block.customer), 8),
            "identified": pa.array(np.ones(size, np.bool_)),
            "anonymous": pa.nulls(size, pa.string()),
            "account": pa.nulls(size, pa.string()),
            "kind": pa.array(["track"]).take(pa.array(np.zeros(size, np.int32))),
            "event": named(block.event, EVENTS),
            "time": pa.array(block.time, pa.timestamp("us")),
            "message_id": numbered("m", pa.array(np.arange(block.first, block.first + size)), 9),
            "source": pa.array([SOURCE]).take(pa.array(np.zeros(size, np.int32))),
            "p:category:t": named(block.category, CATEGORIES),
            "p:channel:t": named(block.channel, CHANNELS),
            "p:revenue:n": pc.multiply(cents, pa.scalar("0.01").cast(pa.decimal128(3, 2))).cast(
                pa.decimal128(18, 6)
            ),
        }
    )
