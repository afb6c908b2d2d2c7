"""Stays as a log: what began and ended, and what was said anew, in pages whose order counts.

Reading puts the pages together again: an end closes the stay that went on, a renewal forgets what was said before. Pages of
about one size are merged into one now and then, so that there are never many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.store.pages import name_codes
from ethogram.store.records import Interval

STAY: Final = 0
"""A stay; without `left_at` it goes on."""
END: Final = 1
"""The stay of this customer that goes on ends at `left_at`; if none is kept, one ends that began at an unknown time."""
RENEWED: Final = 2
"""What was said before of this definition and customer is forgotten."""
ENDED: Final = 3
"""What was said before of this definition is forgotten."""

_NAME: Final = pa.dictionary(pa.int32(), pa.string())
STAYS: Final = pa.schema(
    [
        pa.field("what", pa.int8(), nullable=False),
        pa.field("definition", _NAME, nullable=False),
        pa.field("group", _NAME, nullable=False),
        pa.field("customer", pa.string(), nullable=False),
        pa.field("entered_at", pa.int64()),
        pa.field("left_at", pa.int64()),
    ]
)
_FEW: Final = 8
"""So many pages of one size become one."""
_LARGE: Final = 1 << 20
"""Larger pages are left as they are, so that memory stays bounded."""


def stay_table(what: int, intervals: Iterable[Interval]) -> pa.Table:
    rows = list(intervals)
    arrays = [
        pa.array(np.full(len(rows), what, dtype=np.int8)),
        name_codes([row.definition for row in rows]),
        name_codes([row.group for row in rows]),
        pa.array([row.customer for row in rows], pa.string()),
        pa.array([row.entered_at for row in rows], pa.int64()),
        pa.array([row.left_at for row in rows], pa.int64()),
    ]
    return pa.table(arrays, schema=STAYS)


def only(table: pa.Table, definition: str | None, customers: pa.Array | None) -> pa.Table:
    """The rows that can matter for a definition and for some customers."""
    if not table.num_rows:
        return table
    if definition is not None:
        table = table.filter(pc.equal(table["definition"].cast(pa.string()), definition))
    if customers is not None:
        asked = pc.is_in(table["customer"], value_set=customers)
        table = table.filter(pc.or_(asked, pc.equal(table["what"], ENDED)))
    return table


def settled(tables: Sequence[pa.Table], *, is_whole: bool) -> pa.Table:
    """The log with ends and renewals carried out as far as they concern rows in it, in order.

    With `is_whole` the log begins at the beginning, so that stays alone are left.
    """
    log = pa.concat_tables([STAYS.empty_table(), *tables]).unify_dictionaries().combine_chunks()
    if not log.num_rows:
        return log
    what = log["what"].to_numpy()
    definition = _codes(log["definition"])
    customer = _codes(log["customer"])
    group = _codes(log["group"])
    place = np.arange(log.num_rows)
    who = definition * (int(customer.max()) + 1) + customer
    kept = place >= np.maximum(_last(definition, what == ENDED), _last(who, what == RENEWED))
    left = _numbers(log["left_at"])
    # of each answer in order: an end right behind a stay that goes on is that stay's end
    key = who * (int(group.max()) + 1) + group
    told = np.flatnonzero(kept & (what <= END))
    order = told[np.argsort(key[told], kind="stable")]
    before, after = order[:-1], order[1:]
    closes = (
        (key[before] == key[after]) & (what[before] == STAY) & (left[before] == _NONE) & (what[after] == END)
    )
    left[before[closes]] = left[after[closes]]
    kept[after[closes]] = False
    if is_whole:
        kept &= what <= END
        what = np.where(what == END, STAY, what)
    at = log.schema.get_field_index("left_at")
    log = log.set_column(at, STAYS.field("left_at"), pa.array(left, pa.int64(), mask=left == _NONE))
    log = log.set_column(0, STAYS.field("what"), pa.array(what.astype(np.int8)))
    return log if kept.all() else log.filter(pa.array(kept))


def mergeable(rows: Sequence[int]) -> int:
    """How many of the newest pages, whose rows are given newest first, are to become one.

    >>> mergeable([10] * 8 + [9_000]), mergeable([10] * 7 + [9_000]), mergeable([9_000] * 8)
    (8, 0, 8)
    """
    best = 0
    for level in sorted({_level(size) for size in rows if size <= _LARGE}):
        run = next((i for i, size in enumerate(rows) if size > _LARGE or _level(size) > level), len(rows))
        if sum(_level(size) == level for size in rows[:run]) >= _FEW:
            best = run
    return best


def _level(rows: int) -> int:
    return max(0, rows.bit_length() - 10) // 3


_NONE: Final = -(2**63)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.array(column.fill_null(_NONE).to_numpy(), dtype=np.int64)


def _codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0)
    if not pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_encode()
    codes: NDArray[np.int64] = whole.indices.to_numpy().astype(np.int64)
    return codes


def _last(key: NDArray[np.int64], marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each row the last marked row with its key, -1 for none."""
    places = np.flatnonzero(marked)
    if not len(places):
        return np.full(len(key), -1, dtype=np.int64)
    keys, inverse = np.unique(key, return_inverse=True)
    last = np.full(len(keys), -1, dtype=np.int64)
    last[inverse[places]] = places  # ascending: the last one stays
    found: NDArray[np.int64] = last[inverse]
    return found
