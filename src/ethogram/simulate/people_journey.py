"""Personas of the customer journey and of use: how far somebody came, how often, when, with which parts of the app."""

from __future__ import annotations

from datetime import timedelta

from ethogram.simulate import goods
from ethogram.simulate.life import Life
from ethogram.simulate.planting import Stage
from ethogram.simulate.profile import TODAY

STAGE = Stage()


# --- the eight stages, in order ---


@STAGE.plays(
    "prospects journey_stage.dormant lifecycle.never usage_level.inactive rfm.no_order rfm_27.no_order rfm_braze.no_order "
    "repurchase_stage.no_order usage_rhythm.no_order loyalty_tier.no_order nps.unknown csat.unknown ces.unknown daypart.too_few "
    "benefit_sought.too_few preferred_channel.too_few send_daypart.too_few service_method.too_few abandonment.nowhere "
    "fit_and_engagement.unknown loyalty_in_deed_and_word.not_asked journey_dormant",
    "buyers engaged engaged_not_buying buying_not_engaged stage_awareness feature_users program_members role_payer role_user "
    "role_recommender role_approver bought_in_period points_usable payment_was_declined met_errors found_nothing "
    "wanted_and_not_there coupon_was_refused strong_browse_intent point_savers",
    days=250,
    values={"l7": 0, "l28": 0, "questions": 0},
)
def never_came(life: Life) -> None:
    """Opened an account in the store, and nothing happened since."""
    life.does("Signed Up", life.about(200, 40), channel="store")


@STAGE.plays(
    "stage_awareness journey_stage.awareness lifecycle.new usage_level.rare",
    "stage_understanding stage_consideration stuck_at_awareness journey_dormant",
    days=10,
)
def just_arrived(life: Life) -> None:
    """Saw an advertisement, and is on the page for the first time right now."""
    life.does("Ad Clicked", 0.0005 if life.copy else 0.0001, page="summer")
    life.does("Session Started", 0.0004 * life.copy, channel="web")


@STAGE.plays(
    "stuck_at_awareness journey_stage.awareness", "stuck_at_understanding stage_understanding", days=30
)
def saw_it_once(life: Life) -> None:
    """Clicked an advertisement three weeks ago, looked in, and has not been back."""
    ago = life.about(21, 4)
    life.does("Ad Clicked", ago, page="summer")
    life.visits(ago - 0.001)


@STAGE.plays(
    "stage_understanding journey_stage.understanding usage_level.occasional",
    "stage_consideration stuck_at_understanding stuck_at_awareness",
    days=20,
)
def reads_about_us(life: Life) -> None:
    """Reads the magazine, and comes back for more."""
    for ago in (life.about(9, 2), life.about(4, 1)):
        life.visits(ago)
        life.does("Article Read", ago - 0.005, page="coffee-at-home")


@STAGE.plays("stuck_at_understanding journey_stage.understanding", "stage_consideration", days=30)
def read_and_left(life: Life) -> None:
    """Read three articles three weeks ago, and that was that."""
    ago = life.about(21, 3)
    life.visits(ago)
    for turn in range(3):
        life.does("Article Read", ago - 0.01 * (turn + 1), page="linen")


@STAGE.plays(
    "cart_abandoners abandonment.in_cart stage_consideration journey_stage.consideration",
    "checkout_abandoners browse_abandoners stuck_at_consideration strong_browse_intent",
    days=20,
)
def cart_abandoner(life: Life) -> None:
    """Left a full cart the day before yesterday."""
    ago = life.about(1.8, 0.8)
    life.visits(ago + 0.02)
    for turn in range(life.times(2, 4)):
        product = life.some()
        life.looks(ago + 0.015 - 0.004 * turn, product)
        life.adds(ago + 0.014 - 0.004 * turn, product)


@STAGE.plays("", "cart_abandoners abandonment.in_cart checkout_abandoners browse_abandoners", days=20)
def emptied_the_cart(life: Life) -> None:
    """Put something into the cart, and took it out again."""
    product = life.some()
    life.visits(4.02)
    life.adds(4, product)
    life.does("Product Removed", 3.99, product_id=goods.products()[product].sku)


@STAGE.plays("stuck_at_consideration journey_stage.consideration", "cart_abandoners", days=30)
def hesitates(life: Life) -> None:
    """Put something into the cart three weeks ago, and has thought about it since."""
    ago = life.about(20, 4)
    life.visits(ago + 0.01)
    life.adds(ago, life.some())


@STAGE.plays(
    "browse_abandoners strong_browse_intent abandonment.browsing stage_consideration",
    "cart_abandoners buyers",
    days=20,
)
def window_shopper(life: Life) -> None:
    """Looked at the same thing three times this week, the last time yesterday, and did not touch it."""
    product = life.some()
    for ago in (life.about(5, 0.5), life.about(3, 0.4), life.about(1, 0.3)):
        life.visits(ago + 0.01)
        life.looks(ago, product)


@STAGE.plays("checkout_abandoners abandonment.at_checkout", "payment_failures", days=20)
def checkout_abandoner(life: Life) -> None:
    """Was asked for the address, and left."""
    ago = life.about(2, 0.8)
    product = life.some()
    life.visits(ago + 0.03)
    life.looks(ago + 0.02, product)
    life.adds(ago + 0.015, product)
    life.does("Checkout Started", ago, channel="web")


@STAGE.plays(
    "stage_purchase journey_stage.purchase first_time_buyers repurchase_stage.active rfm_braze.potential_loyalists bought_in_period",
    "stage_adoption stage_retention stuck_at_purchase second_order_due one_and_done cart_abandoners "
    "checkout_abandoners browse_abandoners",
    days=30,
)
def first_order(life: Life) -> None:
    """Ordered for the first time last week."""
    life.buys(life.about(9.5, 3), 40.0)


