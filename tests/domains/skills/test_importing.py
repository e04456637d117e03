"""Importing: versions from elsewhere, with their numbers, names, parents and exact bytes."""

import pytest

from hubify.domains.skills import NameTaken, skills
from hubify.domains.skills.importing import ImportedVersion, ImportOutcome
from hubify.functions import Forbidden, InvalidInput, Principal, RateClass
from hubify.functions.principal import ANONYMOUS
from hubify.functions.quota import DEFAULT_LIMITS
from hubify.testing.backend import known
from tests.domains.skills.registry import SkillRegistry, skill_md


@pytest.fixture
def registry() -> SkillRegistry:
    return SkillRegistry()


def taken_in(
    registry: SkillRegistry,
    text: str | None = None,
    *,
    by: Principal | None = None,
    **more: object,
) -> ImportedVersion:
    files = [{"path": "SKILL.md", "content": text or skill_md()}]
    arguments = {"name": "greet", "files": files, **more}
    who = by or registry.ada
    return registry.backend.mutation("skills:importVersion", arguments, principal=who)


def test_a_version_without_a_number_is_1_0_0(registry: SkillRegistry) -> None:
    answer = taken_in(registry)
    assert (answer.outcome, answer.version) == (ImportOutcome.IMPORTED, "1.0.0")
    assert registry.query("skills:getByName", name="greet").origin == "imported"


def test_equal_bytes_again_write_nothing(registry: SkillRegistry) -> None:
    first = taken_in(registry)
    head = registry.backend.head()
    again = taken_in(registry)
    assert (again.outcome, again.version_id) == (ImportOutcome.UNCHANGED, first.version_id)
    assert registry.backend.head() == head


def test_changed_bytes_take_the_next_patch_and_stay_there(registry: SkillRegistry) -> None:
    taken_in(registry)
    for outcome in (ImportOutcome.IMPORTED, ImportOutcome.UNCHANGED):
        answer = taken_in(registry, skill_md(body="Changed."))
        assert (answer.outcome, answer.version) == (outcome, "1.0.1")
    assert registry.query("skills:getByName", name="greet").version == "1.0.1"


def test_a_changed_number_is_said(registry: SkillRegistry) -> None:
    taken_in(registry)
    answer = taken_in(registry, skill_md(body="Changed."), source="there/greet@1")
    assert [finding.rule for finding in answer.findings] == ["version-bumped"]


def test_the_version_published_last_is_stable_whatever_its_number(
    registry: SkillRegistry,
) -> None:
    taken_in(registry, skill_md(body="New."), version="1.0.0", publishedAt=2_000)
    taken_in(registry, skill_md(body="Old."), version="3.0.0", publishedAt=1_000)
    found = registry.query("skills:getByName", name="greet")
    assert (found.version, found.published_at) == ("1.0.0", 2_000)
    taken_in(registry, skill_md(body="Newest."), version="0.9.0", publishedAt=3_000)
    assert registry.query("skills:getByName", name="greet").version == "0.9.0"


def test_a_name_that_another_owner_holds_gets_the_importers_before_it(
    registry: SkillRegistry,
) -> None:
    taken_in(registry)
    bob = known("bob", "skills:write")
    for outcome in (ImportOutcome.IMPORTED, ImportOutcome.UNCHANGED):
        answer = taken_in(registry, by=bob, author="eve")
        assert (answer.outcome, answer.name) == (outcome, "bob-greet")
    assert "name-taken" in [finding.rule for finding in answer.findings]
    assert registry.query("skills:getByName", name="bob-greet").author == "eve"


def test_nobody_but_an_administrator_puts_an_authors_name_before_a_skills(
    registry: SkillRegistry,
) -> None:
    taken_in(registry, author="ada")
    answer = taken_in(registry, by=known("mallory", "skills:write"), author="alice")
    assert answer.name == "mallory-greet"
    ops = known("ops", "skills:admin")
    assert taken_in(registry, by=ops, author="alice").name == "alice-greet"


def test_authors_of_one_name_are_skills_apart_of_one_owner(registry: SkillRegistry) -> None:
    assert taken_in(registry, author="eve").name == "greet"
    assert taken_in(registry, author="mallory").name == "ada-greet"
    for _again in range(2):
        assert taken_in(registry, author="zoe").name == "ada-zoe-greet"
    assert taken_in(registry, skill_md(body="New."), author="eve").name == "greet"


def test_a_reserved_name_gets_the_importers_before_it(registry: SkillRegistry) -> None:
    assert taken_in(registry, skill_md("search"), name="search", author="eve").name == "ada-search"


