"""What Convex's own Python client does with a server: run as a program, with the server's address.

It waits with the interpreter's lock held, so it cannot share a process with the server.
"""

import sys

import convex


def converse(address: str) -> None:
    """Every kind of call, and a subscription that sees its own mutation."""
    client = convex.ConvexClient(address)
    client.set_auth("ana")
    assert client.query("store:whoami") == "ana"
    assert client.query("store:get", {"key": "a"}) == 0
    live = client.subscribe("store:get", {"key": "a"})
    assert next(live) == 0
    assert client.mutation("store:set", {"key": "a", "value": 5}) == 1
    assert next(live) == 5
    assert client.action("store:act") == 2
    assert refusal(client.mutation, "store:refuse") == {"code": "CONFLICT", "message": "no"}
    assert refusal(client.action, "store:refuse") == {"code": "CONFLICT", "message": "no"}
    assert refusal(client.query, "nothing:here")["code"] == "NOT_FOUND"


def with_a_wrong_key(address: str) -> None:
    """Each call must end in an error, rather than never."""
    client = convex.ConvexClient(address)
    client.set_auth("wrong")
    for call in (client.query, client.mutation, client.action):
        assert refusal(call, "store:get")["code"] == "UNAUTHORIZED"


def refusal(call, path: str) -> dict[str, str]:  # noqa: ANN001 - the client is untyped
    """The data of the error that a call ends in."""
    try:
        call(path, {})
    except convex.ConvexError as error:
        return error.data
    message = f"{path} did not fail"
    raise AssertionError(message)


if __name__ == "__main__":
    {"converse": converse, "wrong-key": with_a_wrong_key}[sys.argv[2]](sys.argv[1])
