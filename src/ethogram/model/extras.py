"""Libraries that not everybody needs: an extra of the package brings them."""

from __future__ import annotations

from importlib.util import find_spec

from ethogram.model.errors import EnvironmentFault


def require_extra(extra: str, modules: tuple[str, ...], need: str) -> None:
    """Raises EnvironmentFault E_EXTRA_MISSING, which begins with the need, where one of the modules is not installed.

    >>> require_extra("none", ("math",), "sums need packages that are not installed")
    """
    if any(find_spec(module) is None for module in modules):
        raise EnvironmentFault("E_EXTRA_MISSING", need, hint=f"pip install 'ethogram[{extra}]'")
