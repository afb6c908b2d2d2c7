"""`voice`: planted themes are found with the counts of another computation; nobody is shown alone, no text breaks it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from made_reviews import STRANGE, reviews
from made_shops import make_shop, run, told

import ethogram
from ethogram.insight import texts
from ethogram.insight.said import _looks_written
from ethogram.insight.texts import cleaned, language, languages, sentences, terms
from ethogram.insight.themes import themes_of
from ethogram.insight.voice import rating_levels

DEFINITIONS = """\
behaviors:
  purchase: Order Completed
  review: Product Reviewed
  bad_review: { event: Product Reviewed, where: rating <= 2 }
traits:
  spend: sum(purchase.total)
segments:
  regulars: count(purchase) >= 3
  nobody: count(purchase) >= 30
  one: bucket("x") < 0.002
  few: bucket("x") < 0.006
segmentations:
  pace:
    groups:
      often: count(purchase) >= 3
      seldom: otherwise
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(
        tmp_path_factory.mktemp("voice") / "shop", DEFINITIONS, {"events": reviews()},
        properties=("text", "rating", "total"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def written(shop: Path) -> pd.DataFrame:
    table = pd.read_csv(shop / "events.csv", parse_dates=["at"])
    orders = table[table["event"] == "Order Completed"].groupby("customer").size()
    said = table[table["event"] == "Product Reviewed"].copy()
    said["regular"] = said["customer"].map(orders) >= 3
    return said


@pytest.fixture(scope="module")
def found(shop: Path) -> dict[str, object]:
    return told("voice", "regulars", "--project", shop)


def spoken(found: dict[str, object], language: str) -> dict[str, object]:
    some = found["languages"]
    assert isinstance(some, list)
    (one,) = [one for one in some if one["language"] == language]
    return dict(one)


def theme(found: dict[str, object], language: str, word: str) -> dict[str, object]:
    some = spoken(found, language)["themes"]
    assert isinstance(some, list)
    (one,) = [one for one in some if word in one["terms"]]
    return dict(one)


# --- what was planted -----------------------------------------------------------------------------------------------


def test_the_text_is_found_and_its_languages(found: dict[str, object], written: pd.DataFrame) -> None:
    assert found["text"] == ["review.text"]
    assert found["texts"] == found["customers"] == int(written["regular"].sum())
    assert [spoken(found, name)["texts"] for name in ("English", "German", "Japanese")] == [100, 50, 50]


@pytest.mark.parametrize(
    ("language", "word", "says"),
    [("English", "app", "crashed"), ("German", "lieferung", "Lieferung"), ("Japanese", "配送", "荷物")],
)
def test_themes_are_counted_as_pandas_counts(
    shop: Path, found: dict[str, object], written: pd.DataFrame, language: str, word: str, says: str
) -> None:
    codes = {"English": "en", "German": "de", "Japanese": "ja"}
    number = written["customer"].str[1:].astype(int) % 4
    own = written[number.isin({"en": [0, 1], "de": [2], "ja": [3]}[codes[language]])]
    has = own["text"].str.contains(says)
    one = theme(found, language, word)
    regular = own["regular"]
    assert one["texts"] == one["customers"] == int((has & regular).sum())
    counts = [int((has & side).sum()) for side in (regular, ~regular)]
    risk = scipy.stats.contingency.relative_risk(
        counts[0], int(regular.sum()), counts[1], int((~regular).sum())
    )
    ratio = one["ratio"]
    assert isinstance(ratio, dict)
    assert (ratio["value"], ratio["low"], ratio["high"]) == pytest.approx(
        (risk.relative_risk, *risk.confidence_interval())
    )


def test_regulars_complain_of_delivery(found: dict[str, object]) -> None:
    one = theme(found, "English", "delivery")
    assert one["ratio"]["low"] > 2  # type: ignore[index]
    assert one["low"]["value"] > one["high"]["value"]  # type: ignore[index]
    examples = one["examples"]
    assert isinstance(examples, list) and len(examples) == 2
    assert all("delivery" in text.lower() or "parcel" in text.lower() for text in examples)


def test_what_began_last_month_is_said_more_often(shop: Path, written: pd.DataFrame) -> None:
    found = told("voice", "--days", "30", "--project", shop)
    one = theme(found, "English", "app")
    now = written["at"].max()
    english = written[written["customer"].str[1:].astype(int) % 4 < 2]
    says = english["text"].str.contains("crashed")
    recent = english["at"] > now - pd.Timedelta(days=30)
    before = ~recent & (english["at"] > now - pd.Timedelta(days=60))
    assert one["texts"] == int(says.sum())
    assert one["change"]["value"] is None or one["change"]["value"] > 1  # type: ignore[index]
    expected = (says & recent).sum() / recent.sum() / max((says & before).sum() / before.sum(), 1e-12)
    if (says & before).any():
        assert one["change"]["value"] == pytest.approx(expected)  # type: ignore[index]
    assert one["change"]["low"] > 1 and one["ratio"] is None  # type: ignore[index]


def test_the_same_twice(shop: Path, found: dict[str, object]) -> None:
    assert told("voice", "regulars", "--project", shop) == found


def test_a_selection_of_texts(shop: Path, written: pd.DataFrame) -> None:
    bad = written[written["rating"] <= 2]
    for text in ("review[rating <= 2].text", "bad_review.text", '"Product Reviewed"[rating <= 2].text'):
        found = told("voice", "--text", text, "--project", shop)
        assert (found["texts"], found["customers"]) == (len(bad), bad["customer"].nunique())


def test_groups_and_the_past(shop: Path, written: pd.DataFrame) -> None:
    found = told("voice", "pace.often", "--as-of", "2026-04-01", "--project", shop)
    assert found["texts"] == int((written["regular"] & (written["at"] <= "2026-04-01")).sum())


# --- who may be known by what they say --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nobody", "one", "few"])
def test_of_fewer_than_five_nothing_is_told(shop: Path, name: str) -> None:
    assert len(ethogram.open(shop).members(name)) < 5
    found = told("voice", name, "--project", shop)
    assert (found["texts"], found["customers"], found["languages"]) == (None, None, [])
    shown = run("voice", name, "--project", shop)
    assert shown.exit_code == 0 and "fewer than 5" in shown.stdout


def test_personal_data_is_masked_and_names_are_no_themes(tmp_path: Path) -> None:
    private = [
        "ann.smith@example.com",
        "+44 7700 900123",
        "4556 7375 8689 9855",
        "DE89 3704 0044 0532 0130 00",
    ]
    rows = [
        (f"c{n}", f"2026-06-01 10:{n:02}:00", "Ticket Opened",
         f"My parcel is lost again, write to {private[n % 4]} or visit www.ann-smith.example. Zebedee {'Quirk' if n < 4 else 'came'}.")
        for n in range(30)
    ]  # fmt: skip
    rows += [
        ("c1", f"2026-06-02 10:{n:02}:00", "Ticket Opened", f"Hortensia waits for parcel number {n}")
        for n in range(9)
    ]
    folder = make_shop(tmp_path / "shop", "{}\n", {"tickets": rows}, properties=("body",), revenue="")
    told_text = json.dumps(told("voice", "--project", folder)) + run("voice", "--project", folder).stdout
    for secret in ("smith", "7700", "4556", "3704", "Quirk", "quirk", "hortensia", "ann-smith"):
        assert secret not in told_text
    assert "[e-mail]" in told_text or "[phone]" in told_text or "[number]" in told_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail a.b-c+d@mail.example.co.uk now", "mail [e-mail] now"),
        ("jo (at) web (dot) de", "[e-mail]"),
        ("a" * 80 + "@x.example", "[e-mail]"),
        ("見てann@example.comね", "[e-mail]"),
        ("call 07700 900123", "call [phone]"),
        ("call +49 (0)30 / 123 45-67", "call [phone]"),
        ("(020) 7946 0958", "[phone]"),
        ("order 12345678", "order [number]"),
        ("٠١٢٣٤٥٦٧٨٩", "[number]"),
        ("１２３４５６７８", "[number]"),
        ("card 4556-7375-8689-9855", "card [number]"),
        ("@john_doe is rude", "[name] is rude"),
        ("see https://x.example/y?z=1 there", "see [link] there"),
        ("12 pieces in 3 days for 19.99", "12 pieces in 3 days for 19.99"),
        ("5 of 10 in 2026", "5 of 10 in 2026"),
        ("\x1b[31mred\x07\u202egnp", "[31mredgnp"),
        ("a\tb", "a b"),
    ],
)
def test_masks(text: str, shown: str) -> None:
    assert cleaned(text) == shown


