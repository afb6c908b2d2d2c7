"""Links drawn at random, and the rules of decision 0013 said a second time, link by link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa
from hypothesis import strategies as st

from ethogram.identity.resolver import LINKS, STATES, Resolved, resolve
from ethogram.identity.rules import KINDS, LIMITS, Rules


@dataclass(frozen=True)
class Link:
    kind: str
    customer: str
    value: str
    is_known: bool
    time: int

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.customer, self.value


def table_of(links: Iterable[Link]) -> pa.Table:
    rows = list(links)
    return pa.table([[getattr(row, field.name) for row in rows] for field in LINKS], schema=LINKS)


States = dict[tuple[str, str, str], str]
Owners = dict[str, tuple[str, int | None]]


def resolved(links: Iterable[Link], rules: Rules | None = None) -> tuple[States, Owners]:
    rows = list(links)
    return said(rows, resolve(table_of(rows), rules or Rules()))


def said(rows: list[Link], found: Resolved) -> tuple[States, Owners]:
    states = {row.key: STATES[int(state)] for row, state in zip(rows, found.states, strict=True)}
    owners = {row["customer"]: (row["owner"], row["until"]) for row in found.owners.to_pylist()}
    return states, owners


@st.composite
def link_sets(draw: st.DrawFn, most: int = 14) -> list[Link]:
    """Few ids and values, so that they meet."""
    found: dict[tuple[str, str, str], Link] = {}
    for _ in range(draw(st.integers(0, most))):
        kind = draw(st.sampled_from(KINDS))
        known = draw(st.booleans()) or kind == "anonymous"
        customer = draw(st.sampled_from(["u1", "u2", "u3"] if known else ["a1", "a2", "a3", "c"]))
        if kind == "alias":
            value = draw(st.sampled_from(["u1", "u2", "a1", "a2", "old"]))
        elif kind == "anonymous":
            value = draw(st.sampled_from(["a1", "a2", "a3", "u2"]))
        else:
            value = f"{kind} {draw(st.integers(1, 3))}"
        link = Link(kind, customer, value, known, draw(st.integers(0, 6)))
        found.setdefault(link.key, link)
    return list(found.values())


RULES = st.builds(
    lambda *numbers: Rules(dict(zip(LIMITS, numbers, strict=True))),
    st.sampled_from([1, 1, 2]),
    st.sampled_from([1, 5]),
    st.sampled_from([1, 5]),
    st.sampled_from([1, 100]),
    st.sampled_from([1, 5]),
)


class Told:
    """The rules as the decision says them, slowly."""

    def __init__(self, links: list[Link], rules: Rules) -> None:
        self.links, self.rules = links, rules
        self.known = {link.customer for link in links if link.is_known}
        self.groups: list[set[tuple[str, str]]] = []
        for link in links:
            for node in (("id", link.customer), self.node(link)):
                if not any(node in group for group in self.groups):
                    self.groups.append({node})
        self.states: dict[tuple[str, str, str], str] = {}
        for link in links:
            if link.kind == "alias":
                self.join(link)
        self.units = [frozenset(group) for group in self.groups]
        rest = [link for link in links if link.kind != "alias"]
        if rules.limits["customer"] > 1:
            first = [link for link in rest if link.is_known and link.kind in ("email", "phone")]
            for link in sorted(first, key=self.order):
                self.take(link)
            rest = [link for link in rest if link not in first]
        people = [frozenset(group) for group in self.groups]
        self.firsts = {node: self.first(node, people) for group in people for node in group}
        used = [link for link in rest if self.is_open(link, people)]
        for link in rest:
            if link not in used:
                self.states[link.key] = "shared"
        for link in sorted(used, key=self.order):
            self.take(link)

    @staticmethod
    def node(link: Link) -> tuple[str, str]:
        return ("id" if link.kind in ("alias", "anonymous") else link.kind, link.value)

    def order(self, link: Link) -> tuple[object, ...]:
        """Ties: customers before cookies, then by text."""
        who, value = link.customer, link.value
        return KINDS.index(link.kind), link.time, who not in self.known, who, value not in self.known, value

    def group(self, node: tuple[str, str]) -> set[tuple[str, str]]:
        return next(group for group in self.groups if node in group)

    def join(self, link: Link) -> None:
        one, other = self.group(("id", link.customer)), self.group(self.node(link))
        if one is not other:
            self.groups.remove(other)
            one |= other
        self.states[link.key] = "used"

    def counts(self, group: set[tuple[str, str]]) -> dict[str, int]:
        found = dict.fromkeys(LIMITS, 0)
        for unit in self.units:
            if unit <= group:
                kinds = {kind for kind, _ in unit}
                if kinds == {"id"}:
                    is_customer = any(value in self.known for _, value in unit)
                    found["customer" if is_customer else "anonymous"] += 1
                else:
                    found[next(iter(kinds))] += 1
        return found

    def take(self, link: Link) -> None:
        one, other = self.group(("id", link.customer)), self.group(self.node(link))
        if one is not other:
            together = self.counts(one | other)
            wrong = [name for name in ("customer", "email", "phone", "anonymous", "device") if together[name] > self.rules.limits[name]]  # fmt: skip
            if wrong:
                self.states[link.key] = "two customers" if wrong[0] == "customer" else "limit"
                return
        self.join(link)

    def first(
        self, node: tuple[str, str], people: list[frozenset[tuple[str, str]]]
    ) -> tuple[frozenset[tuple[str, str]] | None, float]:
        """Whose a value is, and when somebody else was seen with it."""
        own = next(group for group in people if node in group)
        comers = sorted(
            (link.time, self.name(self.of(link, people)), self.of(link, people))
            for link in self.links
            if link.is_known and link.kind != "alias" and self.node(link) == node
        )
        owner = own if any(value in self.known for kind, value in own if kind == "id") and node[0] == "id" else None  # fmt: skip
        if owner is None and comers:
            owner = comers[0][2]
        later = [time for time, _, group in comers if group != owner]
        is_customer = node[0] == "id" and node[1] in self.known
        return owner, min(later) if later and not is_customer else float("inf")

    @staticmethod
    def of(link: Link, people: list[frozenset[tuple[str, str]]]) -> frozenset[tuple[str, str]]:
        return next(group for group in people if ("id", link.customer) in group)

    def is_open(self, link: Link, people: list[frozenset[tuple[str, str]]]) -> bool:
        owner, until = self.firsts[self.node(link)]
        if link.is_known:
            return owner == self.of(link, people)
        return link.time < min(until, self.firsts["id", link.customer][1])

    def name(self, group: Iterable[tuple[str, str]]) -> str:
        ids = [value for kind, value in group if kind == "id"]
        return min([one for one in ids if one in self.known] or ids)

    @property
    def owners(self) -> Mapping[str, tuple[str, int | None]]:
        found = {}
        for group in self.groups:
            for kind, value in group:
                if kind == "id" and value != self.name(group):
                    until = self.firsts[kind, value][1]
                    found[value] = (self.name(group), None if until == float("inf") else int(until))
        return found
