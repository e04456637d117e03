"""Lineage: forks and merges, both ways, within what the caller may see."""

import pytest

from hubify.domains.skills import NameTaken, SkillNotFound, lineage
from tests.domains.skills.registry import SkillRegistry, skill_md


@pytest.fixture
def registry() -> SkillRegistry:
    made = SkillRegistry()
    made.publish(skill_md(version="1.0.0"))
    made.publish(skill_md(body="Two.", version="1.1.0"))
    return made


def edges(registry: SkillRegistry, name: str) -> set[tuple[str, str, bool]]:
    told = registry.query("skills:lineage", name=name)
    labels = {node.version_id: f"{node.name}@{node.version}" for node in told.nodes}
    return {(labels[edge.parent_id], labels[edge.child_id], edge.fork) for edge in told.edges}


def test_versions_descend_from_one_another(registry: SkillRegistry) -> None:
    assert edges(registry, "greet") == {("greet@1.0.0", "greet@1.1.0", False)}


def test_a_fork_has_the_same_files_and_is_seen_from_both_sides(registry: SkillRegistry) -> None:
    fork = registry.mutate("skills:fork", by=registry.bob, name="greet")
    assert (fork.name, fork.owner, fork.fork_of) == ("bob-greet", "bob", "greet")
    source = registry.query("skills:getFiles", name="greet")
    assert registry.query("skills:getFiles", name="bob-greet").digest == source.digest
    whole = {
        ("greet@1.0.0", "greet@1.1.0", False),
        ("greet@1.1.0", "bob-greet@1.1.0", True),
    }
    assert edges(registry, "greet") == edges(registry, "bob-greet") == whole
    assert registry.query("skills:lineage", name="greet").forks == ("bob-greet",)


def test_a_fork_begins_without_the_trust_of_its_source(registry: SkillRegistry) -> None:
    registry.report()
    assert registry.mutate("skills:fork", by=registry.bob, name="greet").confidence == 0


def test_an_older_version_may_be_forked_under_a_name_of_ones_choice(
    registry: SkillRegistry,
) -> None:
    told = {"name": "greet", "newName": "hail", "version": "1.0.0"}
    fork = registry.backend.mutation("skills:fork", told, principal=registry.bob)
    assert (fork.name, fork.version) == ("hail", "1.0.0")
    with pytest.raises(NameTaken):
        registry.backend.mutation("skills:fork", told, principal=registry.bob)


def test_a_fork_does_not_name_the_private_skill_it_came_from(registry: SkillRegistry) -> None:
    registry.publish(skill_md("plain"), name="top-secret", visibility="private")
    registry.mutate("skills:fork", name="top-secret", newName="open")
    for path in ("skills:getByName", "skills:getVersion", "skills:lineage", "skills:listMoves"):
        assert "top-secret" not in repr(registry.query(path, by=registry.bob, name="open"))


def test_a_private_fork_is_not_seen_from_its_source(registry: SkillRegistry) -> None:
    registry.mutate("skills:fork", by=registry.bob, name="greet", visibility="private")
    told = registry.query("skills:lineage", name="greet")
    assert told.forks == ()
    assert {node.name for node in told.nodes} == {"greet"}
    assert registry.query("skills:lineage", by=registry.bob, name="greet").forks == ("bob-greet",)


def test_a_version_may_have_several_parents(registry: SkillRegistry) -> None:
    first = registry.publish(skill_md("left")).version_id
    second = registry.publish(skill_md("right")).version_id
    files = [{"path": "SKILL.md", "content": skill_md("both")}]
    registry.mutate("skills:importVersion", name="both", files=files, parents=[first, second])
    merged = {("left@1.0.0", "both@1.0.0", True), ("right@1.0.0", "both@1.0.0", True)}
    assert edges(registry, "both") == merged


def test_the_walk_stops_at_the_depth_and_says_so(registry: SkillRegistry) -> None:
    registry.mutate("skills:fork", by=registry.bob, name="greet")
    told = registry.query("skills:lineage", name="greet", depth=0)
    assert {node.name for node in told.nodes} == {"greet"}
    assert told.truncated
    assert not registry.query("skills:lineage", name="greet").truncated


def test_a_skill_that_is_not_there_has_no_lineage(registry: SkillRegistry) -> None:
    with pytest.raises(SkillNotFound):
        registry.query("skills:lineage", name="nothing")


def test_a_walk_that_has_read_its_share_says_that_there_is_more(
    registry: SkillRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        registry.mutate("skills:fork", by=registry.bob, name="greet", newName=f"fork-{number}")
    assert not registry.query("skills:lineage", name="greet").truncated
    monkeypatch.setattr(lineage, "READ_AT_ONCE", 2)
    monkeypatch.setattr(lineage, "MAX_WALKED", 12)
    told = registry.query("skills:lineage", name="greet")
    assert told.truncated
    assert 2 <= len(told.nodes) < 8
