"""Personas of buying: how often, for how much, what, and what they look for in it."""

from __future__ import annotations

from ethogram.simulate import goods
from ethogram.simulate.life import Life
from ethogram.simulate.planting import Stage

STAGE = Stage()


@STAGE.plays(
    "buyers repeat_buyers loyal_buyers full_price_buyers one_category_buyers one_place_buyers usage_rhythm.intensive "
    "repurchase_stage.active rfm_braze.champions loyalty_tier.gold reward_due stage_retention journey_stage.retention "
    "stuck_at_retention responds_to_messages engaged role_payer role_user routine_buyers",
    "prospects first_time_buyers one_and_done lapsing lapsed reactivated silent_customers discount_seekers "
    "cart_abandoners checkout_abandoners browse_abandoners payment_failures rising_spend declining_spend high_average_order "
    "frequent_returns near_next_tier tier_at_risk variety_seekers stuck_at_purchase hard_to_engage birthday_soon",
    days=430,
)
def weekly_reader(life: Life) -> None:
    """Reads the newsletter, and orders a book every week."""
    for ago in life.every(7, 420, 3.2):
        life.buys(ago, 22.0, life.some("Books"))
        life.gets(ago + 0.1, opens=True, clicks=life.rng.random() < 0.9)


@STAGE.plays(
    "discount_seekers benefit_sought.price sale_shoppers loyal_buyers",
    "full_price_buyers prospects benefit_sought.quality",
    days=300,
)
def price_hunter(life: Life) -> None:
    """Buys only with a coupon, sorts by price, and looks at what is reduced."""
    for ago in life.every(45, 282, 12, 3):
        life.does("Coupon Entered", ago + 0.01)
        life.buys(ago, 31.0, off=life.about(7, 2))
    for ago in life.every(6, 84, 4, 1):
        life.does("Sorted by Price", ago, category=life.one_of(goods.categories()))
        life.looks(ago - 0.002, life.some(), on_sale=True)
    for ago in life.every(30, 200, 20, 4):
        life.does("Sale Viewed", ago)


@STAGE.plays(
    "lapsed silent_customers repurchase_stage.inactive usage_rhythm.inactive loyalty_tier.gold lifecycle.gone usage_level.inactive "
    "rfm_braze.dormant journey_stage.dormant journey_dormant abandonment.nowhere",
    "lapsing reactivated bought_in_period stage_retention one_and_done",
    days=770,
)
def churned_big_spender(life: Life) -> None:
    """Spent a lot every month for a year and a half, and has not come back for more than half a year."""
    for ago in life.every(30, 755, life.about(228, 8), 1):
        life.buys(ago, life.about(200, 5))


@STAGE.plays(
    "first_time_buyers one_and_done buyers usage_rhythm.inactive loyalty_tier.base benefit_sought.too_few rfm_braze.dormant",
    "repeat_buyers loyal_buyers second_order_due vip slow_deciders lapsing",
    days=290,
)
def one_order_only(life: Life) -> None:
    """Ordered once, long ago, and never again."""
    life.buys(life.about(250, 25), 34.0)


@STAGE.plays(
    "second_order_due first_time_buyers usage_rhythm.once repurchase_stage.cooling rfm_braze.need_attention",
    "one_and_done repeat_buyers stage_purchase",
    days=60,
)
def second_order_next(life: Life) -> None:
    """Ordered for the first time five weeks ago, the time when most come back."""
    life.buys(life.about(36, 2.5), 60.0)


@STAGE.plays(
    "lapsing repurchase_stage.cooling usage_rhythm.intensive rfm_braze.at_risk",
    "lapsed reactivated",
    days=330,
)
def late_regular(life: Life) -> None:
    """Orders every four weeks, and is three weeks late."""
    for ago in life.every(28, 320, 49, 0.3):
        life.buys(ago, 41.0)


@STAGE.plays(
    "reactivated lifecycle.resurrected repurchase_stage.active",
    "lapsed lapsing lifecycle.new routine_buyers",
    days=720,
)
def came_back(life: Life) -> None:
    """Was a regular, stayed away for more than a year, and ordered again last week."""
    for ago in life.every(40, 705, 480, 3):
        life.buys(ago)
    life.buys(life.about(8, 3))


