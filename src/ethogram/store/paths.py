"""Names of the lake's columns: which property path and type a column holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, cast, get_args

from ethogram.store.records import LeafType

Side: TypeAlias = Literal["p", "t"]
"""p: the event's properties, t: the given traits it carries."""

PATH_TYPES = get_args(LeafType)


def join_path(path: tuple[str, ...]) -> str:
    r"""
    >>> print(join_path(("a.b", "c\\")))
    a\.b.c\\
    """
    return ".".join(name.replace("\\", "\\\\").replace(".", "\\.") for name in path)


def split_path(text: str) -> tuple[str, ...]:
    r"""The inverse of `join_path`.

    >>> split_path("address.city"), split_path(r"a\.b.c\\")
    (('address', 'city'), ('a.b', 'c\\'))
    """
    if "\\" not in text:
        return tuple(text.split("."))
    names, name, characters = [], "", iter(text)
    for character in characters:
        if character == "\\":
            name += next(characters, "\\")
        elif character == ".":
            names.append(name)
            name = ""
        else:
            name += character
    return (*names, name)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One property column. `is_list`: the column holds a list, aligned by element with its sisters."""

    side: Side
    path: tuple[str, ...]
    type: LeafType
    is_list: bool = False

    @property
    def column(self) -> str:
        """
        >>> Leaf("p", ("products", "sku"), "t", True).column
        'p:products.sku:t[]'
        """
        return f"{self.side}:{join_path(self.path)}:{self.type}{'[]' if self.is_list else ''}"


def leaf_of(column: str) -> Leaf | None:
    """None for a column that is no property leaf."""
    side, colon, rest = column.partition(":")
    if not colon or side not in ("p", "t"):
        return None
    text, _, kind = rest.rpartition(":")
    bare = kind.removesuffix("[]")
    if bare not in PATH_TYPES:
        return None
    return Leaf(cast(Side, side), split_path(text), cast(LeafType, bare), kind != bare)


def length_column(side: Side, path: tuple[str, ...]) -> str:
    """The column that tells how many elements the list at `path` has; null where a record has no list there.

    >>> length_column("p", ("products",))
    'pl:products'
    """
    return f"{side}l:{join_path(path)}"


def length_of(column: str) -> tuple[Side, tuple[str, ...]] | None:
    side, colon, rest = column.partition(":")
    if not colon or side not in ("pl", "tl"):
        return None
    return cast(Side, side[0]), split_path(rest)
