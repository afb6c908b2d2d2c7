"""The compiler's reading of moments and the interpreter's are two programs that must agree."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ethogram.language.instants import moment_of_text
from ethogram.language.meaning.local_time import parse_moment

ZONES = st.sampled_from(
    ["UTC", "America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]
).map(ZoneInfo)
DAYS = st.one_of(
    st.dates().map(str),
    st.sampled_from(["2025-03-09", "2025-11-02", "2025-02-29", "2024-02-29", "2025-13-01", "0000-01-01"]),
)
TWO_DIGITS = st.integers(0, 61).map("{:02}".format)
FRACTIONS = st.sampled_from(["", ".", ".5", ".25", ".123456", ".1234567", ".123456789", ".1234567890", ".٣"])
OFFSETS = st.one_of(
    st.sampled_from(
        ["", "", "Z", "z", "+", "+1", "+00:00", "-00:00", "+23:59", "+24:00", "+01:60", "-05", "+0530"]
    ),
    st.builds("{}{}{}{}".format, st.sampled_from("+-"), TWO_DIGITS, st.sampled_from(["", ":"]), TWO_DIGITS),
)


@st.composite
def almost_iso(draw: st.DrawFn) -> str:
    day, separator = draw(DAYS), draw(st.sampled_from(["T", " ", "t", "", "  "]))
    clock = ":".join(draw(st.lists(TWO_DIGITS, max_size=3)))
    text = day + draw(st.sampled_from(["", separator + clock + draw(FRACTIONS)])) + draw(OFFSETS)
    return draw(
        st.sampled_from([text, text, text, text + " ", " " + text, text + "\n", text[1:], "-" + text])
    )


@given(almost_iso(), ZONES)
@example("2025-03-09T02:30", ZoneInfo("America/New_York"))
@example("2025-11-02 01:30:00.5", ZoneInfo("America/New_York"))
@example("0001-01-01", ZoneInfo("Asia/Kolkata"))
@example("9999-12-31T23:59:59.999999999-23:59", ZoneInfo("UTC"))
@example("2025-01-01T24:00", ZoneInfo("UTC"))
@example("2025-01-01T23:59:60", ZoneInfo("UTC"))
@example("2025-01-01Z", ZoneInfo("UTC"))
@example("2025-01-01T10:00.5", ZoneInfo("UTC"))
def test_both_readings_of_a_moment_agree(text: str, zone: ZoneInfo) -> None:
    assert moment_of_text(text, zone) == parse_moment(zone, text)


@pytest.mark.parametrize(
    "text",
    ["2025-01-01T24:00", "2025-01-01T23:59:60", "2025-W01-1", "20250101", "2025-01-01T10", "2025-01-01Z"],
)
def test_what_names_no_moment(text: str) -> None:
    assert moment_of_text(text, ZoneInfo("UTC")) is None
