"""Names that a verb is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ethogram.app.description import require_group
from ethogram.model.errors import DefinitionError

if TYPE_CHECKING:
    from ethogram.language.tree import Definitions


def require_people(definitions: Definitions, name: str) -> None:
    """A segment, or a group of a segmentation. Raises DefinitionError for any other name."""
    from ethogram.language.names import require

    base, _, group = name.partition(".")
    require(definitions, base)
    if base in definitions.segmentations:
        require_group(base, group, tuple(one.name for one in definitions.segmentations[base].groups))
    elif base not in definitions.segments or group:
        hint = "Name a segment, or a group of a segmentation such as life_stage.active."
        raise DefinitionError("E_NOT_MEMBERS", f"'{name}' has no members", hint=hint)
