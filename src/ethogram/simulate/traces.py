"""What can happen in the shop, and in which file it is kept. Names of events follow Segment's e-commerce specification."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

LINE: Final = pa.struct(
    {
        "sku": pa.string(),
        "name": pa.string(),
        "category": pa.string(),
        "brand": pa.string(),
        "quantity": pa.int64(),
        "price": pa.float64(),
        "cost": pa.float64(),
        "sustainable": pa.bool_(),
    }
)
MONEY: Final = pa.float64()

SOURCES: Final[dict[str, dict[str, pa.DataType]]] = {
    "visits": {
        "channel": pa.string(), "product_id": pa.string(), "category": pa.string(), "brand": pa.string(), "price": MONEY,
        "on_sale": pa.bool_(), "query": pa.string(), "results": pa.int64(), "feature": pa.string(), "page": pa.string(),
    },
    "orders": {
        "order_id": pa.string(), "total": MONEY, "cost": MONEY, "discount": MONEY, "coupon": pa.string(), "units": pa.int64(),
        "channel": pa.string(), "store": pa.string(), "shipping": pa.string(), "gift_wrap": pa.bool_(), "products": pa.list_(LINE),
    },
    "messages": {"channel": pa.string(), "campaign": pa.string()},
    "service": {
        "score": pa.int64(), "rating": pa.int64(), "product_id": pa.string(), "topic": pa.string(), "text": pa.string(),
        "language": pa.string(),
    },
    "club": {"points": pa.int64(), "program": pa.string(), "reward": pa.string(), "place": pa.string()},
}  # fmt: skip
"""Columns of each source beside customer, time, event and message_id."""

TRAITS: Final[dict[str, pa.DataType]] = {
    "birth_date": pa.string(), "created_at": pa.string(), "gender": pa.string(), "household_size": pa.int64(),
    "income": pa.string(), "country": pa.string(), "region": pa.string(), "city": pa.string(), "language": pa.string(),
    "timezone": pa.string(), "interest": pa.string(), "price_attitude": pa.int64(), "novelty_attitude": pa.int64(),
    "plan": pa.string(), "employees": pa.int64(), "industry": pa.string(), "annual_revenue": pa.int64(),
}  # fmt: skip
"""What is known of customers and their companies."""

_LOOK = ("channel", "product_id", "category", "brand", "price", "on_sale")
_OPINION = ("score", "text", "language")

EVENTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "Session Started": ("visits", ("channel",)),
    "Ad Clicked": ("visits", ("page",)),
    "Product Viewed": ("visits", _LOOK),
    "Product List Viewed": ("visits", ("channel", "category")),
    "Products Searched": ("visits", ("channel", "query", "results")),
    "Article Read": ("visits", ("page",)),
    "Product Added": ("visits", _LOOK),
    "Product Removed": ("visits", ("product_id",)),
    "Checkout Started": ("visits", ("channel",)),
    "Payment Info Entered": ("visits", ("channel",)),
    "Payment Failed": ("visits", ("channel",)),
    "Coupon Entered": ("visits", ()),
    "Coupon Denied": ("visits", ()),
    "Product Out of Stock": ("visits", ("product_id",)),
    "Error Shown": ("visits", ("page",)),
    "Feature Used": ("visits", ("feature",)),
    "Sorted by Price": ("visits", ("category",)),
    "Sale Viewed": ("visits", ()),
    "Specifications Viewed": ("visits", ("product_id",)),
    "Review Read": ("visits", ("product_id",)),
    "Express Shipping Chosen": ("visits", ()),
    "Saved Payment Used": ("visits", ()),
    "Returns Policy Viewed": ("visits", ()),
    "Warranty Viewed": ("visits", ("product_id",)),
    "Signed Up": ("visits", ("channel",)),
    "Product Registered": ("visits", ("product_id",)),
    "Product Shared": ("visits", ("product_id",)),
    "Purchase Requested": ("visits", ("product_id",)),
    "Order Approved": ("visits", ()),
    "Order Completed": (
        "orders",
        ("order_id", "total", "cost", "discount", "coupon", "units", "channel", "store", "shipping", "gift_wrap", "products"),
    ),
    "Order Refunded": ("orders", ("order_id", "total")),
    "Email Delivered": ("messages", ("channel", "campaign")),
    "Email Opened": ("messages", ("channel", "campaign")),
    "Email Link Clicked": ("messages", ("channel", "campaign")),
    "Email Bounced": ("messages", ("channel", "campaign")),
    "Unsubscribed": ("messages", ("channel",)),
    "Push Notification Received": ("messages", ("channel", "campaign")),
    "Push Notification Tapped": ("messages", ("channel", "campaign")),
    "SMS Delivered": ("messages", ("channel", "campaign")),
    "SMS Link Clicked": ("messages", ("channel", "campaign")),
    "Ticket Opened": ("service", ("topic", "text", "language")),
    "Ticket Reopened": ("service", ("topic",)),
    "Call Started": ("service", ("topic",)),
    "Help Article Viewed": ("service", ("topic",)),
    "Survey Sent": ("service", ("topic",)),
    "NPS Answered": ("service", _OPINION),
    "CSAT Answered": ("service", _OPINION),
    "CES Answered": ("service", ("score",)),
    "Product Reviewed": ("service", ("rating", "product_id", "text", "language")),
    "Points Earned": ("club", ("points",)),
    "Points Redeemed": ("club", ("points",)),
    "Reward Redeemed": ("club", ("reward",)),
    "Program Joined": ("club", ("program",)),
    "Program Left": ("club", ("program",)),
    "Subscription Upgraded": ("club", ("program",)),
    "Social Commented": ("club", ("place",)),
    "Community Posted": ("club", ("place",)),
    "Event Attended": ("club", ("place",)),
}  # fmt: skip
"""Every event: the source that has it, and the properties it carries."""


def schema(source: str) -> pa.Schema:
    """A file's columns; times are in UTC."""
    head = {"message_id": pa.string(), "customer": pa.string(), "time": pa.timestamp("us", "UTC")}
    if source == "customers":
        return pa.schema({**head, **{f"traits.{name}": kind for name, kind in TRAITS.items()}})
    return pa.schema({**head, "event": pa.string(), **SOURCES[source]})
