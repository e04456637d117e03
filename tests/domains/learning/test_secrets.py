"""No known secret passes from a report into a row, whichever argument it stands in."""

from typing import Any

import pytest

from hubify.domains.learning.tables import Report
from hubify.functions import InvalidInput
from hubify.testing.backend import known
from tests.domains.story import NAME, Story
from tests.evidence.redaction.test_redaction import SAMPLES

ADA = known("ada")
LONGEST = {"platform": 64, "llm": 100, "toolsUsed": 200, "agentId": 128, "runId": 200}


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def told_with(secret: str) -> dict[str, Any]:
    """A report that holds a secret in every argument that has room for it."""
    texts = {"platform": secret, "llm": secret}
    field = secret if secret.isprintable() else "field"
    return {
        "note": secret,
        "improvement": f"Send {secret} along.",
        "error": secret,
        "toolsUsed": [secret, {field: "x", "y": secret, "z": [{field: [secret]}]}],
        "context": {field: {"deep": [secret, {field: secret}]}, "q": secret},
        **{name: text for name, text in texts.items() if len(text) <= LONGEST[name]},
    }


@pytest.mark.parametrize("label", SAMPLES)
def test_a_secret_is_taken_out_wherever_a_report_holds_it(story: Story, label: str) -> None:
    secret = SAMPLES[label]
    told = told_with(secret)
    if len(secret) > LONGEST["toolsUsed"]:
        told["toolsUsed"] = told["toolsUsed"][1:]
    reported = story.report("ada", **told)
    row = story.backend.database.begin_read(lambda: None).get(Report, reported.report_id)
    assert row is not None
    kept = " ".join(repr(getattr(row, field)) for field in row.__struct_fields__)
    assert repr(secret)[1:-1] not in kept
    assert secret.lower() not in kept.lower()
    assert f"[redacted:{label}]" in kept


@pytest.mark.parametrize("argument", ["agentId", "runId"])
def test_what_names_an_agent_or_a_run_may_not_look_like_a_secret(
    story: Story, argument: str
) -> None:
    for secret in SAMPLES.values():
        if len(secret) > LONGEST[argument] or not secret.isprintable():
            continue
        told = {"skillName": NAME, "outcome": "success", argument: secret}
        with pytest.raises(InvalidInput, match=f"{argument} looks like a secret"):
            story.backend.mutation("learning:report", told, principal=ADA)
