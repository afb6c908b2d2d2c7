"""Persons as a function of a set of links (docs/decisions/0013): neither order nor repetition matters, nothing is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.identity.joining import LIMITED, SHARED, TWO_CUSTOMERS, USED, join, roots
from ethogram.identity.rules import ALIAS, ANONYMOUS, COUNTED, CUSTOMER, EMAIL, ID_KINDS, KINDS, PHONE, Rules

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
NEVER: Final = 2**63 - 1
ALWAYS: Final = -NEVER
STATES: Final = {USED: "used", SHARED: "shared", TWO_CUSTOMERS: "two customers", LIMITED: "limit"}
"""What became of a link: it joins two ids; its value is somebody else's, too; it would make two customers one; there are
enough of its kind."""

LINKS: Final = pa.schema(
    [
        ("kind", pa.string()),
        ("customer", pa.string()),
        ("value", pa.string()),
        ("is_known", pa.bool_()),
        ("time", pa.int64()),
    ]
)
"""`customer` is an id that events come under, `is_known` whether as that of a customer rather than of a cookie; `time` when the
link was first seen. Each (kind, customer, value) once."""

OWNERS: Final = pa.schema([("customer", pa.string()), ("owner", pa.string()), ("until", pa.int64())])
"""Whose the events of an id are, where they are not its own: all of them, or those before `until`."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """`states` says of each link, in the order given, what became of it (see `STATES`); `owners` as `OWNERS`, by customer."""

    states: NDArray[np.int8]
    owners: pa.Table


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Ids first, those of known customers before the others, each by text; then the values of other kinds. So the smallest node
    of a person is what the person is called."""

    ids: pa.StringArray
    is_known: Flags
    customer: Integers
    value: Integers
    what: Integers
    """Of each node, the place in `COUNTED` of what it counts as."""


def resolve(links: pa.Table, rules: Rules) -> Resolved:
    """`links` as `LINKS`."""
    nodes = _nodes(links)
    kind = _codes(links["kind"], KINDS)
    time = links["time"].to_numpy()
    states = np.zeros(len(kind), np.int8)
    parent = np.arange(len(nodes.what), dtype=np.int64)
    counts = np.zeros((len(nodes.what), len(COUNTED)), np.int32)
    limits = np.array([rules.limit(name) for name in COUNTED], np.int32)

    is_alias = kind == KINDS.index(ALIAS)
    unlimited = np.full_like(limits, np.iinfo(np.int32).max)
    join(parent, counts, unlimited, nodes.customer, nodes.value, np.flatnonzero(is_alias), states)
    _count_units(parent, counts, nodes)

    known = links["is_known"].to_numpy(zero_copy_only=False)
    rest = ~is_alias
    if rules.limit(CUSTOMER) > 1:  # customers may be joined by what they share
        shared = known & np.isin(kind, [KINDS.index(EMAIL), KINDS.index(PHONE)])
        order = _in_order(np.flatnonzero(shared), kind, time, nodes)
        join(parent, counts, limits, nodes.customer, nodes.value, order, states)
        rest &= ~shared
    own, until = _first_comers(nodes, parent, time, np.flatnonzero(known & ~is_alias))
    unit = roots(parent)[nodes.customer]
    late = time >= np.minimum(until[nodes.value], until[nodes.customer])
    is_open = np.where(known, own[nodes.value] == unit, ~late)
    states[rest & ~is_open] = SHARED
    order = _in_order(np.flatnonzero(rest & is_open), kind, time, nodes)
    join(parent, counts, limits, nodes.customer, nodes.value, order, states)
    return Resolved(states, _owners(nodes, roots(parent), until))


def _codes(column: pa.ChunkedArray, names: tuple[str, ...]) -> Integers:
    found = pc.index_in(column, value_set=pa.array(names))
    return np.asarray(found.to_numpy(), np.int64)


