"""Definition files: what they mean, what YAML would do to them, and where a mistake is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.language.files import definitions_from_text, load_definitions
from ethogram.language.parser import parse_expression, parse_filter
from ethogram.language.tree import (
    Behavior,
    DefinitionTest,
    Duration,
    PeopleList,
    Segment,
    Segmentation,
    SegmentationGroup,
    TestEvent,
    Trait,
    Unless,
)
from ethogram.language.yamltree import Mapping, Scalar, read_yaml
from ethogram.model.errors import EthogramError, Problems


def errors(text: str) -> tuple[EthogramError, ...]:
    with pytest.raises(Problems) as caught:
        definitions_from_text(text, "definitions/shop.yml")
    for error in caught.value.errors:
        assert error.file == "definitions/shop.yml"
        assert error.line
        assert error.column
    return caught.value.errors


def mistake(text: str) -> EthogramError:
    (error,) = errors(text)
    return error


# --- the five kinds -------------------------------------------------------------------------------------------------


def test_behaviors() -> None:
    found = definitions_from_text(
        """
behaviors:
  view: Product Viewed
  contact: [Ticket Opened, "Chat: Started"]
  purchase:
    event: Order Completed
    where: total > 0
    unless: { event: Order Cancelled, same: order.id }
    each: products
    by: company
    title: Purchase
    description: >
      Somebody
      bought.
"""
    ).behaviors
    assert found["view"] == Behavior("view", ("Product Viewed",))
    assert found["contact"] == Behavior("contact", ("Ticket Opened", "Chat: Started"))
    assert found["purchase"] == Behavior(
        "purchase",
        ("Order Completed",),
        parse_filter("total > 0"),
        ("products",),
        Unless("Order Cancelled", ("order", "id")),
        True,
        "Purchase",
        "Somebody bought.",
    )


def test_traits_and_segments() -> None:
    found = definitions_from_text(
        """
traits:
  orders: count(purchase)
  spend: { value: sum(purchase.total), title: Spend }
segments:
  buyers: did(purchase)
  quiet:
    title: Quiet
    when: |
      not did(any,
              last=30d)
    purpose: marketing
    owner: me
"""
    )
    assert found.traits["orders"] == Trait("orders", parse_expression("count(purchase)"))
    assert found.traits["spend"] == Trait("spend", parse_expression("sum(purchase.total)"), "Spend")
    assert found.segments["buyers"] == Segment("buyers", parse_expression("did(purchase)"))
    quiet = parse_expression("not did(any, last=30d)")
    assert found.segments["quiet"] == Segment("quiet", quiet, "Quiet", "", "marketing", "me")


def test_segmentations() -> None:
    found = definitions_from_text(
        """
segmentations:
  level:
    title: Level
    groups:
      much: { when: orders > 3, title: A lot }
      some: orders > 0
      none: otherwise
  short: { groups: { all: { when: otherwise, title: All } } }
"""
    ).segmentations
    assert found["level"] == Segmentation(
        "level",
        (
            SegmentationGroup("much", parse_expression("orders > 3"), "A lot"),
            SegmentationGroup("some", parse_expression("orders > 0")),
            SegmentationGroup("none", None),
        ),
        "Level",
    )
    assert found["short"].groups == (SegmentationGroup("all", None, "All"),)


def test_lists() -> None:
    found = definitions_from_text(
        "lists:\n  a: lists/a.csv\n  b: [007, no]\n  c: { file: c.csv, title: C }\n"
    ).lists
    assert found["a"] == PeopleList("a", "lists/a.csv")
    assert found["b"] == PeopleList("b", customers=("007", "no"))
    assert found["c"] == PeopleList("c", "c.csv", title="C")


def test_tests_of_definitions() -> None:
    found = definitions_from_text(
        """
