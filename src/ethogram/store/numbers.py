"""Numbers of any column type as decimal(18, 6): rounded half-even on their shortest decimal text, never wrapped."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

NUMBER = pa.decimal128(18, 6)
PLACES = 6
MILLION = 10**PLACES
LIMIT = 10**12
"""A stored number is smaller than this, either side of zero."""

_STEP = Decimal(1).scaleb(-PLACES)

Mask = npt.NDArray[np.bool_]
Millionths = npt.NDArray[np.int64]


def number_of(value: int | float | Decimal) -> Decimal | None:
    """With six places, or None for what is no number or out of range.

    >>> number_of(0.1), number_of(0.0000005), number_of(float("nan")), number_of(10**12)
    (Decimal('0.100000'), Decimal('0.000000'), None, None)
    """
    if isinstance(value, int) and abs(value) >= LIMIT:
        return None
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    try:
        if not exact.is_finite() or abs(exact) >= LIMIT:
            return None
        rounded = exact.quantize(_STEP, ROUND_HALF_EVEN)
    except InvalidOperation:
        return None
    return rounded if abs(rounded) < LIMIT else None


def numbers_of(array: pa.Array) -> tuple[pa.Array, Mask]:
    """A column of integers, floats or decimals as `NUMBER`, null where null or bad; and which values are bad."""
    if pa.types.is_integer(array.type):
        return _from_integers(array)
    if pa.types.is_floating(array.type):
        return _from_floats(array)
    return _from_decimals(array)


def decimals(millionths: Millionths, valid: Mask) -> pa.Array:
    """An Arrow column over whole millionths."""
    words = np.empty((len(millionths), 2), np.int64)
    words[:, 0] = millionths
    words[:, 1] = millionths >> 63
    validity = pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    return pa.Array.from_buffers(NUMBER, len(millionths), [validity, pa.py_buffer(words)])


def millionths_of(array: pa.Array) -> Millionths:
    """The inverse of `decimals`; anything where the column is null."""
    whole = np.frombuffer(array.buffers()[1], np.int64) if len(array) else np.empty(0, np.int64)
    places: Millionths = whole.reshape(-1, 2)[array.offset : array.offset + len(array), 0]
    return places


def _known(array: pa.Array) -> Mask:
    known: Mask = array.is_valid().to_numpy(zero_copy_only=False)
    return known


def _from_integers(array: pa.Array) -> tuple[pa.Array, Mask]:
    known = _known(array)
    values = array.fill_null(0).to_numpy(zero_copy_only=False)
    bad = known & ((values >= LIMIT) | (values <= -LIMIT if values.dtype.kind == "i" else False))
    good = known & ~bad
    millionths = np.where(good, values, 0).astype(np.int64) * MILLION
    return decimals(millionths, good), bad


def _from_floats(array: pa.Array) -> tuple[pa.Array, Mask]:
    """Almost always the nearest whole number of millionths is certain; where the error of the product might change it,
    the shortest text of the float decides."""
    if pa.types.is_float16(array.type):
        array = array.cast(pa.float32())
    known = _known(array)
    # the text of a short float has an error of up to 2^-25 of the value, that of a double 2^-54
    slack = 2.0**-22 if pa.types.is_float32(array.type) else 2.0**-50
    narrow = array.fill_null(0).to_numpy(zero_copy_only=False)
    values = narrow.astype(np.float64)
    bad = known & ~(np.abs(values) < LIMIT)
    good = known & ~bad
    scaled = np.where(good, values, 0.0) * MILLION
    millionths = np.rint(scaled).astype(np.int64)
    error = np.abs(scaled) * slack
    whole = values == np.floor(values)
    unsure = good & ~whole & (np.abs(np.abs(scaled - np.floor(scaled)) - 0.5) <= error + 1e-9)
    millionths[good & whole] = values[good & whole].astype(np.int64) * MILLION
    if unsure.any():
        distinct, places = np.unique(narrow[unsure], return_inverse=True)
        texts = (Decimal(np.format_float_positional(value, unique=True)) for value in distinct)
        exact = [int(text.quantize(_STEP, ROUND_HALF_EVEN).scaleb(PLACES)) for text in texts]
        millionths[unsure] = np.array(exact, np.int64)[places]
    over = good & (np.abs(millionths) >= LIMIT * MILLION)
    return decimals(millionths, good & ~over), bad | over


def _from_decimals(array: pa.Array) -> tuple[pa.Array, Mask]:
    known = _known(array)
    kind = array.type
    if kind.scale > PLACES:
        array = pc.round(array, PLACES, round_mode="half_to_even")
    wide = array.cast(pa.decimal256(76, max(kind.scale, PLACES)))
    limit = pa.scalar(Decimal(LIMIT), wide.type)
    inside = pc.and_(pc.less(wide, limit), pc.greater(wide, pc.negate(limit)))
    good: Mask = known & inside.fill_null(False).to_numpy(zero_copy_only=False)
    kept = pc.if_else(pa.array(good), wide, pa.scalar(None, wide.type))
    return kept.cast(NUMBER), known & ~good
