"""Trees as JSON: what is accepted, and what is said about the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ethogram.language.jsonform import from_json, to_json
from ethogram.language.parser import parse_expression
from ethogram.model.errors import DefinitionError

EXAMPLE = 'sum(purchase[total > 1.5].total, last=7d) >= 10 and customer.country in ["GB"]'


def example() -> Any:
    return to_json(parse_expression(EXAMPLE))


def test_an_example() -> None:
    assert to_json(parse_expression("count(a[b == 1], last=7d) > 10%")) == {
        "node": "compare",
        "operator": ">",
        "left": {
            "node": "call",
            "function": "count",
            "arguments": [
                {
                    "node": "events",
                    "source": "a",
                    "raw": False,
                    "where": {
                        "node": "compare",
                        "operator": "==",
                        "left": {"node": "property", "path": ["b"]},
                        "right": {"node": "number", "value": "1"},
                    },
                    "path": [],
                }
            ],
            "options": [{"name": "last", "value": {"node": "duration", "amount": 7, "unit": "d"}}],
        },
        "right": {"node": "percent", "value": "10"},
    }


def test_back_again() -> None:
    assert from_json(json.loads(json.dumps(example()))) == parse_expression(EXAMPLE)


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        ((), None, "/"),
        ((), [], "/"),
        (("node",), "adn", "/node"),
        (("node",), 3, "/node"),
        (("items",), [], "/items"),
        (("items",), {}, "/items"),
        (("items", 0, "operator"), "=", "/items/0/operator"),
        (("items", 0, "right", "value"), 10, "/items/0/right/value"),
        (("items", 0, "right", "value"), "1e3", "/items/0/right/value"),
        (("items", 0, "right", "value"), "0.1234567", "/items/0/right/value"),
        (("items", 0, "left", "options", 0, "value", "unit"), "m", "/items/0/left/options/0/value/unit"),
        (("items", 0, "left", "options", 0, "value", "amount"), -1, "/items/0/left/options/0/value/amount"),
        (("items", 0, "left", "options", 0, "value", "amount"), True, "/items/0/left/options/0/value/amount"),
        (("items", 0, "left", "arguments", 0, "raw"), "no", "/items/0/left/arguments/0/raw"),
        (("items", 0, "left", "arguments", 0, "path", 0), "", "/items/0/left/arguments/0/path/0"),
        (("items", 1, "left", "path"), [], "/items/1/left/path"),
        (("items", 1, "a/b~c"), 1, "/items/1/a~1b~0c"),
    ],
)
def test_malformed_json_names_the_pointer(path: tuple[Any, ...], value: object, pointer: str) -> None:
    root = {"root": example()}
    inner: Any = root
    keys = ("root", *path)
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    with pytest.raises(DefinitionError) as caught:
        from_json(root["root"])
    assert caught.value.code == "E_JSON"
    assert caught.value.field == pointer


def test_a_missing_key() -> None:
    broken = example()
    del broken["items"][0]["left"]["function"]
    with pytest.raises(DefinitionError) as caught:
        from_json(broken)
    assert caught.value.field == "/items/0/left"
    assert "'function'" in caught.value.message


@pytest.mark.parametrize(
    "tree",
    [
        {"node": "call", "function": "nothing", "arguments": [], "options": []},
        {"node": "call", "function": "did", "arguments": [{"node": "number", "value": "1"}], "options": []},
        {"node": "word", "value": "week"},
        {"node": "date", "value": "2024-02-30"},
        {"node": "property", "path": ["total"]},
        {"node": "not", "item": {"node": "word", "value": "a b"}},
        {"node": "text", "value": "\ud800"},
    ],
)
def test_trees_that_cannot_be_written_are_refused(tree: object) -> None:
    with pytest.raises(DefinitionError):
        from_json(tree)


def test_deep_json_is_refused() -> None:
    deep: dict[str, Any] = {"node": "everyone"}
    for _ in range(5000):
        deep = {"node": "not", "item": deep}
    with pytest.raises(DefinitionError, match="nested too deeply"):
        from_json(deep)
