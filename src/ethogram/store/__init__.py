"""The store: a ledger (SQLite) for what must not be lost or doubled, a lake (immutable Parquet files) for the events.

    store = Store.open(project, create=True)          # .ethogram/ in the project's folder; 16 buckets unless told
    with store.writing("load") as tx:                 # the right to write, one transaction, all or nothing
        flat = leaves_of(properties)                  # structs and lists to leaf columns; .bad masks rows to reject
        sifted = tx.sift(events)                      # .repeated, .conflicting, .fresh
        tx.append(sifted.fresh)                       # as often as needed; memory stays bounded
        load = tx.record_load(LoadRecord(…))
        tx.reject(load, [RejectedRow(…)])
    with store.snapshot() as snapshot:                # .sequence, .files: stay readable until it is closed
        for file in snapshot.files:
            table = store.read(file, ["customer", "time", "p:total:n"])     # hash checked on first read
    store.histories(["u1"], snapshot)                 # {"u1": (Event, …)}
    store.events(), store.properties("Order Completed"), store.traits()
    store.memory.loads() / rejected() / refreshes() / definition_versions() / changes(after=seq) / intervals(at=…)
    store.memory.setting("key")
    store.persons.owner("cookie", sequence), .parts(["u1"], sequence), .moved(after, upto)      # ids that are one person
    tx.links.add(table), .around(), .everything(), .settle(ids, owners), .cut([7])
    tx.record_refresh, tx.record_definition, tx.append_changes, tx.add_intervals, tx.end_intervals,
    tx.replace_intervals, tx.mark_replayed, tx.put
    store.compact(), store.verify_files(), store.doctor()

An event table has the columns of `BASE_SCHEMA` and, for every property path and type that occurs, a leaf column
`p:<path>:n|t|f` (number decimal(18, 6), text, flag) or `…[]` for what lies in a list; `t:` for given traits; `t_removed`
lists removed traits. `pl:<path>` and `tl:<path>` hold the length of the list at a path, null where a row has no list
there: count elements by it, since leaf columns that no element of a row fills may be null. `content_hash` is uint64.
Column names differ by case, so read them with Arrow (`store.read`) and not with SQL that ignores case; files have
different columns, so join tables with `pa.concat_tables(…, promote_options="default")`.
"""

from ethogram.store.buckets import BUCKETS, bucket_of, bucket_sql, buckets_of
from ethogram.store.columns import BadValues, Leaves, leaves_of
from ethogram.store.content import content_hashes
from ethogram.store.disk import Disk
from ethogram.store.leaves import BASE_SCHEMA, Record, shred, unshred
from ethogram.store.links import LINK_ROWS
from ethogram.store.numbers import NUMBER, number_of
from ethogram.store.paths import Leaf, join_path, leaf_of, length_column, length_of, split_path
from ethogram.store.persons import Part, Persons
from ethogram.store.readers import Snapshot
from ethogram.store.records import (
    Change,
    DefinitionVersion,
    EventName,
    GivenTrait,
    Interval,
    LakeFile,
    Link,
    LoadRecord,
    Property,
    RefreshRecord,
    RejectedRow,
    StoreFacts,
)
from ethogram.store.sieve import Sifted
from ethogram.store.store import Store
from ethogram.store.values import settle
from ethogram.store.writing import Writing

__all__ = [
    "BASE_SCHEMA",
    "BUCKETS",
    "LINK_ROWS",
    "NUMBER",
    "BadValues",
    "Change",
    "DefinitionVersion",
    "Disk",
    "EventName",
    "GivenTrait",
    "Interval",
    "LakeFile",
    "Leaf",
    "Leaves",
    "Link",
    "LoadRecord",
    "Part",
    "Persons",
    "Property",
    "Record",
    "RefreshRecord",
    "RejectedRow",
    "Sifted",
    "Snapshot",
    "Store",
    "StoreFacts",
    "Writing",
    "bucket_of",
    "bucket_sql",
    "buckets_of",
    "content_hashes",
    "join_path",
    "leaf_of",
    "leaves_of",
    "length_column",
    "length_of",
    "number_of",
    "settle",
    "shred",
    "split_path",
    "unshred",
]
