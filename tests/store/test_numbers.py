from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ethogram.store.numbers import decimals, millionths_of, number_of, numbers_of

LIMIT = Decimal(10) ** 12

halves = st.integers(-(10**13), 10**13).map(lambda k: k / 2_000_000)
prices = st.decimals(-(10**6), 10**6, places=7, allow_nan=False).map(float)
floats = st.one_of(st.floats(), st.floats(-1e13, 1e13), halves, prices)


def rounded(value: Decimal) -> Decimal | None:
    if not value.is_finite() or abs(value) >= LIMIT:
        return None
    near = value.quantize(Decimal("0.000001"), ROUND_HALF_EVEN)
    return near if abs(near) < LIMIT else None


@given(st.lists(st.none() | floats, max_size=50))
@example([0.1 + 0.2, 0.0000005, 0.0000015, 1.0000005, -2.5e-7, 999_999_999_999.9999, 1e12, -0.0])
def test_doubles_round_half_even_on_their_shortest_text(values: list[float | None]) -> None:
    column, bad = numbers_of(pa.array(values, pa.float64()))
    expected = [None if value is None else rounded(Decimal(repr(value))) for value in values]
    assert column.to_pylist() == expected
    assert bad.tolist() == [v is not None and e is None for v, e in zip(values, expected, strict=True)]
    assert expected == [None if value is None else number_of(value) for value in values]


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-(10**12) - 2, 10**12 + 2)))
def test_integers_are_kept_exactly_or_refused(values: list[int | None]) -> None:
    column, bad = numbers_of(pa.array(values, pa.int64()))
    assert column.to_pylist() == [None if v is None or abs(v) >= LIMIT else Decimal(v) for v in values]
    assert bad.tolist() == [v is not None and abs(v) >= LIMIT for v in values]


@given(st.lists(st.none() | st.decimals(-(10**14), 10**14, places=10, allow_nan=False)))
@example([Decimal("0.0000005"), Decimal("0.0000015"), Decimal("999999999999.9999995")])
def test_decimals_of_another_scale_round_half_even(values: list[Decimal | None]) -> None:
    column, bad = numbers_of(pa.array(values, pa.decimal128(38, 10)))
    expected = [None if value is None else rounded(value) for value in values]
    assert column.to_pylist() == expected
    assert bad.tolist() == [v is not None and e is None for v, e in zip(values, expected, strict=True)]


def test_short_floats_say_what_they_print() -> None:
    column, _ = numbers_of(pa.array(np.array([0.1, 19.99, 16777216.0], np.float32)))
    assert column.to_pylist() == [Decimal("0.1"), Decimal("19.99"), Decimal(16777216)]


@pytest.mark.parametrize(
    "kind", [pa.uint64(), pa.int8(), pa.decimal128(5, 2), pa.decimal256(50, 3), pa.float16()]
)
def test_every_numeric_type_is_a_number(kind: pa.DataType) -> None:
    values = np.array([1, 2], np.float16) if kind == pa.float16() else [Decimal(1), Decimal(2)]
    column, bad = numbers_of(pa.array(values if kind == pa.float16() else [1, 2], kind))
    assert column.to_pylist() == [Decimal(1), Decimal(2)] and not bad.any()


@given(st.lists(st.integers(-(10**18) + 1, 10**18 - 1), max_size=20), st.integers(0, 5))
def test_millionths_come_back_from_a_sliced_column(values: list[int], start: int) -> None:
    column = decimals(np.array(values, np.int64), np.ones(len(values), np.bool_))
    assert [int(value.scaleb(6)) for value in column.to_pylist()] == values
    assert millionths_of(column.slice(start)).tolist() == values[start:]
