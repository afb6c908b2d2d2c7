"""The usual order exports, recognized by their columns: Shopify and WooCommerce."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.ingest.draft import CANCEL, ORDER, REFUND, Draft, files_line
from ethogram.ingest.profile import FileProfile
from ethogram.ingest.roles import Guess, quoted

_SHOPIFY = {"Name", "Email", "Financial Status", "Created at", "Total", "Lineitem quantity", "Lineitem name"}


def known_export(profile: FileProfile) -> list[Draft]:
    """Empty for a file that is none."""
    names = set(profile.columns)
    if names >= _SHOPIFY:
        return _shopify(profile)
    for layout in _WOO:
        if names >= set(layout.values()) - {layout.get(role, "") for role in _OPTIONAL}:
            return _woo(profile, {role: column for role, column in layout.items() if column in names})
    return []


def _shopify(profile: FileProfile) -> list[Draft]:
    """Only the first line of an order carries its totals, so they are the largest of its lines."""
    once = {
        "Total": "total", "Subtotal": "subtotal", "Shipping": "shipping", "Taxes": "tax", "Discount Amount": "discount",
        "Discount Code": "coupon", "Currency": "currency", "Shipping Country": "country", "Shipping Method": "shipping_method",
        "Payment Method": "payment_method", "Source": "channel", "Financial Status": "status", "Tags": "tags",
    }  # fmt: skip
    lines = {
        "Lineitem sku": "sku", "Lineitem name": "name", "Lineitem quantity": "quantity", "Lineitem price": "price",
        "Lineitem discount": "discount", "Vendor": "brand",
    }  # fmt: skip
    orders = _grouped(
        profile,
        "lower(max(Email))",
        "Name",
        ORDER,
        'min("Created at")',
        [f"max({quoted(name)}) as {short}" for name, short in once.items() if name in profile.columns],
        [f"{short}: {quoted(name)}" for name, short in lines.items() if name in profile.columns],
        having="max(Email) is not null and coalesce(max(\"Financial Status\"), 'paid') not in ('pending', 'voided', 'expired')",
    )
    drafts = [_draft(profile, "orders", "a Shopify orders export", orders, ORDER, "products")]
    if "Refunded Amount" in profile.columns and profile.columns["Refunded Amount"].kind == "number":
        moment = _first_known(profile, "Cancelled at", "Created at")
        refunds = _grouped(
            profile, "lower(max(Email))", "Name", REFUND, moment, ['max("Refunded Amount") as total', 'max(Currency) as currency'],
            [], suffix="/refund", having='max(Email) is not null and max("Refunded Amount") > 0',
        )  # fmt: skip
        comment = (
            "the export does not say when a refund was made: the order's cancellation or creation is taken"
        )
        drafts.append(_draft(profile, "refunds", "its refunds", refunds, REFUND, comments=(comment,)))
    if "Cancelled at" in profile.columns and profile.columns["Cancelled at"].kind == "time":
        cancelled = _grouped(
            profile, "lower(max(Email))", "Name", CANCEL, 'max("Cancelled at")', ["max(Total) as total"], [], suffix="/cancelled",
            having='max(Email) is not null and max("Cancelled at") is not null',
        )  # fmt: skip
        comment = (
            "an order cancelled later: `unless: { event: Order Cancelled, same: order_id }` leaves it out"
        )
        drafts.append(
            _draft(profile, "cancellations", "its cancellations", cancelled, CANCEL, comments=(comment,))
        )
    return drafts


_OPTIONAL = ("sku", "name", "quantity", "price", "currency", "country", "customer_id", "payment")

_WOO: tuple[dict[str, str], ...] = (
    {
        "order": "Order Number", "status": "Order Status", "time": "Order Date", "email": "Email (Billing)", "total": "Order Total Amount",
        "sku": "SKU", "name": "Item Name", "quantity": "Quantity", "price": "Item Cost", "country": "Country Code (Billing)",
        "payment": "Payment Method Title",
    },
    {
        "order": "Order ID", "status": "Order Status", "time": "Order Date", "email": "Billing Email Address", "total": "Order Total",
        "sku": "Product SKU", "name": "Product Name", "quantity": "Quantity", "price": "Item price", "currency": "Order Currency",
        "country": "Billing Country", "payment": "Payment Method",
    },
    {
        "order": "order_id", "status": "status", "time": "order_date", "email": "billing_email", "total": "order_total",
        "currency": "order_currency", "country": "billing_country", "payment": "payment_method_title", "sku": "item_sku",
        "name": "item_name", "quantity": "item_quantity", "price": "item_price",
    },
    {
        "order": "order_id", "status": "status", "time": "order_date", "email": "customer_email", "total": "order_total",
        "currency": "order_currency", "country": "billing_country", "payment": "payment_method_title",
    },
)  # fmt: skip


def _woo(profile: FileProfile, column: dict[str, str]) -> list[Draft]:
    status = f"lower(max({quoted(column['status'])}))"
    names = {
        "total": "total",
        "currency": "currency",
        "country": "country",
        "payment": "payment_method",
        "status": "status",
    }
    event = f"case when {status} like '%refunded' then '{REFUND}' when {status} like '%cancelled' then '{CANCEL}' else '{ORDER}' end"
    select = _grouped(
        profile,
        f"lower(max({quoted(column['email'])}))",
        column["order"],
        event,
        f"min({quoted(column['time'])})",
        [f"max({quoted(column[role])}) as {name}" for role, name in names.items() if role in column],
        [
            f"{role}: {quoted(column[role])}"
            for role in ("sku", "name", "quantity", "price")
            if role in column
        ],
        having=f"max({quoted(column['email'])}) is not null and {status} not similar to '(wc-)?(pending.*|failed|draft|checkout-draft|trash)'",
    )
    comments = (
        "completed, processing and on-hold orders are purchases; refunded and cancelled ones have events of their own",
    )
    each = "products" if "name" in column else ""
    draft = _draft(
        profile,
        "orders",
        "a WooCommerce orders export",
        select,
        ORDER,
        each,
        comments=comments,
        more=(REFUND, CANCEL),
    )
    return [draft]


def _grouped(
    profile: FileProfile,
    customer: str,
    order: str,
    event: str,
    moment: str,
    once: Sequence[str],
    elements: Sequence[str],
    *,
    having: str,
    suffix: str = "",
) -> list[str]:
    order = quoted(order)
    fields = [
        f"{customer} as customer",
        f"{order} || '{suffix}' as message_id" if suffix else f"{order} as message_id",
        f"{event if event.startswith('case') else repr(event)} as event",
        f"{moment} as time",
        f"{order} as order_id",
        *once,
        *([f"list({{{', '.join(elements)}}}) as products"] if elements else []),
    ]
    body = ",\n         ".join(fields)
    return [f"  select {body}", "  from files", f"  group by {order}", f"  having {having}"]


def _draft(
    profile: FileProfile,
    name: str,
    label: str,
    select: Sequence[str],
    event: str,
    each: str = "",
    *,
    comments: tuple[str, ...] = (),
    more: tuple[str, ...] = (),
) -> Draft:
    currency = next(
        (
            column.common[0]
            for key, column in profile.columns.items()
            if "currency" in key.lower() and column.common
        ),
        "",
    )
    country = next(
        (
            column.common[0]
            for key, column in profile.columns.items()
            if "country" in key.lower() and column.common
        ),
        "",
    )
    settings = (files_line(profile), 'select = """', *select, '"""')
    guess = Guess("layout", "", 0.97, f"the columns are those of {label}")
    return Draft(
        name, label, settings, comments, (event, *more), each, "total", (guess,), (), currency, country
    )


def _first_known(profile: FileProfile, *names: str) -> str:
    times = [
        f"max({quoted(name)})"
        for name in names
        if name in profile.columns and profile.columns[name].kind == "time"
    ]
    return f"coalesce({', '.join(times)})" if len(times) > 1 else times[0] if times else 'min("Created at")'
