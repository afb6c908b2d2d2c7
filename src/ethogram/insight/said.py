"""What customers wrote: which properties hold free text, and the texts themselves with who wrote them, when, and a rating."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.language.meaning.evaluation import Here, select
from ethogram.language.meaning.values import known
from ethogram.language.meaning.world import World
from ethogram.language.tree import Definitions, Events
from ethogram.model.settings import Settings
from ethogram.store.paths import Leaf

if TYPE_CHECKING:
    from ethogram.model.event import Moment
    from ethogram.store import LakeFile, Property, Store

RATINGS = ("rating", "stars", "score", "nps", "csat", "ces", "satisfaction", "review_rating")
KINDS = ("track", "page", "screen")
SAMPLE = 2_000
LONG, LONG_WITHOUT_SPACES = 20, 8
DISTINCT, SPOKEN = 0.3, 0.5
_NO_TEXT = frozenset(
    [
        "name",
        "title",
        "product",
        "sku",
        "url",
        "link",
        "referrer",
        "path",
        "user_agent",
        "address",
        "street",
        "city",
        "country",
        "email",
        "currency",
        "id",
    ]
)
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
_NO_WORDS = re.compile(r"^\s*(?:\S+://|www\.|/|\{|\[|[\w.+-]+@)")

SAID = pa.schema(
    [("customer", pa.string()), ("time", pa.int64()), ("text", pa.string()), ("rating", pa.float64())]
)


def proposed(store: Store, definitions: Definitions) -> list[Events]:
    """Properties of events that look like what people write: long, of several words, seldom the same."""
    company = {
        name for behavior in definitions.behaviors.values() if behavior.by_company for name in behavior.events
    }
    found = []
    for use in store.properties():
        is_open = use.kind in KINDS and use.type == "t" and not use.is_list and use.event not in company
        if is_open and use.path[-1].lower() not in _NO_TEXT and _looks_written(_sample(store, use)):
            found.append(Events(use.event, raw=True, path=use.path))
    return found


def _sample(store: Store, use: Property) -> list[str]:
    """The first values of some files."""
    texts: list[str] = []
    with store.snapshot() as snapshot:
        for file in snapshot.files:
            table = _rows(store, file, (use.event,), [Leaf("p", use.path, "t").column])
            if table.num_columns > 3:
                texts += table.column(3).drop_null().slice(0, SAMPLE // 4).to_pylist()
            if len(texts) >= SAMPLE:
                break
    return texts[:SAMPLE]


def _looks_written(texts: Sequence[str]) -> bool:
    texts = [text.strip() for text in texts if text.strip()]
    if not texts:
        return False
    if len(texts) >= 10 and len(set(texts)) < DISTINCT * len(texts):
        return False
    if np.mean([bool(_NO_WORDS.match(text)) for text in texts]) > 0.2:
        return False
    spoken = [len(text.split()) >= 3 or bool(_UNSPACED.search(text)) for text in texts]
    long = [len(text) >= (LONG_WITHOUT_SPACES if _UNSPACED.search(text) else LONG) for text in texts]
    return bool(np.mean(spoken) >= SPOKEN and np.mean(long) >= 0.25)


def written_name(source: Events, definitions: Definitions) -> str:
    """`review.text`, or `"Product Reviewed".text` where no behavior stands for just that event."""
    path = ".".join(source.path)
    if not source.raw:
        return f"{source.source}.{path}"
    plain = [one for one in definitions.behaviors.values() if one.events == (source.source,)]
    own = [one.name for one in plain if one.where is None and one.unless is None and not one.each]
    return f"{own[0]}.{path}" if own else f'"{source.source}".{path}'


# --- reading --------------------------------------------------------------------------------------------------------


def read_said(
    store: Store, definitions: Definitions, settings: Settings, source: Events, as_of: Moment
) -> pa.Table:
    """A row for each text by `as_of`, see `SAID`; the rating is that of the same event."""
    behavior = None if source.raw else definitions.behaviors.get(source.source)
    is_plain = source.where is None and (
        behavior is None or (behavior.where is None and behavior.unless is None and not behavior.each)
    )
    events = behavior.events if behavior else (source.source,)
    path = (*(behavior.each if behavior else ()), *source.path)
    tables = list(_texts(store, events, path))
    whole = pa.concat_tables(tables) if tables else SAID.empty_table()
    if not is_plain:
        whole = _selected(store, definitions, settings, source, whole["customer"].unique(), as_of)
    return whole.filter(pc.less_equal(whole["time"], as_of))


def _texts(store: Store, events: Sequence[str], path: tuple[str, ...]) -> Iterator[pa.Table]:
    single, several = Leaf("p", path, "t").column, Leaf("p", path, "t", is_list=True).column
    ratings = [Leaf("p", (*path[:-1], name), "n").column for name in RATINGS]
    with store.snapshot() as snapshot:
        for file in snapshot.files:
            table = _rows(store, file, events, [single, several, *ratings])
            table = store.persons.named(table, snapshot.sequence)
            rating = pa.nulls(table.num_rows, pa.float64())
            for name in ratings:
                if name in table.column_names:
                    rating = pc.coalesce(rating, table[name].cast(pa.float64()))
            who = pa.table({"customer": table["customer"], "time": table["time"].cast(pa.int64())})
            if single in table.column_names:
                yield _said(who, table[single], rating)
            if several in table.column_names:
                lists = table[several].combine_chunks()
                parents = pc.list_parent_indices(lists)
                yield _said(who.take(parents), pc.list_flatten(lists), pc.take(rating, parents))


def _said(who: pa.Table, texts: pa.Array, ratings: pa.Array) -> pa.Table:
    found = pa.table([who["customer"], who["time"], texts, ratings], schema=SAID)
    return found.filter(pc.is_valid(found["text"]))


def _rows(store: Store, file: LakeFile, events: Sequence[str], columns: Sequence[str]) -> pa.Table:
    """The rows of some events: customer, time, event, and those of the columns that the file has."""
    table = store.read(file, ["customer", "time", "event", *columns])
    return table.filter(
        pc.is_in(table["event"].cast(pa.string()), value_set=pa.array(list(events), pa.string()))
    )


def _selected(
    store: Store,
    definitions: Definitions,
    settings: Settings,
    source: Events,
    customers: pa.ChunkedArray,
    as_of: Moment,
) -> pa.Table:
    """A selection with conditions, by the plain reading of the definitions, of those who have such events at all."""
    with store.snapshot() as snapshot:
        histories = store.histories(customers.to_pylist(), snapshot)
    world = World(settings, definitions, histories)
    rows: list[dict[str, object]] = []
    for customer in histories:
        for item in select(Here(world, customer, as_of), source):
            rated = [value for name in RATINGS for value in known(item.properties, (name,))]
            rating = next((float(value) for value in rated if isinstance(value, Decimal)), None)
            for value in known(item.properties, source.path):
                if isinstance(value, str):
                    rows.append({"customer": customer, "time": item.time, "text": value, "rating": rating})
    return pa.Table.from_pylist(rows, schema=SAID)
