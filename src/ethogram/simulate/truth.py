"""Which planted customer belongs where: written beside the project, and compared with what comes out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ethogram.simulate.planting import Persona
from ethogram.simulate.profile import Profile, groups_of

FILE: Final = "truth.csv"
IN, OUT = "in", "out"


@dataclass(frozen=True, slots=True)
class Expected:
    """`name` is a segment, a group of a segmentation, or a trait; `answer` is in, out, or the trait's value."""

    customer: str
    persona: str
    name: str
    answer: str


def expected(customer: str, persona: Persona, profile: Profile, customers: int) -> Iterator[Expected]:
    """What is certain of one planted customer in a shop with so many."""
    if customers >= persona.among:
        for names, answer in ((persona.into, IN), (persona.outside, OUT)):
            yield from (Expected(customer, persona.name, name, answer) for name in names)
        for name, value in persona.values.items():
            yield Expected(customer, persona.name, name, str(value))
    stated = dict.fromkeys(groups_of(profile))
    yield from (Expected(customer, persona.name, name, IN) for name in stated if name not in persona.into)


def write_truth(folder: Path, rows: Iterable[Expected]) -> None:
    with (folder / FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("customer", "persona", "name", "expected"))
        writer.writerows((row.customer, row.persona, row.name, row.answer) for row in rows)


def read_truth(folder: Path) -> list[Expected]:
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        return [Expected(*row) for row in list(csv.reader(file))[1:]]


def differences(
    rows: Iterable[Expected], answer: Callable[[str, str], str]
) -> Iterator[tuple[Expected, str]]:
    """Where another answer came out; `answer` says it for a customer and a name."""
    for row in rows:
        found = answer(row.customer, row.name)
        if found != row.answer:
            yield row, found
