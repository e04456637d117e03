"""The live page in a real browser, over a real server: what a person sees, and that it moves."""

import json
from typing import Any

import pytest

from tests.clients.server import Server, wait_until
from tests.dashboard.browser import Tab

pytestmark = pytest.mark.slow

NAME = "csv-report"
HOSTILE = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
WISHES = (
    "Honour the `Retry-After` header on 429 responses.",
    "Respect the `Retry-After` header when a 429 arrives.",
    "On a 429, honour the `Retry-After` header.",
)
BODY = """
# Instructions

1. Send the request with a timeout of 10 seconds.
2. On a status of 502, 503 or 504, wait and send it again, three times at most.
"""


def publish(hub: Server, description: str = "Reads a CSV file. Use it for tables.") -> None:
    """Put the skill on the hub."""
    front = f"---\nname: {NAME}\ndescription: {json.dumps(description)}\n---\n"
    hub.call("action", "skills:create", {"skillMd": front + BODY}, hub.admin_key)


def report(hub: Server, key: str = "", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any answer
    """Report one run over HTTP, as an agent does."""
    told = {
        "skill_name": NAME, "skill_version": "1.0.0", "agent_id": "agent-0", "platform": "cursor",
        "result": "success", **more,
    }  # fmt: skip
    headers = {
        "Content-Type": "application/json", "Authorization": f"Bearer {key or hub.admin_key}",
    }  # fmt: skip
    status, answer = hub.post("/v1/learning/report", json.dumps(told).encode(), headers)
    assert status == 200, answer
    return answer["data"]


def agent_key(hub: Server, number: int) -> str:
    """A key of an agent of its own owner."""
    arguments = {
        "name": f"agent {number}", "owner": f"owner-{number}", "agent": f"agent-{number}",
        "scopes": ["skills:read", "learning:report"],
    }  # fmt: skip
    return hub.call("mutation", "auth:createApiToken", arguments, hub.admin_key)["token"]


def ask_for_a_change(hub: Server) -> None:
    """Three agents suggest the same in different words, and agree that it is the same."""
    for number, wish in enumerate(WISHES, start=1):
        key = agent_key(hub, number)
        told = report(hub, key, agent_id=f"agent-{number}", improvement=wish)
        similar = told.get("similarImprovements") or []
        if similar and not told.get("evolutionTriggered"):
            same = {
                "groupId": similar[0]["groupId"],
                "opinion": "same",
                "reportId": told["reportId"],
            }
            hub.call("mutation", "learning:endorseImprovement", same, key)


def run_with_ticket(hub: Server, turn: int) -> None:
    """An agent resolves the skill, runs it and reports how it went."""
    told = {"name": NAME, "agentId": f"runner-{turn}"}
    given = hub.call("mutation", "skills:resolve", told, hub.admin_key)
    more = {"skill_version": given["version"], "ticket": given["ticket"]}
    report(hub, agent_id=f"runner-{turn}", **more)


def open_skill(tab: Tab, hub: Server) -> None:
    """Load the page of the skill."""
    tab.go(f"{hub.url}/live/#/skills/{NAME}")
    tab.wait_for_text("#connection", "Live")


def use_key(tab: Tab, key: str) -> None:
    """Paste a key into the dialog."""
    tab.click("#key-button")
    tab.type_into("#key-field", key)
    tab.press("Enter")


def test_a_browser_that_opens_the_server_sees_its_skills_live(hub: Server, tab: Tab) -> None:
    publish(hub)
    tab.go(hub.url + "/")
    tab.wait_for_text("#skills", NAME)
    assert tab.evaluate("location.pathname") == "/live/"
    tab.wait_for_text("#connection", "Live")
    assert tab.complaints() == []


def test_an_empty_hub_says_what_to_do(hub: Server, tab: Tab) -> None:
    tab.go(hub.url + "/live/")
    tab.wait_for_text("main", "hubify skills import")
    publish(hub)
    tab.wait_for_text("#skills", NAME)
    tab.wait_for_text("#feed", "was published")
    assert tab.complaints() == []


def test_a_report_over_http_moves_the_number_without_a_reload(hub: Server, tab: Tab) -> None:
    publish(hub)
    tab.go(hub.url + "/live/")
    tab.wait_for_text("#skills", NAME)
    tab.evaluate("window.isTheSamePage = true")
    assert tab.text("#skills .confidence .figure") == "0"
    for number in range(3):
        report(hub, platform=f"platform-{number}")
    told = hub.call("query", "skills:getByName", {"name": NAME})["confidence"]
    assert told > 0
    tab.wait_for(f"document.querySelector('#skills .confidence .figure').innerText === '{told}'")
    assert tab.evaluate("window.isTheSamePage") is True
    assert tab.complaints() == []


def test_the_page_of_a_skill_explains_its_confidence(hub: Server, tab: Tab) -> None:
    publish(hub)
    open_skill(tab, hub)
    tab.wait_for_text("main", "Nobody has reported a run of 1.0.0 yet")
    for result in ("success", "success", "fail"):
        report(hub, result=result)
    tab.wait_for_text("main", "What holds it back most")
    tab.wait_for_text("main", "67% of 3 runs")
    assert tab.complaints() == []


def test_the_page_of_a_skill_says_how_far_it_is_watched(hub: Server, tab: Tab) -> None:
    publish(hub)
    open_skill(tab, hub)
    tab.wait_for_text("main", "no runs of 1.0.0 have been taken in yet: no break can be noticed.")
    tab.wait_for_text("main", "Nothing was found of it.")


def test_what_others_wrote_shows_as_text_only(hub: Server, tab: Tab) -> None:
    publish(hub, description=f"Use it when {HOSTILE} is met.")
    wish = f"Explain how {HOSTILE} is to be escaped before it is written."
    report(hub, improvement=wish, platform=HOSTILE[:60])
    tab.go(hub.url + "/live/")
    tab.wait_for_text("#skills .description", HOSTILE)
    open_skill(tab, hub)
    tab.wait_for_text(".lead", HOSTILE)
    tab.wait_for_text(".quote", HOSTILE)
    assert tab.evaluate("document.querySelectorAll('main img, main script').length") == 0
    assert tab.evaluate("document.title").startswith(NAME)
    assert tab.complaints() == []


def test_a_trial_shows_both_arms_and_a_maintainer_may_end_it(hub: Server, tab: Tab) -> None:
    publish(hub)
    open_skill(tab, hub)
    ask_for_a_change(hub)
    tab.wait_for_text(".versus", "1.0.1 against 1.0.0")
    tab.wait_for_text("#feed", "goes on trial")
    assert "agents" in tab.text(".standing")
    assert [tab.text(f".arm:nth-child({place})")[:5] for place in (1, 2)] == ["1.0.1", "1.0.0"]
    assert "collected" in tab.text(".judge")
    assert "Difference: not known yet" in tab.text("main")
    for turn in range(12):
        run_with_ticket(hub, turn)
    tab.wait_for_text(".difference", "however often one looks")
    tab.wait_for_text("main", "Tickets that came back")
    assert not tab.evaluate("document.querySelector('.decide') !== null")

    use_key(tab, hub.admin_key)
    tab.wait_for("document.querySelector('.decide') !== null")
    tab.click(".decide summary")
    tab.type_into("#reason", "Looked at by hand")
    tab.click(".decide button")
    tab.wait_for_text(".timeline", "promoted")
    tab.wait_for_text(".timeline", "Looked at by hand")
    tab.wait_for_text(".badges", "stable 1.0.1")
    tab.wait_for_text("#feed", "version 1.0.1 was promoted")
    tab.click(".timeline summary")
    tab.wait_for_text(".timeline", WISHES[0])
    assert tab.complaints() == []


def test_a_refused_key_is_said_and_what_is_public_stays(hub: Server, tab: Tab) -> None:
    publish(hub)
    tab.go(hub.url + "/live/")
    tab.wait_for_text("#skills", NAME)
    use_key(tab, "hk_live_" + "a" * 40)
    tab.wait_for_text("#banner", "refused")
    assert NAME in tab.text("#skills")
    assert tab.evaluate("sessionStorage.length") == 0
    tab.wait_for_text("#connection", "Live")


def test_a_key_is_kept_for_the_tab_and_nowhere_else(hub: Server, tab: Tab) -> None:
    publish(hub)
    tab.go(hub.url + "/live/")
    use_key(tab, hub.admin_key)
    tab.wait_for_text("#key-button", hub.admin_key[:12])
    secret = json.dumps(hub.admin_key[12:])
    assert not tab.evaluate(f"document.documentElement.outerHTML.includes({secret})")
    assert tab.evaluate("localStorage.length + document.cookie.length") == 0
    tab.call("Page.reload")
    tab.wait_for_text("#key-button", hub.admin_key[:12])
    tab.click("#key-button")
    tab.click("#key-forget")
    tab.wait_for_text("#key-button", "Use a key")
    assert tab.evaluate("sessionStorage.length") == 0


def test_after_a_restart_of_the_server_the_page_goes_on_by_itself(hub: Server, tab: Tab) -> None:
    publish(hub)
    tab.go(hub.url + "/live/")
    tab.wait_for_text("#skills", NAME)
    hub.kill()
    tab.wait_for_text("#banner", "lost")
    assert NAME in tab.text("#skills"), "what was seen stays to be read"
    hub.start()
    report(hub)
    told = hub.call("query", "skills:getByName", {"name": NAME})["executions"]
    assert told == 1
    tab.wait_for(
        "document.querySelector('#skills .cell:nth-child(4) .number').innerText === '1'", 40
    )
    tab.wait_for("document.querySelector('#banner').hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(hub: Server, tab: Tab, scheme: str) -> None:
    publish(hub, description="Reads " + "averylongwordwithoutanyspace" * 8)
    report(hub, improvement="Detect the encoding of the file before reading it.")
    tab.resize(400, 800)
    tab.prefer(prefers_color_scheme=scheme)
    for page in ("#/", f"#/skills/{NAME}", "#/gateway"):
        tab.go(f"{hub.url}/live/{page}")
        tab.wait_for("document.querySelector('main .card, main .list') !== null")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 400, page
    assert tab.complaints() == []


def test_the_page_can_be_walked_by_keyboard(hub: Server, tab: Tab) -> None:
    publish(hub)
    tab.go(hub.url + "/live/")
    tab.wait_for_text("#skills", NAME)
    walked: list[str] = []
    wait_until(lambda: _step(tab, walked).startswith(NAME), "the skill's link in focus")
    tab.press("Enter")
    tab.wait_for_text("h1", NAME)
    assert tab.evaluate("document.activeElement.tagName") == "H1"
    assert walked[0] == "Skip to the page"


def _step(tab: Tab, walked: list[str]) -> str:
    assert len(walked) < 20, walked
    tab.press("Tab")
    walked.append(tab.evaluate("document.activeElement.innerText ?? ''"))
    return walked[-1]


def test_a_skill_that_is_not_there_says_so(hub: Server, tab: Tab) -> None:
    tab.go(f"{hub.url}/live/#/skills/%F0%9F%A6%8A%2F..%2F%3Cb%3E")
    tab.wait_for_text("main", "Loading")
    tab.wait_for_text("main", "There is no such skill")


def test_five_hundred_skills_come_in_parts_and_one_on_trial_is_marked(
    hub: Server, tab: Tab
) -> None:
    publish(hub)
    longest = "x" * 64
    names = [longest, *(f"skill-{number:03}" for number in range(498))]
    for name in names:
        front = f"---\nname: {name}\ndescription: {'No' * 200} {name}.\n---\n"
        hub.call("action", "skills:create", {"skillMd": front + BODY}, hub.admin_key)
    told = {"name": longest, "displayName": "W" * 500}
    hub.call("mutation", "skills:update", told, hub.admin_key)
    report(hub)
    ask_for_a_change(hub)
    tab.go(hub.url + "/live/")
    tab.wait_for("document.querySelectorAll('#skills > li').length === 25")
    tab.wait_for_text(f"#skills [data-key={NAME}]", "trial of 1.0.1")
    for shown in (50, 75, 100):
        tab.click("main > p > button")
        tab.wait_for(f"document.querySelectorAll('#skills > li').length === {shown}")
    tab.wait_for_text("main", "The first 100 are shown")
    tab.evaluate("document.querySelector('.sorter select').value = 'name'")
    tab.evaluate("document.querySelector('.sorter select').dispatchEvent(new Event('change'))")
    tab.wait_for_text("#skills > li:first-child", NAME)
    for width in (1280, 400):
        tab.resize(width, 800)
        for page in ("#/", f"#/skills/{longest}"):
            tab.go(f"{hub.url}/live/{page}")
            tab.wait_for("document.querySelector('main .card, main .list') !== null")
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, page
    assert tab.complaints() == []
