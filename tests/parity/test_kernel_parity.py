"""Law 1: the kernel says what the interpreter says, for every definition, history and moment (D07)."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ethogram.language.functions import FUNCTIONS
from ethogram.language.tree import Definitions
from ethogram.model.errors import DataError, Unsupported
from tests.laws.definition_sets import definition_sets, definitions_with
from tests.laws.histories import Case, worlds
from tests.parity.kernel_world import (
    engine_of,
    kernel_answers,
    kernel_moves,
    meant_answers,
    meant_moves,
    stored,
)

FACTOR = float(os.environ.get("ETHOGRAM_LAW_FACTOR", "1"))
LAWS = settings(max_examples=int(60 * FACTOR), deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(max_examples=int(6 * FACTOR), deadline=None, suppress_health_check=list(HealthCheck))
AVAILABLE = [name for name, signature in FUNCTIONS.items() if not signature.refused]
DAY = 86_400_000_000
REFUSED = ("E_UNSUPPORTED", "E_MIXED_TYPES")


def check_answers(case: Case) -> None:
    with stored(case.world.histories) as store:
        try:
            engine = engine_of(store, case.world)
        except Unsupported as refusal:
            assert refusal.code in REFUSED
            return
        try:
            found = kernel_answers(engine, case.as_of)
        except DataError as overflow:
            assert overflow.code == "E_NUMBER_OVERFLOW"
            with pytest.raises(DataError, match="grows beyond"):
                meant_answers(case.world, case.as_of)
            return
        assert found == meant_answers(case.world, case.as_of)


@LAWS
@given(st.data())
def test_d07_kernel_is_meaning(data: st.DataObject) -> None:
    definitions = data.draw(definition_sets())
    check_answers(data.draw(worlds(definitions)))


@pytest.mark.parametrize("function", AVAILABLE)
def test_d07_each_function_is_meaning(function: str) -> None:
    @FEW
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        definitions: Definitions = data.draw(definitions_with(function))
        check_answers(data.draw(worlds(definitions)))

    holds()


@FEW
@given(st.data())
def test_moves_are_the_moments_of_change(data: st.DataObject) -> None:
    """Law 3: between moves and before `due` no answer changes, and each move carries its exact moment."""
    definitions = data.draw(definition_sets(population=False, size=2))
    case = data.draw(worlds(definitions, customers=2, largest=5))
    start, end = case.as_of - 40 * DAY, case.as_of
    with stored(case.world.histories) as store:
        try:
            engine = engine_of(store, case.world)
        except Unsupported as refusal:
            assert refusal.code in REFUSED
            return
        assert kernel_moves(engine, start, end) == meant_moves(case.world, start, end)
