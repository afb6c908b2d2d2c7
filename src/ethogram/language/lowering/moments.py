"""Elapsed time, windows around a moment, anniversaries."""

from __future__ import annotations

from ethogram.language.lowering.code import Lowered
from ethogram.language.lowering.questions import MILLION
from ethogram.language.lowering.tables import Tables
from ethogram.language.lowering.values import moment_of
from ethogram.language.plan import Instruction, Op, Part
from ethogram.language.streams import step_of
from ethogram.language.tree import Call

DAY, HOUR = 86_400, 3_600
"""Microseconds to a millionth of a day or hour."""


def elapsed_of(tables: Tables, call: Call) -> tuple[Lowered, int, int]:
    if call.function == "time_in":
        return current_stay(tables, call), DAY, 1
    moment = moment_of(tables, call.arguments[0])
    return (
        moment,
        HOUR if call.function == "hours_since" else DAY,
        -1 if call.function == "days_until" else 1,
    )


def is_within(tables: Tables, moment: Lowered, call: Call) -> Lowered:
    """The moment lies in the window `last=`."""
    window = tables.window((Part("from", step_of(call.option("last"))),))
    return moment._replace(type="flag", code=(*moment.code, Instruction(Op.IN_WINDOW, window)))


def is_anniversary(tables: Tables, call: Call) -> Lowered:
    moment = moment_of(tables, call.arguments[0])
    within = call.option("within")
    days = step_of(within).micros // (DAY * MILLION) if within is not None else 0
    return moment._replace(type="flag", code=(*moment.code, Instruction(Op.ANNIVERSARY, days)))


def current_stay(tables: Tables, call: Call) -> Lowered:
    index, one = tables.signal(call)
    return Lowered("moment", (Instruction(Op.STAY, index),), one, (one,))
