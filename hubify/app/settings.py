"""What an operator may set: one frozen record, each field with its variable and a sentence.

Invariant: settings are read once at the start and handed down as values; an unknown `HUBIFY_*`
variable is warned about and never fatal.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import msgspec

from hubify.functions.quota import DEFAULT_LIMITS
from hubify.functions.spec import RateClass
from hubify.values.errors import InvalidInput

PREFIX = "HUBIFY_"
CLIENT_VARIABLES = ("HUBIFY_URL", "HUBIFY_API_KEY", "HUBIFY_FUNCTIONS")


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


class Settings(msgspec.Struct, frozen=True):
    """The settings of one server process."""

    data: Annotated[str, "Directory that holds everything; created when it is missing."] = "data"
    host: Annotated[str, "Address to listen on."] = "127.0.0.1"
    port: Annotated[int, "Port to listen on; 0 takes a free one."] = 3210
    rate_limits: Annotated[str, "`on`, `off`, or a JSON file of calls a minute by class."] = "on"
    anonymous_reads: Annotated[
        Switch, "`on`: callers without a key may read what is public; `off`: every call needs one."
    ] = Switch.ON
    history_days: Annotated[int, "Days for which past states can be read."] = 30
    erase_settle_s: Annotated[
        int, "Seconds an erasure waits for calls that were under way before it clears the past."
    ] = 660
    log_level: Annotated[str, "debug, info, warning or error."] = "info"
    max_sockets: Annotated[int, "WebSocket connections in all."] = 10_000
    max_sockets_per_address: Annotated[int, "WebSocket connections of one address."] = 5_000
    trusted_proxies: Annotated[str, "Addresses, by commas, whose X-Forwarded-For counts."] = ""
    max_connections: Annotated[int, "HTTP connections in all, before new ones get 503."] = 10_000

    @property
    def proxies(self) -> frozenset[str]:
        """The trusted proxies' addresses."""
        return frozenset(part.strip() for part in self.trusted_proxies.split(",") if part.strip())

    @property
    def path(self) -> Path:
        """The data directory."""
        return Path(self.data)


def read_settings(environment: Mapping[str, str], given: Mapping[str, Any]) -> Settings:
    """Settings from the environment, overruled by what the command line gave.

    Raises:
        InvalidInput: a value does not fit; names its variable.

    """
    hints = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for name in hints:
        variable = variable_of(name)
        if variable in environment:
            values[name] = environment[variable]
    values |= {name: value for name, value in given.items() if value is not None}
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        message = f"a setting does not fit: {error} (variables begin with {PREFIX})"
        raise InvalidInput(message) from None


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """`HUBIFY_*` variables that no setting reads."""
    known = {variable_of(name) for name in get_type_hints(Settings)} | {*CLIENT_VARIABLES}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def variable_of(name: str) -> str:
    """`rate_limits` is set by `HUBIFY_RATE_LIMITS`."""
    return PREFIX + name.upper()


def rate_limits(settings: Settings) -> Mapping[RateClass, int] | None:
    """Calls a minute by class; None: not limited.

    Raises:
        InvalidInput: the file is missing, no JSON object, or names an unknown class.

    """
    if settings.rate_limits in ("on", "off"):
        return DEFAULT_LIMITS if settings.rate_limits == "on" else None
    try:
        given = json.loads(Path(settings.rate_limits).read_text(encoding="utf-8"))
        return {**DEFAULT_LIMITS, **msgspec.convert(given, dict[RateClass, int])}
    except (OSError, ValueError, msgspec.ValidationError) as error:
        classes = ", ".join(RateClass)
        message = (
            f"HUBIFY_RATE_LIMITS must be on, off, or a JSON file that maps {classes} "
            f"to calls a minute: {error}"
        )
        raise InvalidInput(message) from None
