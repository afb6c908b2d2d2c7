"""Errors end as a few lines on stderr and one of four exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ethogram.app.boundary import Boundary
from ethogram.model.errors import DataError, DefinitionError, EnvironmentFault, Problems
from ethogram.model.span import Span

CANARY = "customer-4711@example.com"


def _verbs() -> typer.Typer:
    app = typer.Typer(cls=Boundary, pretty_exceptions_enable=False)

    @app.command()
    def definition() -> None:
        span = Span("definitions/a.yml", 12, 14, 4, "  when: sum(purchase.totl) > 500")
        raise DefinitionError(
            "E_PROPERTY_UNKNOWN", "unknown property 'totl'", hint="Did you mean 'total'?", span=span
        )

    @app.command()
    def environment() -> None:
        raise EnvironmentFault("E_LOCKED", "the project is used by process 15385")

    @app.command()
    def several() -> None:
        raise Problems([DataError("E_ONE", "one"), EnvironmentFault("E_TWO", "two")])

    @app.command()
    def fault() -> None:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise ValueError(CANARY) from error

    @app.command()
    def stopped() -> None:
        raise KeyboardInterrupt

    @app.command()
    def fine(n: int = 1) -> None:
        typer.echo("fine")

    return app


@pytest.mark.parametrize(
    ("verb", "code", "said"),
    [
        ("fine", 0, ""),
        ("definition", 2, "definitions/a.yml:12:14: unknown property 'totl' (E_PROPERTY_UNKNOWN)"),
        ("environment", 3, "the project is used by process 15385 (E_LOCKED)"),
        ("several", 3, "one (E_ONE)\ntwo (E_TWO)"),
        ("stopped", 3, "Stopped. What was not finished did not take effect."),
        ("unknown", 2, "No such command"),
    ],
)
def test_exit_codes(verb: str, code: int, said: str) -> None:
    result = CliRunner().invoke(_verbs(), [verb])
    assert result.exit_code == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_option_is_shown_by_the_parser() -> None:
    result = CliRunner().invoke(_verbs(), ["fine", "--n", "many"])
    assert result.exit_code == 2
    assert "--n" in result.stderr and "Usage" in result.stderr


def test_an_error_in_a_definition_shows_its_line_with_a_caret() -> None:
    result = CliRunner().invoke(_verbs(), ["definition"])
    assert result.stderr.splitlines()[1:] == [
        "   12 |   when: sum(purchase.totl) > 500",
        "      |              ^^^^",
        "   Did you mean 'total'?",
    ]


def test_a_fault_of_the_program_tells_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = CliRunner().invoke(_verbs(), ["fault"])
    assert result.exit_code == 3
    assert "E_INTERNAL" in result.stderr
    (log,) = tmp_path.glob("ethogram-*.log")
    text = log.read_text()
    assert "builtins.ValueError" in text and "builtins.KeyError" in text and "test_boundary.py" in text
    assert CANARY not in text + result.stderr + result.stdout
    assert log.name in result.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    script = tmp_path / "verbs.py"
    script.write_text(
        "import typer\n"
        "from ethogram.app.boundary import Boundary\n"
        "app = typer.Typer(cls=Boundary)\n"
        "@app.command()\n"
        "def many() -> None:\n"
        "    for number in range(200_000):\n"
        "        print(number)\n"
        "@app.command()\n"
        "def other() -> None: ...\n"
        "app()\n"
    )
    command = f"{sys.executable} {script} many | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, env=dict(os.environ)
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")
