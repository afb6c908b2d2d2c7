"""A reading position in the tokens of one expression."""

from __future__ import annotations

from ethogram.language.lexer import Token, tokens
from ethogram.language.source import Source
from ethogram.language.walk import MAX_DEPTH
from ethogram.model.errors import DefinitionError
from ethogram.model.span import Span

_INSTEAD = {
    "=": "Two values are compared with ==.",
    "<>": "Unequal is written !=.",
    "&&": "Write: and",
    "||": "Write: or",
    "!": "Write: not",
    "AND": "Write it small: and",
    "OR": "Write it small: or",
    "NOT": "Write it small: not",
    "And": "Write it small: and",
    "Or": "Write it small: or",
    "Not": "Write it small: not",
    "IN": "Write it small: in",
    "null": "Write: is not known",
    "None": "Write: is not known",
    "like": "Write: contains",
    "not": "Write: x not in [1, 2], or: x is not known",
    "known": "Write: is known",
}


class Cursor:
    """Looks one or two tokens ahead; every error gets its place here."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens = tokens(source)
        self.at = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    @property
    def after_next(self) -> Token:
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.next
        if token.kind != "end":
            self.at += 1
        return token

    def is_symbol(self, *symbols: str) -> bool:
        return self.next.kind == "symbol" and self.next.text in symbols

    def is_word(self, *words: str) -> bool:
        return self.next.kind == "name" and self.next.text in words

    def follows_symbol(self, symbol: str) -> bool:
        """Whether `symbol` is the token after the next."""
        return self.after_next.kind == "symbol" and self.after_next.text == symbol

    def follows_word(self, *words: str) -> bool:
        return self.after_next.kind == "name" and self.after_next.text in words

    def take_symbol(self, *symbols: str) -> bool:
        """Whether one of the symbols was there; it is taken then."""
        if found := self.is_symbol(*symbols):
            self.at += 1
        return found

    def take_word(self, *words: str) -> bool:
        if found := self.is_word(*words):
            self.at += 1
        return found

    def expect(self, symbol: str, opened: Token | None = None) -> None:
        if self.take_symbol(symbol):
            return
        if opened is not None and self.next.kind == "end":
            raise self.error(f"'{opened.text}' is not closed: a '{symbol}' is missing", opened)
        raise self.unexpected(f"'{symbol}'")

    def enter(self) -> None:
        """Counts one more level; an error ends the whole parse, so nothing is undone then."""
        self.depth += 1
        if self.depth >= MAX_DEPTH:
            message = f"the expression is nested too deeply (less than {MAX_DEPTH} levels are possible)"
            raise self.error(message, code="E_DEPTH", hint="Give a part of it a name: a trait or a segment.")

    def leave(self) -> None:
        self.depth -= 1

    def span(self, first: Token) -> Span:
        """From `first` to the last token taken."""
        return self.source.span(first.start, max(first.end, self.tokens[self.at - 1].end))

    def error(
        self, message: str, token: Token | None = None, *, code: str = "E_SYNTAX", hint: str = ""
    ) -> DefinitionError:
        at = token or self.next
        return DefinitionError(code, message, hint=hint, span=self.source.span(at.start, at.end))

    def error_from(
        self, first: Token, message: str, *, code: str = "E_SYNTAX", hint: str = ""
    ) -> DefinitionError:
        """An error that underlines everything from `first` to the last token taken."""
        return DefinitionError(code, message, hint=hint, span=self.span(first))

    def unexpected(self, expected: str, hint: str = "") -> DefinitionError:
        """`expected` says what should stand here: "a value", "')'"."""
        token = self.next
        if token.kind == "end":
            before = f" after '{self.source_text(self.tokens[self.at - 1])}'" if self.at else ""
            return self.error(f"the expression ends here; {expected} is missing{before}", hint=hint)
        found = self.source_text(token)
        hint = hint or _INSTEAD.get(found, "") or self._separators()
        return self.error(f"unexpected '{found}', expected {expected}", hint=hint)

    def source_text(self, token: Token) -> str:
        return self.source.text[token.start : token.end]

    def _separators(self) -> str:
        if self.is_symbol(",") and self.at and self.tokens[self.at - 1].kind == "number":
            return "Numbers are written without thousands separators: 1000."
        return ""
