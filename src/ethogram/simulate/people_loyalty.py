"""Personas of occasion, loyalty and satisfaction."""

from __future__ import annotations

from datetime import timedelta

from ethogram.simulate.life import Life
from ethogram.simulate.planting import Stage
from ethogram.simulate.profile import TODAY

STAGE = Stage()


# --- occasion ---


@STAGE.plays(
    "season_buyers last_season_buyers gift_buyers silent_customers repurchase_stage.inactive journey_dormant",
    "one_and_done holiday_buyers bought_in_period",
    days=580,
)
def christmas_shopper(life: Life) -> None:
    """Buys presents in December, year after year, and is not seen otherwise."""
    for year in (2024, 2025):
        for day in (life.times(1, 6), life.times(8, 12), life.times(14, 20)):
            life.buys(life.on(f"{year}-12-{day:02}", life.about(16, 4)), gift=True)


@STAGE.plays("", "season_buyers last_season_buyers gift_buyers", days=580)
def all_year_round(life: Life) -> None:
    """Buys in every season, for herself."""
    for ago in life.every(60, 570, 15, 4):
        life.buys(ago)


@STAGE.plays("birthday_soon", days=0)
def birthday_next_week(life: Life) -> None:
    """An adult whose birthday is within the next weeks."""
    ahead = TODAY + timedelta(days=life.times(3, 25))
    life.states(birth_date=ahead.replace(year=ahead.year - life.times(25, 60)))


@STAGE.plays("age_band.under_18", "birthday_soon", days=0)
def child_with_a_birthday(life: Life) -> None:
    """Has a birthday next week too, and is a child: no advertising."""
    ahead = TODAY + timedelta(days=life.times(3, 25))
    life.states(birth_date=ahead.replace(year=ahead.year - life.times(11, 16)))


@STAGE.plays("account_anniversary first_order_anniversary", "birthday_soon", days=800)
def two_years_with_us(life: Life) -> None:
    """Opened the account and ordered for the first time two years ago, all but a week."""
    life.states(created_at=TODAY.replace(year=TODAY.year - 2) + timedelta(days=life.times(2, 10)))
    first = 730 - life.times(3, 10)
    for ago in (first, 500, 200):
        life.buys(ago)


@STAGE.plays("", "account_anniversary first_order_anniversary", days=0)
def joined_lately(life: Life) -> None:
    """Has had an account for two months."""
    life.states(created_at=TODAY - timedelta(days=life.times(50, 70)))
    life.buys(life.about(49, 0.5))


@STAGE.plays("holiday_buyers", "season_buyers", days=560)
def holiday_shopper(life: Life) -> None:
    """Orders on public holidays, when there is time at last."""
    for day in ("2025-04-21", "2025-05-01", "2025-10-03", "2026-01-01", "2026-04-06", "2026-05-01"):
        life.buys(life.on(day, life.about(15, 4)))


# --- loyalty ---


@STAGE.plays(
    "loyalty_tier.silver", "near_next_tier tier_at_risk reward_due reward_near points_usable", days=250
)
def silver_member(life: Life) -> None:
    """In the silver tier, comfortably."""
    for ago in (200, 120, 40):
        life.buys(life.about(ago, 10), 100.0)


@STAGE.plays("near_next_tier loyalty_tier.silver", "tier_at_risk", days=250)
def nearly_gold(life: Life) -> None:
    """One order from the gold tier."""
    for ago in (210, 150, 90, 30):
        life.buys(life.about(ago, 10), 111.0)


@STAGE.plays("tier_at_risk loyalty_tier.silver", "near_next_tier", days=380)
def tier_runs_out(life: Life) -> None:
    """Owes the silver tier to one order of nearly a year ago."""
    life.buys(life.about(350, 5), 240.0)
    life.buys(life.about(100, 10), 50.0)


@STAGE.plays("reward_near", "reward_due", days=300)
def nine_stamps(life: Life) -> None:
    """Nine orders on the card; the tenth brings something free."""
    for turn in range(9):
        life.buys(life.about(250 - 27 * turn, 5))


@STAGE.plays("reward_due", "reward_near", days=830)
def old_friend(life: Life) -> None:
    """Here for more than two years: five orders since the last reward are enough."""
    for ago in life.every(90, 810, 420, 5):
        life.buys(ago)
    life.does("Reward Redeemed", 300, reward="coffee")
    for ago in life.every(50, 260, 40, 5):
        life.buys(ago)


@STAGE.plays("point_redeemers", "reward_due reward_near point_savers", days=400)
def took_the_reward(life: Life) -> None:
    """A dozen orders, and took the reward yesterday."""
    for turn in range(12):
        life.buys(life.about(380 - 30 * turn, 5))
        life.does("Points Earned", life.about(380 - 30 * turn, 5), points=40)
    life.does("Points Redeemed", 1.2, points=400)
    life.does("Reward Redeemed", 1, reward="tote bag")


