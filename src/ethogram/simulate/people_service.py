"""Personas of interaction, of what stands in the way, and of engagement with the brand."""

from __future__ import annotations

from ethogram.simulate import goods
from ethogram.simulate.life import Life
from ethogram.simulate.planting import Stage

STAGE = Stage()


# --- by which channel, and when ---


def _mailing(life: Life, likes: str) -> None:
    """A dozen messages on each of three channels within half a year; half of those on one channel are clicked."""
    for turn in range(12):
        ago = life.about(165 - 13 * turn, 3)
        for channel in ("email", "push", "sms"):
            life.gets(ago, channel, clicks=channel == likes and turn % 2 == 0)


@STAGE.plays(
    "preferred_channel.email responds_to_messages engaged_not_buying",
    "hard_to_engage message_fatigue",
    days=180,
)
def likes_mail(life: Life) -> None:
    """Clicks in mails, and nowhere else."""
    _mailing(life, "email")


@STAGE.plays("preferred_channel.push", "preferred_channel.email", days=180)
def likes_push(life: Life) -> None:
    """Taps push messages of the app."""
    _mailing(life, "push")


@STAGE.plays("preferred_channel.sms", "preferred_channel.email", days=180)
def likes_text_messages(life: Life) -> None:
    """Answers to text messages alone."""
    _mailing(life, "sms")


@STAGE.plays("preferred_channel.none hard_to_engage", "engaged responds_to_messages", days=180)
def never_opens(life: Life) -> None:
    """Gets everything, opens nothing."""
    _mailing(life, "none")


@STAGE.plays("message_fatigue", "hard_to_engage", days=180)
def tired_of_mail(life: Life) -> None:
    """Used to click every other mail, until there was one every day."""
    for ago in life.every(9, 170, 35, 2):
        life.gets(ago, opens=True, clicks=True)
    for day in range(1, 20):
        life.gets(day - 0.5, opens=day % 6 == 0)


@STAGE.plays(
    "engaged_not_buying loyalty_in_deed_and_word.latent nps.promoter prospects responds_to_messages",
    "buyers buying_not_engaged message_fatigue",
    days=200,
)
def newsletter_fan(life: Life) -> None:
    """Loves the newsletter, recommends it, and has never bought a thing."""
    for ago in life.every(8, 180, 5, 1):
        life.gets(ago, opens=True, clicks=life.rng.random() < 0.8)
    life.gets(6, clicks=True)
    life.answers("NPS", life.times(9, 10), life.about(50, 20))


def _clicks(life: Life, *hours: float) -> None:
    life.states(timezone=goods.TIMEZONE)
    for turn in range(9):
        hour = hours[turn % len(hours)]
        life.gets(life.at(5 + 18 * turn, life.about(hour, 1)), clicks=True, wait=0.5)


@STAGE.plays("send_daypart.morning", "send_daypart.evening", days=180)
def reads_at_breakfast(life: Life) -> None:
    """Clicks before work."""
    _clicks(life, 7.5)


@STAGE.plays("send_daypart.afternoon", "send_daypart.morning", days=180)
def reads_after_lunch(life: Life) -> None:
    """Clicks after lunch."""
    _clicks(life, 14.5)


@STAGE.plays("send_daypart.evening", "send_daypart.morning", days=180)
def reads_on_the_sofa(life: Life) -> None:
    """Clicks in the evening."""
    _clicks(life, 20)


@STAGE.plays("send_daypart.night", "send_daypart.evening", days=180)
def reads_at_night(life: Life) -> None:
    """Works nights, and clicks then."""
    _clicks(life, 2.5)


@STAGE.plays("send_daypart.mixed", "", days=180)
def reads_at_any_hour(life: Life) -> None:
    """Clicks whenever there is a minute."""
    _clicks(life, 8, 14.5, 20)


@STAGE.plays("service_method.person", "service_method.self_service", days=330, values={"questions": 4})
def calls(life: Life) -> None:
    """Calls, whatever it is about."""
    for ago in (300, 210, 120, 40):
        life.asks(life.about(ago, 15), by="Call Started")


@STAGE.plays("service_method.self_service", "service_method.person", days=330, values={"questions": 5})
def finds_it_alone(life: Life) -> None:
    """Looks it up in the help pages."""
    for ago in (300, 230, 150, 90, 40):
        life.asks(life.about(ago, 15), by="Help Article Viewed")


@STAGE.plays("service_method.both", "service_method.too_few", days=330, values={"questions": 4})
def looks_it_up_and_calls(life: Life) -> None:
    """Reads the help page, and then writes to be sure."""
    for ago in (260, 80):
        life.asks(life.about(ago, 15), by="Help Article Viewed")
        life.asks(life.about(ago - 40, 15))


# --- what stands in the way ---


