"""An entry's text with a project's names and values filled in.

    $purchase              the behavior that plays the part        purchase
    $purchase.amount       its property                            purchase.total
    $purchase:amount       the property alone, in a filter         total
    $purchase:discounted   a sign, as a condition                  discount > 0
    $purchase:amount: 20   in a test's event                       total: 20
    $purchase:gift=yes     a sign that is given, in a test         is_gift: true
    $customer.country      what is known of the customer           customer.country_code
    $within                a parameter
    $lapsing               a definition of this entry, or of one that it uses

Lines between `#if purchase.amount` and `#end` stay where that part is played (`#else` where not; `#if any a b` where one is), and an `or` that is
left behind a bracket goes away; lines between `#each countries` and `#end` are
repeated for each value of a parameter that holds several; `$each` is that value, within single quotes,
`$each_name` a name and `$each_title` a title for it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ethogram.catalog.entry import CUSTOMER, Entry, Parts
from ethogram.language.printer import print_path, print_text
from ethogram.language.tree import Path
from ethogram.model.errors import DefinitionError

WIDTH = 110
MARK = "# From the catalog: "
_PLACE = re.compile(r"\$(\w+)(?:([.:])(\w+))?(=yes|: (?=[^\s]))?")
_TEST_EVENT = re.compile(r"do: \$(\w+)")
_FORMS = (
    ("a duration such as 30d", re.compile(r"[1-9]\d*(s|min|h|d|w|mo|y)")),
    ("a share such as 40%", re.compile(r"\d+(\.\d+)?%")),
    ("a number", re.compile(r"-?\d+(\.\d+)?")),
)


@dataclass(frozen=True, slots=True)
class Filled:
    """A property of the project that is what an entry asks for."""

    path: Path
    holds: str = "number"


@dataclass(frozen=True, slots=True)
class Played:
    """A behavior that plays a part. `events` are those of a new one, which is still to be written.

    `sample` are properties that its own filter asks for, so that the events of tests pass it.
    """

    behavior: str
    events: tuple[str, ...] = ()
    each: Path = ()
    by_company: bool = False
    properties: Mapping[str, Filled] = field(default_factory=dict)
    sample: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays which part."""

    events: Mapping[str, Played] = field(default_factory=dict)
    customer: Mapping[str, Filled] = field(default_factory=dict)

    def plays(self, need: str) -> bool:
        owner, _, name = need.partition(".")
        if owner == CUSTOMER:
            return name in self.customer
        return owner in self.events and (not name or name in self.events[owner].properties)


def usual_cast(parts: Parts, needs: Sequence[str], lists: str = "products") -> Cast:
    """The cast under the names of the specification, for tests and for `show`."""
    events: dict[str, Played] = {}
    for owner in dict.fromkeys(
        need.partition(".")[0] for need in needs if not need.startswith(f"{CUSTOMER}.")
    ):
        part = parts.events[owner]
        names = part.names if not part.of else parts.events[part.of].names
        asked = [need.partition(".")[2] for need in needs if need.startswith(f"{owner}.")]
        properties = {
            name: Filled(
                tuple(part.properties[name].names[0].split(".")),
                usual_type(part.properties[name].holds),
            )
            for name in asked
        }
        events[owner] = Played(
            owner,
            names[:2] if part.several else names[:1],
            (lists,) if part.of else (),
            part.by_company,
            properties,
        )
    customer = {
        name: Filled((parts.customer[name].names[0],), usual_type(parts.customer[name].holds))
        for name in (need.partition(".")[2] for need in needs if need.startswith(f"{CUSTOMER}."))
    }
    return Cast(events, customer)


def usual_type(holds: str) -> str:
    return {"number": "number", "sign": "number"}.get(holds, "text")


# --- values ---------------------------------------------------------------------------------------------------------


def form_of(value: str) -> str:
    return next((name for name, form in _FORMS if form.fullmatch(value)), "a text")


