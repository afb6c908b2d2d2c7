"""What an engine says of everybody, in the form that the views of this room ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ethogram.engines.answers import BucketAnswers
    from ethogram.engines.engine import Engine

Truth = NDArray[np.bool_]
Numbers = NDArray[np.float64]


def is_in(engine: Engine, answers: BucketAnswers, name: str) -> Truth:
    """Of a segment or of `segmentation.group`, a truth a position."""
    definition, _, group = name.partition(".")
    if not group:
        return answers.members(engine.segments.index(definition))
    row = engine.segmentations.index(definition)
    number = engine.group_names(definition).index(group)
    return np.asarray(answers.groups[row] == number, dtype=np.bool_)


def in_segments(engine: Engine, answers: BucketAnswers) -> Truth:
    """A row a segment of the engine, a column a position."""
    if not engine.segments:
        return np.zeros((0, len(answers.known)), np.bool_)
    return np.stack([answers.members(row) for row in range(len(engine.segments))])


def median(values: Numbers) -> float:
    return float(np.median(values))
