"""`make demo`: a server with sample skills and a fleet of simulated agents, told in the terminal.

The demo's directory is made anew each time; its stages are seconds instead of days by the skill's
own settings, and no clock is bent.
"""

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import httpx

from demo.fleet import PLAN, Agent, characters
from demo.hub import Hub

ROOT = Path(__file__).parents[1]
DATA = ROOT / ".hubify" / "demo"
STAGE_S = 6.0
START_WITHIN_S = 20.0
LOOK_EVERY_S = 1.0
TRIAL_EVERY_S = 4
REPORTS_EVERY_S = 10
AGENT_SCOPES = ["skills:read", "learning:report"]
AUTHOR_SCOPES = ["skills:read", "skills:write", "evolution:write"]


def main() -> int:
    """Run until interrupted, or for `--seconds`."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=3210, help="port to serve on (default 3210)")
    parser.add_argument("--agents", type=int, default=40, help="how many agents (default 40)")
    parser.add_argument("--pause", type=float, default=1.0, help="mean seconds between runs")
    parser.add_argument("--seed", type=int, default=7, help="seed of the agents' luck")
    parser.add_argument("--seconds", type=float, help="stop after so long (default: never)")
    options = parser.parse_args()
    with suppress(KeyboardInterrupt):
        return asyncio.run(demo(options))
    return 0


async def demo(options: argparse.Namespace) -> int:
    """Serve, fill, and watch."""
    shutil.rmtree(DATA, ignore_errors=True)
    server = serve(options.port)
    try:
        url, key = await ready(server)
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            admin = Hub(http, key)
            await fill(http, admin)
            invite(url, key)
            fleet = await recruit(http, admin, options)
            await watch(admin, fleet, options)
    except Died as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(15)
    return 0


class Died(Exception):
    """The server ended before it was ready."""


def serve(port: int) -> "subprocess.Popen[bytes]":
    """Start the server in a process of its own."""
    command = [sys.executable, "-m", "hubify", "serve", "--data", str(DATA), "--port", str(port)]
    environment = {**os.environ, "HUBIFY_RATE_LIMITS": "off", "HUBIFY_LOG_LEVEL": "warning"}
    DATA.mkdir(parents=True)
    with (DATA / "server.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log, stdout=log)


async def ready(server: "subprocess.Popen[bytes]") -> tuple[str, str]:
    """The server's address and admin key, once it answers."""
    waited = 0.0
    while waited < START_WITHIN_S and server.poll() is None:
        await asyncio.sleep(0.1)
        waited += 0.1
        if (DATA / "server.url").exists() and (DATA / "admin.key").exists():
            url = (DATA / "server.url").read_text().strip()
            with suppress(httpx.TransportError):
                async with httpx.AsyncClient() as http:
                    if (await http.get(url + "/readyz")).is_success:
                        return url, (DATA / "admin.key").read_text().strip()
    message = "the server did not start:\n" + (DATA / "server.log").read_text()
    raise Died(message)


async def fill(http: httpx.AsyncClient, admin: Hub) -> None:
    """Publish the sample skills, with stages of seconds."""
    made = await admin.mutation(
        "auth:createApiToken", name="author", owner="samples", scopes=AUTHOR_SCOPES
    )
    author = Hub(http, made["token"])
    for folder in sorted((ROOT / "demo" / "skills").iterdir()):
        text = (folder / "SKILL.md").read_text(encoding="utf-8")
        await author.action("skills:create", skillMd=text)
        hours = STAGE_S / 3600
        await author.mutation(
            "evolution:updateSettings", skillName=folder.name, stageHours=[hours, hours, hours]
        )


async def recruit(http: httpx.AsyncClient, admin: Hub, options: argparse.Namespace) -> list[Agent]:
    """A key and a character for each agent; the first honest ones have something to suggest."""
    fleet: list[Agent] = []
    for number, character in enumerate(characters(options.agents)):
        made = await admin.mutation(
            "auth:createApiToken", name=f"agent {number}", owner=f"owner-{number:02d}",
            agent=f"agent-{number:02d}", scopes=AGENT_SCOPES,
        )  # fmt: skip
        wish = PLAN.wishes[number] if number < len(PLAN.wishes) else None
        random = Random(options.seed * 1000 + number)
        fleet.append(Agent(Hub(http, made["token"]), number, character, random, wish))
    return fleet


