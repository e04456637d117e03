"""Find the read-only test data that lies beside the checkout.

The data is given, not ours, and never copied into the repository. Invariant: a test that needs
it either gets an existing path or is skipped with the missing path named, never silently passed.
"""

from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
SHARED = CHECKOUT.parent / "shared"


def shared_path(relative: str) -> Path:
    """Return `../shared/<relative>`, or skip the calling test when it is absent.

    Works at module level too, where it skips the whole module: `shared_path("data/skills")`.
    """
    path = SHARED / relative
    if not path.exists():
        pytest.skip(
            f"needs the shared test data ../shared/{relative} beside the checkout",
            allow_module_level=True,
        )
    return path
