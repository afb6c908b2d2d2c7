"""Links of events that were loaded before links were kept: once, with the first load by a version that keeps them."""

from __future__ import annotations

from typing import Final

import pyarrow.compute as pc

from ethogram.identity.recording import record
from ethogram.identity.rules import Rules
from ethogram.ingest.sightings import earliest, sightings_of
from ethogram.store import Store

WAITING: Final = "links"
"""The setting that a migration of the ledger leaves where there are such events."""
_COLUMNS: Final = (
    "customer",
    "identified",
    "anonymous",
    "kind",
    "time",
    "message_id",
    "source",
    "p:previousId:t",
)


def read_lake(store: Store, rules: Rules) -> None:
    """Cookies that stand beside a customer, and aliases; addresses and numbers come with the files when they are loaded again."""
    if store.memory.setting(WAITING) is None:
        return
    found = []
    with store.snapshot() as snapshot:
        for file in snapshot.files:
            events = store.read(file, _COLUMNS)
            ids = {}
            if "p:previousId:t" in events.column_names:
                is_alias = pc.equal(events["kind"], "alias")
                ids["previous"] = pc.if_else(is_alias, events["p:previousId:t"], None).combine_chunks()
            if ids or events["anonymous"].null_count < events.num_rows:
                found.append(sightings_of(events, ids, rules, "").links)
    with store.writing("links") as writing:
        writing.put(WAITING, None)
        record(store, writing, rules, earliest(found))
