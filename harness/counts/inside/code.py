"""How large the code objects are that a process has loaded."""

import sys
from types import CodeType
from typing import Any


def sizes() -> dict[str, int]:
    """Bytes of code objects of each module in this process: 0 for one that is written in C."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    for name, module in list(sys.modules.items()):
        # One module may go by several names.
        found[name] = 0 if id(module) in seen else size_of(module)
        seen.add(id(module))
    return found


def size_of(module: Any) -> int:
    spec: Any = getattr(module, "__spec__", None)
    loader: Any = getattr(spec, "loader", None)
    if not hasattr(loader, "get_code"):
        return 0
    code = loader.get_code(spec.name)
    return size(code) if code else 0


def size(code: CodeType) -> int:
    """The code object with its tables and all that are nested in it; not the constants, which are shared."""
    return (
        sys.getsizeof(code)
        + sys.getsizeof(code.co_linetable)
        + sys.getsizeof(code.co_exceptiontable)
        + sum(size(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    )