@STAGE.plays("stuck_at_purchase journey_stage.purchase second_order_due", "stage_adoption", days=40)
def first_order_and_nothing(life: Life) -> None:
    """Ordered for the first time nearly four weeks ago, and nothing followed."""
    life.buys(life.about(26, 1.5), 40.0)


@STAGE.plays("stage_adoption journey_stage.adoption", "stage_purchase stage_retention", days=40)
def uses_what_they_bought(life: Life) -> None:
    """Bought an e-reader, and registered it the same week."""
    product = goods.by_sku()["e-reader"]
    ago = life.about(14, 3)
    life.buys(ago, 0, product)
    life.does("Product Registered", ago - life.about(3, 1), product_id="e-reader")


# --- how often they come ---


@STAGE.plays(
    "usage_level.power lifecycle.current",
    "declining_use rising_use broad_users",
    days=70,
    values={"l7": 7, "l28": 28},
)
def every_day(life: Life) -> None:
    """Opens the app every day."""
    for day in range(60):
        life.visits(life.at(day, life.about(13, 2)), "app")


@STAGE.plays("usage_level.regular lifecycle.current", "declining_use rising_use", days=70, values={"l28": 9})
def every_third_day(life: Life) -> None:
    """Comes every few days."""
    for day in range(1, 60, 3):
        if day != 28:
            life.visits(life.at(day, life.about(13, 3)))


@STAGE.plays("declining_use usage_level.occasional", "rising_use", days=70, values={"l28": 2})
def fades_away(life: Life) -> None:
    """Came every other day in the month before, and twice since."""
    for day in (*range(30, 52, 2), 20, 6):
        life.visits(life.at(day, life.about(13, 3)))


@STAGE.plays("rising_use usage_level.regular", "declining_use", days=70, values={"l28": 9, "l7": 3})
def warms_up(life: Life) -> None:
    """Twice in the month before, and nine times since."""
    for day in (50, 40, 27, 24, 21, 18, 15, 11, 6, 4, 2):
        life.visits(life.at(day, life.about(13, 3)))


@STAGE.plays("lifecycle.dormant usage_level.inactive", "rising_use", days=70)
def gone_for_a_month(life: Life) -> None:
    """Was here the month before last, and not since."""
    for ago in (55, 48, 40):
        life.visits(life.about(ago, 3))


# --- with which parts of the app ---


@STAGE.plays("feature_users broad_users", "deep_users", days=40, among=1_000)
def tries_every_feature(life: Life) -> None:
    """Uses every corner of the app."""
    for turn, feature in enumerate(goods.FEATURES):
        life.does("Feature Used", life.about(14, 12), feature=feature)
        if turn % 3 == 0:
            life.visits(life.about(14, 12), "app")


@STAGE.plays("feature_users deep_users", "broad_users", days=40)
def one_feature(life: Life) -> None:
    """Uses the app for one thing: to order the same again."""
    for _ in range(life.times(12, 18)):
        life.does("Feature Used", life.about(14, 12), feature="order again")
    life.does("Feature Used", life.about(14, 12), feature="receipts")


# --- when they come ---


def _weekdays(*wanted: int) -> list[int]:
    """Days ago, within four months, that fall on these days of the week."""
    return [day for day in range(1, 120) if (TODAY - timedelta(days=day)).weekday() in wanted]


@STAGE.plays("daypart.working_hours", "", days=130)
def from_the_office(life: Life) -> None:
    """Comes from the office, Monday to Friday."""
    for day in _weekdays(0, 2, 4):
        life.visits(life.at(day, life.about(13, 3.5)))


@STAGE.plays("daypart.evening", "", days=130)
def in_the_evening(life: Life) -> None:
    """Comes when the children are in bed."""
    for day in _weekdays(1, 3):
        life.visits(life.at(day, life.about(20.5, 2)))


@STAGE.plays("daypart.weekend", "", days=130)
def at_the_weekend(life: Life) -> None:
    """Has time for it at the weekend."""
    for day in _weekdays(5, 6):
        life.visits(life.at(day, life.about(14, 5)))


@STAGE.plays("daypart.mixed", "", days=130)
def at_any_time(life: Life) -> None:
    """Comes in the lunch break, in the evening and on Sundays."""
    for days, hour in ((_weekdays(1), 12.5), (_weekdays(3), 20), (_weekdays(6), 11)):
        for day in days:
            life.visits(life.at(day, life.about(hour, 1)))


# --- companies: from A1 to C3 ---


def _account(name: str, size: tuple[int, int], band: str, visits: tuple[int, int], title: str) -> None:
    def recipe(life: Life) -> None:
        life.is_company_of(life.times(*size))
        count = life.times(*visits)
        for turn in range(count):
            life.visits(life.at(1 + turn * (24 // max(count, 1)), life.about(12, 3)))

    recipe.__name__ = f"account_{name}"
    recipe.__doc__ = title
    STAGE.plays(f"fit_and_engagement.{name} company_size.{band}", "fit_and_engagement.unknown", days=40)(
        recipe
    )


for _letter, _size, _band, _words in (
    ("a", (300, 4000), "large", "A large company"),
    ("b", (52, 190), "medium", "A company of middle size"),
    ("c", (1, 9), "micro", "A workshop"),
):
    for _number, _visits, _how in (
        (1, (9, 11), "that is here every other day"),
        (2, (3, 6), "that looks in now and then"),
        (3, (0, 1), "that hardly looks in"),
    ):
        _account(f"{_letter}{_number}", _size, _band, _visits, f"{_words} {_how}.")
