"""The Python API: the verbs of the command line as methods."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from ethogram.app.workbench import Workbench


class Project:
    """One project folder, opened by `ethogram.open`. Listings are pyarrow tables; errors are `EthogramError`s.

    Settings and definitions are read when a method is called, so that edits count at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Self:
        """Raises EnvironmentFault E_NO_PROJECT where there is no ethogram.toml."""
        project = cls(Path(folder).resolve())
        with project._bench() as bench:
            bench.config  # noqa: B018
        return project

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ethogram.open({str(self.folder)!r})"

    def close(self) -> None:
        """Nothing stays open between calls; for use in `with`."""

    def _bench(self) -> Workbench:
        return Workbench(self.folder)

    # --- Start ---

    def load(self, *sources: str) -> pa.Table:
        """Brings in the named sources, or all; a row for each."""
        with self._bench() as bench:
            return _table([report.as_json() for report in bench.load(sources or None)])

    # --- Define ---

    def check(self) -> pa.Table:
        """What is wrong or looks wrong with the definitions, a row each."""
        with self._bench() as bench:
            return _table([finding.as_json() for finding in bench.check()])

    def test(self, *names: str) -> pa.Table:
        """The definitions' own tests, a row each."""
        with self._bench() as bench:
            return _table(
                [
                    {
                        "definition": one.definition,
                        "test": one.test,
                        "passed": one.passed,
                        "expected": one.expected,
                        "found": one.found,
                    }
                    for one in bench.test(names)
                ]
            )


def _table(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows])
