"""What a project says of identity, and what holds where it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Final

ALIAS: Final = "alias"
EMAIL: Final = "email"
PHONE: Final = "phone"
ANONYMOUS: Final = "anonymous"
DEVICE: Final = "device"
KINDS: Final = (ALIAS, ANONYMOUS, EMAIL, PHONE, DEVICE)
"""Kinds of links, the strongest first."""
ID_KINDS: Final = (ALIAS, ANONYMOUS)
"""Those whose value is an id that events come under, too."""

CUSTOMER: Final = "customer"
COUNTED: Final = (CUSTOMER, EMAIL, PHONE, ANONYMOUS, DEVICE)
"""What a person has a limited number of."""
LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {CUSTOMER: 1, EMAIL: 5, PHONE: 5, ANONYMOUS: 100, DEVICE: 5}
)


@dataclass(frozen=True, slots=True)
class Rules:
    """`limits` by what is counted; `blocked` are further values that link nobody, folded as `blocked.folded` does."""

    limits: Mapping[str, int] = field(default_factory=lambda: LIMITS)
    blocked: frozenset[str] = frozenset()

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same links could make other persons."""
        said = [self.limits.get(name, LIMITS[name]) for name in COUNTED], sorted(self.blocked)
        return sha256(repr(said).encode()).hexdigest()[:16]

    def limit(self, name: str) -> int:
        return self.limits.get(name, LIMITS[name])
