"""Everyone's answers at one moment, held together: what a view needs that compares moments or many definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.insight.people import Numbers, Truth, in_segments, is_in

if TYPE_CHECKING:
    from ethogram.engines.engine import Engine
    from ethogram.model.event import Moment


@dataclass(frozen=True, slots=True)
class Everybody:
    """A place for each customer the engine knows of, the same at every moment; `known` are those who exist at `as_of`.

    `sets` has a row for each of `names`: segments, then `segmentation.group`. `groups` says for each segmentation who is in
    which group, -1 for nobody's.
    """

    as_of: Moment
    known: Truth
    names: tuple[str, ...]
    sets: NDArray[np.bool_]
    groups: Mapping[str, NDArray[np.int16]]
    traits: Mapping[str, pa.ChunkedArray]

    @property
    def size(self) -> int:
        return int(self.known.sum())

    @property
    def sizes(self) -> Mapping[str, int]:
        return dict(zip(self.names, self.sets.sum(axis=1).tolist(), strict=True))

    @property
    def numeric(self) -> Sequence[str]:
        """The traits that are numbers."""
        return [name for name, column in self.traits.items() if pa.types.is_decimal(column.type)]

    def members(self, name: str) -> Truth:
        found: Truth = self.sets[self.names.index(name)]
        return found

    def numbers(self, trait: str) -> Numbers:
        """NaN where missing."""
        column = self.traits[trait].cast(pa.float64())
        found: Numbers = column.to_numpy()
        return found

    def counts(self, trait: str) -> Numbers:
        """A trait's numbers, nothing where missing."""
        return np.nan_to_num(self.numbers(trait))

    def texts(self, trait: str) -> tuple[NDArray[np.int64], list[str]]:
        """For each customer which of the values, -1 where missing."""
        column = self.traits[trait].cast(pa.string()).combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # of no chunk at all
            column = pa.array([], pa.string())
        encoded = column.dictionary_encode()
        indices: NDArray[np.int64] = (
            encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
        )
        return indices, encoded.dictionary.to_pylist()


def everybody(engine: Engine, as_of: Moment, traits: Sequence[str] = ()) -> Everybody:
    known, sets = [], []
    groups: dict[str, list[NDArray[np.int16]]] = {name: [] for name in engine.segmentations}
    columns: dict[str, list[pa.Array]] = {name: [] for name in traits}
    for answers in engine.evaluate(as_of, traits=tuple(traits)):
        known.append(answers.known)
        rows = [in_segments(engine, answers)]
        for row, name in enumerate(engine.segmentations):
            own = answers.groups[row]
            groups[name].append(np.asarray(own, np.int16))
            count = len(engine.group_names(name))
            rows.append(own[None, :] == np.arange(count, dtype=np.int16)[:, None])
        sets.append(np.concatenate(rows) & answers.known)
        for name in traits:
            columns[name].append(answers.traits[name])
    return Everybody(
        as_of,
        np.concatenate(known) if known else np.zeros(0, np.bool_),
        tuple(answer_names(engine)),
        np.concatenate(sets, axis=1) if sets else np.zeros((0, 0), np.bool_),
        {name: np.concatenate(parts) for name, parts in groups.items()},
        {name: pa.chunked_array(parts) for name, parts in columns.items()},
    )


def customers_in(engine: Engine, as_of: Moment, names: Sequence[str]) -> dict[str, pa.Array]:
    """Who is in each of some segments or groups."""
    found: dict[str, list[pa.Array]] = {name: [] for name in names}
    for answers in engine.evaluate(as_of, traits=()):
        customers = engine.roster(answers.bucket).take(pa.array(answers.positions))
        for name in names:
            inside = is_in(engine, answers, name) & answers.known
            found[name].append(customers.filter(pa.array(inside)))
    return {
        name: pa.concat_arrays(parts) if parts else pa.array([], pa.string()) for name, parts in found.items()
    }


def answer_names(engine: Engine) -> Iterator[str]:
    """Segments, then `segmentation.group`."""
    yield from engine.segments
    for name in engine.segmentations:
        yield from (f"{name}.{group}" for group in engine.group_names(name))


def together(sets: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many are in both, for every two rows."""
    found = np.zeros((len(sets), len(sets)), np.int64)
    width = 1 << 16
    for start in range(0, sets.shape[1], width):
        part = sets[:, start : start + width].astype(np.float32)
        found += (part @ part.T).astype(np.int64)
    return found
