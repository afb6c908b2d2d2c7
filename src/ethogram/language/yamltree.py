"""YAML text to nodes that know their places, without YAML's surprises.

Scalars stay text: what `no`, `1:30` or `2024-02-30` means is decided by the key it stands under. Aliases, anchors, tags, merge
keys, duplicate keys and several documents in one file are errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, cast

import yaml

from ethogram.language.source import Document, Source, document
from ethogram.language.yamlplaces import Style, offsets_of
from ethogram.model.errors import DefinitionError, EthogramError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20

_STYLES: dict[str | None, Style] = {"'": "single", '"': "double", "|": "literal", ">": "folded"}


@dataclass(frozen=True, slots=True)
class Scalar:
    value: str
    style: Style
    file: File
    start: int
    end: int

    @property
    def is_empty(self) -> bool:
        """Nothing written at all."""
        return self.style == "plain" and not self.value

    def source(self) -> Source:
        """The value as the text of an expression, every character with its place in the file."""
        return Source(
            self.value,
            self.file.document,
            offsets_of(self.value, self.style, self.file.content, self.start, self.end),
        )


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]
    file: File
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Mapping:
    items: tuple[tuple[Scalar, Node], ...]
    file: File
    start: int
    end: int

    def get(self, key: str) -> Node | None:
        return next((value for name, value in self.items if name.value == key), None)


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class File:
    content: str
    document: Document

    def error(
        self, start: int, end: int, message: str, *, code: str = "E_YAML", hint: str = "", field: str = ""
    ) -> DefinitionError:
        span = self.document.span(min(start, len(self.content)), min(end, len(self.content)))
        return DefinitionError(code, message, hint=hint, span=span, field=field)


def error_at(
    node: Node, message: str, *, code: str = "E_YAML", hint: str = "", field: str = ""
) -> DefinitionError:
    return node.file.error(node.start, node.end, message, code=code, hint=hint, field=field)


def read_yaml(content: str, file: str, errors: list[EthogramError]) -> Node | None:
    """The content's one document; None when there is nothing in it.

    Mistakes after which reading can go on are added to `errors`; for others DefinitionError is raised.
    """
    if len(content.encode("utf-8", "replace")) > MAX_BYTES:
        message = f"a definition file has at most {MAX_BYTES // 1024} KB"
        raise DefinitionError("E_YAML_SIZE", message, hint="Split it into several files.", file=file)
    here = File(content, document(content, file))
    _refuse_control_characters(here)
    try:
        return _Reader(here, errors).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(here, error) from None
    except yaml.YAMLError as error:
        raise here.error(0, 0, f"this is not YAML: {error}") from None


_COMMENT_WITHOUT_SPACE = re.compile(r"[ \t]+#[^\s#]")
_CONTROL = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _refuse_control_characters(file: File) -> None:
    if match := _CONTROL.search(file.content):
        message = f"the file holds the character U+{ord(match[0]):04X}, which no text file has"
        raise file.error(
            match.start(), match.end(), message, hint=r'In an expression it is written "\u0000".'
        )


def lost_comment(scalar: Scalar) -> re.Match[str] | None:
    """`Product #1` loses its `#1`: to YAML that is a comment."""
    if scalar.style != "plain" or not scalar.value:
        return None
    return _COMMENT_WITHOUT_SPACE.match(scalar.file.content, scalar.end)


class _Reader:
    """Builds nodes out of the parser's events; deeper than MAX_DEPTH is refused before it is read."""

    def __init__(self, file: File, errors: list[EthogramError]) -> None:
        self.file = file
        self.errors = errors
        self.events: Iterator[yaml.Event] = yaml.parse(file.content, Loader=yaml.CSafeLoader)

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self.events:
            match event:
                case yaml.StreamStartEvent() | yaml.StreamEndEvent() | yaml.DocumentEndEvent():
                    pass
                case yaml.DocumentStartEvent():
                    if root is not None:
                        raise self._refuse(
                            event,
                            "a second document begins here",
                            "One file holds one document: remove '---'.",
                        )
                case _:
                    root = self._node(event, 0)
        return None if isinstance(root, Scalar) and root.is_empty else root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._refuse(event, f"nested deeper than {MAX_DEPTH} levels", "")
        self._refuse_extras(event)
        match event:
            case yaml.ScalarEvent():
                start, end = _start(event), _end(event)
                scalar = Scalar(event.value, _STYLES.get(event.style, "plain"), self.file, start, end)
                self._refuse_lost(scalar)
                return scalar
            case yaml.SequenceStartEvent():
                return self._sequence(event, depth)
            case yaml.MappingStartEvent():
                return self._mapping(event, depth)
            case _:
                raise self._refuse(event, "this is not understood", "")

    def _sequence(self, event: yaml.SequenceStartEvent, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(following := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(following, depth + 1))
        return Sequence(tuple(items), self.file, _start(event), _end(following))

    def _mapping(self, event: yaml.MappingStartEvent, depth: int) -> Mapping:
        items: list[tuple[Scalar, Node]] = []
        first_use: dict[str, Scalar] = {}
        while not isinstance(following := next(self.events), yaml.MappingEndEvent):
            key = self._key(following, depth)
            value = self._node(next(self.events), depth + 1)
            self._refuse_cut(key, value, _start(event))
            if self._is_new(key, first_use):
                items.append((key, value))
        return Mapping(tuple(items), self.file, _start(event), _end(following))

    def _key(self, event: yaml.Event, depth: int) -> Scalar:
        key = self._node(event, depth + 1)
        if not isinstance(key, Scalar):
            raise self._refuse(event, "a key is plain text", _QUOTE)
        if key.value == "<<" and key.style == "plain":
            raise self._refuse(event, "merge keys (<<) are not used in definitions", "Write the keys out.")
        return key

    def _is_new(self, key: Scalar, first_use: dict[str, Scalar]) -> bool:
        first = first_use.setdefault(key.value, key)
        if first is not key:
            span = self.file.document.span(first.start, first.end)
            message = (
                f"'{key.value}' is written twice; the first time in {span.file}:{span.line}:{span.column}"
            )
            self.errors.append(
                error_at(key, message, code="E_DUPLICATE", hint="Rename or remove one of them.")
            )
        return first is key

    def _refuse_cut(self, key: Scalar, value: Node, start: int) -> None:
        """`{ when: f(a, b) }` is read by YAML as the two keys `when` and `b)`."""
        in_braces = self.file.content.startswith("{", start)
        if in_braces and isinstance(value, Scalar) and value.is_empty:
            message = f"'{key.value}' has no value: inside {{ }} a comma ends an unquoted value"
            raise error_at(key, message, code="E_YAML_QUOTE", hint=_QUOTE)

    def _refuse_lost(self, scalar: Scalar) -> None:
        if lost := lost_comment(scalar):
            message = f"YAML takes '{lost[0].strip()}' for a comment"
            hint = "If it belongs to the value, quote this: put the whole value in '…'. A comment begins with '# '."
            self.errors.append(
                self.file.error(lost.end() - 2, lost.end(), message, code="E_YAML_QUOTE", hint=hint)
            )

    def _refuse_extras(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise self._refuse(
                event, "aliases (*name) are not used in definitions", f"Write it out. {_QUOTE}"
            )
        event = cast("yaml.ScalarEvent | yaml.CollectionStartEvent", event)
        if event.anchor is not None:
            raise self._refuse(
                event, "anchors (&name) are not used in definitions", f"Write it out. {_QUOTE}"
            )
        if event.tag is not None:
            raise self._refuse(event, "tags (!name) are not used in definitions", f"Remove it. {_QUOTE}")

    def _refuse(self, event: yaml.Event, message: str, hint: str) -> DefinitionError:
        return self.file.error(_start(event), _end(event), message, hint=hint)


def _start(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark is not None else 0


def _end(event: yaml.Event) -> int:
    return event.end_mark.index if event.end_mark is not None else 0


_QUOTE = "If this is an expression or a text, quote this: put the whole value in '…', or write it below, after '>'."

_KEY = re.compile(r"""^[\s\-{]*(?:[\w.]+|"[^"]*"|'[^']*')\s*:\s+(?P<value>[^\s|>].*)$""")


def _syntax_error(file: File, error: yaml.MarkedYAMLError) -> DefinitionError:
    unclosed = "quoted scalar" in (error.context or "") and error.context_mark is not None
    mark = error.context_mark if unclosed else error.problem_mark or error.context_mark
    index = min(mark.index, len(file.content)) if mark is not None else 0
    span = file.document.span(index, index + 1)
    found = file.content[index : index + 1]
    if found == "\t":
        return file.error(
            index, index + 1, "a tab stands where YAML wants spaces", hint="Indent with spaces."
        )
    problem = _plain_words(error.problem or "it cannot be read", found)
    match = _KEY.match(span.text)
    if match is None:
        return file.error(index, index + 1, problem)
    hint = _quoted_proposal(match["value"].strip())
    return file.error(index, index + 1, problem, code="E_YAML_QUOTE", hint=hint)


def _plain_words(problem: str, found: str) -> str:
    if "mapping values are not allowed" in problem:
        return "a second ': ' in one line: YAML takes what stands before it for a key"
    if "block sequence entries are not allowed" in problem:
        return "YAML takes '- ' for the beginning of a list"
    if "found unexpected end of stream" in problem:
        return "this quote is not closed"
    if "expected ',' or" in problem:
        return "inside { } and [ ] an unquoted value ends at the first of , [ ] { }"
    if "expected key" in problem or "<block end>" in problem:
        return "YAML expects the next key here: the value before it has ended"
    if "cannot start any token" in problem:
        return f"YAML cannot read a value that starts with '{found}'"
    if "alias" in problem or "anchor" in problem:
        return "aliases (*name) and anchors (&name) are not used in definitions"
    return f"YAML cannot read this: {problem}"


def _quoted_proposal(value: str) -> str:
    if value.startswith("{") or len(value) > 80:
        return _QUOTE
    return f"If this is an expression or a text, quote this: '{value.replace(chr(39), chr(39) * 2)}'"
