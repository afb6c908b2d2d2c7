"""The random expressions of the property tests are ones that `check` accepts."""

from __future__ import annotations

from expressions import VOCABULARY, expressions
from hypothesis import given, settings

from ethogram.language.checker import check, check_expression
from ethogram.language.tree import Expression
from ethogram.model.settings import Settings

HERE = Settings(timezone="Europe/London", country="GB")


def test_the_vocabulary_is_accepted() -> None:
    assert not [finding for finding in check(VOCABULARY, HERE) if finding.severity == "error"]


@given(expressions("condition", population=True))
@settings(max_examples=200)
def test_conditions_are_accepted(expression: Expression) -> None:
    found = check_expression(expression, VOCABULARY, HERE)
    assert not [finding for finding in found if finding.severity == "error"]
