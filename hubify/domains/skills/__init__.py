"""Skills: what agents can do, by name, and how far each is trusted.

Invariant: what this page exports is what higher domains build on; they never write a skill's rows
themselves, but call these functions with their own context.
"""

from hubify.domains.skills import fading, following, importing, lineage, listing, managing
from hubify.domains.skills.channels import (
    begin_canary,
    end_canary,
    make_beta,
    make_stable,
    rollout_of,
    set_share,
    trial_secret,
)
from hubify.domains.skills.errors import (
    FileNotFound,
    GatewayRefused,
    NameTaken,
    NothingStable,
    SkillNotFound,
    TicketRefused,
    VersionExists,
    VersionNotFound,
    WrongState,
)
from hubify.domains.skills.exposures import (
    IssuedTicket,
    TrialTickets,
    has_untold_tickets,
    tell_tickets,
    tickets_of,
)
from hubify.domains.skills.lookup import (
    belongs_to,
    maintained,
    maintains,
    may_read,
    of_visible_skill,
    readable,
    require_maintainer,
    require_version,
    skill_named,
    stable_version,
    standing_of,
    version_numbered,
    version_standing,
)
from hubify.domains.skills.managing import former_stable, roll_back
from hubify.domains.skills.publishing import publish
from hubify.domains.skills.reading import wanted_version
from hubify.domains.skills.resolving import acting_agent, pin_of, resolve, running_agent
from hubify.domains.skills.rules import Bump, platform_name
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
from hubify.domains.skills.versions import read_files

__all__ = [
    "Bump", "Change", "Channel", "CountBy", "EvolutionSettings", "FileNotFound", "FileRef",
    "GatewayRefused", "IssuedTicket", "Moved", "NameTaken", "NothingStable", "Origin", "Rollout",
    "Run", "Skill", "SkillNotFound", "SkillStanding", "SkillStatus", "SkillVersion",
    "TicketRefused", "TrialTickets", "VersionExists", "VersionNotFound", "VersionStanding",
    "VersionStatus", "Visibility", "WrongState", "acting_agent", "begin_canary", "belongs_to",
    "cells_of", "count_report", "end_canary", "fading", "following", "former_stable",
    "has_untold_tickets", "importing", "lineage", "listing", "maintained", "maintains", "make_beta",
    "make_stable", "managing", "may_read", "of_visible_skill", "pin_of", "platform_name", "publish",
    "read_files", "readable", "require_maintainer", "require_version", "resolve", "roll_back",
    "rollout_of", "running_agent", "set_share", "skill_named", "skills", "spend_ticket",
    "stable_version", "standing_of", "tell_tickets", "tickets_of", "trial_secret",
    "version_numbered", "version_standing", "wanted_version",
]  # fmt: skip
