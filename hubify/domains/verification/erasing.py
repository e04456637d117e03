"""Taking a person out of watches: a version is watched on, with a pseudonym in the owner's place.

Invariant: what a watch would find is the same before and after.
"""

import msgspec

from hubify.domains.skills.erasing import is_emptied
from hubify.domains.verification.tables import Alert, Watch
from hubify.functions import MutationCtx
from hubify.functions.erasing import Erasers, Subject

erasers = Erasers()


@erasers.of(Watch)
def erase_in_watch(_ctx: MutationCtx, row: Watch, subject: Subject) -> Watch:
    """The owner's counts go on under its pseudonym."""
    state = msgspec.msgpack.decode(row.state)
    renamed = subject.within(state)
    return row if renamed == state else row.changed(state=msgspec.msgpack.encode(renamed))


@erasers.of(Alert)
def erase_alert(ctx: MutationCtx, row: Alert, subject: Subject) -> Alert:
    """An alert stays; who closed it is a pseudonym, and what that person said of it goes."""
    if is_emptied(ctx, row.skill_id, subject):
        row = row.changed(signature="")
    if not subject.is_owner(row.closed_by):
        return row
    return row.changed(closed_by=subject.named(row.closed_by), reason="")
