"""The datasets that are not a contract's."""

STAGING = "staging"
"""Of tables on their way to a main table. They expire."""
OPS = "ops"
"""Of journal, rejected rows, ledger, main tables' entries and locks."""
