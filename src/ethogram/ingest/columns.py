"""Text columns to typed ones, decided over whole columns so that one value never changes what its neighbors are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.ingest.rejects import shown
from ethogram.ingest.times import ISO_PATTERN, ISO_ZONED_PATTERN, parse_texts

LARGEST = Decimal("999999999999.999999")
"""The largest number a property can hold."""

AMOUNT_WORDS = frozenset(
    [
        "amount",
        "total",
        "subtotal",
        "revenue",
        "price",
        "quantity",
        "qty",
        "value",
        "discount",
        "tax",
        "taxes",
        "shipping",
        "cost",
        "spend",
        "sales",
        "units",
        "unitprice",
        "dollars",
        "refund",
        "refunded",
        "paid",
        "fee",
        "tip",
        "margin",
    ]
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,4})?|-?\.[0-9]+")
_NUMBER_PATTERN = "^(" + _NUMBER.pattern + ")$"
COMMA_NUMBER = r"^-?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)?(,[0-9]*)?([eE][-+]?[0-9]{1,4})?$"
"""With a decimal comma: points part thousands or nothing, so that 19.02.2025 stays a date."""
_NONFINITE = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_FLAGS = {"true": True, "false": False}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value that is not what its column is: rows, and why."""

    rows: npt.NDArray[np.int64]
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Column:
    """A typed column and the rows that do not fit it (null there)."""

    values: pa.Array
    misfits: tuple[Misfit, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """How the text of one column is to be read: `kind` as in `types`, or empty to find out."""

    name: str
    kind: str = ""
    decimal: str = "."
    null: Sequence[str] = ()
    time_format: str = ""
    expect_number: bool = False


def is_amount(name: str) -> bool:
    """Whether a column's name says that it holds amounts: `UnitPrice`, `total_tax`, `Amount`."""
    words = [word.lower() for word in _WORD.findall(name)]
    return bool(words) and (
        words[-1] in AMOUNT_WORDS or name.lower() in AMOUNT_WORDS or words[0] in ("total", "amount")
    )


def typed(texts: pa.Array, reading: Reading) -> Column:
    """Empty text is missing. Numbers are exact: whole ones int64, others decimals with the places they have."""
    texts = pc.if_else(pc.equal(texts, ""), None, texts)
    if reading.null:
        texts = pc.if_else(pc.is_in(texts, pa.array(list(reading.null))), None, texts)
    kind, _, time_format = reading.kind.partition(" ")
    match kind:
        case "text":
            return Column(texts)
        case "number":
            return _number(texts, reading, strict=True) or Column(texts)
        case "flag":
            return _flag(texts, strict=True) or Column(texts)
        case "time":
            return _time(texts, time_format or reading.time_format, strict=True) or Column(texts)
        case _:
            return _found(texts, reading)


def _found(texts: pa.Array, reading: Reading) -> Column:
    if reading.time_format and (column := _time(texts, reading.time_format, strict=False)):
        return column
    sample = [text for text in texts.slice(0, 2000).to_pylist() if text is not None]
    if sample and not any(_looks_typed(text, reading) for text in sample[:200]):
        return Column(texts)
    return (
        _number(texts, reading, strict=False)
        or _flag(texts, strict=False)
        or _time(texts, "", strict=False)
        or Column(texts)
    )


def _looks_typed(text: str, reading: Reading) -> bool:
    first = text.lstrip()[:1]
    return first.isdigit() or first in "-.+" or text.lower() in _FLAGS or bool(_NONFINITE.fullmatch(text))


def _number(texts: pa.Array, reading: Reading, *, strict: bool) -> Column | None:
    """None where the column is no number; misfits where most of it is and the rest ought to be."""
    coded = texts.dictionary_encode()
    written = values = pc.utf8_trim_whitespace(coded.dictionary)
    if reading.decimal == ",":
        plain = pc.replace_substring(pc.replace_substring(written, ".", ""), ",", ".")
        values = pc.if_else(pc.match_substring_regex(written, COMMA_NUMBER), plain, "")
    good = _flags(pc.match_substring_regex(values, _NUMBER_PATTERN))
    if not strict and not good.any():
        return None
    nonfinite = ~good & _flags(pc.match_substring_regex(written, "(?i)^" + _NONFINITE.pattern + "$"))
    wrong = ~good & ~nonfinite
    expected = strict or is_amount(reading.name) or reading.expect_number
    if not strict and (wrong.any() or nonfinite.any()):
        counts = np.bincount(_indices(coded), minlength=len(values))
        if (wrong.any() and not expected) or counts[good].sum() < counts.sum() / 2:
            return None
    numbers, out_of_range, whole_only = _parsed(values, good)
    if out_of_range.any() and not expected and whole_only:
        return None
    misfits = [
        *_misfits(
            coded, written, nonfinite, "E_NUMBER_NONFINITE", "{} is no finite number; leave the field empty"
        ),
        *_misfits(coded, written, wrong, "E_CSV", "{} is not a number"),
        *_misfits(coded, written, out_of_range, "E_NUMBER_NONFINITE", "{} is beyond the largest number"),
    ]
    return Column(numbers.take(coded.indices), tuple(misfits))


def _parsed(values: pa.Array, good: npt.NDArray[np.bool_]) -> tuple[pa.Array, npt.NDArray[np.bool_], bool]:
    """Distinct texts to numbers; which are out of range; whether all are plain whole numbers."""
    out = np.zeros(len(values), np.bool_)
    numbers: list[Decimal | None] = []
    places, exponents = 0, False
    for index, (text, fine) in enumerate(zip(values.to_pylist(), good.tolist(), strict=True)):
        number = _decimal(text) if fine else None
        if number is not None and abs(number) > LARGEST:
            out[index], number = True, None
            exponents |= "e" in text.lower() or "." in text
        if number is not None and number != number.to_integral_value():
            places = max(places, -int(number.normalize().as_tuple().exponent))
        numbers.append(number)
    if places == 0:
        whole = pa.array([None if number is None else int(number) for number in numbers], pa.int64())
        return whole, out, not exponents
    places = min(places, 18)
    digits = 18 if places <= 6 else 38
    step = Decimal(1).scaleb(-places)
    kept = [None if number is None else number.quantize(step) for number in numbers]
    return pa.array(kept, pa.decimal128(digits, places)), out, False


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text) if len(text) <= 400 else LARGEST * 10
    except InvalidOperation:
        return None