def _nodes(links: pa.Table) -> _Nodes:
    links = links.combine_chunks()
    is_id = pc.is_in(links["kind"], value_set=pa.array(ID_KINDS)).to_numpy()
    customer, known = links["customer"], links["is_known"]
    ids = pa.concat_tables(
        [
            pa.table({"id": customer, "known": known}),
            pa.table({"id": links["value"].filter(pa.array(is_id))}).append_column(
                "known", pa.array(np.zeros(int(is_id.sum()), np.bool_))
            ),
        ]
    )
    people = ids.group_by("id").aggregate([("known", "max")])
    people = people.sort_by([("known_max", "descending"), ("id", "ascending")]).combine_chunks()
    others = links.filter(pa.array(~is_id)).select(["kind", "value"]).group_by(["kind", "value"])
    values = others.aggregate([]).sort_by([("kind", "ascending"), ("value", "ascending")]).combine_chunks()
    names = _whole(people["id"])
    size = len(names)
    what = [np.full(size, COUNTED.index(ANONYMOUS)), _codes(values["kind"], COUNTED)]
    is_known = people["known_max"].to_numpy(zero_copy_only=False).astype(np.bool_)
    what[0][is_known] = COUNTED.index(CUSTOMER)
    value = np.zeros(links.num_rows, np.int64)
    value[is_id] = _places(links["value"].filter(pa.array(is_id)), names)
    if not is_id.all():
        keyed = _keyed(links.filter(pa.array(~is_id)))
        value[~is_id] = size + _places(keyed, _keyed(values))
    return _Nodes(names, is_known, _places(customer, names), value, np.concatenate(what).astype(np.int64))


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _keyed(table: pa.Table) -> pa.Array:
    return _whole(pc.binary_join_element_wise(table["kind"], table["value"], "\0"))


def _places(texts: pa.ChunkedArray | pa.Array, among: pa.Array) -> Integers:
    return np.asarray(pc.index_in(_whole(texts), value_set=among).to_numpy(zero_copy_only=False), np.int64)


def _count_units(parent: Integers, counts: NDArray[np.int32], nodes: _Nodes) -> None:
    """What each node counts as; ids that aliases join are one."""
    top = roots(parent)
    alone = top == np.arange(len(top))
    counts[np.flatnonzero(alone), nodes.what[alone]] = 1


def _in_order(rows: Integers, kind: Integers, time: Integers, nodes: _Nodes) -> Integers:
    order = np.lexsort((nodes.value[rows], nodes.customer[rows], time[rows], kind[rows]))
    return rows[order]


def _first_comers(
    nodes: _Nodes, parent: Integers, time: Integers, rows: Integers
) -> tuple[Integers, Integers]:
    """Of each node the customer (the root of one) that was first seen with it, -1 for none, and when a second one was."""
    size = len(parent)
    top = roots(parent)
    value, unit, when = nodes.value[rows], top[nodes.customer[rows]], time[rows]
    own, until = np.full(size, -1, np.int64), np.full(size, NEVER, np.int64)
    order = np.lexsort((unit, when, value))
    place, first = np.unique(value[order], return_index=True)
    own[place] = unit[order][first]
    ids = np.arange(len(nodes.ids))
    taken = nodes.is_known[top[ids]]  # an id of a customer is that customer's
    own[ids[taken]] = top[ids[taken]]
    others = unit != own[value]
    np.minimum.at(until, value[others], when[others])
    until[np.flatnonzero(nodes.is_known)] = NEVER
    return own, until


def _owners(nodes: _Nodes, top: Integers, until: Integers) -> pa.Table:
    size = len(nodes.ids)
    merged = np.flatnonzero(top[:size] != np.arange(size))
    limit = until[merged]
    table = pa.table(
        [
            nodes.ids.take(pa.array(merged)),
            nodes.ids.take(pa.array(top[merged])),
            pa.array(limit, mask=limit == NEVER),
        ],
        schema=OWNERS,
    )
    return table.sort_by("customer")
