"""What makes an output run: the inputs that may take it from its default."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ethogram.language.plan import Input, Output

Integers = NDArray[np.int64]


def rarest(output: Output, often: Integers) -> frozenset[Input]:
    """Of an output's alternative sets of triggers the one that is touched least often."""

    def weight(inputs: frozenset[Input]) -> int:
        return sum(int(often[one.index]) if one.kind == "slot" else 10**9 for one in inputs)

    return min(output.triggers, key=weight)
