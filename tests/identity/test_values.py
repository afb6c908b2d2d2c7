from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.identity.blocked import is_blocked
from ethogram.identity.normal import email_of, phone_of
from ethogram.identity.rules import Rules
from ethogram.ingest.sightings import blocked_in


@pytest.mark.parametrize(
    "value",
    ["null", "0", "undefined", "[object Object]", "'anonymous'", "00000000-0000-0000-0000-000000000000", " ", "NaN", "test@test.com",
     '"NULL"', "None", "-1", "----", "ffffffff-ffff-ffff-ffff-ffffffffffff", "GUEST"],
)  # fmt: skip
def test_f03_placeholders_are_nobody(value: str) -> None:
    assert is_blocked(value)


@pytest.mark.parametrize("value", ["1", "10", "1111", "u0", "nullable", "anna@test.com", "0x12", "a-0-0"])
def test_ids_that_only_look_odd_are_somebody(value: str) -> None:
    assert not is_blocked(value)


def test_a_project_blocks_more() -> None:
    assert is_blocked(" Shop@Example.org", frozenset({"shop@example.org"}))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Ann@Example.org", "ann@example.org"),
        ("ann.b+x@gmail.com", "ann.b+x@gmail.com"),
        ("ann", None),
        ("a@b", None),
        ("a b@c.d", None),
        ("a@b.c, d@e.f", None),
    ],
)
def test_addresses_are_compared_in_one_form(text: str, address: str | None) -> None:
    assert email_of(text) == address


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("(800) 555-0199", "US", "+18005550199"),
        ("020 7946 0018", "GB-SCT", "+442079460018"),
        ("+49 (0)30 901820", "", "+4930901820"),
        ("0049 30 901820", "", "+4930901820"),
        ("030 901820", "", None),
        ("12", "DE", None),
        ("nobody", "DE", None),
    ],
)
def test_numbers_are_compared_as_e164(text: str, country: str, number: str | None) -> None:
    pytest.importorskip("phonenumbers", reason="the extra `phones`")
    assert phone_of(text, country) == number


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(["null", " 'NULL'", "0", "0-0", "xxxxxxxx", "x-xxx-xxxx", "Office@x.org ", "u1", "", "\r", "' xxxxxxxx'"]), st.text(max_size=9), st.text("0x-' ", max_size=12))))  # fmt: skip
def test_whole_columns_are_blocked_as_single_values_are(texts: list[str]) -> None:
    rules = Rules(blocked=frozenset({"office@x.org"}))
    found = blocked_in(pa.array([*texts, None], pa.string()), rules).to_pylist()
    assert found == [*(is_blocked(text, rules.blocked) for text in texts), False]
