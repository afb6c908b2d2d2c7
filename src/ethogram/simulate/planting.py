"""Personas: recipes of lives, each planted for the segments it belongs to and for those it must stay out of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from ethogram.simulate.life import Life

Recipe: TypeAlias = Callable[[Life], None]
NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Persona:
    """`into` and `outside` are segments, and groups of segmentations; `values` are traits with their values.

    The story takes so many `days`. With `among` so many customers or more the truth is certain; in a smaller shop a place
    among all others may come out differently.
    """

    name: str
    title: str
    recipe: Recipe
    into: tuple[str, ...]
    outside: tuple[str, ...]
    values: Mapping[str, int] = field(default_factory=dict)
    days: int = 0
    among: int = 0


class Stage:
    """The personas of one module, in the order in which they stand there; their docstrings are their titles."""

    def __init__(self) -> None:
        self.personas: list[Persona] = []

    def plays(
        self,
        into: str,
        outside: str = "",
        *,
        days: int,
        among: int = 0,
        values: Mapping[str, int] = NOTHING,
    ) -> Callable[[Recipe], Recipe]:
        def enlist(recipe: Recipe) -> Recipe:
            title = " ".join((recipe.__doc__ or "").split())
            names = tuple(into.split()), tuple(outside.split())
            self.personas.append(Persona(recipe.__name__, title, recipe, *names, values, days, among))
            return recipe

        return enlist
