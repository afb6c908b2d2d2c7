"""Every entry parses, passes the check, and passes its own tests on the interpreter and on the kernel."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from whole import SETTINGS, Case, cases, usual_data, usual_values, whole_catalog

from ethogram.catalog.entry import KINDS, Entry
from ethogram.catalog.loading import load_catalog, load_parts, read_entries
from ethogram.language.checker import check
from ethogram.language.meaning.local_time import parse_moment
from ethogram.language.names import dependencies
from ethogram.language.tree import Call, Definitions, Trait
from ethogram.language.trials import DEFAULT_MOMENT, history, run_test
from ethogram.language.visits import expressions_of
from ethogram.language.walk import walk
from ethogram.model.errors import Problems
from ethogram.model.event import Event
from tests.parity.kernel_world import engine_of, kernel_answers, plain, stored

CATALOG = load_catalog()
CASES = list(cases())
POPULATION = {"rank", "ntile", "top", "zscore"}
COMPARED = {"buyers", "bought_in_period", "feature_users"}
"""Segments whose members others are compared with; nothing is done with them."""
FORBIDDEN = ("pregnan", "bereave", "payday", "religio", "faith", "predicted gender", "hibernat", "can't lose")


def test_every_kind_has_entries() -> None:
    assert {entry.kind for entry in CATALOG.values()} == set(KINDS)


def test_all_together_pass_the_check() -> None:
    findings = check(whole_catalog(), SETTINGS, usual_data())
    assert [str(finding) for finding in findings] == []


def test_names_are_used_once() -> None:
    names = [name for entry in CATALOG.values() for name in entry.defines]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("entry", CATALOG.values(), ids=lambda entry: entry.name)
def test_an_entry_says_what_a_marketer_needs(entry: Entry) -> None:
    assert entry.sentence.endswith(".") and len(entry.sentence) <= 160
    assert entry.title and entry.play.what and entry.defines
    definitions = whole_catalog()
    answers = [name for name in entry.defines if name not in definitions.behaviors]
    assert all(definitions.find(name).title for name in answers if definitions.find(name))  # type: ignore[union-attr]
    assert entry.play.purpose in ("", "marketing", "service")
    assert any(definitions.find(name).tests for name in answers), "no tests"  # type: ignore[union-attr]
    text = f"{entry.name} {entry.title} {entry.sentence} {entry.template}".lower()
    assert [word for word in FORBIDDEN if word in text] == []


@pytest.mark.parametrize("entry", CATALOG.values(), ids=lambda entry: entry.name)
def test_members_leave_for_the_purpose_of_the_play_or_a_stricter_one(entry: Entry) -> None:
    definitions = whole_catalog()
    answers = [
        definitions.segments.get(name) or definitions.segmentations.get(name) for name in entry.defines
    ]
    for one in answers:
        if one and one.name not in COMPARED:
            assert one.purpose in {entry.play.purpose, "marketing"}, one.name


@pytest.mark.parametrize("entry", CATALOG.values(), ids=lambda entry: entry.name)
def test_every_need_and_parameter_is_used(entry: Entry) -> None:
    used = {name if not inner else f"{name}.{inner}" for name, _, inner in entry.places}
    owners = {name.partition(".")[0] for name in used}
    conditions = set(" ".join(re.findall(r"#(?:if|each) (.*)", entry.template)).split())
    for need in (*entry.needs, *entry.any_of, *entry.optional):
        assert (
            need in used or need in owners or need in conditions or f"{need.partition('.')[0]}.each" in used
        ), need
    formulas = " ".join(parameter.computed for parameter in entry.parameters.values())
    for name in entry.parameters:
        assert name in owners or name in conditions or name in formulas, name


@pytest.mark.parametrize("case", CASES, ids=str)
def test_tests_pass_by_meaning(case: Case) -> None:
    result = run_test(case.definition, case.test, whole_catalog(), SETTINGS)
    assert result.passed, str(result)


def test_tests_pass_on_the_kernel() -> None:
    """Tests that need nobody else are customers of one world; the others have a world each."""
    alone = [case for case in CASES if _compares(case)]
    together = defaultdict(list)
    for case in CASES:
        if not _compares(case):
            together[case.test.at or DEFAULT_MOMENT].append(case)
    wrong = [found for at, some in together.items() for found in _failures(some, at)]
    wrong += [found for case in alone for found in _failures([case], case.test.at or DEFAULT_MOMENT)]
    assert wrong == []


def _compares(case: Case) -> bool:
    """Whether the answer depends on other customers."""
    definitions, waiting, seen = whole_catalog(), [case.definition.name], set[str]()
    while waiting:
        name = waiting.pop()
        definition = definitions.find(name)
        if definition is None or name in seen:
            continue
        seen.add(name)
        waiting += dependencies(definitions, name)
        for root in expressions_of(definition):
            if any(isinstance(node, Call) and node.function in POPULATION for node in walk(root)):
                return True
    return False


def _failures(some: Iterable[Case], at: str) -> list[str]:
    from ethogram.language.meaning import World

    listed = list(some)
    zone = ZoneInfo(SETTINGS.timezone)
    moment = parse_moment(zone, at)
    assert moment is not None
    definitions = _needed_by(listed)
    histories = {
        f"customer {index}": _with_birth(history(case.test, moment, whole_catalog(), zone))
        for index, case in enumerate(listed)
    }
    with stored(histories) as store:
        answers = kernel_answers(engine_of(store, World(SETTINGS, definitions, histories)), moment)
    found = []
    for index, case in enumerate(listed):
        answer, expected = answers[f"customer {index}", case.definition.name], plain(case.test.expect)
        if answer != expected and not (isinstance(case.definition, Trait) and isinstance(expected, str)):
            found.append(f"{case}: expected {expected}, found {answer}")
    return found


def _needed_by(some: list[Case]) -> Definitions:
    """Of a single case only what it depends on, so that its small world is quickly answered."""
    whole = whole_catalog()
    if len(some) > 1:
        return whole
    needed, waiting = set[str](), [some[0].definition.name]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += dependencies(whole, name)
    return Definitions(
        whole.behaviors,
        {name: one for name, one in whole.traits.items() if name in needed},
        {name: one for name, one in whole.segments.items() if name in needed},
        {name: one for name, one in whole.segmentations.items() if name in needed},
    )


def _with_birth(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Message ids are the tests' own; the birth needs one too."""
    return tuple(replace(event, message_id=event.message_id or "birth") for event in events)


def test_mistakes_are_told_with_their_place() -> None:
    text = """\
entries:
  - name: wrong
    title: Wrong
    kind: purchase
    sentence: Nothing.
    needs: [purchas]
    play: { what: nothing }
    definitions: |
      segments:
        $wrong: { when: did($purchase, last=$within) }
"""
    with pytest.raises(Problems) as caught:
        read_entries(text, "wrong.yml", load_parts())
    said = str(caught.value)
    assert "wrong.yml:4:11: no kind is called 'purchase'" in said
    assert "no part is called 'purchas'" in said and "Did you mean 'purchase'?" in said
    assert "'$within' is no part, no parameter" in said
    assert usual_values(CATALOG["buyers"]) == {"loyal_from": "3"}
