"""Named tables in compiled code, by address.

Python holds tables as NamedTuples of arrays. Compiled code sees such a tuple as one address: that of its `heads`, a row
(address, rows, width) a field. `program.slots[k, SLOT_KIND]` reads the same in both. Passing arrays themselves would make
the compiler carry hundreds of values, and count references, from function to function: most of the time it takes.

A table whose number of columns is known is annotated with it, `Annotated[NDArray[…], 4]`: places in it are then a shift
away. Compiled code can take an element, set one, ask for `len` and for `shape`. Tables are contiguous; an index is never negative
and not checked; the caller keeps the arrays alive.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast, get_args, get_type_hints

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global, signature
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_builtin,
    lower_getattr,
    lower_getattr_generic,
    models,
    register_model,
)
from numpy.typing import NDArray

Tuple = TypeVar("Tuple", bound=NamedTuple)
HEAD = 3


def address(array: NDArray[Any]) -> int:
    return array.ctypes.data


def heads(tables: NamedTuple) -> NDArray[np.int64]:
    """What compiled code needs to know of the arrays of a NamedTuple; whole numbers stand for themselves. Compiled code
    trusts the types and numbers of columns that the NamedTuple names: they are checked here."""
    rows = [
        (field, 1, 1) if kind is None else _head(field, kind, width)
        for field, (kind, width) in zip(tables, _expected(type(tables)), strict=True)
    ]
    return np.array(rows, np.int64)


@cache
def _expected(tables: type[NamedTuple]) -> tuple[tuple[np.dtype[Any] | None, int], ...]:
    """The type of each field's elements, None for a number, and how many columns it has, 0 where it does not say."""
    return tuple(_element(hint) for hint in get_type_hints(tables, include_extras=True).values())


def _element(hint: Any) -> tuple[np.dtype[Any] | None, int]:
    width = 0
    if hasattr(hint, "__metadata__"):
        (width,) = hint.__metadata__
        hint = hint.__origin__
    return None if hint is int else np.dtype(get_args(get_args(hint)[1])[0]), width


def _head(array: NDArray[Any], kind: np.dtype[Any], width: int) -> tuple[int, int, int]:
    columns = array.shape[1] if array.ndim == 2 else 1
    assert array.dtype == kind and array.flags.c_contiguous and width in (0, columns), (
        array.dtype,
        array.shape,
    )
    return address(array), len(array), columns


class _Tables(types.Opaque):
    """The heads of one class of NamedTuple."""

    def __init__(self, name: str, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.places = {field: place for place, field in enumerate(fields)}
        super().__init__(f"Tables({name})")


class _Table(types.Type):
    """`width` is the number of columns, 0 where it is not known before."""

    def __init__(self, dtype: Any, width: int) -> None:
        self.dtype = dtype
        self.width = width
        super().__init__(f"Table({dtype}, {width})")


register_model(_Tables)(models.OpaqueModel)


@register_model(_Table)
class _TableModel(models.StructModel):
    def __init__(self, manager: Any, table: _Table) -> None:
        members = [("data", types.CPointer(table.dtype)), ("rows", types.int64), ("width", types.int64)]
        super().__init__(manager, table, members)


def opener(tables: type[Tuple]) -> Callable[[int], Tuple]:
    """A function for compiled code: the tables at the address of their heads."""
    hints = get_type_hints(tables, include_extras=True)
    fields = {name: _field(hint) for name, hint in hints.items()}
    kind = _Tables(tables.__name__, fields)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(kind))

    @intrinsic
    def opened(typing: Any, address: Any) -> Any:
        return kind(types.int64), generate

    return cast(Callable[[int], Tuple], opened)


def _field(hint: Any) -> Any:
    kind, width = _element(hint)
    return types.int64 if kind is None else _Table(from_dtype(kind), width)


# --- what compiled code can do ------------------------------------------------------------------------------------------


@infer_getattr
class _TablesAttributes(AttributeTemplate):
    key = _Tables

    def generic_resolve(self, tables: _Tables, name: str) -> Any:
        return tables.fields.get(name)


@lower_getattr_generic(_Tables)
def _field_of_tables(context: Any, builder: Any, tables: _Tables, value: Any, name: str) -> Any:
    word = context.get_value_type(types.int64)
    head = builder.bitcast(value, word.as_pointer())
    place = HEAD * tables.places[name]

    def load(index: int) -> Any:
        loaded = builder.load(builder.gep(head, [context.get_constant(types.int64, place + index)]))
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        return loaded

    field = tables.fields[name]
    if field is types.int64:
        return load(0)
    table = context.make_helper(builder, field)
    table.data = builder.inttoptr(load(0), context.get_value_type(types.CPointer(field.dtype)))
    table.rows = load(1)
    table.width = context.get_constant(types.int64, field.width) if field.width else load(2)
    return table._getvalue()


def _index(index: Any) -> Any:
    if isinstance(index, types.Integer):
        return types.int64
    if isinstance(index, types.BaseTuple) and len(index) == 2:
        return types.UniTuple(types.int64, 2)
    return None


@infer_global(operator.getitem)
class _GetElement(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        table, index = args
        if isinstance(table, _Table) and _index(index) is not None:
            return signature(table.dtype, table, _index(index))
        return None


@infer_global(operator.setitem)
class _SetElement(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        table, index, _ = args
        if isinstance(table, _Table) and _index(index) is not None:
            return signature(types.none, table, _index(index), table.dtype)
        return None


def _place(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Where an element is."""
    table = context.make_helper(builder, sig.args[0], args[0])
    index = args[1]
    if isinstance(sig.args[1], types.BaseTuple):
        row, column = builder.extract_value(index, 0), builder.extract_value(index, 1)
        known = sig.args[0].width
        width = context.get_constant(types.int64, known) if known else table.width
        index = builder.add(builder.mul(row, width), column)
    return builder.gep(table.data, [index])


@lower_builtin(operator.getitem, _Table, types.Any)
def _get_element(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return context.unpack_value(builder, sig.return_type, _place(context, builder, sig, args))


@lower_builtin(operator.setitem, _Table, types.Any, types.Any)
def _set_element(context: Any, builder: Any, sig: Any, args: Any) -> None:
    context.pack_value(builder, sig.args[2], args[2], _place(context, builder, sig, args))


@infer_global(len)
class _Length(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(types.int64, args[0]) if isinstance(args[0], _Table) else None


@lower_builtin(len, _Table)
def _length(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return context.make_helper(builder, sig.args[0], args[0]).rows


@infer_getattr
class _TableAttributes(AttributeTemplate):
    key = _Table

    def resolve_shape(self, table: _Table) -> Any:
        return types.UniTuple(types.int64, 2)


@lower_getattr(_Table, "shape")
def _shape(context: Any, builder: Any, table: _Table, value: Any) -> Any:
    helper = context.make_helper(builder, table, value)
    words = [helper.rows, helper.width]
    return context.make_tuple(builder, types.UniTuple(types.int64, 2), words)


def _fetched(typing: Any, table: Any, place: Any) -> Any:
    def generate(context: Any, builder: Any, sig: Any, args: Any) -> None:
        where = _place(context, builder, sig, args)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [where.type, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [where.type], kind)
        builder.call(function, [where, *(number(one) for one in (0, 3, 1))])  # to read, for longer, data

    return types.void(table, types.int64), generate


fetch = cast(Callable[[NDArray[Any], int], None], intrinsic(_fetched))
"""Has the processor bring what is around a place of a table near, without waiting for it."""
