"""Whatever happens to a skill in whatever order, its evolution stands in no state it should not.

Steps are what agents, maintainers and the clock do; after each the rows are looked at.
"""

from collections.abc import Callable

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubify.domains.evolution.rules import DRAFTED, OPEN_STATUSES, waits_for_person
from hubify.domains.evolution.tables import (
    Canary,
    CanaryStatus,
    Evolution,
    EvolutionStatus,
    GroupStatus,
    ImprovementGroup,
    JudgeState,
)
from hubify.domains.skills import Skill, SkillVersion, VersionStatus, rollout_of
from hubify.functions import AppError, Domain, QueryCtx
from hubify.functions.schedule import Job, JobState
from tests.domains.story import AUTHOR, DAY_MS, HOUR_MS, NAME, OTHER_REQUEST, SAME_REQUEST, SKILL_MD
from tests.domains.story import Story as Known

THIRD_REQUEST = "Say in the instructions that `curl` 8 or newer is needed."
UNDECIDED = (CanaryStatus.RUNNING, CanaryStatus.PAUSED, CanaryStatus.INCONCLUSIVE)
VERSIONS = ("1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1")
FOUND = 500

probe = Domain("probe")


class Rows(msgspec.Struct, frozen=True):
    """All rows that a skill's evolution consists of."""

    skill: Skill
    versions: tuple[SkillVersion, ...]
    attempts: tuple[Evolution, ...]
    groups: tuple[ImprovementGroup, ...]
    canaries: tuple[Canary, ...]
    judged: frozenset[str]
    is_tossing: bool
    expected: frozenset[str]


@probe.query(internal=True)
def rows(ctx: QueryCtx) -> Rows:
    """All of them, as they are stored."""
    skill = ctx.db.first(Skill.where(name=NAME))
    assert skill is not None
    jobs = ctx.db.take(Job.where(state=JobState.PENDING), limit=FOUND)
    attempts = Evolution.where(skill_id=skill.id).order_by("created_at")
    canaries = ctx.db.take(Canary.where(skill_id=skill.id).order_by("status"), limit=FOUND)
    judges = ctx.db.take(JudgeState.where().order_by("canary_id"), limit=FOUND)
    groups = ImprovementGroup.where(skill_id=skill.id).order_by("status")
    return Rows(
        skill=skill,
        versions=tuple(ctx.db.take(SkillVersion.where(skill_id=skill.id), limit=FOUND)),
        attempts=tuple(ctx.db.take(attempts, limit=FOUND)),
        groups=tuple(ctx.db.take(groups, limit=FOUND)),
        canaries=tuple(canaries),
        judged=frozenset(judge.canary_id for judge in judges),
        is_tossing=rollout_of(ctx, skill) is not None,
        expected=frozenset(f"{job.path} {one}" for job in jobs for one in job.arguments.values()),
    )


class World(Known):
    """A skill that anything may happen to."""

    def __init__(self) -> None:
        super().__init__(probe, stageHours=[1, 1], stageShares=[0.25, 0.5])

    def suggest_one(self, owner: int, same: int) -> None:
        texts = (*SAME_REQUEST, OTHER_REQUEST, OTHER_REQUEST, THIRD_REQUEST, THIRD_REQUEST)
        self.report(f"reporter-{owner}", improvement=texts[same % len(texts)])

    def runs(self, owners: int, quality: int) -> None:
        for owner in range(6 * owners):
            self.run(f"owner-{owner}", stable=0.8, canary=quality / 10, isRegression=quality == 0)

    def maintain_one(self, verb: int, keep: int) -> None:
        verbs = ("accept", "reject", "promote", "rollback", "trigger", "resume")
        name = verbs[verb % len(verbs)]
        told = (
            {"reason": "so be it", "keepImprovements": bool(keep % 2)} if name == "reject" else {}
        )
        self.maintain(name, **told)

    def set_up(self, reporters: int, by_hand: int) -> None:
        told = {"minReporters": 1 + reporters % 4, "manualApproval": bool(by_hand % 2)}
        self.maintain("updateSettings", **told)

    def let_pass(self, place: int, _unused: int) -> None:
        self.leap((1, HOUR_MS, DAY_MS, 15 * DAY_MS)[place % 4])

    def leap(self, ms: int) -> None:
        self.backend.now_ms += ms
        self.backend.run_due()

    def publish(self, place: int, _unused: int) -> None:
        version = VERSIONS[place % len(VERSIONS)]
        text = SKILL_MD + f"\nAs of {version}.\n"
        new = {"skillMd": text, "name": NAME, "version": version}
        self.backend.action("skills:publish", new, principal=AUTHOR)

    def move(self, place: int, channel: int) -> None:
        told = {
            "name": NAME, "channel": ("stable", "beta")[channel % 2],
            "version": VERSIONS[place % len(VERSIONS)],
        }  # fmt: skip
        self.backend.mutation("skills:setChannel", told, principal=AUTHOR)

    def go_back(self, _unused: int, _unused_too: int) -> None:
        told = {"name": NAME, "reason": "it was better"}
        self.backend.mutation("skills:rollback", told, principal=AUTHOR)

    def deprecate(self, place: int, _unused: int) -> None:
        told = {"name": NAME, "version": VERSIONS[place % len(VERSIONS)]}
        self.backend.mutation("skills:deprecate", told, principal=AUTHOR)

    def warn(self, restored: int, _unused: int) -> None:
        verb = "restore" if restored % 2 else "deprecate"
        self.backend.mutation(f"skills:{verb}", {"name": NAME}, principal=AUTHOR)

    def give_up(self, place: int, other: int) -> None:
        if place == other == 0:
            self.backend.mutation("skills:delete", {"name": NAME}, principal=AUTHOR)

    def give_away(self, owner: int, _unused: int) -> None:
        told = {"name": NAME, "owner": ("maria", "noor")[owner % 2]}
        self.backend.mutation("skills:transfer", told)


