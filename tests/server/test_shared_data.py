"""All the real data at once: imported into a server with its usual limits, and asked for again.

What is expected is read from the data here, without the product's own readers.
"""

import hashlib
import http.client
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest

from tests.clients.server import CHECKOUT, Server
from tests.server.conftest import check
from tests.shared_data import shared_path

DATA = shared_path("data/skills").parent
OPENSPACE = shared_path("data/openspace")
REFUSED = {"sample.jsonl:199", "sample.jsonl:7"}
"""Two samples that tell an agent to steal; the gateway must refuse them."""
OWNER = "curator"
Json = Any  # what a server answers


class Hub(NamedTuple):
    """A server that all the data was imported into."""

    server: Server
    key: str
    summary: Json
    told: str

    def ask(self, path: str, **arguments: object) -> Json:
        """What a query answers an administrator."""
        return self.server.call("query", path, arguments, self.server.admin_key)

    def get(self, path: str, **parameters: object) -> Json:
        """What REST answers an administrator."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {self.server.admin_key}"}
            connection.request("GET", f"{path}?{urlencode(parameters)}", headers=headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
            assert response.status == 200, answer
            return answer
        finally:
            connection.close()


def hubify(server: Server, *argv: str, key: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as a user does."""
    environment = {**os.environ, "HUBIFY_URL": server.url, "HUBIFY_API_KEY": key}
    command = [sys.executable, "-m", "hubify", *argv]
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment, text=True, capture_output=True, check=True
    )


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """All skills imported in one go with an ordinary key, then what agents reported."""
    with Server(tmp_path_factory.mktemp("shared") / "data", rate_limits="on") as server:
        wish = {"name": "import", "owner": OWNER, "scopes": ["skills:read", "skills:write"]}
        key = server.call("mutation", "auth:createApiToken", wish, server.admin_key)["token"]
        ran = hubify(server, "skills", "import", str(DATA), "--json", key=key)
        yield Hub(server, key, json.loads(ran.stdout), ran.stderr)
        check(server)


@pytest.fixture(scope="module")
def reported(hub: Hub) -> Json:
    """What an administrator's import of the reports made of them."""
    argv = ("skills", "import", str(OPENSPACE), "--reports", "--owner", OWNER, "--json")
    return json.loads(hubify(hub.server, *argv, key=hub.server.admin_key).stdout)


