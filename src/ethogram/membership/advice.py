"""What would change an answer: what the customer would have to do, and what time does by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice, product
from typing import Final, TypeAlias

from ethogram.language import meaning
from ethogram.language.functions import FUNCTIONS
from ethogram.language.meaning.trace import Trace
from ethogram.language.nouns import plain
from ethogram.language.phrases import number_text
from ethogram.language.printer import print_expression
from ethogram.language.tree import (
    And,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Definitions,
    Events,
    Expression,
    Known,
    Name,
    Not,
    Number,
    Or,
)
from ethogram.language.walk import walk
from ethogram.membership.timing import Timing
from ethogram.model.event import Moment

Way: TypeAlias = tuple[str, ...]
"""Steps that together change the answer."""

AT_ONCE: Final = frozenset({"last", "this", "since"})
"""Windows in which an event of this very moment lies."""
_MOST: Final = 4
_TURNED: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


@dataclass(frozen=True, slots=True)
class Adviser:
    """For one customer at one moment; `say_moment` writes a moment for people."""

    world: meaning.World
    customer: str
    as_of: Moment
    timing: Timing
    say_moment: Callable[[Moment], str]

    def ways(self, trace: Trace, wanted: bool) -> tuple[Way, ...]:
        """The ways in which a condition comes to be as wanted, at most a few; one empty way where it is so already."""
        return tuple(islice(dict.fromkeys(self._ways(trace, wanted)), _MOST))

    def _ways(self, trace: Trace, wanted: bool) -> Iterator[Way]:
        if trace.holds is wanted:
            yield ()
            return
        match trace.node:
            case And() | Or() as node if trace.children:
                if isinstance(node, And) is wanted:
                    yield from self._all_of(trace, wanted)
                else:
                    for child in trace.children:
                        yield from self.ways(child, wanted)
            case Not() if trace.children:
                yield from self._ways(trace.children[0], not wanted)
            case Name() if trace.children and trace.children[0].holds is not None:
                yield from self._ways(trace.children[0], wanted)
            case None:
                return
            case node:
                if trace.name and trace.children:  # a group: its condition is below
                    yield from self._ways(trace.children[0], wanted)
                else:
                    yield from self._of_condition(node, trace, wanted)

    def _all_of(self, trace: Trace, wanted: bool) -> Iterator[Way]:
        """Each condition that is not as wanted has to change."""
        options = [self.ways(child, wanted) for child in trace.children if child.holds is not wanted]
        for chosen in islice(product(*options), _MOST):
            yield tuple(dict.fromkeys(step for way in chosen for step in way))

    def _of_condition(self, node: Expression, trace: Trace, wanted: bool) -> Iterator[Way]:
        known = False
        for step in (self._by_doing(node, trace, wanted), self._by_time(node, wanted)):
            if step:
                known = True
                yield (step,)
        if not known and not self._stays(node, wanted):
            verb = "holds" if wanted else "holds no more"
            yield (f"{print_expression(node)} {verb}",)

    def _stays(self, node: Expression, wanted: bool) -> bool:
        """Whether a condition on all of the past holds for good: what was done cannot be undone."""
        match node:
            case Call("did") as call:
                return not wanted and self._only_grows(call)
            case Compare(">" | ">=", left, Number()):
                measured = self._named(left)
                return not wanted and isinstance(measured, Call) and self._only_grows(measured)
            case Compare("<" | "<=", left, Number()):
                measured = self._named(left)
                return wanted and isinstance(measured, Call) and self._only_grows(measured)
            case Compare("==", left, Number(limit)):
                measured, value = self._named(left), self._number(left)
                grows = isinstance(measured, Call) and self._only_grows(measured)
                return wanted and grows and value is not None and value > limit
            case Known(item) if counted := self._counted(item):
                return not wanted and self._only_grows(counted[0])
            case Call("first_time", (Events() as events,)):
                known = meaning.value(self.world, Call("did", (events,)), self.customer, self.as_of)
                return wanted and known is True and self._only_grows(Call("did", (events,)))
            case _:
                return False

    def _only_grows(self, call: Call) -> bool:
        match call:
            case Call("did" | "count" | "count_distinct" | "active_days", (Events() as events,), ()):
                behavior = self.world.definitions.behaviors.get(events.source)
                return events.where is None and (behavior is None or behavior.unless is None)
            case _:
                return False

    def _named(self, node: Expression) -> Expression:
        """What a trait's name stands for."""
        while isinstance(node, Name) and node.name in self.world.definitions.traits:
            node = self.world.definitions.traits[node.name].value
        return node

    # --- by time ----------------------------------------------------------------------------------------------------

    def _by_time(self, node: Expression, wanted: bool) -> str:
        moment = self.timing.turns(node)
        if moment is None:
            return ""
        when = self.say_moment(moment)
        events = [one for one in walk(node) if isinstance(one, Events)]
        return f"no {self._name(events[0])} until {when}" if events else f"nothing: it is so at {when}"

    # --- by doing ---------------------------------------------------------------------------------------------------

    def _by_doing(self, node: Expression, trace: Trace, wanted: bool) -> str:
        match node:
            case Call("did", (Events() as events,)) if wanted and _is_open_now(node):
                return f"1 {self._name(events)}"
            case Call("lapsed", (Events() as events, *_)) if not wanted:
                return f"1 {self._name(events)}"
            case Compare(">" | ">=", left, limit) | Between(left, limit, _) if (
                not wanted and (self._number(limit) or 0) > 0 and (renewed := self._since_last(left))
            ):
                return f"1 {self._name(renewed)}"
            case Compare(operator, left, right) if operator in _TURNED:
                return self._by_measure(left, trace, operator if wanted else _TURNED[operator], right)
            case Between(item, low, high) if wanted:
                reached = self._by_measure(item, trace, ">=", low)
                return reached or self._by_measure(item, trace, "<=", high)
            case Known(item) if wanted and (counted := self._counted(item)):
                return self._by_measure(counted[0], trace, ">=", counted[1])
            case Compare("==", CustomerTrait(), _) | Known(CustomerTrait()):
                return f"{print_expression(node)} {'becomes true' if wanted else 'is true no more'}"
            case Call("sequence") if wanted:
                return f"all of {print_expression(node)}"
            case _:
                return ""

    def _counted(self, node: Expression) -> tuple[Call, Expression] | None:
        """How many events there have to be for a moment to be known."""
        match self._named(node):
            case Call("nth", (Events(path=()) as events, place), options):
                return Call("count", (events,), options), place
        return None

    def _since_last(self, node: Expression) -> Events | None:
        """The events whose next one sets a number of days or hours back to 0."""
        match self._named(node):
            case Call("days_since" | "hours_since", (moment,)):
                match self._named(moment):
                    case Call("last", (Events(path=()) as events,), ()):
                        return events
        return None

    def _by_measure(self, left: Expression, trace: Trace, operator: str, right: Expression) -> str:
        """How much is missing of a count or a sum that can only grow now."""
        value, limit = self._number(left), self._number(right)
        measured = self._measured(left)
        if value is None or limit is None or measured is None or operator not in (">", ">="):
            return ""
        missing = limit - value
        if measured.function == "count":
            more = int(missing) if missing == int(missing) else int(missing) + 1
            more += 1 if operator == ">" and missing == int(missing) else 0
            return self._more(max(more, 1), measured.arguments[0])
        what = print_expression(measured.arguments[0])
        by = measured.option("by")
        what += f" of one {print_expression(by)}" if by else ""
        return f"{'more than ' if operator == '>' else ''}{number_text(missing)} more of {what}"

    def _measured(self, node: Expression) -> Call | None:
        """The count or sum that a side of a comparison is, also by a trait's name."""
        match node:
            case Name(name) if name in self.world.definitions.traits:
                return self._measured(self.world.definitions.traits[name].value)
            case Call("count" | "sum" | "max_sum_by", (Events(),)) if _is_open_now(node):
                return node
            case _:
                return None

    def _number(self, node: Expression) -> Decimal | None:
        found = meaning.value(self.world, node, self.customer, self.as_of)
        return found if isinstance(found, Decimal) else None

    def _more(self, count: int, events: Expression) -> str:
        assert isinstance(events, Events)
        return f"{count} more {self._name(events, plural=count > 1)}"

    def _name(self, events: Events, *, plural: bool = False) -> str:
        return event_name(events, self.world.definitions, plural=plural)


def event_name(events: Events, definitions: Definitions, *, plural: bool = False) -> str:
    """How people call the events of a selection."""
    if events.where is not None:
        return print_expression(replace(events, path=()))
    if events.raw:
        return f"'{events.source}'"
    if events.source == "any":
        return "events of any kind" if plural else "event of any kind"
    behavior = definitions.behaviors.get(events.source)
    name = (behavior.title.lower() if behavior else "") or plain(events.source)
    return f"{name}s" if plural and not name.endswith("s") else name


def _is_open_now(node: Call) -> bool:
    """Whether an event of this very moment would count."""
    windows = [option.name for option in node.options if option.name != "by"]
    return FUNCTIONS[node.function].windows and all(name in AT_ONCE for name in windows)