segments:
  s:
    when: did(purchase)
    tests:
      - name: bought
        at: 2026-01-15 12:00
        events:
          - { ago: 2d, do: purchase, total: 20.50, gift: true, tags: [a, 1], address: { city: London }, coupon: null }
          - { ago: 0s, do: identify, country: "NO", zip: "0123", when: 2026-01-01, at: 1:30 }
        expect: in
traits:
  t: { value: count(purchase), tests: [{ name: a, expect: -1.5 }, { name: b, expect: missing }, { name: c, expect: "missing" }] }
segmentations:
  g: { groups: { a: otherwise }, tests: [{ name: a, expect: a }] }
"""
    )
    bought = {
        "total": Decimal("20.5"),
        "gift": True,
        "tags": ("a", Decimal(1)),
        "address": {"city": "London"},
        "coupon": None,
    }
    identify = {"country": "NO", "zip": "0123", "when": "2026-01-01", "at": "1:30"}
    events = (
        TestEvent(Duration(2, "d"), "purchase", bought),
        TestEvent(Duration(0, "s"), "identify", identify),
    )
    assert found.segments["s"].tests == (DefinitionTest("bought", events, True, "2026-01-15 12:00"),)
    assert [test.expect for test in found.traits["t"].tests] == [Decimal("-1.5"), None, "missing"]
    assert [test.expect for test in found.segmentations["g"].tests] == ["a"]


def test_nothing_is_fine() -> None:
    for text in ("", "\n", "# only a comment\n", "segments:\n", "---\n", "\ufeffsegments: {}"):
        assert not definitions_from_text(text.removeprefix("\ufeff")).segments


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_project_s_folder(tmp_path: Path) -> None:
    folder = tmp_path / "definitions"
    folder.mkdir()
    (folder / "a.yml").write_bytes(b"\xef\xbb\xbfsegments:\r\n  s: did(a)\r\n")
    (folder / "b.yaml").write_text("traits:\n  t: count(a)\n")
    (folder / "c.txt").write_text("no")
    for source in (tmp_path, folder, [folder / "a.yml", folder / "b.yaml"]):
        found = load_definitions(source)
        assert (list(found.segments), list(found.traits)) == (["s"], ["t"])
    assert found.segments["s"].span is not None


def test_all_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("segments:\n  s: did(\n  t: cuont(a)\n")
    (tmp_path / "b.yml").write_text("segmnts: {}\ntraits:\n  x: 1 +\n  x: 2\n")
    (tmp_path / "c.yml").write_bytes(b"segments:\n  s: '\xff'\n")
    (tmp_path / "d.yml").write_text("segments: {\n")
    with pytest.raises(Problems) as caught:
        load_definitions(tmp_path)
    name = tmp_path.name
    assert [error.place.removeprefix(f"{name}/") for error in caught.value.errors] == [
        "a.yml:2:10",
        "a.yml:3:6",
        "b.yml:1:1",
        "b.yml:3:9",
        "b.yml:4:3",
        "c.yml:2:7",
        "d.yml:2:1",
    ]


def test_a_name_is_defined_once(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("segments:\n  s: did(a)\n")
    (tmp_path / "b.yml").write_text("\ntraits:\n  s: count(a)\n")
    with pytest.raises(Problems) as caught:
        load_definitions(tmp_path)
    (error,) = caught.value.errors
    assert error.code == "E_DUPLICATE"
    assert error.place == f"{tmp_path.name}/b.yml:3:3"
    assert f"{tmp_path.name}/a.yml:2:3" in str(error)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(Problems) as caught:
        load_definitions(tmp_path / "nothing.yml")
    assert caught.value.errors[0].code == "E_FILE"


# --- C07: YAML against its users ------------------------------------------------------------------------------------


def test_c07_alias_bomb() -> None:
    text = 'a: &a ["x","x","x"]\n' + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
    )
    assert "anchors" in mistake(text).message
    assert "aliases" in mistake("segments:\n  s: *a\n").message


def test_c07_python_objects() -> None:
    error = mistake("segments:\n  s: !!python/object/apply:os.system ['true']\n")
    assert (error.line, error.column) == (2, 6)
    assert "tags" in error.message


def test_c07_merge_keys() -> None:
    assert "merge keys" in mistake("segments:\n  s:\n    <<: { when: a }\n").message


def test_c07_duplicate_keys() -> None:
    error = mistake("segments:\n  s: did(a)\n  t: did(a)\n  s: did(b)\n")
    assert (error.code, error.line, error.column) == ("E_DUPLICATE", 4, 3)
    assert "definitions/shop.yml:2:3" in error.message
    assert mistake("segments:\n  s:\n    when: a\n    when: b\n").line == 4


@pytest.mark.parametrize(
    "word", ["no", "on", "yes", "off", "n", "NO", "True", "1:30", "2024-02-30", "=", "~", "null", "0x10"]
)
def test_c07_a_text_is_a_text(word: str) -> None:
    found = definitions_from_text(f"behaviors:\n  a: {word}\n  b: {{ event: X, title: {word} }}\n")
    assert found.behaviors["a"].events == (word,)
    assert found.behaviors["b"].title == word


def test_c07_keys_may_be_anything_a_name_may() -> None:
    found = definitions_from_text("segments:\n  no: did(a)\n  on: did(a)\n  null: did(a)\n")
    assert list(found.segments) == ["no", "on", "null"]


@pytest.mark.parametrize(
    "word", ["no", "on", "yes", "NO", "Off", "True", "012", "1e3", "0x10", "1_000", ".inf", ".NaN", "+1"]
)
def test_c07_values_that_can_be_read_in_two_ways(word: str) -> None:
    text = "segments:\n  s: {{ when: a, tests: [{{ name: a, expect: in, events: [{{ ago: 1d, do: a, x: {0} }}] }}] }}\n"
    error = mistake(text.format(word))
    assert (error.code, error.line, error.column) == ("E_YAML_QUOTE", 2, 78)
    assert definitions_from_text(text.format(f'"{word}"')).segments["s"].tests[0].events[0].properties == {
        "x": word
    }


def test_c07_dates_that_do_not_exist() -> None:
    error = mistake("segments:\n  s:\n    when: a\n    tests: [{ name: a, expect: in, at: 2024-02-30 }]\n")
    assert (error.code, error.line, error.column) == ("E_DATE", 4, 40)


def test_c07_5000_deep() -> None:
    assert "deeper than 20" in mistake("a: " + "[" * 5000).message
    assert "deeper than 20" in mistake("a: " + "{ a: " * 5000).message
    assert "deeper than 20" in mistake("\n".join(" " * n + "a:" for n in range(5000))[: 200 * 1024]).message


def test_c07_tabs() -> None:
    error = mistake("segments:\n\ts: did(a)\n")
    assert (error.line, error.column) == (2, 1)
    assert "a tab" in error.message


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f", "\ufffe"])
def test_c07_control_characters(character: str) -> None:
    error = mistake(f"segments:\n  s: did({character}a)\n")
    assert (error.line, error.column) == (2, 10)
    assert f"U+{ord(character):04X}" in error.message


def test_c07_2_mb(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("# " + "x" * 2_000_000)
    with pytest.raises(Problems) as caught:
        load_definitions(tmp_path)
    assert "256 KB" in str(caught.value)
    with pytest.raises(Problems, match="256 KB"):
        definitions_from_text("# " + "é" * 150_000)


def test_c07_two_documents() -> None:
    assert mistake("segments: {}\n---\nsegments: {}\n").line == 2


def test_c07_keys_that_are_no_text() -> None:
    assert "key is plain text" in mistake("segments:\n  ? [a]\n  : did(a)\n").message


@pytest.mark.parametrize(
    "text", ["- a", "text", "segments: text", "segments: [a]", "segments:\n  s: [a]", "traits:\n  t: {}"]
)
def test_c07_wrong_shapes(text: str) -> None:
    assert errors(text)


# --- expressions that YAML would eat --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("segments:\n  s: { when: f(a, b) }\n", 2, 19),
        ("segments:\n  s: { when: count(a, last=7d) > 3 }\n", 2, 23),
        ("segments:\n  s: { when: did(a[total > 1]) }\n", 2, 19),
        ('segments:\n  s: did("x # y")\n', 2, 10),
        ("segments:\n  s: did(x #1)\n", 2, 12),
        ("behaviors:\n  s: Product #1 Viewed\n", 2, 14),
        ('segments:\n  s: customer.a == "b: c"\n', 2, 22),
        ("segments:\n  s:\n    title: Cart: abandoned\n", 3, 16),
        ('segments:\n  s: "A".total > 5\n', 2, 9),
        ("segments:\n  s:\n    when: [a] == 3\n", 3, 15),
        ("segments:\n  s: [a]\n", 2, 6),
        ("segments:\n  s: `a` > 3\n", 2, 6),
        ("segments:\n  s: %a > 3\n", 2, 6),
        ("segments:\n  s: - a > 3\n", 2, 6),
        ("segments:\n  s: 'a' > 3\n", 2, 12),
    ],
)
def test_what_yaml_would_eat_is_answered_with_quote_this(text: str, line: int, column: int) -> None:
    error = mistake(text)
    assert (error.code, error.line, error.column) == ("E_YAML_QUOTE", line, column), str(error)
    assert "uote this" in error.hint


def test_comments_are_comments() -> None:
    found = definitions_from_text(
        'segments:\n  s: did(a) # it was\n  t: "did(a)" #quoted\n  u: > # folded\n    did(a)\n'
    )
    assert len(found.segments) == 3


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("segments:\n  s: did(a) and lst > 1 1\n", 2, 25),
        ("segments:\n  s: did(a)\n    and did(b) 1\n", 3, 16),
        ("segments:\n  s: 'did(a[b == \"it''s\"]) 1'\n", 2, 28),
        ('segments:\n  s: "did(a[b == \\"\\u0041\\"]) 1"\n', 2, 31),
        ('segments:\n  s: "did(a) \\\n      and did(b) 1"\n', 3, 18),
        ("segments:\n  s: >\n    did(a)\n\n    and did(b) 1\n", 5, 16),
        ("segments:\n  s: >-\n      did(a)\n      and did(b) 1\n  t: did(a)\n", 4, 18),
        ("segments:\n  s: |2\n    did(a)\n      and did(b) 1\n", 4, 18),
        ("segments:\n  s: | # block\n\n    did(a) 1\n", 4, 12),
        ("segments:\r\n  s: |\r\n    did(a)\r\n    1\r\n", 4, 5),
        ("segments: { s: 'did(😀) 1' }\n", 1, 21),
    ],
)
def test_mistakes_have_exact_places(text: str, line: int, column: int) -> None:
    error = mistake(text)
    assert (error.line, error.column) == (line, column), str(error)


@given(
    st.lists(
        st.sampled_from(["did(a)", "and", "é😀", '"x y"', "''", "a'b", "\\", "[1, 2]", "b  c"]), min_size=1
    )
)
def test_every_character_knows_its_place(words: list[str]) -> None:
    text = " ".join(words)
    single = text.replace("'", "''")
    double = text.replace("\\", "\\\\").replace('"', '\\"').replace("é", "\\xe9")
    folded = "\n    ".join(words)
    content = f"a: '{single}'\nb: \"{double}\"\nc: >\n    {folded}\nd: |\n    {folded}\ne: 1\n"
    root = read_yaml(content, "f.yml", [])
    assert isinstance(root, Mapping)
    for _, node in root.items:
        assert isinstance(node, Scalar)
        source = node.source()
        assert len(source.offsets) == len(node.value) + 1
        for character, offset in zip(node.value, source.offsets, strict=False):
            if not character.isspace():
                assert content[offset] == character or (content[offset] == "\\" and character in '\\"é')


# --- keys, names and shapes -----------------------------------------------------------------------------------------


def test_unknown_keys_are_answered_with_the_nearest() -> None:
    first, second = errors("segments:\n  s:\n    whn: did(a)\n")
    assert (first.code, first.line, first.column) == ("E_MISSING_KEY", 2, 3)
    assert (second.code, second.line, second.column) == ("E_UNKNOWN_KEY", 3, 5)
    assert "Did you mean 'when'?" in second.hint


@pytest.mark.parametrize(
    "name", ["Big", "a b", "a-b", "1a", "any", "customer", "and", "otherwise", "is_identified", "ä"]
)
def test_names(name: str) -> None:
    assert mistake(f"segments:\n  {name}: did(a)\n").code == "E_NAME"


def test_a_better_name_is_proposed() -> None:
    assert "big_spenders" in mistake("segments:\n  Big spenders: did(a)\n").hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("segments:\n  s:\n", "E_SYNTAX"),
        ("segments:\n  s: ''\n", "E_SYNTAX"),
        ("segments:\n  s: { title: a }\n", "E_MISSING_KEY"),
        ("segmentations:\n  s: {}\n", "E_MISSING_KEY"),
        ("segmentations:\n  s: { groups: {} }\n", "E_YAML"),
        ("segmentations:\n  s: { groups: { a: otherwise, b: did(a) } }\n", "E_OTHERWISE"),
        ("behaviors:\n  b: []\n", "E_YAML"),
        ("behaviors:\n  b: ''\n", "E_YAML"),
        ("behaviors:\n  b: { where: a }\n", "E_MISSING_KEY"),
        ("behaviors:\n  b: { event: A, where: count(x) > 1 }\n", "E_SYNTAX"),
        ("behaviors:\n  b: { event: A, by: us }\n", "E_YAML"),
        ("behaviors:\n  b: { event: A, unless: B }\n", "E_YAML"),
        ("behaviors:\n  b: { event: A, unless: { event: B } }\n", "E_MISSING_KEY"),
        ("behaviors:\n  b: { event: A, each: a b }\n", "E_SYNTAX"),
        ("lists:\n  l: ../../etc/passwd\n", "E_PATH_OUTSIDE_ROOT"),
        ("lists:\n  l: { file: /etc/passwd }\n", "E_PATH_OUTSIDE_ROOT"),
        ("lists:\n  l: https://example.com/a.csv\n", "E_PATH_OUTSIDE_ROOT"),
        ("lists:\n  l: { title: L }\n", "E_MISSING_KEY"),
        ("segments:\n  s: { when: a, tests: [{ name: a, expect: maybe }] }\n", "E_YAML"),
        ("segments:\n  s: { when: a, tests: [{ name: a }] }\n", "E_MISSING_KEY"),
        (
            "segments:\n  s: { when: a, tests: [{ name: a, expect: in, events: [{ do: a }] }] }\n",
            "E_MISSING_KEY",
        ),
        (
            "segments:\n  s: { when: a, tests: [{ name: a, expect: in, events: [{ ago: 3m, do: a }] }] }\n",
            "E_UNIT",
        ),
        (
            "segmentations:\n  s: { groups: { a: otherwise }, tests: [{ name: a, expect: b }] }\n",
            "E_UNKNOWN_NAME",
        ),
    ],
)
def test_shapes(text: str, code: str) -> None:
    assert mistake(text).code == code


def test_errors_name_their_field() -> None:
    assert mistake("segments:\n  s:\n    when: did(\n").field == "segments.s.when"
    assert (
        mistake("segmentations:\n  s: { groups: { a: a b, b: otherwise } }\n").field
        == "segmentations.s.groups.a"
    )
