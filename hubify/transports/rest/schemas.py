"""JSON Schema of what functions take and answer, in the spelling of one dialect.

Invariant: the same types in the same order give the same schemas and component names; a record's
properties are exactly what `wire/styles.py` writes for it in that style.
"""

import typing
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from hubify.functions import Int64, Row
from hubify.functions.binding import Argument, camel
from hubify.transports.rest.documentation import paragraphs
from hubify.wire.styles import SNAKE, Style, camel_case, field_name, plain

Schema = dict[str, Any]
Inspected = inspect.Type
BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
}
LENGTHS = {
    "array": {"min_length": "minItems", "max_length": "maxItems"},
    "object": {"min_length": "minProperties", "max_length": "maxProperties"},
}
SCALARS: dict[type[Inspected], Schema] = {
    inspect.NoneType: {"type": "null"},
    inspect.BoolType: {"type": "boolean"},
    inspect.IntType: {"type": "integer"},
    inspect.FloatType: {"type": "number"},
    inspect.StrType: {"type": "string"},
    inspect.BytesType: {"type": "string", "contentEncoding": "base64"},
    inspect.AnyType: {},
}
NULL = SCALARS[inspect.NoneType]
CASE_MARKS = {True: "Camel", False: "Snake"}


class Facing(NamedTuple):
    """In which style, and whether the value is sent to us (then it may leave out defaults)."""

    style: Style
    sent: bool = False


class Schemas:
    """Schemas that refer to shared components, gathered as they are asked for."""

    def __init__(self, prefix: str = "#/components/schemas/", usual: Style = SNAKE) -> None:
        """`usual`: the style whose records need no mark in their component's name."""
        self.components: dict[str, Schema] = {}
        self._prefix = prefix
        self._usual = usual
        self._named: dict[str, tuple[object, Facing | None]] = {}

    def answer(self, declared: object, style: Style) -> Schema:
        """What a function of this return type answers."""
        return self._schema(inspect.type_info(declared), Facing(style))

    def fields(self, declared: object, style: Style, fields: tuple[str, ...]) -> Schema:
        """An answer of which only some members are sent."""
        kind = inspect.type_info(declared)
        if not isinstance(kind, inspect.StructType):
            return self._schema(kind, Facing(style))
        record = self._record(kind, Facing(style))
        known: Schema = record["properties"]
        wanted = [camel_case(field) if style.camel else field for field in fields]
        return {
            "type": "object",
            "properties": {name: known[name] for name in wanted if name in known},
            "required": [name for name in wanted if name in record["required"]],
        }

    def argument(self, item: Argument, style: Style) -> Schema:
        """What may be sent for an argument."""
        schema = self._schema(inspect.type_info(item.type), Facing(style, sent=True))
        if item.required or item.default is None:
            return schema
        return {**schema, "default": plain(item.default, style)}

    def _schema(self, kind: Inspected, facing: Facing) -> Schema:
        match kind:
            case inspect.Metadata(type=inner):
                said: Schema = getattr(kind, "extra_json_schema", None) or {}  # what `Meta` says
                return {**self._schema(inner, facing), **said}
            case inspect.UnionType(types=types):
                return _either([self._schema(each, facing) for each in types])
            case inspect.LiteralType(values=values):
                return {"enum": list(values)}
            case inspect.EnumType(cls=cls):
                return self._component(cls, None, lambda: _enumeration(cls))
            case inspect.StructType():
                return self._component(kind.cls, facing, lambda: self._record(kind, facing))
            case inspect.CustomType(cls=cls) if cls is Int64:
                return {"type": "string", "format": "int64"}
            case _:
                return self._container(kind, facing)

    def _container(self, kind: Inspected, facing: Facing) -> Schema:
        match kind:
            case inspect.DictType(value_type=value):
                inner = self._schema(value, facing)
                more: Schema = {"additionalProperties": inner} if inner else {}
                return {"type": "object", **more, **_bounds(kind, LENGTHS["object"])}
            case inspect.TupleType(item_types=items):
                prefix = [self._schema(each, facing) for each in items]
                return {"type": "array", "prefixItems": prefix, "items": False}
            case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
                items = {"items": self._schema(item, facing)}
                return {"type": "array", **items, **_bounds(kind, LENGTHS["array"])}
            case _ if type(kind) in SCALARS:
                return {**SCALARS[type(kind)], **_bounds(kind, BOUNDS)}
            case _:
                message = f"{kind!r} has no place in the description of a function"
                raise TypeError(message)

    def _component(
        self, cls: type, facing: Facing | None, describe: Callable[[], Schema]
    ) -> Schema:
        name = self._name(cls, facing)
        if name not in self.components:
            self.components[name] = {}  # a record may hold others of its own kind
            self.components[name] = describe()
        return {"$ref": self._prefix + name}

    def _name(self, cls: type, facing: Facing | None) -> str:
        """A component's name: the class's, marked when it is spelled or used in another way."""
        name = _plain_name(cls)
        if facing is not None:
            name += "Input" if facing.sent else ""
            name += (
                "" if facing.style.camel == self._usual.camel else CASE_MARKS[facing.style.camel]
            )
        if self._named.setdefault(name, (cls, facing)) == (cls, facing):
            return name
        module = str(getattr(typing.get_origin(cls) or cls, "__module__", ""))
        longer = "".join(part.capitalize() for part in module.split(".")[-2:]) + name
        assert self._named.setdefault(longer, (cls, facing)) == (cls, facing), longer
        return longer

    def _record(self, kind: inspect.StructType, facing: Facing) -> Schema:
        cls: type = typing.get_origin(kind.cls) or kind.cls
        properties: Schema = {}
        required: list[str] = []
        if kind.tag_field is not None:
            properties[kind.tag_field] = {"const": kind.tag}
            required.append(kind.tag_field)
        for name, field in _spelled_fields(cls, kind.fields, facing):
            properties[name] = self._schema(field.type, facing)
            if field.required or not (facing.sent or _may_be_left_out(field)):
                required.append(name)
        about: Schema = {"type": "object", "properties": properties, "required": required}
        if facing.sent and kind.forbid_unknown_fields:
            about["additionalProperties"] = False
        return _described(cls, about)


