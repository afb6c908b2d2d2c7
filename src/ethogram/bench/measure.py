"""CPU seconds, memory, and jobs in processes of their own.

CPU seconds count every thread and every child that has ended. They move less than elapsed time on a shared machine, but
they do move: what is compared is measured in one run, and the floor is measured at both ends of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ethogram.model.errors import EnvironmentFault

Result: TypeAlias = dict[str, object]
"""What a job gives back: JSON's types."""


@dataclass(slots=True)
class Spent:
    """Filled in when the measured block ends."""

    cpu: float = 0.0
    wall: float = 0.0


@contextmanager
def spending() -> Iterator[Spent]:
    spent = Spent()
    cpu, wall = _cpu_seconds(), time.perf_counter()
    yield spent
    spent.cpu, spent.wall = _cpu_seconds() - cpu, time.perf_counter() - wall


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def peak_bytes() -> int:
    """The most memory this process ever held, mapped files included.

    On Linux from /proc: `ru_maxrss` also remembers the process that started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def run_job(name: str, arguments: Mapping[str, object]) -> Result:
    """Runs `ethogram.bench.jobs.JOBS[name]` in a fresh process, so that neither caches nor memory are inherited.

    Raises EnvironmentFault E_BENCH_JOB when the process fails.
    """
    with tempfile.TemporaryDirectory(prefix="ethogram-bench-") as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", "ethogram.bench.jobs", name, json.dumps(arguments), str(answer)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode != 0 or not answer.exists():
            last = ended.stderr.strip().splitlines()[-1:] or ["no message"]
            raise EnvironmentFault(
                "E_BENCH_JOB",
                f"the measurement {name!r} ended with exit code {ended.returncode}: {last[0]}",
                hint="Its process is separate; exit code -9 usually means that memory ran out.",
            )
        result: Result = json.loads(answer.read_text(encoding="utf-8"))
        return result


def command_seconds(command: list[str]) -> float | None:
    """Elapsed seconds of a command, None if it fails."""
    began = time.perf_counter()
    ended = subprocess.run(command, capture_output=True, check=False)
    return time.perf_counter() - began if ended.returncode == 0 else None
