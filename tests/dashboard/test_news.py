"""What the page calls news, and what it passes over."""

import json
from typing import Any

import pytest

from tests.clients.server import Server
from tests.dashboard.browser import Browser, Tab

pytestmark = pytest.mark.slow

SKILL = {"name": "csv-report", "version": "1.0.0", "confidence": 61, "_creationTime": 5}
STATUS = {
    "currentVersion": "1.0.0", "canary": None, "pendingEvolution": None,
    "reason": "no improvements are pending",
}  # fmt: skip
CANARY = {"version": "1.0.1", "traffic": 5}
REFUSED = {
    "_id": "d2", "skill": "csv-report", "version": "1.0.1", "verdict": "refused", "decidedAt": 9,
    "findings": [{"blocks": True, "message": "it asks for a secret"}],
}  # fmt: skip

Look = tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Tab:
    """A page that has loaded the module; it needs its server no longer."""
    with Server(tmp_path_factory.mktemp("news") / "data") as hub:
        tab = browser.open()
        tab.go(hub.url + "/live/icon.svg")
        tab.evaluate("import('/live/news.js').then((module) => void (window.news = module))")
    return tab


def news(page: Tab, before: Look, after: Look) -> list[tuple[str, str]]:
    """Kind and text of what is new between two looks."""
    looks = ", ".join(
        f"news.look([{json.dumps(skill)}], [['csv-report', {json.dumps(status)}]], "
        f"{json.dumps(decisions)})"
        for skill, status, decisions in (before, after)
    )
    told = page.evaluate(f"news.newsBetween({looks}, 1).map((one) => [one.kind, one.text ?? ''])")
    return [(kind, text) for kind, text in told]


def test_two_looks_at_the_same_are_no_news(page: Tab) -> None:
    assert news(page, (SKILL, STATUS, []), (SKILL, STATUS, [])) == []


def test_a_trial_is_told_from_its_beginning_to_its_end(page: Tab) -> None:
    on_trial = {**STATUS, "canary": CANARY}
    wider = {**STATUS, "canary": {**CANARY, "traffic": 25}}
    held_up = {**STATUS, "canary": {**CANARY, "traffic": 0}}
    promoted = {**STATUS, "currentVersion": "1.0.1"}
    told = [
        news(page, (SKILL, before, []), (SKILL, after, []))
        for before, after in (
            (STATUS, on_trial), (on_trial, wider), (wider, held_up), (wider, promoted),
            (wider, STATUS),
        )
    ]  # fmt: skip
    assert told == [
        [("trial", "version 1.0.1 goes on trial with 5% of the runs")],
        [("stage", "the trial of 1.0.1 goes on with 25% of the runs")],
        [("stage", "the trial of 1.0.1 is held up at 0% of the runs")],
        [("promoted", "version 1.0.1 was promoted: it is the stable one now")],
        [("ended", "the trial of 1.0.1 ended; 1.0.0 stays the stable one")],
    ]


def test_confidences_of_two_versions_are_not_compared(page: Tab) -> None:
    moved, replaced = {**SKILL, "confidence": 80}, {**SKILL, "confidence": 80, "version": "1.0.1"}
    assert news(page, (SKILL, STATUS, []), (moved, STATUS, [])) == [("confidence", "")]
    assert news(page, (SKILL, STATUS, []), (replaced, STATUS, [])) == []


def test_a_refusal_says_what_blocks(page: Tab) -> None:
    told = news(page, (SKILL, STATUS, []), (SKILL, STATUS, [REFUSED]))
    assert told == [("gateway", "the gateway refused version 1.0.1: it asks for a secret")]
