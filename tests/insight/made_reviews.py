"""What made-up customers write: planted themes in several languages, with ratings, and what nobody wants to meet in a text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

END = datetime(2026, 6, 30, 12)

SAID = {
    "en": {
        "delivery": [
            "The delivery was {late} and the courier left my parcel outside.",
            "Delivery took two weeks, the parcel arrived {late}.",
            "My parcel was {late}, the courier never called about the delivery.",
        ],
        "quality": [
            "The fabric is {nice} and the stitching of the shirt is excellent quality.",
            "Excellent quality, the shirt has a {nice} fabric.",
            "I love the {nice} fabric, quality stitching on every shirt.",
        ],
        "price": [
            "The price is {fair} and the discount made it cheap.",
            "A {fair} price, and a discount on top makes it cheap.",
            "Cheap enough with the discount, the price was {fair}.",
        ],
        "app": [
            "The app crashed at checkout with an {odd} error.",
            "Every checkout in the app ends with an {odd} error, it crashed twice.",
            "An {odd} error at checkout, then the app crashed.",
        ],
    },
    "de": {
        "delivery": [
            "Die Lieferung kam viel zu {late}, der Bote hat das Paket verloren.",
            "Das Paket war {late}, die Lieferung dauerte zwei Wochen.",
            "Der Bote kam {late}, und das Paket der Lieferung war offen.",
        ],
        "quality": [
            "Der Stoff ist {nice} und die Nähte am Hemd sind hervorragend.",
            "Hervorragend verarbeitet, das Hemd hat einen {nice} Stoff.",
            "Ich mag den {nice} Stoff, die Nähte vom Hemd sind sauber.",
        ],
    },
    "ja": {
        "delivery": [
            "配送が{late}遅かったです。荷物が届くまで二週間かかりました。",
            "荷物の配送が{late}遅れました。",
            "配送業者が荷物を{late}遅れて持ってきました。",
        ],
        "quality": [
            "生地の品質が{nice}良いです。縫製も丁寧です。",
            "品質が{nice}高く、生地も縫製も気に入りました。",
            "縫製が丁寧で、生地の品質に{nice}満足です。",
        ],
    },
}
WORDS = {
    "en": {"late": ["late", "terribly late"], "nice": ["soft", "lovely"], "fair": ["fair", "good"], "odd": ["odd", "unknown"]},
    "de": {"late": ["spät", "verspätet"], "nice": ["weich", "schön"], "fair": ["fair"], "odd": ["seltsam"]},
    "ja": {"late": ["とても", "かなり"], "nice": ["とても", "本当に"], "fair": ["適正"], "odd": ["変な"]},
}  # fmt: skip


AROUND = {
    "en": (
        [
            "",
            "Well. ",
            "Honestly! ",
            "For my sister. ",
            "Ordered in May. ",
            "Second order. ",
            "Hello. ",
            "Hm. ",
        ],
        ["", " Thanks.", " Bye.", " Anna", " See you.", " 😀", " From Leeds.", " My dog agrees.", " Twice!"],
    ),
    "de": (
        ["", "Nun ja. ", "Ehrlich! ", "Für meine Oma. ", "Im Mai bestellt. ", "Hallo. "],
        ["", " Danke.", " Gruß", " Bis bald.", " Aus Köln.", " Mein Hund bellt."],
    ),
    "ja": (
        ["", "こんにちは。", "五月に注文。", "母へ。"],
        ["", "以上。", "また来ます。", "😀", "東京より。"],
    ),
}


def sentence(random: np.random.Generator, language: str, theme: str) -> str:
    words = {name: str(random.choice(some)) for name, some in WORDS[language].items()}
    core = str(random.choice(SAID[language][theme])).format(**words)
    opening, closing = (str(random.choice(some)) for some in AROUND[language])
    return f"{opening}{core}{closing}"


def reviews(customers: int = 600, seed: int = 4) -> Iterator[tuple[object, ...]]:
    """Customer, time, event, text, rating, total. Every third customer is a regular: they complain of the delivery, six in
    ten against one in ten of the others. What crashes, crashes in the last 30 days."""
    random = np.random.default_rng(seed)
    for number in range(customers):
        language = ("en", "en", "de", "ja")[number % 4]
        regular = number % 3 == 0
        moment = END - timedelta(days=float(random.random() * 170 + 1))
        theme = "delivery" if random.random() < (0.6 if regular else 0.1) else "quality"
        if language == "en" and theme == "quality":
            theme = str(random.choice(["quality", "price"]))
        if language == "en" and moment > END - timedelta(days=30) and random.random() < 0.6:
            theme = "app"
        rating = random.integers(1, 3) if theme in ("delivery", "app") else random.integers(4, 6)
        yield (
            f"c{number}",
            f"{moment:%Y-%m-%d %H:%M:%S}",
            "Product Reviewed",
            sentence(random, language, theme),
            rating,
            "",
        )
        for _ in range(3 if regular else 1):
            yield f"c{number}", "2026-01-02 10:00:00", "Order Completed", "", "", 10


STRANGE = [
    "", " ", "ok", "👍👍👍", "❤️", "!!!", "\x00\x07bell", "\u202egnirts desrever\u202c", "a" * 30_000,
    "word " * 10_000, "المنتج ممتاز ولكن التسليم متأخر جدا", "המוצר מצוין אבל המשלוח איחר", "สินค้าดีมากแต่ส่งช้า",
    "배송이 너무 늦었어요", "यह बहुत अच्छा है", "товар отличный, но доставка долгая", "Η παράδοση άργησε πολύ",
    "Ｆｕｌｌ ｗｉｄｔｈ", "e\u0301 combining", "\ud83d\ude00 smile", "<script>alert(1)</script>", "=cmd|' /C calc'!A0",
    "line\nbreak\r\nand\u2028more", "\t\ttabs", "🏳️‍🌈 family 👨‍👩‍👧", "1234567890", "?", "NULL", "[bold]not markup[/bold]",
]  # fmt: skip
