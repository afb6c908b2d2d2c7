"""How the kernel's functions are compiled: once for each signature, kept in the cache beside the package, or in the user's
cache folder where the package directory is read-only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])
njit: Any = numba.njit  # its type knows neither of the options that leave wrappers out


def compiled(function: Function) -> Function:
    """Called from compiled code only: no wrapper for Python, which would take longer to compile than the function."""
    return cast(
        Function, njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    )


def inlined(function: Function) -> Function:
    """Called from one place of compiled code: it becomes part of its caller and is compiled once with it."""
    return cast(Function, njit(inline="always", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function))


class entry:  # noqa: N801
    """Called from Python, always with arguments of the same types: after the first call it goes straight to the machine
    code, since looking up the types of some fifty arrays takes longer than a small bucket."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._dispatcher = njit(cache=True, nogil=True, no_cfunc_wrapper=True)(function)
        self._direct: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        if self._direct is not None:
            return self._direct(*arguments)
        result = self._dispatcher(*arguments)
        (compiled,) = self._dispatcher.overloads.values()
        self._direct = compiled.entry_point
        return result
