"""Converts JSON to values of given types by their type hints: the inverse of `dataclasses.asdict`.

A library would enter the measured environments, whose names are part of every series.
"""

import dataclasses
import types
from collections.abc import Callable
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

Converter = Callable[[Any], Any]

SCALARS: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a string"),
    int: ((int,), "an integer"),
    float: ((int, float), "a number"),
    bool: ((bool,), "true or false"),
    type(None): ((type(None),), "null"),
}
"""The Python types that a JSON value may have, and their description in errors. A number is kept as written:
5 stays an int even if a float is declared, so that a record is written back byte for byte."""


def structure(kind: type[T], data: Any) -> T:
    """`data`, as `json.loads` returned it, as a value of `kind`.

    `kind` is a dataclass, an enum, `Path`, a scalar, `Any`, or a list, tuple, set, dict, union or `Literal`
    of these. A missing field takes its default. Raises `ValueError` that names the field, for example
    `blocks[2].conditions.load: expected a number, not 'x'`, and `TypeError` for a type without a JSON form.
    """
    value: T = _converter(cast(Any, kind))(data)
    return value


class _Misfit(ValueError):
    """A value that does not fit; the path to it is completed as the exception leaves each level."""

    def __init__(self, problem: str) -> None:
        self.path, self.problem = "", problem

    def __str__(self) -> str:
        return f"{self.path.removeprefix('.')}: {self.problem}" if self.path else self.problem


def _expected(what: str, data: Any) -> _Misfit:
    text = repr(data)
    return _Misfit(f"expected {what}, not {text if len(text) <= 60 else type(data).__name__}")


def _at(step: int | str, convert: Converter, data: Any) -> Any:
    """A value inside another one: an item by its number, or a field by its name."""
    try:
        return convert(data)
    except _Misfit as misfit:
        misfit.path = (f"[{step}]" if isinstance(step, int) else f".{step}") + misfit.path
        raise


@cache
def _converter(kind: Any) -> Converter:
    if kind is Any or kind is object:
        return lambda data: data
    if kind in SCALARS:
        return _scalar(*SCALARS[kind])
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is Literal:
        return _one_of(arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return _tuple(arguments)
    if origin in (list, tuple, set, frozenset):
        return _sequence(origin, arguments[0])
    if origin is dict:
        return _dict(*arguments)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _dataclass(kind)
    if isinstance(kind, type) and issubclass(kind, (Enum, Path)):
        return _called(kind)
    raise TypeError(f"{kind!r} has no JSON form here")


def _scalar(accepted: tuple[type, ...], name: str) -> Converter:
    def convert(data: Any) -> Any:
        # isinstance would accept true as a number.
        if type(data) not in accepted:
            raise _expected(name, data)
        return data

    return convert


def _one_of(values: tuple[Any, ...]) -> Converter:
    def convert(data: Any) -> Any:
        if data not in values:
            raise _expected(f"one of {', '.join(map(repr, values))}", data)
        return data

    return convert


def _called(kind: Callable[[Any], Any]) -> Converter:
    def convert(data: Any) -> Any:
        try:
            return kind(data)
        except (ValueError, TypeError) as error:
            raise _Misfit(str(error)) from None

    return convert


def _union(kinds: tuple[Any, ...]) -> Converter:
    *others, last = sorted(kinds, key=lambda kind: kind is not type(None))

    def convert(data: Any) -> Any:
        for kind in others:
            try:
                return _converter(kind)(data)
            except ValueError:
                continue
        return _converter(last)(data)

    return convert


def _sequence(build: Callable[[Any], Any], item: Any) -> Converter:
    convert_item = _converter(item)

    def convert(data: Any) -> Any:
        if not isinstance(data, (list, tuple)):
            raise _expected("a list", data)
        return build([_at(number, convert_item, each) for number, each in enumerate(data)])

    return convert


def _tuple(items: tuple[Any, ...]) -> Converter:
    converters = [_converter(item) for item in items]

    def convert(data: Any) -> Any:
        if not isinstance(data, (list, tuple)) or len(data) != len(items):
            raise _expected(f"a list of {len(items)}", data)
        return tuple(_at(number, *pair) for number, pair in enumerate(zip(converters, data, strict=True)))

    return convert


def _dict(key: Any, item: Any) -> Converter:
    # The keys of a JSON object are strings.
    convert_key = _called(int) if key is int else _converter(key)
    convert_item = _converter(item)

    def convert(data: Any) -> Any:
        if not isinstance(data, dict):
            raise _expected("an object", data)
        return {_at(name, convert_key, name): _at(name, convert_item, each) for name, each in data.items()}

    return convert


def _dataclass(kind: type) -> Converter:
    def convert(data: Any) -> Any:
        # Fields are resolved at the first use, because a class may contain itself.
        converters, required = _fields(kind)
        if not isinstance(data, dict):
            raise _expected("an object", data)
        for name in required:
            if name not in data:
                raise _Misfit(f"it lacks {name!r}")
        for name in data:
            if name not in converters:
                raise _Misfit(f"it has an unknown field {name!r}")
        return kind(**{name: _at(name, converters[name], each) for name, each in data.items()})

    return convert


@cache
def _fields(kind: Any) -> tuple[dict[str, Converter], list[str]]:
    """The converters of a dataclass's fields by name, and the names of those without a default."""
    hints = get_type_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    required = [
        field.name for field in fields if field.default is field.default_factory is dataclasses.MISSING
    ]
    return {field.name: _converter(hints[field.name]) for field in fields}, required
