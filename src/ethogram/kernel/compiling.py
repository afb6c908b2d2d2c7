"""How the kernel's functions are compiled: once for each signature, kept in the cache beside the package, or in the user's
cache folder where the package directory is read-only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Called from compiled code only: no wrapper for Python, which would take longer to compile than the function."""
    return cast(
        Function, njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    )


def inlined(function: Function) -> Function:
    """Called from one place of compiled code: it becomes part of its caller and is compiled once with it."""
    return cast(Function, njit(inline="always", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function))


def entry(function: Function) -> Function:
    """Called from Python."""
    return cast(Function, njit(cache=True, nogil=True, no_cfunc_wrapper=True)(function))