async def watch(admin: Hub, fleet: list[Agent], options: argparse.Namespace) -> None:
    """Let the fleet work, and tell what happens."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(agent.work(PLAN, options.pause)) for agent in fleet]
    teller = Teller()
    begun = loop.time()
    try:
        while options.seconds is None or loop.time() - begun < options.seconds:
            await asyncio.sleep(LOOK_EVERY_S)
            await teller.look(admin, loop.time() - begun, sum(agent.reports for agent in fleet))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Teller:
    """Says what is new since it last looked: each thing once, a trial every few seconds."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    async def look(self, hub: Hub, seconds: float, reports: int) -> None:
        """One look at every skill."""
        for name in PLAN.skills:
            pending = await hub.query("evolution:getPendingImprovements", skillName=name)
            canary = await hub.query("evolution:getCanaryStatus", skillName=name)
            history = await hub.query("evolution:getHistory", skillName=name, limit=1)
            for topic, line in news(name, pending, history):
                self._say(f"{name}/{topic}", seconds, line)
            if canary["active"] and canary["metrics"]:
                turn = f"{name}/{canary['currentStage']}/{int(seconds) // TRIAL_EVERY_S}"
                if turn not in self._said:
                    self._say(turn, seconds, trial(name, canary))
        if int(seconds) % REPORTS_EVERY_S == 0:
            standings = [await hub.query("skills:getByName", name=name) for name in PLAN.skills]
            self._say("reports", seconds, f"{reports} reports; {standing(standings)}")

    def _say(self, topic: str, seconds: float, line: str) -> None:
        if self._said.get(topic) != line:
            self._said[topic] = line
            print(f"{seconds:6.1f} s  {line}", flush=True)


def news(name: str, pending: Any, history: Any) -> list[tuple[str, str]]:
    """What there is to say of one skill, by topic; a topic's line is said when it changes."""
    lines: list[tuple[str, str]] = []
    for group in pending["improvements"][:3]:
        missing = group["missing"] or "enough: a new version is being drafted"
        text = f'{name}: {group["agentCount"]:.0f} asked "{group["suggestion"][:50]}…" ({missing})'
        lines.append((f"group {group['groupId']}", text))
    for evolution in history["evolutions"]:
        why = f" because {evolution['reason']}" if evolution["reason"] else ""
        told = f"{name}: {evolution['fromVersion']} to {evolution['toVersion']}"
        lines.append(("history", f"{told} is {evolution['status']}{why}"))
    return lines


def trial(name: str, canary: Any) -> str:
    """Where a trial stands."""
    metrics, stage = canary["metrics"], int(canary["currentStage"])
    share = canary["stages"][stage - 1]["traffic"]
    return (
        f"{name}: trial of {canary['version']} at {share} % (stage {stage}): "
        f"{_rate(metrics['canary'])}, against {_rate(metrics['baseline'])} of the stable one"
    )


def standing(skills: list[Any]) -> str:
    """Every skill's stable version and confidence, in one line."""
    return ", ".join(f"{each['name']} {each['version']} {each['confidence']}" for each in skills)


def _rate(arm: Any) -> str:
    rate = arm["successRate"]
    share = "nothing yet" if rate is None else f"{rate:.0%}"
    return f"{share} of {arm['executions']:.0f} runs worked"


def invite(url: str, key: str) -> None:
    """Say where it is, and three things to try."""
    print(
        f"""
Hubify is running on {url}
  live page  {url}/live/
  admin key  {key}
  docs       {url}/docs

Three things to try while the agents work:
  1. Watch it live:   open {url}/live/ in a browser and choose csv-report
  2. Ask why:         curl -s {url}/v1/evolution/csv-report/canary
  3. Report a run:    curl -s {url}/v1/learning/report -H "Authorization: Bearer {key}" \\
       -H "Content-Type: application/json" -d '{{"skill_name": "csv-report",
       "skill_version": "1.0.0", "agent_id": "me", "platform": "terminal", "result": "success"}}'

What the agents are doing (Ctrl-C ends it):
""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
