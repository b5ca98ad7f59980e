"""The pages of the site, a module each.

A module has `SECTION`, the navigation entry it belongs to, `ADDRESS`, and `PER_TEST_BED`: whether each test
bed has such pages. Its function `pages` yields its files from a `SiteContext`, or from a `TestBedContext` if
each test bed has them. To add a page, write its module and its template, and name the module in `PAGES`.
"""

from types import ModuleType

from harness.site.context import NavigationEntry
from harness.site.pages import (
    answer,
    choose,
    claims,
    compare,
    method,
    programs,
    release,
    releases,
    strategies,
    symptoms,
)

PAGES: tuple[ModuleType, ...] = (
    answer,
    choose,
    symptoms,
    programs,
    strategies,
    releases,
    release,
    compare,
    method,
    claims,
)
"""In the order of the navigation, which links the first page of each section."""


def navigation() -> tuple[NavigationEntry, ...]:
    """The links at the top of every page."""
    first = {module.SECTION: module for module in reversed(PAGES)}
    return tuple(
        NavigationEntry(section, first[section].ADDRESS, first[section].PER_TEST_BED)
        for section in dict.fromkeys(module.SECTION for module in PAGES)
    )
