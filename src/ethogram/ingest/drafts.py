"""From a file's columns to drafts of sources, with the reasons as comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from ethogram.ingest.draft import ORDER, REFUND, Draft, Leftover, Question, Setting, basic, files_line, key_of
from ethogram.ingest.exports import known_export
from ethogram.ingest.profile import FileProfile
from ethogram.ingest.roles import Guess, OrderFacts, guess_roles, order_facts, plain_name, quoted

_TIMES = "Known are forms such as 2025-01-31 18:30, 31.01.2025 and 1/31/25."


def draft_of(profile: FileProfile, answers: Mapping[str, str]) -> tuple[list[Draft], Leftover | None]:
    """The sources that a file makes."""
    label = profile.file.label
    stem = stem_of(label)
    if profile.segment:
        return [_segment(profile, stem)], None
    known = known_export(profile)
    if known:
        return known, None
    guesses = guess_roles(profile)
    for role in ("customer", "time", "event", "order", "amount"):
        chosen = answers.get(f"{label}:{role}", "")
        if chosen in profile.columns:
            guesses[role] = Guess(role, chosen, 1.0, "you said so")
        elif chosen == "none":
            guesses.pop(role, None)
    if "customer" not in guesses and "anonymous" not in guesses:
        columns = ", ".join([*profile.columns][:12])
        return [], Leftover(
            label,
            f"no column says who the customer is; there are: {columns}",
            "Call the one that does customer_id in the file's first line.",
        )
    if "time" not in guesses and "customer" in guesses:
        return _people(profile, stem, guesses)
    if "time" not in guesses:
        return [], Leftover(label, "no column holds times in a form that is known", _TIMES)
    if "event" in guesses:
        return [_event_log(profile, stem, guesses, answers)], None
    if "order" in guesses and "customer" in guesses:
        facts = order_facts(profile, guesses["order"].column, guesses["customer"].column)
        if facts.lines > 1:
            return _order_lines(profile, guesses, facts, answers), None
    return [_plain(profile, stem, guesses, answers)], None


def stem_of(label: str) -> str:
    """A source's name from a file's: `data/Orders 2024.csv.gz` is `orders_2024`."""
    name = PurePath(label).name.lower().split(".")[0]
    kept = "".join(char if char.isascii() and char.isalnum() else "_" for char in name).strip("_")
    return kept or "events"


def reading_settings(
    profile: FileProfile, guesses: Mapping[str, Guess], answers: Mapping[str, str]
) -> tuple[list[str], list[Question]]:
    """Lines that say how the file is to be read, and what is unclear about it."""
    setting = Setting()
    reading = profile.reading
    if profile.format == "csv" and reading.delimiter:
        setting.add("delimiter", "tab" if reading.delimiter == "\t" else reading.delimiter)
    if reading.encoding != "utf-8":
        setting.add("encoding", reading.encoding)
    if reading.decimal != ".":
        setting.add("decimal", reading.decimal)
    if not reading.header:
        setting.lines.append("header = false")
        setting.lines.append(
            f"columns = [{', '.join(basic(name) for name in reading.columns)}]  # rename them as you like, below too"
        )
    questions: list[Question] = []
    time = profile.columns[guesses["time"].column] if "time" in guesses else None
    if time and time.kind != "time" and time.formats:
        key = f"{profile.file.label}:time_format"
        chosen = answers.get(key, time.formats[0])
        setting.add("time_format", chosen)
        if len(time.formats) > 1:
            questions.append(
                Question(key, f"How are the dates in {time.name} written?", time.formats, chosen)
            )
    return setting.lines, questions


def doubts(profile: FileProfile, guesses: Mapping[str, Guess]) -> list[Question]:
    """Roles that were guessed with little ground."""
    names = tuple(profile.columns)
    texts = {
        "customer": "Which column says who the customer is?",
        "time": "Which column says when it happened?",
    }
    return [
        Question(f"{profile.file.label}:{role}", text, names, guesses[role].column)
        for role, text in texts.items()
        if role in guesses and guesses[role].confidence < 0.75
    ]


def _segment(profile: FileProfile, stem: str) -> Draft:
    names = profile.rows.table.column_names
    events = profile.rows.table["event"].unique().drop_null().to_pylist() if "event" in names else []
    return Draft(
        stem,
        "calls of the Segment protocol",
        (files_line(profile),),
        (
            "track, page, screen, identify, group and alias calls, understood as they are; no mapping is needed",
        ),
        tuple(str(name) for name in events[:40]),
    )


def _event_log(
    profile: FileProfile, stem: str, guesses: dict[str, Guess], answers: Mapping[str, str]
) -> Draft:
    lines, questions = reading_settings(profile, guesses, answers)
    setting = Setting([files_line(profile), *lines])
    for role in ("customer", "anonymous", "time", "event", "message_id"):
        if role in guesses:
            setting.add(role, guesses[role].column)
    setting.lines.append('properties = "*"  # every other column')
    event = profile.columns[guesses["event"].column]
    return Draft(
        stem,
        "a log of events",
        tuple(setting.lines),
        (f"{event.distinct} different events in column {event.name}",),
        event.common,
        measure=guesses["amount"].column if "amount" in guesses else "",
        guesses=tuple(guesses.values()),
        questions=(*questions, *doubts(profile, guesses)),
    )


def _people(
    profile: FileProfile, stem: str, guesses: dict[str, Guess]
) -> tuple[list[Draft], Leftover | None]:
    customer = profile.columns[guesses["customer"].column]
    if customer.distinct < customer.known:
        return [], Leftover(
            profile.file.label,
            f"no column holds times in a form that is known, and {customer.name} is not unique",
            _TIMES,
        )
    lines, _ = reading_settings(profile, {}, {})
    setting = Setting([files_line(profile), *lines, 'kind = "identify"'])
    setting.add("customer", customer.name)
    setting.add("time", "1990-01-01", "known from the start")
    traits = [name for name in profile.columns if name != customer.name]
    setting.lines.append("properties = {}")
    setting.lines.append(
        "traits = { " + ", ".join(f"{key_of(name)} = {basic(name)}" for name in traits) + " }"
    )
    draft = Draft(
        stem,
        "facts about customers, one line each",
        tuple(setting.lines),
        ("given traits: `customer.NAME` in definitions",),
        guesses=(guesses["customer"],),
        questions=tuple(doubts(profile, guesses)),
    )
    return [draft], None


def _plain(profile: FileProfile, stem: str, guesses: dict[str, Guess], answers: Mapping[str, str]) -> Draft:
    """One row is one event: an order where there is an amount, else an event named like the file."""
    lines, questions = reading_settings(profile, guesses, answers)
    setting = Setting([files_line(profile), *lines])
    is_order = "amount" in guesses
    event = ORDER if is_order else " ".join(word.capitalize() for word in plain_name(stem).split())
    for role in ("customer", "anonymous", "time"):
        if role in guesses:
            setting.add(role, guesses[role].column)
    setting.add("event", event, "the same for every row")
    if "order" in guesses:
        setting.add("message_id", guesses["order"].column)
    taken = {guess.column for role, guess in guesses.items() if role in ("customer", "anonymous", "time")}
    named = {guesses["amount"].column: "total"} if is_order else {}
    named |= {guesses[role].column: name for role, name in _PROPERTY_NAMES.items() if role in guesses}
    pairs = [
        f"{key_of(named.get(name, name))} = {basic(name)}" for name in profile.columns if name not in taken
    ]
    setting.lines.append("properties = { " + ", ".join(pairs) + " }")
    return Draft(
        "orders" if is_order else stem,
        "orders, one row each" if is_order else "events, one row each",
        tuple(setting.lines),
        (),
        (event,),
        measure="total" if is_order else "",
        guesses=tuple(guesses.values()),
        questions=(*questions, *doubts(profile, guesses)),
        currency=_most_common(profile, guesses, "currency"),
        country=_most_common(profile, guesses, "country"),
    )


_PROPERTY_NAMES = {"order": "order_id", "quantity": "quantity", "currency": "currency", "country": "country"}


def _order_lines(
    profile: FileProfile, guesses: dict[str, Guess], facts: OrderFacts, answers: Mapping[str, str]
) -> list[Draft]:
    """Lines of one order become one event; lines below zero become refunds."""
    column = {role: quoted(guess.column) for role, guess in guesses.items()}
    lines, questions = reading_settings(profile, guesses, answers)
    by_price = "price" in guesses and "quantity" in guesses and "amount" not in guesses
    value = f"{column['quantity']} * {column['price']}" if by_price else column.get("amount", "")
    measured = ("quantity", "price") if by_price else ("amount",)
    tested = [role for role in measured if role in guesses]
    negative = any(profile.columns[guesses[role].column].negatives for role in tested)
    known = f"{column['customer']} is not null"
    above = [f"{column[role]} > 0" for role in tested] if negative else []
    orphans = profile.count - profile.columns[guesses["customer"].column].known
    comments = [
        f"{profile.count:,} lines make {facts.orders:,} orders of column {guesses['order'].column}: a line is one of `products`",
        *([f"{orphans:,} lines name no customer and are left out by `where`"] if orphans else []),
        *(
            ["lines with a quantity or price of zero or less are no sales; see the refunds below"]
            if negative
            else []
        ),
    ]
    select = _order_select(profile, guesses, facts, ORDER, value, [known, *above])
    settings = (files_line(profile), *lines, 'select = """', *select, '"""')
    draft = Draft(
        "orders",
        "orders, a row for each line of one",
        settings,
        tuple(comments),
        (ORDER,),
        "products",
        "total" if value else "",
        tuple(guesses.values()),
        (*questions, *doubts(profile, guesses)),
        _most_common(profile, guesses, "currency"),
        _most_common(profile, guesses, "country"),
    )
    if not negative:
        return [draft]
    below = [known, f"{column[measured[0]]} < 0"]
    refund = _order_select(profile, guesses, facts, REFUND, f"-({value})" if by_price else f"-{value}", below)
    comment = "cancellations and returns: lines below zero, with the amount given back as `total`"
    return [
        draft,
        Draft(
            "refunds",
            "refunds",
            (files_line(profile), *lines, 'select = """', *refund, '"""'),
            (comment,),
            (REFUND,),
            measure="total",
        ),
    ]


def _order_select(
    profile: FileProfile,
    guesses: Mapping[str, Guess],
    facts: OrderFacts,
    event: str,
    value: str,
    tests: Sequence[str],
) -> list[str]:
    column = {role: quoted(guess.column) for role, guess in guesses.items()}
    order, customer = column["order"], column["customer"]
    message_id = f"concat_ws('/', {order}, {customer})" if facts.shared else order
    used = {
        guesses[role].column
        for role in ("customer", "time", "order", "amount", "quantity", "price", "sku", "name")
        if role in guesses
    }
    whole_order = [name for name in facts.constant if name not in used]
    line_names = {"sku": "sku", "name": "name", "quantity": "quantity", "price": "price", "amount": "amount"}
    elements = [f"{name}: {column[role]}" for role, name in line_names.items() if role in guesses]
    elements += [
        f"{property_name(name)}: {quoted(name)}"
        for name in profile.columns
        if name not in used and name not in whole_order
    ]
    fields = [
        f"{customer} as customer",
        f"{message_id} as message_id",
        f"'{event}' as event",
        f"min({column['time']}) as time",
        f"any_value({order}) as order_id" if facts.shared else f"{order} as order_id",
        *([f"sum({value}) as total"] if value else []),
        *(f"any_value({quoted(name)}) as {property_name(name)}" for name in whole_order),
        *([f"list({{{', '.join(elements)}}}) as products"] if elements else []),
    ]
    body = ",\n         ".join(fields)
    return [
        f"  select {body}",
        "  from files",
        f"  where {' and '.join(tests)}",
        f"  group by {customer}, {order}",
    ]


def property_name(name: str) -> str:
    """A column's name as a property is usually called: `UnitPrice` is `unit_price`."""
    return quoted("_".join(plain_name(name).split()) or name)


def _most_common(profile: FileProfile, guesses: Mapping[str, Guess], role: str) -> str:
    common = profile.columns[guesses[role].column].common if role in guesses else ()
    return common[0] if common else ""
