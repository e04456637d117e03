"""`POST /v1/learning/report` as its page has it: fields, envelope, codes, sentences, statuses."""

import asyncio
import json
from typing import Any

import pytest

from hubify.domains.agent_keys import agent_keys
from hubify.functions.context import Reader
from hubify.functions.identities import Authenticated, Identities
from hubify.testing.backend import known
from hubify.transports.http import HttpRequest, HttpResponse
from hubify.transports.rest.handler import RestApi
from hubify.values.errors import Unauthenticated
from hubify.wire.signing import sign_key, sign_report
from tests.domains.story import NAME, Story

BODY = {
    "skill_name": NAME,
    "skill_version": "1.0.0",
    "agent_id": "agent-abc123",
    "platform": "claude-code",
    "result": "success",
    "duration_ms": 1500,
    "improvement": "Add pattern for handling async error boundaries",
}


def authenticate(db: Reader, secret: str) -> Authenticated:  # noqa: ARG001 - one key is known
    if secret != "ada-key":
        raise Unauthenticated("this key is not known")
    return Authenticated(known("ada", "learning:report"))


class Page:
    """The REST face of a story."""

    def __init__(self) -> None:
        self.story = Story(agent_keys)
        backend = self.story.backend.backend
        identities = Identities(backend.wiring, authenticate)
        self.api = RestApi(backend, identities, readiness=lambda: None)

    def post(
        self, changes: dict[str, object], key: str | None = "ada-key"
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a report with some fields changed (None leaves one out)."""
        body = {name: value for name, value in {**BODY, **changes}.items() if value is not None}
        headers = {"content-type": "application/json"}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        path = "/v1/learning/report"
        request = HttpRequest("POST", path, path, "", headers, json.dumps(body).encode(), "::1")
        response = asyncio.run(self._handled(request))
        return response.status, json.loads(response.body)

    async def _handled(self, request: HttpRequest) -> HttpResponse:
        loop = asyncio.get_running_loop()

        def kick() -> None:
            loop.call_soon(self.story.backend.database.flush)

        self.story.backend.backend.on_kick = kick
        return await self.api.handle(request)


@pytest.fixture
def page() -> Page:
    return Page()


def test_a_report_is_answered_in_camel_case_within_an_envelope(page: Page) -> None:
    status, answer = page.post({})
    assert status == 200
    assert set(answer) == {"data", "meta"}
    assert set(answer["meta"]) == {"timestamp", "request_id"}
    data = answer["data"]
    assert list(data) == [
        "logId", "reportId", "skillId", "skillConfidenceChange", "evolutionTriggered",
        "similarImprovements", "repeated", "flags",
    ]  # fmt: skip
    assert isinstance(data["logId"], str)
    assert data["evolutionTriggered"] is False


@pytest.mark.parametrize("field", ["skill_name", "skill_version", "agent_id", "platform", "result"])
def test_each_required_field_is_missed_by_name(page: Page, field: str) -> None:
    status, answer = page.post({field: None})
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert answer["error"]["message"].startswith(f"{field} is required")


def test_a_wrong_result_is_a_validation_error_in_the_words_of_the_page(page: Page) -> None:
    error = {
        "code": "VALIDATION_ERROR",
        "message": "result must be 'success', 'partial', or 'fail'",
    }
    assert page.post({"result": "great"}) == (400, {"error": error})


@pytest.mark.parametrize("key", [None, "wrong-key"])
def test_a_missing_or_wrong_key_is_auth_required(page: Page, key: str | None) -> None:
    error = {"code": "AUTH_REQUIRED", "message": "Valid API key required"}
    assert page.post({}, key=key) == (401, {"error": error})


def test_an_unknown_skill_is_skill_not_found_with_its_version(page: Page) -> None:
    error = {"code": "SKILL_NOT_FOUND", "message": "Skill 'nonexistent-skill@1.0.0' not found"}
    assert page.post({"skill_name": "nonexistent-skill"}) == (404, {"error": error})


def test_a_signed_report_is_one_as_its_body_was_signed_in_the_words_of_the_page() -> None:
    page = Page()
    agent = {"agentId": "agent-abc123", "platform": "claude-code"}
    page.story.backend.mutation("agents:register", agent, principal=known("ada"))
    key = bytes(32)
    public_key, proof = sign_key(key, owner="ada", agent_id="agent-abc123")
    told = {"agentId": "agent-abc123", "publicKey": public_key, "proof": proof}
    page.story.backend.mutation("agents:registerKey", told, principal=known("ada"))
    odd = {
        "context": {"ratio": 1e-7, "whole": 2.0, "large": 2**60, "none": [None, -0.0]},
        "note": "é\u2028",
    }
    report = sign_report(
        {**BODY, **odd}, key, signed_at="2026-01-01T00:00:00.5Z", nonce="0123456789abcdef"
    )
    status, answer = page.post(report)
    assert status == 200
    assert "logId" in answer["data"]
    (log,) = page.story.ask("learning:getLogs", principal=known("ada")).logs
    assert log.binding == "signed"
    status, answer = page.post({**report, "result": "fail"})
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert "the signature does not hold" in answer["error"]["message"]
