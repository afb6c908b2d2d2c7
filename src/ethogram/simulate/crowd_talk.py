"""What passes between the crowd and the shop beside visits and orders: messages, help, opinions, the club; and who they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.simulate import goods, profile
from ethogram.simulate.columns import Coded, Pieces
from ethogram.simulate.crowd import Crowd, Orders, Visits, Whole, midnights
from ethogram.simulate.goods import DAY, HOUR, MINUTE, NOW
from ethogram.simulate.opinions import COMPLAINT, LANGUAGES, MIDDLING, PRAISE, QUESTION, Voice
from ethogram.simulate.traces import TRAITS

_SEND_HOURS: Final = (9.0, 12.5, 18.0)
_COUNTRY_SHARES: Final = (0.6, 0.12, 0.08, 0.07, 0.05, 0.05, 0.03)


def messages(rng: np.random.Generator, crowd: Crowd, days: int, pieces: Pieces) -> None:
    """Campaigns on three channels; some open, few click, a few cannot be reached or want no more."""
    subscribed = rng.random(len(crowd)) < 0.6
    counts = rng.poisson(np.where(subscribed, np.minimum(crowd.joined, 220) / 15, 0.0))
    owner = np.repeat(np.arange(len(crowd)), counts)
    ago = (rng.random(len(owner)) * np.minimum(crowd.joined[owner], 400)).astype(np.int64)
    ago = np.maximum(ago - (ago + 1) % 7 % 3, 1)
    hour = np.array(_SEND_HOURS)[rng.integers(0, 3, len(owner))] + rng.random(len(owner)) * 0.4
    time = midnights(days)[np.minimum(ago, days)] + (hour * HOUR).astype(np.int64)
    channel = np.searchsorted([0.75, 0.93], rng.random(len(owner)))
    attention = rng.beta(1.2, 2.6, len(crowd))[owner]
    opened = rng.random(len(owner)) < attention
    clicked = opened & (rng.random(len(owner)) < 0.3)
    wait = np.minimum(rng.exponential(5 * HOUR, len(owner)), 20 * HOUR).astype(np.int64) + MINUTE
    names = (
        ("Email Delivered", "Email Opened", "Email Link Clicked"),
        ("Push Notification Received", "", "Push Notification Tapped"),
        ("SMS Delivered", "", "SMS Link Clicked"),
    )
    campaign = Coded(ago // 7, tuple(f"week-{number}" for number in range(days // 7 + 60)))
    for kind, (sent, open_, click) in enumerate(names):
        word = ("email", "push", "sms")[kind]
        _send(pieces, sent, crowd, owner, time, channel == kind, word, campaign)
        if open_:
            _send(pieces, open_, crowd, owner, time + wait, opened & (channel == kind), word, campaign)
        _send(pieces, click, crowd, owner, time + wait + MINUTE, clicked & (channel == kind), word, campaign)
    lost = (channel == 0) & (rng.random(len(owner)) < 0.006)
    _send(pieces, "Email Bounced", crowd, owner, time + MINUTE, lost, "email", campaign)
    enough = (channel == 0) & (rng.random(len(owner)) < 0.004)
    _send(pieces, "Unsubscribed", crowd, owner, time + wait, enough, "email", None)


def _send(
    pieces: Pieces,
    event: str,
    crowd: Crowd,
    owner: Whole,
    time: Whole,
    which: NDArray[np.bool_],
    channel: str,
    campaign: Coded | None,
) -> None:
    which = which & (time < NOW)
    columns = {"channel": Coded(np.zeros(int(which.sum()), np.int8), (channel,))}
    if campaign is not None:
        columns["campaign"] = Coded(campaign.places[which], campaign.texts)
    pieces.add(event, crowd.number[owner[which]], time[which], **columns)


# --- help and opinions ---


def service(
    rng: np.random.Generator, crowd: Crowd, seen: Visits, orders: Orders, language: Whole, pieces: Pieces
) -> None:
    """Questions after orders, and what people say when they are asked; the very happy and the unhappy answer most."""
    size = len(orders.owner)
    asked = _later(orders, rng.random(size) < 0.05 + 0.08 * (1 - crowd.content[orders.owner]), 3 * DAY)
    topics = Coded(rng.integers(0, 3, len(asked[0])), ("delivery", "return", "invoice"))
    words = _texts(rng, [QUESTION], np.zeros(len(asked[0]), np.int64), language[asked[0]])
    spoken = Coded(language[asked[0]], LANGUAGES)
    pieces.add("Ticket Opened", crowd.number[asked[0]], asked[1], topic=topics, text=words, language=spoken)
    again = rng.random(len(asked[0])) < 0.12
    later = np.minimum(asked[1] + 2 * DAY, NOW - HOUR)
    pieces.add("Ticket Reopened", crowd.number[asked[0][again]], later[again])
    called = _later(orders, rng.random(size) < 0.02, 2 * DAY)
    pieces.add("Call Started", crowd.number[called[0]], called[1])
    looked = np.flatnonzero(rng.random(len(seen.owner)) < 0.03)
    pieces.add("Help Article Viewed", crowd.number[seen.owner[looked]], seen.time[looked] + 5 * MINUTE)
    _surveys(rng, crowd, orders, language, pieces)
    _reviews(rng, crowd, orders, language, pieces)
    _refunds(rng, crowd, orders, pieces)


def _surveys(rng: np.random.Generator, crowd: Crowd, orders: Orders, language: Whole, pieces: Pieces) -> None:
    kinds = (("CSAT", 0.4, 1, 5), ("NPS", 0.4, 0, 10), ("CES", 0.15, 1, 7))
    for event, share, low, high in kinds:
        owner, time = _later(orders, rng.random(len(orders.owner)) < share, 5 * DAY)
        topic = Coded(np.zeros(len(owner), np.int8), (event,))
        pieces.add("Survey Sent", crowd.number[owner], time, topic=topic)
        content = crowd.content[owner]
        answers = rng.random(len(owner)) < 0.1 + 0.7 * np.abs(content - 0.6)
        answers &= time + 8 * HOUR < NOW
        owner, time, content = owner[answers], time[answers] + 8 * HOUR, content[answers]
        noisy = content + rng.normal(0, 0.08, len(owner))
        score = np.clip(np.round(low + (high - low) * noisy), low, high).astype(np.int64)
        if event == "CES":
            pieces.add("CES Answered", crowd.number[owner], time, score=score)
            continue
        words = _texts(rng, [COMPLAINT, MIDDLING, PRAISE], _mood(noisy), language[owner])
        spoken = Coded(language[owner], LANGUAGES)
        pieces.add(f"{event} Answered", crowd.number[owner], time, score=score, text=words, language=spoken)


def _reviews(rng: np.random.Generator, crowd: Crowd, orders: Orders, language: Whole, pieces: Pieces) -> None:
    eager = 0.02 + 0.15 * np.abs(crowd.content[orders.owner] - 0.6)
    chosen = rng.random(len(orders.owner)) < eager
    owner, time, product = _later(orders, chosen, 9 * DAY, with_product=True)
    noisy = crowd.content[owner] + rng.normal(0, 0.1, len(owner))
    pieces.add(
        "Product Reviewed",
        crowd.number[owner],
        time,
        rating=np.clip(np.round(1 + 4 * noisy), 1, 5).astype(np.int64),
        product_id=Coded(product, tuple(one.sku for one in goods.products())),
        text=_texts(rng, [COMPLAINT, MIDDLING, PRAISE], _mood(noisy), language[owner]),
        language=Coded(language[owner], LANGUAGES),
    )


def _refunds(rng: np.random.Generator, crowd: Crowd, orders: Orders, pieces: Pieces) -> None:
    back = np.flatnonzero((rng.random(len(orders.owner)) < 0.09) & (orders.time + 10 * DAY < NOW))
    part = np.where(rng.random(len(back)) < 0.6, 1.0, 0.5)
    pieces.add(
        "Order Refunded",
        crowd.number[orders.owner[back]],
        orders.time[back] + 10 * DAY,
        total=np.round(orders.total[back] * part) / 100,
    )


def _later(
    orders: Orders, chosen: NDArray[np.bool_], wait: int, *, with_product: bool = False
) -> tuple[Whole, ...]:
    """Owner and time, so long after these orders, as far as it has come to that."""
    which = np.flatnonzero(chosen & (orders.time + wait < NOW - DAY))
    found = (orders.owner[which], orders.time[which] + wait)
    return (*found, orders.product[which]) if with_product else found


def _mood(content: NDArray[np.float64]) -> Whole:
    """0 complains, 1 is so-so, 2 praises."""
    return np.searchsorted([0.45, 0.65], content)


def _texts(rng: np.random.Generator, voices: Sequence[Voice], mood: Whole, language: Whole) -> Coded:
    """A sentence of each one's mood in each one's language."""
    sentences: list[str] = []
    starts = np.zeros((len(voices), len(LANGUAGES)), np.int64)
    counts = np.zeros_like(starts)
    for row, voice in enumerate(voices):
        for column, name in enumerate(LANGUAGES):
            starts[row, column], counts[row, column] = len(sentences), len(voice[name])
            sentences += voice[name]
    places = starts[mood, language] + (rng.random(len(mood)) * counts[mood, language]).astype(np.int64)
    return Coded(places, sentences)


# --- the club ---


def club(rng: np.random.Generator, crowd: Crowd, orders: Orders, pieces: Pieces) -> None:
    collects = rng.random(len(crowd)) < 0.45
    earned = np.flatnonzero(collects[orders.owner])
    pieces.add(
        "Points Earned",
        crowd.number[orders.owner[earned]],
        orders.time[earned] + MINUTE,
        points=orders.total[earned] // 100,
    )
    used = earned[rng.random(len(earned)) < 0.12]
    pieces.add(
        "Points Redeemed",
        crowd.number[orders.owner[used]],
        orders.time[used] - 4 * MINUTE,
        points=rng.integers(1, 5, len(used)) * 50,
    )
    taken = earned[rng.random(len(earned)) < 0.04]
    rewards = Coded(np.zeros(len(taken), np.int8), ("coffee",))
    pieces.add("Reward Redeemed", crowd.number[orders.owner[taken]], orders.time[taken], reward=rewards)
    registers = np.flatnonzero((rng.random(len(orders.owner)) < 0.04) & (orders.time + 3 * DAY < NOW))
    skus = tuple(one.sku for one in goods.products())
    pieces.add(
        "Product Registered",
        crowd.number[orders.owner[registers]],
        orders.time[registers] + 2 * DAY,
        product_id=Coded(orders.product[registers], skus),
    )
    for event, share in (
        ("Program Joined", 0.06), ("Social Commented", 0.05), ("Community Posted", 0.03), ("Event Attended", 0.03),
        ("Subscription Upgraded", 0.012), ("Product Shared", 0.03),
    ):  # fmt: skip
        who = np.flatnonzero(rng.random(len(crowd)) < share)
        ago = rng.random(len(who)) * crowd.joined[who]
        time = NOW - (ago * DAY).astype(np.int64) - HOUR
        pieces.add(event, crowd.number[who], time)
        if event == "Program Joined":
            left = rng.random(len(who)) < 0.35
            pieces.add(
                "Program Left",
                crowd.number[who[left]],
                NOW - ((ago[left] * 0.4) * DAY).astype(np.int64) - MINUTE,
            )


# --- who they are ---


def people(rng: np.random.Generator, crowd: Crowd) -> tuple[pa.Table, Whole]:
    """The file of customers, and each one's language as a place in LANGUAGES. Much is not known of everybody."""
    size = len(crowd)
    names = tuple(profile.HOMES)
    country = rng.choice(len(names), size, p=_COUNTRY_SHARES)
    home = [profile.HOMES[name] for name in names]
    which = (rng.random(size) * np.array([len(one) for one in home])[country]).astype(np.int64)
    starts = np.cumsum([0, *(len(one) for one in home)])[country] + which
    regions, cities = zip(*(pair for one in home for pair in one), strict=True)
    tongue = np.array([LANGUAGES.index(profile.LANGUAGES[name]) for name in names])[country]
    born = np.datetime64(profile.TODAY) - (365.25 * np.clip(rng.normal(46, 14, size), 16, 92)).astype(
        "timedelta64[D]"
    )
    since = np.datetime64(profile.TODAY) - crowd.joined.astype("timedelta64[D]")
    is_company = rng.random(size) < 0.05
    staff = np.where(is_company, np.minimum(rng.zipf(1.4, size) * 3, 5000), 0)
    columns: dict[str, pa.Array] = {
        "birth_date": _known(rng, _dates(born), 0.55),
        "created_at": _dates(since),
        "gender": _known(rng, Coded(rng.choice(3, size, p=(0.52, 0.45, 0.03)), (*profile.GENDERS, "non-binary")).array(), 0.6),
        "household_size": _known(rng, pa.array(1 + rng.choice(5, size, p=(0.35, 0.34, 0.14, 0.13, 0.04))), 0.35),
        "income": _known(rng, Coded(rng.integers(0, 3, size), profile.INCOMES).array(), 0.2),
        "country": _known(rng, Coded(country, names).array(), 0.92),
        "region": _known(rng, Coded(starts, regions).array(), 0.8),
        "city": _known(rng, Coded(starts, cities).array(), 0.8),
        "language": Coded(tongue, LANGUAGES).array(),
        "timezone": Coded(country, tuple(profile.ZONES[name] for name in names)).array(),
        "interest": _known(rng, Coded(rng.integers(0, 6, size), profile.INTERESTS).array(), 0.3),
        "price_attitude": _known(rng, pa.array(rng.integers(1, 6, size)), 0.15),
        "novelty_attitude": _known(rng, pa.array(rng.integers(1, 6, size)), 0.15),
        "plan": _known(rng, Coded(rng.choice(3, size, p=(0.8, 0.15, 0.05)), profile.PLANS).array(), 0.9),
        "employees": pa.array(staff, mask=~is_company),
        "industry": Coded(np.where(is_company, rng.integers(0, 6, size), -1), profile.INDUSTRIES).array(),
        "annual_revenue": pa.array(staff * rng.integers(60_000, 200_000, size), mask=~is_company),
    }  # fmt: skip
    time = pa.array(NOW - (crowd.joined * DAY).astype(np.int64) - HOUR)
    head = {"customer": pa.array(crowd.number), "time": time}
    return pa.table({**head, **{name: columns[name].cast(kind) for name, kind in TRAITS.items()}}), tongue


def _dates(days: NDArray[np.datetime64]) -> pa.Array:
    return pa.array(days.astype("datetime64[D]")).cast(pa.string())


def _known(rng: np.random.Generator, values: pa.Array, share: float) -> pa.Array:
    import pyarrow.compute as pc

    return pc.if_else(pa.array(rng.random(len(values)) < share), values, pa.scalar(None, values.type))
