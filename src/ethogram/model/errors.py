"""Everything that ethogram raises on purpose.

    EthogramError
    ├── DefinitionError    the user's definitions          exit 2
    ├── DataError          the user's data or settings     exit 2
    ├── Unsupported        a function this engine refuses  exit 2
    ├── EnvironmentFault   machine, disk, locks            exit 3
    └── Problems           several of the above, together

A message says what was found, what exists, and what to do. It never carries a customer's personal values.
"""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.model.span import Span


class EthogramError(Exception):
    """`code` is a stable name such as E_LOCKED; `hint` says what to do."""

    exit_code = 2

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        span: Span | None = None,
        file: str = "",
        line: int | None = None,
        column: int | None = None,
        field: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.span = span
        self.file = span.file if span else file
        self.line = span.line if span else line
        self.column = span.column if span else column
        self.field = field

    @property
    def place(self) -> str:
        """`file:line:column`, as far as known."""
        parts = [self.file, self.line, self.column] if self.file else []
        return ":".join(str(part) for part in parts if part is not None)

    def __str__(self) -> str:
        head = f"{self.place}: {self.message}" if self.place else self.message
        lines = [f"{head} ({self.code})"]
        if self.span and self.span.text:
            lines += _picture(self.span)
        if self.hint:
            lines.append(f"   {self.hint}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """RFC 9457 style problem detail."""
        return {
            "code": self.code,
            "title": self.message,
            "file": self.file or None,
            "line": self.line,
            "column": self.column,
            "field": self.field or None,
            "hint": self.hint or None,
        }


def _picture(span: Span, width: int = 160) -> list[str]:
    """The line with a caret below; of a very long line only what is around the caret."""
    number = str(span.line)
    skipped = max(0, span.column - width // 2) if len(span.text) > width else 0
    shown = span.text[skipped : skipped + width]
    caret = " " * (span.column - 1 - skipped) + "^" * max(1, min(span.length, width))
    return [f"   {number} | {shown}", f"   {' ' * len(number)} | {caret}"]


class DefinitionError(EthogramError):
    """A definition file that does not parse or does not make sense."""


class DataError(EthogramError):
    """Data or settings that cannot be used as they are."""


class Unsupported(EthogramError):
    """A function that this engine refuses by name rather than approximate."""


class EnvironmentFault(EthogramError):
    """The machine, not the user's files: locks, disks, permissions, damaged storage."""

    exit_code = 3


class Problems(EthogramError):
    """All problems of one check, so that the user can mend them in one go."""

    def __init__(self, errors: Sequence[EthogramError]) -> None:
        first = errors[0]
        super().__init__(first.code, first.message, hint=first.hint, span=first.span)
        self.errors = tuple(errors)
        self.exit_code = max(error.exit_code for error in errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)
