"""Definitions in plain English: the one sentence that describe, count, the reports and the console show."""

from __future__ import annotations

from dataclasses import dataclass

from ethogram.language.nouns import Nouns, plain
from ethogram.language.phrases import (
    COMPARED,
    COMPARED_MOMENTS,
    OPPOSITE,
    TURNED,
    in_the_last,
    listed,
    literal_text,
    times,
)
from ethogram.language.selections import written
from ethogram.language.tree import (
    And,
    Behavior,
    Between,
    Call,
    Compare,
    Definition,
    Definitions,
    Duration,
    Events,
    Everyone,
    Expression,
    Flag,
    Group,
    Known,
    Name,
    Not,
    Number,
    Option,
    Or,
    PeopleList,
    Percent,
    Property,
    Segment,
    Segmentation,
    Text,
    Trait,
    Word,
)
from ethogram.language.types import Types
from ethogram.model.settings import Settings


def sentence(
    what: Expression | Definition,
    definitions: Definitions,
    settings: Settings,
) -> str:
    """`what` in one English sentence (a segmentation: one for each group).

    >>> sentence(Call("did", (Events("Product Added", True),)), Definitions(), Settings())
    "Customers who did 'Product Added'."
    """
    speaker = _Clauses(definitions)
    match what:
        case Behavior():
            return _finished(speaker.behavior(what))
        case Trait(value=value):
            return _finished(speaker.top(value))
        case Segment(when=when):
            return _finished(f"customers {speaker.clause(when)}")
        case Segmentation():
            return speaker.segmentation(what)
        case PeopleList(file=file, customers=customers):
            count = f"{len(customers)} {'person' if len(customers) == 1 else 'people'} named by hand"
            return _finished(f"the people named in {file}" if file else count)
        case _:
            return _finished(speaker.top(what))


