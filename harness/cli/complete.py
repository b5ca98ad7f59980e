"""Shell completion of arguments: names of strategies, hazards, releases and so on."""

from collections.abc import Callable, Iterable


def of(names: Iterable[str]) -> Callable[[str], list[str]]:
    """A completion with these names."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def strategies(incomplete: str) -> list[str]:
    from harness.strategies import GROUPS

    return of((*GROUPS["all"], *GROUPS))(incomplete)


def hazards(incomplete: str) -> list[str]:
    from harness.hazards.catalogue import IDS

    return of(IDS)(incomplete)


def releases(incomplete: str) -> list[str]:
    from harness.releases.catalogue import catalogue

    return of(release.version for release in reversed(catalogue().releases))(incomplete)


def demos(incomplete: str) -> list[str]:
    from harness.demos.catalogue import CATALOGUE

    return of(demo.name for demo in CATALOGUE)(incomplete)


def programs(incomplete: str) -> list[str]:
    from harness.programs.head import names

    return of(names())(incomplete)


def pages(incomplete: str) -> list[str]:
    from harness.site.derived import DERIVED

    return of(page.path for page in DERIVED)(incomplete)
