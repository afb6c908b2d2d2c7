"""Objects of JSON Lines as rows: flat ones under a mapping, Segment calls as the protocol means them, columns for a select."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import cast

import numpy as np
import pyarrow as pa

from ethogram.ingest.config import Config, Source
from ethogram.ingest.jsonfile import Json, JsonLines, canonical, json_readable
from ethogram.ingest.mapped import Mapped, numbered, plan_of
from ethogram.ingest.rejects import Reject
from ethogram.ingest.rows import Rows
from ethogram.model.event import Event, Value
from ethogram.store.columns import BadValues
from ethogram.store.leaves import BASE_SCHEMA, Record, shred

_Bag = dict[str, Json]
_Values = Mapping[str, Value]


class JsonRows:
    """The lines of all JSON files of a source."""

    def __init__(self, parts: Sequence[JsonLines]) -> None:
        self.files = tuple(part.file for part in parts)
        self.objects: list[_Bag] = [item for part in parts for item in part.objects]
        self.file = np.concatenate(
            [np.full(len(part.objects), index, np.int32) for index, part in enumerate(parts)]
        )
        self.line = np.array([line for part in parts for line in part.lines], np.int64)
        self.read = sum(part.read for part in parts)
        self.rejects: list[Reject] = [reject for part in parts for reject in part.rejects]

    def names(self) -> tuple[str, ...]:
        """Top-level keys in order of appearance."""
        return tuple(dict.fromkeys(name for item in self.objects for name in item))

    def as_rows(self) -> Rows:
        """Columns for a select; a key whose values are of several types is text."""
        names = self.names()
        arrays = [_column([item.get(name) for item in self.objects]) for name in names]
        table = pa.table(arrays, names=list(names)) if names else pa.table({"": pa.nulls(0)})
        return Rows(self.files, table, table, self.file, self.line, self.read, self.rejects)

    def derived_ids(self, source: Source) -> pa.Array:
        texts = (
            sha256(f"{source.name}\0{canonical(cast('Json', item))}".encode()).hexdigest()[:32]
            for item in self.objects
        )
        return numbered(pa.array(list(texts), pa.string()), self.file)


def mapped_flat(rows: JsonRows, config: Config, source: Source) -> Mapped:
    """Top-level keys are columns; nested objects stay nested."""
    plan = plan_of(config, source, rows.names())
    roles = {
        role: pa.array([_scalar(item.get(key)) for item in rows.objects], pa.string())
        for role, key in plan.columns.items()
    }
    roles |= {
        role: pa.array([text] * len(rows.objects), pa.string()) for role, text in plan.constants.items()
    }
    if "message_id" not in roles:
        roles["message_id"] = rows.derived_ids(source)
    bags = [
        ({name: item[key] for name, key in plan.properties.items() if key in item},
         {name: item[key] for name, key in plan.traits.items() if key in item})
        for item in rows.objects
    ]  # fmt: skip
    places = {role: (0, key) for role, key in plan.columns.items()}
    return _mapped(rows, roles, bags, places)


def mapped_segment(rows: JsonRows, source: Source) -> Mapped:
    """Calls of the Segment protocol: identify carries traits, group the account, track, page and screen properties."""
    calls = [_call(item) for item in rows.objects]
    derived = rows.derived_ids(source).to_pylist()
    columns: dict[str, list[str | None]] = {
        role: [call.get(role) for call, _, _ in calls] for role in _SEGMENT_KEYS
    }
    columns["message_id"] = [own or made for own, made in zip(columns["message_id"], derived, strict=True)]
    roles = {role: pa.array(values, pa.string()) for role, values in columns.items()}
    places = {role: (0, key) for role, key in _SEGMENT_KEYS.items()}
    return _mapped(rows, roles, [(properties, traits) for _, properties, traits in calls], places)


_SEGMENT_KEYS = {
    "customer": "userId", "anonymous": "anonymousId", "account": "groupId", "kind": "type", "event": "event",
    "time": "timestamp", "message_id": "messageId", "ids.email": "email", "ids.phone": "phone", "ids.device": "device",
    "ids.previous": "previousId",
}  # fmt: skip


def _call(item: _Bag) -> tuple[dict[str, str | None], _Bag, _Bag]:
    kind = _scalar(item.get("type")) or "track"
    context, properties, traits = (
        _bag(item.get("context")),
        _bag(item.get("properties")),
        _bag(item.get("traits")),
    )
    name = item.get("event") if kind == "track" else item.get("name") or properties.get("name")
    moment = (
        item.get("timestamp") or item.get("originalTimestamp") or item.get("sentAt") or item.get("receivedAt")
    )
    roles = {
        "customer": _scalar(item.get("userId")),
        "anonymous": _scalar(item.get("anonymousId")),
        "account": _scalar(item.get("groupId") or context.get("groupId")),
        "kind": kind,
        "event": _scalar(name) if kind in ("track", "page", "screen") else None,
        "time": _scalar(moment),
        "message_id": _scalar(item.get("messageId")),
        "ids.device": _scalar(_bag(context.get("device")).get("id")),
    }
    own = {**_bag(context.get("traits")), **({} if kind == "group" else traits)}
    roles |= {"ids.email": _scalar(own.get("email")), "ids.phone": _scalar(own.get("phone"))}
    if kind == "group":
        return roles, traits, {}
    if kind == "alias":
        roles["ids.previous"] = _scalar(item.get("previousId"))
        return roles, {"previousId": item.get("previousId")}, {}
    if kind in ("page", "screen") and "category" in item:
        properties = {"category": item["category"], **properties}
    return roles, properties, {**_bag(context.get("traits")), **traits}


def _mapped(
    rows: JsonRows,
    roles: Mapping[str, pa.Array],
    bags: Sequence[tuple[_Bag, _Bag]],
    places: Mapping[str, tuple[int, str]],
) -> Mapped:
    def leaves() -> tuple[pa.Table, Sequence[BadValues]]:
        table = shred(_record(properties, traits) for properties, traits in bags)
        return table.select([name for name in table.column_names if name not in BASE_SCHEMA.names]), ()

    def raw(indices: Sequence[int]) -> list[str]:
        return [canonical(cast("Json", rows.objects[index])) for index in indices]

    return Mapped(rows.files, rows.file, rows.line, roles, places, leaves, raw)


def _record(properties: _Bag, traits: _Bag) -> Record:
    """Only the properties and traits of it are used."""
    event = Event(0, "", "", properties=cast("_Values", properties), traits=cast("_Values", traits))
    return Record("", event)


def _bag(value: Json) -> _Bag:
    return value if isinstance(value, dict) else {}


def _scalar(value: Json) -> str | None:
    match value:
        case str():
            return value
        case None | bool() | dict() | list():
            return None
        case Decimal() if value == value.to_integral_value():
            return f"{value.to_integral_value():f}"
        case _:
            return f"{value}"


def _column(values: list[Json]) -> pa.Array:
    """Typed where all values agree; JSON text of each where they do not."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in known):
        return pa.array(values, pa.bool_() if known else pa.null())
    if all(isinstance(value, str) for value in known):
        return pa.array(values, pa.string())
    if all(isinstance(value, int) and not isinstance(value, bool) for value in known):
        return pa.array(values, pa.int64())
    if all(isinstance(value, int | Decimal) and not isinstance(value, bool) for value in known):
        places = min(18, max(0, *(-int(Decimal(cast("Decimal", v)).as_tuple().exponent) for v in known)))
        step = Decimal(1).scaleb(-places)
        kept = [None if value is None else Decimal(cast("Decimal", value)).quantize(step) for value in values]
        return pa.array(kept, pa.decimal128(38, places))
    if all(isinstance(value, dict) for value in known):
        names = list(dict.fromkeys(name for value in known for name in cast("_Bag", value)))
        if names:
            children = [_column([_bag(value).get(name) for value in values]) for name in names]
            return pa.StructArray.from_arrays(
                children, names, mask=pa.array([value is None for value in values])
            )
    if all(isinstance(value, list) for value in known):
        inner = _column([element for value in known for element in cast("list[Json]", value)])
        sizes = [len(value) if isinstance(value, list) else 0 for value in values]
        offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32))
        return pa.ListArray.from_arrays(offsets, inner, mask=pa.array([value is None for value in values]))
    return pa.array(
        [None if value is None else value if isinstance(value, str) else _json(value) for value in values],
        pa.string(),
    )


def _json(value: Json) -> str:
    return str(json_readable(value)) if isinstance(value, Decimal) else canonical(value)
