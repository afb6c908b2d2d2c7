"""Docs are complete by test: every verb, option, setting and error code has its place."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import typer.main

from ethogram.app.cli import app

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MACHINE_ROOM = ("ledger", "lake", "tape", "kernel", "stratum", "strata")


def _verbs() -> Iterator[tuple[str, typing.Any]]:
    def walk(name: str, command: typing.Any) -> Iterator[tuple[str, typing.Any]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        else:
            for key, value in inner.items():
                yield from walk(f"{name} {key}".strip(), value)

    yield from walk("", typer.main.get_command(app))


VERBS = dict(_verbs())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_section_with_its_options(verb: str) -> None:
    text = (DOCS / "cli.md").read_text()
    section = re.search(rf"^### `ethogram {verb}`\n(.*?)(?=^##|\Z)", text, re.S | re.M)
    assert section, f"docs/cli.md has no section for {verb}"
    for parameter in VERBS[verb].params:
        for option in parameter.opts:
            if option.startswith("--") and option not in ("--help", "--project"):
                assert option in section[1], f"docs/cli.md does not mention {option} of {verb}"


def test_the_verbs_are_those_of_the_design() -> None:
    wanted = [
        "init",
        "demo",
        "simulate",
        "load",
        "segments",
        "count",
        "describe",
        "compare",
        "members",
        "explain",
        "identity",
        "history",
        "flow",
        "funnel",
        "metrics",
        "retention",
        "report",
        "health",
        "gaps",
        "voice",
        "check",
        "test",
        "plan",
        "refresh",
        "unmerge",
        "verify",
        "doctor",
        "bench",
    ]
    assert set(VERBS) == {*wanted, "events rejected", "catalog show", "catalog add"}


def test_every_view_has_its_page() -> None:
    """A verb that looks at customers as a whole; those that list or explain have their section on the command line's page."""
    views = {
        "describe",
        "compare",
        "history",
        "flow",
        "funnel",
        "metrics",
        "retention",
        "report",
        "health",
        "gaps",
        "voice",
    }
    assert {page.stem for page in (DOCS / "insight").glob("*.md")} == views <= set(VERBS)
    index = (DOCS / "index.md").read_text("utf-8")
    assert all(f"(insight/{view}.md)" in index for view in views)


@pytest.mark.parametrize("verb", VERBS)
def test_help_texts_keep_out_of_the_machine_room(verb: str) -> None:
    command = VERBS[verb]
    text = " ".join(
        [command.help or "", *(getattr(parameter, "help", "") or "" for parameter in command.params)]
    ).lower()
    assert command.help
    assert [word for word in MACHINE_ROOM if re.search(rf"\b{word}s?\b", text)] == []


@pytest.mark.parametrize(
    "verb", [verb for verb in VERBS if verb not in ("init", "demo", "simulate", "bench")]
)
def test_every_verb_takes_project_and_json(verb: str) -> None:
    options = {option for parameter in VERBS[verb].params for option in parameter.opts}
    assert {"--project", "--json"} <= options


def test_every_code_of_an_error_or_warning_is_described() -> None:
    """With a section of its own on the page of the language, or a row on that of all others; and no other codes are."""
    source = "\n".join(file.read_text("utf-8") for file in (ROOT / "src").rglob("*.py"))
    raised = set(re.findall(r'"([EW]_[A-Z_]+)"', source))
    sections = re.findall(r"^### ([EW]_\w+)", (DOCS / "language" / "errors.md").read_text(), re.M)
    rows = re.findall(r"^\| ([EW]_\w+) \|", (DOCS / "errors.md").read_text(), re.M)
    assert raised - {*sections, *rows} == set()
    assert {*rows} - raised == set() and not {*rows} & {*sections}


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [page.name[:4] for page in (DOCS / "decisions").glob("*.md")]
    assert len(numbers) == len(set(numbers)) and all(number.isdigit() for number in numbers)
