"""What commands read of functions' answers: only the fields that they show.

Invariant: an answer of another shape is an error with a code, not a crash; unknown fields are
let be, so that an older command line works on a newer server.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec

from hubify.cli.targets import Hub
from hubify.sdk.errors import BAD_ANSWER, HubifyError
from hubify.values.values import Value

T = TypeVar("T")
PAGE = 100


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """A part of what a function answers."""


class NewKey(Answer, frozen=True):
    """A fresh key, shown once."""

    token: str
    token_id: str
    name: str
    owner: str
    agent: str | None
    scopes: list[str]
    expires_at: int | None


class Key(Answer, frozen=True):
    """A key without its secret."""

    id: str = msgspec.field(name="_id")
    name: str
    prefix: str
    owner: str
    agent: str | None
    scopes: list[str]
    status: str
    created_at: int
    expires_at: int | None
    last_used_at: int | None


class Keys(Answer, frozen=True):
    """A page of an owner's keys."""

    tokens: list[Key]
    is_done: bool = True
    continue_cursor: str = ""


class WhoAmI(Answer, frozen=True):
    """Whom a credential stands for."""

    owner: str | None


class AgentKey(Answer, frozen=True):
    """A public key of an agent's."""

    id: str = msgspec.field(name="_id")
    owner: str
    public_key: str
    created_at: int
    revoked_at: int | None
    name: str | None


class AgentKeys(Answer, frozen=True):
    """The keys of an agent."""

    keys: list[AgentKey]


class Skill(Answer, frozen=True):
    """A skill in a list."""

    name: str
    version: str | None
    description: str
    category: str
    owner: str
    status: str
    confidence: float
    executions: int
    success_rate: float


class SkillPage(Answer, frozen=True):
    """Some skills, and where the next ones begin."""

    page: list[Skill]
    is_done: bool
    continue_cursor: str


class Version(Answer, frozen=True):
    """A version in a list."""

    version: str
    status: str
    published_at: int


class VersionPage(Answer, frozen=True):
    """Some versions, and where the next ones begin."""

    page: list[Version]
    is_done: bool
    continue_cursor: str


class SkillDetails(Skill, frozen=True):
    """One skill."""

    display_name: str
    author: str
    tags: list[str]
    platforms: list[str]
    trend: str
    unique_agents: int
    verification_level: int
    stars: int
    license: str | None
    canary_version: str | None
    beta_version: str | None
    latest_version: str
    versions: int
    digest: str | None
    notice: str | None
    updated_at: int


class File(Answer, frozen=True):
    """One file: as text, or in base64."""

    path: str
    content: str | None
    content_base64: str | None


class Bundle(Answer, frozen=True):
    """The files of one version."""

    name: str
    version: str
    digest: str
    files: list[File]


class Reported(Answer, frozen=True):
    """What a report did."""

    report_id: str
    skill_confidence_change: float
    evolution_triggered: bool
    repeated: bool = False
    flags: tuple[str, ...] = ()


class FunctionArgument(Answer, frozen=True):
    """One argument of a function."""

    name: str
    required: bool


class Function(Answer, frozen=True):
    """One function that can be called."""

    path: str
    kind: str
    summary: str
    description: str
    scope: str | None
    arguments: list[FunctionArgument]
    aliases: list[str]


class Functions(Answer, frozen=True):
    """Every function that can be called."""

    functions: list[Function]


def listed_skills(hub: Hub, wish: Mapping[str, object]) -> Iterator[Skill]:
    """Every skill of a list, page by page."""
    cursor: str | None = None
    while True:
        request = {**wish, "paginationOpts": {"numItems": PAGE, "cursor": cursor}}
        page = read(SkillPage, hub.query("skills:list", request))
        yield from page.page
        if page.is_done or page.continue_cursor == cursor:
            return
        cursor = page.continue_cursor


def read(kind: type[T], value: Value) -> T:
    """An answer as a record.

    Raises:
        HubifyError: it has another shape.

    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise HubifyError(BAD_ANSWER, f"the answer is not what was expected: {error}") from None
