"""Skills: what agents can do, by name, and how far each is trusted.

Invariant: what this page exports is what higher domains build on; they never write a skill's rows
themselves, but call these functions with their own context.
"""

from hubify.domains.skills.channels import (
    begin_canary,
    end_canary,
    make_stable,
    rollout_of,
    set_share,
)
from hubify.domains.skills.errors import (
    GatewayRefused,
    NameTaken,
    NothingStable,
    SkillNotFound,
    TicketRefused,
    VersionExists,
    VersionNotFound,
    WrongState,
)
from hubify.domains.skills.lookup import (
    belongs_to,
    maintained,
    may_read,
    readable,
    require_maintainer,
    require_version,
    skill_named,
    stable_version,
    standing_of,
    version_numbered,
    version_standing,
)
from hubify.domains.skills.resolving import Resolved, acting_agent, pin_of, resolve
from hubify.domains.skills.standing import Moved, Run, cells_of, count_report
from hubify.domains.skills.tables import (
    Change,
    Channel,
    CountBy,
    EvolutionSettings,
    FileRef,
    Origin,
    Rollout,
    Skill,
    SkillStanding,
    SkillStatus,
    SkillVersion,
    VersionStanding,
    VersionStatus,
    Visibility,
    skills,
)
from hubify.domains.skills.tickets import spend_ticket

__all__ = [
    "Change", "Channel", "CountBy", "EvolutionSettings", "FileRef", "GatewayRefused", "Moved",
    "NameTaken", "NothingStable", "Origin", "Resolved", "Rollout", "Run", "Skill", "SkillNotFound",
    "SkillStanding", "SkillStatus", "SkillVersion", "TicketRefused", "VersionExists",
    "VersionNotFound", "VersionStanding", "VersionStatus", "Visibility", "WrongState",
    "acting_agent", "begin_canary", "belongs_to", "cells_of", "count_report", "end_canary",
    "maintained", "make_stable", "may_read", "pin_of", "readable", "require_maintainer",
    "require_version", "resolve", "rollout_of", "set_share", "skill_named", "skills",
    "spend_ticket", "stable_version", "standing_of", "version_numbered", "version_standing",
]  # fmt: skip