# --- texts of all kinds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Die Lieferung kam nicht an und war schlecht", "de"),
        ("The delivery did not arrive", "en"),
        ("La livraison est arrivée en retard", "fr"),
        ("El envío llegó muy tarde", "es"),
        ("La consegna non è arrivata", "it"),
        ("A entrega não chegou e estou muito triste", "pt"),
        ("De levering was te laat en ik ben niet blij", "nl"),
        ("Leveransen kom inte fram och det är för dåligt", "sv"),
        ("Przesyłka nie przyszła i jest to bardzo złe", "pl"),
        ("Доставка была долгой", "ru"),
        ("Η παράδοση άργησε", "el"),
        ("配送が遅かったです", "ja"),
        ("物流太慢", "zh"),
        ("배송이 늦었어요", "ko"),
        ("التسليم متأخر", "ar"),
        ("המשלוח איחר", "he"),
        ("บริการดี", "th"),
        ("देर से", "hi"),
        ("Super!", "latin"),
        ("👍 123", ""),
        ("", ""),
    ],
)
def test_languages(text: str, code: str) -> None:
    assert language(text) == code


def test_short_texts_count_as_what_the_others_are() -> None:
    assert languages(["Super!", "Das ist ein gutes Hemd und es ist weich", "", "遅い"]) == [
        "de",
        "de",
        "",
        "ja",
    ]