@STAGE.plays(
    "payment_failures payment_was_declined checkout_abandoners abandonment.at_checkout", "met_errors", days=20
)
def card_declined(life: Life) -> None:
    """Wanted to pay yesterday, and the card was declined."""
    ago = life.about(1, 0.4)
    product = life.some()
    life.visits(ago + 0.03)
    life.looks(ago + 0.02, product)
    life.adds(ago + 0.015, product)
    life.does("Checkout Started", ago + 0.01, channel="web")
    life.does("Payment Info Entered", ago + 0.002, channel="web")
    life.does("Payment Failed", ago, channel="web")


@STAGE.plays("", "payment_was_declined payment_failures checkout_abandoners", days=20)
def paid_in_the_end(life: Life) -> None:
    """The first card was declined, the second one was not."""
    ago = life.about(2, 0.5)
    life.does("Payment Failed", ago + 0.001, channel="web")
    life.buys(ago)


@STAGE.plays("found_nothing wanted_and_not_there", "coupon_was_refused", days=20)
def searched_in_vain(life: Life) -> None:
    """Searched for what there is not, and then for what is sold out."""
    ago = life.about(5, 3)
    life.visits(ago + 0.01)
    life.does(
        "Products Searched",
        ago,
        channel="web",
        query=life.one_of(("unicycle", "Ginsengtee", "緑茶")),
        results=0,
    )
    life.does("Product Out of Stock", ago - 0.01, product_id="deck-chair")


@STAGE.plays("", "found_nothing wanted_and_not_there met_errors", days=60)
def found_it(life: Life) -> None:
    """Searched, and found it at once."""
    life.visits(3.02)
    life.does("Products Searched", 3, channel="web", query="coffee", results=9)
    life.does("Product Out of Stock", 40, product_id="kite")
    life.does("Error Shown", 2, page="cart")


@STAGE.plays("coupon_was_refused", "found_nothing payment_was_declined", days=20)
def coupon_expired(life: Life) -> None:
    """Tried a coupon of last year."""
    life.visits(life.about(3, 0.1) + 0.2)
    life.does("Coupon Denied", life.about(2.8, 0.1))


@STAGE.plays("", "coupon_was_refused", days=20)
def coupon_worked_then(life: Life) -> None:
    """The first coupon was refused, and then it was ordered anyway."""
    life.does("Coupon Denied", 5.01)
    life.buys(5)


@STAGE.plays("met_errors hard_to_engage silent_detractors", "payment_was_declined", days=20)
def app_crashes(life: Life) -> None:
    """Meets one error after the other, and says nothing."""
    for turn in range(life.times(4, 6)):
        life.visits(12.01 - 2 * turn, "app")
        life.does("Error Shown", 12 - 2 * turn, page=life.one_of(("checkout", "search", "account")))


@STAGE.plays("hard_to_engage", "engaged", days=60)
def unreachable(life: Life) -> None:
    """The address does not exist any more."""
    for ago in (40, 25, 10):
        life.does("Email Bounced", ago, channel="email", campaign="email-1")


# --- who plays which part ---


@STAGE.plays("role_recommender role_approver role_payer role_user company_size.medium", days=330)
def workshop_of_one_mind(life: Life) -> None:
    """A company where one person proposes, approves, pays and uses."""
    life.is_company_of(life.times(60, 200))
    for ago in life.every(50, 310, 30, 6):
        life.does("Purchase Requested", ago + 2, product_id="paper-500")
        life.does("Order Approved", ago + 1)
        life.buys(ago, 0, life.some("Stationery"), units=10)


@STAGE.plays("role_recommender", "role_approver role_payer", days=330)
def proposes(life: Life) -> None:
    """Asks for things; others approve and pay."""
    life.is_company_of(life.times(60, 200))
    for ago in (200, 90):
        life.does("Purchase Requested", life.about(ago, 20), product_id="fountain-pen")


@STAGE.plays("role_approver", "role_recommender role_payer", days=330)
def approves(life: Life) -> None:
    """Approves what others ask for."""
    life.is_company_of(life.times(60, 200))
    for ago in (198, 88):
        life.does("Order Approved", life.about(ago, 20))


# --- engagement with the brand ---


@STAGE.plays(
    "social_fans community_members event_guests engaged engaged_not_buying", "responds_to_messages", days=90
)
def enthusiast(life: Life) -> None:
    """Comments, answers in the community, and comes to the reading on Thursday; buys nothing."""
    life.does("Social Commented", life.about(40, 20), place="photos")
    life.does("Community Posted", life.about(30, 20), place="coffee")
    life.does("Event Attended", life.about(45, 20), place="Berlin")


@STAGE.plays(
    "buying_not_engaged", "engaged social_fans community_members event_guests engaged_not_buying", days=150
)
def quiet_buyer(life: Life) -> None:
    """Buys, and wants to be left in peace."""
    for ago in life.every(30, 140, 12, 4):
        life.buys(ago, channel="store")
