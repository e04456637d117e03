"""`hubify keys`: make, list and revoke API keys.

Invariant: a new key's secret is all that goes to standard output, once.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec
from cyclopts import App, Group

from hubify.cli.answers import Keys, NewKey, read
from hubify.cli.options import DataOption, JsonOption, branch, told
from hubify.cli.reach import reached
from hubify.cli.tables import columns, moment
from hubify.cli.targets import Hub
from hubify.cli.world import Misuse, World

DEFAULT_SCOPES = ("skills:read", "learning:report")
SCOPE_HELP = (
    "What it may do, such as `skills:write`; several times for several "
    f"(default: {' and '.join(DEFAULT_SCOPES)})."
)
NO_MODULES = frozenset({"*", "lab", "pipeline"})  # scopes of a wider meaning
DURATION = re.compile(r"(\d{1,9})([smhdw]?)", re.ASCII)
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


class KeyCommands:
    """The commands, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def create(
        self,
        *,
        name: Annotated[str, told("What the key is for, to tell it from others.", "NAME")],
        owner: Annotated[str, told("The user or organisation whose key it is.", "OWNER")],
        agent: Annotated[str | None, told("The one agent that it reports as.", "AGENT")] = None,
        scope: Annotated[list[str] | None, told(SCOPE_HELP, "SCOPE")] = None,
        expires_in: Annotated[
            str | None, told("How long it is good: 90d, 12h, 30m (default: until revoked).", "TIME")
        ] = None,
        data: DataOption = None,
    ) -> None:
        """Make an API key and print it.

        The key is shown this once; the hub keeps only its digest. It goes to standard output alone,
        so that a script can take it; what it may do, and its id, go to standard error.
        """
        wish: dict[str, object] = {
            "name": name, "owner": owner, "agent": agent,
            "scopes": scope or [*DEFAULT_SCOPES], "expiresIn": seconds(expires_in),
        }  # fmt: skip
        sent = {field: value for field, value in wish.items() if value is not None}
        with reached(self._world, data) as hub:
            key = read(NewKey, hub.mutation("auth:createApiToken", sent))
            strange = strange_scopes(key.scopes, hub.functions())
        self._world.print(key.token)
        agent_part = f", agent {key.agent}" if key.agent else ""
        ends = "until revoked" if key.expires_at is None else f"until {moment(key.expires_at)}"
        self._world.say(
            f"key '{key.name}' of {key.owner}{agent_part}: {', '.join(key.scopes)}; {ends}\n"
            f"It is shown only now. To revoke it: hubify keys revoke {key.token_id}"
        )
        for wrong in strange:
            self._world.say(f"warning: nothing here is called '{wrong}': the scope allows nothing")

    def list(
        self,
        *,
        owner: Annotated[
            str | None, told("Whose keys (default: the caller's own).", "OWNER")
        ] = None,
        json: JsonOption = False,
        data: DataOption = None,
    ) -> None:
        """List an owner's keys, newest first, without their secrets."""
        with reached(self._world, data) as hub:
            pages = list(_pages(hub, owner))
        if json:
            self._world.print_json({"tokens": [key for page in pages for key in page["tokens"]]})
            return
        keys = [key for page in pages for key in read(Keys, page).tokens]
        if not keys:
            self._world.say("there are no keys of that owner")
            return
        rows = [
            (key.id, key.status, key.prefix + "…", key.owner, key.agent or "-",
             moment(key.last_used_at), key.name, " ".join(key.scopes))
            for key in keys
        ]  # fmt: skip
        headings = ("ID", "STATUS", "KEY", "OWNER", "AGENT", "LAST USED", "NAME", "SCOPES")
        for line in columns(headings, rows, self._world.width):
            self._world.print(line)

    def revoke(
        self,
        key_id: Annotated[str, told("The key's id, as `hubify keys list` shows it.")],
        /,
        *,
        data: DataOption = None,
    ) -> None:
        """End a key, its sessions and its live queries at once."""
        with reached(self._world, data) as hub:
            was_active = hub.mutation("auth:revokeApiToken", {"tokenId": key_id})
        self._world.say("revoked" if was_active else "it was not active any more")


def keys_app(world: World, group: Group, place: int) -> App:
    """`hubify keys`."""
    commands = KeyCommands(world)
    app = branch("keys", "Make, list and revoke API keys.", group, place)
    for command in (commands.create, commands.list, commands.revoke):
        app.command(command)
    return app


class Function(msgspec.Struct, frozen=True):
    """One function, by its path."""

    path: str


class Catalogue(msgspec.Struct, frozen=True):
    """What there is to call."""

    functions: list[Function]


def strange_scopes(scopes: Iterable[str], catalogue: bytes) -> list[str]:
    """Scopes of modules that the hub does not have, so that a slip of the pen is seen at once."""
    found = msgspec.json.decode(catalogue, type=Catalogue)
    modules = {function.path.partition(":")[0] for function in found.functions}
    return [scope for scope in scopes if scope.partition(":")[0] not in modules | NO_MODULES]


def _pages(hub: Hub, owner: str | None) -> Iterator[Any]:
    """Every page of an owner's keys, as it was answered."""
    wish: dict[str, object] = {"owner": owner} if owner else {}
    while True:
        answer = hub.query("auth:listApiTokens", wish)
        yield answer
        page = read(Keys, answer)
        if page.is_done or page.continue_cursor == wish.get("cursor"):
            return
        wish = {**wish, "cursor": page.continue_cursor}


def seconds(duration: str | None) -> int | None:
    """`90d`, `12h`, `30m` or `45` as seconds.

    Raises:
        Misuse: it is none of these.

    """
    if duration is None:
        return None
    matched = DURATION.fullmatch(duration.strip())
    if matched is None or int(matched[1]) == 0:
        message = f"'{duration}' is not a duration; write 90d, 12h, 30m or a number of seconds"
        raise Misuse(message)
    return int(matched[1]) * SECONDS[matched[2]]