def rows(name: str) -> list[Json]:
    """The lines of a part of the record."""
    text = (OPENSPACE / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def lineages(hub: Hub) -> tuple[dict[str, Json], set[tuple[str, str]]]:
    """All nodes by their id in the record, and all edges between such ids, as the hub has them."""
    nodes: dict[str, Json] = {}
    edges: set[tuple[str, str]] = set()
    for name in sorted({outcome["name"] for outcome in imported(hub, "openspace")}):
        answer = hub.ask("skills:lineage", name=name, depth=50)
        assert not answer["truncated"]
        known = {node["versionId"]: node["source"] for node in answer["nodes"]}
        nodes |= {node["source"]: node for node in answer["nodes"]}
        edges |= {(known[edge["parentId"]], known[edge["childId"]]) for edge in answer["edges"]}
    return nodes, edges


def imported(hub: Hub, part: str) -> list[Json]:
    """The outcomes of one part of the data."""
    return [each for each in hub.summary["outcomes"] if f"/{part}" in each["source"]]


# Import.


def test_everything_is_imported_in_one_go_without_waiting_for_an_allowance(hub: Hub) -> None:
    assert hub.told == ""
    places = {each["source"].rpartition("/")[2] for each in hub.summary["outcomes"]
              if each["state"] in {"refused", "unreadable"}}  # fmt: skip
    assert places == REFUSED
    assert hub.summary["imported"] + hub.summary["unchanged"] == len(hub.summary["outcomes"]) - 2
    assert hub.summary["imported"] > 600


def test_each_refusal_says_why_with_file_and_line(hub: Hub) -> None:
    refused = [each for each in hub.summary["outcomes"] if each["state"] == "refused"]
    for outcome in refused:
        assert any(line.startswith("SKILL.md:") for line in outcome["findings"])


def test_the_same_import_again_changes_nothing(hub: Hub) -> None:
    again = json.loads(
        hubify(hub.server, "skills", "import", str(DATA), "--json", key=hub.key).stdout
    )
    assert (again["imported"], again["repaired"]) == (0, 0)
    assert again["unchanged"] == hub.summary["imported"] + hub.summary["unchanged"]


# Lineage.


def test_lineage_out_is_lineage_in(hub: Hub) -> None:
    skills = rows("skills.jsonl")
    nodes, edges = lineages(hub)
    assert set(nodes) == {row["skill_id"] for row in skills}
    assert edges == {(parent, row["skill_id"]) for row in skills for parent in row["parents"]}
    for row in skills:
        node = nodes[row["skill_id"]]
        assert node["changeSummary"] == " ".join(row["lineage_change_summary"].split("\n")).strip()
        assert (node["status"] == "placeholder") == (not row["files"])


def test_rest_tells_the_same_lineage(hub: Hub) -> None:
    for name in ("spreadsheet-direct-python", "document-gen-fallback"):
        told = hub.get(f"/v1/skills/{name}/lineage", depth=50)
        asked = hub.ask("skills:lineage", name=name, depth=50)
        answer = told.get("data", told)
        assert [node["source"] for node in answer["nodes"]] == [
            node["source"] for node in asked["nodes"]
        ]
        assert len(answer["edges"]) == len(asked["edges"])


def test_versions_of_which_only_a_description_is_known_can_be_read_but_not_run(hub: Hub) -> None:
    bare = [row for row in rows("skills.jsonl") if not row["files"]]
    assert len(bare) == 18
    places = {each["sourceId"]: each for each in imported(hub, "openspace")}
    for row in bare:
        place = places[row["skill_id"]]
        version = hub.ask("skills:getVersion", name=place["name"], version=place["version"])
        assert (version["status"], version["files"]) == ("placeholder", [])
        assert version["description"] == row["description"]


# Reports and proposals.


def asked_of(hub: Hub) -> Counter[tuple[str, str, str]]:
    """Every improvement that the record asks of a version: skill, version, text."""
    places = {each["sourceId"]: each for each in imported(hub, "openspace")}
    return Counter(
        (places[target]["name"], places[target]["version"], suggestion["direction"])
        for task in rows("analyses.jsonl")
        for suggestion in task["suggestions"]
        for target in suggestion["target_skills"]
    )


def logs(hub: Hub) -> list[Json]:
    """Every report on a skill of the record."""
    found: list[Json] = []
    for name in sorted({outcome["name"] for outcome in imported(hub, "openspace")}):
        page = hub.ask("learning:getLogs", skillName=name, limit=100)
        assert page["isDone"]
        found.extend(page["logs"])
    return found


def proposals(hub: Hub) -> list[Json]:
    """Every open proposal."""
    found: list[Json] = []
    cursor = None
    while True:
        page = hub.ask("evolution:listProposals", paginationOpts={"numItems": 40, "cursor": cursor})
        found.extend(page["page"])
        if page["isDone"]:
            return found
        cursor = page["continueCursor"]


def test_each_suggestion_that_names_a_skill_is_a_report_on_that_version(
    hub: Hub, reported: Json
) -> None:
    told = logs(hub)
    improvements = [log for log in told if log["improvement"] is not None]
    assert Counter(
        (log["skillName"], log["skillVersion"], log["improvement"]) for log in improvements
    ) == asked_of(hub)
    assert len(told) == reported["told"]["reported"]
    assert reported["told"]["refused"] == 0


def test_each_run_ended_as_its_task_did(hub: Hub, reported: Json) -> None:
    done = {
        f"{task['task_id']}#{task['id']}": task["task_completed"] for task in rows("analyses.jsonl")
    }
    assert reported["told"]["reported"] == len(logs(hub))
    for log in logs(hub):
        ran = log["context"]["skillApplied"]
        expected = ("success" if done[log["context"]["task"]] else "failure") if ran else "partial"
        assert log["outcome"] == expected
    runs = Counter(log["context"]["skillApplied"] for log in logs(hub))
    judged = [judgment for task in rows("analyses.jsonl") for judgment in task["judgments"]]
    assert runs[True] >= sum(judgment["skill_applied"] for judgment in judged)


def test_rest_tells_the_same_reports(hub: Hub, reported: Json) -> None:
    name = next(each["name"] for each in reported["told"]["outcomes"] if each["name"])
    answer = hub.get(f"/v1/learning/{quote(name)}/logs", limit=100)
    asked = hub.ask("learning:getLogs", skillName=name, limit=100)
    told = answer.get("data", answer)
    assert [log["improvement"] for log in told["logs"]] == [
        log["improvement"] for log in asked["logs"]
    ]


def test_each_suggestion_without_a_skill_is_one_proposal_and_no_report(
    hub: Hub, reported: Json
) -> None:
    wished = Counter(
        suggestion["direction"]
        for task in rows("analyses.jsonl")
        for suggestion in task["suggestions"]
        if not suggestion["target_skills"]
    )
    found = proposals(hub)
    assert sum(wished.values()) == len(found) == reported["told"]["proposals"] == 100
    assert Counter(proposal["description"] for proposal in found) == wished
    assert not {log["improvement"] for log in logs(hub)} & set(wished)


def test_reporting_it_all_again_changes_nothing(hub: Hub, reported: Json) -> None:
    before = (logs(hub), proposals(hub), lineages(hub))
    argv = ("skills", "import", str(OPENSPACE), "--reports", "--owner", OWNER, "--json")
    again = json.loads(hubify(hub.server, *argv, key=hub.server.admin_key).stdout)
    assert (again["imported"], again["told"]["reported"]) == (0, 0)
    assert again["told"]["unchanged"] == reported["told"]["reported"]
    assert (logs(hub), proposals(hub), lineages(hub)) == before


# Export.


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def originals() -> dict[str, dict[str, str]]:
    """The digests of each version's files, by its id in its source."""
    found = {row["skill_id"]: {path: text.encode() for path, text in row["files"].items()}
             for row in rows("skills.jsonl")}  # fmt: skip
    for line in (DATA / "skills/clawhub/sample.jsonl").read_text(encoding="utf-8").splitlines():
        sample = json.loads(line)
        name = sample["path"].rpartition("/")[2]
        found[sample["path"]] = {name: sample["skill_md"].encode()}
    for meta in (DATA / "skills/clawhub").glob("*/meta.json"):
        told = json.loads(meta.read_bytes())
        for version in told["versions"]:
            place = f"{told['owner']}/{told['slug']}@{version['version']}"
            found[place] = files_below(meta.parent / version["version"])
    for folder in (DATA / "skills/anthropic").iterdir():
        if folder.is_dir():
            found[f"{DATA.name}/skills/anthropic/{folder.name}"] = files_below(folder)
    return {source: digests(files) for source, files in found.items()}


def exported(server: Server, out: Path) -> Path:
    """All versions of all skills, written out by a command."""
    argv = ("skills", "export", "--all", str(out), "--owner", OWNER, "--history")
    hubify(server, *argv, key=server.admin_key)
    return out


@pytest.fixture(scope="module")
def out(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the hub wrote out."""
    return exported(hub.server, tmp_path_factory.mktemp("out"))


def test_every_byte_comes_out_as_it_went_in(hub: Hub, out: Path) -> None:
    expected = originals()
    outcomes = hub.summary["outcomes"]
    assert {outcome["sourceId"] for outcome in outcomes} == set(expected)
    compared = 0
    for outcome in outcomes:
        files = expected[outcome["sourceId"]]
        if outcome["state"] != "refused" and files:
            assert digests(files_below(out / outcome["name"] / outcome["version"])) == files
            compared += 1
    assert compared == len(outcomes) - len(REFUSED) - 18
    versions = [folder for folder in out.glob("*/*") if folder.is_dir()]
    assert len(versions) == hub.summary["imported"] - 18


def test_an_export_is_imported_again_byte_for_byte(out: Path, tmp_path: Path) -> None:
    with Server(tmp_path / "data", rate_limits="on") as other:
        hubify(other, "skills", "import", str(out), "--owner", OWNER, key=other.admin_key)
        back = exported(other, tmp_path / "back")
        check(other)
    assert digests(files_below(back)) == digests(files_below(out))
