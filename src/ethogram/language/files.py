"""Definition files to definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from ethogram.language.kinds import SECTIONS, read_section
from ethogram.language.reading import Reader
from ethogram.language.tree import Behavior, Definition, Definitions, PeopleList, Segment, Segmentation, Trait
from ethogram.language.yamltree import MAX_BYTES, read_yaml
from ethogram.model.errors import DefinitionError, EthogramError, Problems

D = TypeVar("D", Behavior, Trait, Segment, Segmentation, PeopleList)


def load_definitions(source: Path | Iterable[Path]) -> Definitions:
    """All definitions of a project, of a folder of YAML files, or of single files.

    A project's folder is one with a `definitions` folder in it. Raises Problems with every mistake of every file.
    """
    contents: list[tuple[str, str]] = []
    errors: list[EthogramError] = []
    for path, shown in _files(source):
        try:
            contents.append((shown, _content(path, shown)))
        except DefinitionError as error:
            errors.append(error)
    return _gather(contents, errors)


def definitions_from_text(text: str, file: str = "definitions.yml") -> Definitions:
    """The definitions of one file's text. Raises Problems."""
    return _gather([(file, text)], [])


def _files(source: Path | Iterable[Path]) -> list[tuple[Path, str]]:
    """Paths, and how messages name them: beginning with the folder's own name."""
    if not isinstance(source, Path):
        return [(path, str(path)) for path in source]
    if not source.is_dir():
        return [(source, str(source))]
    folder = source / "definitions" if (source / "definitions").is_dir() else source
    found = [path for path in folder.iterdir() if path.suffix in (".yml", ".yaml")]
    return [(path, f"{folder.name}/{path.name}") for path in sorted(found)]


def _content(path: Path, shown: str) -> str:
    if not path.is_file():
        raise DefinitionError("E_FILE", "there is no such file", file=shown)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DefinitionError("E_FILE", f"it cannot be read: {error.strerror}", file=shown) from None
    if len(raw) > MAX_BYTES:
        message = f"a definition file has at most {MAX_BYTES // 1024} KB"
        raise DefinitionError("E_YAML_SIZE", message, hint="Split it into several files.", file=shown)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"the byte 0x{raw[error.start]:02x} is not UTF-8"
        hint = "Save the file as UTF-8."
        raise DefinitionError("E_YAML", message, hint=hint, file=shown, line=line, column=column) from None


def _gather(contents: list[tuple[str, str]], errors: list[EthogramError]) -> Definitions:
    reader = Reader()
    reader.errors += errors
    definitions = [definition for file, text in contents for definition in _read_file(reader, file, text)]
    reader.errors += _duplicates(definitions)
    if reader.errors:
        raise Problems(
            sorted(reader.errors, key=lambda error: (error.file, error.line or 0, error.column or 0))
        )
    return gather(definitions)


def gather(definitions: Iterable[Definition]) -> Definitions:
    """Single definitions, each name once, put together."""
    listed = list(definitions)
    return Definitions(
        _named(listed, Behavior),
        _named(listed, Trait),
        _named(listed, Segment),
        _named(listed, Segmentation),
        _named(listed, PeopleList),
    )


def _named(definitions: list[Definition], kind: type[D]) -> dict[str, D]:
    return {definition.name: definition for definition in definitions if isinstance(definition, kind)}


def _read_file(reader: Reader, file: str, text: str) -> list[Definition]:
    try:
        root = read_yaml(text, file, reader.errors)
    except DefinitionError as error:
        reader.errors.append(error)
        return []
    if root is None:
        return []
    sections = reader.fields(root, SECTIONS, "")
    return [definition for name, node in sections.items() for definition in read_section(reader, name, node)]


def _duplicates(definitions: Iterable[Definition]) -> Iterator[EthogramError]:
    """One error for each further definition of a name, of whatever kind."""
    first: dict[str, Definition] = {}
    for definition in definitions:
        before = first.setdefault(definition.name, definition)
        if before is not definition and before.span is not None:
            place = f"{before.span.file}:{before.span.line}:{before.span.column}"
            message = f"'{definition.name}' is defined twice; the first time in {place}"
            hint = "Behaviors, traits, segments, segmentations and lists share their names. Rename one."
            yield DefinitionError("E_DUPLICATE", message, hint=hint, span=definition.span)
