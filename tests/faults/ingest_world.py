"""A project folder with files and settings, loaded through the front door."""

from __future__ import annotations

from pathlib import Path

from ethogram.ingest.config import read_config
from ethogram.ingest.load import LoadReport, load, rejected
from ethogram.model.event import Event
from ethogram.store.records import RejectedRow
from ethogram.store.store import Store

SHAPE = """
[sources.e]
files = "{file}"
customer = "who"
time = "at"
event = "Bought"
properties = {{ total = "amount" }}
"""


def write(folder: Path, toml: str, files: dict[str, bytes] | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "ethogram.toml").write_text(toml, encoding="utf-8")
    for name, content in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def load_all(folder: Path, *, force: bool = False) -> LoadReport:
    """The report of the only source; its counts must add up."""
    with Store.open(folder, create=True) as store:
        (report,) = load(store, read_config(folder), force=force)
    assert report.rows == report.accepted + report.duplicates + report.rejected
    return report


def set_aside(folder: Path) -> list[RejectedRow]:
    with Store.open(folder) as store:
        return list(rejected(store))


def codes(folder: Path) -> list[str]:
    return [f"{row.code} {row.file}:{row.line}:{row.column} {row.field}" for row in set_aside(folder)]


def histories(folder: Path) -> dict[str, tuple[Event, ...]]:
    with Store.open(folder) as store, store.snapshot() as snapshot:
        names = {
            name for file in snapshot.files for name in store.read(file, ["customer"])["customer"].to_pylist()
        }
        return store.histories(sorted(names), snapshot)
