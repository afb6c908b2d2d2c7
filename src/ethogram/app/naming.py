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
    from ethogram.language.findings import choices
    from ethogram.language.names import require
    from ethogram.language.tree import Segment, Segmentation
    from ethogram.model.errors import DefinitionError

    base, _, group = name.partition(".")
    known = (*definitions.segments, *definitions.segmentations)
    try:
        found = require(definitions, base)
    except DefinitionError:
        message = f"there is no segment or segmentation named '{base}'"
        raise DefinitionError("E_UNKNOWN_NAME", message, hint=choices(base, known, "There are")) from None
    if isinstance(found, Segmentation):
        require_group(base, group, tuple(one.name for one in found.groups))
    elif not isinstance(found, Segment) or group:
        hint = "Name segments, or groups of segmentations such as life_stage.new."
        raise DefinitionError("E_NOT_MEMBERS", f"'{name}' has no members", hint=hint)


def refuse_expression(name: str) -> None:
    """Where only a name can stand: people are on record for names alone. Raises DefinitionError."""
    from ethogram.model.errors import DefinitionError

    if all(part.isidentifier() for part in name.split(".")):
        return
    hint = (
        "Write it into definitions/ as a segment with a name, and `ethogram refresh`. "
        "How many it holds for, `ethogram count` says at once."
    )
    raise DefinitionError("E_NOT_A_NAME", f"'{name}' is no name of a segment or group", hint=hint)


def require_segmentation(definitions: Definitions, name: str) -> None:
    """Raises DefinitionError for a segment, a group and a name that does not exist."""
    from ethogram.language.findings import choices
    from ethogram.model.errors import DefinitionError

    if name in definitions.segmentations:
        return
    base = name.partition(".")[0]
    known = choices(name, definitions.segmentations, "Segmentations are")
    if base in definitions.segments or base in definitions.segmentations:
        kind = "segment" if base in definitions.segments else "group"
        raise DefinitionError(
            "E_NOT_A_SEGMENTATION",
            f"'{name}' is a {kind}; customers flow between the groups of a segmentation",
            hint=f"Its size over time: ethogram history {name}. {known}",
        )
    raise DefinitionError("E_UNKNOWN_NAME", f"there is no segmentation named '{name}'", hint=known)


def require_group(segmentation: str, group: str, groups: tuple[str, ...]) -> None:
    from ethogram.language.findings import choices
    from ethogram.model.errors import DefinitionError

    if group not in groups:
        raise DefinitionError(
            "E_GROUP_UNKNOWN", f"'{segmentation}' has no group '{group}'", hint=choices(group, groups)
        )
