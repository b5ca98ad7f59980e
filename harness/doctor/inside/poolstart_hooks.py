"""How a hook is put into a module of the program: once that is imported, and before a function of it."""

from __future__ import annotations

import functools
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def safely(hook: Any) -> Any:
    def hooked(*arguments: Any, **options: Any) -> None:
        try:  # noqa: SIM105 - a context manager takes longer
            hook(*arguments, **options)
        except Exception:
            pass

    return hooked


def before(owner: Any, name: str, hook: Any) -> None:
    """Call a hook with the arguments of a function or method before each call of that."""
    setattr(owner, name, preceded(hook)(getattr(owner, name)))


def preceded(hook: Any) -> Any:
    """What makes of a function one that calls the hook first, with the same arguments."""
    hook = safely(hook)

    def make(original: Any) -> Any:
        @functools.wraps(original)
        def function(*arguments: Any, **options: Any) -> Any:
            hook(*arguments, **options)
            return original(*arguments, **options)

        return function

    return make


class Replacement:
    """A function of a class that can be replaced by one which calls it, and put back.

    Unlike a listener, it costs nothing meanwhile; and since only an attribute is set, a fork hook may do it.
    """

    def __init__(self, owner: Any, name: str, make: Any) -> None:
        self.owner, self.name, self.make = owner, name, make
        self.original: Any = None
        self.ours: Any = None

    def replace(self, wanted: bool) -> None:
        """Replace the function, or put it back."""
        now = self.owner.__dict__[self.name]
        if wanted and self.ours is None:
            self.original, self.ours = now, self.make(getattr(self.owner, self.name))
            setattr(self.owner, self.name, self.ours)
        # If the program has replaced ours, it stays.
        elif not wanted and now is self.ours:
            setattr(self.owner, self.name, self.original)
            self.ours = None


class WhenImported:
    """Begins to listen as soon as a library has been imported."""

    hooks: dict[str, Any] = {}  # noqa: RUF012

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name not in self.hooks:
            return None
        hook = self.hooks.pop(name)
        finders = [finder for finder in sys.meta_path if finder is not self]
        specs = (finder.find_spec(name, path, target) for finder in finders)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                safely(hook)(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def when_imported(name: str, hook: Any) -> None:
    """Call a hook with the module when it has been imported, or now."""
    if name in sys.modules:
        safely(hook)(sys.modules[name])
    else:
        WhenImported.hooks[name] = hook
