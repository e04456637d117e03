"""A hub over the network, as commands call it.

Invariant: a key that was made to act for somebody else is revoked before the command ends.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from hubify.cli.answers import NewKey, read
from hubify.cli.targets import LENT_SCOPES, Hub
from hubify.cli.world import World
from hubify.sdk.http import Client
from hubify.values.values import Value

LENT_S = 6 * 3600


class RemoteHub:
    """The functions behind a client."""

    def __init__(self, client: Client, world: World) -> None:
        self._client = client
        self._world = world
        self.action = client.action
        self.functions = client.functions
        self.query = client.query

    def mutation(self, path: str, arguments: Mapping[str, object] | None = None) -> Value:
        """Do something once."""
        return self._client.mutation(path, arguments)

    @contextmanager
    def acting_for(self, owner: str) -> Generator[Hub]:
        """Act with a key of another owner, made for this and revoked after."""
        wish = {
            "name": "hubify command line",
            "owner": owner,
            "scopes": [*LENT_SCOPES],
            "expiresIn": LENT_S,
        }
        lent = read(NewKey, self._client.mutation("auth:createApiToken", wish))
        try:
            with self._world.client(self._client.url, lent.token) as client:
                yield RemoteHub(client, self._world)
        finally:
            self._client.mutation("auth:revokeApiToken", {"tokenId": lent.token_id})
