"""Show the values in failed assertions of the shared suites, as in any other test."""

import pytest

pytest.register_assert_rewrite("hubify.testing.engine_contract", "hubify.testing.engine_machine")
