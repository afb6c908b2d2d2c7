"""What text columns become, and times."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.ingest.columns import Reading, is_amount, typed
from ethogram.ingest.parquetfile import plain
from ethogram.ingest.times import parse_text, to_utc


def column(*texts: str, name: str = "x", **more: str) -> pa.Array:
    return typed(pa.array(texts, pa.string()), Reading(name, **more)).values


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "2", ""], pa.array([1, 2, None], pa.int64())),
        (["17850.0", "1.00"], pa.array([17850, 1], pa.int64())),
        (["2.55", "-1"], pa.array([Decimal("2.55"), Decimal("-1")], pa.decimal128(18, 2))),
        (["1e2", "0.5"], pa.array([Decimal(100), Decimal("0.5")], pa.decimal128(18, 1))),
        (["007", "12"], pa.array(["007", "12"])),
        (["+49", "12"], pa.array(["+49", "12"])),
        (["12345678901234567890", "1"], pa.array(["12345678901234567890", "1"])),
        (["85123A", "71053"], pa.array(["85123A", "71053"])),
        (["true", "False", ""], pa.array([True, False, None])),
        (["", ""], pa.array([None, None], pa.string())),
        (
            ["2024-01-01", "2024-01-02 10:00"],
            pa.array([datetime(2024, 1, 1), datetime(2024, 1, 2, 10)], pa.timestamp("us")),
        ),
        (
            ["2024-01-01T00:00:00+01:00"],
            pa.array([datetime(2023, 12, 31, 23, tzinfo=UTC)], pa.timestamp("us", "UTC")),
        ),
        (["2024-01-01", "2024-01-01T00:00:00Z"], pa.array(["2024-01-01", "2024-01-01T00:00:00Z"])),
        (["2024-02-30"], pa.array(["2024-02-30"])),
        (["12/1/10 8:26"], pa.array(["12/1/10 8:26"])),
        (["1,5"], pa.array(["1,5"])),
    ],
)
def test_types_found(texts: list[str], expected: pa.Array) -> None:
    assert column(*texts).equals(expected), column(*texts)


def test_types_said() -> None:
    assert column("1", "2", kind="text").to_pylist() == ["1", "2"]
    assert column("1.234,50", "2", kind="number", decimal=",").to_pylist() == [Decimal("1234.50"), Decimal(2)]
    assert column("19.02.2025", "1.02", decimal=",").to_pylist() == ["19.02.2025", "1.02"]
    assert column("12/1/10 8:26", time_format="%m/%d/%y %H:%M").to_pylist() == [datetime(2010, 12, 1, 8, 26)]
    misfits = typed(pa.array(["1", "x"]), Reading("x", "number")).misfits
    assert [(misfit.code, misfit.rows.tolist()) for misfit in misfits] == [("E_CSV", [1])]


def test_amounts_by_name() -> None:
    assert [name for name in ("Amount", "UnitPrice", "total_tax", "Quantity", "StockCode", "InvoiceNo", "zip") if is_amount(name)] == [
        "Amount", "UnitPrice", "total_tax", "Quantity"
    ]  # fmt: skip


@given(st.lists(st.decimals(min_value=-(10**9), max_value=10**9, places=4), min_size=1))
def test_numbers_are_exact(numbers: list[Decimal]) -> None:
    assert column(*(f"{number:f}" for number in numbers)).to_pylist() == numbers


@given(st.lists(st.decimals(min_value=-(10**6), max_value=10**6, places=2), min_size=1))
def test_floats_that_are_short_decimals_become_exact(numbers: list[Decimal]) -> None:
    assert plain(pa.array([float(number) for number in numbers])).to_pylist() == numbers


def test_floats_that_are_not_stay() -> None:
    assert plain(pa.array([1 / 3])).type == pa.float64()


def test_local_times_forward_in_a_gap_and_first_when_twice() -> None:
    def utc(text: str, zone: str) -> str:
        wall = parse_text(text)
        assert wall and not wall[1]
        return f"{np.datetime64(int(to_utc(np.array([wall[0]]), zone)[0]), 'us')}"[:19]

    assert utc("2025-03-09 02:30", "America/New_York") == "2025-03-09T07:30:00"
    assert utc("2025-11-02 01:30", "America/New_York") == "2025-11-02T05:30:00"
    assert utc("2010-12-01 08:26", "Europe/London") == "2010-12-01T08:26:00"
    assert utc("2011-07-01 08:26", "Europe/London") == "2011-07-01T07:26:00"
    assert utc("2024-01-01 00:00", "Asia/Kathmandu") == "2023-12-31T18:15:00"


@pytest.mark.parametrize(
    "text",
    ["", "x", "2025-02-30", "2025-13-01", "25-01-01", "2025-01-01T25:00", "2025-01-01T00:00:00+25:00", "123"],
)
def test_no_times(text: str) -> None:
    assert parse_text(text) is None
