from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from oracle import DAY, ENGINES, HOUR, definitions, event, load, make_engine, shop

from ethogram.engines.answers import Evaluator
from ethogram.language.tree import Definitions
from ethogram.membership.explain import Explanation, as_text, explain, say_moment
from ethogram.membership.layers import LayerWriter
from ethogram.membership.over_time import changes, flow, history
from ethogram.membership.plan import count, plan
from ethogram.membership.reading import a_month_before, members, midnights, segments
from ethogram.membership.record import last_refresh, layer_paths, recorded_answers
from ethogram.membership.refresh import refresh
from ethogram.membership.staleness import staleness
from ethogram.membership.verify import verify
from ethogram.model.errors import DataError, DefinitionError
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import Store

T = 1_700_000_000_000_000  # 14 Nov 2023 22:13:20 UTC
SETTINGS = Settings(timezone="Europe/London")
TEXT = """
behaviors:
  purchase: { event: Ordered, where: total > 0 }
  view: Viewed
traits:
  spend: sum(purchase.total)
  favorite: most_frequent(purchase.category)
segments:
  buyers: { when: "did(purchase, last=10d)" }
  good: { when: "count(purchase) >= 3 and spend > 140.5 and not did(view, last=7d)" }
  dear: { when: "top(spend, 1)" }
segmentations:
  level:
    groups:
      often: "count(purchase, last=10d) >= 2"
      once: did(purchase, last=10d)
      never: otherwise
"""
MEANT = definitions(TEXT)