def _flag(texts: pa.Array, *, strict: bool) -> Column | None:
    coded = texts.dictionary_encode()
    values = pc.utf8_lower(pc.utf8_trim_whitespace(coded.dictionary))
    good = _flags(pc.is_in(values, pa.array(list(_FLAGS))))
    if not strict and (not good.all() or not len(good)):
        return None
    flags = pa.array([_FLAGS.get(text) for text in values.to_pylist()], pa.bool_())
    return Column(
        flags.take(coded.indices),
        tuple(_misfits(coded, values, ~good, "E_CSV", "{} is neither true nor false")),
    )


def _time(texts: pa.Array, time_format: str, *, strict: bool) -> Column | None:
    """Wall clock where no value has an offset, UTC where all have; None for a mix unless it must be a time."""
    coded = texts.dictionary_encode()
    values = coded.dictionary
    if not strict and not time_format:
        either = pc.or_(
            pc.match_substring_regex(values, ISO_PATTERN), pc.match_substring_regex(values, ISO_ZONED_PATTERN)
        )
        if not len(values) or not _flags(either).all():
            return None
    parsed = parse_texts(values, time_format)
    good = parsed.ok
    if not strict and (not good.any() or (not time_format and not good.all())):
        return None
    if (
        not strict
        and np.bincount(_indices(coded), minlength=len(values))[good].sum() < len(texts.drop_null()) / 2
    ):
        return None
    zoned = bool(parsed.zoned[good].all()) and bool(good.any())
    if parsed.zoned[good].any() and not zoned:
        return None
    kind = pa.timestamp("us", "UTC") if zoned else pa.timestamp("us")
    moments = pa.array(parsed.micros, pa.int64(), mask=~good).cast(kind)
    return Column(
        moments.take(coded.indices), tuple(_misfits(coded, values, ~good, "E_TIME", "{} is not a time"))
    )


def _misfits(
    coded: pa.Array, values: pa.Array, bad: npt.NDArray[np.bool_], code: str, reason: str
) -> list[Misfit]:
    if not bad.any():
        return []
    indices = _indices(coded, missing=-1)
    return [
        Misfit(np.flatnonzero(indices == index), code, reason.format(shown(values[int(index)].as_py())))
        for index in np.flatnonzero(bad)
    ]


def _indices(coded: pa.Array, missing: int | None = None) -> npt.NDArray[np.int64]:
    indices = coded.indices
    indices = indices.drop_null() if missing is None else indices.fill_null(missing)
    result: npt.NDArray[np.int64] = indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return result


def _flags(array: pa.Array) -> npt.NDArray[np.bool_]:
    result: npt.NDArray[np.bool_] = array.fill_null(False).to_numpy(zero_copy_only=False).astype(np.bool_)
    return result


def type_table(table: pa.Table, readings: Mapping[str, Reading]) -> tuple[pa.Table, list[tuple[str, Misfit]]]:
    """The typed table and every misfit with its column's name; rows stay."""
    arrays: list[pa.Array] = []
    misfits: list[tuple[str, Misfit]] = []
    for name in table.column_names:
        column = typed(table.column(name).combine_chunks(), readings[name])
        arrays.append(column.values)
        misfits += [(name, misfit) for misfit in column.misfits]
    return pa.table(arrays, names=table.column_names), misfits
