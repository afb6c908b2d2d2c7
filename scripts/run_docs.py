"""Runs the commands of a page of the docs and writes what they print below them.

    python scripts/run_docs.py docs/tutorial.md FOLDER       # a folder to work in, with what the page expects there

In a block marked `console`, lines after `$ ` are commands, run in order; the lines below are their output. A block marked
`yaml title="path"` is written to that path first. Run it whenever output changes; a test runs the commands without writing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r'^```(?P<kind>console|yaml title="(?P<path>[^"]+)")\n(?P<body>.*?)^```$', re.S | re.M)


@dataclass(frozen=True)
class Ran:
    command: str
    output: str
    code: int


def blocks(page: str) -> Iterator[re.Match[str]]:
    return BLOCK.finditer(page)


def commands(body: str) -> list[str]:
    return [line[2:] for line in body.splitlines() if line.startswith("$ ")]


def run(command: str, folder: Path) -> Ran:
    bin_folder = str(Path(sys.executable).parent)
    env = {
        **os.environ,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "80",
        "PYTHONUTF8": "1",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Ran(command, done.stdout + done.stderr, done.returncode)


def steps(page: str, folder: Path) -> Iterator[tuple[re.Match[str], list[Ran]]]:
    """Every block with what its commands gave; files are written as they come. `cd` holds for what follows."""
    here = folder
    for block in blocks(page):
        if path := block["path"]:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(block["body"], encoding="utf-8")
            yield block, []
        else:
            ran = []
            for command in commands(block["body"]):
                if re.fullmatch(r"cd \S+", command):
                    here = (here / command[3:]).resolve()
                    ran.append(Ran(command, "", 0 if here.is_dir() else 1))
                else:
                    ran.append(run(command, here))
            yield block, ran


def rewritten(page: str, folder: Path) -> str:
    parts, end = [], 0
    for block, ran in steps(page, folder):
        if ran:
            parts += [page[end : block.start("body")], *(_shown(one) for one in ran)]
            end = block.end("body")
        for one in ran:
            print(f"{one.code}  {one.command}", file=sys.stderr)
    return "".join([*parts, page[end:]])


def _shown(ran: Ran) -> str:
    output = "\n".join(line.rstrip() for line in ran.output.strip("\n").splitlines())
    return f"$ {ran.command}\n{output}\n" if output else f"$ {ran.command}\n"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    target = Path(sys.argv[1])
    target.write_text(rewritten(target.read_text(encoding="utf-8"), Path(sys.argv[2])), encoding="utf-8")
