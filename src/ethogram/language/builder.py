"""Definitions in Python, as pleasant as in text.

    from ethogram.language.builder import behavior, count, customer, define, did, hours_since, last, prop, segment

    purchase = behavior("purchase", event="Order Completed", where=prop.total > 0)
    cart_add = behavior("cart_add", event="Product Added")
    abandoners = segment(
        "cart_abandoners",
        did(cart_add, last="7d") & (hours_since(last(cart_add)) >= 3) & ~did(purchase, since=last(cart_add)),
    )
    definitions = define(purchase, cart_add, abandoners)

Every function of the language is here under its own name, and with an underscore after it where Python has the name too
(`sum_`, `min_`, `if_`). What is built is the same tree that the text makes: `purchase[prop.total > 10].total` is a property of a
selection, `&`, `|`, `~` are and, or, not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

from ethogram.language import tree
from ethogram.language.files import gather
from ethogram.language.functions import FUNCTIONS, Signature, Takes
from ethogram.language.parser import parse_expression, parse_filter, parse_path
from ethogram.language.printer import print_expression, print_number
from ethogram.language.spelling import did_you_mean
from ethogram.language.terms import Root, Term, Value, date_of, duration_of, expression, parsed
from ethogram.model.errors import DefinitionError

customer = Root(lambda name: tree.CustomerTrait((name,)))
account = Root(lambda name: tree.AccountTrait((name,)))
prop = Root(lambda name: tree.Property((name,)))
me = Root(tree.Me)
everyone = Term(tree.Everyone())
any_event = Term(tree.Events("any"))
is_identified = Term(tree.Call("is_identified"))
otherwise: Literal["otherwise"] = "otherwise"


def moment(value: str | date) -> Term:
    """`date("2026-11-01")` of the language; a date or datetime of Python may also stand by itself."""
    return Term(date_of(value if isinstance(value, str) else value.isoformat()))


def percent(value: int | float | Decimal) -> Term:
    """`percent(10)` is 10%."""
    return Term(parsed(f"{print_number(Decimal(str(value)))}%"))


def duration(text: str) -> Term:
    """`duration("6mo")`, for `now() - duration("6mo")`; options take the text alone."""
    return Term(duration_of(text))


def name(text: str) -> Term:
    """A trait, segment or segmentation that is defined elsewhere; `name("usage_level").regular` is one of its groups."""
    return Term(tree.Name(text))


def event(text: str) -> Term:
    """Events by their name as received: `event("Order Completed")`."""
    return Term(tree.Events(text, raw=True))


def all_of(*terms: Term) -> Term:
    return Term(tree.And(tuple(term.node for term in terms)))


def any_of(*terms: Term) -> Term:
    return Term(tree.Or(tuple(term.node for term in terms)))


def elem(path: str, where: Term) -> Term:
    """Some one element of the list at `path` meets all of `where`."""
    return Term(tree.Elem(parse_path(path), where.node))


# --- functions --------------------------------------------------------------------------------------------------------


def __getattr__(attribute: str) -> Callable[..., Term]:
    signature = FUNCTIONS.get(attribute) or FUNCTIONS.get(attribute.removesuffix("_"))
    if signature is None:
        raise AttributeError(f"there is no '{attribute}' here. {did_you_mean(attribute, FUNCTIONS)}".strip())
    return _caller(signature)


def __dir__() -> list[str]:
    return sorted({*globals(), *FUNCTIONS})


def _caller(signature: Signature) -> Callable[..., Term]:
    def call(*arguments: Value, **options: Value) -> Term:
        read = tuple(_argument(signature, index, value) for index, value in enumerate(arguments))
        named = tuple(tree.Option(key, _option(signature, key, value)) for key, value in options.items())
        return _checked(Term(tree.Call(signature.name, read, named)))

    call.__name__ = signature.name
    call.__doc__ = f"The language's {signature.name}."
    return call


def _argument(signature: Signature, index: int, value: Value) -> tree.Expression:
    takes = (
        signature.parameters[min(index, len(signature.parameters) - 1)] if signature.parameters else "value"
    )
    return _read(takes, value)


def _option(signature: Signature, key: str, value: Value) -> tree.Expression:
    return _read(signature.option(key) or "value", value)


def _read(takes: Takes, value: Value) -> tree.Expression:
    """Text where the language has a duration, a word or a name: `last="30d"`, `this="month"`, `same="cart_id"`."""
    match takes, value:
        case "duration", str():
            return duration_of(value)
        case "durations", list() | tuple():
            return tree.Items(tuple(_read("duration", item) for item in value))
        case (("unit" | "word"), str()):
            return tree.Word(value)
        case "property", str():
            return tree.Property(parse_path(value))
        case "segment", str():
            return tree.Name(value)
        case "number or percent", str():
            return parsed(value)
        case _:
            return expression(value)


def _checked(term: Term) -> Term:
    """The term, if the language can write it. Functions of rows may stand in filters, others not."""
    text = print_expression(term.node)
    try:
        parse_expression(text)
    except DefinitionError as error:
        try:
            parse_filter(text)
        except DefinitionError:
            raise DefinitionError(error.code, f"{error.message} in {text}", hint=error.hint) from None
    return term


# --- definitions ------------------------------------------------------------------------------------------------------


def behavior(
    name: str,
    event: str | list[str] | None = None,
    *,
    where: Term | None = None,
    each: str = "",
    unless: tuple[str, str] | None = None,
    by_company: bool = False,
    title: str = "",
    description: str = "",
) -> Term:
    """A selection by name; with `event` (as received) it is also defined. `unless` is (event, same property)."""
    selection = tree.Events(name)
    if event is None:
        return Term(selection)
    events = (event,) if isinstance(event, str) else tuple(event)
    path = parse_path(each) if each else ()
    without = tree.Unless(unless[0], parse_path(unless[1])) if unless else None
    filtered = where.node if where is not None else None
    return Term(
        selection, tree.Behavior(name, events, filtered, path, without, by_company, title, description)
    )


def trait(name: str, value: Term, *, title: str = "", description: str = "") -> Term:
    return Term(tree.Name(name), tree.Trait(name, value.node, title, description))


def segment(
    name: str, when: Term, *, title: str = "", description: str = "", purpose: str = "", owner: str = ""
) -> Term:
    return Term(tree.Name(name), tree.Segment(name, when.node, title, description, purpose, owner))


def segmentation(
    name: str,
    groups: Mapping[str, Term | Literal["otherwise"]],
    *,
    title: str = "",
    description: str = "",
    purpose: str = "",
    owner: str = "",
) -> Term:
    """The first group that holds wins: `segmentation("usage", {"much": …, "little": otherwise})`."""
    found = tuple(_group(group, when) for group, when in groups.items())
    return Term(tree.Name(name), tree.Segmentation(name, found, title, description, purpose, owner))


def _group(name: str, when: Term | Literal["otherwise"]) -> tree.SegmentationGroup:
    return tree.SegmentationGroup(name, when.node if isinstance(when, Term) else None)


def people(
    name: str, *, file: str = "", customers: list[str] | None = None, title: str = ""
) -> tree.PeopleList:
    return tree.PeopleList(name, file, tuple(customers or ()), title)


def define(*parts: Term | tree.Definition) -> tree.Definitions:
    """The definitions of behaviors, traits, segments, segmentations and lists, each name once."""
    found: dict[str, tree.Definition] = {}
    for part in parts:
        definition = part.definition if isinstance(part, Term) else part
        if definition is None:
            raise DefinitionError(
                "E_BUILDER", f"'{part!r}' defines nothing", hint="Give it a name: segment(…), trait(…)."
            )
        if definition.name in found:
            raise DefinitionError(
                "E_DUPLICATE", f"'{definition.name}' is defined twice", hint="Rename one of them."
            )
        found[definition.name] = definition
    return gather(found.values())
