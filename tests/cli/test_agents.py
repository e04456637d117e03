"""The key that an agent signs with: made, registered, shown, and used for a report."""

from pathlib import Path
from typing import Any

import pytest

from hubify.sdk import read_key
from hubify.wire.signing import sign_key, verify_key, verify_report
from tests.cli.terminal import FakeServer, Refusal, hubify
from tests.cli.test_reports import REPORTED

KEY = {
    "_id": "k1", "owner": "ada", "publicKey": "P", "createdAt": 1_767_225_600_000,
    "revokedAt": None, "name": None,
}  # fmt: skip


def refuse(_arguments: dict[str, Any]) -> object:
    raise Refusal("CONFLICT", "you have an agent 'laptop' already")


def test_a_key_is_made_once_and_its_public_part_printed(tmp_path: Path) -> None:
    path = str(tmp_path / "agent.key")
    finished = hubify("agent", "init", "--key", path)
    assert finished.status == 0
    public_key, _proof = sign_key(read_key(path), owner="", agent_id="")
    assert finished.out == f"{public_key}\n"
    again = hubify("agent", "init", "--key", path)
    assert (again.status, again.err) == (1, f"hubify: UNAVAILABLE: {path}: File exists\n")


@pytest.mark.parametrize("known", [False, True])
def test_a_key_is_registered_with_a_proof_for_a_new_agent_or_a_known_one(
    tmp_path: Path, *, known: bool
) -> None:
    path = str(tmp_path / "agent.key")
    hubify("agent", "init", "--key", path)
    server = FakeServer({
        "auth:whoami": {"owner": "ada"},
        "agents:register": refuse if known else {},
        "agents:registerKey": KEY,
    })  # fmt: skip
    finished = hubify("agent", "register", "--agent", "laptop", "--key", path, server=server)
    assert (finished.status, finished.out) == (0, "k1\n")
    sent = server.calls[-1].arguments
    assert sent.keys() == {"agentId", "publicKey", "proof"}
    verify_key(sent["publicKey"], sent["proof"], owner="ada", agent_id="laptop")


def test_an_agent_s_keys_are_shown_with_those_that_have_ended() -> None:
    server = FakeServer({"agents:listKeys": [KEY, {**KEY, "_id": "k0", "revokedAt": 1}]})
    lines = hubify("agent", "show", "--agent", "laptop", server=server).out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["k1", "active"], ["k0", "revoked"]]
    empty = FakeServer({"agents:listKeys": []})
    assert "has no keys" in hubify("agent", "show", "--agent", "laptop", server=empty).err


def test_a_report_is_signed_as_it_is_sent(tmp_path: Path) -> None:
    path = str(tmp_path / "agent.key")
    hubify("agent", "init", "--key", path)
    server = FakeServer({"learning:report": REPORTED})
    hubify("report", "tidy", "--success", "--sign", "--key", path, "--note", "é", server=server)
    sent = server.calls[0].arguments
    verify_report(sent)
    assert sent["note"] == "é"


def test_a_file_that_holds_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent.key"
    path.write_text("no key")
    finished = hubify("report", "tidy", "--success", "--sign", "--key", str(path))
    assert finished.status == 1
    assert "VALIDATION_ERROR" in finished.err
    missing = hubify("report", "tidy", "--success", "--sign", "--key", str(tmp_path / "none"))
    assert "No such file" in missing.err
