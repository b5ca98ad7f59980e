"""Shell completion of arguments: names of strategies, hazards, releases and so on."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any


def of(names: Iterable[str]) -> Callable[[str], list[str]]:
    """A completion with these names."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def known_to(module: str, names: Callable[[Any], Iterable[str]]) -> Callable[[str], list[str]]:
    """A completion with the names that a module knows, which is imported when they are needed."""

    def complete(incomplete: str) -> list[str]:
        return of(names(import_module(module)))(incomplete)

    return complete


strategies = known_to("harness.strategies", lambda known: (*known.GROUPS["all"], *known.GROUPS))
hazards = known_to("harness.hazards.catalogue", lambda known: known.IDS)
releases = known_to(
    "harness.releases.catalogue", lambda known: [each.version for each in known.catalogue().releases[::-1]]
)
demos = known_to("harness.demos.catalogue", lambda known: [demo.name for demo in known.CATALOGUE])
programs = known_to("harness.programs.head", lambda known: known.names())
pages = known_to("harness.site.derived", lambda known: [page.path for page in known.DERIVED])
