"""Making, listing and revoking keys."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.cli.keys import SECONDS, seconds
from hubify.cli.world import Misuse
from tests.cli.terminal import FakeServer, hubify

NEW = {
    "token": "hk_live_secret",
    "tokenId": "k1",
    "name": "ci",
    "owner": "ann",
    "agent": "bot",
    "scopes": ["learning:report", "skills:read"],
    "expiresAt": 1_767_225_600_000.0,
}
LISTED = {
    "_id": "k1",
    "name": "ci",
    "prefix": "hk_live_abcd",
    "owner": "ann",
    "agent": None,
    "scopes": ["*"],
    "status": "active",
    "createdAt": 0.0,
    "expiresAt": None,
    "lastUsedAt": 1_767_225_600_000.0,
    "useCount": 4.0,
}


def test_a_new_key_stands_alone_on_standard_output() -> None:
    server = FakeServer({"auth:createApiToken": NEW})
    finished = hubify("keys", "create", "--name", "ci", "--owner", "ann", server=server)
    assert finished.status == 0
    assert finished.out == "hk_live_secret\n"
    assert "agent bot: learning:report, skills:read; until 2026-01-01 00:00 UTC" in finished.err
    assert "hubify keys revoke k1" in finished.err
    (call,) = server.calls
    assert call.kind == "mutation"
    assert call.key == "hk_live_test"
    assert call.arguments == {
        "name": "ci",
        "owner": "ann",
        "scopes": ["skills:read", "learning:report"],
    }


def test_a_mistyped_scope_is_told_and_a_good_one_is_not() -> None:
    made = {**NEW, "scopes": ["skill:read", "skills:read", "lab:x:rw", "*"]}
    server = FakeServer({"auth:createApiToken": made}, {"skills:list": "query"})
    finished = hubify("keys", "create", "--name", "ci", "--owner", "ann", server=server)
    warnings = [line for line in finished.err.splitlines() if line.startswith("warning")]
    assert len(warnings) == 1
    assert "'skill:read'" in warnings[0]
    assert (finished.status, finished.out) == (0, "hk_live_secret\n")


def test_every_option_of_a_key_is_sent() -> None:
    server = FakeServer({"auth:createApiToken": NEW})
    options = ["--agent", "bot", "--scope", "a:read", "--scope", "b:write", "--expires-in", "90d"]
    hubify("keys", "create", "--name", "ci", "--owner", "ann", *options, server=server)
    assert server.calls[0].arguments == {
        "name": "ci",
        "owner": "ann",
        "agent": "bot",
        "scopes": ["a:read", "b:write"],
        "expiresIn": 90 * 86_400,
    }


def test_keys_are_listed_without_their_secrets() -> None:
    server = FakeServer({"auth:listApiTokens": {"tokens": [LISTED]}})
    finished = hubify("keys", "list", "--owner", "ann", server=server)
    assert server.calls[0].arguments == {"owner": "ann"}
    heading, row = finished.out.splitlines()
    assert heading.split()[:3] == ["ID", "STATUS", "KEY"]
    assert row.split() == "k1 active hk_live_abcd… ann - 2026-01-01 00:00 UTC ci *".split()


def test_keys_are_listed_as_json_for_programs() -> None:
    server = FakeServer({"auth:listApiTokens": {"tokens": [LISTED]}})
    finished = hubify("keys", "list", "--json", server=server)
    assert json.loads(finished.out) == {"tokens": [LISTED]}
    assert '"useCount": 4\n' in finished.out


@pytest.mark.parametrize(
    ("was_active", "told"), [(True, "revoked"), (False, "not active any more")]
)
def test_revoking_says_whether_it_made_a_difference(*, was_active: bool, told: str) -> None:
    server = FakeServer({"auth:revokeApiToken": was_active})
    finished = hubify("keys", "revoke", "k1", server=server)
    assert finished.status == 0
    assert told in finished.err
    assert server.calls[0].arguments == {"tokenId": "k1"}


@given(st.integers(1, 999_999_999), st.sampled_from(sorted(SECONDS)))
def test_a_duration_is_a_number_of_its_unit(number: int, unit: str) -> None:
    assert seconds(f"{number}{unit}") == number * SECONDS[unit]


@given(st.text(max_size=12))
def test_any_other_text_is_no_duration(text: str) -> None:
    try:
        answer = seconds(text)
    except Misuse:
        return
    assert answer is not None
    assert answer > 0


def test_a_list_without_keys_says_so() -> None:
    finished = hubify("keys", "list", server=FakeServer({"auth:listApiTokens": {"tokens": []}}))
    assert (finished.status, finished.out) == (0, "")
    assert finished.err == "there are no keys of that owner\n"
