"""Marks at the begin and the end of each import, so that instructions can be counted by module."""

import sys
from os import getsid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

marks: "list[str | None]" = []
"""For each mark of an import the name of the module that begins, or None at its end."""


def mark_imports() -> None:
    """Mark every import from now on. Modules that are already loaded are not imported again."""
    import_system: Any = sys.modules["_frozen_importlib"]
    # The interpreter looks this function up at each import of a module that is not in sys.modules.
    find_and_load = import_system._find_and_load

    def marked(name: str, import_function: "Any") -> "Any":
        getsid(0)
        marks.append(name)
        try:
            return find_and_load(name, import_function)
        finally:
            getsid(0)
            marks.append(None)

    import_system._find_and_load = marked
