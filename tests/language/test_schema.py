"""The JSON Schemas accept what the program accepts and refuse wrong shapes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import ethogram
from ethogram.identity.rules import COUNTED
from ethogram.ingest import config
from ethogram.language import kinds, testcases
from ethogram.language.files import definitions_from_text
from ethogram.language.schema import definitions_schema, settings_schema
from ethogram.language.writer import write_definitions
from ethogram.model.errors import Problems

PROJECT = Path(ethogram.__file__).parent / "demo" / "project"

GOOD = """
behaviors:
  view: Product Viewed
  contact: [Ticket Opened, Chat Started]
  purchase:
    event: [Order Completed, Order Paid]
    where: total > 0
    each: products
    unless: { event: Order Cancelled, same: order_id }
    by: company
    title: Purchase
traits:
  orders: count(purchase)
  spend: { value: sum(purchase.total), tests: [{ name: none, expect: 0 }, { name: no, expect: null }] }
segments:
  s: did(view)
  t:
    when: did(view)
    title: 2026
    tests:
      - { name: in, events: [{ ago: 2d, do: view, total: 20, tags: [a, b] }], expect: in, at: 2026-01-15 12:00 }
segmentations:
  level:
    groups:
      much: count(view) > 3
      some: { when: did(view), title: Some }
      none: otherwise
lists:
  a: lists/a.csv
  b: [ann, bob]
  c: { file: lists/c.csv, title: C }
  d: { customers: [ann] }
"""

BAD = [
    "segmnts: {}",
    "segments: { s: { whn: did(view) } }",
    "segments: { s: { title: a } }",
    "segments: { S: did(view) }",
    "segments: { any: did(view) }",
    "segments: { s: [a] }",
    "segments: { s: { when: a, tests: [{ name: a, expect: maybe }] } }",
    "segments: { s: { when: a, tests: [{ name: a, expect: in, events: [{ ago: 3m, do: view }] }] } }",
    "behaviors: { a: { where: x } }",
    "behaviors: { a: { event: A, by: us } }",
    "behaviors: { a: { event: A, unless: { event: B } } }",
    "behaviors: { a: [] }",
    "segmentations: { a: { groups: {} } }",
    "segmentations: { a: did(view) }",
    "lists: { a: { file: a, customers: [b] } }",
]


def read(text: str) -> Any:
    """As an editor reads it: with the few types of YAML 1.2."""
    return json.loads(json.dumps(yaml.load(text, Loader=yaml.BaseLoader)))


def validator(schema: Any) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


definitions = validator(definitions_schema())
settings = validator(settings_schema())


def test_good_definitions_are_accepted_by_both() -> None:
    definitions.validate(read(GOOD))
    definitions.validate(read(write_definitions(definitions_from_text(GOOD))))


@pytest.mark.parametrize("path", sorted((PROJECT / "definitions").glob("*.yml")), ids=lambda path: path.name)
def test_the_demo_is_accepted(path: Path) -> None:
    definitions.validate(read(path.read_text()))


@pytest.mark.parametrize("text", BAD)
def test_bad_definitions_are_refused_by_both(text: str) -> None:
    assert not definitions.is_valid(read(text))
    with pytest.raises(Problems):
        definitions_from_text(text)


def test_keys_are_the_reader_s() -> None:
    found = definitions_schema()["$defs"]
    assert isinstance(found, dict)

    def keys(name: str) -> set[str]:
        options = found[name].get("anyOf", [found[name]])
        return {key for option in options for key in option.get("properties", {})}

    assert keys("behavior") == set(kinds.BEHAVIOR_KEYS)
    assert keys("trait") == set(kinds.TRAIT_KEYS)
    assert keys("segment") == set(kinds.SEGMENT_KEYS)
    assert keys("segmentation") == set(kinds.SEGMENTATION_KEYS)
    assert keys("list") == set(kinds.LIST_KEYS)
    tests = found["segment"]["anyOf"][1]["properties"]["tests"]["items"]["properties"]
    assert set(tests) == set(testcases.TEST_KEYS)


def test_the_demo_s_settings_are_accepted() -> None:
    settings.validate(tomllib.loads((PROJECT / "ethogram.toml").read_text()))


@pytest.mark.parametrize(
    "text",
    [
        'nam = "x"',
        'week_starts = "noday"',
        "week_starts = 7",
        "[sources.a]\nfiles = 3",
        "[sources.a]\nevent = 'x'",
        '[sources.a]\nfiles = "a.csv"\nformat = "xls"',
        '[sources.a]\nfiles = "a.csv"\nfiels = "b"',
        "[limits]\nselect_seconds = 0",
        "[identity.limits]\ndevice = 0",
        '[identity]\nblocked = ["a"]',
        '[sources.a]\nfiles = "a.csv"\nids = { mail = "Email" }',
    ],
)
def test_bad_settings_are_refused(text: str) -> None:
    assert not settings.is_valid(tomllib.loads(text))


def test_settings_keys_are_the_reader_s() -> None:
    found: Any = settings_schema()
    assert set(found["properties"]) == set(config._TOP)
    assert set(found["properties"]["sources"]["additionalProperties"]["properties"]) == set(config._SOURCE)
    assert set(found["properties"]["limits"]["properties"]) == set(config._LIMITS)
    assert set(found["properties"]["identity"]["properties"]["limits"]["properties"]) == set(COUNTED)
    ids = found["properties"]["sources"]["additionalProperties"]["properties"]["ids"]
    assert set(ids["properties"]) == set(config.IDS)
