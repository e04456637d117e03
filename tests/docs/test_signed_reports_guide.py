"""The guide on signed reports: its commands and programs, run at a server of its own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from convex import ConvexClient

from hubify.sdk import Client, new_key, sign_key, sign_report
from tests.clients.server import Server
from tests.docs.pages import ROOT, commands, typed

pytestmark = pytest.mark.slow
GUIDE = "docs/guides/signed-reports.md"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server on ./data, with a skill to report on."""
    with Server(tmp_path / "data", rate_limits="on") as running:
        text = (ROOT / "demo/skills/retry-http/SKILL.md").read_text(encoding="utf-8")
        with Client(running.url, admin_key(tmp_path)) as admin:
            admin.action("skills:publish", {"skillMd": text, "version": "1.0.0"})
        yield running


def admin_key(folder: Path) -> str:
    return (folder / "data" / "admin.key").read_text(encoding="utf-8").strip()


def block(language: str) -> str:
    """The guide's only block of a language."""
    text = (ROOT / GUIDE).read_text(encoding="utf-8")
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return found


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_everything_that_the_guide_shows_is_accepted_as_signed(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "sign.mjs").write_text(block("javascript"), encoding="utf-8")
    (tmp_path / "sign.py").write_text(block("python"), encoding="utf-8")
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    *shown, by_node = [line.replace("http://localhost", "localhost") for line in commands(GUIDE)]
    said = typed([*shown, "python sign.py", by_node], server.url, tmp_path, environment)
    assert "reported as" in said
    assert '"repeated":false' in said
    with Client(server.url, admin_key(tmp_path)) as admin:
        logs: Any = admin.query("learning:getLogs", {"skillName": "retry-http"})
        told = [(log["owner"], log["agentId"], log["binding"]) for log in logs["logs"]]
    assert told == [("ann", "laptop-7", "signed")] * 3


def test_the_official_client_sends_one_over_its_socket(server: Server, tmp_path: Path) -> None:
    key = new_key(tmp_path / "agent.key")
    public_key, proof = sign_key(key, owner="admin", agent_id="bot")
    client: Any = ConvexClient(server.url)
    client.set_auth(admin_key(tmp_path))
    client.mutation("agents:register", {"agentId": "bot", "platform": "claude-code"})
    told = {"agentId": "bot", "publicKey": public_key, "proof": proof}
    client.mutation("agents:registerKey", told)
    report = {
        "skillName": "retry-http", "outcome": "partial", "agentId": "bot", "durationMs": 12.5,
        "note": "é", "context": {"tries": 3, "none": None, "parts": [1, 2.5]},
    }  # fmt: skip
    signed = sign_report(report, key)
    answer = client.mutation("learning:report", signed)
    assert answer["repeated"] is False
    assert client.mutation("learning:report", signed)["reportId"] == answer["reportId"]
    log = client.query("learning:getReport", {"reportId": answer["reportId"]})
    assert log["binding"] == "signed"


def test_openssl_reads_the_key_that_was_made(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs OpenSSL")
    new_key(tmp_path / "agent.key")
    command = ["openssl", "pkey", "-in", str(tmp_path / "agent.key"), "-noout", "-text"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "ED25519" in told.upper()
