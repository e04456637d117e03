"""A server that is asked to stop stores what it still held in memory."""

import json
import signal
from pathlib import Path

import pytest

from hubify.sdk.http import Client
from tests.cli.test_processes import good, serving

pytestmark = pytest.mark.slow
TURNSTILE = '''
"""Who passed, noted in memory."""
from hubify.functions import Domain, MutationCtx, QueryCtx, Row, unique

turnstile = Domain("turnstile")

@turnstile.table("turnstile_passes", unique("name"))
class Pass(Row, frozen=True):
    name: str

@turnstile.mutation(internal=True)
def take_in(ctx: MutationCtx, *, items: list[dict[str, str]]) -> None:
    """Store who passed."""
    for item in items:
        ctx.db.insert(Pass(name=item["name"]))

@turnstile.mutation(public=True)
def pass_by(ctx: MutationCtx, *, name: str) -> None:
    """Pass, without a write."""
    ctx.note(take_in, name, {"name": name})

@turnstile.query(public=True)
def passed(ctx: QueryCtx) -> list[str]:
    """Who passed."""
    return [row.name for row in ctx.db.take(Pass.where().order_by("name"), limit=100)]
'''


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_orderly_stop_stores_what_was_noted(tmp_path: Path, number: signal.Signals) -> None:
    functions = tmp_path / "turnstile.py"
    functions.write_text(TURNSTILE, encoding="utf-8")
    data = tmp_path / "data"
    with serving(data, "--functions", str(functions)) as server:
        key = (data / "admin.key").read_text(encoding="utf-8").strip()
        with Client(server.url, key) as client:
            client.mutation("turnstile:passBy", {"name": "ann"})
        server.process.send_signal(number)
        assert server.process.stderr is not None
        server.process.stderr.read()
        server.process.wait(timeout=30)
    assert not (data / "server.url").exists()
    told = {"HUBIFY_DATA": str(data), "HUBIFY_FUNCTIONS": str(functions)}
    assert json.loads(good("call", "turnstile:passed", **told)) == ["ann"]
