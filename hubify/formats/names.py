"""Names of skills and owners: which may stand, and how another name becomes a slug.

Invariant: whatever `slug_from` or `owned_name` returns is a slug, or empty when nothing of the
name can be kept.
"""

import hashlib
import re
import unicodedata

from hubify.formats.limits import MAX_NAME

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_OWNER = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_OTHER = re.compile(r"[^a-z0-9]+")
_DIGEST = 8  # hexadecimal digits that keep two shortened names apart


def is_slug(name: str) -> bool:
    """Whether `name` may stand in the registry: lower case, digits, single hyphens, 1 to 64."""
    return len(name) <= MAX_NAME and _SLUG.fullmatch(name) is not None


def is_owner(name: str) -> bool:
    """Whether `name` may be an owner's: lower case, digits, inner `.`, `-`, `_`, 1 to 64."""
    return _OWNER.fullmatch(name) is not None


def slug_from(name: str) -> str:
    """Return the nearest slug: accents dropped, all else a hyphen, cut at 64 characters.

    Empty when the name has no Latin letter or digit, because a made-up name would help nobody.
    """
    decomposed = unicodedata.normalize("NFKD", name[: 16 * MAX_NAME])
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _cut(_OTHER.sub("-", plain.lower()).strip("-"), MAX_NAME)


def owned_name(owner: str, slug: str) -> str:
    """Return `<owner>-<slug>`, the name for a skill whose own name another owner holds.

    A result over 64 characters is cut and ends in a digest of the whole, so that two long names
    stay two. With an owner of whom no letter can be kept, the digest stands for the owner.
    """
    whole = f"{owner}-{slug}"
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    prefix = slug_from(owner) or digest
    name = _OTHER.sub("-", f"{prefix}-{slug_from(slug)}").strip("-")
    if len(name) <= MAX_NAME:
        return name
    return f"{_cut(name, MAX_NAME - _DIGEST - 1)}-{digest}"


def _cut(slug: str, length: int) -> str:
    return slug[:length].rstrip("-")
