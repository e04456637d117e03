"""Every page's erasers, by the name of the table.

Invariant: a table of ours that is missing here fails a test; rows of an operator's own tables are
left as they are and counted, unless its page adds its erasers with `take_part`.
"""

from typing import NamedTuple

from hubify.domains import agent_keys, agents, auth_erasing, contents, gateway
from hubify.domains.auth import auth
from hubify.domains.erasure.tables import ErasedRows, Erasure, erasure
from hubify.domains.evolution import erasing as of_evolution
from hubify.domains.evolution import evolution
from hubify.domains.learning import erasing as of_learning
from hubify.domains.learning import learning
from hubify.domains.skills import erasing as of_skills
from hubify.domains.skills import skills
from hubify.domains.verification import erasing as of_verification
from hubify.domains.verification import verification
from hubify.functions import Domain, Row
from hubify.functions import erasing as of_functions
from hubify.functions.declare import SYSTEM_TABLES
from hubify.functions.erasing import Eraser, Erasers


class Page(NamedTuple):
    """A table's rows, and what becomes of each."""

    row_type: type[Row]
    eraser: Eraser


PAGES: dict[str, Page] = {}


def take_part(domain: Domain, erasers: Erasers) -> None:
    """Let an erasure look after the tables of a domain as its page declares."""
    for table in domain.tables:
        if table.row_type in erasers.by_type:
            PAGES[table.name] = Page(table.row_type, erasers.by_type[table.row_type])


own = Erasers()
own.nobody(Erasure, ErasedRows)  # what an erasure says of its subject goes at its end
functions = Domain("_functions")
functions.tables.extend(SYSTEM_TABLES)
for _domain, _erasers in (
    (functions, of_functions.erasers),
    (auth, auth_erasing.erasers),
    (contents.contents, contents.erasers),
    (agents.agents, agents.erasers),
    (agent_keys.agent_keys, agent_keys.erasers),
    (skills, of_skills.erasers),
    (gateway.gateway, gateway.erasers),
    (verification, of_verification.erasers),
    (evolution, of_evolution.erasers),
    (learning, of_learning.erasers),
    (erasure, own),
):
    take_part(_domain, _erasers)
