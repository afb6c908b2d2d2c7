"""Which column of an unknown file is the customer, the time, the order, the amounts: by name first, then by content."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import duckdb

from ethogram.ingest.profile import ColumnProfile, FileProfile

_SPLIT = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")

_NAMES: Mapping[str, tuple[str, ...]] = {
    "customer": (
        "customer id", "customerid", "customer", "customer key", "customer number", "customer no", "user id", "userid", "user", "client id",
        "client", "household id", "household", "household key", "member id", "member", "buyer id", "buyer", "shopper id", "shopper",
        "person id", "profile id", "visitor id", "customer email", "billing email", "email", "email address", "e mail", "e mail address", "account id", "card id", "cust id", "id customer",
    ),
    "time": (
        "time", "timestamp", "event time", "event timestamp", "datetime", "created at", "occurred at", "ordered at", "order date", "invoice date",
        "purchase date", "transaction timestamp", "transaction date", "transaction time", "sales date", "date", "date time", "created", "paid at",
        "completed at", "received at", "ts", "event date", "visit date",
    ),
    "event": ("event", "event name", "event type", "action", "activity", "behavior", "behaviour"),
    "order": (
        "order id", "invoice no", "invoice", "invoice number", "invoice id", "order number", "order no", "order", "basket id", "basket",
        "transaction id", "receipt id", "receipt", "receipt no", "transaction no", "ticket id", "sale id", "purchase id",
    ),
    "quantity": ("quantity", "qty", "units", "items", "count", "cds", "pieces"),
    "price": ("unit price", "price", "item price", "unit cost", "price each"),
    "amount": (
        "total", "amount", "order total", "total amount", "total price", "grand total", "order value", "revenue", "sales value", "sales", "line total",
        "net amount", "value", "dollars", "spend", "subtotal", "total sales", "payment amount", "paid amount",
    ),
    "sku": ("sku", "stock code", "product id", "item id", "product code", "article", "article id", "item code", "asin", "upc"),
    "name": ("product name", "description", "item name", "product", "title", "item", "product title"),
    "currency": ("currency", "currency code", "order currency"),
    "country": ("country", "country code", "billing country", "shipping country"),
    "anonymous": ("anonymous id", "anonymousid", "device id", "cookie id"),
    "message_id": ("message id", "messageid", "event id"),
}  # fmt: skip

_GERMAN: Mapping[str, tuple[str, ...]] = {
    "customer": ("kundennummer", "kunden nr", "kundennr", "kunden id", "kunden nummer", "kunde", "kd nr", "kdnr", "debitor", "mitgliedsnummer", "mitglied"),
    "time": ("bestelldatum", "bestellzeit", "rechnungsdatum", "kaufdatum", "datum", "zeitpunkt", "zeitstempel", "uhrzeit", "belegdatum", "auftragsdatum"),
    "event": ("ereignis", "aktion", "vorgang"),
    "order": ("bestellnummer", "bestell nr", "bestellnr", "auftragsnummer", "rechnungsnummer", "rechnungs nr", "belegnummer", "bonnummer", "bestellung"),
    "quantity": ("menge", "anzahl", "stueck", "stueckzahl"),
    "price": ("einzelpreis", "preis", "stueckpreis"),
    "amount": ("gesamtbetrag", "betrag", "summe", "gesamtsumme", "rechnungsbetrag", "umsatz", "gesamtpreis", "bestellwert", "gesamt"),
    "sku": ("artikelnummer", "artikel nr", "artikelnr", "produktnummer"),
    "name": ("artikelname", "artikelbezeichnung", "bezeichnung", "artikel", "produkt", "produktname"),
    "currency": ("waehrung",),
    "country": ("land", "lieferland", "laendercode"),
}  # fmt: skip
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})

_KINDS = {
    "time": ("time", "text", "number"),
    "quantity": ("number",),
    "price": ("number",),
    "amount": ("number",),
}


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column was taken for, how surely (0 to 1), and why."""

    role: str
    column: str
    confidence: float
    why: str


def plain_name(name: str) -> str:
    """
    >>> plain_name("CustomerID"), plain_name("Created at"), plain_name("order_id")
    ('customer id', 'created at', 'order id')
    >>> plain_name("Währung")
    'waehrung'
    """
    return " ".join(word.lower() for word in _SPLIT.findall(name.translate(_UMLAUTS)))


