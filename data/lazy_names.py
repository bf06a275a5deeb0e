"""Names of a package that are imported when first asked for (PEP 562), so that importing it is quick."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def exports(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's `__getattr__` and `__dir__`.

    Args:
        package: its name.
        modules: name -> the module that defines it, relative to the package: ".bitext".
    """

    def __getattr__(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(modules[name], package), name)

    def __dir__() -> list[str]:
        return sorted(modules)

    return __getattr__, __dir__
