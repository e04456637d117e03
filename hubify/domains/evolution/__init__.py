"""Evolution: suggestions become a draft, a trial, and a better version or a lesson.

Invariant: what this page exports is what higher domains build on; they never write these rows
themselves.
"""

from hubify.domains.evolution import functions, overview, proposals, returns, settings, waiting
from hubify.domains.evolution.errors import EvolutionNotFound, GroupClosed, GroupNotFound
from hubify.domains.evolution.grouping import (
    Proposed,
    SimilarImprovement,
    Suggestion,
    follow_trouble,
    propose,
    trigger_if_due,
)
from hubify.domains.evolution.judging import TrialRun, judge_of
from hubify.domains.evolution.lifecycle import observe_run
from hubify.domains.evolution.looks import entries_of_look, keep_interval, looks_of, runs_told
from hubify.domains.evolution.regrouping import give_opinion, group_with_skill
from hubify.domains.evolution.tables import (
    Canary,
    CanaryLook,
    Evolution,
    Improvement,
    ImprovementGroup,
    Opinion,
    evolution,
)
from hubify.domains.evolution.views import canary_of, groups_of, visible_evolution

__all__ = [
    "Canary",
    "CanaryLook",
    "Evolution",
    "EvolutionNotFound",
    "GroupClosed",
    "GroupNotFound",
    "Improvement",
    "ImprovementGroup",
    "Opinion",
    "Proposed",
    "SimilarImprovement",
    "Suggestion",
    "TrialRun",
    "canary_of",
    "entries_of_look",
    "evolution",
    "follow_trouble",
    "functions",
    "give_opinion",
    "group_with_skill",
    "groups_of",
    "judge_of",
    "keep_interval",
    "looks_of",
    "observe_run",
    "overview",
    "proposals",
    "propose",
    "returns",
    "runs_told",
    "settings",
    "trigger_if_due",
    "visible_evolution",
    "waiting",
]
