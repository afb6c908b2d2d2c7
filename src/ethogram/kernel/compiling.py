"""How the kernel's functions are compiled: once, kept in the cache beside the package, or in the user's cache folder where
the package directory is read-only."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import FunctionPass, PassManager, register_pass
from numba.core.typed_passes import (
    AnnotateTypes,
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import FixupArgs, IRProcessing, ReconstructSSA, TranslateByteCode

from ethogram.language import plan

Function = TypeVar("Function", bound=Callable[..., Any])


class _Part(JITCodeLibrary):
    """A function's code before optimization. It is linked into what calls it, in the end into an entry, which is optimized
    and made machine code as a whole; numba itself would do that again for each function on the way."""

    def finalize(self) -> None:
        for library in dict.fromkeys(self._linking_libraries):
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        return 0

    @property
    def codegen(self) -> _Part:
        return self

    def set_env(self, name: str, environment: object) -> None:
        """Environments are for calls of Python, which the kernel makes none of."""


@register_pass(mutates_CFG=False, analysis_only=False)
class _BecomePart(FunctionPass):
    _name = "become_part"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        if state.flags.no_cpython_wrapper:
            state.library = _Part(state.targetctx.codegen(), state.func_id.func_qualname)
        return False


class _Plain(CompilerBase):
    """Numba's compiler without the passes for what the kernel does not use: closures, arrays, `with`, objects."""

    def define_pipelines(self) -> list[PassManager]:
        passes = PassManager("plain")
        passes.add_pass(TranslateByteCode, "analyzing bytecode")
        passes.add_pass(FixupArgs, "fix up args")
        passes.add_pass(IRProcessing, "processing IR")
        passes.add_pass(ReconstructSSA, "ssa")
        passes.add_pass(NopythonTypeInference, "nopython frontend")
        passes.add_pass(PreLowerStripPhis, "remove phis nodes")
        passes.add_pass(_BecomePart, "become a part")
        passes.add_pass(IRLegalization, "ensure IR is legal prior to lowering")
        passes.add_pass(AnnotateTypes, "annotate types")
        passes.add_pass(NativeLowering, "native lowering")
        passes.add_pass(NoPythonBackend, "nopython mode backend")
        passes.finalize()
        return [passes]


_OPTIONS = {
    "nogil": True,
    "no_cfunc_wrapper": True,
    "error_model": "numpy",
    "_nrt": False,
    "pipeline_class": _Plain,
}


def compiled(function: Function) -> Function:
    """Called from compiled code only."""
    dispatcher = njit(no_cpython_wrapper=True, **_OPTIONS)(function)
    general = dispatcher.get_call_template

    def once_for_all_constants(args: Any, kws: Any) -> Any:
        """Numba would compile a function again for each constant it is called with."""
        return general([types.unliteral(arg) for arg in args], kws)

    dispatcher.get_call_template = once_for_all_constants
    return cast(Function, dispatcher)


def entry(function: Function) -> Function:
    """Called from Python, with whole numbers alone: tables go by the address of their heads."""
    return cast(Function, _kept(njit(cache=True, **_OPTIONS)(function)))


def _kept(dispatcher: Any) -> Any:
    """The cache then notices a change in any of the kernel's files, not only in the entry's own."""
    dispatcher._cache._cache_file._source_stamp = _stamp()
    return dispatcher


def _stamp() -> str:
    """Changes with the kernel's source."""
    digest = sha256()
    for file in (*sorted(Path(__file__).parent.glob("*.py")), Path(plan.__file__)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_compiled() -> bool:
    """Whether the kernel is ready to run: else its first run compiles it."""
    from ethogram.kernel.run import run_by_address

    dispatcher: Any = run_by_address
    if dispatcher.overloads:
        return True
    machine = dispatcher.targetctx.codegen().magic_tuple()
    return any(key[1] == machine for key in dispatcher._cache._cache_file._load_index())