@pytest.fixture(params=ENGINES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with shop(tmp_path) as found:
        load(
            found,
            [
                event("ann", T, "Ordered", "1", total=20, category="Tea"),
                event("ann", T + DAY, "Viewed", "2"),
                event("bob", T - 20 * DAY, "Ordered", "3", total=60, category="Cups"),
                event("cem", T + DAY, "Viewed", "4"),
            ],
        )
        yield found


def engine(kind: str, store: Store, meant: Definitions = MEANT) -> Evaluator:
    return make_engine(kind, store, meant, SETTINGS)


def refreshed(kind: str, store: Store, as_of: Moment, meant: Definitions = MEANT) -> Evaluator:
    made = engine(kind, store, meant)
    refresh(store, made, meant, SETTINGS, as_of=as_of, publish=False)
    return made


def test_segments_with_shares_and_change(kind: str, store: Store) -> None:
    made = refreshed(kind, store, T + DAY)
    spend = engine(kind, store, replace(MEANT, traits={"spend": MEANT.traits["spend"]}))
    found = segments(store, made, before=T - DAY, revenue=spend)
    lines = {line.full_name: (line.size, line.before, line.change) for line in found.lines}
    assert (found.customers, found.as_of) == (3, T + DAY)
    assert lines["buyers"] == (1, 0, 1)
    assert [lines[f"level.{group}"] for group in ("often", "once", "never")] == [
        (0, 0, 0),
        (1, 0, 1),
        (2, 1, 1),
    ]
    shares = {line.full_name: (line.share, line.revenue_share) for line in found.lines}
    assert shares["buyers"] == (1 / 3, 0.25)
    assert found.lines[-1].as_json()["segmentation"] == "level"
    assert {line.full_name: line.size for line in segments(store, made, as_of=T - DAY).lines}["buyers"] == 0


def test_members_with_columns_and_since(kind: str, store: Store) -> None:
    refreshed(kind, store, T + DAY)
    load(store, [event("cem", T + 2 * DAY, "Ordered", "5", total=5, category="Tea")])
    made = refreshed(kind, store, T + 3 * DAY)
    rows = members(
        store, made, "buyers", columns=["spend", "favorite", "level", "dear", "level.often"]
    ).to_pylist()
    since = [row.pop("since") for row in rows]
    assert [(row["customer"], int(row.pop("spend"))) for row in rows] == [("ann", 20), ("cem", 5)]
    assert rows == [
        {"customer": "ann", "favorite": "Tea", "level": "once", "dear": False, "level.often": False},
        {"customer": "cem", "favorite": "Tea", "level": "once", "dear": False, "level.often": False},
    ]
    assert since[0] is None and int(since[1].timestamp() * 1_000_000) == T + 2 * DAY
    assert members(store, made, "level.never")["customer"].to_pylist() == ["bob"]
    assert members(store, made, "level")["group"].to_pylist() == ["once", "never", "once"]
    assert members(store, made, "buyers", as_of=T - 15 * DAY)["customer"].to_pylist() == ["bob"]
    then = members(store, made, "buyers", as_of=T + 2 * DAY + HOUR).to_pylist()
    assert [row["since"] is None for row in then] == [True, False]
    with pytest.raises(DefinitionError, match="Did you mean 'buyers'") as failure:
        members(store, made, "buyer")
    assert failure.value.code == "E_UNKNOWN_NAME"


def test_before_the_first_refresh(kind: str, store: Store) -> None:
    with pytest.raises(DataError, match="E_NOT_REFRESHED"):
        segments(store, engine(kind, store))
    assert "`ethogram refresh`" in staleness(store, MEANT, SETTINGS).advice()[0]


def test_history_marks_edits(kind: str, store: Store) -> None:
    refreshed(kind, store, T)
    longer = definitions(TEXT.replace("last=10d", "last=30d", 1))
    made = refreshed(kind, store, T + DAY, longer)
    found = history(store, made, "buyers", [T - 21 * DAY, T - DAY, T + DAY])
    assert found.sizes == {"": (0, 1, 2)}
    assert [(mark.at, mark.version) for mark in found.marks] == [(T + DAY, 2)]
    assert "30d" in found.marks[0].text
    assert history(store, made, "level", [T]).sizes == {"often": (0,), "once": (1,), "never": (1,)}


def test_flow_between_two_moments(kind: str, store: Store) -> None:
    found = flow(engine(kind, store), "level", T - 15 * DAY, T + DAY)
    assert found.groups == ("often", "once", "never", "")
    assert found.counts == ((0, 0, 0, 0), (0, 0, 1, 0), (0, 0, 0, 0), (0, 1, 1, 0))


def test_changes_as_a_table(kind: str, store: Store) -> None:
    refreshed(kind, store, T + DAY)
    refreshed(kind, store, T + 20 * DAY)
    table = changes(store, name="buyers")
    assert table.drop(["at", "seq"]).to_pylist() == [
        {
            "customer": "ann",
            "definition": "buyers",
            "change": "left",
            "from_group": "",
            "to_group": "",
            "refresh": 2,
            "version": 1,
        }
    ]
    assert changes(store, after=table["seq"][0].as_py(), name="buyers").num_rows == 0


def test_months_and_midnights_are_local() -> None:
    march = 1_711_846_800_000_000  # 31 Mar 2024 02:00 in London, an hour after the clocks went forward
    assert a_month_before(march, SETTINGS) == 1_709_172_000_000_000  # 29 Feb 2024 02:00
    assert midnights(march, 2, SETTINGS) == (1_711_756_800_000_000, 1_711_843_200_000_000, march)


def test_plan_tells_who_would_enter_and_leave(kind: str, store: Store) -> None:
    refreshed(kind, store, T + DAY)
    edited = TEXT.replace("last=10d", "last=30d", 1).replace(
        'often: "count(purchase, last=10d) >= 2"', 'often: "count(purchase) >= 1"'
    )
    edited = edited.replace('dear: { when: "top(spend, 1)" }', "seen: { when: did(view) }")
    meant = definitions(edited)
    found = plan(store, engine(kind, store, meant), meant, SETTINGS)
    lines = {line.name: line for line in found.lines}
    assert found.customers == 3 and set(lines) == {"buyers", "level", "seen", "dear"}
    buyers = lines["buyers"]
    assert (buyers.edit, buyers.before, buyers.after, buyers.enter, buyers.entering) == (
        "edited",
        1,
        2,
        1,
        ("bob",),
    )
    assert lines["level"].moves == {("never", "often"): 1, ("once", "often"): 1}
    assert (lines["seen"].edit, lines["seen"].after, lines["seen"].enter) == ("new", 2, 2)
    assert (lines["dear"].edit, lines["dear"].leave) == ("removed", 1)
    assert plan(store, engine(kind, store), MEANT, SETTINGS).lines == ()


def test_count_says_how_many_and_what_it_means(kind: str, store: Store) -> None:
    found = count(store, lambda some: engine(kind, store, some), MEANT, SETTINGS, "count(purchase) >= 1")
    assert (found.size, found.customers, found.as_of) == (2, 3, T + DAY)
    assert found.sentence.startswith("Customers")
    with pytest.raises(DefinitionError, match="E_NOT_A_CONDITION"):
        count(store, lambda some: engine(kind, store, some), MEANT, SETTINGS, "count(purchase)")


def test_verify_finds_nothing_where_all_is_well(kind: str, store: Store) -> None:
    made = refreshed(kind, store, T + DAY)
    found = verify(store, made, MEANT, SETTINGS, engine_for=lambda some: engine(kind, store, some))
    assert (found.is_equal, found.sampled, found.is_current, found.stale) == (True, 3, True, ())
    assert found.compared == 3 * 4 + 3 * 6
    load(store, [event("cem", T + DAY, "Ordered", "9", total=5)])
    later = verify(store, engine(kind, store), MEANT, SETTINGS, sample=1, customers=["cem"])
    assert (later.is_equal, later.is_current) == (True, False)


def test_verify_reads_sets_as_the_engine_writes_them(kind: str, store: Store) -> None:
    meant = definitions(
        "traits: { categories: values(any.category), totals: values(any.total), gifts: values(any.gift) }"
    )
    load(store, [event("ann", T, "Ordered", "10", total=Decimal("0.5"), category="cups", gift=True)])
    made = refreshed(kind, store, T + DAY, meant)
    assert verify(store, made, meant, SETTINGS).differences == ()
    (totals,) = explain(store, meant, SETTINGS, "ann", ["totals"], as_of=T + DAY)
    assert totals.answer == "0.5, 20"


def test_verify_finds_a_wrong_record(kind: str, store: Store) -> None:
    made = refreshed(kind, store, T + DAY)
    last = last_refresh(store)
    assert last
    recorded = recorded_answers(store, last)
    (path,) = layer_paths(store, last)
    with LayerWriter(store.disk, path, recorded.columns, recorded.generation, is_base=True) as writer:
        for bucket in range(store.buckets):
            positions = recorded.positions(bucket)
            rows = recorded.rows(bucket, positions)
            rows.words[:, 0] ^= 1
            writer.add(bucket, positions, recorded.customers(bucket), rows, recorded.due(bucket))
    found = verify(store, made, MEANT, SETTINGS)
    assert not found.is_equal and {one.name for one in found.differences} == {"buyers"}
    assert found.differences[0].of == ("recorded", "engine")


def explained(
    kind: str, store: Store, customer: str, *names: str, as_of: Moment = T + DAY
) -> tuple[Explanation, ...]:
    def engine_for(some: Definitions) -> Evaluator:
        return engine(kind, store, some)

    return explain(store, MEANT, SETTINGS, customer, names, as_of=as_of, engine_for=engine_for)


def test_explain_why_in_and_until_when(kind: str, store: Store) -> None:
    (found,) = explained(kind, store, "ann", "buyers")
    assert (found.answer, found.since, found.time_changes_at, found.time_changes_to) == (
        "in",
        T,
        T + 10 * DAY,
        "out",
    )
    assert found.tree
    (condition,) = found.tree.children
    assert condition.holds and [(one.at, one.id) for one in condition.events] == [(T, "1")]
    assert found.changes[0].ways == (("no purchase until 24 Nov 2023 22:13:20",),)


def test_explain_what_would_change_it(kind: str, store: Store) -> None:
    (found,) = explained(kind, store, "ann", "good")
    assert found.answer == "out" and found.changes[0].to == "in"
    steps = (
        "2 more purchases",
        "more than 120.5 more of purchase.total",
        "no view until 22 Nov 2023 22:13:20",
    )
    assert found.changes[0].ways == (steps,)
    text = as_text(found, SETTINGS)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "count(purchase) = 1" in text


def test_explain_advises_nothing_that_cannot_be(kind: str, store: Store) -> None:
    meant = definitions(
        """
        behaviors: { purchase: Ordered }
        traits: { orders: count(purchase) }
        segments:
          lapsing: { when: "orders >= 1 and days_since(last(purchase)) > 0.5" }
          once: { when: "count(purchase) == 0" }
          fresh: { when: "first_time(purchase, last=1h)" }
        """
    )
    found = explain(store, meant, SETTINGS, "ann", as_of=T + DAY)
    said = {one.name: [way for change in one.changes for way in change.ways] for one in found}
    assert said == {"lapsing": [("1 purchase",)], "once": [], "fresh": []}


def test_explain_how_many_more_an_nth_event_takes_and_how_much_a_largest_sum(kind: str, store: Store) -> None:
    meant = definitions(
        """
        behaviors: { purchase: Ordered }
        traits: { third: "nth(purchase, 3)" }
        segments:
          again: { when: third is known }
          began: { when: "nth(purchase, 1) is known" }
          before: { when: "nth(purchase, 2, until=now() - 1d) is known" }
          faithful: { when: "max_sum_by(purchase.total, by=shop) >= 100" }
        """
    )
    found = explain(store, meant, SETTINGS, "ann", as_of=T + DAY)
    said = {one.name: [way for change in one.changes for way in change.ways] for one in found}
    assert said == {
        "again": [("2 more purchases",)],
        "began": [],
        "before": [("nth(purchase, 2, until=now() - 1d) is known holds",)],
        "faithful": [("100 more of purchase.total of one shop",)],
    }


def test_moments_are_written_with_seconds_only_where_they_matter() -> None:
    texts = [say_moment(moment, Settings(timezone="UTC")) for moment in (T + 1, T - 20_000_000 + 1)]
    assert texts == ["14 Nov 2023 22:13:20", "14 Nov 2023 22:13"]


def test_explain_a_group_and_all_at_once(kind: str, store: Store) -> None:
    (level,) = explained(kind, store, "ann", "level.often")
    assert (level.answer, level.since) == ("once", T)
    assert [(change.to, change.ways) for change in level.changes] == [("often", (("1 more purchase",),))]
    assert (level.time_changes_at, level.time_changes_to) == (T + 10 * DAY, "never")
    every = explained(kind, store, "ann")
    assert [one.name for one in every] == ["buyers", "good", "dear", "level"]
    assert all(one.as_json()["customer"] == "ann" for one in every)


def test_explain_what_depends_on_everybody(kind: str, store: Store) -> None:
    (ann,), (bob,) = explained(kind, store, "ann", "dear"), explained(kind, store, "bob", "dear")
    assert (ann.answer, bob.answer) == ("out", "in")
    assert "everybody" in bob.note
    (spend,) = explained(kind, store, "bob", "spend")
    assert spend.answer == "60" and "spend of bob: 60" in as_text(spend, SETTINGS)


def test_explain_in_the_past_and_for_nobody(kind: str, store: Store) -> None:
    (found,) = explained(kind, store, "bob", "buyers", as_of=T - 15 * DAY)
    assert (found.answer, found.time_changes_at) == ("in", T - 10 * DAY)
    with pytest.raises(DataError, match="E_UNKNOWN_CUSTOMER"):
        explained(kind, store, "nobody")
    with pytest.raises(DefinitionError):
        explained(kind, store, "bob", "purchase")


def test_staleness_tells_what_to_do(kind: str, store: Store) -> None:
    refreshed(kind, store, T + DAY)
    fresh = staleness(store, MEANT, SETTINGS)
    assert (fresh.is_stale, fresh.advice()) == (False, ())
    load(store, [event("dee", T + 40 * DAY, "Viewed", "8")])
    old = staleness(store, definitions(TEXT.replace("last=10d", "last=20d", 1)), SETTINGS)
    assert (old.unseen, old.edits.edited) == (1, {"buyers"})
    assert len(old.advice()) == 2
