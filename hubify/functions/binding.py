"""From what a caller sent to a function's keyword arguments, and a clear word when it will not do.

Invariant: either every argument has its declared type, or `InvalidInput` names the argument as the
caller spelled it and says what it should be. Names may come in camelCase or snake_case.
"""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from hubify.functions.refusals import explained
from hubify.values.errors import InvalidInput
from hubify.values.values import Int64

Fix = Callable[[Any], Any]


class Argument(NamedTuple):
    """One declared argument: its Python name, type, default (or `inspect.Parameter.empty`)."""

    name: str
    type: Any
    default: Any

    @property
    def required(self) -> bool:
        """Whether a caller must send it."""
        return self.default is inspect.Parameter.empty


class Binding:
    """The declared arguments of one function, compiled."""

    def __init__(self, name: str, arguments: tuple[Argument, ...], also: Mapping[str, str]) -> None:
        self.arguments = arguments
        fields = [
            (item.name, item.type) if item.required else (item.name, item.type, item.default)
            for item in arguments
        ]
        self.struct = msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)
        self._names = {
            spelling: item.name for item in arguments for spelling in spellings(item.name)
        }
        for other, own in also.items():
            self._names |= dict.fromkeys(spellings(other), own)
        self._camel = {item.name: camel(item.name) for item in arguments}
        self._fixes = {item.name: fix for item in arguments if (fix := _fix_for(item.type))}
        self._types = {item.name: item.type for item in arguments}
        self._whole = {item.name for item in arguments if _is_whole(item.type)}

    def bind(
        self, sent: Mapping[str, Any], spell: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Keyword arguments for the function.

        `spell` renames arguments for this caller's face, in what it sends and in what it is told;
        what it leaves out is told as the caller wrote it, or in camelCase.

        Raises:
            InvalidInput: naming the argument and what it should be.

        """
        named, told = self._named(sent, spell or {})
        try:
            bound = msgspec.convert(named, self.struct)
        except msgspec.ValidationError as error:
            raise InvalidInput(explained(str(error), self._types, told)) from None
        return {item.name: getattr(bound, item.name) for item in self.arguments}

    def _named(
        self, sent: Mapping[str, Any], spell: Mapping[str, str]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        told = {**self._camel, **spell}
        faces = {shown: own for own, shown in spell.items()}
        named: dict[str, Any] = {}
        for spelling, value in sent.items():
            own = faces.get(spelling) or self._names.get(spelling)
            if own is None:
                known = ", ".join(told.get(item.name, item.name) for item in self.arguments)
                message = f"unknown argument '{spelling}'; this function takes: {known or 'none'}"
                raise InvalidInput(message)
            if own in named and named[own] != value:
                message = f"'{spelling}' is given twice, with different values"
                raise InvalidInput(message)
            told[own] = spelling
            named[own] = self._fixed(own, value)
        return named, told

    def _fixed(self, own: str, value: Any) -> Any:
        if isinstance(value, Int64) and own in self._whole:
            return value.number
        fix = self._fixes.get(own)
        return fix(value) if fix else value


def spellings(name: str) -> set[str]:
    """A snake_case name in both accepted spellings."""
    return {name, camel(name)}


def camel(name: str) -> str:
    """`skill_name` as `skillName`."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def arguments_of(function: Callable[..., Any]) -> tuple[Argument, ...]:
    """The keyword-only arguments of a declared function.

    Raises:
        TypeError: an argument after the context is positional or has no type.

    """
    hints = typing.get_type_hints(function, include_extras=True)
    _context, *rest = inspect.signature(function).parameters.values()
    for parameter in rest:
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY or parameter.name not in hints:
            message = f"{function.__qualname__}: '{parameter.name}' must be keyword-only and typed"
            raise TypeError(message)
    return tuple(Argument(item.name, hints[item.name], item.default) for item in rest)


def _is_whole(declared: Any) -> bool:
    return declared is int or int in typing.get_args(declared)


def _fix_for(declared: Any) -> Fix | None:
    """How to respell the field names of records within a value of this type, if it holds any."""
    if isinstance(declared, type) and issubclass(declared, msgspec.Struct):
        return _fix_struct(declared)
    origin, parts = typing.get_origin(declared), typing.get_args(declared)
    if origin in (list, tuple) and parts and (inner := _fix_for(parts[0])):
        return _fix_each(inner)
    if origin in (typing.Union, types.UnionType):
        fixes = [fix for part in parts if (fix := _fix_for(part))]
        return fixes[0] if len(fixes) == 1 else None
    if origin is typing.Annotated:
        return _fix_for(parts[0])
    return None


def _fix_each(inner: Fix) -> Fix:
    def respell(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [inner(item) for item in typing.cast("list[Any]", value)]

    return respell


def _fix_struct(struct: type[msgspec.Struct]) -> Fix:
    lenient = getattr(struct, "ignores_unknown_fields", False)
    names: dict[str, str] = {}
    fixes: dict[str, Fix] = {}
    for field in msgspec.structs.fields(struct):
        names |= dict.fromkeys(spellings(field.name), field.encode_name)
        if fix := _fix_for(field.type):
            fixes[field.encode_name] = fix

    def respell(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        sent = typing.cast("dict[str, Any]", value)
        unknown = [] if lenient else [name for name in sent if name not in names]
        if unknown:
            known = ", ".join(camel(field.name) for field in msgspec.structs.fields(struct))
            message = f"unknown field '{unknown[0]}'; there may be: {known}"
            raise InvalidInput(message)
        renamed = {names.get(name, name): item for name, item in sent.items()}
        return {
            name: fixes[name](item) if name in fixes else item for name, item in renamed.items()
        }

    return respell
