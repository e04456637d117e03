"""Skill files that mean harm or were saved badly: each is refused, or said to be repaired."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.formats.document import Reading, SkillDocument
from hubify.formats.findings import Kind
from hubify.formats.reader import read_hub, read_skill_md

HEAD = b"name: a\ndescription: d\n"
UTF8_MARK = b"\xef\xbb\xbf"


def fenced(head: bytes, body: bytes = b"Do it.\n") -> bytes:
    return b"---\n" + head + b"---\n" + body


def with_field(text: str) -> bytes:
    """A sound file with one more field, on line 4."""
    return fenced(HEAD + text.encode() + b"\n")


def doubled_aliases(levels: int) -> str:
    """A few lines that stand for 20 ** levels values."""
    lines = ["l0: &l0 [" + ", ".join("x" * 20) + "]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 2)}]" for n in range(1, levels + 1)]
    return "\n".join(lines)


KEYS_IN_KEYS = "".join(" " * depth + "k:\n" for depth in range(1, 60))
UNCLOSED = b"---\n" + HEAD + b"\n# Title\n\nDo: it.\n"
REFUSED = {
    "an alias bomb": (with_field(doubled_aliases(12)), "yaml-aliases"),
    "many aliases of one value": (with_field("a: &a x\nb: [" + "*a, " * 99 + "]"), "yaml-aliases"),
    "lists in lists": (with_field("a: " + "[" * 5_000), "yaml-depth"),
    "maps in maps": (with_field("a: " + "{b: " * 2_000), "yaml-depth"),
    "dashes in dashes": (with_field("a:\n" + "- " * 2_000 + "x"), "yaml-depth"),
    "keys in keys": (with_field("a:\n" + KEYS_IN_KEYS), "yaml-depth"),
    "a Python object": (with_field("a: !!python/object/apply:os.system [id]"), "yaml-tag"),
    "a list as a key": (with_field("? [a, b]\n: c"), "yaml-key"),
    "half a character": (with_field('a: "\\ud800"'), "yaml-characters"),
    "too much front matter": (with_field("a: " + "x" * 20_000), "front-matter-too-large"),
    "a list instead of fields": (fenced(b"- a\n- b\n"), "front-matter-not-a-map"),
    "an escape sequence": (with_field("a: \x1b[31m"), "not-yaml"),
    "NUL in the head": (with_field("a: \0"), "nul"),
    "NUL in the body": (fenced(HEAD, b"a\0b"), "nul"),
    "UTF-16": (fenced(HEAD).decode().encode("utf-16"), "not-utf-8"),
    "half of a UTF-8 character": (fenced(HEAD, b"caf\xc3"), "not-utf-8"),
    "a surrogate as UTF-8": (fenced(HEAD, b"\xed\xa0\x80"), "not-utf-8"),
    "nothing": (b"", "skill-file-empty"),
    "nothing but space": (b" \n\t\r\n", "skill-file-empty"),
    "more than a row holds": (fenced(HEAD, b"x" * 600_000), "skill-file-too-large"),
}  # fmt: skip

REPAIRED = {
    "front matter that is never closed": (UNCLOSED, "front-matter-open"),
    "CRLF": (fenced(HEAD).replace(b"\n", b"\r\n"), "line-ends"),
    "CR alone": (fenced(HEAD).replace(b"\n", b"\r"), "line-ends"),
    "all line ends at once": (b"---\r\nname: a\rdescription: d\n---\nDo it.", "line-ends"),
    "a byte order mark": (UTF8_MARK + fenced(HEAD), "byte-order-mark"),
    "blank lines first": (b"\n \n" + fenced(HEAD), "blank-start"),
    "tabs": (fenced(b"name:\ta\ndescription:\td\nmetadata:\n\tk: v\n"), "yaml-tabs"),
    "a colon in a value": (fenced(b"name: a\ndescription: d: e\n"), "yaml-quoted"),
    "a quote that is never closed": (fenced(b'name: a\ndescription: "d\n'), "yaml-quoted"),
    "a list that is never closed": (with_field("tags: [a, b"), "yaml-quoted"),
    "a name twice": (with_field("name: b"), "yaml-name-twice"),
    "an alias of itself": (with_field("a: &a [*a]"), "yaml-quoted"),
    "a huge number as version": (with_field("version: " + "9" * 5_000), "version"),
    "a huge part of a version": (with_field("version: 1." + "9" * 40 + ".0"), "version"),
    "a number in base 60": (with_field("version: 1:30"), "version"),
    "an infinite version": (with_field("version: .inf"), "version"),
}  # fmt: skip

BOTH_FORMS = (read_skill_md, read_hub)


@pytest.mark.parametrize("read", BOTH_FORMS)
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_and_says_how_to_put_it_right(
    case: str, read: Callable[[bytes], Reading]
) -> None:
    data, code = REFUSED[case]
    reading = read(data)
    (refusal,) = [finding for finding in reading.findings if finding.kind is Kind.REFUSED]
    assert reading.document is None
    assert refusal.code == code
    assert refusal.fix
    assert len(str(refusal)) < 300


@pytest.mark.parametrize("read", BOTH_FORMS)
@pytest.mark.parametrize("case", REPAIRED)
def test_what_was_saved_badly_is_read_and_said_to_be_repaired(
    case: str, read: Callable[[bytes], Reading]
) -> None:
    data, code = REPAIRED[case]
    reading = read(data)
    assert reading.document is not None
    assert (reading.document.name, reading.document.source) == ("a", data)
    assert code in [each.code for each in reading.findings if each.kind is Kind.REPAIRED]


@pytest.mark.parametrize("number", ["9" * 5_000, "0x" + "f" * 3_000, "1e999", ".nan", "-.inf"])
def test_a_number_that_no_float_holds_stays_text(number: str) -> None:
    reading = read_skill_md(with_field(f"metadata: {{n: {number}}}"))
    assert reading.document is not None
    assert reading.document.metadata == {"n": number}


# What is read can be written, and read again.

words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=9)
lines = st.lists(words, min_size=1, max_size=6).map(" ".join)
items = st.lists(lines, max_size=4, unique=True)
slugs = st.from_regex(r"[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,2}", fullmatch=True)
versions = st.tuples(*[st.integers(0, 999)] * 3).map(lambda parts: ".".join(map(str, parts)))
bodies = st.lists(lines, min_size=1, max_size=5).map("\n\n".join)


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def as_escaped_json(value: object) -> str:
    return json.dumps(value)


def as_block(value: object) -> str:
    """A text as a block, a list as dashes."""
    if isinstance(value, list):
        return "".join(f"\n  - {as_json(item)}" for item in value) or "[]"
    return f"|-\n  {value}"


def as_single_quoted(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(as_single_quoted, value)) + "]"
    return "'" + str(value).replace("'", "''") + "'"


styles = st.sampled_from([as_json, as_escaped_json, as_block, as_single_quoted])
FIELDS = ("name", "version", "description", "tags", "platforms", "license")


def fields_of(document: SkillDocument) -> dict[str, object]:
    told = {field: getattr(document, field) for field in FIELDS}
    return {field: [*value] if isinstance(value, tuple) else value for field, value in told.items()}


def written(
    fields: dict[str, object], body: str, style: Callable[[object], str], end: str
) -> bytes:
    head = "".join(f"{field}: {style(value)}\n" for field, value in fields.items())
    return f"---\n{head}---\n{body}".replace("\n", end).encode()


skills = st.fixed_dictionaries({
    "name": slugs, "version": versions, "description": lines, "tags": items, "platforms": items,
    "license": lines,
})  # fmt: skip
ends = st.sampled_from(["\n", "\r\n"])


@given(skills, bodies, styles, ends)
def test_what_is_written_is_read_and_can_be_written_again(
    fields: dict[str, object], body: str, style: Callable[[object], str], end: str
) -> None:
    for read in BOTH_FORMS:
        first = read(written(fields, body, style, end)).document
        assert first is not None
        assert (fields_of(first), first.body) == (fields, body)
        again = read(written(fields_of(first), first.body, as_json, "\n")).document
        assert again is not None
        assert (fields_of(again), again.body) == (fields, body)


def test_a_character_that_json_writes_as_two_escapes_is_one() -> None:
    reading = read_skill_md(fenced(b'name: a\ndescription: "fast \\ud83d\\ude80"\n'))
    assert reading.document is not None
    assert reading.document.description == "fast \U0001f680"