def test_where_all_names_are_taken_the_import_is_refused(registry: SkillRegistry) -> None:
    for name in ("greet", "bob-greet", "bob-eve-greet"):
        taken_in(registry, name=name)
    with pytest.raises(NameTaken, match="'greet' and 'bob-greet' and 'bob-eve-greet' are taken"):
        taken_in(registry, by=known("bob", "skills:write"), author="eve")


def test_an_import_says_that_it_is_one(registry: SkillRegistry) -> None:
    with pytest.raises(InvalidInput, match="origin"):
        taken_in(registry, origin="human")


def test_an_import_does_not_stand_in_the_lineage_that_it_claims(registry: SkillRegistry) -> None:
    """It says where it comes from itself; the skill it names does not say so."""
    root = registry.publish(skill_md("root"))
    official = {"parents": [root.version_id], "changeSummary": "The official successor."}
    taken_in(registry, skill_md("heir"), by=registry.bob, name="heir", author="ada", **official)
    (node,) = registry.query("skills:lineage", name="root").nodes
    assert node.name == "root"
    shown = registry.query("skills:lineage", name="heir")
    assert {node.name for node in shown.nodes} == {"root", "heir"}
    taken_in(registry, skill_md("own"), name="own", parents=[root.version_id])
    nodes = registry.query("skills:lineage", name="root").nodes
    assert {node.name for node in nodes} == {"root", "own"}


def test_a_version_of_the_future_does_not_keep_later_ones_from_becoming_stable(
    registry: SkillRegistry,
) -> None:
    taken_in(registry, version="1.0.0", publishedAt=250_000_000_000_000)
    registry.backend.advance(1)
    taken_in(registry, skill_md(body="Newer."), version="2.0.0")
    assert registry.query("skills:getByName", name="greet").version == "2.0.0"


def test_a_description_alone_becomes_a_placeholder(registry: SkillRegistry) -> None:
    answer = registry.mutate("skills:importVersion", name="idea", description="Only an idea.")
    version = registry.query("skills:getVersion", name="idea", version="1.0.0")
    assert answer.outcome is ImportOutcome.IMPORTED
    assert (version.status, version.files) == ("placeholder", ())
    with pytest.raises(InvalidInput, match="at least a description"):
        registry.mutate("skills:importVersion", name="empty")


def test_a_refused_version_answers_why_and_keeps_the_decision(registry: SkillRegistry) -> None:
    answer = taken_in(registry, "---\nname: greet\ndescription: x\ndescription: y\n---\nBody.\n")
    assert answer.outcome is ImportOutcome.REFUSED
    assert answer.version_id is None
    assert [(f.path, f.line) for f in answer.findings if f.blocks] == [("SKILL.md", 4)]
    told = {"decisionId": answer.decision_id}
    decision = registry.backend.query("gateway:getDecision", told, principal=ANONYMOUS)
    assert decision.verdict == "refused"


def test_parents_are_versions_that_the_caller_may_see(registry: SkillRegistry) -> None:
    secret = registry.publish(skill_md("secret"), visibility="private")
    with pytest.raises(InvalidInput, match="no version has the id"):
        taken_in(registry, by=registry.bob, parents=[secret.version_id])
    with pytest.raises(InvalidInput, match="no version has the id"):
        taken_in(registry, parents=["nonsense"])


def test_what_the_source_says_of_a_version_is_kept(registry: SkillRegistry) -> None:
    taken_in(
        registry,
        changeSummary="Says it twice.",
        source="there/greet@1",
        sourceOrigin="derived",
        versionAuthor="eve",
    )
    version = registry.query("skills:getVersion", name="greet")
    assert (version.source, version.source_origin) == ("there/greet@1", "derived")
    assert (version.author, version.change_summary) == ("eve", "Says it twice.")


@pytest.mark.parametrize("name", ["Ünïcode Name", "UPPER", "a b_c"])
def test_a_name_is_read_as_the_nearest_slug(registry: SkillRegistry, name: str) -> None:
    answer = taken_in(registry, name=name)
    assert registry.query("skills:getByName", name=answer.name).name == answer.name


def test_a_name_without_a_letter_is_refused(registry: SkillRegistry) -> None:
    with pytest.raises(InvalidInput, match="Latin letter"):
        taken_in(registry, name="技能")


def test_importing_takes_the_scope(registry: SkillRegistry) -> None:
    with pytest.raises(Forbidden, match="skills:write"):
        taken_in(registry, by=known("bob", "skills:read"))


