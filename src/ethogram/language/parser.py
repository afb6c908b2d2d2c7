"""Expression text to syntax tree.

Operators, from loosest to tightest: or, and, not, comparisons (never chained), + -, * /, unary minus. The signature of a
function says how each of its parameters is read; inside `[ ]` bare names are properties.
"""

from __future__ import annotations

from typing import assert_never, cast

from ethogram.language import literals
from ethogram.language.cursor import Cursor
from ethogram.language.eventparser import selection, with_path, without_path
from ethogram.language.functions import FUNCTIONS, ROW_FUNCTIONS, WITHOUT_PARENTHESES, Signature, Takes
from ethogram.language.lexer import KEYWORDS, Token
from ethogram.language.source import Source, source
from ethogram.language.spelling import did_you_mean, listing
from ethogram.language.tree import (
    AccountTrait,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Comparison,
    CustomerTrait,
    Elem,
    Events,
    Everyone,
    Expression,
    Group,
    Known,
    Me,
    Name,
    Negate,
    Not,
    Operator,
    Option,
    Or,
    Path,
    Property,
)
from ethogram.language.usage import require_complete, too_many, unknown_option
from ethogram.language.walk import require_shallow
from ethogram.model.errors import DefinitionError

RESERVED = KEYWORDS | {"any", "everyone", "customer", "account", "me", "otherwise"} | WITHOUT_PARENTHESES
"""What no definition may be called."""

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_FILTER_FUNCTIONS = tuple(sorted(ROW_FUNCTIONS | {"elem", "date"}))


def parse_expression(text: str, *, file: str = "", line: int = 1, column: int = 1) -> Expression:
    """The tree of a condition or value; `line` and `column` say where the text begins in its file.

    Raises DefinitionError for the first mistake, with its place.
    """
    return parse_source(source(text, file, line, column))


def parse_filter(text: str, *, file: str = "", line: int = 1, column: int = 1) -> Expression:
    """The tree of what may stand inside `[ ]`, such as a behavior's `where`."""
    return parse_source(source(text, file, line, column), inside_filter=True)


def parse_path(text: str, *, file: str = "", line: int = 1, column: int = 1) -> Path:
    """A property's path: ``address.`zip code` ``."""
    return parse_path_source(source(text, file, line, column))


def parse_source(text: Source, *, inside_filter: bool = False) -> Expression:
    parser = _Parser(text, inside_filter)
    expression = parser.expression()
    if parser.cursor.next.kind != "end":
        raise parser.leftover()
    require_shallow(expression)
    return expression


def parse_path_source(text: Source) -> Path:
    cursor = Cursor(text)
    path = literals.path(cursor)
    if cursor.next.kind != "end":
        raise cursor.unexpected("nothing more after the property's name")
    return path


