from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.kernel.layout import NULL
from ethogram.language.plan import TextTest

Integers = NDArray[np.int64]


class Dictionary:
    """Texts as numbers, in order of first appearance; it only grows, and threads may let it grow at once."""

    def __init__(self, texts: list[str] | None = None) -> None:
        self.texts = texts or []
        self._numbers = {text: number for number, text in enumerate(self.texts)}
        self._growing = Lock()

    def __len__(self) -> int:
        return len(self.texts)

    def find(self, text: str) -> int | None:
        return self._numbers.get(text)

    def number(self, text: str) -> int:
        known = self._numbers.get(text)
        if known is not None:
            return known
        with self._growing:
            number = self._numbers.get(text, len(self.texts))
            if number == len(self.texts):
                self.texts.append(text)
                self._numbers[text] = number
            return number

    def encode(self, column: pa.ChunkedArray | pa.Array) -> Integers:
        """Numbers of a text column, NULL where missing."""
        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        encoded = whole if pa.types.is_dictionary(whole.type) else pc.dictionary_encode(whole)
        own = np.array([self.number(text) for text in encoded.dictionary.to_pylist()], np.int64)
        codes = encoded.indices.fill_null(len(own)).to_numpy(zero_copy_only=False)
        numbers: Integers = np.append(own, NULL)[codes]
        return numbers

    def map(self, numbers: Integers, function: Callable[[str], int]) -> Integers:
        """The function of each text, evaluated once for each different one; NULL stays."""
        different, inverse = np.unique(numbers, return_inverse=True)
        found = np.array(
            [NULL if number == NULL else function(self.texts[number]) for number in different.tolist()],
            np.int64,
        )
        return found[inverse] if len(found) else numbers.copy()

    def meet(self, test: TextTest) -> list[bool]:
        """Which of the texts pass a test."""
        texts, other = self.texts, test.texts[0]
        match test.test:
            case "in":
                wanted = frozenset(test.texts)
                return [text in wanted for text in texts]
            case "contains":
                return [other in text for text in texts]
            case "<":
                return [text < other for text in texts]
            case "<=":
                return [text <= other for text in texts]
            case ">":
                return [text > other for text in texts]
            case ">=":
                return [text >= other for text in texts]

    def ranks(self) -> Integers:
        """Position of each text in code point order."""
        order = sorted(range(len(self.texts)), key=self.texts.__getitem__)
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        return ranks
