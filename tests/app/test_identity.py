"""`identity` and `unmerge`, on the command line and in Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import run

import ethogram
from ethogram.model.errors import DataError

CALLS = """
{"type":"track","event":"Viewed","anonymousId":"cookie-1","timestamp":"2026-01-01T12:00:00Z","messageId":"m1"}
{"type":"identify","userId":"u17","anonymousId":"cookie-1","traits":{"email":"Ann@Example.org"},"timestamp":"2026-01-02T12:00:00Z","messageId":"m2"}
{"type":"identify","anonymousId":"cookie-2","traits":{"email":"ann@example.org"},"timestamp":"2026-01-03T15:00:00Z","messageId":"m4"}
{"type":"track","event":"Viewed","anonymousId":"cookie-2","timestamp":"2026-01-03T15:30:00Z","messageId":"m5"}
{"type":"identify","userId":"u20","anonymousId":"cookie-1","timestamp":"2026-01-05T13:00:00Z","messageId":"m6"}
{"type":"track","event":"Viewed","anonymousId":"cookie-1","timestamp":"2026-01-06T12:00:00Z","messageId":"m7"}
"""
SHOWN = """\
cookie-2 is u17.
u17 has 3 ids; answers are given under u17.

id        kind       events  first       last
u17       customer        1  2 Jan 2026  2 Jan 2026
cookie-1  anonymous       1  1 Jan 2026  1 Jan 2026
cookie-2  anonymous       2  3 Jan 2026  3 Jan 2026

cookie-1: what came before 5 Jan 2026, 13:00 is u17's. Another customer was seen
with it then; what came since belongs to nobody known.

Links
   between                             first seen  in       used
1  u17 and anonymous cookie-1          2 Jan 2026  web, m2  yes
2  u17 and email ann@example.org       2 Jan 2026  web, m2  yes
3  cookie-2 and email ann@example.org  3 Jan 2026  web, m4  yes
4  u20 and anonymous cookie-1          5 Jan 2026  web, m6  no, shared with u17

A wrong one: ethogram unmerge NUMBER
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "definitions").mkdir()
    (tmp_path / "ethogram.toml").write_text('name = "shop"\n[sources.web]\nfiles = "web.jsonl"\n')
    (tmp_path / "definitions" / "all.yml").write_text(
        "behaviors: { view: Viewed }\ntraits: { views: count(view) }\nsegments: { viewers: { when: did(view) } }\n"
    )
    (tmp_path / "web.jsonl").write_text(CALLS.lstrip())
    ethogram.open(tmp_path).load()
    return tmp_path


def test_a_person_is_shown_with_reasons(shop: Path) -> None:
    shown = run("identity", "cookie-2", "--project", str(shop))
    assert shown.exit_code == 0
    assert shown.stdout == SHOWN
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_a_shared_cookie_says_what_is_not_its_own(shop: Path) -> None:
    shown = run("identity", "cookie-1", "--project", str(shop))
    assert "what came before 5 Jan 2026, 13:00 is the first customer's" in " ".join(shown.stdout.split())
    found = json.loads(run("identity", "cookie-1", "--project", str(shop), "--json").stdout)
    assert found["customer"] == "cookie-1"
    assert [(one["id"], one["events"], one["since"]) for one in found["ids"]] == [
        ("cookie-1", 1, "2026-01-05T13:00:00Z")
    ]


def test_a_link_is_taken_back_and_used_again(shop: Path) -> None:
    project = ethogram.open(shop)
    project.refresh()
    assert {row["customer"] for row in project.members("viewers").to_pylist()} == {"u17", "cookie-1"}
    taken = run("unmerge", "3", "--project", str(shop))
    assert taken.stdout.splitlines()[0] == "3: cookie-2 and email ann@example.org: taken back."
    assert "Who is one person changed for 2 ids" in " ".join(
        run("doctor", "--project", str(shop)).stdout.split()
    )
    assert project.identity("cookie-2").name == "cookie-2"
    assert [one.state for one in project.identity("u17").evidence] == ["used", "used", "shared"]
    project.refresh()
    assert {row["customer"] for row in project.members("viewers").to_pylist()} == {
        "u17",
        "cookie-1",
        "cookie-2",
    }
    assert project.unmerge(3) == 0
    assert json.loads(run("unmerge", "3", "--restore", "--project", str(shop), "--json").stdout) == {
        "links": [3],
        "restored": True,
        "changed": 1,
    }
    assert project.identity("cookie-2").name == "u17"
    assert project.unmerge(4) == 1  # nobody else was seen with the cookie, then
    assert project.identity("cookie-1").ids[1].until is None
    project.refresh()
    assert project.members("viewers", columns=["views"])["views"].to_pylist() == [3]


def test_what_there_is_not_is_said(shop: Path) -> None:
    assert "E_UNKNOWN_CUSTOMER" in run("identity", "u99", "--project", str(shop)).stderr
    with pytest.raises(DataError, match="no link 99"):
        ethogram.open(shop).unmerge(99)


def test_somebody_without_links_is_a_person_too(shop: Path) -> None:
    (shop / "web.jsonl").write_text(
        '{"type":"track","event":"Viewed","userId":"u1","timestamp":"2026-01-01T12:00:00Z"}\n'
    )
    ethogram.open(shop).load()
    assert run("identity", "u1", "--project", str(shop)).stdout == (
        "u1 has 1 id; answers are given under u1.\n\n"
        "id  kind      events  first       last\nu1  customer       1  1 Jan 2026  1 Jan 2026\n"
    )
