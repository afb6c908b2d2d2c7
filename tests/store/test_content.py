from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from ethogram.model.event import Event
from ethogram.store import Record, content_hashes, shred

BASE = Record(
    "c", Event(5, "x", "m", "shop", properties={"a": 1, "l": [1, 2], "t": "x", "f": True}), None, "acme"
)


def hash_of(record: Record) -> int:
    return int(content_hashes(shred([record]))[0].as_py())


def test_the_hash_of_an_event_never_changes() -> None:
    """It is stored: another value would make every event that is loaded again look changed."""
    assert hash_of(BASE) == 16883701428289326546


def test_it_depends_on_neither_other_columns_nor_their_order_nor_neighbors() -> None:
    other = Record("d", Event(6, "y", "n", properties={"b": "z", "a": "text"}, traits={"plan": None}))
    table = shred([other, BASE, other])
    expected = hash_of(BASE)
    assert content_hashes(table)[1].as_py() == expected
    assert content_hashes(table.select(table.column_names[::-1]))[1].as_py() == expected
    assert content_hashes(pa.concat_tables([table] * 3).slice(3))[1].as_py() == expected


def test_the_key_is_not_content() -> None:
    assert hash_of(replace(BASE, event=replace(BASE.event, message_id="n", source="other"))) == hash_of(BASE)


@pytest.mark.parametrize(
    "properties",
    [
        {"a": 2},
        {"a": "1"},
        {"a": True},
        {"a": [1]},
        {"b": 1},
        {"l": [2, 1]},
        {"l": [1, 2, None]},
        {"l": [None, 1, 2]},
        {"l": [{"x": 1}, 2]},
        {"t": ""},
        {"t": None},
        {"f": False},
        {"f": None},
    ],
)
def test_any_other_content_has_another_hash(properties: dict[str, Any]) -> None:
    changed = replace(BASE.event, properties={**BASE.event.properties, **properties})
    assert hash_of(replace(BASE, event=changed)) != hash_of(BASE)


def test_so_has_another_envelope() -> None:
    event = BASE.event
    others = [
        replace(BASE, customer="d"),
        replace(BASE, anonymous="a"),
        replace(BASE, account=None),
        replace(BASE, event=replace(event, time=6)),
        replace(BASE, event=replace(event, name="y")),
        replace(BASE, event=replace(event, kind="page")),
        replace(BASE, event=replace(event, identified=False)),
        replace(BASE, event=replace(event, traits={"a": 1})),
        replace(BASE, event=replace(event, traits={"a": None})),
    ]
    hashes = [hash_of(record) for record in [BASE, *others]]
    assert len(set(hashes)) == len(hashes)
