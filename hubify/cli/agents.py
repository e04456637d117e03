"""`hubify agent`: the key that an agent signs its reports with.

Invariant: the private key stays in its file; what goes to the hub is the public one with a proof.
"""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Group

from hubify.cli.answers import AgentKey, AgentKeys, WhoAmI, read
from hubify.cli.options import DataOption, JsonOption, branch, told
from hubify.cli.reach import reached
from hubify.cli.tables import columns, moment
from hubify.cli.targets import Hub
from hubify.cli.world import World
from hubify.sdk.errors import HubifyError

DEFAULT_KEY = "~/.hubify/agent.key"
TAKEN = "CONFLICT"

KeyOption = Annotated[str, told(f"File of the private key (default: {DEFAULT_KEY}).", "FILE")]
AgentOption = Annotated[str, told("The agent, as its reports name it.", "AGENT")]


class AgentCommands:
    """The commands, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def init(self, *, key: KeyOption = DEFAULT_KEY) -> None:
        """Make a private key in a file that only you can read, and print the public one."""
        from hubify.sdk.signing import new_key

        path = Path(key).expanduser()
        private_key = new_key(path)
        self._world.print(_public_key(private_key))
        self._world.say(f"the private key is in {path}: keep it there, and to yourself")

    def register(
        self,
        *,
        agent: AgentOption,
        platform: Annotated[
            str, told("What the agent runs on, where the hub does not know it yet.", "NAME")
        ] = "cli",
        name: Annotated[
            str | None, told("What tells this key from the agent's others.", "NAME")
        ] = None,
        key: KeyOption = DEFAULT_KEY,
        data: DataOption = None,
    ) -> None:
        """Let an agent of yours sign its reports with the key in a file."""
        from hubify.wire.signing import sign_key

        private_key = private_key_in(key)
        with reached(self._world, data) as hub:
            owner = read(WhoAmI, hub.query("auth:whoami")).owner or ""
            _introduce(hub, agent, platform)
            public_key, proof = sign_key(private_key, owner=owner, agent_id=agent)
            wish = {"agentId": agent, "publicKey": public_key, "proof": proof, "name": name}
            sent = {field: value for field, value in wish.items() if value is not None}
            registered = read(AgentKey, hub.mutation("agents:registerKey", sent))
        self._world.print(registered.id)
        self._world.say(f"{registered.public_key} signs for '{agent}' of {registered.owner} now")

    def show(
        self, *, agent: AgentOption, json: JsonOption = False, data: DataOption = None
    ) -> None:
        """List the keys that an agent of yours signs with, and did before."""
        with reached(self._world, data) as hub:
            answer = hub.query("agents:listKeys", {"agentId": agent})
        if json:
            self._world.print_json(answer)
            return
        keys = read(AgentKeys, {"keys": answer}).keys
        if not keys:
            self._world.say(f"'{agent}' has no keys")
            return
        rows = [
            (key.id, "revoked" if key.revoked_at else "active", key.public_key,
             moment(key.created_at), moment(key.revoked_at), key.name or "-")
            for key in keys
        ]  # fmt: skip
        headings = ("ID", "STATUS", "PUBLIC KEY", "REGISTERED", "REVOKED", "NAME")
        for line in columns(headings, rows, self._world.width):
            self._world.print(line)


def agent_app(world: World, group: Group, place: int) -> App:
    """`hubify agent`."""
    commands = AgentCommands(world)
    app = branch("agent", "Make and register the key that an agent signs with.", group, place)
    for command in (commands.init, commands.register, commands.show):
        app.command(command)
    return app


def private_key_in(file: str) -> bytes:
    """The private key in a file, which may begin with `~`.

    Raises:
        HubifyError: the file holds none.
        OSError: it cannot be read.

    """
    from hubify.sdk.signing import NoKey, read_key

    try:
        return read_key(Path(file).expanduser())
    except NoKey as error:
        raise HubifyError("VALIDATION_ERROR", str(error)) from None


def _introduce(hub: Hub, agent: str, platform: str) -> None:
    """Register an agent that the hub does not know."""
    try:
        hub.mutation("agents:register", {"agentId": agent, "platform": platform})
    except HubifyError as error:
        if error.code != TAKEN:
            raise


def _public_key(private_key: bytes) -> str:
    from hubify.wire.signing import sign_key

    return sign_key(private_key, owner="", agent_id="")[0]
