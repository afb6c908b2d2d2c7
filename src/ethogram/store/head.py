"""The synced head: the sequence and hash of the newest transaction, kept outside the database.

A damaged write-ahead log can lose committed transactions in silence. The head notices: on opening, the ledger must
still know the transaction that the head names.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ethogram.model.errors import EnvironmentFault
from ethogram.store.disk import Disk, fault_of

START = "0" * 64
"""What the first transaction is chained to."""


@dataclass(frozen=True, slots=True)
class Head:
    sequence: int
    hash: str


def chained(previous: str, sequence: int, kind: str, at: int, summary: str) -> str:
    return hashlib.sha256(f"{previous}\n{sequence}\n{kind}\n{at}\n{summary}".encode()).hexdigest()


def read_head(path: Path) -> Head | None:
    """None where there is no head yet. Raises EnvironmentFault E_FILE_DAMAGED for a head that makes no sense."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise fault_of(error, path, "read") from error
    try:
        sequence, digest = text.decode("ascii").split()
        if len(digest) != 64:
            raise ValueError
        return Head(int(sequence), digest)
    except ValueError:
        raise EnvironmentFault(
            "E_FILE_DAMAGED",
            f"{path} is damaged: it should hold a number and a hash",
            hint=f"Restore the folder from a backup, or, if you trust {path.parent}, delete {path.name} and try again.",
        ) from None


def write_head(path: Path, head: Head, disk: Disk) -> None:
    disk.write_file(path, f"{head.sequence} {head.hash}\n".encode(), point="head")
    disk.sync_folder(path.parent)


def log_gap(path: Path, head: Head, newest: int) -> EnvironmentFault:
    found = f"ends at {newest}" if newest < head.sequence else f"holds another transaction {head.sequence}"
    return EnvironmentFault(
        "E_LOG_GAP",
        f"{path} {found}, but transaction {head.sequence} was confirmed: recorded data is missing",
        hint="Restore the folder from a backup. Nothing was changed.",
    )
