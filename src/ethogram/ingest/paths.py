"""Which files a source may read, and reading them as they were when they were opened."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from ethogram.ingest.config import Config, Source
from ethogram.model.errors import DataError, EnvironmentFault, EthogramError
from ethogram.model.span import Span

_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that may be read: `label` is its path as people know it, relative to the project where it is inside."""

    path: Path
    label: str


def files_of(config: Config, source: Source) -> tuple[SourceFile, ...]:
    """The files that a source names, in order of their names; globs are expanded here and nowhere else.

    Raises DataError E_PATH_OUTSIDE_ROOT for what lies outside the project and the named roots, and for what is no
    regular file; E_NO_FILES for a pattern that matches nothing.
    """
    roots = tuple(Path(os.path.realpath(root)) for root in (config.folder, *config.roots))
    found: dict[Path, SourceFile] = {}
    for pattern in source.files:
        span = config.place("sources", source.name, "files", value=pattern)
        for path in _expand(config.folder, pattern, span, source.name):
            file = _checked(path, roots, config.folder, span)
            found.setdefault(file.path, file)
    return tuple(found.values())


def _expand(folder: Path, pattern: str, span: Span, name: str) -> list[Path]:
    if "\0" in pattern or "://" in pattern:
        raise _outside(span, f"{pattern!a} is no path on this machine")
    if ".." in Path(pattern).parts:
        raise _outside(span, f"{pattern} leaves the project by `..`")
    full = folder / pattern
    if not glob.has_magic(pattern):
        if not os.path.lexists(full):
            raise DataError(
                "E_NO_FILES",
                f"source {name}: there is no file {pattern}",
                span=span,
                field=f"sources.{name}.files",
            )
        return [full]
    matches = sorted(Path(match) for match in glob.glob(str(full), recursive=True))  # noqa: PTH207 the pattern may be absolute
    matches = [match for match in matches if not match.is_dir()]
    if not matches:
        raise DataError(
            "E_NO_FILES",
            f"source {name}: no file matches {pattern}",
            span=span,
            field=f"sources.{name}.files",
        )
    return matches


def _checked(path: Path, roots: Sequence[Path], folder: Path, span: Span) -> SourceFile:
    real = Path(os.path.realpath(path))
    if not any(real.is_relative_to(root) for root in roots):
        raise _outside(span, f"{path} is outside the project")
    try:
        mode = real.stat().st_mode
    except OSError as error:
        raise EnvironmentFault("E_READ", f"{path} cannot be read: {error.strerror}", span=span) from None
    if not stat.S_ISREG(mode):
        raise _outside(span, f"{path} is no regular file")
    inside = real.is_relative_to(os.path.realpath(folder))
    label = os.path.relpath(path, folder) if inside else str(real)
    return SourceFile(real, label)


def _outside(span: Span, message: str) -> EthogramError:
    return DataError(
        "E_PATH_OUTSIDE_ROOT",
        message,
        span=span,
        field="files",
        hint="files lie in the project's folder, or in a folder listed in `roots` of ethogram.toml",
    )


@dataclass(slots=True)
class Snapshot:
    """An open file and the hash it had when it was opened; every reading is of that content or an error."""

    file: SourceFile
    handle: BinaryIO
    sha256: str
    size: int
    _stat: tuple[int, int, int, int]

    def verify(self, digest: str) -> None:
        """Raises DataError E_FILE_CHANGED unless `digest`, of what was read, is that of the file when it was opened."""
        if digest != self.sha256 or _identity(os.fstat(self.handle.fileno())) != self._stat:
            raise DataError(
                "E_FILE_CHANGED",
                "the file changed while it was read; nothing of it was loaded",
                file=self.file.label,
                hint="load it again when it is complete",
            )

    def blocks(self, size: int = _BLOCK) -> Iterator[bytes]:
        """The content from the start, verified at its end."""
        self.handle.seek(0)
        digest = sha256()
        while block := self.handle.read(size):
            digest.update(block)
            yield block
        self.verify(digest.hexdigest())


@contextmanager
def opened(file: SourceFile) -> Iterator[Snapshot]:
    """Opens without following a symlink put there since the check, and never waits for a FIFO."""
    flags = (
        os.O_RDONLY
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_NONBLOCK", 0)
        | getattr(os, "O_CLOEXEC", 0)
    )
    try:
        descriptor = os.open(file.path, flags)
    except OSError as error:
        raise EnvironmentFault(
            "E_READ", f"{file.label} cannot be read: {error.strerror}", file=file.label
        ) from None
    with os.fdopen(descriptor, "rb") as handle:
        before = os.fstat(handle.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise DataError("E_PATH_OUTSIDE_ROOT", f"{file.label} is no regular file", file=file.label)
        digest, size = sha256(), 0
        while block := handle.read(_BLOCK):
            digest.update(block)
            size += len(block)
        yield Snapshot(file, handle, digest.hexdigest(), size, _identity(before))


def _identity(said: os.stat_result) -> tuple[int, int, int, int]:
    return said.st_dev, said.st_ino, said.st_size, said.st_mtime_ns
