"""The scenarios: each starts its own server and answers its figures by name."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.server import Served, server
from bench.sync_client import SyncClient, open_client

TEXT = "x" * 330
OPENING = 100  # sockets opened at a time
Figures = dict[str, float]
SKILL = """---
name: bench-skill
description: A skill to be reported on. Use when measuring.
---

# Bench

1. Measure.
"""
REPORT = {
    "skillName": "bench-skill", "skillVersion": "1.0.0", "platform": "claude-code",
    "durationMs": 1500, "note": "worked on a table of 40 columns", "llm": "model-a",
    "toolsUsed": ["read_file", "write_file"],
}  # fmt: skip


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def closed_loop(
    port: int,
    clients: int,
    seconds: float,
    call: Callable[[int, int], tuple[str, dict[str, Any]]],
    keys: Sequence[str] = (),
) -> tuple[list[float], float]:
    """Each client sends its next mutation when the last was answered; (latencies in s, elapsed)."""
    latencies: list[float] = []
    sent: dict[SyncClient, tuple[int, int, float]] = {}
    end = time.perf_counter() + seconds

    def next_call(client: SyncClient, place: int, turn: int) -> None:
        sent[client] = (place, turn, time.perf_counter())
        client.mutate(turn, *call(place, turn))

    def on_text(client: SyncClient, text: bytes) -> None:
        if b'"MutationResponse"' not in text:
            return
        assert b'"success":true' in text, text
        place, turn, began = sent[client]
        latencies.append(time.perf_counter() - began)
        if time.perf_counter() < end:
            next_call(client, place, turn + 1)

    opened = [await open_client(port, on_text) for _number in range(clients)]
    for client, key in zip(opened, keys, strict=False):
        client.authenticate(key)
    begin = time.perf_counter()
    for place, client in enumerate(opened):
        next_call(client, place, 0)
    await asyncio.sleep(end - time.perf_counter() + 0.2)
    elapsed = seconds - (begin - (end - seconds))
    for client in opened:
        assert client.transport is not None
        client.transport.close()
    return latencies, elapsed


def durable_creates(clients: int, seconds: float) -> Figures:
    """Plain durable creates of a 400-byte document."""
    with server() as served:
        before = served.cpu_s()
        latencies, elapsed = asyncio.run(
            closed_loop(
                served.port, clients, seconds,
                lambda place, _turn: ("bench:create", {"owner": f"o{place}", "text": TEXT}),
            )
        )  # fmt: skip
        used = served.cpu_s() - before
    return _rates(latencies, elapsed, used)


def full_reports(clients: int, seconds: float) -> Figures:
    """Reports as seed 004 has them, with a note, each by an agent of an owner of its own."""
    with server() as served:
        served.call("action", "skills:create", {"skillMd": SKILL})
        keys = [_agent_key(served, place) for place in range(clients)]

        def call(_place: int, turn: int) -> tuple[str, dict[str, Any]]:
            outcome = "fail" if turn % 10 == 0 else "success"
            return "learning:report", {**REPORT, "outcome": outcome}

        size = _written(served)
        before = served.cpu_s()
        latencies, elapsed = asyncio.run(closed_loop(served.port, clients, seconds, call, keys))
        figures = _rates(latencies, elapsed, served.cpu_s() - before)
        figures["bytes written each"] = (_written(served) - size) / len(latencies)
        return figures


def _agent_key(served: Served, place: int) -> str:
    arguments = {
        "name": f"bench {place}", "owner": f"owner{place}", "agent": f"agent{place}",
        "scopes": ["learning:report"],
    }  # fmt: skip
    return str(served.call("mutation", "auth:createApiToken", arguments)["token"])


def _written(served: Served) -> int:
    """Bytes that the server's process has caused to be written to the disk."""
    for line in Path(f"/proc/{served.process.pid}/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    return 0


def _rates(latencies: list[float], elapsed: float, cpu_s: float) -> Figures:
    count = len(latencies)
    return {
        "per s": count / elapsed,
        "p50 ms": percentile(latencies, 0.5) * 1000,
        "p99 ms": percentile(latencies, 0.99) * 1000,
        "server us CPU each": cpu_s / count * 1e6,
    }


def fan_out(subscribers: int, rounds: int) -> Figures:
    """One change delivered to many subscribers of the same query."""
    with server() as served:
        return asyncio.run(_fan_out(served, subscribers, rounds))


async def _fan_out(served: Served, subscribers: int, rounds: int) -> Figures:
    received = 0
    complete = asyncio.Event()

    def on_text(_client: SyncClient, text: bytes) -> None:
        nonlocal received
        if b'"QueryUpdated"' in text:
            received += 1
            if received >= subscribers:
                complete.set()

    memory = served.memory_kib()
    clients = await _subscribed(served, subscribers, on_text, lambda _place: {"name": "hot"})
    await asyncio.wait_for(complete.wait(), 60)
    held = served.memory_kib() - memory
    writer = await open_client(served.port, lambda _client, _text: None)
    lasts: list[float] = []
    cpu = served.cpu_s()
    for turn in range(rounds):
        received = 0
        complete.clear()
        began = time.perf_counter()
        writer.mutate(turn, "bench:put", {"name": "hot", "number": turn, "text": TEXT})
        await asyncio.wait_for(complete.wait(), 60)
        lasts.append(time.perf_counter() - began)
    used = served.cpu_s() - cpu
    total = sum(lasts)
    assert len(clients) == subscribers
    return {
        "deliveries/s": rounds * subscribers / total,
        "last of all, p50 ms": percentile(lasts, 0.5) * 1000,
        "last of all, p99 ms": percentile(lasts, 0.99) * 1000,
        "server us CPU per delivery": used / (rounds * subscribers) * 1e6,
        "KiB per socket with a subscription": held / subscribers,
    }


async def _subscribed(
    served: Served,
    count: int,
    on_text: Callable[[SyncClient, bytes], None],
    arguments: Callable[[int], dict[str, Any]],
) -> list[SyncClient]:
    clients: list[SyncClient] = []
    for start in range(0, count, OPENING):
        batch = [
            open_client(served.port, on_text) for _ in range(start, min(count, start + OPENING))
        ]
        clients += await asyncio.gather(*batch)
    for place, client in enumerate(clients):
        client.subscribe(0, [(0, "bench:read", arguments(place))])
    return clients


def selective(subscriptions: int, seconds: float, sockets: int = 100) -> Figures:
    """Writes to one watched key beside many subscriptions to other keys."""
    with server() as served:
        return asyncio.run(_selective(served, subscriptions, seconds, sockets))


async def _selective(served: Served, subscriptions: int, seconds: float, sockets: int) -> Figures:
    answered = asyncio.Event()
    waiting = min(sockets, subscriptions)

    def on_text(_client: SyncClient, text: bytes) -> None:
        nonlocal waiting
        if b'"QueryUpdated"' in text:
            waiting -= 1
            if waiting <= 0:
                answered.set()

    memory = served.memory_kib()
    for place in range(min(sockets, subscriptions)):
        client = await open_client(served.port, on_text)
        numbers = range(place, subscriptions, sockets)
        client.subscribe(
            0, [(number, "bench:read", {"name": f"other{number}"}) for number in numbers]
        )
    if subscriptions:
        await asyncio.wait_for(answered.wait(), 60)
    held = served.memory_kib() - memory
    before = served.cpu_s()
    latencies, elapsed = await closed_loop(
        served.port, 8, seconds,
        lambda place, turn: ("bench:put", {"name": f"hot{place}", "number": turn, "text": TEXT}),
    )  # fmt: skip
    figures = _rates(latencies, elapsed, served.cpu_s() - before)
    if subscriptions:
        figures["KiB per subscription"] = held / subscriptions
    return figures


def point_queries(clients: int, seconds: float) -> Figures:
    """Point reads over HTTP, keep-alive."""
    with server() as served:
        served.call("mutation", "bench:put", {"name": "a", "number": 1, "text": TEXT})
        before = served.cpu_s()
        latencies, elapsed = asyncio.run(_requests(served.port, clients, seconds))
        return _rates(latencies, elapsed, served.cpu_s() - before)


async def _requests(port: int, clients: int, seconds: float) -> tuple[list[float], float]:
    body = json.dumps({"path": "bench:read", "args": {"name": "a"}, "format": "json"}).encode()
    head = (
        "POST /api/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def loop_calls() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (began := time.perf_counter()) < end:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in answer.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            )
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(loop_calls() for _number in range(clients)))
    return latencies, seconds
