"""A trial judged again from its reports says what was decided then."""

import pytest

from hubify.domains.learning.errors import NeverOnTrial
from tests.domains.story import Story


def test_the_record_gives_the_decision_that_was_taken() -> None:
    story = Story(stageHours=[1], stageShares=[0.5])
    story.suggest()
    story.backend.advance(1)
    story.decide(stable=0.5, canary=1.0)
    ended = {"evolutionId": story.latest().id}
    kept = story.backend.query("evolution:get", ended).evidence
    again = story.backend.query("learning:recheckCanary", ended)
    assert again.decision.verdict == kept.verdict == "promote"
    assert again.decision.counted == kept.counted
    assert again.decision.not_worse == kept.not_worse
    assert again.complete
    assert -0.05 < again.lower <= again.upper <= 1


def test_what_never_was_on_trial_cannot_be_judged() -> None:
    story = Story(manualApproval=True)
    story.suggest()
    story.backend.advance(1)
    with pytest.raises(NeverOnTrial):
        story.backend.query("learning:recheckCanary", {"evolutionId": story.latest().id})
