"""Nested events as flat columns and back, row by row (shred) and whole columns at once (leaves_of)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ethogram.model.errors import DataError
from ethogram.model.event import Event
from ethogram.store import Record, join_path, leaf_of, leaves_of, settle, shred, split_path, unshred
from ethogram.store.leaves import BASE_SCHEMA, column_type

names = st.text(st.sampled_from("ab.\\:[]ü€ "), max_size=4)
numbers = st.one_of(
    st.integers(-(10**12) + 1, 10**12 - 1),
    st.floats(-1e9, 1e9),
    st.decimals(-(10**11), 10**11, places=7, allow_nan=False),
)
plain = st.none() | st.booleans() | st.text(st.characters(codec="utf-8"), max_size=6) | numbers
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
bags = st.dictionaries(names, values, max_size=4)
events = st.builds(
    Event,
    time=st.integers(-(10**15), 4 * 10**15),
    name=st.text(st.characters(codec="utf-8"), max_size=5),
    message_id=st.text("xyz", max_size=3),
    source=st.sampled_from(["", "shop"]),
    kind=st.sampled_from(["track", "page", "screen", "identify", "group", "alias"]),
    properties=bags,
    traits=bags,
    identified=st.booleans(),
)
records = st.builds(
    Record, st.text("cd", max_size=2), events, st.none() | st.just("anon"), st.none() | st.just("acme")
)


@given(st.lists(records, max_size=5))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_unshredding_gives_back_what_was_shredded(given_records: list[Record]) -> None:
    table = shred(given_records)
    assert table.schema.names[: len(BASE_SCHEMA)] == BASE_SCHEMA.names
    for name in table.schema.names[len(BASE_SCHEMA) :]:
        assert table.schema.field(name).type == column_type(name)
    assert unshred(table) == [record.settled() for record in given_records]


def test_settling_twice_is_settling_once() -> None:
    record = Record("c", Event(0, "x", "m", properties={"a": [{}, [1, {"b": 0.25}], None], "n": {"e": {}}}))
    assert record.settled().event.properties == {"a": (None, '[1,{"b":0.25}]', None)}
    assert record.settled().settled() == record.settled()


def test_rows_of_one_column_may_have_their_lists_at_different_places() -> None:
    shapes: list[Any] = [
        {"a": [{"b": {"c": 1}}, {"b": {"c": 2}}]},
        {"a": {"b": [{"c": 1}]}},
        {"a": {"b": {"c": [1, "x", None]}}},
        {"a": {"b": {"c": 1}}},
    ]
    given_records = [Record("c", Event(0, "x", str(i), properties=shape)) for i, shape in enumerate(shapes)]
    assert unshred(shred(given_records)) == [record.settled() for record in given_records]


def test_leaves_of_one_list_are_aligned_by_element() -> None:
    table = shred(
        [
            Record(
                "c",
                Event(0, "x", "m", properties={"p": [{"sku": "a"}, {"price": 2}, {"sku": "b", "price": 3}]}),
            )
        ]
    )
    assert table["p:p.sku:t[]"].to_pylist() == [["a", None, "b"]]
    assert table["p:p.price:n[]"].to_pylist() == [[None, Decimal(2), Decimal(3)]]
    assert table["pl:p"].to_pylist() == [3]


def test_a_removed_trait_is_not_a_missing_one() -> None:
    table = shred(
        [
            Record(
                "c",
                Event(0, "", "m", kind="identify", traits={"plan": None, "home": {"city": None, "zip": "1"}}),
            )
        ]
    )
    assert table["t_removed"].to_pylist() == [["plan", "home.city"]]
    assert unshred(table)[0].event.traits == {"plan": None, "home": {"city": None, "zip": "1"}}


@given(st.lists(names, min_size=1, max_size=4).map(tuple))
def test_paths_with_dots_and_backslashes_come_back(path: tuple[str, ...]) -> None:
    assert split_path(join_path(path)) == path
    leaf = leaf_of(f"p:{join_path(path)}:t[]")
    assert leaf is not None and leaf.path == path and leaf.is_list


def test_numbers_that_cannot_be_kept_are_refused() -> None:
    for bad in (float("nan"), float("inf"), Decimal("NaN"), 10**12, -(10**12)):
        with pytest.raises(ValueError):
            settle({"a": [bad]})


# --- whole columns --------------------------------------------------------------------------------------------------

leaf_types = st.sampled_from(
    [pa.int32(), pa.float64(), pa.string(), pa.bool_(), pa.decimal128(20, 8), pa.large_string()]
)
arrow_types = st.recursive(
    leaf_types,
    lambda inner: (
        inner.map(pa.list_)
        | inner.map(pa.large_list)
        | st.lists(st.tuples(names, inner), min_size=1, max_size=3, unique_by=lambda field: field[0]).map(
            pa.struct
        )
    ),
    max_leaves=6,
)


def values_of(kind: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_struct(kind):
        return st.none() | st.fixed_dictionaries({field.name: values_of(field.type) for field in kind})
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return st.none() | st.lists(values_of(kind.value_type), max_size=3)
    if pa.types.is_boolean(kind):
        return st.none() | st.booleans()
    if pa.types.is_integer(kind):
        return st.none() | st.integers(-1000, 1000)
    if pa.types.is_floating(kind):
        return st.none() | st.floats(-1e6, 1e6)
    if pa.types.is_decimal(kind):
        return st.none() | st.decimals(-1000, 1000, places=8, allow_nan=False)
    return st.none() | st.text("xyü", max_size=3)


columns = st.lists(st.tuples(names, arrow_types), min_size=1, max_size=3, unique_by=lambda column: column[0])


@given(st.data(), columns, st.integers(0, 4), st.integers(0, 2))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_flattened_columns_say_the_same_as_shredded_rows(
    data: st.DataObject, schema: list[tuple[str, pa.DataType]], rows: int, start: int
) -> None:
    arrays = {
        name: pa.array(
            data.draw(st.lists(values_of(kind), min_size=rows + start, max_size=rows + start)), kind
        )
        for name, kind in schema
    }
    table = pa.table(arrays).slice(start)
    leaves = leaves_of(table)
    assert not leaves.bad
    base = shred([Record("c", Event(0, "x", str(row))) for row in range(rows)])
    for name in leaves.table.column_names:
        base = base.append_column(name, leaves.table[name].cast(column_type(name)))
    assert [record.event.properties for record in unshred(base)] == [settle(row) for row in table.to_pylist()]


def test_bad_numbers_are_found_by_row_and_column() -> None:
    table = pa.table(
        {
            "total": [1.5, float("nan"), None, 1e12],
            "items": [[{"price": 1.0}], [{"price": 2.0}, {"price": float("inf")}], None, []],
        }
    )
    leaves = leaves_of(table)
    assert [(bad.path, bad.rows.tolist(), bad.code) for bad in leaves.bad] == [
        (("total",), [False, True, False, True], "E_NUMBER"),
        (("items", "price"), [False, True, False, False], "E_NUMBER"),
    ]
    assert leaves.table["p:total:n"].to_pylist() == [Decimal("1.5"), None, None, None]


def test_times_are_iso_text() -> None:
    noon = dt.datetime(2024, 2, 29, 12)
    table = pa.table(
        {
            "naive": pa.array([noon, None], pa.timestamp("us")),
            "zoned": pa.array([noon, noon.replace(microsecond=1)], pa.timestamp("us", "Europe/Paris")),
            "nano": pa.array([noon, noon], pa.timestamp("ns")),
            "day": pa.array([noon.date(), None], pa.date32()),
            "time": pa.array([noon.time(), None], pa.time64("us")),
        }
    )
    assert leaves_of(table).table.to_pylist() == [
        {
            "p:naive:t": "2024-02-29T12:00:00",
            "p:zoned:t": "2024-02-29T12:00:00Z",
            "p:nano:t": "2024-02-29T12:00:00",
        }
        | {"p:day:t": "2024-02-29", "p:time:t": "12:00:00.000000"},
        {"p:naive:t": None, "p:zoned:t": "2024-02-29T12:00:00.000001Z", "p:nano:t": "2024-02-29T12:00:00"}
        | {"p:day:t": None, "p:time:t": None},
    ]


def test_maps_dictionaries_and_traits() -> None:
    table = pa.table(
        {
            "scores": pa.array([[("x", 1.0)], None], pa.map_(pa.string(), pa.float64())),
            "plan": pa.array(["pro", "free"]).dictionary_encode(),
            "nothing": pa.nulls(2),
        }
    )
    assert leaves_of(table, "t").table.to_pylist() == [
        {"t:scores.x:n": Decimal(1), "t:plan:t": "pro"},
        {"t:scores.x:n": None, "t:plan:t": "free"},
    ]


@pytest.mark.parametrize("values", [[b"x"], [dt.timedelta(1)], [[[b"x"]]], [{"a": b"x"}]])
def test_c02_a_type_without_a_form_is_named_with_its_column(values: list[object]) -> None:
    with pytest.raises(DataError) as caught:
        leaves_of(pa.table({"total": values}))
    assert caught.value.code == "E_COLUMN_TYPE"
    assert "total" in caught.value.message


@given(st.lists(records, max_size=3))
@example([])
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_table_says_the_same_after_parquet(given_records: list[Record]) -> None:
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(shred(given_records), sink, store_decimal_as_integer=True)
    assert unshred(pq.read_table(pa.BufferReader(sink.getvalue()))) == [
        record.settled() for record in given_records
    ]
