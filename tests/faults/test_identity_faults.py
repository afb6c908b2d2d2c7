"""Cases F01 to F06: ids that are one person, from files to the record."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

import ethogram
from ethogram.identity.recording import take_back
from ethogram.identity.rules import Rules
from ethogram.ingest.config import read_config
from ethogram.ingest.load import LoadReport, load
from ethogram.membership.refresh import RefreshReport
from ethogram.store import Store

TOML = """
name = "shop"
[sources.web]
files = "web*.jsonl"
"""
DEFINITIONS = """
behaviors: { view: Viewed, buy: Bought }
traits: { views: count(view), buys: count(buy) }
segments:
  viewers: { when: did(view) }
  buyers_who_viewed: { when: did(view) and did(buy) }
"""


class Shop:
    """A project whose one source speaks the Segment protocol; a day of January 2026 is the time of each call."""

    def __init__(self, folder: Path, toml: str = TOML) -> None:
        self.folder = folder
        self.count = 0
        (folder / "ethogram.toml").write_text(toml)
        (folder / "definitions").mkdir()
        (folder / "definitions" / "all.yml").write_text(DEFINITIONS)
        self.tell(buy(1, "somebody"))

    def tell(self, *calls: Mapping[str, object]) -> None:
        self.count += 1
        lines = []
        for number, call in enumerate(calls):
            day = call.get("day", 1)
            whole = {"type": "track", "timestamp": f"2026-01-{day:02}T12:00:00Z", "messageId": f"{self.count}-{number}"}  # fmt: skip
            lines.append(json.dumps(whole | {key: value for key, value in call.items() if key != "day"}))
        (self.folder / f"web{self.count:03}.jsonl").write_text("\n".join(lines) + "\n")

    def load(self) -> LoadReport:
        with Store.open(self.folder, create=True) as store:
            return load(store, read_config(self.folder))[0]

    def refresh(self) -> RefreshReport:
        return ethogram.open(self.folder).refresh(as_of="2026-02-01")

    def views(self) -> dict[str, tuple[int, int]]:
        """How often each viewer viewed and bought."""
        found = ethogram.open(self.folder).members("viewers", columns=["views", "buys"]).to_pylist()
        return {row["customer"]: (int(row["views"]), int(row["buys"])) for row in found}

    def is_verified(self) -> bool:
        return ethogram.open(self.folder).verify().is_equal


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def view(day: int, anonymous: str | None = None, user: str | None = None) -> dict[str, object]:
    who = {"anonymousId": anonymous, "userId": user}
    return {"event": "Viewed", "day": day, **{key: value for key, value in who.items() if value is not None}}


def buy(day: int, user: str) -> dict[str, object]:
    return {"event": "Bought", "day": day, "userId": user}


def identify(day: int, user: object, anonymous: str | None = None, **traits: object) -> dict[str, object]:
    return {"type": "identify", "day": day, "userId": user, "anonymousId": anonymous, "traits": traits}


def alias(user: str, previous: str) -> dict[str, object]:
    return {"type": "alias", "userId": user, "previousId": previous}


def owners(store: Store) -> dict[str, str]:
    return {row["customer"]: row["owner"] for row in store.persons.owned(store.sequence).to_pylist()}


def test_f01_aliases_in_circles_and_chains(shop: Shop) -> None:
    calls = [alias("a", "b"), alias("b", "c"), alias("c", "a"), alias("d", "d")]
    calls += [alias(f"n{number:05}", f"n{number + 1:05}") for number in range(10_000)]
    shop.tell(*random.Random(3).sample(calls, len(calls)))
    shop.load()
    shop.tell(alias("n10000", "m0"))
    shop.load()
    with Store.open(shop.folder) as store:
        found = owners(store)
    assert {name: found.get(name) for name in "abcd"} == {"a": None, "b": "a", "c": "a", "d": None}
    assert len(found) == 2 + 10_001 and set(found.values()) == {
        "a",
        "n00000",
    }  # n00000 is a customer, m0 is not


def test_f02_a_kiosk_does_not_merge(shop: Shop) -> None:
    device = {"context": {"device": {"id": "kiosk"}}}
    shop.tell(
        *(view(2, user=f"u{number}") | device for number in range(2_000)), view(3, anonymous="a") | device
    )
    report = shop.load()
    assert [note for note in report.notes if "E_ID_LIMIT" in note] == list(report.notes)
    assert len(report.notes) == 1 and report.notes[0].startswith("2,000 new links")
    shop.refresh()
    assert len(shop.views()) == 2_001


PLACEHOLDERS = [
    "null",
    "0",
    "undefined",
    "[object Object]",
    "'anonymous'",
    "00000000-0000-0000-0000-000000000000",
    " ",
    "NaN",
    None,
]


def test_f03_placeholders_never_merge(shop: Shop) -> None:
    for number, placeholder in enumerate(PLACEHOLDERS):
        shop.tell(
            view(1, anonymous=f"a{number}"),
            view(2, anonymous=f"a{number}", user=placeholder),
            identify(3, f"u{number}", f"b{number}", email="test@test.com"),
        )
    report = shop.load()
    assert "E_ID_BLOCKED" in report.notes[0] and len(report.notes) == 1
    shop.refresh()
    assert shop.views() == {f"a{number}": (2, 0) for number in range(len(PLACEHOLDERS))}
    with Store.open(shop.folder) as store:
        assert owners(store) == {f"b{number}": f"u{number}" for number in range(len(PLACEHOLDERS))}


def test_f04_the_second_on_a_device_gets_nothing_of_the_first(shop: Shop) -> None:
    shop.tell(
        view(1, "cookie"), view(2, "cookie"), identify(3, "u1", "cookie"), view(4, "cookie", "u1"),
        view(5, "cookie"), identify(6, "u2", "cookie"), view(7, "cookie", "u2"), view(8, "cookie"),
    )  # fmt: skip
    shop.load()
    shop.refresh()
    assert shop.views() == {"u1": (4, 0), "u2": (1, 0), "cookie": (1, 0)}
    assert shop.is_verified()


def test_f05_the_same_merge_from_many_sides_and_a_kill(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.tell(view(1, "a"), identify(2, "u", "a"), identify(3, "u", "b"), view(4, "b"))

    class Killed(BaseException):
        pass

    def dies(store: Store, point: str) -> None:
        if point == "ledger.before-commit":
            raise Killed

    with Store.open(shop.folder, create=True) as store:
        config, failures = read_config(shop.folder), []
        monkeypatch.setattr(store.disk, "reached", lambda point: dies(store, point))
        with pytest.raises(Killed):
            load(store, config)
        assert owners(store) == {} and store.persons.links(["u"]) == ()
        monkeypatch.undo()

        def work() -> None:
            try:
                load(store, config, force=True)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert owners(store) == {"a": "u", "b": "u"}
        assert len(store.persons.links(["u"])) == 2
    shop.refresh()
    assert shop.views() == {"u": (2, 0)}


def test_f06_a_wrong_merge_is_taken_back_and_exits_are_sent_once(shop: Shop) -> None:
    shop.tell(view(1, "a"), buy(2, "u"), view(3, "other", "w"))
    shop.load()
    shop.refresh()
    before = shop.views()
    shop.tell(identify(4, "u", "a"))
    shop.load()
    merged = shop.refresh()
    assert (merged.entered, merged.left) == (2, 1)  # u views and bought; a is nobody any more
    assert shop.views() == {"u": (1, 1), "w": (1, 0)}
    assert shop.is_verified()

    with Store.open(shop.folder) as store:
        wrong = next(link for link in store.persons.links(["u"]) if link.value == "a")
        with store.writing("unmerge") as writing:
            assert take_back(store, writing, Rules(), [wrong.id]).persons == 1
    parted = shop.refresh()
    assert (parted.entered, parted.left) == (1, 2)
    assert shop.views() == before
    again = shop.refresh()
    assert (again.entered, again.left, again.evaluated) == (0, 0, 0)
    feed = ethogram.open(shop.folder).changes()
    left = [(row["customer"], row["definition"]) for row in feed.to_pylist() if row["change"] == "left"]
    assert sorted(left) == [("a", "viewers"), ("u", "buyers_who_viewed"), ("u", "viewers")]
    shop.load()
    with Store.open(shop.folder) as store:
        load(store, read_config(shop.folder), force=True)  # the same evidence does not bring it back
        assert "a" not in owners(store)
    assert shop.is_verified()


def _stays(store: Store) -> Sequence[object]:
    return store.memory.intervals()


def test_a_merge_is_as_if_it_had_been_known_from_the_start(shop: Shop, tmp_path: Path) -> None:
    """Answers and stays; the feed says what changed."""
    shop.tell(view(1, "a"), buy(2, "u"))
    shop.load()
    ethogram.open(shop.folder).refresh(as_of="2026-01-01")
    shop.refresh()
    shop.tell(identify(3, "u", "a"))
    shop.load()
    shop.refresh()
    (tmp_path / "second").mkdir()
    second = Shop(tmp_path / "second")
    second.tell(view(1, "a"), buy(2, "u"))
    second.tell(identify(3, "u", "a"))
    second.load()
    ethogram.open(second.folder).refresh(as_of="2026-01-01")
    second.refresh()
    assert shop.views() == second.views() == {"u": (1, 1)}
    with Store.open(shop.folder) as one, Store.open(second.folder) as other:
        assert _stays(one) == _stays(other)
    past = ethogram.open(shop.folder).members("viewers", as_of="2026-01-01 18:00")
    assert past["customer"].to_pylist() == ["u"]  # today's identities in the past


def test_where_tapes_were_lost_the_record_still_sees_who_became_somebody_else_leave(shop: Shop) -> None:
    from shutil import rmtree

    shop.tell(view(1, "a"), buy(2, "u"))
    shop.load()
    shop.refresh()
    shop.tell(identify(3, "u", "a"))
    shop.load()
    rmtree(shop.folder / ".ethogram" / "tapes")
    merged = shop.refresh()
    assert (merged.entered, merged.left) == (2, 1)


def test_columns_say_who_is_who(tmp_path: Path) -> None:
    toml = """
