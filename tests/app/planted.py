"""A domain of an operator's own that puts a skill on trial without the steps before it."""

from hubify.domains.skills import begin_canary, require_version, skill_named
from hubify.functions import Domain, MutationCtx

planted = Domain("planted")


@planted.mutation(internal=True)
def trial(ctx: MutationCtx, *, secret: bytes) -> None:
    """Put version 1.1.0-beta.1 of `greet` on trial."""
    skill = skill_named(ctx, "greet")
    assert skill is not None
    found = require_version(ctx, skill, "1.1.0-beta.1")
    begin_canary(ctx, skill, found, canary_id="c", share=0.5, secret=secret)