@STAGE.plays("usage_rhythm.regular", "lapsing", days=410)
def every_seven_weeks(life: Life) -> None:
    """Orders every seven weeks, as far as one can tell with the calendar in hand."""
    for ago in life.every(49, 400, 21, 1):
        life.buys(ago)


@STAGE.plays("usage_rhythm.occasional repurchase_stage.at_risk", "lapsing lapsed", days=510)
def now_and_then(life: Life) -> None:
    """Comes by every few months."""
    for ago in life.every(100, 495, 90, 4):
        life.buys(ago)


@STAGE.plays("replenishment_due", days=200)
def coffee_runs_out(life: Life) -> None:
    """Orders the same coffee every month; the bag is nearly empty."""
    for ago in life.every(30, 185, life.about(29.5, 3), 2):
        life.buys(ago, 0, goods.by_sku()[goods.COFFEE])


@STAGE.plays("", "replenishment_due", days=200)
def coffee_is_here(life: Life) -> None:
    """Orders the same coffee every month, the last time this week."""
    for ago in life.every(30, 185, life.about(4, 2), 2):
        life.buys(ago, 0, goods.by_sku()[goods.COFFEE])


@STAGE.plays(
    "rising_spend stage_expansion journey_stage.expansion",
    "declining_spend stage_advocacy journey_dormant stuck_at_retention",
    days=200,
)
def spends_more(life: Life) -> None:
    """Has moved to a larger place, and spends twice as much as in the quarter before."""
    for ago in (160, 130, 105):
        life.buys(life.about(ago, 6), 40.0)
    for ago in (80, 50, 15):
        life.buys(life.about(ago, 6), 95.0)


@STAGE.plays("declining_spend", "rising_spend stage_expansion lapsed", days=200)
def spends_less(life: Life) -> None:
    """Still orders, for a third of what it was."""
    for ago in (165, 140, 110):
        life.buys(life.about(ago, 6), 100.0)
    life.buys(life.about(40, 8), 45.0)


@STAGE.plays("frequent_returns", "silent_detractors", days=300)
def sends_it_back(life: Life) -> None:
    """Orders three sizes and sends two of them back."""
    for ago in life.every(30, 285, 115, 4):
        life.buys(ago, 120.0, *(life.some("Clothing") for _ in range(3)))
        life.returns(ago - 8, life.about(80, 10))


@STAGE.plays("vip high_average_order loyalty_tier.platinum", "loyalty_tier.gold frequent_returns", days=320)
def furnishes_a_home(life: Life) -> None:
    """Furnishes a house, order by order; three large ones within a year."""
    for ago in (280, 170, 60):
        life.buys(
            life.about(ago, 15),
            life.about(1400, 100),
            life.some("Kitchen"),
            life.some("Electronics"),
            channel="store",
        )


@STAGE.plays("bought_in_period heavy_volume company_size.small loyal_buyers", days=200)
def cafe_by_the_carton(life: Life) -> None:
    """A café that buys cups and coffee by the carton."""
    life.is_company_of(life.times(12, 40))
    for ago in life.every(30, 190, 16, 3):
        life.buys(ago, life.about(760, 60), life.some("Coffee"), units=life.times(140, 220), channel="phone")


@STAGE.plays("responsible_buyers", "one_and_done", days=250)
def buys_with_care(life: Life) -> None:
    """Chooses what is made with care for people and nature."""
    fair = tuple(place for place, product in enumerate(goods.products()) if product.is_fair)
    for ago in life.every(35, 230, 20, 5):
        life.buys(ago, 0, life.one_of(fair))


@STAGE.plays("variety_seekers", "one_category_buyers brand_loyal", days=300)
def tries_everything(life: Life) -> None:
    """One thing from every department, never the same twice."""
    for turn, category in enumerate(goods.categories()):
        life.buys(life.about(270 - 30 * turn, 8), 0, goods.shelf(category)[0])


