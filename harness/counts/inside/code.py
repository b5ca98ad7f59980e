"""The size of the code objects that a process has loaded."""

import sys
from types import CodeType
from typing import Any


def sizes() -> dict[str, int]:
    """Bytes of code objects, by module of this process; 0 for a module written in C."""
    by_module: dict[str, int] = {}
    known: set[int] = set()
    for name, module in list(sys.modules.items()):
        # A module may have several names.
        by_module[name] = 0 if id(module) in known else size_of(module)
        known.add(id(module))
    return by_module


def size_of(module: Any) -> int:
    spec: Any = getattr(module, "__spec__", None)
    loader: Any = getattr(spec, "loader", None)
    if not hasattr(loader, "get_code"):
        return 0
    code = loader.get_code(spec.name)
    return size(code) if code else 0


def size(code: CodeType) -> int:
    """Bytes of a code object with its tables and nested code objects, without constants, which are shared."""
    return (
        sys.getsizeof(code)
        + sys.getsizeof(code.co_linetable)
        + sys.getsizeof(code.co_exceptiontable)
        + sum(size(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    )
