"""What `doctor` looks at: the environment, the project's storage, how old its answers are."""

from __future__ import annotations

import platform
import sqlite3
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ethogram.app import render
from ethogram.model.errors import EthogramError

if TYPE_CHECKING:
    from ethogram.app.workbench import Workbench
    from ethogram.membership.staleness import Staleness
    from ethogram.store.records import StoreFacts

LITTLE_SPACE = 1 << 30
_PACKAGES = ("duckdb", "numba", "numpy", "pyarrow")

State = Literal["fine", "look", "ill"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`state`: fine, worth a look, or something that must be mended."""

    what: str
    state: State
    said: str
    to_do: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    findings: tuple[Finding, ...]

    @property
    def is_ill(self) -> bool:
        return any(finding.state == "ill" for finding in self.findings)

    def as_json(self) -> list[dict[str, object]]:
        return [
            {"what": one.what, "state": one.state, "said": one.said, "to_do": one.to_do or None}
            for one in self.findings
        ]


def examine(bench: Workbench) -> Health:
    """Looks at everything, also where one part is broken."""
    findings = [*_environment(bench.folder), *_project(bench)]
    try:
        findings += _storage(bench.store.doctor())
        stale = bench.staleness()
        findings += _answers(stale, bench.settings.timezone)
        rejected = len(bench.rejected())
        if rejected:
            said = f"{render.counted(rejected, 'row')} rejected"
            findings.append(Finding("data", "look", said, "ethogram events rejected"))
    except EthogramError as error:
        findings.append(
            Finding(
                "storage",
                "look" if error.code == "E_NO_STORE" else "ill",
                f"{error.message} ({error.code})",
                error.hint,
            )
        )
    return Health(tuple(findings))


def _environment(folder: Path) -> list[Finding]:
    packages = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    said = f"ethogram {_version('ethogram')}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}"
    missing = [name for name in _PACKAGES if _version(name) == "missing"]
    found = [
        Finding(
            "environment",
            "ill" if missing else "fine",
            said,
            f"pip install {' '.join(missing)}" if missing else "",
        )
    ]
    if _is_network(folder):
        found.append(
            Finding(
                "environment",
                "look",
                "the folder is on a network file system",
                "Locks may not hold there: use a local disk.",
            )
        )
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _is_network(folder: Path) -> bool:
    """By the kind of the mount that holds the folder, where the system tells it."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return False
    holding = [mount for mount in mounts if len(mount) > 2 and folder.is_relative_to(mount[1])]
    return bool(holding) and max(holding, key=lambda mount: len(mount[1]))[2] in (
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "9p",
        "fuse.sshfs",
    )


def _project(bench: Workbench) -> list[Finding]:
    sources = render.counted(len(bench.config.sources), "source")
    try:
        findings = bench.check()
    except EthogramError as error:
        return [Finding("definitions", "ill", str(error), "ethogram check")]
    errors = sum(1 for finding in findings if finding.is_error)
    warnings = len(findings) - errors
    said = f"{sources}; definitions: {render.counted(errors, 'error')}, {render.counted(warnings, 'warning')}"
    state: State = "ill" if errors else "look" if warnings else "fine"
    return [Finding("project", state, said, "ethogram check" if findings else "")]


def _storage(facts: StoreFacts) -> list[Finding]:
    size = (facts.ledger_bytes + facts.lake_bytes) / 1e6
    found = [
        Finding(
            "storage",
            "fine",
            f"{render.counted(facts.events, 'event')} in {render.counted(facts.lake_files, 'file')}, {size:,.1f} MB",
        )
    ]
    found += [
        Finding(
            "storage", "ill", text, "Restore the file from a backup, or load its source into a new project."
        )
        for text in facts.damaged
    ]
    if facts.orphans:
        said = f"{render.counted(len(facts.orphans), 'unfinished file')} of an interrupted load"
        found.append(Finding("storage", "look", said, "Nothing: the next load removes them."))
    if facts.writer:
        found.append(
            Finding(
                "storage", "look", f"being written by {facts.writer}", "Wait for it, if it is meant to run."
            )
        )
    if facts.free_bytes < LITTLE_SPACE:
        said = f"{facts.free_bytes / 1e6:,.0f} MB are left on the disk"
        found.append(Finding("storage", "look", said, "Free some space before the next load."))
    return found


def _answers(stale: Staleness, zone: str) -> list[Finding]:
    if stale.refreshed_as_of is None:
        said = "nothing was evaluated yet"
    else:
        said = f"as of {render.minute(stale.refreshed_as_of, zone)}"
        if stale.age is not None:
            said += f", evaluated {_ago(stale.age)}"
    advice = stale.advice()
    if not advice:
        return [Finding("answers", "fine", said)]
    return [Finding("answers", "look", said if index == 0 else "", text) for index, text in enumerate(advice)]


def _ago(age: int) -> str:
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = age // (length * 1_000_000)
        if count:
            return f"{render.counted(count, unit)} ago"
    return "just now"


def show_health(health: Health) -> None:
    columns = (render.Column(""), render.Column(""), render.Column("", wraps=True))
    rows = [
        (one.what, one.state, "\n-> ".join(part for part in (one.said, one.to_do) if part))
        for one in health.findings
    ]
    render.table(columns, rows, header=False)
    if all(one.state == "fine" for one in health.findings):
        render.say("\nAll is well.")
