"""Names that a verb is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ethogram.language.tree import Definitions


def require_members(definitions: Definitions, names: Sequence[str]) -> None:
    """Names of two or more different segments or groups. Raises DefinitionError."""
    from ethogram.model.errors import DefinitionError

    for name in names:
        require_member(definitions, name)
    if len(set(names)) < 2:
        raise DefinitionError(
            "E_TOO_FEW_NAMES", "one name cannot be compared", hint="Name two or more different ones."
        )


def require_member(definitions: Definitions, name: str) -> None:
    """The name of a segment or of a group of a segmentation. Raises DefinitionError."""
    from ethogram.language.names import require
    from ethogram.language.tree import Segment, Segmentation
    from ethogram.model.errors import DefinitionError

    base, _, group = name.partition(".")
    found = require(definitions, base)
    if isinstance(found, Segmentation):
        require_group(base, group, tuple(one.name for one in found.groups))
    elif not isinstance(found, Segment) or group:
        hint = "Name segments, or groups of segmentations such as life_stage.new."
        raise DefinitionError("E_NOT_MEMBERS", f"'{name}' has no members", hint=hint)


def require_group(segmentation: str, group: str, groups: tuple[str, ...]) -> None:
    from ethogram.language.findings import choices
    from ethogram.model.errors import DefinitionError

    if group not in groups:
        raise DefinitionError(
            "E_GROUP_UNKNOWN", f"'{segmentation}' has no group '{group}'", hint=choices(group, groups)
        )
