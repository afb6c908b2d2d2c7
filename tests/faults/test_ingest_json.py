"""JSON Lines that two readers could understand differently."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path

import ingest_world as world
import pytest

from ethogram.model.errors import DataError

TOML = '[sources.e]\nfiles = "e.jsonl"\n'


def track(**more: object) -> dict[str, object]:
    return {"type": "track", "userId": "u1", "event": "x", "timestamp": "2024-01-01T00:00:00Z"} | more


def loaded(tmp_path: Path, *lines: bytes | dict[str, object], toml: str = TOML) -> tuple[int, list[str]]:
    """How many were accepted, and `code field` of the others; a good line stands before and after."""
    good = [track(messageId="first"), *lines, track(messageId="last")]
    raw = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in good)
    report = world.load_all(world.write(tmp_path, toml, {"e.jsonl": raw}))
    assert report.read == len(good)
    assert report.read == report.unreadable + report.rows
    return report.accepted - 2, [f"{row.code} {row.field}" for row in world.set_aside(tmp_path)]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"1e12"])
def test_b01_non_finite(tmp_path: Path, number: bytes) -> None:
    line = b'{"type":"track","userId":"u1","event":"x","properties":{"a":' + number + b"}}"
    assert loaded(tmp_path, line) == (0, ["E_JSON_NONFINITE properties.a"])


@pytest.mark.parametrize("number", [b"99999999999999999999999", b"18446744073709551616"])
def test_b02_ids_beyond_64_bits(tmp_path: Path, number: bytes) -> None:
    line = b'{"type":"track","userId":' + number + b',"event":"x"}'
    assert loaded(tmp_path, line) == (0, ["E_ID_INT_RANGE userId"])


@pytest.mark.parametrize("number", [b"9" * 5000, b"1." + b"1" * 100_000])
def test_b03_numbers_too_long(tmp_path: Path, number: bytes) -> None:
    line = b'{"type":"track","userId":"u","event":"x","properties":{"a":' + number + b"}}"
    assert loaded(tmp_path, line) == (0, ["E_NUMBER_TOO_LONG properties.a"])


@pytest.mark.parametrize("depth", [31, 40, 100_000])
def test_b04_too_deep(tmp_path: Path, depth: int) -> None:
    line = b'{"type":"track","userId":"u","event":"x","p":' + b"[" * depth + b"]" * depth + b"}"
    started = time.process_time()
    accepted, codes = loaded(tmp_path, line)
    assert time.process_time() - started < 30
    assert codes == (["E_JSON_DEPTH "] if depth > 31 else ["E_TIME_MISSING time"])
    assert accepted == 0


def test_b04_brackets_in_text_are_no_depth(tmp_path: Path) -> None:
    line = track(messageId="m", properties={"a": "[{" * 100 + '"[\\'})
    assert loaded(tmp_path, line) == (1, [])


def test_b05_duplicate_keys(tmp_path: Path) -> None:
    line = b'{"type":"track","userId":"a","userId":"b","event":"x"}'
    assert loaded(tmp_path, line) == (0, ["E_JSON_DUPLICATE_KEY userId"])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (track(userId="a\u0000b"), "E_TEXT_NUL userId"),
        (track(userId="\ud800"), "E_TEXT_SURROGATE userId"),
        (track(event="\udfff"), "E_TEXT_SURROGATE event"),
        (track(properties={"a\u0000b": 1}), "E_TEXT_NUL properties.'a\\x00b'"),
        (track(properties={"a": ["x", "\ud800"]}), "E_TEXT_SURROGATE properties.a[1]"),
        (track(properties={"": 1}), "E_KEY_EMPTY properties"),
        (track(properties={"k" * 300: 1}), "E_KEY_TOO_LONG properties"),
        (track(properties={"a": "x" * 8193}), "E_TEXT_TOO_LONG properties.a"),
        (track(properties={f"k{n}": 1 for n in range(300)}), "E_JSON_KEYS properties"),
    ],
)
def test_b06_text_that_cannot_be_kept(tmp_path: Path, line: dict[str, object], told: str) -> None:
    accepted, codes = loaded(tmp_path, line)
    assert accepted == 0
    assert [code.replace("properties.a\\x00b", "properties.'a\\x00b'") for code in codes] == [told]


def test_b07_encodings_and_trailing_data(tmp_path: Path) -> None:
    assert loaded(tmp_path / "a", b'{"type":"track","userId":"a","event":"x"} {}') == (0, ["E_JSON "])
    assert loaded(tmp_path / "b", b'{"type":"track","userId":"a\xff","event":"x"}') == (0, ["E_JSON "])
    bom = b"\xef\xbb\xbf" + json.dumps(track()).encode()
    assert world.load_all(world.write(tmp_path / "c", TOML, {"e.jsonl": bom})).accepted == 1
    wide = json.dumps(track()).encode("utf-16")
    with pytest.raises(DataError) as caught:
        world.load_all(world.write(tmp_path / "d", TOML, {"e.jsonl": wide}))
    assert (caught.value.code, caught.value.file) == ("E_FILE_ENCODING", "e.jsonl")
    assert (
        world.load_all(
            world.write(tmp_path / "d", TOML + 'encoding = "utf-16"\n', {"e.jsonl": wide})
        ).accepted
        == 1
    )


@pytest.mark.parametrize(
    "key",
    [
        "a.b",
        'a"b',
        "a'b",
        "*",
        "$",
        "/",
        "~1",
        "__proto__",
        "constructor",
        "🐟",
        "\u202e",
        "SELECT",
        "traits.x",
        "a\\b",
        " ",
    ],
)
def test_b14_keys_come_back_as_they_are(tmp_path: Path, key: str) -> None:
    assert loaded(tmp_path, track(messageId="m", properties={key: 1, "in": {key: "x"}})) == (1, [])
    found = {event.message_id: event for event in world.histories(tmp_path)["u1"]}["m"]
    assert found.properties == {key: Decimal(1), "in": {key: "x"}}


@pytest.mark.parametrize(
    ("timestamp", "told"),
    [
        ("0001-01-01T00:00:00Z", "E_TIME_IMPLAUSIBLE"),
        ("1969-07-20T00:00:00Z", "E_TIME_IMPLAUSIBLE"),
        ("2999-01-01T00:00:00Z", "E_TIME_IMPLAUSIBLE"),
        ("2025-02-30T00:00:00Z", "E_TIME"),
        ("2025-01-01T00:00:00+25:00", "E_TIME"),
        ("tomorrow", "E_TIME"),
        ("2016-12-31T23:59:60Z", ""),
        ("1735689600", ""),
        (1735689600, ""),
        (1735689600000, ""),
        ("2025-01-01", ""),
        ("2025-01-01 10:00:00.123456789+05:30", ""),
    ],
)
def test_b16_timestamps(tmp_path: Path, timestamp: object, told: str) -> None:
    accepted, codes = loaded(tmp_path, track(messageId="m", timestamp=timestamp))
    assert (accepted, codes) == ((0, [f"{told} time"]) if told else (1, []))


def test_segment_calls_mean_what_the_protocol_says(tmp_path: Path) -> None:
    at = "2024-01-01T00:00:00Z"
    lines: list[dict[str, object]] = [
        {"type": "identify", "userId": "u2", "traits": {"plan": "pro", "gone": None}, "timestamp": at},
        {"type": "page", "anonymousId": "a1", "name": "Home", "category": "Docs", "properties": {"path": "/"}, "timestamp": at},
        {"type": "group", "userId": "u2", "groupId": "acme", "traits": {"size": 5}, "timestamp": at},
        {"type": "track", "userId": "u2", "event": "Order Completed", "timestamp": at, "messageId": "m1",
         "properties": {"products": [{"sku": "a", "price": 1.1}, {"sku": "b"}]}, "context": {"traits": {"email": "x@y"}}},
    ]  # fmt: skip
    assert loaded(tmp_path, *lines) == (4, [])
    found = world.histories(tmp_path)
    assert [(event.kind, event.name, event.identified) for event in found["a1"]] == [("page", "Home", False)]
    assert found["a1"][0].properties == {"category": "Docs", "path": "/"}
    by_kind = {event.kind: event for event in found["u2"]}
    assert by_kind["identify"].traits == {"plan": "pro", "gone": None}
    assert by_kind["track"].properties == {"products": ({"sku": "a", "price": Decimal("1.1")}, {"sku": "b"})}
    assert by_kind["track"].traits == {"email": "x@y"}


def test_flat_objects_with_a_mapping_or_a_select(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"who": 7.0, "at": "2024-01-01", "n": 1.1, "more": {"a": [1, 2]}},
        {"who": "u8", "at": 1704067200, "n": "x"},
    ]
    raw = b"\n".join(json.dumps(row).encode() for row in rows)
    toml = TOML + 'customer = "who"\ntime = "at"\nevent = "Seen"\n'
    assert world.load_all(world.write(tmp_path / "a", toml, {"e.jsonl": raw})).accepted == 2
    found = world.histories(tmp_path / "a")
    assert found["7"][0].properties == {"n": Decimal("1.1"), "more": {"a": (Decimal(1), Decimal(2))}}
    assert found["u8"][0].properties == {"n": "x"}
    select = "select 'u' || row_number() over () as customer, 'Seen' as event, '2024-01-01' as time, more.a as a, n from files"
    assert (
        world.load_all(
            world.write(tmp_path / "b", TOML + f'select = "{select}"\n', {"e.jsonl": raw})
        ).accepted
        == 2
    )
    assert world.histories(tmp_path / "b")["u1"][0].properties == {"n": "1.1", "a": (Decimal(1), Decimal(2))}
