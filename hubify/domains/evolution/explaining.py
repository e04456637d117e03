"""Why a trial was decided as it was, in one sentence with the counts.

Invariant: the sentence follows from the judge's decision alone, and names both versions.
"""

from hubify.domains.evolution.looks import EffectInterval
from hubify.domains.evolution.rules import plural
from hubify.domains.evolution.tables import Canary
from hubify.evidence.canary import Decision, Reason

SENTENCES = {
    Reason.COLLECTING: "the evidence is still being collected",
    Reason.PAUSED: "two owners call it a regression",
    Reason.NOT_WORSE: "it is proved not to be worse",
    Reason.WORSE: "it is proved to be worse",
    Reason.UNPROVEN: "promoted without proof, as the skill's settings allow",
    Reason.HORIZON: "the time is over and neither side is proved",
    Reason.END_OF_RECORD: "the record ends and neither side is proved",
    Reason.MISSING_REPORTS: "its tickets come back less often than the stable version's",
    Reason.CRITICAL: "too many owners call it a regression",
    Reason.GATEWAY: "the gateway refuses it",
    Reason.SANDBOX: "the sandbox found a fault",
    Reason.MAINTAINER: "a maintainer decided",
}


def sentence_of(decision: Decision, canary: Canary, interval: EffectInterval | None = None) -> str:
    """A decision in one sentence, without its capital letter and full stop.

    One without proof says which loss the interval leaves open.
    """
    tried, stable = decision.counted.canary, decision.counted.stable
    told = (
        f"{SENTENCES[decision.reason]}: {tried.successes:g} of {plural(tried.runs, 'run')} of "
        f"{canary.version} succeeded, against {stable.successes:g} of {stable.runs} of "
        f"{canary.baseline}, as {plural(decision.owners, 'owner')} reported"
    )
    if decision.reason is not Reason.UNPROVEN or interval is None:
        return told
    return f"{told}; a loss of up to {max(0.0, -100 * interval.lower):g} points is not ruled out"
