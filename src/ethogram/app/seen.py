"""What the loaded data holds, as the check of definitions wants to know it."""

from __future__ import annotations

from ethogram.language.catalog import DataCatalog, catalog_from_rows
from ethogram.language.tree import Definitions
from ethogram.store.paths import Leaf, join_path
from ethogram.store.store import Store

CURRENCY = ("currency",)


def seen_data(store: Store, definitions: Definitions) -> DataCatalog:
    """Events, properties and given traits with their types and counts, and the currencies of each event."""
    properties = store.properties()
    priced = {use.event for use in properties if use.path == CURRENCY and use.type == "t" and not use.is_list}
    return catalog_from_rows(
        [(use.event, join_path(use.path), use.type, use.is_list, use.count) for use in properties],
        [(join_path(given.path), given.type, given.is_list, given.count) for given in store.traits()],
        events=[event.name for event in store.events() if event.name],
        currencies=_currencies(store, priced),
        lists=definitions.lists,
    )


def _currencies(store: Store, events: set[str]) -> dict[str, set[str]]:
    """The values of `currency` by event; reads two columns, and only where there is such a property."""
    found: dict[str, set[str]] = {event: set() for event in events}
    if not events:
        return found
    column = Leaf("p", CURRENCY, "t").column
    with store.snapshot() as snapshot:
        for file in snapshot.files:
            table = store.read(file, ["event", column])
            if column in table.column_names:
                for row in table.group_by(["event", column]).aggregate([]).to_pylist():
                    if row[column] is not None and row["event"] in found:
                        found[row["event"]].add(row[column])
    return found