def _finished(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


@dataclass(frozen=True, slots=True)
class _Clauses:
    definitions: Definitions

    @property
    def say(self) -> Nouns:
        return Nouns(self.definitions, self.clause)

    def top(self, node: Expression) -> str:
        """A condition as customers, a value as what it is."""
        if Types(self.definitions).of(node) == "flag" or isinstance(node, And | Or | Not):
            return f"customers {self.clause(node)}"
        return self.say.with_article(node)

    # --- definitions ------------------------------------------------------------------------------------------------

    def behavior(self, behavior: Behavior) -> str:
        names = listed((f"'{name}'" for name in behavior.events), "or")
        text = f"every {names}"
        if behavior.each:
            text = f"every element of {written(behavior.each)} in {names}"
        if behavior.where is not None:
            text += f" where {self.say.row(behavior.where)}"
        if behavior.unless:
            text += f", unless '{behavior.unless.event}' with the same {written(behavior.unless.same)} has happened"
        return f"{text}, done to the customer by the company" if behavior.by_company else text

    def segmentation(self, segmentation: Segmentation) -> str:
        lines = ["Every customer is in exactly one group, the first that fits:"]
        for group in segmentation.groups:
            who = "all others" if group.when is None else f"customers {self.clause(group.when)}"
            lines.append(f"{group.title or plain(group.name)}: {who}.")
        return "\n".join(lines)

    # --- conditions -------------------------------------------------------------------------------------------------

    def clause(self, node: Expression, *, negated: bool = False) -> str:
        """A relative clause: `who …`, `whose …`."""
        match node:
            case And(items):
                return self._joined(items, "or" if negated else "and", negated=negated)
            case Or(items):
                return self._joined(items, "and" if negated else "or", negated=negated)
            case Not(item):
                return self.clause(item, negated=not negated)
            case Flag(flag):
                return "who are anybody" if flag != negated else "who are nobody"
            case Everyone():
                return "who are nobody" if negated else "who are known at all"
            case Name(name):
                return self._named(name, negated=negated)
            case Group(segmentation, group):
                return f"{_are(negated)} in the group {self.say.group(segmentation, group)}"
            case Known(item):
                return f"whose {self.say.noun(item)} is {'not ' if negated else ''}known"
            case Compare():
                return self._compared(node, negated=negated)
            case Between(item, low, high):
                limits = f"between {self.say.value(low)} and {self.say.value(high)}"
                return f"whose {self.say.noun(item)} is {'not ' if negated else ''}{limits}"
            case Call():
                return self._call_clause(node, negated=negated)
            case _:
                return f"whose {self.say.noun(node)} is {'not ' if negated else ''}yes"

    def _joined(self, items: tuple[Expression, ...], word: str, *, negated: bool) -> str:
        clauses = [self._inner(item, word, negated=negated) for item in items]
        if len(clauses) == 1:
            return clauses[0]
        comma = "," if any("," in clause for clause in clauses) or len(clauses) > 2 else ""
        return f"{(comma + ' ').join(clauses[:-1])}{comma} {word} {clauses[-1]}"

    def _inner(self, item: Expression, word: str, *, negated: bool) -> str:
        text = self.clause(item, negated=negated)
        while isinstance(item, Not):
            item, negated = item.item, not negated
        own = {And: "or" if negated else "and", Or: "and" if negated else "or"}.get(type(item))
        return f"({text})" if own is not None and own != word else text

    def _named(self, name: str, *, negated: bool) -> str:
        if name in self.definitions.segments:
            return f"{_are(negated)} in '{self.say.title(name)}'"
        return f"whose '{self.say.title(name)}' is {'not ' if negated else ''}yes"

    # --- comparisons ------------------------------------------------------------------------------------------------

    def _compared(self, node: Compare, *, negated: bool) -> str:
        left, right, operator = node.left, node.right, str(node.operator)
        if literal_text(left) is not None and operator in TURNED:
            left, right, operator = right, left, TURNED[operator]
        if negated and operator in OPPOSITE and self._always_known(left):
            operator, negated = OPPOSITE[operator], False
        match left, right:
            case Call("count", (Events() as events, *_), options), Number(count):
                if (operator == "==" and count == 0) or (operator == "<" and count == 1):
                    return self._did(events, options, negated=not negated)
                if (operator == ">=" and count == 1) or (operator == ">" and count == 0):
                    return self._did(events, options, negated=negated)
                how_often = self.say.events_in(events, options, f" {times(operator, count)}")
                return f"who did not do {how_often}" if negated else f"who did {how_often}"
            case Call("days_since" | "hours_since" | "days_until" as function, (moment,)), _:
                if operator in COMPARED and operator != "==":
                    return self._elapsed(function, moment, operator, right, negated=negated)
            case Call("bucket", (Text(salt),)), _ if operator == "<" and not negated:
                return f'who are in the first {self._share(right)} of the draw "{salt}"'
        no = "not " if negated else ""
        match operator:
            case "in":
                return f"whose {self.say.noun(left)} is {'none of' if negated else 'one of'} {self.say.value(right)}"
            case "contains":
                return f"whose {self.say.noun(left)} {'does not contain' if negated else 'contains'} {self.say.value(right)}"
            case "==":
                return f"whose {self.say.noun(left)} is {no}{self.say.value(right)}"
            case _ if "moment" in (self._types.of(left), self._types.of(right)):
                return f"whose {self.say.noun(left)} is {no}{COMPARED_MOMENTS[operator]} {self.say.moment(right)}"
            case _:
                return f"whose {self.say.noun(left)} is {no}{COMPARED[operator]} {self.say.value(right)}"

    @property
    def _types(self) -> Types:
        return Types(self.definitions)

    def _share(self, node: Expression) -> str:
        if isinstance(node, Number):
            return f"{literal_text(Percent(node.value * 100))}"
        return self.say.value(node)

    def _elapsed(
        self, function: str, moment: Expression, operator: str, right: Expression, *, negated: bool
    ) -> str:
        unit = "hour" if function == "hours_since" else "day"
        amount = self.say.value(right)
        length = f"{amount} {unit}" if amount == "1" else f"{amount} {unit}s"
        no = "not " if negated else ""
        if function == "days_until":
            return f"whose {self.say.noun(moment)} is {no}{COMPARED[operator]} {length} away"
        return f"whose {self.say.noun(moment)} was {no}{COMPARED[operator]} {length} ago"

    def _always_known(self, node: Expression) -> bool:
        """Whether the opposite of a comparison may be said as the opposite comparison."""
        match node:
            case Call(function):
                return function in {
                    "count", "sum", "count_distinct", "max_count_by", "max_sum_by", "active_days", "active_periods", "streak",
                    "bucket",
                }  # fmt: skip
            case Name(name) if name in self.definitions.traits:
                return self._always_known(self.definitions.traits[name].value)
            case _:
                return False

    # --- flags of functions -----------------------------------------------------------------------------------------

    def _did(self, events: Events, options: tuple[Option, ...], *, negated: bool) -> str:
        what = self.say.events_in(events, options)
        if negated:
            return f"who did not do {what}" if options else f"who never did {what}"
        return f"who did {what}"

    def _call_clause(self, node: Call, *, negated: bool) -> str:
        arguments = node.arguments
        no = "not " if negated else ""
        match node.function, arguments:
            case "did", (Events() as events,):
                return self._did(events, node.options, negated=negated)
            case "sequence", _:
                return f"{'who did not do' if negated else 'who did'} {self._sequence(node)}"
            case "first_time", (Events() as events,):
                did = "who did not do" if negated else "who did"
                return f"{did} {self.say.events(events)} for the first time {self._last(node, 'last')}"
            case "lapsed", (Events() as events,):
                did = "who are not among those who once did" if negated else "who once did"
                return f"{did} {self.say.events(events)}, but not {self._last(node, 'after')}"
            case "resumed", (Events() as events,):
                came = "who did not come back" if negated else "who came back"
                pause = self.say.length(node, "gap")
                return f"{came} to {self.say.events(events)} {self._last(node, 'last')} after a pause of at least {pause}"
            case "recurring", (Events() as events,):
                did = "who did not do" if negated else "who did"
                return f"{did} {self.say.events(events)} in {self._regularly(node)}"
            case "anniversary", (moment,):
                within = self.say.length(node, "within")
                when = f"within {within}" if within else "today"
                return f"whose anniversary of {self.say.value(moment)} is {no}{when}"
            case "top", (ranked, amount):
                return f"{_are(negated)} in the top {self.say.value(amount)} by {self.say.noun(ranked)}{self.say.among(node)}"
            case "in_list", (Text(name),):
                return f"{_are(negated)} on the list '{self.say.title(name)}'"
            case "was_in", (segment,):
                at = node.option("at")
                when = self.say.moment(at) if at else ""
                return f"who were {no}in {self.say.segment(segment)} {when if when.endswith('ago') else f'at {when}'}"
            case "entered" | "left" as moved, (segment,):
                did = (
                    f"who did not {'enter' if moved == 'entered' else 'leave'}" if negated else f"who {moved}"
                )
                return f"{did} {self.say.segment(segment)} {self._last(node, 'last')}"
            case "is_identified", _:
                return f"{_are(negated)} identified"
            case "consented", (Text(purpose),):
                return f"who {'did not consent' if negated else 'consented'} to {purpose}"
            case "reachable", (Text(channel),):
                return f"who can{'not' if negated else ''} be reached by {channel}"
            case "any_member" | "all_members" as function, (condition,):
                some = "some member" if function == "any_member" else "every member"
                return f"in whose account {some} is one of those {self.clause(condition, negated=negated)}"
            case _:
                return f"whose {self.say.noun(node)} is {no}yes"

    def _sequence(self, node: Call) -> str:
        text = ""
        without = ""
        for step in node.arguments:
            if isinstance(step, Not) and isinstance(step.item, Events):
                without = f" without {self.say.events(step.item)}" + (f" or{without[8:]}" if without else "")
            elif isinstance(step, Events):
                text += f"{' and then ' if text else ''}{self.say.events(step)}{without + ' in between' if without else ''}"
                without = ""
        ending = f"{without} after that" if without else ""
        extra = []
        for name, phrase in (("within", "all within {}"), ("gap", "with at most {} between steps")):
            if self.say.length(node, name):
                extra.append(phrase.format(self.say.length(node, name)))
        if node.option("strict") == Flag(True):
            extra.append("with nothing else in between")
        same = node.option("same")
        if isinstance(same, Property):
            extra.append(f"with the same {written(same.path)}")
        if node.option("last") is not None:
            extra.append(self._last(node, "last"))
        return f"{text}{ending}{''.join(f', {one}' for one in extra)}"

    def _regularly(self, node: Call) -> str:
        every, least, periods = node.option("every"), node.option("at_least"), node.option("of")
        unit = every.value if isinstance(every, Word) else "period"
        return f"at least {self._option(least)} of the last {self._option(periods)} complete {unit}s"

    def _option(self, value: Expression | None) -> str:
        return self.say.value(value) if value is not None else ""

    def _last(self, node: Call, name: str) -> str:
        value = node.option(name)
        return in_the_last(value) if isinstance(value, Duration) else ""


def _are(negated: bool) -> str:
    return "who are not" if negated else "who are"