def set_values(
    entry: Entry, given: Mapping[str, str], found: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The values of all parameters: given ones, else those found in the data, else the defaults, then the computed ones.

    Raises DefinitionError for a parameter that does not exist, has another form, or must be given and is not.
    """
    known = [name for name, parameter in entry.parameters.items() if not parameter.computed]
    for name, value in given.items():
        if name not in known:
            hint = f"It has: {', '.join(known)}." if known else "It has no parameters."
            raise DefinitionError("E_UNKNOWN_OPTION", f"{entry.name} has no parameter '{name}'", hint=hint)
        default = entry.parameters[name].default
        if default and form_of(default) not in (form_of(value), "a text"):
            raise DefinitionError(
                "E_OPTION",
                f"{name}={value}: {form_of(default)} is expected",
                hint=f"By default it is {default}.",
            )
    values = {
        name: given.get(name) or (found or {}).get(name) or entry.parameters[name].default for name in known
    }
    for name, value in values.items():
        if entry.parameters[name].is_text and value and not value.startswith('"'):
            values[name] = print_text(value)
        if not value:
            hint = f"{entry.parameters[name].means} Say it: --set {name}=VALUE"
            raise DefinitionError("E_MISSING_KEY", f"{entry.name} needs a value for '{name}'", hint=hint)
    for name, parameter in entry.parameters.items():
        if parameter.computed:
            values[name] = computed(parameter.computed, values)
    return values


def computed(formula: str, values: Mapping[str, str]) -> str:
    """`within + grace` of durations in one unit, `20 * steps` of numbers. Durations are whole.

    >>> computed("within + grace", {"within": "365d", "grace": "30d"})
    '395d'
    """
    left, operator, right = formula.split()
    one, other = (values.get(side, side) for side in (left, right))
    unit = re.sub(r"[\d.]", "", one) or re.sub(r"[\d.]", "", other)
    a, b = (Decimal(re.sub(r"[a-z%]", "", side)) for side in (one, other))
    result = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else a}[operator]
    return f"{max(1, round(result))}{unit}" if unit else plain_number(result)


def plain_number(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def scaled(value: str, factor: Decimal) -> str:
    """A threshold a fifth lower or higher, in its own form.

    >>> scaled("51d", Decimal("0.8"))
    '41d'
    """
    number = Decimal(re.sub(r"[a-z%]", "", value)) * factor
    unit = re.sub(r"[-\d.]", "", value)
    if unit == "%":
        return f"{plain_number(min(number, Decimal(100)).quantize(Decimal('0.1')))}%"
    if unit:
        return f"{max(1, round(number))}{unit}"
    return plain_number(number.quantize(Decimal("0.01")) if "." in value or number < 20 else round(number, 0))


# --- the text -------------------------------------------------------------------------------------------------------


def render_definitions(
    entry: Entry, cast: Cast, values: Mapping[str, str], names: Mapping[str, str] | None = None
) -> str:
    """The definitions alone; `names` are those of its own and of used definitions where they are not the catalog's."""
    lines = list(_chosen(entry.template.splitlines(), cast, values))
    text = "\n".join(_filled(line, cast, values, names or {}) for line in lines).strip("\n") + "\n"
    return re.sub(r"\n\s+\)", ")", re.sub(r"\(\s+(or|and) ", "(", text))


def render_behaviors(cast: Cast) -> dict[str, str]:
    """A line of YAML for each behavior that is still to be written, by name."""
    found: dict[str, str] = {}
    for played in cast.events.values():
        if not played.events:
            continue
        events = [_scalar(event) for event in played.events]
        event = events[0] if len(events) == 1 else f"[{', '.join(events)}]"
        if played.each or played.by_company or len(events) > 1:
            extra = f", each: {print_path(played.each)}" if played.each else ""
            extra += ", by: company" if played.by_company else ""
            found[played.behavior] = f"  {played.behavior}: {{ event: {event}{extra} }}"
        else:
            found[played.behavior] = f"  {played.behavior}: {event}"
    return found


def render_file(
    entry: Entry,
    cast: Cast,
    values: Mapping[str, str],
    reasons: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    cuts: Sequence[str] = (),
) -> str:
    """The whole file of one entry: what it is, its parameters explained, the definitions."""
    head = [*_comment(f"{entry.title}: {entry.sentence}"), f"{MARK}{entry.name}"]
    if entry.published:
        head += _comment(f"Published form: {entry.published}")
    purpose = f" Needs consent to {entry.play.purpose}." if entry.play.purpose else ""
    head += _comment(f"What to do: {entry.play.what}{purpose}")
    for note in entry.notes:
        head += _comment(f"Mind: {note}")
    used = used_parameters(entry, cast, values)
    explained = list(_explained(entry, {name: values[name] for name in used}, reasons or {}))
    head += ["#", "# Parameters, as they are written below:", *explained] if explained else []
    for cut in cuts:
        head += _comment(cut)
    return "\n".join([*head, "", render_definitions(entry, cast, values, names)])


def _comment(text: str, first: str = "# ", later: str = "#   ") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=later)