def test_terms_keep_a_not_with_what_it_denies() -> None:
    assert "nicht angekommen" in set(terms("Das Paket ist nicht angekommen", "de"))
    assert "देर" in set(terms("देर से आया", "hi"))
    assert {"配送", "遅か"} <= set(terms("配送が遅かったです", "ja"))
    assert "物流" in set(terms("物流太慢", "zh"))


def test_sentences_end_where_they_end_everywhere() -> None:
    assert sentences("One. Two!  Three?\nfour") == ["One.", "Two!", "Three?", "four"]
    assert sentences("はい。いいえ！") == ["はい。", "いいえ！"]
    assert sentences(" \n ") == [] and len(sentences("x. " * 10_000)) == texts.MOST_SENTENCES


@pytest.mark.parametrize("repeat", [1, 7])
def test_nothing_that_people_write_breaks_it(tmp_path: Path, repeat: int) -> None:
    safe = [text for text in STRANGE if "\ud83d" not in text and "\x00" not in text]
    rows = [
        (f"c{place}-{n}", "2026-06-01 10:00:00", "Comment Posted", text, "")
        for place, text in enumerate(safe)
        for n in range(repeat)
    ]
    folder = make_shop(
        tmp_path / "shop", "{}\n", {"comments": rows}, properties=("comment", "rating"), revenue=""
    )
    shown = run("voice", "--text", '"Comment Posted".comment', "--project", folder)
    assert shown.exit_code == 0, shown.stderr
    assert not any(character in shown.stdout for character in "\x07\u202e\x1b")
    found = told("voice", "--text", '"Comment Posted".comment', "--project", folder)
    assert isinstance(found["texts"], int) and found["texts_without_words"] > 0  # type: ignore[operator]


def test_surrogates_and_nothing() -> None:
    assert [cleaned(text) is not None for text in STRANGE]
    assert cleaned("\ud83d") == "" and cleaned("\x00") == ""


def test_themes_of_hardly_anything() -> None:
    nobody = np.zeros(0, np.int64)
    assert themes_of([], nobody, "en").labels == ()
    assert themes_of(["the"], np.zeros(1, np.int64), "en").labels == ()
    same = themes_of(["late parcel"] * 5, np.arange(5), "en")
    assert len(same.labels) == 1 and set(same.of.tolist()) == {0}
    assert themes_of(["late parcel"] * 5, np.zeros(5, np.int64), "en").labels == (), "one person is no theme"


# --- properties -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "is_text"),
    [
        ([f"I like number {n} very much, thank you" for n in range(50)], True),
        ([f"第{n}个商品很好我很喜欢" for n in range(50)], True),
        (["WHITE HANGING HEART T-LIGHT HOLDER", "RED ALARM CLOCK SMALL"] * 50, False),
        ([f"https://shop.example/a page/{n} long long long" for n in range(50)], False),
        ([f"0b5c-{n:030}" for n in range(50)], False),
        ([f"2026-06-01T10:00:{n:02}" for n in range(50)], False),
        (["", " "], False),
        ([], False),
    ],
)
def test_what_looks_written(values: list[str], is_text: bool) -> None:
    assert _looks_written(values) is is_text


@pytest.mark.parametrize(
    ("ratings", "levels"),
    [
        ([1, 2, 3, 4, 5, np.nan], [0, 0, 1, 2, 2, -1]),
        ([0, 6, 7, 8, 9, 10], [0, 0, 1, 1, 2, 2]),
        ([1, 3, 4, 5, 7], [0, 0, 1, 2, 2]),
        ([87, 12], [-1, -1]),
        ([-1, 3], [-1, -1]),
        ([np.nan], [-1]),
        ([], []),
    ],
)
def test_ratings_are_low_or_high_on_their_scale(ratings: list[float], levels: list[int]) -> None:
    assert rating_levels(np.array(ratings, np.float64)).tolist() == levels