STEPS: tuple[Callable[[World, int, int], None], ...] = (
    World.suggest_one, World.suggest_one, World.suggest_one, World.runs, World.maintain_one,
    World.maintain_one, World.set_up, World.let_pass, World.let_pass, World.publish, World.move,
    World.go_back, World.deprecate, World.warn, World.give_up, World.give_away,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9), st.integers(0, 9)), max_size=30)
)
def test_no_order_of_events_leads_to_a_state_that_should_not_be(
    steps: list[tuple[Callable[[World, int, int], None], int, int]],
) -> None:
    world = World()
    for step, one, other in steps:
        try:
            step(world, one, other)
        except AppError:
            continue  # refused, and said so
        finally:
            look(world.backend.query("probe:rows"))
    for _ in range(4):
        world.leap(15 * DAY_MS)
    settled(world.backend.query("probe:rows"))


def look(rows: Rows) -> None:
    """Refuse what should never be, between any two commits."""
    channels_agree(rows)
    attempts_agree(rows)
    groups_agree(rows)


def channels_agree(rows: Rows) -> None:
    skill = rows.skill
    status = {version.version: version.status for version in rows.versions}
    stable = [name for name, is_at in status.items() if is_at is VersionStatus.STABLE]
    on_trial = [name for name, is_at in status.items() if is_at is VersionStatus.CANARY]
    assert stable == ([skill.stable_version] if skill.stable_version else [])
    assert on_trial == ([skill.canary_version] if skill.canary_version else [])
    assert rows.is_tossing == (skill.canary_version is not None)


def attempts_agree(rows: Rows) -> None:
    drafting = [one for one in rows.attempts if one.status is EvolutionStatus.DRAFTING]
    under_way = [one for one in rows.attempts if one.status in DRAFTED]
    under_way += [one for one in drafting if one.begun_at is not None]
    assert len(under_way) <= 1, "one attempt is under way at a time"
    assert under_way or not drafting, "the others wait for one that is under way"
    for attempt in under_way:
        assert has_job_or_person(rows, attempt), "nothing is open without a job or a person"
    undecided = [one for one in rows.canaries if one.status in UNDECIDED]
    on_trial = [one for one in under_way if one.canary_id is not None]
    assert [one.canary_id for one in on_trial] == [one.id for one in undecided]
    assert rows.judged == {one.id for one in undecided}
    for attempt in rows.attempts:
        if attempt.status not in OPEN_STATUSES:
            assert attempt.decided_at, "a closed attempt says when and why"
            assert attempt.reason, "a closed attempt says when and why"


def has_job_or_person(rows: Rows, attempt: Evolution) -> bool:
    match attempt.status:
        case EvolutionStatus.DRAFTING:
            jobs = {f"evolution:draft {attempt.id}"}
        case EvolutionStatus.PENDING:
            jobs = {f"evolution:startCanary {attempt.id}"}
        case _:
            told = ("evolution:checkCanary", "evolution:conclude")
            jobs = {f"{path} {attempt.canary_id}" for path in told}
    if attempt.status is EvolutionStatus.PENDING and waits_for_person(rows.skill, attempt):
        return True
    return attempt.status is EvolutionStatus.INCONCLUSIVE or bool(jobs & rows.expected)


def groups_agree(rows: Rows) -> None:
    serving = {one.group_id: one.status for one in rows.attempts if one.status in OPEN_STATUSES}
    versions = {version.version for version in rows.versions}
    for group in rows.groups:
        match group.status:
            case GroupStatus.DRAFTING:
                assert serving[group.id] in (EvolutionStatus.DRAFTING, EvolutionStatus.PENDING)
            case GroupStatus.CANARY:
                assert serving[group.id] in (EvolutionStatus.CANARY, EvolutionStatus.INCONCLUSIVE)
            case GroupStatus.RESOLVED:
                assert group.resolved_in_version in versions
            case GroupStatus.OPEN | GroupStatus.REJECTED | GroupStatus.MERGED:
                assert group.id not in serving


def settled(rows: Rows) -> None:
    """After some weeks of rest nothing is left but what waits for a person."""
    look(rows)
    left = {one.status for one in rows.attempts if one.status in OPEN_STATUSES}
    asked = rows.skill.evolution.manual_approval or EvolutionStatus.INCONCLUSIVE in left
    assert not left or asked, left