country = "GB"
[sources.shop]
files = "shop.csv"
customer = "id"
time = "at"
event = "Bought"
ids = { email = "mail", phone = "phone" }
[sources.news]
files = "news.csv"
select = "select reader as anonymous, day as time, 'Viewed' as event, mail as \\"ids.email\\", phone as \\"ids.phone\\" from files"
types = { phone = "text" }
"""
    shop = Shop(tmp_path, toml)
    (tmp_path / "shop.csv").write_text(
        "id,at,mail,phone\n7,2026-01-02,Ann@Example.org,020 7946 0018\n8,2026-01-02,no address,\n"
    )
    (tmp_path / "news.csv").write_text(
        "reader,day,mail,phone\nr1,2026-01-01,ann@example.org,\nr2,2026-01-01,,+442079460018\nr3,2026-01-01,bob@example.org,\n"
    )
    pytest.importorskip("phonenumbers", reason="the extra `phones`")
    with Store.open(tmp_path, create=True) as store:
        reports = load(store, read_config(tmp_path))
        assert owners(store) == {"r1": "7", "r2": "7"}
        assert [len(report.notes) for report in reports] == [1, 0] and "E_ID_UNREADABLE" in reports[0].notes[
            0
        ]
        assert "mail" not in {name for one in store.properties() for name in one.path}
    shop.refresh()
    assert shop.views() == {"7": (2, 1), "r3": (1, 0)}


def test_edited_rules_count_with_the_next_load(shop: Shop) -> None:
    shop.tell(identify(1, "u1", None, email="x@y.org"), identify(2, "u2", None, email="x@y.org"))
    shop.load()
    (shop.folder / "ethogram.toml").write_text(TOML + "[identity.limits]\ncustomer = 2\n")
    shop.tell(view(3, "c"))
    shop.load()
    with Store.open(shop.folder) as store:
        assert owners(store) == {"u2": "u1"}
    (shop.folder / "ethogram.toml").write_text(TOML + '[identity]\nblock = ["X@y.org"]\n')
    shop.tell(view(4, "c"))
    shop.load()
    with Store.open(shop.folder) as store:
        assert owners(store) == {}


def test_what_was_loaded_before_links_were_kept_is_read_from_the_lake(shop: Shop) -> None:
    shop.tell(view(1, "a"), identify(2, "u", "a"), alias("u", "old"), buy(3, "old"))
    shop.load()
    shop.refresh()
    with Store.open(shop.folder) as store, store.ledger.transaction() as ledger:
        for table in ("links", "owners"):
            ledger.execute(f"DELETE FROM {table}")
        ledger.execute("DELETE FROM settings")
        ledger.execute("INSERT INTO settings VALUES ('links', 'to be read from the lake')")
    shop.load()
    shop.refresh()
    with Store.open(shop.folder) as store:
        assert owners(store) == {"a": "old", "u": "old"} or owners(store) == {"a": "u", "old": "u"}
        assert store.memory.setting("links") is None
    assert shop.is_verified()


def test_people_on_lists_are_those_of_any_of_their_ids(shop: Shop) -> None:
    path = shop.folder / "definitions" / "all.yml"
    path.write_text(
        DEFINITIONS
        + "  staff_viewers: { when: 'did(view) and in_list(\"staff\")' }\nlists: { staff: { customers: [a] } }\n"
    )
    shop.tell(view(1, "a"), view(1, "b"), identify(2, "u", "a"))
    shop.load()
    shop.refresh()
    assert ethogram.open(shop.folder).members("staff_viewers")["customer"].to_pylist() == ["u"]
    assert shop.is_verified()
    found = ethogram.open(shop.folder).explain("a", "staff_viewers")
    assert (found[0].customer, found[0].answer) == ("u", "in")


def test_sizes_over_time_are_of_persons(shop: Shop) -> None:
    shop.tell(view(1, "a"), view(2, "b"), identify(3, "u", "a"), identify(4, "u", "b"))
    shop.load()
    shop.refresh()
    history = ethogram.open(shop.folder).history("viewers", days=40)
    assert set(history["size"].to_pylist()) == {0, 1}
    assert isinstance(history, pa.Table)