def test_an_administrator_imports_for_an_owner_as_the_owner_would(registry: SkillRegistry) -> None:
    admin = known("admin", "*")
    taken_in(registry, by=admin, owner="bob")
    assert registry.query("skills:getByName", name="greet").owner == "bob"
    changed = taken_in(registry, skill_md(body="Changed."), by=known("bob", "skills:write"))
    assert (changed.outcome, changed.name) == (ImportOutcome.IMPORTED, "greet")


def test_an_import_for_one_owner_never_adds_to_anothers_skill(registry: SkillRegistry) -> None:
    taken_in(registry)
    answer = taken_in(registry, skill_md(body="Other."), by=known("admin", "*"), owner="bob")
    assert answer.name == "bob-greet"
    assert registry.query("skills:getByName", name="greet").versions == 1


def test_only_an_administrator_imports_for_somebody_else(registry: SkillRegistry) -> None:
    assert taken_in(registry, owner="ada").outcome is ImportOutcome.IMPORTED
    with pytest.raises(Forbidden, match="skills:admin"):
        taken_in(registry, owner="bob")


@pytest.mark.parametrize("owner", ["No Body", "../x", "-"])
def test_an_import_for_what_cannot_be_an_owner_is_refused(
    registry: SkillRegistry, owner: str
) -> None:
    with pytest.raises(InvalidInput, match="owner's name"):
        taken_in(registry, by=known("admin", "*"), owner=owner)


def test_an_ordinary_key_imports_hundreds_of_versions_in_a_minute() -> None:
    assert DEFAULT_LIMITS[RateClass.IMPORT] >= 600
    (spec,) = (spec for spec in skills.specs if spec.path == "skills:importVersion")
    assert spec.rate is RateClass.IMPORT


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ("a: &a x\nb: [" + "*a, " * 99 + "]", "yaml-aliases"),
        ("a: " + "[" * 999, "yaml-depth"),
        ("a: !!python/object/apply:os.system [id]", "yaml-tag"),
        ("a: \0", "nul"),
    ],
)
def test_a_hostile_file_is_refused_with_its_line_and_what_to_do(
    registry: SkillRegistry, field: str, rule: str
) -> None:
    answer = taken_in(registry, f"---\nname: greet\ndescription: d\n{field}\n---\nDo it.\n")
    (fault,) = [finding for finding in answer.findings if finding.blocks]
    assert answer.outcome is ImportOutcome.REFUSED
    assert (fault.rule, fault.path) == (rule, "SKILL.md")
    assert fault.line >= 4
    assert fault.fix


def test_a_file_that_was_saved_badly_is_imported_with_what_was_repaired(
    registry: SkillRegistry,
) -> None:
    answer = taken_in(registry, "\ufeff---\r\nname: greet\r\ndescription: a: b\r\n\r\n# Hi\r\n")
    assert answer.outcome is ImportOutcome.IMPORTED
    rules = {finding.rule for finding in answer.findings}
    assert {"byte-order-mark", "line-ends", "front-matter-open", "yaml-quoted"} <= rules


@pytest.mark.parametrize(("first", "second"), [("C#", "C++"), ("c", "C++"), ("ä c", "a/c")])
def test_names_that_would_become_one_are_skills_apart(
    registry: SkillRegistry, first: str, second: str
) -> None:
    made = taken_in(registry, name=first)
    for outcome in (ImportOutcome.IMPORTED, ImportOutcome.UNCHANGED):
        answer = taken_in(registry, skill_md(body="Other."), name=second)
        assert (answer.outcome, answer.name) == (outcome, f"ada-{made.name}")
    (note,) = [finding for finding in answer.findings if finding.rule == "name-taken"]
    assert note.message.startswith(f"The name '{second}' becomes '{made.name}', which is taken;")
    with pytest.raises(NameTaken, match=f"'{made.name}' and 'ada-{made.name}' are taken"):
        taken_in(registry, skill_md(body="Third."), name=f"{made.name} ?")
    assert taken_in(registry, skill_md(body="New."), name=first).name == made.name


def test_a_name_that_another_owner_holds_is_not_shared_by_two_names_either(
    registry: SkillRegistry,
) -> None:
    taken_in(registry, name="c")
    assert taken_in(registry, by=registry.bob, name="C#").name == "bob-c"
    with pytest.raises(NameTaken):
        taken_in(registry, skill_md(body="Other."), by=registry.bob, name="c")
