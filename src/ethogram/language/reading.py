"""Reading single fields of definition files, with every mistake collected rather than raised."""

from __future__ import annotations

import re
from collections.abc import Sequence as Listed

from ethogram.language.parser import RESERVED, parse_path_source, parse_source
from ethogram.language.spelling import listing, nearest
from ethogram.language.tree import Expression, Path
from ethogram.language.yamltree import Mapping, Node, Scalar, Sequence, error_at, lost_comment
from ethogram.model.errors import DefinitionError, EthogramError
from ethogram.model.span import Span

QUOTE = "Quote this: put the whole value in '…', or write it below, after '>'."
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


class Reader:
    """Each method gives the field's value, or None (or nothing) after noting what is wrong with it."""

    def __init__(self) -> None:
        self.errors: list[EthogramError] = []

    def note(
        self, node: Node, message: str, *, code: str = "E_YAML", hint: str = "", field: str = ""
    ) -> None:
        self.errors.append(error_at(node, message, code=code, hint=hint, field=field))

    def fields(self, node: Node, known: Listed[str], field: str) -> dict[str, Node]:
        """The values of a mapping's keys; keys that do not exist are noted."""
        if not isinstance(node, Mapping):
            hint = QUOTE if isinstance(node, Sequence) else f"It has: {listing(known)}."
            self.note(node, "keys and values are expected here", hint=hint, field=field)
            return {}
        for key, _ in node.items:
            if key.value not in known:
                self._unknown_key(key, known, field)
        return {key.value: value for key, value in node.items if key.value in known}

    def _unknown_key(self, key: Scalar, known: Listed[str], field: str) -> None:
        match = nearest(key.value, known)
        hint = f"There are: {listing(known)}." + (f" Did you mean '{match}'?" if match else "")
        self.note(key, f"unknown key '{key.value}'", code="E_UNKNOWN_KEY", hint=hint, field=field)

    def entries(self, node: Node | None, field: str, what: str) -> tuple[tuple[Scalar, Node], ...]:
        """The keys and values of a mapping whose keys are names."""
        if node is None or (isinstance(node, Scalar) and node.is_empty):
            return ()
        if isinstance(node, Mapping):
            return tuple(item for item in node.items if self.is_name(item[0], field))
        self.note(node, f"{what} stand here by name, as keys and values", field=field)
        return ()

    def items(self, node: Node | None, field: str) -> tuple[Node, ...]:
        """The items of a list."""
        if node is None:
            return ()
        if isinstance(node, Sequence):
            return node.items
        self.note(node, "a list is expected here", field=field)
        return ()

    def is_name(self, key: Scalar, field: str) -> bool:
        """Whether the key can be a definition's name; noted if not."""
        if not _NAME.fullmatch(key.value):
            proposed = re.sub(r"\W+", "_", key.value.strip(), flags=re.ASCII).lower().strip("_")
            proposed = f" Write: {proposed}" if _NAME.fullmatch(proposed) else ""
            hint = f"Small letters, digits and _; other wording goes into its title.{proposed}"
            self.note(key, f"'{key.value}' cannot be a name", code="E_NAME", hint=hint, field=field)
            return False
        if key.value in RESERVED:
            hint = "Choose another name."
            self.note(key, f"'{key.value}' is a word of the language", code="E_NAME", hint=hint, field=field)
            return False
        return True

    def text(self, node: Node | None, field: str) -> str:
        """A text, whatever YAML would have made of it: `no` is "no"."""
        if node is None:
            return ""
        if isinstance(node, Scalar):
            return node.value.strip() if node.style in ("folded", "literal") else node.value
        self.note(node, "a text is expected here", hint=QUOTE, field=field)
        return ""

    def needed(self, node: Node | None, owner: Node, field: str) -> str:
        """A text that must be there."""
        if node is None:
            key = field.rpartition(".")[2]
            self.note(owner, f"'{key}' is missing", code="E_MISSING_KEY", hint=f"Add {key}: …", field=field)
            return ""
        text = self.text(node, field)
        if isinstance(node, Scalar) and not text:
            self.note(node, "a text is missing here", field=field)
        return text

    def expression(
        self, node: Node | None, owner: Node, field: str, *, inside_filter: bool = False
    ) -> Expression | None:
        if not isinstance(node, Scalar):
            self._not_an_expression(node, owner, field)
            return None
        if not node.value.strip():
            self.note(
                owner if node.is_empty else node,
                "an expression is missing here",
                code="E_SYNTAX",
                field=field,
            )
            return None
        try:
            return parse_source(node.source(), inside_filter=inside_filter)
        except DefinitionError as error:
            self._failed(error, node, field)
            return None

    def path(self, node: Node | None, field: str) -> Path:
        if node is None:
            return ()
        if not isinstance(node, Scalar):
            self.note(node, "the name of a property is expected here", field=field)
            return ()
        try:
            return parse_path_source(node.source())
        except DefinitionError as error:
            self._failed(error, node, field)
            return ()

    def _not_an_expression(self, node: Node | None, owner: Node, field: str) -> None:
        if node is None:
            key = field.rpartition(".")[2]
            self.note(owner, f"'{key}' is missing", code="E_MISSING_KEY", hint=f"Add {key}: …", field=field)
        else:
            what = "a list" if isinstance(node, Sequence) else "keys and values"
            message = f"an expression is expected here, YAML reads {what}"
            self.note(node, message, code="E_YAML_QUOTE", hint=QUOTE, field=field)

    def _failed(self, error: DefinitionError, node: Scalar, field: str) -> None:
        """Notes the error; what a comment took away has been noted before."""
        if lost_comment(node):
            return
        error.field = field
        comment = node.style == "plain" and node.file.content[node.end :].lstrip(" \t").startswith("#")
        if comment:
            error.code = "E_YAML_QUOTE"
            error.hint = f"YAML takes what follows ' #' for a comment. {QUOTE}"
        self.errors.append(error)


def key_span(key: Node) -> Span:
    return key.file.document.span(key.start, key.end)
