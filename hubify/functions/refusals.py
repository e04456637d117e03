"""What is wrong with an argument, in words for whoever sent it.

Invariant: a refusal names the argument as its sender spelled it and what it should be; no word of
the checking library, and no type of ours, reaches a caller.
"""

import re
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import msgspec

PATH = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")
EXPECTED = re.compile(r"Expected `(?P<expected>.+?)`, got `(?P<got>.+?)`")
SIZE = re.compile(
    r"Expected `(?P<type>str|bytes|array|object)` of length (?P<relation><=|>=|==) (?P<bound>\d+)"
)
BOUND = re.compile(r"Expected `(?:int|float)` (?P<relation><=|>=|<|>) (?P<bound>\S+)")
PLAIN_TYPES = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
    "bytes": "bytes",
    "ext": "a number",
}
RELATIONS = {"<=": "at most", ">=": "at least", "<": "below", ">": "above", "==": "exactly"}
UNITS = {"str": "character", "bytes": "byte", "array": "item", "object": "field"}


def explained(text: str, types_of: Mapping[str, Any], told: Mapping[str, str]) -> str:
    """A refusal of the checking library as a sentence.

    Args:
        text: its message.
        types_of: the declared type of each argument.
        told: how the caller spelled arguments, where not by their own names.

    """
    if (found := MISSING.search(text)) and "at `" not in text:
        return f"{told.get(found['name'], found['name'])} is required"
    matched = PATH.match(text)
    assert matched is not None, "the pattern takes any text"
    path = (matched["path"] or "$").removeprefix("$").removeprefix(".")
    own, _, rest = path.partition(".")
    own, bracket, index = own.partition("[")
    shown = told.get(own, own) + (bracket + index) + (f".{rest}" if rest else "")
    if found:
        return f"{shown}.{found['name']} is required"
    return f"{shown} {_must(matched['problem'], _type_at(types_of.get(own), rest))}"


def _must(problem: str, declared: Any) -> str:
    """The rest of the sentence."""
    if "Invalid enum value" in problem and (choices := choices_of(declared)):
        quoted = [f"'{choice}'" for choice in choices]
        listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])}, or {quoted[-1]}"
        return f"must be {listed}"
    if found := EXPECTED.search(problem):
        return f"must be {_plain(found['expected'])}, not {_plain(found['got'])}"
    if found := SIZE.search(problem):
        unit = UNITS[found["type"]] + ("" if found["bound"] == "1" else "s")
        return f"must have {RELATIONS[found['relation']]} {found['bound']} {unit}"
    if found := BOUND.search(problem):
        return f"must be {RELATIONS[found['relation']]} {found['bound']}"
    if "matching regex" in problem and (form := _form_of(declared)):
        return f"must be {form}"
    return f"is not as it should be: {problem}"


def choices_of(declared: Any) -> list[str]:
    """The accepted strings of an enumeration or literal type, or of its element type."""
    if isinstance(declared, type) and issubclass(declared, Enum):
        return [str(member.value) for member in declared]
    found: list[str] = []
    for part in typing.get_args(declared):
        if isinstance(part, str):
            found.append(part)
        else:
            found.extend(choices_of(part))
    return found


def _form_of(declared: Any) -> str:
    """What the declaration calls a text that its pattern takes: the `description` of its bounds."""
    if isinstance(declared, msgspec.Meta):
        return declared.description or ""
    forms = (_form_of(part) for part in typing.get_args(declared))
    return next((form for form in forms if form), "")


def _type_at(declared: Any, path: str) -> Any:
    """The type of a field within records, by the names of the message's path."""
    for step in filter(None, path.split(".")):
        name = step.partition("[")[0]
        declared = next(
            (
                field.type
                for record in _records_in(declared)
                for field in msgspec.structs.fields(record)
                if field.encode_name == name
            ),
            None,
        )
    return declared


def _records_in(declared: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(declared, type) and not isinstance(declared, types.GenericAlias):
        if issubclass(declared, msgspec.Struct):
            yield declared
        return
    for part in typing.get_args(declared):
        yield from _records_in(part)


def _plain(msgspec_type: str) -> str:
    names = [PLAIN_TYPES.get(part, f"one of {part}") for part in msgspec_type.split(" | ")]
    return " or ".join(names)
