"""What analysed tasks mean for a registry: reports of runs, and proposals for skills there are not.

A skill that the agent followed ran, and did well when the task was completed. One that it did not
follow did not run, and is reported only where something is asked of it: that run is `partial`. A
suggestion without a skill is a proposal.

Invariant: each suggestion ends in exactly one report per skill it names, or in one proposal, under
an id that is the same whenever the record is read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

from hubify.formats.bundle import sha256
from hubify.formats.fields import clean_text
from hubify.formats.limits import (
    MAX_FIELD,
    MAX_PROPOSAL,
    MAX_REPORT_ERROR,
    MAX_REPORT_NOTE,
    MAX_RUN_ID,
    MAX_SUGGESTION,
    MAX_TITLE,
    MAX_TOLD,
)
from hubify.formats.openspace import Analysis, Judgment, Suggestion
from hubify.formats.records import Unreadable

SOURCE = "openspace"
REPORT, PROPOSE = "learning:report", "evolution:proposeSkill"
NOT_RUN = "The agent did not follow the skill, and asks nothing of it."
TOO_MUCH = f"It tells of more than {MAX_TOLD} runs or suggestions."
Call = Callable[[str, dict[str, Any]], Mapping[str, Any]]
"""Calls a function of the registry, as in `importing`."""


class Numbered(Struct, frozen=True):
    """A version in the registry: its skill's name, and its number."""

    name: str
    version: str


class TaskState(StrEnum):
    """What became of one thing that an analysed task says."""

    REPORTED = "reported"
    UNCHANGED = "unchanged"
    PROPOSED = "proposed"
    REFUSED = "refused"
    LEFT_OUT = "left_out"


class TaskOutcome(Struct, frozen=True, kw_only=True):
    """What became of one run, suggestion or judgment of a task; `skill` as the record names it."""

    task: str
    state: TaskState
    skill: str = ""
    name: str = ""
    version: str = ""
    improvement: bool = False
    reason: str = ""


class Run(Struct, frozen=True):
    """One skill in one task: what the agent said of it, and what is asked of it, if anything."""

    skill_id: str
    judgment: Judgment | None
    suggestion: Suggestion | None
    number: int


class Teller:
    """Tells a registry what tasks say, through its functions."""

    def __init__(
        self,
        call: Call,
        versions: Mapping[str, Numbered],
        *,
        refusals: tuple[type[Exception], ...] = (),
        agent: str = SOURCE,
    ) -> None:
        """`versions` are those in the registry, by the record's ids; `agent` is who reports."""
        self._call = call
        self._versions = versions
        self._refusals = refusals
        self._agent = agent

    def run(self, analyses: Iterable[Analysis | Unreadable]) -> Iterator[TaskOutcome]:
        """Tell everything, task by task; what is there already stays as it is."""
        for analysis in analyses:
            if isinstance(analysis, Unreadable):
                reason = " ".join(map(str, analysis.findings))
                yield TaskOutcome(task=analysis.source, state=TaskState.REFUSED, reason=reason)
                continue
            runs = runs_of(analysis)
            if max(len(runs), len(analysis.suggestions)) > MAX_TOLD:
                yield TaskOutcome(task=_label(analysis), state=TaskState.REFUSED, reason=TOO_MUCH)
                continue
            for run in runs:
                yield self._report(analysis, run)
            for number, suggestion in enumerate(analysis.suggestions, start=1):
                if not suggestion.target_skills:
                    yield self._propose(analysis, suggestion, number)

    def _report(self, analysis: Analysis, run: Run) -> TaskOutcome:
        task, skill = _label(analysis), run.skill_id
        if run.suggestion is None and not (run.judgment and run.judgment.skill_applied):
            return TaskOutcome(task=task, skill=skill, state=TaskState.LEFT_OUT, reason=NOT_RUN)
        place = self._versions.get(skill)
        if place is None:
            reason = f"The skill {skill[:MAX_FIELD]!r} is not in the registry."
            return TaskOutcome(task=task, skill=skill, state=TaskState.REFUSED, reason=reason)
        arguments = {
            **report_of(analysis, run),
            "skillName": place.name,
            "skillVersion": place.version,
            "agentId": self._agent,
        }
        try:
            answer = self._call(REPORT, arguments)
        except self._refusals as refusal:
            return TaskOutcome(task=task, skill=skill, state=TaskState.REFUSED, reason=str(refusal))
        return TaskOutcome(
            task=task,
            skill=skill,
            state=TaskState.UNCHANGED if answer.get("repeated") else TaskState.REPORTED,
            name=place.name,
            version=place.version,
            improvement=run.suggestion is not None,
        )

    def _propose(self, analysis: Analysis, suggestion: Suggestion, number: int) -> TaskOutcome:
        task = _label(analysis)
        arguments = {**proposal_of(analysis, suggestion, number), "agentId": self._agent}
        try:
            self._call(PROPOSE, arguments)
        except self._refusals as refusal:
            return TaskOutcome(task=task, state=TaskState.REFUSED, reason=str(refusal))
        return TaskOutcome(task=task, state=TaskState.PROPOSED)