def _explained(entry: Entry, values: Mapping[str, str], reasons: Mapping[str, str]) -> Iterator[str]:
    for name in values:
        parameter = entry.parameters[name]
        if not parameter.computed:
            reason = f" {reasons[name]}" if name in reasons else ""
            yield from _comment(
                f"{name} = {', '.join(values[name].split('|'))}: {parameter.means}{reason}", "#   ", "#     "
            )


def _scalar(text: str) -> str:
    return (
        text
        if re.fullmatch(r"[A-Za-z][\w ./-]*", text) and text.lower() not in _YAML_WORDS
        else print_text(text)
    )


_YAML_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def _chosen(lines: Sequence[str], cast: Cast, values: Mapping[str, str]) -> Iterator[str]:
    """Without the lines of conditions that do not hold, and with those of loops repeated."""
    keeping: list[bool] = []
    loop: list[str] | None = None
    looped = ""
    for line in lines:
        word, _, rest = line.strip().partition(" ")
        match word:
            case "#if":
                keeping.append(_holds(cast, rest.split()))
            case "#else":
                keeping[-1] = not keeping[-1]
            case "#each":
                loop, looped = [], rest
            case "#end" if loop is not None:
                for name, value in _named(values[looped].split("|")):
                    for inner in loop:
                        yield _of_one(inner, name, value, cast)
                loop = None
            case "#end":
                keeping.pop()
            case _ if all(keeping):
                if loop is None:
                    yield line
                else:
                    loop.append(line)


def _holds(cast: Cast, condition: Sequence[str]) -> bool:
    """`#if a b` needs all of them, `#if any a b` one."""
    if condition[0] == "any":
        return any(cast.plays(need) for need in condition[1:])
    return all(cast.plays(need) for need in condition)


def slug(value: str) -> str:
    """A value as the name of a group.

    >>> slug("United Kingdom")
    'united_kingdom'
    """
    name = re.sub(r"\W+", "_", value, flags=re.ASCII).strip("_").lower()
    return name if name and name[0].isalpha() else f"group_{name}".rstrip("_")


_IN_WORDS = re.compile(r"^\s*(title|description): |title: [^,}]*\$")
_ASKED = re.compile(r"\$customer\.(\w+) == \$each\b")
_UNITS = {
    "s": "second", "min": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year",
}  # fmt: skip


def spoken(value: str) -> str:
    """A duration in words; other values as they are.

    >>> spoken("7d"), spoken("1y"), spoken("40%")
    ('7 days', '1 year', '40%')
    """
    found = re.fullmatch(r"(\d+)([a-z]+)", value)
    if not found or found[2] not in _UNITS:
        return value.strip('"')
    return f"{found[1]} {_UNITS[found[2]]}{'' if found[1] == '1' else 's'}"


def _of_one(line: str, name: str, value: str, cast: Cast) -> str:
    text = print_text(value)
    line = line.replace("$each_name", name).replace("$each_title", text)
    asked = _ASKED.search(line)
    filled = cast.customer.get(asked[1]) if asked else None
    return line.replace("$each", value if filled and filled.holds == "number" else text.replace("'", "''"))