class _Parser:
    def __init__(self, text: Source, inside_filter: bool) -> None:
        self.cursor = Cursor(text)
        self.inside_filter = inside_filter

    # --- operators --------------------------------------------------------------------------------------------------

    def expression(self) -> Expression:
        first = self.cursor.next
        items = [self._conjunction()]
        while self.cursor.take_word("or"):
            items.append(self._conjunction())
        return items[0] if len(items) == 1 else Or(tuple(items), span=self.cursor.span(first))

    def _conjunction(self) -> Expression:
        first = self.cursor.next
        items = [self._negation()]
        while self.cursor.take_word("and"):
            items.append(self._negation())
        return items[0] if len(items) == 1 else And(tuple(items), span=self.cursor.span(first))

    def _negation(self) -> Expression:
        first = self.cursor.next
        if not self.cursor.take_word("not"):
            return self._comparison()
        self.cursor.enter()
        item = self._negation()
        self.cursor.leave()
        return Not(item, span=self.cursor.span(first))

    def _comparison(self) -> Expression:
        first = self.cursor.next
        left = self._sum()
        compared = self._compared(first, left)
        if compared is not left and self._at_comparison():
            hint = "Join two comparisons with and: a < b and b < c. Or write: b between a and c."
            raise self.cursor.error("comparisons cannot be chained", code="E_CHAIN", hint=hint)
        return compared

    def _at_comparison(self) -> bool:
        cursor = self.cursor
        negated = cursor.is_word("not") and cursor.follows_word("in")
        return cursor.is_symbol(*_COMPARISONS) or cursor.is_word("in", "contains", "between", "is") or negated

    def _compared(self, first: Token, left: Expression) -> Expression:
        cursor = self.cursor
        if cursor.is_symbol(*_COMPARISONS):
            return self._equality(first, left, cursor.take().text)
        if cursor.take_word("contains"):
            return Compare("contains", left, self._sum(), span=cursor.span(first))
        if cursor.take_word("in"):
            return self._membership(first, left)
        if cursor.is_word("not"):
            return self._not_in(first, left)
        if cursor.take_word("between"):
            return self._between(first, left)
        if cursor.take_word("is"):
            return self._is_known(first, left)
        return left

    def _equality(self, first: Token, left: Expression, operator: str) -> Expression:
        right = self._sum()
        span = self.cursor.span(first)
        if operator == "!=":
            return Not(Compare("==", left, right, span=span), span=span)
        return Compare(cast(Comparison, operator), left, right, span=span)

    def _membership(self, first: Token, left: Expression) -> Compare:
        right = literals.items(self.cursor, literals.literal, "a list after 'in', such as [1, 2]")
        return Compare("in", left, right, span=self.cursor.span(first))

    def _not_in(self, first: Token, left: Expression) -> Expression:
        if self.cursor.follows_word("contains", "between"):
            raise self.cursor.error(f"write: not (x {self.cursor.after_next.text} …)")
        if not self.cursor.follows_word("in"):
            return left
        self.cursor.take()
        self.cursor.take()
        inner = self._membership(first, left)
        return Not(inner, span=inner.span)

    def _between(self, first: Token, left: Expression) -> Between:
        low = self._sum()
        if not self.cursor.take_word("and"):
            raise self.cursor.unexpected("'and' of: between … and …")
        return Between(left, low, self._sum(), span=self.cursor.span(first))

    def _is_known(self, first: Token, left: Expression) -> Expression:
        negated = self.cursor.take_word("not")
        if not self.cursor.take_word("known"):
            raise self.cursor.unexpected("'known'" if negated else "'known' or 'not known'")
        span = self.cursor.span(first)
        known = Known(left, span=span)
        return Not(known, span=span) if negated else known

    def _sum(self) -> Expression:
        first = self.cursor.next
        left = self._product()
        while self.cursor.is_symbol("+", "-"):
            operator = cast(Operator, self.cursor.take().text)
            left = Arithmetic(operator, left, self._product(), span=self.cursor.span(first))
        return left

    def _product(self) -> Expression:
        first = self.cursor.next
        left = self._signed()
        while self.cursor.is_symbol("*", "/"):
            operator = cast(Operator, self.cursor.take().text)
            left = Arithmetic(operator, left, self._signed(), span=self.cursor.span(first))
        return left

    def _signed(self) -> Expression:
        first = self.cursor.next
        if not self.cursor.take_symbol("-"):
            return self._primary()
        self.cursor.enter()
        item = self._signed()
        self.cursor.leave()
        return Negate(item, span=self.cursor.span(first))

    # --- operands ---------------------------------------------------------------------------------------------------

    def _primary(self) -> Expression:
        cursor = self.cursor
        match cursor.next.kind:
            case "number":
                return literals.number(cursor)
            case "percent":
                return literals.percent(cursor)
            case "duration":
                return literals.duration(cursor)
            case "text":
                return self._text()
            case "name" | "quoted name":
                return self._named()
            case "symbol" if cursor.is_symbol("("):
                return self._parenthesized()
            case "symbol" if cursor.is_symbol("["):
                hint = 'A list stands after \'in\': country in ["GB", "FR"].'
                raise cursor.unexpected("a value", hint)
            case _:
                hint = "Write 0 before the point: 0.5." if cursor.is_symbol(".") else ""
                raise cursor.unexpected(
                    "a property or a value" if self.inside_filter else "a value or a condition", hint
                )

    def _parenthesized(self) -> Expression:
        opened = self.cursor.take()
        self.cursor.enter()
        inner = self.expression()
        self.cursor.expect(")", opened)
        self.cursor.leave()
        return inner

    def _text(self) -> Expression:
        text = literals.text(self.cursor)
        if not self.inside_filter and self.cursor.is_symbol(".", "["):
            raise self._selection_outside(f'"{text.value}"')
        return text

    def _selection_outside(self, written: str) -> DefinitionError:
        hint = f"Wrap it: did({written}), count({written}), sum({written}.total)."
        return self.cursor.error("a selection of events stands inside a function", hint=hint)

    def _named(self) -> Expression:
        token = self.cursor.next
        if token.kind == "name":
            if token.text in ("true", "false"):
                return literals.flag(self.cursor)
            if token.text in KEYWORDS:
                raise self.cursor.error(f"a value is missing before '{token.text}'")
            if self.cursor.follows_symbol("("):
                return self._call()
        return self._row_reference() if self.inside_filter else self._reference()

    def _reference(self) -> Expression:
        first = self.cursor.take()
        if first.kind == "name":
            match first.text:
                case "everyone":
                    return Everyone(span=self.cursor.span(first))
                case "customer":
                    return CustomerTrait(
                        self._trait_path(first, "customer.country"), span=self.cursor.span(first)
                    )
                case "account":
                    return AccountTrait(self._trait_path(first, "account.plan"), span=self.cursor.span(first))
                case "me":
                    hint = "Elsewhere write the trait's name alone, without 'me.'."
                    raise self.cursor.error("'me' stands only inside a filter [ ]", first, hint=hint)
                case "any":
                    raise self.cursor.error(
                        "'any' is a selection of events", first, hint="Write did(any) or count(any)."
                    )
                case word if word in WITHOUT_PARENTHESES:
                    return Call(word, span=self.cursor.span(first))
        return self._name_or_group(first)

    def _trait_path(self, first: Token, example: str) -> Path:
        if not self.cursor.take_symbol("."):
            raise self.cursor.error(
                f"a trait is missing after '{first.text}'", first, hint=f"Write {example}."
            )
        return literals.path(self.cursor, "the name of a trait")

    def _name_or_group(self, first: Token) -> Expression:
        if self.cursor.is_symbol("["):
            raise self._selection_outside(f"{first.text}")
        if not self.cursor.take_symbol("."):
            return Name(first.text, span=self.cursor.span(first))
        group = literals.name(self.cursor, "the name of a group")
        if self.cursor.is_symbol(".", "["):
            raise self._selection_outside(first.text)
        return Group(first.text, group, span=self.cursor.span(first))

    def _row_reference(self) -> Expression:
        first = self.cursor.next
        if self.cursor.is_word("me"):
            return self._me(first)
        if self.cursor.is_word("customer", "account") and self.cursor.follows_symbol("."):
            hint = f"Define a trait for it and write me.that_trait. A property of this name: `{first.text}`."
            raise self.cursor.error(f"'{first.text}.' cannot stand inside a filter [ ]", hint=hint)
        path = literals.path(self.cursor)
        return Property(path, span=self.cursor.span(first))

    def _me(self, first: Token) -> Me:
        self.cursor.take()
        if not self.cursor.take_symbol("."):
            hint = "Write me.average_order, or `me` for a property of this name."
            raise self.cursor.error("a trait is missing after 'me'", first, hint=hint)
        trait = literals.name(self.cursor, "the name of a trait")
        return Me(trait, span=self.cursor.span(first))

    # --- calls ------------------------------------------------------------------------------------------------------

    def _call(self) -> Expression:
        first = self.cursor.take()
        if first.text == "date":
            return literals.date(self.cursor, first)
        if first.text == "elem":
            return self._elem(first)
        signature = self._signature(first)
        opened = self.cursor.take()
        self.cursor.enter()
        arguments, options = self._arguments(signature)
        self.cursor.expect(")", opened)
        self.cursor.leave()
        call = Call(first.text, tuple(arguments), tuple(options), span=self.cursor.span(first))
        require_complete(self.cursor, first, signature, call)
        return call

    def _signature(self, name: Token) -> Signature:
        known = _FILTER_FUNCTIONS if self.inside_filter else (*FUNCTIONS, "date")
        if name.text in known:
            return FUNCTIONS[name.text]
        if self.inside_filter and name.text in FUNCTIONS:
            message = f"'{name.text}' cannot stand inside a filter [ ] or a behavior's where"
            hint = (
                f"There are {listing(_FILTER_FUNCTIONS)}; a trait of the customer is written me.that_trait."
            )
            raise self.cursor.error(message, name, hint=hint)
        hint = did_you_mean(name.text, known) or f"Functions are: {listing(known, 60)}."
        raise self.cursor.error(f"unknown function '{name.text}'", name, code="E_UNKNOWN_FUNCTION", hint=hint)

    def _elem(self, first: Token) -> Elem:
        if not self.inside_filter:
            hint = 'Write did(purchase[elem(products, category == "Shoes")]).'
            raise self.cursor.error("'elem' stands only inside a filter [ ]", first, hint=hint)
        self.cursor.expect("(")
        self.cursor.enter()
        path = literals.path(self.cursor, "the name of a list")
        self.cursor.expect(",")
        where = self.expression()
        self.cursor.expect(")")
        self.cursor.leave()
        return Elem(path, where, span=self.cursor.span(first))

    def _arguments(self, signature: Signature) -> tuple[list[Expression], list[Option]]:
        arguments: list[Expression] = []
        options: list[Option] = []
        if self.cursor.is_symbol(")"):
            return arguments, options
        while True:
            if self._at_option():
                options.append(self._option(signature, options))
            elif options:
                raise self.cursor.error("options such as last=30d come after everything else")
            else:
                arguments.append(self._argument(signature, len(arguments)))
            if not self.cursor.take_symbol(","):
                return arguments, options

    def _at_option(self) -> bool:
        return self.cursor.next.kind == "name" and self.cursor.follows_symbol("=")

    def _argument(self, signature: Signature, index: int) -> Expression:
        if index < len(signature.parameters):
            return self._read(signature.parameters[index])
        if signature.repeats:
            return self._read(signature.parameters[-1])
        raise too_many(self.cursor, signature)

    def _option(self, signature: Signature, before: list[Option]) -> Option:
        name = self.cursor.take()
        takes = signature.option(name.text)
        if takes is None:
            raise unknown_option(self.cursor, signature, name)
        if any(option.name == name.text for option in before):
            raise self.cursor.error(f"{name.text}= is given twice", name, code="E_ARGUMENTS")
        self.cursor.expect("=")
        value = self._read_option(takes, name.text)
        return Option(name.text, value, span=self.cursor.span(name))

    def _read_option(self, takes: Takes, name: str) -> Expression:
        """Options take literals where a parameter of the same kind takes any expression."""
        match takes:
            case "number":
                return literals.plain_number(self.cursor)
            case "text":
                return literals.text(self.cursor)
            case "flag":
                return literals.flag(self.cursor)
            case "duration":
                return literals.duration(self.cursor, f"a duration such as {name}=30d")
            case _:
                return self._read(takes)

    def _read(self, takes: Takes) -> Expression:
        cursor = self.cursor
        match takes:
            case "events":
                return without_path(self._selection())
            case "measure":
                return with_path(self._selection())
            case "events or measure":
                return self._selection()
            case "step":
                return self._step()
            case "segment":
                return self._segment()
            case "duration":
                return literals.duration(cursor)
            case "durations":
                return self._durations()
            case "unit":
                return literals.unit(cursor)
            case "word":
                return literals.clock(cursor)
            case "numbers":
                return literals.items(cursor, literals.plain_number, "a list of numbers such as [22, 6]")
            case "texts":
                return literals.items(cursor, literals.text, 'a list of texts such as ["sat", "sun"]')
            case "property":
                first = cursor.next
                return Property(literals.path(cursor), span=cursor.span(first))
            case "number" | "number or percent" | "text" | "flag" | "moment" | "value":
                return self.expression()
            case _:
                assert_never(takes)

    def _durations(self) -> Expression:
        first = self.cursor.next
        found = literals.items(self.cursor, literals.duration, "two durations such as [90d, 30d]")
        if len(found.items) != 2:
            message = "two durations are needed: from how long ago to how long ago"
            raise self.cursor.error_from(first, message, hint="Write ago=[90d, 30d].")
        return found

    # --- selections -------------------------------------------------------------------------------------------------

    def _selection(self) -> Events:
        return selection(self.cursor, self._filter)

    def _filter(self) -> Expression:
        outside, self.inside_filter = self.inside_filter, True
        where = self.expression()
        self.inside_filter = outside
        return where

    def _step(self) -> Expression:
        first = self.cursor.next
        if not self.cursor.take_word("not"):
            return without_path(self._selection())
        item = without_path(self._selection())
        return Not(item, span=self.cursor.span(first))

    def _segment(self) -> Expression:
        first = self.cursor.next
        if first.kind not in ("name", "quoted name") or self.cursor.follows_symbol("("):
            hint = "Give the condition a name: define it as a segment."
            raise self.cursor.unexpected("the name of a segment", hint)
        reference = self._reference()
        if not isinstance(reference, Name | Group):
            raise self.cursor.error_from(first, "the name of a segment is expected here")
        return reference

    # --- the end ----------------------------------------------------------------------------------------------------

    def leftover(self) -> DefinitionError:
        cursor = self.cursor
        if cursor.is_symbol(")", "]"):
            return cursor.error(f"'{cursor.next.text}' closes nothing")
        return cursor.unexpected("'and', 'or', a comparison or the end")
