"""A customer with very many events, beside others: everything is answered in seconds, or refused by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from ethogram.engines.engine import Engine
from ethogram.language.files import definitions_from_text
from ethogram.language.parser import parse_expression
from ethogram.language.tree import Trait
from ethogram.model.errors import Unsupported
from ethogram.model.event import Event
from ethogram.model.settings import Settings
from ethogram.store import Store
from tests.parity.kernel_world import add

DAY = 86_400_000_000
NOW = 1_700_000_000_000_000
SIZE = 200_000
RANDOM = np.random.default_rng(7)
TIMES = np.sort(RANDOM.integers(NOW - 900 * DAY, NOW, SIZE)).tolist()
NAMES = RANDOM.choice(["View", "Cart", "Buy"], SIZE, p=[0.7, 0.2, 0.1]).tolist()
SKUS = RANDOM.integers(0, SIZE // 2, SIZE).tolist()
TOTALS = [sku % 1000 for sku in SKUS]
USUAL = sum(TOTALS) / SIZE
GAPS = np.diff(TIMES)
COUNTED = [sku % 1000 for sku in Counter(SKUS)], Counter(SKUS).values()
DEFINITIONS = definitions_from_text(
    """
behaviors: { view: View, cart_add: Cart, buy: Buy }
traits: { usual: avg(any.total) }
segments: { buyers: { when: did(buy) } }
"""
)
VALUES: dict[str, object] = {
    "count(any, last=30d)": sum(time > NOW - 30 * DAY for time in TIMES),
    "sum(any.total)": sum(TOTALS),
    "median(any.total)": Decimal(float(np.median(TOTALS))),
    "count_distinct(any.sku)": len(set(SKUS)),
    "max_count_by(any.sku)": max(Counter(SKUS).values()),
    "max_sum_by(any.total, by=sku)": max(total * often for total, often in zip(*COUNTED, strict=True)),
    "nth(any.sku, 1000)": f"s{SKUS[999]}",
    "nth(any, 1000) == first(any)": False,
    'gap(any, "cv")': Decimal(float(np.std(GAPS) / np.mean(GAPS))).quantize(Decimal("1e-6")),
    "ntile(count(any), 2)": 2,
    "count(any[total > me.usual])": sum(total > USUAL for total in TOTALS),
}
CHAINS = {
    "sequence(view, cart_add, buy)": True,
    "sequence(view, not buy, cart_add, within=1d, gap=1h)": True,
    "sequence(view, not buy, within=1h)": True,
    "sequence(view, cart_add, buy[total > 1000])": False,
    "sequence(view, not buy, cart_add[total > 1000])": False,
    "sequence(view, cart_add, buy[total > 1000], gap=1mo, within=3mo)": False,
    "sequence(view, cart_add, buy[total > 1000], same=sku)": False,
    "sequence(view, view, view, view, view[total > 1000], strict=true)": False,
    "sequence(view, cart_add, not any, within=30d)": True,
    "sequence(view, not buy, cart_add, not any, within=1mo)": False,
}
"""Where no chain exists, all of the history was looked at."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("long"), create=True, buckets=1) as found:
        rows = enumerate(zip(TIMES, NAMES, SKUS, TOTALS, strict=True))
        events = [
            Event(time, name, str(number), properties={"sku": f"s{sku}", "total": Decimal(total)})
            for number, (time, name, sku, total) in rows
        ]
        add(found, {"ada": events, "bob": events[:3]})
        yield found


@pytest.mark.slow
def test_every_kind_of_question_is_answered(store: Store) -> None:
    asked = {text: Trait(text, parse_expression(text)) for text in (*VALUES, *CHAINS)}
    definitions = replace(DEFINITIONS, traits={**DEFINITIONS.traits, **asked})
    engine = Engine(store, definitions, Settings(), names=tuple(asked))
    (answers,) = engine.evaluate(NOW)
    position = engine.roster(0).to_pylist().index("ada")
    assert {text: answers.traits[text][position].as_py() for text in asked} == {**VALUES, **CHAINS}


@pytest.mark.slow
def test_following_a_segment_through_it_is_refused_by_name(store: Store) -> None:
    asked = {"asked": parse_expression("was_in(buyers, at=now() - 30d)")}
    engine = Engine(store, DEFINITIONS, Settings(), names=(), extra=asked)
    with pytest.raises(Unsupported, match=r"E_LONG_HISTORY"):
        list(engine.values(NOW, "asked"))
    early = TIMES[100]
    assert [column.to_pylist() for _, column in engine.values(early, "asked")] == [[False, False]]
