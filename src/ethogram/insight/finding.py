"""What a look at the health of a project found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final, Literal

Severity = Literal["serious", "look", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("serious", "look", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` is which question was asked, `name` of what ("" for the project as a whole), `to_do` what helps."""

    severity: Severity
    check: str
    name: str
    found: str
    to_do: str
    figures: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return asdict(self)