def _named(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each value with a name for its group; no two have the same."""
    taken = {"other", "unknown"}
    for text in texts:
        name = slug(text)
        while name in taken:
            name += "_too"
        taken.add(name)
        yield name, text


def used_parameters(entry: Entry, cast: Cast, values: Mapping[str, str]) -> tuple[str, ...]:
    """Those that stand in the lines that this cast leaves, or in the computation of one that does."""
    loops = set(re.findall(r"#each (\w+)", entry.template))
    text = "\n".join(_chosen(entry.template.splitlines(), cast, values))
    found = {name for name in entry.parameters if name in loops or re.search(rf"\${name}\b", text)}
    formulas = " ".join(entry.parameters[name].computed for name in found)
    statistics = " ".join(data.of for name in found if (data := entry.parameters[name].data))
    return tuple(
        name
        for name in entry.parameters
        if name in found or name in formulas.split() or f"${name}" in statistics
    )


def _filled(line: str, cast: Cast, values: Mapping[str, str], names: Mapping[str, str]) -> str:
    if _IN_WORDS.match(line):
        values = {name: spoken(value) for name, value in values.items()}

    def place(match: re.Match[str]) -> str:
        name, sign, inner, after = (part or "" for part in match.groups())
        if name in values:
            return values[name] + match[0][1 + len(name) :]
        if name != CUSTOMER and name not in cast.events:
            return names.get(name, name) + match[0][1 + len(name) :]
        filled = _filling(cast, name, inner)
        if not sign or filled is None:
            whole = cast.events[name].behavior if name in cast.events else name
            return whole + match[0][1 + len(name) :]
        if sign == ".":
            owner = name if name == CUSTOMER else cast.events[name].behavior
            return f"{owner}.{print_path(filled.path)}{after}"
        if after == "=yes":
            return _nested(filled.path, {"number": "5", "flag": "true"}.get(filled.holds, '"yes"'))
        if after:
            return f"{_key(filled.path)}: "
        return _sign(filled) if _is_sign(name, inner) else print_path(filled.path)

    return _PLACE.sub(place, _wrapped(_sampled(line, cast), cast))


def _filling(cast: Cast, name: str, inner: str) -> Filled | None:
    if name == CUSTOMER:
        return cast.customer.get(inner)
    return cast.events[name].properties.get(inner)


def _is_sign(part: str, name: str) -> bool:
    from ethogram.catalog.loading import load_parts

    parts = load_parts()
    return (
        part in parts.events
        and name in parts.events[part].properties
        and (parts.events[part].properties[name].holds == "sign")
    )


def _sign(filled: Filled) -> str:
    path = print_path(filled.path)
    return {"number": f"{path} > 0", "flag": f"{path} == true"}.get(filled.holds, f"{path} is known")


def _sampled(line: str, cast: Cast) -> str:
    """A test's event with what the project's own filter of that behavior asks for."""

    def completed(match: re.Match[str]) -> str:
        played = cast.events.get(match[1])
        if played is None:
            return match[0]
        own = {
            _key(filled.path) for name, filled in played.properties.items() if f"${match[1]}:{name}" in line
        }
        missing = [f", {name}: {value}" for name, value in played.sample.items() if name not in own]
        return match[0] + "".join(missing)

    return _TEST_EVENT.sub(completed, line)


def _wrapped(line: str, cast: Cast) -> str:
    """A test's property that lies inside another one is written as a mapping."""

    def nested(match: re.Match[str]) -> str:
        filled = (
            _filling(cast, match[1], match[2]) if match[1] == CUSTOMER or match[1] in cast.events else None
        )
        return match[0] if filled is None or len(filled.path) == 1 else _nested(filled.path, match[3])

    return re.sub(r"\$(\w+):(\w+): ([^\s,}]+)", nested, line)


def _nested(path: Path, value: str) -> str:
    if len(path) == 1:
        return f"{_key(path)}: {value}"
    return f"{_key(path[:1])}: {{ {_nested(path[1:], value)} }}"


def _key(path: Path) -> str:
    return _scalar(path[0])
