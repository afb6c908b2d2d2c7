"""Every function has its lowering here."""

from __future__ import annotations

from ethogram.language.functions import FUNCTIONS
from ethogram.language.lowering.choices import coalesce, conditional
from ethogram.language.lowering.code import Lowered
from ethogram.language.lowering.events import did, lapsed, recurring, sequence_of, share_of, trend_of
from ethogram.language.lowering.moments import elapsed_of, is_anniversary, is_within
from ethogram.language.lowering.population import bin_of, fitted_value, fixed_column, turned, was_in
from ethogram.language.lowering.selections import atom_of, first_or_last, largest_sum, measured, nth
from ethogram.language.lowering.tables import Tables
from ethogram.language.lowering.values import moment_of
from ethogram.language.plan import Input, Instruction, Kind, Op, ValueType
from ethogram.language.streams import step_of, text_of, unit_of
from ethogram.language.tree import Call
from ethogram.model.errors import Unsupported

_VALUE_KINDS = {
    "sum": Kind.SUM,
    "avg": Kind.AVERAGE,
    "min": Kind.MIN,
    "max": Kind.MAX,
    "median": Kind.MEDIAN,
    "count_distinct": Kind.DISTINCT,
    "max_count_by": Kind.MAX_COUNT,
    "values": Kind.SET,
    "most_frequent": Kind.MOST_FREQUENT,
}
_GAPS = {
    "mean": Kind.GAP_MEAN,
    "median": Kind.GAP_MEDIAN,
    "min": Kind.GAP_MIN,
    "max": Kind.GAP_MAX,
    "last": Kind.GAP_LAST,
    "cv": Kind.GAP_VARIATION,
}


def lower_call(tables: Tables, call: Call, expect: ValueType | None) -> Lowered:
    signature = FUNCTIONS[call.function]
    if signature.refused:
        raise Unsupported("E_REFUSED", f"{call.function} cannot be used: {signature.refused}", span=call.span)
    arguments = call.arguments
    match call.function:
        case "did":
            return did(tables, call)
        case "count":
            return tables.slot(atom_of(tables, call, Kind.COUNT))
        case "sum" | "avg" | "min" | "max" | "median" | "count_distinct" | "max_count_by" | "values":
            return measured(tables, call, _VALUE_KINDS[call.function], expect)
        case "max_sum_by":
            return largest_sum(tables, call)
        case "most_frequent":
            return measured(tables, call, Kind.MOST_FREQUENT, expect)
        case "first" | "last":
            return first_or_last(tables, call, expect)
        case "nth":
            return nth(tables, call, expect)
        case "share":
            return share_of(tables, call)
        case "active_days":
            return tables.slot(atom_of(tables, call, Kind.PERIODS)._replace(number=0))
        case "active_periods":
            return tables.slot(atom_of(tables, call, Kind.PERIODS)._replace(number=unit_of(arguments[1])))
        case "streak":
            return tables.slot(atom_of(tables, call, Kind.STREAK)._replace(number=unit_of(arguments[1])))
        case "gap":
            return tables.slot(atom_of(tables, call, _GAPS[text_of(arguments[1])]))
        case "days_since" | "hours_since" | "days_until" | "time_in":
            moment, unit, sign = elapsed_of(tables, call)
            code = (*moment.code, Instruction(Op.ELAPSED, unit, sign))
            return moment._replace(type="number", code=code, restless=True)
        case "anniversary":
            return is_anniversary(tables, call)
        case "age":
            moment = moment_of(tables, arguments[0])
            return moment._replace(type="number", code=(*moment.code, Instruction(Op.AGE)))
        case "now":
            return Lowered("moment", (Instruction(Op.NOW),), restless=True)
        case "sequence":
            return sequence_of(tables, call)
        case "first_time":
            return is_within(tables, tables.slot(atom_of(tables, call, Kind.FIRST_TIME, bare=True)), call)
        case "lapsed":
            return lapsed(tables, call)
        case "resumed":
            atom = atom_of(tables, call, Kind.RESUMED, bare=True)._replace(step=step_of(call.option("gap")))
            return is_within(tables, tables.slot(atom), call)
        case "recurring":
            return recurring(tables, call)
        case "trend":
            return trend_of(tables, call)
        case "rank" | "ntile" | "top" | "zscore":
            return fitted_value(tables, call)
        case "bin":
            return bin_of(tables, call)
        case "in_list":
            return fixed_column(tables, "list", text_of(arguments[0]), "flag")
        case "bucket":
            return fixed_column(tables, "salt", text_of(arguments[0]), "number")
        case "was_in":
            return was_in(tables, call)
        case "entered" | "left":
            return turned(tables, call)
        case "is_identified":
            one = frozenset({Input("identified", 0)})
            return Lowered("flag", (Instruction(Op.IDENTIFIED),), one, (one,))
        case "coalesce":
            return coalesce(tables, call, expect)
        case "lower":
            text = tables.value(arguments[0], "text")
            if text.type != "text":
                return Lowered("text", (Instruction(Op.MISSING),))
            return text._replace(code=(*text.code, Instruction(Op.LOWER)))
        case "if":
            return conditional(tables, call, expect)
        case _:
            raise Unsupported(
                "E_UNSUPPORTED", f"{call.function} is not supported by this engine", span=call.span
            )
