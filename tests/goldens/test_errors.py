"""How mistakes in definitions look to whoever made them.

`ETHOGRAM_GOLDENS=write pytest tests/goldens/test_errors.py` writes the golden file anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ethogram.language.files import definitions_from_text
from ethogram.model.errors import Problems

GOLDEN = Path(__file__).parent / "errors.txt"

MISTAKES = {
    "a misspelled option": "segments:\n  s: did(purchase, lst=7d) and everyone\n",
    "a misspelled function in a folded value": "segments:\n  s:\n    when: >\n      did(purchase)\n      and cuont(view) > 1\n",
    "minutes or months": "segments:\n  s: did(purchase, last=5m)\n",
    "a chained comparison": "segments:\n  s: 1 < count(purchase) < 3\n",
    "a selection that stands alone": "segments:\n  s: purchase[total > 3]\n",
    "a missing property": "traits:\n  t: sum(purchase)\n",
    "an open parenthesis": "traits:\n  t: sum(purchase.total\n",
    "a date that does not exist": 'segments:\n  s: last(purchase) > date("2024-02-30")\n',
    "a comma in braces": "segments:\n  s: { when: did(purchase, last=7d) }\n",
    "a bracket in braces": "segments:\n  s: { when: did(purchase[total > 3]) }\n",
    "a comment that was none": "behaviors:\n  b: Product #1 Viewed\n",
    "a colon": 'segments:\n  s: customer.note == "a: b"\n',
    "a quote at the beginning": 'segments:\n  s: "Order Completed".total > 5\n',
    "an unknown key": "segments:\n  s:\n    when: everyone\n    titel: Everyone\n",
    "a name defined twice": "segments:\n  s: everyone\ntraits:\n  s: count(any)\n",
    "a doubtful value": "segments:\n  s: { when: everyone, tests: [{ name: a, expect: in, events: [{ ago: 1d, do: a, x: no }] }] }\n",
    "a tab": "segments:\n\ts: everyone\n",
    "an alias": "segments:\n  s: *other\n",
    "a very long line": "segments:\n  s: "
    + " and ".join(f"count(view) > {n}" for n in range(200))
    + " and did(x, last=m)\n",
}


def rendered() -> str:
    parts = []
    for title, text in MISTAKES.items():
        with pytest.raises(Problems) as caught:
            definitions_from_text(text, "definitions/shop.yml")
        parts.append(f"## {title}\n\n{caught.value}\n")
    return "\n".join(parts)


def test_rendered_errors() -> None:
    if os.environ.get("ETHOGRAM_GOLDENS") == "write":
        GOLDEN.write_text(rendered(), encoding="utf-8")
    assert rendered() == GOLDEN.read_text(encoding="utf-8")
