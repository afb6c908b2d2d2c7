"""The truth about the planted customers of a simulated shop, compared with what was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.app.workbench import Workbench
from ethogram.membership.reading import require_refresh, shown
from ethogram.simulate.truth import IN, OUT, Expected, differences, read_truth


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows of truth.csv, and those of them for which another answer was recorded, with that answer."""

    rows: tuple[Expected, ...]
    wrong: tuple[tuple[Expected, str], ...]


def compared_with_truth(bench: Workbench) -> Comparison:
    """Every row of truth.csv against the answers of the last refresh, and against the values of traits at its moment."""
    rows = read_truth(bench.folder)
    answers = _Answers(bench, sorted({row.customer for row in rows}), sorted({row.name for row in rows}))
    return Comparison(tuple(rows), tuple(differences(rows, answers.answer)))


class _Answers:
    """What was recorded of a few customers."""

    def __init__(self, bench: Workbench, customers: Sequence[str], names: Sequence[str]) -> None:
        self.inside: dict[str, set[str]] = {name: set() for name in names}
        self.values: dict[tuple[str, str], str] = {}
        wanted = pa.array(customers, pa.string())
        engine = bench.engine()
        found = shown(bench.store, engine, None)
        self.known = {*found.columns.segments}
        for segmentation, groups in found.columns.segmentations:
            self.known |= {f"{segmentation}.{group}" for group in groups}
        for _, roster, answers in found.buckets:
            places = np.flatnonzero(np.asarray(pc.is_in(roster, value_set=wanted)))
            people = roster.take(pa.array(places)).to_pylist()
            for row, name in enumerate(found.columns.segments):
                self._take(name, people, answers.flags[row][places])
            for row, (segmentation, groups) in enumerate(found.columns.segmentations):
                mine = answers.groups[row][places]
                for index, group in enumerate(groups):
                    self._take(f"{segmentation}.{group}", people, mine == index)
        traits = [name for name in names if name in engine.traits]
        as_of = require_refresh(bench.store).as_of
        for values in engine.evaluate(as_of, traits=traits) if traits else ():
            roster = engine.roster(values.bucket).take(pa.array(values.positions))
            places = np.flatnonzero(np.asarray(pc.is_in(roster, value_set=wanted)))
            people = roster.take(pa.array(places)).to_pylist()
            for name in traits:
                listed = values.traits[name].take(pa.array(places)).to_pylist()
                self.values |= {(one, name): _plain(value) for one, value in zip(people, listed, strict=True)}

    def _take(
        self, name: str, people: Sequence[str], inside: np.ndarray[tuple[int], np.dtype[np.bool_]]
    ) -> None:
        if name in self.inside:
            self.inside[name] |= {person for person, is_in in zip(people, inside, strict=True) if is_in}

    def answer(self, customer: str, name: str) -> str:
        if name in self.known:
            return IN if customer in self.inside[name] else OUT
        return self.values.get((customer, name), "not defined")


def _plain(value: object) -> str:
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case None:
            return ""
        case _:
            return str(value)
