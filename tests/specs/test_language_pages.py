"""The language reference, executed, and complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from evaluators import EVALUATORS, Evaluator, Question, refusing
from language_pages import (
    PAGES,
    Block,
    Line,
    Section,
    data_of,
    headings,
    histories_of,
    lines_of,
    merged,
    moment_of,
    parsed,
    sections,
    settings_of,
    shown,
)

from ethogram.language.checker import check, check_expression
from ethogram.language.files import definitions_from_text
from ethogram.language.findings import ERRORS, WARNINGS
from ethogram.language.functions import FUNCTIONS, WINDOWS
from ethogram.language.parser import parse_expression
from ethogram.language.tree import Definitions
from ethogram.model.errors import EthogramError, Problems
from ethogram.model.settings import Settings

SECTIONS = [section for page in sorted(PAGES.glob("*.md")) for section in sections(page)]


def _definitions(section: Section) -> Definitions:
    texts = [block.text for block in (*section.shared, *section.blocks) if block.kind == "yaml"]
    return merged(texts)


def _blocks(section: Section, *kinds: str) -> list[Block]:
    return [block for block in section.blocks if block.kind in kinds]


def _asked(kind: str) -> list[Section]:
    return [section for section in SECTIONS if _blocks(section, kind)]


@pytest.mark.parametrize(("engine", "evaluate"), EVALUATORS, ids=[name for name, _ in EVALUATORS])
@pytest.mark.parametrize("section", _asked("expect"), ids=str)
def test_answers(section: Section, engine: str, evaluate: Evaluator) -> None:
    with refusing(engine, str(section)):
        wrong = [f"{problem} ({engine})" for problem in _wrong_in_section(section, evaluate)]
        assert not wrong, "\n".join(wrong)


def _wrong_in_section(section: Section, evaluate: Evaluator) -> Iterator[str]:
    definitions = _definitions(section)
    every = [*section.shared, *(section.blocks if section.blocks is not section.shared else [])]
    people: Block | None = None
    for block in every:
        if block.kind == "events":
            people = block
        elif block.kind == "expect" and block in section.blocks:
            assert people is not None, "an `expect` block follows an `events` block"
            for problem in _wrong_answers(block, people, definitions, every, evaluate):
                yield f"{section.page}.md:{problem}"


def _wrong_answers(
    block: Block, people: Block, definitions: Definitions, every: list[Block], evaluate: Evaluator
) -> Iterator[str]:
    settings = settings_of([people])
    at = moment_of([people], settings)
    histories = histories_of(people, definitions, settings, at)
    errors = [finding for finding in check(definitions, settings, data_of(every)) if finding.is_error]
    assert not errors, "\n".join(map(str, errors))
    lists = {name: frozenset(found.customers) for name, found in definitions.lists.items()}
    for line in lines_of(block):
        expression = parse_expression(line.text)
        problems = [one for one in check_expression(expression, definitions, settings) if one.is_error]
        assert not problems, f"line {line.line}: {problems[0]}"
        as_of = parsed(line.at, settings) if line.at else at
        answers = evaluate(Question(settings, definitions, histories, lists, expression, as_of))
        found = {customer: shown(answer, settings) for customer, answer in answers.items()}
        wanted = _wanted(line, set(found))
        got = {customer: found.get(customer, "unknown") for customer in wanted}
        if got != wanted:
            yield f"{line.line}: {line.text}: expected {wanted}, found {got}"


def _wanted(line: Line, known: set[str]) -> dict[str, str]:
    """The answer for each customer that the line speaks of; a line of names alone speaks of all who are known."""
    if " " in line.answer.replace(", ", ","):
        pairs = [part.strip().partition(" ") for part in line.answer.split(",")]
        return {name: value.strip().strip('"') for name, _, value in pairs}
    names = {"everyone": known, "nobody": set[str]()}.get(line.answer)
    inside = {part.strip() for part in line.answer.split(",")} if names is None else names
    return {customer: "yes" if customer in inside else "no" for customer in known | inside}


@pytest.mark.parametrize("section", [*_asked("errors"), *_asked("warnings")], ids=str)
def test_single_mistakes(section: Section) -> None:
    definitions = _definitions(section)
    every = [*section.shared, *section.blocks]
    settings = settings_of(every)
    wrong = []
    for block in _blocks(section, "errors", "warnings"):
        for line in lines_of(block):
            found = _messages(line.text, definitions, settings, every)
            if not any(message.startswith(line.answer) for message in found):
                wrong.append(
                    f"{section.page}.md:{line.line}: {line.text}: expected {line.answer}, found {found}"
                )
    assert not wrong, "\n".join(wrong)


def _messages(text: str, definitions: Definitions, settings: Settings, blocks: list[Block]) -> list[str]:
    try:
        expression = parse_expression(text)
    except EthogramError as problem:
        return [f"{problem.code} {problem.message}"]
    findings = check_expression(expression, definitions, settings, data_of(blocks))
    return [f"{finding.code} {finding.message}" for finding in findings]


@pytest.mark.parametrize("section", [*_asked("error"), *_asked("warning")], ids=str)
def test_whole_messages(section: Section) -> None:
    every = [*section.shared, *section.blocks]
    settings = settings_of(every)
    shared = [block.text for block in section.shared if block.kind == "yaml"]
    text = ""
    for block in section.blocks:
        if block.kind == "yaml":
            text = block.text
        elif block.kind in ("error", "warning"):
            assert "\n".join(_rendered(text, shared, settings, every)).strip() == block.text.strip()


def _rendered(text: str, shared: list[str], settings: Settings, blocks: list[Block]) -> list[str]:
    """Everything to say about the definitions in `text`, without what the shared ones bring."""
    try:
        own = definitions_from_text(text)
        definitions = merged([*shared, text])
    except Problems as problems:
        return [str(problem) for problem in problems.errors]
    found = check(definitions, settings, data_of(blocks))
    return [str(finding) for finding in found if not finding.definition or own.find(finding.definition)]


# --- complete -------------------------------------------------------------------------------------------------------


def _all_headings() -> list[str]:
    return [heading for page in PAGES.glob("*.md") for heading in headings(page)]


def test_every_function_has_its_section() -> None:
    described = {name for heading in _all_headings() for name in re.findall(r"`(\w+)(?=[(`])", heading)}
    assert set(FUNCTIONS) - described == set()


def test_every_window_has_its_section() -> None:
    described = {name for heading in _all_headings() for name in re.findall(r"`(\w+)=", heading)}
    assert {name for name, _ in WINDOWS} - described == set()


def test_every_option_is_described_with_its_function() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES.glob("*.md"))
    missing = {
        f"{name}({option}=)"
        for name, signature in FUNCTIONS.items()
        for option, _ in signature.options
        if not re.search(rf"{name}\([^\n]*{option}=|`{option}=", pages)
    }
    assert missing == set()


@pytest.mark.parametrize("code", [*ERRORS, *WARNINGS])
def test_every_code_has_its_section_with_an_example(code: str) -> None:
    text = (PAGES / "errors.md").read_text(encoding="utf-8")
    section = re.search(rf"^### {code}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"errors.md has no section '### {code}'"
    assert code in section[1], f"the section of {code} shows no example of it"


def test_no_code_is_described_that_does_not_exist() -> None:
    described = set(
        re.findall(r"^### ([EW]_\w+)", (PAGES / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    source = Path(__file__).parents[2] / "src" / "ethogram" / "language"
    raised = {
        code
        for file in source.rglob("*.py")
        for code in re.findall(r'"([EW]_[A-Z_]+)"', file.read_text("utf-8"))
    }
    assert described <= raised


def test_there_is_something_to_run() -> None:
    assert len(SECTIONS) > 40
    assert Settings().timezone == "UTC"
