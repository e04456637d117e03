"""A skill's own file as read, whichever of the published forms it has.

Invariant: `SkillDocument.source` is the file, byte for byte. All other fields are a reading of
it; whatever was read differently from what is written is a finding.
"""

from enum import StrEnum

from msgspec import Struct

from hubify.formats.findings import Finding
from hubify.formats.hub import Dependency, EvolutionSettings, HubManifest, ToolNeeds
from hubify.formats.yaml_nodes import YamlValue


class Form(StrEnum):
    """Which of the published shapes a file has."""

    AGENTSKILLS = "agentskills"  # SKILL.md with the six fields of agentskills.io and no other
    HUBIFY = "hubify"  # SKILL.md with further fields
    MARKDOWN = "markdown"  # SKILL.md without front matter
    HUB_REFERENCE = "hub-reference"  # `.hub` with front matter and body
    HUB_GUIDE = "hub-guide"  # `.hub` that is one flat YAML map


class SkillDocument(Struct, frozen=True, kw_only=True):
    """One skill's file as read.

    `name` is a slug and `name_written` what it was made of, `version` strict semver (1.0.0 when the
    file has none; `version_written` is what it has), `description` 1 to 1,024 characters. Text is
    read with LF line ends; `body_line` is the line of the file that `body` begins on.
    `rest` holds the fields no form knows.
    """

    form: Form
    name: str
    name_written: str
    display_name: str
    version: str
    version_written: str | None
    description: str
    license: str | None
    compatibility: str | None
    category: str | None
    tier: str | None
    author: str | None
    homepage: str | None
    repository: str | None
    try_me: str | None
    tags: tuple[str, ...]
    platforms: tuple[str, ...]
    triggers: tuple[str, ...]
    outputs: tuple[str, ...]
    use_cases: tuple[str, ...]
    allowed_tools: tuple[str, ...]
    dependencies: tuple[Dependency, ...]
    tools: ToolNeeds
    evolution: EvolutionSettings | None
    metadata: dict[str, YamlValue]
    rest: dict[str, YamlValue]
    type: str = "skill"
    human_editable: bool | None = None
    manifest: HubManifest | None = None
    prompt_file: str | None = None
    body: str
    body_line: int
    source: bytes


class Reading(Struct, frozen=True):
    """The outcome of reading: a document, or None when a finding is REFUSED."""

    document: SkillDocument | None
    findings: tuple[Finding, ...]
