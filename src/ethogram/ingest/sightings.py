"""Rows in which two ids of one person stand beside each other, as links."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.identity.blocked import JOINTS, NOTHING, QUOTES, WORDS, is_blocked
from ethogram.identity.normal import email_of, phone_of
from ethogram.identity.recording import Recorded
from ethogram.identity.rules import ALIAS, ANONYMOUS, EMAIL, ID_KINDS, PHONE, Rules
from ethogram.store import LINK_ROWS
from ethogram.store.duck import connect

BLOCKED: Final = "E_ID_BLOCKED"
UNREADABLE: Final = "E_ID_UNREADABLE"
LIMIT: Final = "E_ID_LIMIT"
_EARLIEST = """
SELECT kind, customer, value, bool_or(is_known) AS is_known, min(time) AS time,
    arg_min(source, (time, message_id, source)) AS source, arg_min(message_id, (time, message_id, source)) AS message_id
FROM seen GROUP BY kind, customer, value ORDER BY time, message_id, source, kind, customer, value"""


@dataclass(frozen=True, slots=True)
class Sightings:
    """`links` as `LINK_ROWS`, each once; how many values were `blocked` as placeholders, or `unreadable` as what they should be."""

    links: pa.Table
    blocked: int = 0
    unreadable: int = 0


def sightings_of(
    events: pa.Table, ids: Mapping[str, pa.Array], rules: Rules, country: str, blocked: int = 0
) -> Sightings:
    """Of events in the lake's layout, with further ids of the same rows by their names in settings; `blocked` customer ids were
    left out already."""
    identified = events["identified"].combine_chunks()
    somebody = pc.invert(blocked_in(events["customer"].combine_chunks(), rules))
    found: list[pa.Table] = []
    unreadable = 0
    cookies = pc.if_else(identified, events["anonymous"].combine_chunks(), None)
    values = {
        ANONYMOUS: cookies,
        **{ALIAS if name == "previous" else name: texts for name, texts in ids.items()},
    }
    for kind, said in values.items():
        texts = said
        if kind in (EMAIL, PHONE):
            texts = _each(said, email_of if kind == EMAIL else lambda text: phone_of(text, country))
            wrong = pc.and_(pc.is_valid(said), pc.is_null(texts))
            wrong = pc.and_(wrong, pc.invert(blocked_in(said, rules)))
            unreadable += pc.sum(wrong).as_py() or 0
        nobody = pc.and_(blocked_in(said, rules), pc.is_valid(said))
        blocked += pc.sum(nobody).as_py() or 0
        used = pc.and_(pc.and_(pc.is_valid(texts), pc.invert(nobody)), somebody)
        if kind in ID_KINDS:
            used = pc.and_(used, pc.not_equal(texts, events["customer"].combine_chunks()))
        used = used.fill_null(False)
        if pc.any(used).as_py():
            found.append(_rows(events.filter(used), kind, texts.filter(used)))
    return Sightings(earliest(found), blocked, unreadable)


def _rows(events: pa.Table, kind: str, values: pa.Array) -> pa.Table:
    columns = [
        pa.repeat(pa.scalar(kind), events.num_rows),
        events["customer"],
        values,
        events["identified"],
        events["time"].cast(pa.int64()),
        events["source"],
        events["message_id"],
    ]
    return pa.table(columns, schema=LINK_ROWS)


def earliest(tables: Sequence[pa.Table]) -> pa.Table:
    """Each link once, as it was first seen."""
    if not tables:
        return LINK_ROWS.empty_table()
    with connect() as duck:
        duck.register("seen", pa.concat_tables(tables))
        return duck.sql(_EARLIEST).to_arrow_table().cast(LINK_ROWS)


def blocked_in(texts: pa.Array, rules: Rules) -> pa.Array:
    """Which values are placeholders; a missing one is none."""
    coded = texts.dictionary_encode()
    names = coded.dictionary
    flags = np.zeros(len(names) + 1, np.bool_)
    for place in np.flatnonzero(_may_be_blocked(names, rules)).tolist():
        flags[place] = is_blocked(names[place].as_py(), rules.blocked)
    return pa.array(flags[coded.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)])


def _may_be_blocked(texts: pa.Array, rules: Rules) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """All that are blocked and a few more, told without looking at each."""
    inside = pc.utf8_trim_whitespace(pc.utf8_trim(pc.utf8_trim_whitespace(texts), QUOTES))
    folded = pc.utf8_lower(inside)
    bare = pc.replace_substring_regex(folded, JOINTS, "")
    heads = [pc.utf8_slice_codeunits(bare, place, place + 1) for place in range(3)]
    found = [
        pc.is_in(folded, value_set=pa.array(sorted(WORDS | rules.blocked))),
        pc.match_substring_regex(folded, f"^{NOTHING}$"),
        pc.and_(pc.equal(heads[0], heads[1]), pc.equal(heads[1], heads[2])),
        pc.invert(pc.string_is_ascii(texts)),
    ]
    either: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.logical_or.reduce(
        [one.to_numpy(zero_copy_only=False) for one in found]
    )
    return either


def _each(texts: pa.Array, form: Callable[[str], str | None]) -> pa.Array:
    coded = texts.dictionary_encode()
    return pa.array([form(text) for text in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def notes_of(found: Sequence[Sightings], recorded: Recorded) -> tuple[str, ...]:
    """What whoever loads should know, one line a kind however many rows there are."""
    notes = []
    blocked, unreadable = sum(one.blocked for one in found), sum(one.unreadable for one in found)
    if blocked:
        notes.append(
            f"{blocked:,} ids are placeholders such as null or 0 and link nobody; events that also say an anonymous id are kept under that ({BLOCKED})."
        )
    if unreadable:
        notes.append(
            f"{unreadable:,} e-mail addresses or phone numbers cannot be read as such and link nobody ({UNREADABLE})."
        )
    refused = sum(recorded.unused.values())
    if refused:
        reasons = ", ".join(
            f"{count:,} {_REASONS[state]}" for state, count in sorted(recorded.unused.items())
        )
        notes.append(
            f"{refused:,} new links between ids are not used: {reasons} ({LIMIT}). `ethogram identity CUSTOMER` shows each."
        )
    return tuple(notes)


_REASONS = {
    "shared": "because another customer was seen with the same cookie, device, address or number",
    "two customers": "because two customers would become one",
    "limit": "because a person would have more than [identity.limits] allows",
}
