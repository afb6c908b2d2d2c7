"""Network disks: their locks and syncs cannot be relied on, so the store is not opened there."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ethogram.model.errors import EnvironmentFault

ALLOW = "ETHOGRAM_ALLOW_NETWORK_DISK"
"""Environment variable: 1 opens the store there all the same."""

_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "fuse.sshfs"}


def refuse_network(folder: Path) -> None:
    """Raises EnvironmentFault E_NETWORK_DISK."""
    kind = filesystem_of(folder.resolve(), _mounts())
    if kind in _NETWORK and os.environ.get(ALLOW) != "1":
        raise EnvironmentFault(
            "E_NETWORK_DISK",
            f"{folder} is on a network disk ({kind}), where a lock or a sync may not hold",
            hint=f"Keep the project on a local disk, or set {ALLOW}=1 if only one machine ever uses it.",
        )


def _mounts() -> str:
    try:
        return _MOUNTS.read_text()
    except OSError:
        return ""


def filesystem_of(folder: Path, mounts: str) -> str:
    r"""The type of the file system that holds the folder, given the text of /proc/self/mountinfo.

    >>> mounts = "1 0 0:1 / / rw - ext4 /dev/sda rw\n2 1 0:2 / /mnt/team\\040share rw - nfs4 host:/x rw"
    >>> filesystem_of(Path("/mnt/team share/shop"), mounts), filesystem_of(Path("/mnt/team"), mounts)
    ('nfs4', 'ext4')
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = Path(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4]))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split()[0]
    return kind