def without_null(schema: Schema) -> Schema:
    """What may stand in a query string, which cannot say null."""
    if NULL in schema.get("anyOf", ()):
        others = [each for each in schema["anyOf"] if each != NULL]
        rest = {name: each for name, each in schema.items() if name != "anyOf"}
        return {**others[0], **rest} if len(others) == 1 else {**rest, "anyOf": others}
    if isinstance(schema.get("type"), list):
        return {**schema, "type": next(each for each in schema["type"] if each != "null")}
    return schema


def _spelled_fields(
    cls: type, fields: tuple[inspect.Field, ...], facing: Facing
) -> Iterator[tuple[str, inspect.Field]]:
    """As `wire/styles.py` spells them."""
    style = facing.style
    hidden: frozenset[str] = getattr(cls, "__wire_hidden__", frozenset())
    is_row = issubclass(cls, Row)
    if is_row and not facing.sent:
        identity = next(field for field in fields if field.name == "id")
        yield style.row_id, identity
        if style.creation_time:
            moment = inspect.Field("_creation_time", "_creation_time", inspect.FloatType())
            yield "_creationTime", moment
    for field in fields:
        if field.name in hidden or (is_row and field.name == "id"):
            continue
        named = camel if style.camel else str
        yield named(field.name) if facing.sent else field_name(cls, field.name, style), field


def _may_be_left_out(field: inspect.Field) -> bool:
    """Whether an answer may lack it: its default is UNSET, which `msgspec.inspect` leaves out."""
    defaults = (field.default, field.default_factory)
    return not field.required and all(each is msgspec.NODEFAULT for each in defaults)


def _enumeration(cls: type[Enum]) -> Schema:
    return _described(cls, {"enum": [member.value for member in cls]})


def _described(cls: type, schema: Schema) -> Schema:
    doc = paragraphs(cls.__doc__ or "")
    return {"description": doc[0], **schema} if doc else schema


def _either(choices: list[Schema]) -> Schema:
    types = [choice.get("type") for choice in choices]
    if NULL in choices and len(choices) == 2 and all(isinstance(each, str) for each in types):
        (other,) = [choice for choice in choices if choice != NULL]
        return {**other, "type": [other["type"], "null"]}
    return {"anyOf": choices}


def _bounds(kind: Inspected, names: dict[str, str]) -> Schema:
    found = {shown: getattr(kind, name, None) for name, shown in names.items()}
    return {shown: bound for shown, bound in found.items() if bound is not None}


def _plain_name(cls: type) -> str:
    """`Job`, or `PageOfJob` for `Page[Job]`."""
    inner = [_plain_name(part) for part in typing.get_args(cls) if isinstance(part, type)]
    name: str = (typing.get_origin(cls) or cls).__name__
    return name + "Of" + "And".join(inner) if inner else name
