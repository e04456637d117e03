"""What the words of a path or a query string mean, by the type of the argument they are for.

Invariant: a text becomes a value of the kind that its argument declares, or `InvalidInput` names
the parameter as it was sent and says what it should be. `functions/binding.py` checks in full.
"""

import math
import re
from collections.abc import Callable, Sequence

from msgspec import inspect

from hubify.values import limits
from hubify.values.errors import InvalidInput
from hubify.values.values import Int64, Value, check_text
from hubify.wire import convex_json

Read = Callable[[str, Sequence[str]], Value]
"""Name and texts of one parameter to its value; raises `InvalidInput`."""

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,20})(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?")
WHOLE = re.compile(r"-?[0-9]{1,20}")
TRUTH = {"true": True, "1": True, "false": False, "0": False}
MAX_SHOWN = 60  # characters of a wrong text in an error

LISTS = inspect.ListType | inspect.VarTupleType | inspect.SetType | inspect.FrozenSetType
TEXTS = inspect.StrType | inspect.EnumType | inspect.LiteralType | inspect.BytesType


def reader_of(declared: object) -> Read:
    """How a parameter of this declared type is read."""
    return _reader(inspect.type_info(declared))


def _reader(kind: inspect.Type) -> Read:
    if isinstance(kind, inspect.UnionType):
        return _union(kind.types)
    if isinstance(kind, inspect.Metadata):
        return _reader(kind.type)
    if isinstance(kind, LISTS):
        return _listed(_reader(kind.item_type))
    if isinstance(kind, inspect.CustomType) and kind.cls is Int64:
        return _single(_int64)
    return _single(SCALARS.get(type(kind), _json))


def _union(types: tuple[inspect.Type, ...]) -> Read:
    """A list where several are given; text where it will do; else the only choice, or JSON."""
    given = [each for each in types if not isinstance(each, inspect.NoneType)]
    lists = [each for each in given if isinstance(each, LISTS)]
    texts = [each for each in given if isinstance(each, TEXTS)]
    single = _single(_text) if texts else _reader(given[0]) if len(given) == 1 else _single(_json)
    if not lists or len(given) == 1:
        return single
    several = _reader(lists[0])
    return lambda name, texts: several(name, texts) if len(texts) > 1 else single(name, texts)


def _single(read: Callable[[str, str], Value]) -> Read:
    def read_one(name: str, texts: Sequence[str]) -> Value:
        if len(texts) != 1:
            message = f"{name} is given {len(texts)} times; give it once"
            raise InvalidInput(message)
        return read(name, texts[0])

    return read_one


def _listed(item: Read) -> Read:
    """`tag=a&tag=b`, `tag=a,b` or `tag=["a","b"]`."""

    def read_list(name: str, texts: Sequence[str]) -> Value:
        if len(texts) == 1:
            (text,) = texts
            if text.startswith("["):
                return _json(name, text)
            texts = text.split(",") if text else []
        if len(texts) > limits.MAX_ARRAY_LENGTH:
            message = f"{name} has more than {limits.MAX_ARRAY_LENGTH} elements; send fewer"
            raise InvalidInput(message)
        return [item(f"{name}[{at}]", (text,)) for at, text in enumerate(texts)]

    return read_list


def _text(name: str, text: str) -> str:
    check_text(text, name)
    return text


def _number(name: str, text: str) -> float:
    if not NUMBER.fullmatch(text):
        message = f"{name} must be a number, not {_shown(text)}"
        raise InvalidInput(message)
    number = float(text)
    if not math.isfinite(number) or (abs(number) > limits.SAFE_INTEGER and WHOLE.fullmatch(text)):
        message = f"{name} is beyond what a number holds exactly: {_shown(text)}"
        raise InvalidInput(message)
    return int(number) if number.is_integer() and abs(number) <= limits.SAFE_INTEGER else number


def _truth(name: str, text: str) -> bool:
    known = TRUTH.get(text.lower())
    if known is None:
        message = f"{name} must be true or false, not {_shown(text)}"
        raise InvalidInput(message)
    return known


def _int64(name: str, text: str) -> Int64:
    if not WHOLE.fullmatch(text):
        message = f"{name} must be a whole number, not {_shown(text)}"
        raise InvalidInput(message)
    return Int64(int(text))


def _json(name: str, text: str) -> Value:
    return convex_json.decode(text, name)


def _anything(name: str, text: str) -> Value:
    """JSON when it is, else the text itself: any value will do."""
    try:
        return _json(name, text)
    except InvalidInput:
        return _text(name, text)


def _shown(text: str) -> str:
    return repr(text[:MAX_SHOWN]) if text else "nothing"


SCALARS: dict[type[inspect.Type], Callable[[str, str], Value]] = {
    inspect.IntType: _number,
    inspect.FloatType: _number,
    inspect.BoolType: _truth,
    inspect.StrType: _text,
    inspect.EnumType: _text,
    inspect.LiteralType: _text,
    inspect.BytesType: _text,
    inspect.AnyType: _anything,
}
