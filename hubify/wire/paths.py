"""Function paths: one canonical form for every spelling a client may use.

Invariant: equal functions have equal canonical paths, `module:function` with `/` between the parts
of a module (convex-protocol.md, section 5). Spellings: `skills:getByName`, `skills.js:getByName`,
`learning` (its default function), `api.skills.getByName` and, as a REST path, `skills/getByName`.
"""

import re
from functools import lru_cache

from hubify.values.errors import InvalidInput
from hubify.wire.limits import MAX_PATH, MAX_PATH_PART

DEFAULT = "default"
MODULE_PART = re.compile(r"[A-Za-z0-9_.]+", re.ASCII)
FUNCTION_NAME = re.compile(r"[A-Za-z0-9_]*[A-Za-z0-9][A-Za-z0-9_]*", re.ASCII)


class BadFunctionPath(InvalidInput):
    """A text that cannot name a function, under the code that Convex clients know."""

    code = "BadConvexFunctionIdentifier"


class MissingIdentifier(InvalidInput):
    """A REST path to a function that lacks the function's name."""

    code = "MissingIdentifier"


@lru_cache(maxsize=4096)
def canonical_path(text: str) -> str:
    """The canonical form of a path in any spelling.

    Raises:
        BadFunctionPath: it cannot name a function.

    """
    if len(text) > MAX_PATH:
        message = f"a function path may have {MAX_PATH} characters, this one has {len(text)}"
        raise BadFunctionPath(message)
    module, colon, function = text.rpartition(":")
    if not colon:
        module, function = _without_colon(text)
    module = module.removesuffix(".js")
    parts = module.split("/")
    if not all(map(_is_module_part, parts)) or "." in parts[-1] or not _is_function(function):
        message = f"{text[:80]!a} is not a function path; it should look like 'module:function'"
        raise BadFunctionPath(message)
    return f"{module}:{function}"


def run_path(rest: str) -> str:
    """The canonical path for what follows `/api/run/`: `skills/getByName`.

    Raises:
        MissingIdentifier: it has fewer than two parts.
        BadFunctionPath: it cannot name a function.

    """
    module, slash, function = rest.rpartition("/")
    if not (slash and module and function):
        message = "name a module and a function, as in /api/run/skills/getByName"
        raise MissingIdentifier(message)
    return canonical_path(f"{module}:{function}")


def _without_colon(text: str) -> tuple[str, str]:
    """Tell `learning`, `learning.js` and `api.learning.default` apart."""
    bare = text.removesuffix(".js")
    dotted = bare.removeprefix("api.")
    if "/" in bare or "." not in bare:
        return bare, DEFAULT
    *modules, function = dotted.split(".")
    return "/".join(modules), function


def _is_module_part(part: str) -> bool:
    return len(part) <= MAX_PATH_PART and MODULE_PART.fullmatch(part) is not None


def _is_function(name: str) -> bool:
    return len(name) <= MAX_PATH_PART and FUNCTION_NAME.fullmatch(name) is not None