def runs_of(analysis: Analysis) -> list[Run]:
    """Every skill that a task judged or asks something of; once for each suggestion it has."""
    judged = {judgment.skill_id: judgment for judgment in analysis.judgments}
    asked: dict[str, list[Suggestion]] = {skill_id: [] for skill_id in judged}
    for suggestion in analysis.suggestions:
        for skill_id in dict.fromkeys(suggestion.target_skills):
            asked.setdefault(skill_id, []).append(suggestion)
    return [
        Run(skill_id, judged.get(skill_id), suggestion, number)
        for skill_id, suggestions in asked.items()
        for number, suggestion in enumerate(suggestions or [None], start=1)
    ]


def report_of(analysis: Analysis, run: Run) -> dict[str, Any]:
    """The arguments of a report, but for the skill and the agent."""
    applied = run.judgment is not None and run.judgment.skill_applied
    done = "success" if analysis.task_completed else "failure"
    outcome = done if applied else "partial"
    said = run.judgment.note if run.judgment else ""
    context = {
        "source": SOURCE,
        "task": _label(analysis),
        "analysedAt": analysis.timestamp[:MAX_FIELD],
        "skillApplied": applied,
        "taskCompleted": analysis.task_completed,
    }
    told: dict[str, Any] = {
        "runId": _run_id(analysis, run),
        "outcome": outcome,
        "platform": SOURCE,
        "note": f"{said}\n\n{analysis.execution_note}".strip()[:MAX_REPORT_NOTE],
        "context": context,
    }
    if outcome != "success":
        told["error"] = "\n".join(analysis.tool_issues)[:MAX_REPORT_ERROR]
    if run.suggestion is not None:
        told["improvement"] = run.suggestion.direction[:MAX_SUGGESTION]
    return told


def proposal_of(analysis: Analysis, suggestion: Suggestion, number: int) -> dict[str, Any]:
    """The arguments of a proposal, but for the agent; `number` is the suggestion's, from 1."""
    return {
        "title": _title(suggestion.direction),
        "description": suggestion.direction[:MAX_PROPOSAL],
        "source": SOURCE,
        "sourceId": f"{_label(analysis)}/{number}",
        "tags": [clean_text(suggestion.type)[:_MAX_TAG] or SOURCE],
    }


_MAX_TAG = 64  # characters of a tag in the registry
_MAX_LABEL = 100  # characters of a task's id


def _label(analysis: Analysis) -> str:
    """What a task is called: its own id, and the number of its analysis."""
    return f"{clean_text(analysis.task_id)[:_MAX_LABEL]}#{analysis.id}"


def _run_id(analysis: Analysis, run: Run) -> str:
    whole = f"{SOURCE}/{_label(analysis)}/{run.skill_id}/{run.number}"
    if len(whole) <= MAX_RUN_ID:
        return whole
    return f"{SOURCE}/{_label(analysis)}/{sha256(whole.encode())[-64:]}"


def _title(text: str) -> str:
    """The beginning of a suggestion, up to a whole word."""
    line = clean_text(text)
    if len(line) <= MAX_TITLE:
        return line or "(no words)"
    return line[:MAX_TITLE].rpartition(" ")[0].rstrip(" ,;:") + " …"