def guess_roles(profile: FileProfile) -> dict[str, Guess]:
    """At most one column for each role, and one role for each column."""
    guesses: dict[str, Guess] = {}
    taken: set[str] = set()
    for role, names in _NAMES.items():
        best: Guess | None = None
        for column in profile.columns.values():
            if column.name in taken or column.known == 0 or not _fits(role, column, profile):
                continue
            plain = plain_name(column.name)
            confidence = max(_by_name(plain, names), _by_name(plain, _GERMAN.get(role, ())))
            if confidence and (best is None or confidence > best.confidence):
                best = Guess(role, column.name, confidence, f"by its name {column.name}")
        if best:
            guesses[role] = best
            taken.add(best.column)
    _by_content(profile, guesses, taken)
    return guesses


def _fits(role: str, column: ColumnProfile, profile: FileProfile) -> bool:
    if column.kind == "nested" or column.kind not in _KINDS.get(role, ("text", "number")):
        return False
    if role == "time":
        return column.kind == "time" or bool(column.formats)
    if role == "event":
        return column.kind == "text" and column.distinct <= max(1, min(500, column.known // 2))
    if role == "order":
        return column.distinct > 1
    return True


def _by_name(name: str, names: tuple[str, ...]) -> float:
    if name in names:
        return 0.98 - 0.005 * names.index(name)
    return max((0.7 for known in names if " " in known and known in name), default=0.0)


def _by_content(profile: FileProfile, guesses: dict[str, Guess], taken: set[str]) -> None:
    """A time is recognized by its values; in a file without names, the customer is the first column whose values repeat."""
    if "time" not in guesses:
        times = [
            c for c in profile.columns.values() if c.name not in taken and (c.kind == "time" or c.formats)
        ]
        if times:
            best = max(times, key=lambda column: (column.kind == "time", column.distinct))
            guesses["time"] = Guess("time", best.name, 0.8, "its values are times")
            taken.add(best.name)
    if profile.reading.header:
        return
    rest = [column for column in profile.columns.values() if column.name not in taken]
    if "customer" not in guesses and rest and (first := rest.pop(0)):
        guesses["customer"] = Guess("customer", first.name, 0.6, "the first column, its values repeat")
    numbers = [column for column in rest if column.kind == "number"]
    fractions = [column for column in numbers if not column.whole]
    if fractions:
        guesses["amount"] = Guess("amount", fractions[-1].name, 0.6, "its values are amounts")
    wholes = [c for c in numbers if c.whole and c.distinct < 1000 and c.distinct * 5 < c.known]
    if wholes:
        guesses["quantity"] = Guess("quantity", wholes[0].name, 0.5, "its values are small whole numbers")


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """How the lines of a file make up orders; `constant` are the columns that are the same on all lines of an order."""

    orders: int
    lines: int
    shared: int
    constant: tuple[str, ...]


def order_facts(profile: FileProfile, order: str, customer: str) -> OrderFacts:
    """`shared` counts orders of more than one customer."""
    others = [
        name
        for name, column in profile.columns.items()
        if name not in (order, customer) and column.kind != "nested"
    ]
    counted = ", ".join(f"count(DISTINCT {quoted(name)}) AS {quoted('n' + name)}" for name in others)
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            "SET python_enable_replacements=false; SET enable_external_access=false"
        ).fetchall()
        connection.register("files", profile.rows.table)
        grouped = (
            f"SELECT count(*) AS size, count(DISTINCT {quoted(customer)}) AS owners{', ' + counted if counted else ''} "
            f"FROM files WHERE {quoted(order)} IS NOT NULL AND {quoted(customer)} IS NOT NULL GROUP BY {quoted(order)}"
        )
        most = ", ".join(f"coalesce(max({quoted('n' + name)}), 0)" for name in others)
        query = f"SELECT count(*), coalesce(max(size), 0), count(*) FILTER (owners > 1){', ' + most if most else ''} FROM ({grouped})"
        orders, lines, shared, *counts = connection.execute(query).fetchall()[0]
    constant = tuple(name for name, count in zip(others, counts, strict=True) if count <= 1)
    return OrderFacts(int(orders), int(lines), int(shared), constant)


def quoted(name: str) -> str:
    """A column's name as SQL writes it: bare where it can be.

    >>> quoted("Quantity"), quoted("Created at")
    ('Quantity', '"Created at"')
    """
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in _keywords():
        return name
    return '"' + name.replace('"', '""') + '"'


@cache
def _keywords() -> frozenset[str]:
    """Words that SQL does not take for a bare name everywhere."""
    with duckdb.connect(":memory:") as connection:
        return frozenset(
            str(word)
            for (word,) in connection.execute(
                "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
            ).fetchall()
        )
