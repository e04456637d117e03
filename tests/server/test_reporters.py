"""Many agents report at once over HTTP, and exactly one of them hears that it set something off."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from tests.clients.server import Server

REPORTERS = 64
SKILL_MD = """---
name: upload
description: Uploads a folder. Use it for archives.
---

# Instructions

1. Send each file with a timeout of 10 seconds.
"""
WISHES = (
    "Retry a failed upload three times with exponential backoff.",
    "Verify the SHA-256 checksum of each file after the upload.",
)


def keys_of_agents(server: Server) -> list[str]:
    """A key for each agent, of an owner of its own."""
    wishes = (
        {
            "name": f"agent {place}", "owner": f"owner-{place}", "agent": f"agent-{place}",
            "scopes": ["learning:report"],
        }
        for place in range(REPORTERS)
    )  # fmt: skip
    calls = (
        server.call("mutation", "auth:createApiToken", wish, server.admin_key) for wish in wishes
    )
    return [made["token"] for made in calls]


def report_at_once(server: Server, keys: list[str], wish: str) -> list[dict[str, Any]]:
    """What each agent is answered when all suggest the same at the same moment."""
    ready = Barrier(len(keys))

    def report(place: int) -> dict[str, Any]:
        told = {
            "skill_name": "upload", "skill_version": "1.0.0", "agent_id": f"agent-{place}",
            "platform": "cursor", "result": "success", "improvement": wish,
        }  # fmt: skip
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {keys[place]}"}
        ready.wait(30)
        status, answer = server.post("/v1/learning/report", json.dumps(told).encode(), headers)
        assert status == 200, answer
        return answer["data"]

    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(report, range(len(keys))))


def test_of_many_that_ask_at_once_exactly_one_sets_an_evolution_off(own_server: Server) -> None:
    server = own_server
    server.call("action", "skills:create", {"skillMd": SKILL_MD}, server.admin_key)
    keys = keys_of_agents(server)
    for place, wish in enumerate(WISHES, start=1):
        told = report_at_once(server, keys, wish)
        assert [one["evolutionTriggered"] for one in told].count(True) == 1
        assert len({one["logId"] for one in told}) == REPORTERS
        groups = server.call("query", "evolution:getPendingImprovements", {"skillName": "upload"})
        (group,) = [one for one in groups["improvements"] if one["suggestion"] == wish]
        assert (group["count"], group["agentCount"], group["ownerCount"]) == (REPORTERS,) * 3
        history = server.call("query", "evolution:getHistory", {"skillName": "upload"})
        assert len(history["evolutions"]) == place
    stats = server.call("query", "learning:getStats", {"skillName": "upload"})
    assert stats["totalExecutions"] == 2 * REPORTERS