@STAGE.plays("points_usable points_expiring point_savers", "point_redeemers", days=380)
def point_saver(life: Life) -> None:
    """Lets points pile up; the oldest run out next month."""
    life.does("Points Earned", life.about(350, 8), points=150)
    for ago in life.every(35, 310, 20, 6):
        life.does("Points Earned", ago, points=life.times(90, 140))


@STAGE.plays("point_redeemers", "points_usable points_expiring point_savers", days=250)
def point_spender(life: Life) -> None:
    """Uses points as they come."""
    for ago in life.every(40, 220, 30, 6):
        life.does("Points Earned", ago, points=80)
        life.does("Points Redeemed", ago - 5, points=70)


@STAGE.plays("program_members stage_expansion", "", days=200)
def club_member(life: Life) -> None:
    """Pays for the club, and has just taken the larger plan."""
    life.does("Program Joined", life.about(150, 20), program="club")
    life.does("Subscription Upgraded", life.about(20, 8), program="club plus")
    life.states(plan="plus")


@STAGE.plays("", "program_members stage_expansion", days=400)
def left_the_club(life: Life) -> None:
    """Was in the club for half a year."""
    life.does("Program Joined", life.about(300, 20), program="club")
    life.does("Program Left", life.about(120, 20), program="club")


# --- satisfaction ---


@STAGE.plays(
    "nps.promoter csat.satisfied ces.easy happy_reviewers loyalty_in_deed_and_word.true_loyalty stage_advocacy journey_stage.advocacy",
    "unhappy_reviewers silent_detractors nps.unknown",
    days=250,
)
def fan(life: Life) -> None:
    """Buys, praises, and brings friends."""
    for ago in life.every(40, 230, 14, 5):
        life.buys(ago)
    life.answers("NPS", life.times(9, 10), life.about(40, 10))
    life.answers("CSAT", life.times(4, 5), life.about(50, 10))
    life.answers("CES", life.times(5, 7), life.about(45, 10))
    life.reviews(5, life.about(60, 20))
    life.does("Product Shared", life.about(30, 10), product_id="novel")


@STAGE.plays(
    "nps.detractor csat.dissatisfied ces.hard unhappy_reviewers loyalty_in_deed_and_word.spurious",
    "silent_detractors happy_reviewers stage_advocacy loyalty_in_deed_and_word.latent",
    days=250,
)
def critic(life: Life) -> None:
    """Buys, because there is no other shop near, and says what is wrong."""
    for ago in life.every(50, 220, 20, 5):
        life.buys(ago, channel="store")
    life.does("Ticket Reopened", life.about(50, 8), topic="delivery")
    life.answers("NPS", life.times(0, 6), life.about(30, 10))
    life.answers("CSAT", life.times(1, 2), life.about(40, 10))
    life.answers("CES", life.times(1, 3), life.about(35, 10))
    life.reviews(life.times(1, 2), life.about(60, 20))


@STAGE.plays(
    "nps.passive csat.neutral ces.neutral loyalty_in_deed_and_word.none_yet",
    "happy_reviewers unhappy_reviewers",
    days=150,
)
def lukewarm(life: Life) -> None:
    """Fine so far, neither more nor less."""
    life.buys(life.about(100, 20))
    life.answers("NPS", life.times(7, 8), life.about(60, 10))
    life.answers("CSAT", 3, life.about(70, 10))
    life.answers("CES", 4, life.about(65, 10))
    life.reviews(3, life.about(80, 10))


@STAGE.plays(
    "silent_detractors loyalty_in_deed_and_word.not_asked nps.unknown csat.unknown ces.unknown",
    "nps.detractor",
    days=120,
)
def silent_detractor(life: Life) -> None:
    """The parcel was lost, the question was asked twice, and no survey was ever answered."""
    life.buys(life.about(75, 4), 55.0)
    life.asks(life.about(60, 3))
    life.does("Ticket Reopened", life.about(50, 3), topic="delivery")
    life.does("Survey Sent", life.about(40, 3), topic="CSAT")
    life.returns(life.about(35, 3), 55.0)


@STAGE.plays("", "nps.promoter csat.satisfied happy_reviewers unhappy_reviewers", days=400)
def praised_long_ago(life: Life) -> None:
    """Was a promoter last year; an answer does not count for ever."""
    life.answers("NPS", 10, life.about(300, 30))
    life.answers("CSAT", 5, life.about(310, 30))
    life.reviews(5, life.about(320, 30))
