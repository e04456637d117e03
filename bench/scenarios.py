"""The scenarios: each starts its own server and answers its figures by name.

Invariant: a scenario measures from a client's side of a socket, over loopback, and ends what it
starts.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.samples import REPORT, SKILL, TEXT
from bench.server import Served, server
from bench.sync_client import SyncClient, open_client
from bench.tables import Figures

OPENING = 100  # sockets opened at a time
ANSWER_WITHIN_S = 60


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


def reports_over_rest(clients: int, seconds: float) -> Figures:
    """The same over `POST /v1/learning/report`, connections kept alive."""
    with server() as served:
        served.call("action", "skills:create", {"skillMd": SKILL})
        keys = [_agent_key(served, place) for place in range(clients)]

        def request(place: int) -> bytes:
            body = {**REPORT, "agentId": f"agent{place}", "result": "success"}
            del body["toolsUsed"]
            return post("/v1/learning/report", body, keys[place])

        return http_rates(served, clients, seconds, request)


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
        "server CPU µs each": cpu_s / count * 1e6,
    }


def fan_out(subscribers: int, rounds: int) -> Figures:
    """One change delivered to many subscribers of the same query."""
    with server() as served:
        cpu, memory_kib = served.cpu_s, served.memory_kib
        return asyncio.run(_fan_out(served.port, subscribers, rounds, cpu, memory_kib))


def fan_out_floor(port: int, subscribers: int, rounds: int) -> Figures:
    """The same from a server that sends prebuilt frames and does nothing else."""
    return asyncio.run(_fan_out(port, subscribers, rounds, lambda: 0.0, lambda: 0))


async def _fan_out(
    port: int,
    subscribers: int,
    rounds: int,
    cpu_s: Callable[[], float],
    memory_kib: Callable[[], int],
) -> Figures:
    received = 0
    complete = asyncio.Event()

    def on_text(_client: SyncClient, text: bytes) -> None:
        nonlocal received
        if b'"QueryUpdated"' in text:
            received += 1
            if received >= subscribers:
                complete.set()

    before = memory_kib()
    clients = await _subscribed(port, subscribers, on_text)
    await asyncio.wait_for(complete.wait(), ANSWER_WITHIN_S)
    held = memory_kib() - before
    writer = await open_client(port, lambda _client, _text: None)
    lasts: list[float] = []
    cpu = cpu_s()
    for turn in range(rounds):
        received = 0
        complete.clear()
        began = time.perf_counter()
        writer.mutate(turn, "bench:put", {"name": "hot", "number": turn, "text": TEXT})
        await asyncio.wait_for(complete.wait(), ANSWER_WITHIN_S)
        lasts.append(time.perf_counter() - began)
    used = cpu_s() - cpu
    deliveries = rounds * len(clients)
    return {
        "deliveries/s": deliveries / sum(lasts),
        "last one, p50 ms": percentile(lasts, 0.5) * 1000,
        "last one, p99 ms": percentile(lasts, 0.99) * 1000,
        "server CPU µs each": used / deliveries * 1e6,
        "KiB each": held / subscribers,
    }


async def _subscribed(
    port: int, count: int, on_text: Callable[[SyncClient, bytes], None]
) -> list[SyncClient]:
    clients = await _opened(port, count, on_text)
    for client in clients:
        client.subscribe(0, [(0, "bench:read", {"name": "hot"})])
    return clients


async def _opened(
    port: int, count: int, on_text: Callable[[SyncClient, bytes], None]
) -> list[SyncClient]:
    clients: list[SyncClient] = []
    for start in range(0, count, OPENING):
        batch = [open_client(port, on_text) for _ in range(start, min(count, start + OPENING))]
        clients += await asyncio.gather(*batch)
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
        await asyncio.wait_for(answered.wait(), ANSWER_WITHIN_S)
    held = served.memory_kib() - memory
    before = served.cpu_s()
    latencies, elapsed = await closed_loop(
        served.port, 8, seconds,
        lambda place, turn: ("bench:put", {"name": f"hot{place}", "number": turn, "text": TEXT}),
    )  # fmt: skip
    figures = _rates(latencies, elapsed, served.cpu_s() - before)
    if subscriptions:
        figures["KiB each subscription"] = held / subscriptions
    return figures


def memory(sockets: int) -> Figures:
    """What an idle socket holds, and what a subscription on it to a value of its own adds."""
    with server() as served:
        return asyncio.run(_memory(served, sockets))


async def _memory(served: Served, sockets: int) -> Figures:
    answered = asyncio.Event()
    waiting = sockets

    def on_text(_client: SyncClient, text: bytes) -> None:
        nonlocal waiting
        waiting -= b'"QueryUpdated"' in text
        if waiting <= 0:
            answered.set()

    before = served.memory_kib()
    clients = await _opened(served.port, sockets, on_text)
    await asyncio.sleep(0.5)
    idle = served.memory_kib()
    for place, client in enumerate(clients):
        client.subscribe(0, [(0, "bench:read", {"name": f"cell{place}"})])
    await asyncio.wait_for(answered.wait(), ANSWER_WITHIN_S)
    held = served.memory_kib()
    return {
        "KiB each socket": (idle - before) / sockets,
        "KiB each subscription": (held - idle) / sockets,
        "server MiB at rest": before / 1024,
    }


def point_queries(clients: int, seconds: float) -> Figures:
    """Point reads over HTTP, keep-alive."""
    with server() as served:
        served.call("mutation", "bench:put", {"name": "a", "number": 1, "text": TEXT})
        return http_rates(served, clients, seconds, lambda _place: POINT_QUERY)


def reply_floor(port: int, clients: int, seconds: float) -> float:
    """Requests a second that a server answers which sends the same bytes to each."""
    answered = asyncio.run(repeated(port, clients, seconds, lambda _place: POINT_QUERY))
    return len(answered) / seconds


def http_rates(
    served: Served, clients: int, seconds: float, request_of: Callable[[int], bytes]
) -> Figures:
    """Rates of clients that each send their request again when it is answered."""
    before = served.cpu_s()
    latencies = asyncio.run(repeated(served.port, clients, seconds, request_of))
    return _rates(latencies, seconds, served.cpu_s() - before)


def post(path: str, body: dict[str, Any], key: str = "") -> bytes:
    """A request in full."""
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n"
    )
    shown = f"Authorization: Bearer {key}\r\n" if key else ""
    return f"{head}{shown}\r\n".encode() + content


POINT_QUERY = post("/api/query", {"path": "bench:read", "args": {"name": "a"}, "format": "json"})


async def repeated(
    port: int, clients: int, seconds: float, request_of: Callable[[int], bytes]
) -> list[float]:
    """Each client's latencies in seconds, all together."""
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def loop_calls(request: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (began := time.perf_counter()) < end:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith((b"http/1.1 200", b"http/1.1 201")), head
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            latencies.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(loop_calls(request_of(place)) for place in range(clients)))
    return latencies
