"""Pages with the official clients: one after the other, and live while members come and go.

A live list has no gap and no member twice at any moment: what a client shows is always a beginning
of one of the states that the list went through, and it never goes back.
"""

from typing import Any

import pytest

from tests.clients.conftest import Connect
from tests.clients.legs import PYPI_LIVE, Client, Leg
from tests.clients.server import Server

PAGE = 10


class Members:
    """A list on a server, and every state it went through."""

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.states: list[list[int]] = [[]]
        self._server = server

    def place(self, *ranks: int) -> None:
        """Add members at these places."""
        self._call("place", ranks)
        self.states.append(sorted([*self.states[-1], *ranks]))

    def displace(self, *ranks: int) -> None:
        """Remove the members at these places."""
        self._call("displace", ranks)
        self.states.append([rank for rank in self.states[-1] if rank not in ranks])

    def up_to(self, last: int) -> list[int]:
        """The members that there are now, up to a place."""
        return [rank for rank in self.states[-1] if rank <= last]

    def _call(self, function: str, ranks: tuple[int, ...]) -> None:
        arguments = {"list": self.name, "ranks": ranks}
        self._server.call("mutation", f"checks:{function}", arguments)


class Shown:
    """What a client shows of a list, page by page, held against the list's states."""

    def __init__(self, client: Client, members: Members) -> None:
        self._live = client.paginate("checks:ranked", PAGE, list=members.name)
        self._members = members
        self._at = 0

    def until(self, ranks: list[int]) -> str:
        """Wait until exactly these are shown; gives the status."""
        while True:
            shown = self._live.next()
            found = [int(member["rank"]) for member in shown["results"]]
            self._check(found)
            if found == ranks and not shown["status"].startswith("Loading"):
                return shown["status"]

    def load_more(self, items: int) -> None:
        """Ask for the next page."""
        self._live.load_more(items)

    def _check(self, found: list[int]) -> None:
        states = self._members.states
        fits = (at for at in range(self._at, len(states)) if states[at][: len(found)] == found)
        at = next(fits, None)
        assert at is not None, f"{found} is no beginning of {states[self._at :]}"
        self._at = at


@pytest.fixture
def members(hub: Server, name: str) -> Members:
    """Forty members, ten places apart."""
    placed = Members(hub, name)
    placed.place(*range(10, 410, 10))
    return placed


def test_pages_follow_one_another_to_the_end(
    connect: Connect, hub: Server, leg: Leg, members: Members
) -> None:
    client = connect(leg, hub)
    found: list[int] = []
    cursor, is_done = None, False
    while not is_done:
        page = one_page(client, members, cursor)
        assert len(page["page"]) <= PAGE
        found += [int(member["rank"]) for member in page["page"]]
        cursor, is_done = page["continueCursor"], page["isDone"]
    assert found == members.states[-1]
    assert one_page(client, members, cursor)["page"] == []


def one_page(client: Client, members: Members, cursor: str | None) -> dict[str, Any]:
    """The page after a cursor."""
    options = {"numItems": PAGE, "cursor": cursor}
    return client.query("checks:ranked", list=members.name, paginationOpts=options)


def test_a_cursor_of_another_query_is_refused(
    connect: Connect, hub: Server, leg: Leg, members: Members
) -> None:
    client = connect(leg, hub)
    cursor = one_page(client, members, None)["continueCursor"]
    options = {"numItems": PAGE, "cursor": cursor}
    refusal = client.refusal("query", "checks:ranked", list="another", paginationOpts=options)
    assert refusal.data["paginationError"] == "InvalidCursor"
    assert "InvalidCursor" in refusal.data["message"]


def test_a_live_list_has_no_gap_while_members_come_and_go(
    connect: Connect, hub: Server, npm_live_leg: Leg, members: Members
) -> None:
    shown = Shown(connect(npm_live_leg, hub), members)
    assert shown.until(members.up_to(100)) == "CanLoadMore"
    shown.load_more(PAGE)
    shown.until(members.up_to(200))
    members.displace(30, 40)
    shown.until(members.up_to(200))
    members.place(15, 16, 205)
    shown.until(members.up_to(200))
    members.displace(*range(110, 210, 10))
    shown.until(members.up_to(200))
    members.displace(100)
    shown.until(members.up_to(200))
    shown.load_more(PAGE)
    shown.until(members.up_to(290))
    shown.load_more(100)
    assert shown.until(members.states[-1]) == "Exhausted"
    members.place(500, 5)
    shown.until(members.states[-1])
    members.displace(*members.states[-1])
    assert shown.until([]) == "Exhausted"


def test_a_page_that_has_grown_far_is_split_without_a_gap(
    connect: Connect, hub: Server, npm_live_leg: Leg, members: Members
) -> None:
    shown = Shown(connect(npm_live_leg, hub), members)
    shown.until(members.up_to(100))
    shown.load_more(PAGE)
    shown.until(members.up_to(200))
    for first in range(41, 50):
        members.place(first, first + 10, first + 20)
        shown.until(members.up_to(200))
    members.displace(41, 200)
    shown.until(members.up_to(199))


def test_pages_keep_their_ends_over_a_restart(
    connect: Connect, own_hub: Server, npm_live_leg: Leg
) -> None:
    members = Members(own_hub, "members")
    members.place(*range(10, 410, 10))
    shown = Shown(connect(npm_live_leg, own_hub), members)
    shown.until(members.up_to(100))
    shown.load_more(PAGE)
    shown.until(members.up_to(200))
    members.displace(10, 20, 30)
    shown.until(members.up_to(200))
    own_hub.kill()
    own_hub.start()
    members.place(95, 105)
    shown.until(members.up_to(200))


def test_a_live_page_of_pypi_keeps_its_end(connect: Connect, hub: Server, members: Members) -> None:
    client = connect(PYPI_LIVE, hub)
    options = {"numItems": PAGE, "cursor": None}
    live = client.subscribe("checks:ranked", list=members.name, paginationOpts=options)
    assert len(live.next()["page"]) == PAGE
    members.displace(30)
    assert [int(member["rank"]) for member in live.next()["page"]] == members.up_to(100)