def test_rated_by_what_the_customer_answered(tmp_path: Path) -> None:
    """Comments have no rating of their own; the net promoter groups of the project are taken."""
    definitions = """\
segmentations:
  nps:
    groups:
      promoter: last("NPS Answered".score) >= 9
      passive: last("NPS Answered".score) >= 7
      detractor: last("NPS Answered".score) is known
      unknown: otherwise
"""
    rows: list[tuple[object, ...]] = []
    for n in range(60):
        rows.append((f"c{n}", "2026-06-01 10:00:00", "NPS Answered", "", 2 if n % 2 else 10))
        said = f"parcel lost again and again {n}" if n % 2 else f"lovely shirt from soft fabric {n}"
        rows.append((f"c{n}", "2026-06-02 10:00:00", "Comment Posted", said, ""))
    folder = make_shop(
        tmp_path / "shop", definitions, {"events": rows}, properties=("comment", "score"), revenue=""
    )
    found = told("voice", "--project", folder)
    assert found["rated_by"] == "nps"
    one = theme(found, "English", "parcel")
    assert (one["low"]["value"], one["high"]["value"]) == (1.0, 0.0)  # type: ignore[index]


def test_texts_in_a_list(tmp_path: Path) -> None:
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "all.yml").write_text(
        "behaviors:\n  survey: Survey Completed\n  answer: { event: Survey Completed, each: answers }\n"
    )
    (tmp_path / "ethogram.toml").write_text(
        'timezone = "UTC"\n[sources.surveys]\nfiles = "surveys.jsonl"\ncustomer = "customer"\ntime = "at"\n'
        'message_id = "id"\nevent = { constant = "Survey Completed" }\nproperties = { answers = "answers" }\n'
    )
    lines = [
        {"id": n, "customer": f"c{n}", "at": "2026-06-01T10:00:00Z",
         "answers": [{"text": f"The parcel was late, day {n}"}, {"text": "Nothing else to say here"}]}
        for n in range(8)
    ]  # fmt: skip
    (tmp_path / "surveys.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert run("load", "--project", tmp_path).exit_code == 0
    for text in ("answer.text", "survey.answers.text"):
        found = told("voice", "--text", text, "--project", tmp_path)
        assert (found["texts"], found["customers"]) == (16, 8)


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("--text", "review"), "E_NOT_TEXT", 2),
        (("--text", "review.rating"), "E_NOT_TEXT", 2),
        (("--text", "text"), "E_NOT_TEXT", 2),
        (("--text", "review.text) or (1"), "E_NOT_TEXT", 2),
        (("--text", ""), "E_NOT_TEXT", 2),
        (("--text", "review.txt"), "E_UNKNOWN_PROPERTY", 2),
        (("--text", "reviw.text"), "E_UNKNOWN_NAME", 2),
        (("spend",), "E_NOT_MEMBERS", 2),
        (("pace",), "E_GROUP_UNKNOWN", 2),
        (("regular",), "E_UNKNOWN_NAME", 2),
        (("--as-of", "soon"), "E_DATE", 2),
    ],
)
def test_names_that_say_nothing(shop: Path, arguments: tuple[str, ...], code: str, exit_code: int) -> None:
    result = run("voice", *arguments, "--project", shop)
    assert result.exit_code == exit_code and code in result.stderr, result.stderr


def test_before_the_first_load(tmp_path: Path) -> None:
    (tmp_path / "definitions").mkdir()
    (tmp_path / "ethogram.toml").write_text('timezone = "UTC"\n')
    result = run("voice", "--project", tmp_path)
    assert result.exit_code == 2 and "E_NO_STORE" in result.stderr


def test_no_texts_at_all(tmp_path: Path) -> None:
    rows = [(f"c{n}", "2026-06-01 10:00:00", "Order Completed", 5) for n in range(9)]
    folder = make_shop(tmp_path / "shop", "{}\n", {"orders": rows}, revenue="")
    result = run("voice", "--project", folder)
    assert result.exit_code == 2 and "E_NO_TEXT" in result.stderr


def test_without_the_extra_it_says_what_to_install(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    result = run("voice", "--project", shop)
    assert result.exit_code == 3 and "ethogram[voice]" in result.stderr and "E_EXTRA_MISSING" in result.stderr


def test_it_fits_the_screen_and_is_a_table_in_python(shop: Path, found: dict[str, object]) -> None:
    shown = run("voice", "regulars", "--project", shop).stdout
    wide = {"\u3000", *"ぁ"}
    assert max(len(line) for line in shown.splitlines() if wide.isdisjoint(line)) <= 80
    table = ethogram.open(shop).voice("regulars")
    some = found["languages"]
    assert isinstance(some, list)
    assert table.num_rows == sum(len(one["themes"]) for one in some)
    assert table["terms"][0].as_py() == some[0]["themes"][0]["terms"]
