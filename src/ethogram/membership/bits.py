"""Answers as bits: engines give one row a segment; what is kept has one row a customer, so that a few customers are read at once."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bits: TypeAlias = NDArray[np.uint64]
"""Shape (segments, ceil(customers / 64)); bit i of a row is customer i, lowest bit first."""
Words: TypeAlias = NDArray[np.uint64]
"""Shape (customers, ceil(segments / 64)); bit s of a row is segment s, lowest bit first."""
Flags: TypeAlias = NDArray[np.bool_]
"""Shape (segments, customers)."""

_BYTE: Final = 8
_WORD: Final = 64


def packed(flags: Flags) -> NDArray[np.uint64]:
    """One bit a flag: `Bits` of flags by segment, `Words` of flags by customer.

    >>> packed(np.array([[True, False, True]]))
    array([[5]], dtype=uint64)
    """
    rows, count = flags.shape
    words = np.zeros((rows, -(-count // _WORD)), dtype=np.uint64)
    words.view(np.uint8)[:, : -(-count // _BYTE)] = np.packbits(flags, axis=1, bitorder="little")
    return words


def unpacked(bits: NDArray[np.uint64], count: int) -> Flags:
    """The first `count` flags of every row."""
    bytes_ = np.ascontiguousarray(bits).view(np.uint8)
    return np.unpackbits(bytes_, axis=1, bitorder="little", count=count).view(np.bool_)


def turned(bits: Bits, count: int) -> Words:
    """The first `count` customers, one row each.

    >>> turned(packed(np.array([[True, False, True], [True, True, False]])), 3).tolist()
    [[3], [2], [1]]
    """
    segments = len(bits)
    width, height = -(-count // _BYTE), -(-segments // _WORD) * _BYTE
    padded = np.zeros((height * _BYTE, width), dtype=np.uint8)
    padded[:segments] = np.ascontiguousarray(bits).view(np.uint8)[:, :width]
    squares = np.ascontiguousarray(padded.reshape(height, _BYTE, width).transpose(2, 0, 1))
    _turn_squares(squares.view(np.uint64))
    rows = np.ascontiguousarray(squares.transpose(0, 2, 1)).reshape(width * _BYTE, height)
    return rows.view(np.uint64)[:count]


def _turn_squares(squares: NDArray[np.uint64]) -> None:
    """Exchanges rows and columns of 8 x 8 bits, in place (Hacker's Delight, 7-3)."""
    for shift, mask in ((7, 0x00AA00AA00AA00AA), (14, 0x0000CCCC0000CCCC), (28, 0x00000000F0F0F0F0)):
        moved = (squares ^ (squares >> np.uint64(shift))) & np.uint64(mask)
        squares ^= moved
        squares ^= moved << np.uint64(shift)


def column(words: Words, segment: int) -> NDArray[np.bool_]:
    """One segment's flags."""
    bytes_ = words.view(np.uint8)[:, segment // _BYTE]
    return (bytes_ & np.uint8(1 << segment % _BYTE)).astype(np.bool_)


def put_column(words: Words, segment: int, flags: NDArray[np.bool_]) -> None:
    bytes_ = words.view(np.uint8)[:, segment // _BYTE]
    mask = np.uint8(1 << segment % _BYTE)
    np.copyto(bytes_, np.where(flags, bytes_ | mask, bytes_ & ~mask))


def set_bits(words: Words) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Customer and segment of every bit that is set."""
    row, word = np.nonzero(words)
    which, bit = np.nonzero(unpacked(words[row, word][:, None], _WORD))
    return row[which], word[which] * _WORD + bit
