"""Where errors become a few lines on stderr and an exit code: 0 fine, 1 differences or failures found, 2 the user's
definitions or data, 3 the environment. Nothing else leaves the program, and never a traceback."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
import textwrap
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
import typer.core

from ethogram.model.errors import EnvironmentFault, EthogramError

FAILURES_FOUND = 1
STOPPED = 3

# wrong options and missing arguments: typer shows them itself (exit 2)
_USAGE: Any = typer.BadParameter.__base__


class Boundary(typer.core.TyperGroup):
    """The group of all verbs; whatever a verb raises ends here."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, _USAGE):
            raise
        except EthogramError as error:
            _say(str(error))
            raise typer.Exit(error.exit_code) from None
        except BrokenPipeError:
            _close_stdout()
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            _say("Stopped. What was not finished did not take effect.")
            raise typer.Exit(STOPPED) from None
        except MemoryError:
            _say("Not enough memory for this. (E_MEMORY)")
            raise typer.Exit(EnvironmentFault.exit_code) from None
        except Exception as error:
            _say(_internal(error))
            raise typer.Exit(EnvironmentFault.exit_code) from None


def _say(text: str) -> None:
    if sys.stderr.isatty():
        text = folded(text, shutil.get_terminal_size().columns)
    with contextlib.suppress(OSError):  # nobody may read stderr anymore
        print(text, file=sys.stderr)


def folded(text: str, width: int) -> str:
    """Advice broken between words; excerpts of files with their carets, and lists of options, stay as they are.

    >>> print(folded("unknown name 'x'\\n   there are: purchase, bought\\n   7 | count(x) > 1 and count(x) < 9", 20))
    unknown name 'x'
       there are:
       purchase, bought
       7 | count(x) > 1 and count(x) < 9
    """
    lines = []
    for line in text.splitlines():
        if len(line) > width and re.match(r"   [A-Za-z]", line):
            lines += textwrap.wrap(
                line.strip(),
                width,
                initial_indent="   ",
                subsequent_indent="   ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        else:
            lines.append(line)
    return "\n".join(lines)


def _close_stdout() -> None:
    """The reader of a pipe has gone: nothing is written at exit either, which would complain."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(devnull, sys.stdout.fileno())


def _internal(error: Exception) -> str:
    """A fault of the program. The log has the places in the code and the kinds of error, but no message and no value:
    they may be personal."""
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, Python {sys.version.split()[0]}, ethogram {_version()}"
    ]
    cause: BaseException | None = error
    while cause is not None:
        lines.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        lines += [
            f"  {frame.filename}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(cause.__traceback__)
        ]
        cause = cause.__cause__ or cause.__context__
    where = _write_log("\n".join(lines) + "\n")
    return (
        f"Something went wrong inside ethogram: {type(error).__name__}. Nothing half-done took effect. (E_INTERNAL)\n"
        f"   {where}"
    )


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("ethogram")
    except PackageNotFoundError:
        return "unknown"


def _write_log(text: str) -> str:
    try:
        handle, name = tempfile.mkstemp(prefix="ethogram-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return "No log could be written."
    return f"The places in the code are in {Path(name)}; it holds no customer's data. Please send it with a report."