@STAGE.plays("brand_loyal", "responsible_buyers variety_seekers", days=300)
def brand_fan(life: Life) -> None:
    """Drinks Nordlicht, and no other coffee."""
    own = [place for place in goods.shelf("Coffee") if goods.products()[place].brand == "Nordlicht"]
    plain = tuple(place for place in own if not goods.products()[place].is_fair)
    for ago in life.every(30, 280, 25, 5):
        life.buys(ago, 0, life.one_of(plain))


@STAGE.plays(
    "convenience_buyers benefit_sought.convenience one_place_buyers",
    "several_places_buyers benefit_sought.price",
    days=320,
)
def express_commuter(life: Life) -> None:
    """Orders in the app on the train, delivered tomorrow, paid with one touch."""
    for ago in life.every(40, 300, 18, 5):
        life.does("Express Shipping Chosen", ago + 0.004)
        life.does("Saved Payment Used", ago + 0.001)
        life.buys(ago, channel="app", shipping="express")


@STAGE.plays("benefit_sought.quality asks_before_buying", "convenience_buyers", days=200)
def careful_researcher(life: Life) -> None:
    """Reads specifications and reviews, calls once more, and then buys the good one."""
    product = life.some("Electronics")
    sku = goods.products()[product].sku
    for ago in life.every(3, 60, 35, 0.4):
        life.does("Specifications Viewed", ago, product_id=sku)
        life.does("Review Read", ago - 0.01, product_id=sku)
    life.asks(33, by="Call Started")
    life.buys(life.about(31, 1), 0, product)


@STAGE.plays("benefit_sought.assurance", "asks_before_buying sale_shoppers", days=200)
def wants_to_be_sure(life: Life) -> None:
    """Reads about returns and warranty before anything else."""
    for ago in life.every(10, 130, 40, 3):
        life.does("Returns Policy Viewed", ago)
        life.does("Warranty Viewed", ago - 0.01, product_id=goods.products()[life.some()].sku)
    life.buys(39)


@STAGE.plays("benefit_sought.mixed", "", days=200)
def looks_at_all_sides(life: Life) -> None:
    """Looks at the price as often as at quality, delivery and returns."""
    for ago in life.every(40, 150, 25, 5):
        life.does("Sorted by Price", ago, category="Kitchen")
        life.does("Review Read", ago - 0.01, product_id=goods.COFFEE)
        life.does("Express Shipping Chosen", ago - 0.02)
        life.does("Returns Policy Viewed", ago - 0.03)


@STAGE.plays("several_places_buyers", "one_place_buyers", days=320)
def here_and_there(life: Life) -> None:
    """Buys in the store, in the app and on the web, wherever it suits."""
    for turn, ago in enumerate(life.every(45, 290, 25, 6)):
        life.buys(ago, channel=("store", "app", "web")[turn % 3])


@STAGE.plays("slow_deciders", "loyal_buyers", days=420)
def slow_decider(life: Life) -> None:
    """Looked at it for the first time more than a year ago, and bought it this month."""
    product = life.some("Electronics")
    for ago in life.every(60, 400, 30, 8):
        life.visits(ago + 0.01)
        life.looks(ago, product)
    life.buys(15, 0, product)


# --- small and odd orders, for the two-month form of RFM ---


@STAGE.plays("rfm_braze.loyal", "rfm_braze.champions", days=100)
def twice_last_month(life: Life) -> None:
    """Two orders, four and seven weeks ago."""
    for ago in (33, 51):
        life.buys(life.about(ago, 3), 62.0)


@STAGE.plays("rfm_braze.slipping", "heavy_volume", days=100)
def twice_and_quiet(life: Life) -> None:
    """Two orders two months ago, and quiet since."""
    for ago in (45, 55):
        life.buys(life.about(ago, 3), 62.0)


@STAGE.plays("rfm_braze.new", "rfm_braze.potential_loyalists", days=60)
def free_sample(life: Life) -> None:
    """Ordered a free sample last week."""
    life.buys(life.about(9, 4), free=True)


@STAGE.plays("rfm_braze.about_to_sleep", "", days=100)
def free_sample_long_ago(life: Life) -> None:
    """Ordered a free sample two months ago, and nothing else."""
    life.buys(life.about(50, 5), free=True)
