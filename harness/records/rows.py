"""Rows of a record: those of several parents as one, and new ones in place of those on record."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from itertools import chain
from typing import Any, TypeVar

T = TypeVar("T")


def combine(parts: Sequence[T]) -> T:
    """The figures of several parents as one row: their tuples put together, also those in dictionaries.

    All else is taken from the first part.
    """
    first: Any = parts[0]

    def together(values: list[Any]) -> Any:
        if isinstance(values[0], tuple):
            return tuple(chain.from_iterable(values))
        if isinstance(values[0], dict):
            return {key: together([value[key] for value in values]) for key in values[0]}
        return values[0]

    names = [field.name for field in fields(first)]
    combined: T = replace(
        first, **{name: together([getattr(part, name) for part in parts]) for name in names}
    )
    return combined


def merge(
    table: T | None, measured: T, field: str, name: Callable[[Any], str], order: Callable[[Any], Any]
) -> T:
    """The table with the measured rows in place of its own, and their provenance in `later`.

    `field` has the rows, `name` is the name of a row in `later`, and rows are sorted by `order`. If none of
    its own is left, the measured table replaces it.
    """
    before: Any = table
    now: Any = measured
    names = {name(row) for row in getattr(now, field)}
    kept = [row for row in getattr(before, field) if name(row) not in names] if before else []
    if not kept:
        return measured
    rows = tuple(sorted([*kept, *getattr(now, field)], key=order))
    later = before.later | dict.fromkeys(sorted(names), now.provenance)
    merged: T = replace(before, **{field: rows, "later": later})
    return merged
